import { describe, expect, it } from 'vitest';
import { newId } from '../../src/runtime/ids.ts';
import { createRedisCallStore } from '../../src/state/redis/redis-call-store.ts';
import { createRedisRoomStore } from '../../src/state/redis/redis-room-store.ts';
import { people } from '../property/people.ts';
import { entry, ticket } from './call-store.support.ts';
import { newRoom, nodeOn, openRoom, userIds, wholeRoom } from './redis-rooms.ts';
import { given, redisForTests } from './redis-support.ts';
import { inTime } from './suite-clock.ts';

const redis = redisForTests();

describe('keys in Redis', () => {
  it('OP-4 of two services do not meet', async () => {
    await redis.withNodes(1, async (ones) => {
      await redis.withNodes(1, async (others, prefix) => {
        const [one, other] = [given(ones), given(others)];
        const [rooms, otherRooms] = [createRedisRoomStore(one), createRedisRoomStore(other)];
        const { roomId } = await openRoom(rooms, newRoom(one.clock.now()));
        await createRedisCallStore(one).enqueue(entry(ticket()), { most: 1, expiresAt: inTime });
        expect(await otherRooms.load(roomId, () => ({ users: [], standings: [] }))).toBeUndefined();
        expect(await otherRooms.list({ limit: 10, only: () => true })).toEqual([]);
        expect(await otherRooms.count()).toBe(0);
        expect(await otherRooms.due(inTime, 10)).toEqual([]);
        expect(await createRedisCallStore(other).counts()).toEqual({ waiting: 0, calls: 0 });
        await otherRooms.remove(roomId);
        expect(await rooms.count()).toBe(1);
        expect(await redis.keys(prefix)).toEqual([]);
      });
    });
  });

  it('RE-5 of a room that ended go by themselves, with what was due and where it was listed', async () => {
    await redis.withNodes(1, async (connections, prefix) => {
      const { clock, keys } = given(connections);
      const store = createRedisRoomStore(given(connections));
      const { engine } = nodeOn(store, { clock });
      const { roomId } = await openRoom(store, newRoom(clock.now()));
      const by = { userId: given(userIds) };
      const [away, subject] = [given(people, 4), given(people, 5)];
      for (const person of people.slice(0, 6)) {
        await engine.execute(roomId, { type: 'join', person, sessionId: newId(), node: 'a node', bannedByHost: false });
        await engine.execute(roomId, { type: 'raise-hand', by: person });
      }
      const seat = given([(await wholeRoom(store, roomId)).audience.get(away.userId)]);
      const { userId, sessionId, node } = seat;
      await engine.execute(roomId, { type: 'lose-connection', userId, sessionId, node });
      await engine.execute(roomId, { type: 'exclude', by, subject, ban: false, reason: null });
      expect((await store.due(inTime, 100)).map(({ key }) => key)).toContain(`seat:${away.userId}`);
      expect((await redis.lastingKeys(prefix)).length).toBeGreaterThan(5);

      expect((await engine.execute(roomId, { type: 'end', by })).ok).toBe(true);
      expect(await redis.lastingKeys(prefix)).toEqual([]);
      expect(await redis.keys(prefix)).toContain(keys.room(roomId).audience.name);
      expect(await store.due(inTime, 100)).toEqual([]);
      expect(await store.count()).toBe(0);
      expect((await wholeRoom(store, roomId)).control.status).toBe('ended');
      await store.remove(roomId);
      expect(await redis.keys(prefix)).toEqual([]);
    });
  });

  it('SE-4 are named where they hold what is not ours, and what they hold is not', async () => {
    await redis.withNodes(1, async (connections) => {
      const { keys } = given(connections);
      const [rooms, calls] = [createRedisRoomStore(given(connections)), createRedisCallStore(given(connections))];
      const { raw } = redis;
      await raw.hset(keys.room('foreign').head.name, { control: '{"private":1}', stamp: 'x', version: '1' });
      await raw.hset(keys.person('foreign').name, { at: 'home', id: 'private' });
      await raw.hset(keys.call('foreign').name, { call: 'private', version: '1' });
      await raw.set(keys.history('foreign').name, '[]');
      await raw.zadd(keys.roomDeadlines.name, 1, 'private');
      await raw.zadd(keys.callDeadlines.name, 1, 'private');
      await raw.zadd(keys.present('voice').name, 1, 'private');
      for (const task of [
        () => rooms.load('foreign', () => ({ users: [], standings: [] })),
        () => rooms.snapshot('foreign', { most: 1, userIds: [] }),
        () => rooms.due(inTime, 1),
        () => calls.placeOf('foreign'),
        () => calls.load('foreign'),
        () => calls.historyOf('foreign'),
        () => calls.due(inTime, 1),
        () => calls.waiting('voice', { most: 1 }),
      ]) {
        const failure: unknown = await task().catch((error: unknown) => error);
        expect(failure).toMatchObject({ name: 'CorruptState' });
        expect(String(failure)).not.toContain('private');
      }
    });
  });

  it('OP-2 of deadlines that only the next version knows are left to it', async () => {
    await redis.withNodes(1, async (connections) => {
      const { keys } = given(connections);
      await redis.raw.zadd(keys.roomDeadlines.name, 1, 'room of-the-next-version', 2, 'room end');
      await redis.raw.zadd(keys.callDeadlines.name, 1, 'call id of-the-next-version', 2, 'call id idle');
      const [rooms, calls] = [createRedisRoomStore(given(connections)), createRedisCallStore(given(connections))];
      expect(await rooms.due(inTime, 10)).toEqual([{ roomId: 'room', key: 'end', at: 2 }]);
      expect(await calls.due(inTime, 10)).toEqual([{ of: 'call', callId: 'id', key: 'idle', at: 2 }]);
    });
  });
});
