import { createIceServers } from './calls/ice-servers.ts';
import type { Config } from './config.ts';
import { createMediaPlane } from './media/mediasoup-plane.ts';
import type { Accounts } from './people/accounts.ts';
import type { Records } from './records/records.ts';
import { AudienceCounter } from './rooms/audience-counter.ts';
import { createDirectory } from './rooms/directory.ts';
import { createMediaBridge, roomMediaOwner } from './rooms/media-bridge.ts';
import { MediaFollower } from './rooms/media-follower.ts';
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
import { createMemoryRoomStore } from './state/memory/memory-room-store.ts';
import type { DueDeadline } from './state/room-store.ts';

type RoomParts = {
  readonly config: Config;
  readonly logger: AppLogger;
  readonly clock: Clock;
  readonly records: Records;
  readonly accounts: Accounts;
  readonly publisher: RoomPublisher;
  readonly opened: Opened;
};

/** Everything about rooms and their media, running. */
export const composeRooms = async ({ config, logger, clock, records, accounts, publisher, opened }: RoomParts) => {
  const { limits } = config;
  const store = createMemoryRoomStore(clock);
  // Media tells the rooms what happens by itself, and the rooms tell media what to follow: the bridge ties them together.
  const bridge = createMediaBridge({ publisher, logger });
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
      },
      bridge.events,
    ),
    (it) => it.close(),
  );
  const counter = opened('counter', new AudienceCounter(publisher, limits.audienceCountMs), (it) => it.close());
  const follower = new MediaFollower(media, logger);
  const follow = createRoomEffects({ store, records, media, follower, publisher, counter, limits, logger });
  const engine: RoomEngine = createRoomEngine({
    store,
    queue: new KeyedQueue(limits.commandsWaitingPerRoom),
    clock,
    limits,
    newId,
    follow,
  });
  bridge.connect(roomMediaOwner(engine));
  const runner = new DeadlineRunner<DueDeadline>({
    due: store.due,
    ownerOf: ({ roomId }) => roomId,
    carryOut: createRoomDeadlines({ store, engine, limits }),
    clock,
    logger,
  });
  const deadlines = opened('deadlines', runner, (it) => it.stop());
  deadlines.start();
  const rooms = createRooms({
    engine,
    store,
    records,
    directory: createDirectory(accounts),
    publisher,
    clock,
    limits,
    newId,
    speakingIn: bridge.speakingIn,
  });
  const queries = createRoomQueries({ store, records, clock, limits });
  return { store, media, bridge, follower, rooms, queries, roomMedia: createRoomMedia({ engine, store, media }) };
};

const iceServersBySeat = (config: Config, clock: Clock) => {
  const iceServers = createIceServers({ stunUrls: config.stunUrls, turn: config.turn, clock });
  return ({ userId }: { userId: string }) => iceServers(userId);
};
