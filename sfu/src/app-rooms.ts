import type { LiveState } from './app-state.ts';
import { createIceServers } from './calls/ice-servers.ts';
import type { Bus } from './cluster/bus.ts';
import type { Health } from './cluster/outage.ts';
import type { Config } from './config.ts';
import type { MediaPlane } from './media/media-plane.ts';
import { createMediaPlane, type PipeOptions } from './media/mediasoup-plane.ts';
import type { Accounts } from './people/accounts.ts';
import type { Records } from './records/records.ts';
import { AudienceCounter } from './rooms/audience-counter.ts';
import { createDirectory } from './rooms/directory.ts';
import { LateViews } from './rooms/late-views.ts';
import { createMediaBridge } from './rooms/media-bridge.ts';
import { createMediaControl, type MediaControl } from './rooms/media-control.ts';
import { roomMediaOwner } from './rooms/media-state.ts';
import type { RoomPublisher } from './rooms/ports.ts';
import { createRoomDeadlines } from './rooms/room-deadlines.ts';
import { createRoomEffects } from './rooms/room-effects.ts';
import { createRoomEngine, type RoomEngine } from './rooms/room-engine.ts';
import { createRoomMedia } from './rooms/room-media.ts';
import { createRoomQueries } from './rooms/room-queries.ts';
import { createRooms } from './rooms/rooms.ts';
import type { Clock } from './runtime/clock.ts';
import { DeadlineRunner } from './runtime/deadline-runner.ts';
import { newId } from './runtime/ids.ts';
import { KeyedQueue } from './runtime/keyed-queue.ts';
import type { AppLogger } from './runtime/logger.ts';
import type { Opened } from './runtime/parts.ts';
import type { DueDeadline } from './state/room-store.ts';

type RoomParts = {
  readonly config: Config;
  readonly logger: AppLogger;
  readonly nodeId: string;
  readonly state: LiveState;
  readonly health: Health;
  /** How many nodes serve. */
  readonly nodes: () => number;
  readonly records: Records;
  readonly accounts: Accounts;
  /** To the people of every node, and to those of this one alone. */
  readonly publisher: RoomPublisher;
  readonly local: RoomPublisher;
  /** The way to the other nodes, and how voices come from there; a node by itself has neither. */
  readonly bus: Bus | undefined;
  readonly pipes: PipeOptions | undefined;
  readonly opened: Opened;
};

/** Everything about rooms and their media, running. */
export const composeRooms = async (parts: RoomParts) => {
  const { config, logger, nodeId, state, health, records, publisher, opened } = parts;
  const { limits } = config;
  const { rooms: store, clock } = state;
  // Media tells the rooms what happens by itself, and the rooms tell media what to follow: the bridge ties them together.
  const bridge = createMediaBridge({ publisher: parts.local, logger });
  const media = opened(
    'media',
    await createMediaPlane(
      {
        limits,
        logger,
        workers: config.workers,
        mediaPort: config.mediaPort,
        mediaAddresses: config.mediaAddresses,
        iceServersFor: iceServersBySeat(config, clock),
        self: nodeId,
        pipes: parts.pipes,
        relayPorts: config.pipePorts,
      },
      bridge.events,
    ),
    (it) => it.close(),
  );
  const counter = opened(
    'counter',
    new AudienceCounter(publisher, limits.audienceCountMs, state.shared && store),
    (it) => it.close(),
  );
  const control = createMediaControl({
    ...{ media, owners: bridge.owners, unpublished: bridge.events.unpublished, nodeId, limits, logger, bus: parts.bus },
  });
  opened('media control', control, (it) => it.stop());
  const follow = createRoomEffects({ store, records, media: control, publisher, counter, limits, logger });
  const engine: RoomEngine = createRoomEngine({
    store,
    queue: new KeyedQueue(limits.commandsWaitingPerRoom),
    clock,
    limits,
    newId,
    follow,
  });
  bridge.owners.connect(roomMediaOwner({ engine, store, nodeId }));
  const runner = new DeadlineRunner<DueDeadline>({
    due: store.due,
    ownerOf: ({ roomId }) => roomId,
    carryOut: createRoomDeadlines({ store, engine, limits }),
    clock: health.dueClock,
    paused: () => !health.settled(),
    logger,
  });
  const deadlines = opened('deadlines', runner, (it) => it.stop());
  deadlines.start();
  return { store, media, bridge, control, ...useCasesOf(parts, { engine, media, control }) };
};

type Running = {
  readonly engine: RoomEngine;
  readonly media: MediaPlane;
  readonly control: MediaControl;
};

const useCasesOf = (parts: RoomParts, { engine, media, control }: Running) => {
  const { config, logger, nodeId, state, records, accounts, publisher, local, nodes, opened } = parts;
  const { limits } = config;
  const { rooms: store, clock } = state;
  const rooms = createRooms({
    ...{ engine, store, records, publisher, clock, limits, newId, nodeId, nodes },
    directory: createDirectory(accounts),
  });
  const lateViews = new LateViews({ engine, store, publisher: local, limits, logger });
  opened('late views', lateViews, (it) => it.stop());
  const roomMedia = createRoomMedia({
    ...{ engine, store, media, control, limits, nodeId },
    connected: (seat) => lateViews.connected(seat),
  });
  const queries = createRoomQueries({ store, records, clock, limits });
  return { rooms, queries, roomMedia, lateViews };
};

const iceServersBySeat = (config: Config, clock: Clock) => {
  const iceServers = createIceServers({ stunUrls: config.stunUrls, turn: config.turn, clock });
  return ({ userId }: { userId: string }) => iceServers(userId);
};
