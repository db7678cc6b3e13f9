import { CallCopies } from './calls/call-copies.ts';
import type { Bus } from './cluster/bus.ts';
import type { ClusterConfig } from './config.ts';
import { RoomCopies } from './rooms/room-copies.ts';
import type { Clock } from './runtime/clock.ts';
import type { AppLogger } from './runtime/logger.ts';
import type { Opened } from './runtime/parts.ts';
import type { CallStore } from './state/call-store.ts';
import type { ClusterStore, SessionRef } from './state/cluster-store.ts';
import { createMemoryCallStore } from './state/memory/memory-call-store.ts';
import { createMemoryClusterStore } from './state/memory/memory-cluster-store.ts';
import { createMemoryRoomStore } from './state/memory/memory-room-store.ts';
import { openRedis, type RedisConnection } from './state/redis/connection.ts';
import { createRedisCallStore } from './state/redis/redis-call-store.ts';
import { createRedisClusterStore } from './state/redis/redis-cluster-store.ts';
import { createRedisRoomStore } from './state/redis/redis-room-store.ts';
import type { RoomStore } from './state/room-store.ts';

/** The live state of one node, or of the cluster that it belongs to. */
export type LiveState = {
  /** The time by which everything in it goes. */
  readonly clock: Clock;
  readonly rooms: RoomStore;
  readonly calls: CallStore;
  readonly cluster: ClusterStore;
  /** What it takes to be a node among others; undefined for one by itself. */
  readonly shared: SharedState | undefined;
};

/** Live state that is in Redis: `rooms` and `calls` of `LiveState` are watched, so that these copies follow them. */
export type SharedState = {
  readonly redis: RedisConnection;
  readonly rooms: { readonly store: RoomStore; readonly copies: RoomCopies };
  readonly calls: { readonly store: CallStore; readonly copies: CallCopies };
};

export type LiveStateParts = {
  readonly cluster: ClusterConfig | undefined;
  readonly nodeId: string;
  /** Of this process; Redis brings its own. */
  readonly clock: Clock;
  /** The way to the other nodes, which is opened after this. */
  readonly tell: Bus['tell'];
  /** What this session held from this node in the queue or in a call counts as lost, or as another node's. */
  readonly displaced: (session: SessionRef) => void;
  readonly logger: AppLogger;
  readonly opened: Opened;
};

/** Live state in this process, or in the Redis of a cluster. Rejects with words for the operator where that cannot serve. */
export const openLiveState = async (parts: LiveStateParts): Promise<LiveState> => {
  const { cluster, clock } = parts;
  if (cluster !== undefined) return openSharedState({ ...parts, cluster });
  return {
    clock,
    rooms: createMemoryRoomStore(clock),
    calls: createMemoryCallStore(clock),
    cluster: createMemoryClusterStore(clock),
    shared: undefined,
  };
};

/** Certificates, TURN servers and logs go by the clocks of machines: this many milliseconds apart and one of them is wrong. */
const mostSkewMs = 5000;

/** Nothing of ours goes by this machine's clock in a cluster; what does is not ours to mend. */
const warnOfSkew = ({ own, shared }: { readonly own: number; readonly shared: number }, logger: AppLogger): void => {
  const aheadMs = Math.round(own - shared);
  if (Math.abs(aheadMs) > mostSkewMs)
    logger.warn(
      { aheadMs },
      'the clock of this machine is not that of Redis, by which all nodes go: certificates and TURN credentials may count as expired; set both by NTP',
    );
};

const openSharedState = async (parts: LiveStateParts & { readonly cluster: ClusterConfig }): Promise<LiveState> => {
  const { nodeId, tell, displaced, logger, opened, cluster } = parts;
  const { redisUrl: url, redisPrefix: prefix } = cluster;
  const redis = opened('Redis', await openRedis({ url, prefix, logger }), (it) => it.close());
  const { clock } = redis;
  warnOfSkew({ own: parts.clock.now(), shared: clock.now() }, logger);
  const roomStore = createRedisRoomStore(redis);
  const callStore = createRedisCallStore(redis);
  const rooms = new RoomCopies({ store: roomStore, nodeId, tell, clock, logger });
  const calls = new CallCopies({ store: callStore, nodeId, tell, clock, displaced });
  return {
    clock,
    rooms: rooms.watched,
    calls: calls.watched,
    cluster: createRedisClusterStore(redis),
    shared: { redis, rooms: { store: roomStore, copies: rooms }, calls: { store: callStore, copies: calls } },
  };
};
