import { setTimeout as delay } from 'node:timers/promises';
import { defaultLimits } from '@rostrum/shared/limits.ts';
import { createRoomSchema } from '@rostrum/shared/protocol/room.ts';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { deadlinesOf } from '../../src/rules/room/deadlines.ts';
import { evolve, openedRoom } from '../../src/rules/room/evolve.ts';
import type { RoomState, Seat } from '../../src/rules/room/state.ts';
import { newId } from '../../src/runtime/ids.ts';
import type { CallStore } from '../../src/state/call-store.ts';
import type { RedisConnection } from '../../src/state/redis/connection.ts';
import { createRedisCallStore } from '../../src/state/redis/redis-call-store.ts';
import { createRedisRoomStore } from '../../src/state/redis/redis-room-store.ts';
import { Transaction } from '../../src/state/redis/transaction.ts';
import { type RoomStore, StateUnavailable } from '../../src/state/room-store.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { callOf, claimOf, commitOf, endedCall, entry, historyWith, plenty, ticket } from './call-store.support.ts';
import { connect, openAnew } from './redis-support.ts';
import { inTime } from './suite-clock.ts';

/** How long these tests wait for an answer, which is as long as servers do, */
const answerMs = 1000;
/** and where they wait for it many times. */
const shortMs = 400;

let server: RedisServer;
let redis: RedisConnection;
let rooms: RoomStore;
let calls: CallStore;
beforeEach(async () => {
  server = await startRedis();
  redis = await connect(server, { answerMs });
  rooms = createRedisRoomStore(redis);
  calls = createRedisCallStore(redis);
});
afterEach(async () => {
  server.thaw();
  await redis.close();
  await server.stop();
});

const seat = (userId: string): Seat => ({
  userId,
  displayName: 'Somebody',
  kind: 'guest',
  role: 'listener',
  joinedAt: redis.clock.now(),
  sessionId: newId(),
  node: 'a node',
  awaySince: null,
  stageSince: null,
  producerId: null,
  producerNode: null,
  mute: null,
});

const createRoom = async (): Promise<RoomState> => {
  const [roomId, hostId, at] = [newId(), newId(), redis.clock.now()];
  const settings = createRoomSchema.parse({ title: 'A room' });
  const room = openedRoom({ type: 'opened', at, roomId, hostId, settings, endsAt: at + 60_000 });
  await rooms.create(room, deadlinesOf(room, defaultLimits));
  return room;
};

/** Joins as a listener, with what was loaded before. */
const join = (before: RoomState, userId: string, expiresAt = redis.clock.now() + 60_000, store = rooms) =>
  store.commit({
    roomId: before.control.roomId,
    version: 1,
    before,
    after: {
      ...evolve(before, { type: 'joined', at: redis.clock.now(), seat: seat(userId) }),
      control: before.control,
    },
    guards: {},
    advance: { room: 1, stage: 0, staff: 0, self: new Map() },
    deadlines: { set: new Map(), clear: [] },
    expiresAt,
  });

const reason = async (task: Promise<unknown>): Promise<unknown> => {
  try {
    return await task;
  } catch (error) {
    return error;
  }
};

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** Asks until Redis answers again. */
const eventually = <Value>(task: () => Promise<Value>): Promise<Value> =>
  vi.waitFor(task, { timeout: 15_000, interval: 20 });

const recovered = (): Promise<void> =>
  vi.waitFor(() => expect(redis.ready()).toEqual({ ready: true }), { timeout: 15_000, interval: 20 });

const isInside = async (room: RoomState, userId: string): Promise<boolean> => {
  const loaded = await eventually(() => rooms.load(room.control.roomId, () => ({ users: [userId], standings: [] })));
  return loaded?.state.audience.has(userId) ?? false;
};

describe('Redis away', () => {
  it('RE-4 answers every command while Redis hangs, and does none of them later', async () => {
    const room = await createRoom();
    const [ana, ben] = [ticket(), ticket()];
    for (const it of [ana, ben]) await calls.enqueue(entry(it), { most: plenty, expiresAt: inTime });
    const [one, other] = [await calls.ticketOf(ana.seeker.userId), await calls.ticketOf(ben.seeker.userId)];
    if (!one || !other) throw new Error('both wait');
    const newcomer = ticket();
    const expiresAt = redis.clock.now() + 60_000;
    const removed = await createRoom();

    server.freeze();
    const answers = await Promise.all(
      [
        ...Array.from({ length: 20 }, () => join(room, newId())),
        join(room, newId(), redis.clock.now() + 10),
        rooms.create(room, new Map()),
        rooms.remove(removed.control.roomId),
        rooms.clearDeadline({ roomId: room.control.roomId, key: 'end', at: room.control.endsAt }),
        calls.enqueue(entry(newcomer), { most: plenty, expiresAt }),
        calls.updateTicket(one, entry({ ...ana, front: true }), { expiresAt }),
        calls.removeTicket(ana.seeker.userId, ana.ticketId),
        calls.claim(claimOf(one, other, { expiresAt })),
        rooms.load(room.control.roomId, () => ({ users: [], standings: [] })),
        rooms.count(),
        calls.counts(),
      ].map(reason),
    );
    // All this while it hung.
    for (const answer of answers) expect(answer).toBeInstanceOf(StateUnavailable);
    expect(redis.ready()).toEqual({ ready: false, why: 'Redis does not answer' });
    server.thaw();

    await recovered();
    const loaded = await rooms.load(room.control.roomId, () => ({ users: [], standings: [] }));
    expect(loaded).toEqual({ version: 1, state: room });
    await delay(answerMs);
    expect(await rooms.load(room.control.roomId, () => ({ users: [], standings: [] }))).toEqual(loaded);
    expect(await rooms.count()).toBe(2);
    expect((await rooms.due(room.control.endsAt, 100)).map(({ key }) => key)).toContain('end');
    expect(await calls.counts()).toEqual({ waiting: 2, calls: 0 });
    expect(await calls.ticketOf(ana.seeker.userId)).toEqual(one);
    expect(await calls.placeOf(newcomer.seeker.userId)).toEqual({ at: 'nowhere' });
    expect((await join(room, newId())).outcome).toBe('committed');
  });

  it('RE-4 never does what it answered `unavailable` for, whenever Redis goes on', async () => {
    const room = await createRoom();
    const impatient = await connect(server, { prefix: redis.keys.prefix, answerMs: shortMs });
    const store = createRedisRoomStore(impatient);
    const outcomes = new Map<string, boolean>();
    let answeredWhileHanging = 0;
    for (let round = 0; round < 12; round += 1) {
      await eventually(() => Promise.all([store.count(), rooms.count()]));
      server.freeze();
      let hangs = true;
      // Until it really does: it may be in the middle of something.
      await delay(30);
      const thawed = delay((shortMs * (round + 1)) / 7).then(() => {
        hangs = false;
        server.thaw();
      });
      // Some are sent early, and some when Redis goes on in a moment.
      const sent = Array.from({ length: 15 }, async (_, index) => {
        await delay(index * 25);
        const userId = newId();
        const hungBefore = hangs;
        const answer = await reason(join(room, userId, inTime, store));
        if (answer instanceof StateUnavailable) {
          // What was sent and answered while it hung can only have happened after the answer.
          const isLater = hungBefore && hangs;
          if (isLater) answeredWhileHanging += 1;
          outcomes.set(userId, !isLater && (await isInside(room, userId)));
          return;
        }
        const outcome = isRecord(answer) ? answer['outcome'] : answer;
        expect(['committed', 'expired']).toContain(outcome);
        outcomes.set(userId, outcome === 'committed');
      });
      await Promise.all([...sent, thawed]);
    }
    await delay(2 * shortMs);
    for (const [userId, wasInside] of outcomes) expect(await isInside(room, userId)).toBe(wasInside);
    expect(outcomes.size).toBe(180);
    expect(answeredWhileHanging).toBeGreaterThan(0);
    await impatient.close();
  }, 60_000);

  it('RE-4 never does later what was under way when the connection broke', async () => {
    const room = await createRoom();
    const raw = new Redis(server.url);
    const userIds = Array.from({ length: 200 }, () => newId());
    const sent = userIds.map((userId) => reason(join(room, userId)));
    await raw.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    const answers = await Promise.all(sent);
    const inside = await Promise.all(userIds.map((userId) => isInside(room, userId)));
    await delay(answerMs);
    expect(await Promise.all(userIds.map((userId) => isInside(room, userId)))).toEqual(inside);
    for (const [index, answer] of answers.entries())
      if (!(answer instanceof StateUnavailable))
        expect([answer, inside[index]]).toMatchObject([{ outcome: 'committed' }, true]);
    raw.disconnect();
  });

  it('RE-4 notices a Redis that hangs, and one that goes on, without being asked', async () => {
    server.freeze();
    await vi.waitFor(() => expect(redis.ready().ready).toBe(false), { timeout: 15_000 });
    server.thaw();
    await recovered();
  });

  it('RE-5 lets no more than ten thousand wait, and answers the others at once', async () => {
    server.freeze();
    const transaction = new Transaction();
    transaction.step('SCARD', redis.keys.calls);
    const waiting = Array.from({ length: 10_000 }, () => reason(redis.read(transaction)));
    const answers: unknown[] = [];
    for (let index = 0; index < 50; index += 1) answers.push(await reason(redis.read(transaction)));
    for (const answer of answers) expect(String(answer)).toContain('too much waits');
    for (const answer of await Promise.all(waiting)) expect(answer).toBeInstanceOf(StateUnavailable);
  });

  it('RE-4 answers nothing from a Redis that comes back empty, until it is filled', async () => {
    const room = await createRoom();
    const { roomId } = room.control;
    const nothing = (): { users: string[]; standings: string[] } => ({ users: [], standings: [] });
    expect((await join(room, newId())).outcome).toBe('committed');
    const ana = ticket();
    await calls.enqueue(entry(ana, [['wait', 1]]), { most: plenty, expiresAt: inTime });
    let lost = 0;
    redis.epochs.onLost(() => {
      lost += 1;
    });
    await server.restart();
    // Without anybody asking, and once.
    await vi.waitFor(() => expect(lost).toBe(1), { timeout: 15_000 });
    const call = callOf(ana, ticket());
    const end = commitOf(
      { call, version: 1 },
      { after: endedCall(call), histories: new Map([['ana', historyWith('ben')]]) },
    );
    const empty = 'Redis came back empty and is being filled';
    for (const task of [
      () => rooms.load(roomId, nothing),
      () => rooms.snapshot(roomId, { most: 10, userIds: [] }),
      () => rooms.audiencePage(roomId, { offset: 0, limit: 10 }),
      () => rooms.list({ limit: 10, only: () => true }),
      () => rooms.count(),
      () => rooms.due(inTime, 10),
      () => rooms.create(room, new Map()),
      () => join(room, newId()),
      () => calls.ticketOf(ana.seeker.userId),
      () => calls.waiting('voice', { most: 10 }),
      () => calls.counts(),
      () => calls.due(inTime, 10),
      () => calls.load(call.callId),
      () => calls.commit(end),
    ]) {
      const answer = await reason(task());
      expect(answer).toBeInstanceOf(StateUnavailable);
      expect(String(answer)).toContain(empty);
    }
    expect(redis.ready()).toEqual({ ready: false, why: empty });
    expect(lost).toBe(1);

    await openAnew(redis);
    expect(redis.ready()).toEqual({ ready: true });
    expect(await rooms.load(roomId, nothing)).toBeUndefined();
    expect(await calls.counts()).toEqual({ waiting: 0, calls: 0 });
    await rooms.create(room, deadlinesOf(room, defaultLimits));
    expect((await join(room, newId())).outcome).toBe('committed');
  });

  it('RE-4 notices a Redis that was emptied under its hands at the next question', async () => {
    const room = await createRoom();
    let lost = 0;
    redis.epochs.onLost(() => {
      lost += 1;
    });
    const raw = new Redis(server.url);
    await raw.flushall();
    const answers = await Promise.all([join(room, newId()), rooms.count(), calls.counts()].map(reason));
    for (const answer of answers) expect(answer).toBeInstanceOf(StateUnavailable);
    expect(lost).toBe(1);
    expect(await raw.dbsize()).toBe(0);
    raw.disconnect();
  });

  it('RE-1 takes nothing of what it knew where Redis came back with another state of the same version', async () => {
    const room = await createRoom();
    const { roomId } = room.control;
    const nothing = (): { users: string[]; standings: string[] } => ({ users: [], standings: [] });
    const known = await rooms.load(roomId, nothing);
    await server.restart();
    const other: RoomState = { ...room, control: { ...room.control, moderators: [newId()] } };
    await openAnew(redis);
    await createRedisRoomStore(redis).create(other, new Map());
    expect(known?.version).toBe(1);
    expect(await rooms.load(roomId, nothing)).toEqual({ version: 1, state: other });
  });

  it.each([
    ['has become a replica', ['REPLICAOF', '127.0.0.1', '1'], 'Redis has become a replica'],
    ['has no memory left', ['CONFIG', 'SET', 'maxmemory', '1'], 'Redis has no memory left'],
    ['cannot replicate', ['CONFIG', 'SET', 'min-replicas-to-write', '1'], 'Redis has fewer replicas than it should'],
  ])(
    'RE-4 OP-1 is unavailable and not ready, with the reason, where Redis %s',
    async (_, [command = '', ...words], why) => {
      const room = await createRoom();
      const raw = new Redis(server.url);
      await raw.call(command, ...words);
      expect(await reason(join(room, newId()))).toBeInstanceOf(StateUnavailable);
      expect(redis.ready()).toEqual({ ready: false, why });
      raw.disconnect();
    },
  );

  it('throws what is a fault of ours as it is', async () => {
    const transaction = new Transaction();
    transaction.step('HSET', redis.keys.person('ana'), 'a field without a value');
    const failure = await reason(redis.write(transaction));
    expect(failure).not.toBeInstanceOf(StateUnavailable);
    expect(String(failure)).toMatch(/wrong number of arg/i);
    expect(redis.ready()).toEqual({ ready: true });
  });
});
