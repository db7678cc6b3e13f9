import { defaultLimits } from '@rostrum/shared/limits.ts';
import { pino } from 'pino';
import { CallCopies, type CallCopyMessage } from '../../src/calls/call-copies.ts';
import { Restorer } from '../../src/cluster/restore.ts';
import { RoomCopies, type RoomCopyMessage } from '../../src/rooms/room-copies.ts';
import type { RedisConnection } from '../../src/state/redis/connection.ts';
import { createRedisCallStore } from '../../src/state/redis/redis-call-store.ts';
import { createRedisClusterStore } from '../../src/state/redis/redis-cluster-store.ts';
import { createRedisRoomStore } from '../../src/state/redis/redis-room-store.ts';
import type { RoomStore } from '../../src/state/room-store.ts';
import { connect } from './redis-support.ts';

const logger = pino({ level: 'silent' });
type Told = RoomCopyMessage | CallCopyMessage;

/** Hands on what nodes tell each other, a little later, in the order of each. As JSON: nothing else crosses. */
export class TestBus {
  readonly #nodes = new Map<string, (message: Told) => void>();

  listen(nodeId: string, take: (message: Told) => void): void {
    this.#nodes.set(nodeId, take);
  }

  leave(nodeId: string): void {
    this.#nodes.delete(nodeId);
  }

  tell(from: string, message: Told): void {
    const text = JSON.stringify(message);
    setImmediate(() => {
      for (const [nodeId, take] of this.#nodes) if (nodeId !== from) take(JSON.parse(text));
    });
  }
}

export type RestoringNode = {
  readonly nodeId: string;
  readonly redis: RedisConnection;
  readonly rooms: RoomCopies;
  readonly calls: CallCopies;
  readonly cluster: ReturnType<typeof createRedisClusterStore>;
  /** How each restoration ended. */
  readonly restored: { late: boolean }[];
  /** Dies: it is gone, in the middle of whatever it does. */
  die(): Promise<void>;
};

export type NodeOptions = {
  readonly url: string;
  readonly prefix: string;
  readonly nodeId: string;
  readonly bus: TestBus;
  readonly restoreMs?: number;
  /** Comes between the node and its store of rooms. */
  readonly through?: (store: RoomStore) => RoomStore;
  /** Every living node has had its time to say so. */
  readonly settled?: () => void;
};

/** As much of a node as writes back. */
export const startNode = async (options: NodeOptions): Promise<RestoringNode> => {
  const { url, prefix, nodeId, bus, restoreMs = 500, through = (store) => store, settled = () => undefined } = options;
  const redis = await connect({ url }, { prefix, answerMs: 1000, restoreMs });
  const { clock } = redis;
  const tell = (message: Told): void => bus.tell(nodeId, message);
  const stores = { rooms: through(createRedisRoomStore(redis)), calls: createRedisCallStore(redis) };
  const rooms = new RoomCopies({ store: stores.rooms, nodeId, tell, clock, logger });
  const calls = new CallCopies({ store: stores.calls, nodeId, tell, clock, displaced: () => undefined });
  const cluster = createRedisClusterStore(redis);
  bus.listen(nodeId, (message) => (message.kind === 'room-copy' ? rooms.told(message) : calls.told(message)));
  const restored: { late: boolean }[] = [];
  const restate = async (): Promise<void> => {
    const node = { nodeId, name: nodeId, version: '1', protocol: 1, machine: 'one', internalAddress: '127.0.0.1:1' };
    await cluster.enlist({ ...node, draining: false, load: { sockets: 0, rooms: 0, consumers: 0, full: false } }, 5000);
  };
  const restorer = new Restorer({
    epochs: redis.epochs,
    rooms: { store: stores.rooms, copies: rooms },
    calls: { store: stores.calls, copies: calls },
    restate,
    restored: (how) => restored.push(how),
    settled: async () => settled(),
    limits: { ...defaultLimits, nodeSilentMs: 200, heartbeatMs: 100 },
    logger,
  });
  const die = async (): Promise<void> => {
    bus.leave(nodeId);
    await redis.close();
    await restorer.stop();
  };
  return { nodeId, redis, rooms, calls, cluster, restored, die };
};
