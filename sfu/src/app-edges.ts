import { setTimeout as sleep } from 'node:timers/promises';
import { composeCalls } from './app-calls.ts';
import type { composePeople } from './app-people.ts';
import type { composeRooms } from './app-rooms.ts';
import type { LiveState } from './app-state.ts';
import { callMediaOwner } from './calls/call-media-follower.ts';
import { createSuccessMonitor } from './calls/success-monitor.ts';
import type { ClusterNodes } from './cluster/nodes.ts';
import type { Health } from './cluster/outage.ts';
import type { Config } from './config.ts';
import { clusterCallPublisher } from './gateway/cluster/call-publisher.ts';
import { clusterRoomPublisher, createHere } from './gateway/cluster/room-publisher.ts';
import type { StreamsBus } from './gateway/cluster/streams-bus.ts';
import type { Placing } from './gateway/placing.ts';
import { createRateLimits } from './gateway/rate-limits.ts';
import { createCallPublisher } from './gateway/socket/call-publisher.ts';
import { Connections } from './gateway/socket/connections.ts';
import { createDispatch } from './gateway/socket/dispatch.ts';
import { createHandlers } from './gateway/socket/handlers.ts';
import { createPresence } from './gateway/socket/presence.ts';
import { createRoomPublisher } from './gateway/socket/room-publisher.ts';
import { serveSockets } from './gateway/socket/socket-server.ts';
import type { RostrumServer } from './gateway/socket/types.ts';
import { turnAway } from './gateway/turn-away.ts';
import type { MediaPlane } from './media/media-plane.ts';
import { newId } from './runtime/ids.ts';
import { KeyedQueue } from './runtime/keyed-queue.ts';
import type { Lifecycle, LifecyclePorts } from './runtime/lifecycle.ts';
import type { AppLogger } from './runtime/logger.ts';
import { createMetrics } from './runtime/metrics.ts';
import type { Opened } from './runtime/parts.ts';
import { createReadiness } from './runtime/readiness.ts';
import { StateUnavailable } from './state/room-store.ts';

/** Events to the people of this node alone, and to those of every node. */
export const publishersOf = (io: RostrumServer, bus: StreamsBus | undefined) => {
  const local = { rooms: createRoomPublisher(io), calls: createCallPublisher(io) };
  if (bus === undefined)
    return {
      rooms: { local: local.rooms, publisher: local.rooms },
      calls: { local: local.calls, publisher: local.calls },
    };
  const here = createHere(io);
  return {
    rooms: { local: local.rooms, publisher: clusterRoomPublisher(local.rooms, bus, here) },
    calls: { local: local.calls, publisher: clusterCallPublisher(local.calls, bus, here) },
  };
};

type EdgeParts = {
  readonly config: Config;
  readonly logger: AppLogger;
  readonly nodeId: string;
  readonly state: LiveState;
  readonly health: Health;
  readonly people: ReturnType<typeof composePeople>;
  readonly core: Awaited<ReturnType<typeof composeRooms>>;
  readonly io: RostrumServer;
  readonly bus: StreamsBus | undefined;
  readonly publishers: ReturnType<typeof publishersOf>;
  readonly lifecycle: Lifecycle;
  readonly placing: Placing;
  readonly opened: Opened;
};

/** Serves the sockets, and gives what the HTTP routes need. */
export const composeEdges = async (parts: EdgeParts) => {
  const { config, logger, nodeId, state, health, people, core, io, bus, publishers, lifecycle, opened } = parts;
  const { limits } = config;
  const { clock, cluster } = state;
  const { accepting } = lifecycle;
  const { records, ...identity } = people;
  const rateLimits = createRateLimits(limits);
  const success = createSuccessMonitor({ clock, limits, logger });
  const metrics = createMetrics({
    calls: { counts: () => state.calls.counts(), success: () => ({ share: success.share(), alert: success.alert() }) },
    rooms: () => state.rooms.count(),
    sockets: () => io.sockets.sockets.size,
    media: { workers: () => core.media.load(), figures: () => core.media.figures() },
  });
  const calling = await composeCalls({
    ...core,
    ...{ config, logger, nodeId, clock, health, records, success, accepting },
    metrics: metrics.calls,
    ...publishers.calls,
    presence: createPresence({ io, ...core, cluster, publisher: publishers.rooms.publisher }),
    accounts: identity.accounts,
    store: state.calls,
  });
  core.bridge.owners.connect(callMediaOwner({ calls: calling.calls, store: state.calls, nodeId }));
  opened('call deadlines', calling.deadlines, (it) => it.stop()).start();
  opened('counts', calling.ticker, (it) => it.stop()).start();
  const whereabouts = new KeyedQueue(limits.commandsWaitingPerRoom);
  const edges = { ...core, ...identity, ...calling, rateLimits, whereabouts, limits, logger, newId };
  const leaving = (): boolean => lifecycle.state.state === 'draining';
  const connections = new Connections({ ...edges, clock, accepting, leaving, nodeId, cluster, bus });
  opened('connections', connections, (it) => it.close());
  const { placing } = parts;
  const handlers = createHandlers({ ...edges, media: core.roomMedia, connections, placing });
  turnAway(io, (isBack) => accepting() && (isBack || !placing.turnsAway()));
  serveSockets({ io, connections, dispatch: createDispatch({ handlers, rateLimits, metrics, logger }), logger });
  const ready = createReadiness({
    reason: lifecycle.reason,
    checks: [
      { reason: 'a media worker is missing or keeps dying, or none has room', isWell: () => core.media.ready() },
      { reason: 'records cannot be written', isWell: () => records.ready() },
    ],
    limitMs: limits.unavailableMs,
  });
  const unready = async (): Promise<string[]> => [...(await ready()), ...stateProblems(state)];
  return { ...edges, connections, metrics, publicUrl: config.publicUrl, unready };
};

const stateProblems = ({ shared }: LiveState): string[] => {
  const redis = shared?.redis.ready();
  return redis === undefined || redis.ready ? [] : [redis.why];
};

type Departing = {
  readonly config: Config;
  readonly logger: AppLogger;
  readonly io: RostrumServer;
  readonly nodes: ClusterNodes;
  readonly media: MediaPlane;
  readonly state: LiveState;
};

export const lifecyclePorts = ({
  config,
  logger,
  io,
  nodes,
  media,
  state,
}: Departing): Omit<LifecyclePorts, 'release'> => ({
  drainMs: config.limits.drainMs,
  now: () => performance.now(),
  sleep: (ms) => sleep(ms),
  logger,
  peers: async () => {
    if (stateProblems(state).length > 0) throw new StateUnavailable('which nodes there are is not known');
    return nodes.peers().filter(({ draining }) => !draining).length;
  },
  announce: () => nodes.setDraining(),
  sockets: () => [...io.sockets.sockets.keys()],
  tell: (socketIds) => {
    for (const socketId of socketIds) io.sockets.sockets.get(socketId)?.emit('session:closing', { code: 'moving' });
  },
  mediaSeats: () => media.roomIds().reduce((sum, roomId) => sum + media.seatsOf(roomId).length, 0),
});
