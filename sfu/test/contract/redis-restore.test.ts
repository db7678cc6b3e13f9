import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loseStrays } from '../../src/cluster/strays.ts';
import type { OutgoingViewEvent } from '../../src/rooms/ports.ts';
import type { RoomCommand } from '../../src/rules/room/commands.ts';
import { deadlinesOf } from '../../src/rules/room/deadlines.ts';
import { type RoomState, seatOf } from '../../src/rules/room/state.ts';
import { newId } from '../../src/runtime/ids.ts';
import { canonical } from '../../src/state/redis/json.ts';
import type { CommitResult, RoomCommit, RoomStore } from '../../src/state/room-store.ts';
import { people, smallLimits } from '../property/people.ts';
import { commandOf, type Step, steps } from '../property/steps.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { callOf, claimOf, entry, plenty, ticket } from './call-store.support.ts';
import { newRoom, nodeOn, openRoom, wholeRoom } from './redis-rooms.ts';
import { given } from './redis-support.ts';
import { type NodeOptions, type RestoringNode, startNode, TestBus } from './restore-nodes.ts';
import { inTime } from './suite-clock.ts';

let server: RedisServer;
let prefix: string;
let bus: TestBus;
let alive: RestoringNode[];
beforeEach(async () => {
  server = await startRedis();
  prefix = newId();
  bus = new TestBus();
  alive = [];
});
afterEach(async () => {
  await Promise.all(alive.map((node) => node.die()));
  await server.stop();
});

const start = async (nodeId: string, more: Partial<NodeOptions> = {}): Promise<RestoringNode> => {
  const node = await startNode({ url: server.url, prefix, nodeId, bus, ...more });
  alive.push(node);
  return node;
};

const engineOf = ({ rooms, redis }: RestoringNode) => nodeOn(rooms.watched, { clock: redis.clock }).engine;

const join = async (node: RestoringNode, roomId: string, index: number): Promise<void> => {
  const person = given(people, index);
  const [sessionId, nodeId] = [newId(), node.nodeId];
  const command = { type: 'join', person, sessionId, node: nodeId, bannedByHost: false } as const;
  expect((await engineOf(node).execute(roomId, command)).ok).toBe(true);
};

/** Waits until these nodes were restored this often. */
const restored = (nodes: readonly RestoringNode[], times: number): Promise<void> =>
  vi.waitFor(() => expect(nodes.map((node) => node.restored.length)).toEqual(nodes.map(() => times)), {
    timeout: 15_000,
    interval: 20,
  });

/** Lets everything arrive that nodes have told, and be read that they had missed. */
const settled = (): Promise<unknown> => delay(50);

/** A room with people of three nodes: the host at the first, a speaker and listeners at the others, one of them kicked. */
const openThree = async (nodes: readonly RestoringNode[]): Promise<string> => {
  const [one, two, three] = [given(nodes), given(nodes, 1), given(nodes, 2)];
  const room = newRoom(one.redis.clock.now());
  await openRoom(one.rooms.watched, room);
  const { roomId } = room.control;
  await join(one, roomId, 0);
  for (const index of [1, 2]) await join(two, roomId, index);
  for (const index of [3, 4, 5]) await join(three, roomId, index);
  const by = { userId: given(people).userId };
  const userId = given(people, 1).userId;
  await engineOf(one).execute(roomId, { type: 'promote', by, userId, role: 'moderator' });
  await engineOf(one).execute(roomId, { type: 'mute', by, userId, reason: null, locked: true });
  await engineOf(two).execute(roomId, { type: 'raise-hand', by: { userId: given(people, 2).userId } });
  const subject = given(people, 5);
  await engineOf(one).execute(roomId, { type: 'exclude', by, subject, ban: false, reason: null });
  await settled();
  return roomId;
};

describe('Redis comes back empty', () => {
  it('RE-4 MO-2 and three nodes fill it again: seats, roles, hands, mutes and kicks', async () => {
    const nodes = [await start('a'), await start('b'), await start('c')];
    const roomId = await openThree(nodes);
    const one = given(nodes);
    const before = await wholeRoom(one.rooms.watched, roomId);
    const due = await one.rooms.watched.due(inTime, 100);
    expect(before.control.hands).toHaveLength(1);
    expect([before.standings.size, before.audience.size]).toEqual([2, 3]);
    await server.restart();
    await restored(nodes, 1);
    for (const node of nodes) {
      expect(await wholeRoom(node.rooms.watched, roomId)).toEqual(before);
      expect(node.redis.ready()).toEqual({ ready: true });
    }
    expect(await one.rooms.watched.due(inTime, 100)).toEqual(due);
    expect((await one.cluster.nodes()).map(({ nodeId }) => nodeId)).toEqual(['a', 'b', 'c']);
    expect(nodes.flatMap((node) => node.restored)).toEqual(nodes.map(() => ({ late: false })));
    const [kicked, sessionId] = [given(people, 5), newId()];
    const back = { type: 'join', person: kicked, sessionId, node: 'a', bannedByHost: false } as const;
    expect(await engineOf(one).execute(roomId, back)).toMatchObject({ ok: false, refusal: { code: 'kicked' } });
  });

  it('RE-4 twice, the second time while it is being filled', async () => {
    const nodes = [await start('a'), await start('b'), await start('c')];
    const roomId = await openThree(nodes);
    const before = await wholeRoom(given(nodes).rooms.watched, roomId);
    await server.restart();
    await vi.waitFor(async () => expect((await given(nodes).redis.epochs.present())?.state).toBe('restoring'), {
      timeout: 15_000,
      interval: 5,
    });
    await server.restart();
    await restored(nodes, 1);
    expect(await wholeRoom(given(nodes, 1).rooms.watched, roomId)).toEqual(before);
    await server.restart();
    await restored(nodes, 2);
    expect(await wholeRoom(given(nodes, 2).rooms.watched, roomId)).toEqual(before);
  });

  it('RE-4 and a node that dies in the middle keeps nobody waiting', async () => {
    const writing = Promise.withResolvers<void>();
    const hanging = (store: RoomStore): RoomStore =>
      new Proxy(store, {
        get: (target, name: keyof RoomStore) => {
          if (name !== 'restore') return target[name].bind(target);
          return () => {
            writing.resolve();
            return new Promise(() => undefined);
          };
        },
      });
    const nodes = [await start('a'), await start('b'), await start('c', { restoreMs: 200 })];
    const roomId = await openThree(nodes);
    const before = await wholeRoom(given(nodes).rooms.watched, roomId);
    const dying = await startNode({ url: server.url, prefix, nodeId: 'd', bus, through: hanging });
    await join(dying, roomId, 6);
    await settled();
    await server.restart();
    await writing.promise;
    bus.leave('d');
    await dying.redis.close();
    await restored(nodes, 1);
    const after = await wholeRoom(given(nodes).rooms.watched, roomId);
    // The listener of the node that died is gone with it, and comes back by themselves.
    expect(after).toEqual(before);
  }, 30_000);

  it('RE-4 and a node that comes back later adds its own people', async () => {
    const [one, two] = [await start('a'), await start('b')];
    const late = await start('c', { restoreMs: 400 });
    const nodes = [one, two, late];
    const roomId = await openThree(nodes);
    const before = await wholeRoom(one.rooms.watched, roomId);
    const mine = newRoom(late.redis.clock.now());
    await openRoom(late.rooms.watched, mine);
    await join(late, mine.control.roomId, 7);
    // Its way to Redis is gone for as long as it takes.
    const away = holdBack(late);
    await server.restart();
    await restored([one, two], 1);
    const partly = await wholeRoom(one.rooms.watched, roomId);
    expect(partly.control).toEqual(before.control);
    expect([...partly.audience.keys()]).toEqual([given(people, 2).userId]);
    const [by, userId] = [{ userId: given(people).userId }, given(people, 2).userId];
    const promoted = await engineOf(one).execute(roomId, { type: 'accept-hand', by, userId });
    expect(promoted.ok).toBe(true);
    away();
    await restored([late], 1);
    expect(late.restored).toEqual([{ late: true }]);
    const whole = await wholeRoom(late.rooms.watched, roomId);
    expect([...whole.audience.keys()].toSorted()).toEqual(
      [3, 4].map((index) => given(people, index).userId).toSorted(),
    );
    expect(whole.control.stage.map((it) => it.userId)).toContain(userId);
    expect(whole.standings).toEqual(before.standings);
    expect(seatOf(await wholeRoom(one.rooms.watched, mine.control.roomId), given(people, 7).userId)?.node).toBe('c');
    // And what it holds is what there is: it can be emptied again.
    const now = await wholeRoom(one.rooms.watched, roomId);
    await server.restart();
    await vi.waitFor(() => expect(nodes.map((node) => node.restored.length)).toEqual([2, 2, 2]), { timeout: 15_000 });
    expect(await wholeRoom(two.rooms.watched, roomId)).toEqual(now);
  }, 30_000);

  it('RE-4 RQ-5 and nobody is lost from the queue and from calls, or in both', async () => {
    const nodes = [await start('a'), await start('b')];
    const [one, two] = [given(nodes), given(nodes, 1)];
    const at = (node: RestoringNode, index: number) => {
      const of = ticket({ queuedAt: node.redis.clock.now() + index });
      return { ...of, seeker: { ...of.seeker, node: node.nodeId } };
    };
    const tickets = [one, two, one, two].map(at);
    for (const of of tickets) {
      const node = of.seeker.node === 'a' ? one : two;
      expect(await node.calls.watched.enqueue(entry(of), { most: plenty, expiresAt: inTime })).toMatchObject({
        outcome: 'enqueued',
      });
    }
    const pair = [given(tickets), given(tickets, 1)] as const;
    const [first, second] = await Promise.all(pair.map((of) => one.calls.watched.ticketOf(of.seeker.userId)));
    if (!first || !second) throw new Error('both wait');
    const call = callOf(first.ticket, second.ticket);
    expect(await one.calls.watched.claim(claimOf(first, second, { call }))).toBe('claimed');
    await settled();
    await server.restart();
    await restored(nodes, 1);
    for (const node of nodes) {
      expect(await node.calls.watched.load(call.callId)).toEqual({ call, version: 1 });
      expect(await node.calls.watched.counts()).toEqual({ waiting: 2, calls: 1 });
      expect((await node.calls.watched.waiting('voice', { most: 9 })).map((it) => it.ticket)).toEqual(tickets.slice(2));
    }
  });

  it('RE-3 RE-4 and people of a node that died meanwhile go into their grace', async () => {
    const settling = Promise.withResolvers<void>();
    const [one, two] = [await start('a', { settled: settling.resolve }), await start('b')];
    const dead = await startNode({ url: server.url, prefix, nodeId: 'c', bus });
    const roomId = await openThree([one, two, dead]);
    const [by, userId] = [{ userId: given(people).userId }, given(people, 3).userId];
    await engineOf(one).execute(roomId, { type: 'promote', by, userId, role: 'moderator' });
    await settled();
    await dead.die();
    await server.restart();
    await restored([one, two], 1);
    const lost: string[] = [];
    const loseSeat = (inRoom: string, ofUser: string, sessionId: string, node: string) => {
      lost.push(ofUser);
      return engineOf(one).execute(inRoom, { type: 'lose-connection', userId: ofUser, sessionId, node });
    };
    const ports = { loseSeat, loseCall: async () => undefined };
    await settling.promise;
    await loseStrays({ cluster: one.cluster, rooms: one.rooms, calls: one.calls, ports });
    expect(lost).toEqual([userId]);
    const { stage } = (await wholeRoom(two.rooms.watched, roomId)).control;
    expect(stage.map((it) => [it.userId, it.awaySince !== null])).toEqual(
      [0, 1, 3].map((index) => [given(people, index).userId, index === 3]),
    );
    await loseStrays({ cluster: one.cluster, rooms: one.rooms, calls: one.calls, ports });
    expect(lost).toEqual([userId]);
  });

  it('RE-4 and it opens for a node that starts meanwhile only when it is filled', async () => {
    const nodes = [await start('a'), await start('b'), await start('c')];
    const roomId = await openThree(nodes);
    const before = await wholeRoom(given(nodes).rooms.watched, roomId);
    await server.restart();
    await vi.waitFor(async () => expect(await given(nodes).redis.epochs.present()).toBeDefined(), {
      timeout: 15_000,
      interval: 5,
    });
    const fresh = await start('d');
    expect(await wholeRoom(fresh.rooms.watched, roomId)).toEqual(before);
  });
});

/** Keeps this node from noticing that there is another epoch, as if it could not reach Redis. Answers how to let it. */
const holdBack = ({ redis }: RestoringNode): (() => void) => {
  const held = Promise.withResolvers<void>();
  const present = redis.epochs.present.bind(redis.epochs);
  vi.spyOn(redis.epochs, 'present').mockImplementation(async () => {
    await held.promise;
    return present();
  });
  return () => held.resolve();
};

type Committed = { readonly commit: RoomCommit; readonly version: number };

/** A store that keeps what was committed through it. */
const recorded =
  (committed: Committed[]) =>
  (store: RoomStore): RoomStore =>
    new Proxy(store, {
      get: (target, name: keyof RoomStore) => {
        if (name !== 'commit') return target[name].bind(target);
        return async (commit: RoomCommit): Promise<CommitResult> => {
          const result = await target.commit(commit);
          if (result.outcome === 'committed') committed.push({ commit, version: result.version });
          return result;
        };
      },
    });

/** What is left of all that was committed: each value was written once more than it was replaced. */
const left = (committed: readonly Committed[], map: 'audience' | 'standings'): string[] => {
  const times = new Map<string, number>();
  const count = (key: string, value: object | undefined, by: number): void => {
    if (!value) return;
    const name = `${key} ${canonical(value)}`;
    times.set(name, (times.get(name) ?? 0) + by);
  };
  for (const { commit } of committed)
    for (const key of new Set([...commit.before[map].keys(), ...commit.after[map].keys()])) {
      if (commit.before[map].get(key) === commit.after[map].get(key)) continue;
      count(key, commit.before[map].get(key), -1);
      count(key, commit.after[map].get(key), 1);
    }
  return [...times].flatMap(([name, number]) => (number > 0 ? [name] : [])).toSorted();
};

const named = (values: ReadonlyMap<string, object>): string[] =>
  [...values].map(([key, value]) => `${key} ${canonical(value)}`).toSorted();

describe('rooms at random', () => {
  it('RE-4 RE-1 are after a Redis that was emptied what was committed before', async () => {
    const committed: Committed[] = [];
    const through = recorded(committed);
    const ids = ['node 0', 'node 1', 'node 2'];
    const nodes: RestoringNode[] = [];
    for (const nodeId of ids) nodes.push(await start(nodeId, { restoreMs: 150, through }));
    let [times, kept] = [0, 0];
    for (let seed = 1; seed <= 12; seed += 1) {
      committed.length = 0;
      const told: OutgoingViewEvent[] = [];
      const engines = nodes.map(
        ({ rooms, redis }) =>
          nodeOn(rooms.watched, { clock: redis.clock, tells: (events) => void told.push(...events) }).engine,
      );
      const one = given(nodes);
      const room = newRoom(one.redis.clock.now());
      const { roomId } = room.control;
      await openRoom(one.rooms.watched, room);
      const waiting = fc.sample(steps(100), { seed, numRuns: 6 }).flat().slice(0, 180);
      for (let round = 0; round < 2; round += 1) {
        let stop = false;
        const client = async (): Promise<void> => {
          for (let step = waiting.pop(); step && !stop; step = waiting.pop()) await act(step);
        };
        const act = async (step: Step): Promise<void> => {
          const state = await wholeRoom(one.rooms.watched, roomId).catch(() => undefined);
          if (!state) return;
          const command = atNode(commandOf(step, state), ids[(step.who + step.device) % 3] ?? '');
          await engines[ids.indexOf(nodeFor(command, state) ?? '')]?.execute(roomId, command);
        };
        const playing = Promise.all([client(), client(), client()]);
        await delay(20 + 7 * seed);
        await flush();
        stop = true;
        await playing;
        times += 1;
        // Whoever asks notices; nodes ask ten times a second what is due.
        await Promise.allSettled(nodes.map((node) => node.rooms.watched.due(0, 1)));
        await restored(nodes, times);
        const last = committed.toSorted((one_, other) => other.version - one_.version)[0];
        const control = last?.commit.after.control ?? room.control;
        if (control.status === 'ended') {
          expect(await one.rooms.watched.load(roomId, () => ({ users: [], standings: [] }))).toBeUndefined();
          break;
        }
        const found = await wholeRoom(one.rooms.watched, roomId);
        expect(found.control).toEqual(control);
        expect(named(found.audience)).toEqual(left(committed, 'audience'));
        expect(named(found.standings)).toEqual(left(committed, 'standings'));
        kept += found.audience.size + found.standings.size + found.control.stage.length;
        await checkBeside(one.rooms.watched, found, told);
      }
      await one.rooms.watched.remove(roomId);
    }
    expect(kept).toBeGreaterThan(100);
  }, 120_000);
});

const flush = async (): Promise<void> => {
  const raw = new Redis(server.url);
  await raw.flushall();
  raw.disconnect();
};

/** Whoever comes comes to one of three nodes. */
const atNode = (command: RoomCommand, node: string): RoomCommand =>
  command.type === 'join' ? { ...command, node } : command;

/** Where it is carried out: at the node that is told of it, which is that of whoever acts. */
const nodeFor = (command: RoomCommand, state: RoomState): string | undefined => {
  if ('node' in command) return command.node;
  const userId = 'by' in command ? command.by.userId : undefined;
  return (userId === undefined ? undefined : seatOf(state, userId)?.node) ?? 'node 0';
};

/** What is due is due as before, and nobody hears a number twice. */
const checkBeside = async (store: RoomStore, state: RoomState, told: readonly OutgoingViewEvent[]): Promise<void> => {
  const { roomId } = state.control;
  const due = await store.due(inTime, 1000);
  const times = new Map(due.flatMap((it) => (it.roomId === roomId ? [[it.key, it.at]] : [])));
  for (const [key, at] of deadlinesOf(state, smallLimits)) expect([key, times.get(key)]).toEqual([key, at]);
  const snapshot = await store.snapshot(roomId, { most: 0, userIds: [] });
  for (const { view, payload } of told)
    if (view !== 'self') expect(snapshot?.sequences[view]).toBeGreaterThan(payload.sequence);
};
