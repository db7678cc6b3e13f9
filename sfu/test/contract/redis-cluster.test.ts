import { describe, expect, it } from 'vitest';
import { newId } from '../../src/runtime/ids.ts';
import type { ClusterStore, NodeRecord } from '../../src/state/cluster-store.ts';
import type { RedisConnection } from '../../src/state/redis/connection.ts';
import { createRedisClusterStore } from '../../src/state/redis/redis-cluster-store.ts';
import { given, redisForTests } from './redis-support.ts';

const redis = redisForTests();

const plentyMs = 3_600_000;
const dayMs = 86_400_000;

const nodeRecord = (name: string): NodeRecord => ({
  nodeId: `${name}~${newId()}`,
  name,
  version: '1.2.3',
  protocol: 1,
  machine: 'a machine',
  internalAddress: '10.0.0.1:3001',
  draining: false,
  load: { sockets: 0, rooms: 0, consumers: 0, full: false },
});

const enlisted = async (store: ClusterStore, name = 'north'): Promise<NodeRecord> => {
  const node = nodeRecord(name);
  expect(await store.enlist(node, plentyMs)).toBe('enlisted');
  return node;
};

const withStore = (
  test: (store: ClusterStore, parts: { connection: RedisConnection; prefix: string }) => Promise<void>,
) =>
  redis.withNodes(1, async (connections, prefix) => {
    const connection = given(connections);
    await test(createRedisClusterStore(connection), { connection, prefix });
  });

/** How many of these keys are kept for long after each of some beats, where none was before. */
const keptAtBeats = async (store: ClusterStore, node: NodeRecord, keys: readonly string[]): Promise<number[]> => {
  for (const key of keys) await redis.raw.pexpire(key, plentyMs);
  const counts: number[] = [];
  for (let beat = 0; beat < 7; beat += 1) {
    await store.beat(node);
    const remaining = await Promise.all(keys.map((key) => redis.raw.pttl(key)));
    counts.push(remaining.filter((remainingMs) => remainingMs > plentyMs).length);
  }
  return counts;
};

describe('nodes in Redis', () => {
  it('RE-5 of a cluster that vanished go by themselves, with what they held', async () => {
    await withStore(async (store, { prefix, connection }) => {
      const before = await redis.keys(prefix);
      const north = await enlisted(store);
      await store.beat(north);
      for (let index = 0; index < 5; index += 1)
        await store.hold(north.nodeId, { userId: newId(), sessionId: newId(), roomId: newId() });
      const south = await enlisted(store, 'south');
      await store.giveUp(south.nodeId, connection.clock.now() + plentyMs);
      const added = (await redis.keys(prefix)).filter((key) => !before.includes(key));
      // Three of the nodes, the sessions by their nodes, and each person's.
      expect(added).toHaveLength(4 + 5);
      for (const key of added) {
        const remainingMs = await redis.raw.pttl(key);
        expect(remainingMs).toBeGreaterThan(0);
        expect(remainingMs).toBeLessThanOrEqual(dayMs);
      }
    });
  });

  it('RE-5 leave nothing when they are forgotten', async () => {
    await withStore(async (store, { prefix, connection }) => {
      const before = await redis.keys(prefix);
      const [north, south] = [await enlisted(store), await enlisted(store, 'south')];
      for (const { nodeId } of [north, south])
        await store.hold(nodeId, { userId: newId(), sessionId: newId(), roomId: newId() });
      await store.giveUp(south.nodeId, connection.clock.now() + plentyMs);
      await store.forget(north.nodeId);
      await store.forget(south.nodeId);
      expect(await redis.keys(prefix)).toEqual(before);
    });
  });

  it('RE-5 keep what they hold for as long as they live, some of it at each beat', async () => {
    await withStore(async (store, { connection: { keys } }) => {
      const [north, south] = [await enlisted(store), await enlisted(store, 'south')];
      const userIds = Array.from({ length: 90 }, () => newId());
      for (const userId of userIds) await store.hold(north.nodeId, { userId, sessionId: newId(), roomId: null });
      const another = newId();
      await store.hold(south.nodeId, { userId: another, sessionId: newId(), roomId: null });
      const sessions = [...userIds, another].map((userId) => keys.sessions(userId).name);
      const expiring = [keys.nodes.name, keys.nodeStates.name, keys.nodeNames.name, keys.held.name, ...sessions];
      // Twice, so that it begins again at the first one when it is through.
      for (let round = 0; round < 2; round += 1) {
        const counts = await keptAtBeats(store, north, expiring);
        expect(counts.at(-1)).toBe(4 + 90);
        const steps = counts.map((count, index) => count - (counts[index - 1] ?? 4));
        expect(Math.max(...steps)).toBeLessThanOrEqual(20);
      }
    });
  });

  it('RE-3 are swept also where the keys of their people have expired', async () => {
    await withStore(async (store, { connection }) => {
      const north = await enlisted(store);
      const session = { userId: newId(), sessionId: newId(), roomId: newId() };
      await store.hold(north.nodeId, session);
      await redis.raw.del(connection.keys.sessions(session.userId).name);
      expect(await store.heldBy(north.nodeId, 10)).toEqual([{ ...session, roomId: null }]);
      expect(await store.release(north.nodeId, session)).toBe(true);
      expect(await store.heldBy(north.nodeId, 10)).toEqual([]);
    });
  });

  it('OP-2 keep what only the next version says of itself, and read past it', async () => {
    await withStore(async (store) => {
      const next = { ...nodeRecord('next'), region: 'eu' };
      expect(await store.enlist(next, plentyMs)).toBe('enlisted');
      expect(await store.nodes()).toMatchObject([next]);
    });
  });

  it('SE-4 are named where they hold what is not ours, and what they hold is not', async () => {
    await withStore(async (store, { connection: { keys } }) => {
      await redis.raw.hset(keys.nodes.name, 'foreign', '{"private":1}');
      await redis.raw.hset(keys.sessions('foreign').name, 'at foreign', 'private');
      await redis.raw.zadd(keys.held.name, 0, 'foreign private');
      for (const task of [
        () => store.nodes(),
        () => store.enlist(nodeRecord('north'), plentyMs),
        () => store.sessionsOf('foreign'),
        () => store.heldBy('foreign', 1),
      ]) {
        const failure: unknown = await task().catch((error: unknown) => error);
        expect(failure).toMatchObject({ name: 'CorruptState' });
        expect(String(failure)).not.toContain('private');
      }
    });
  });
});
