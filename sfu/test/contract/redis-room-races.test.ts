import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutgoingViewEvent } from '../../src/rooms/ports.ts';
import type { RoomControl, RoomState } from '../../src/rules/room/state.ts';
import { newId } from '../../src/runtime/ids.ts';
import { createMemoryRoomStore } from '../../src/state/memory/memory-room-store.ts';
import type { RedisConnection } from '../../src/state/redis/connection.ts';
import { canonical } from '../../src/state/redis/json.ts';
import { createRedisRoomStore } from '../../src/state/redis/redis-room-store.ts';
import { type DueDeadline, type RoomCommit, type RoomStore, StateUnavailable } from '../../src/state/room-store.ts';
import { commandOf, type Step, steps } from '../property/steps.ts';
import { newRoom, nodeOn, openRoom, type RoomNode, userIds, wholeRoom } from './redis-rooms.ts';
import { given, redisForTests } from './redis-support.ts';
import { movedClock } from './suite-clock.ts';

const redis = redisForTests();

const sampleSteps = (seed: number, count: number): Step[] =>
  fc
    .sample(steps(100), { seed, numRuns: Math.ceil(count / 20) })
    .flat()
    .slice(0, count);

type Committed = { readonly version: number; readonly commit: RoomCommit };

/** A store that keeps what was committed through it. */
const recorded = (store: RoomStore, committed: Committed[]): RoomStore =>
  new Proxy(store, {
    get: (target, name: keyof RoomStore) => {
      if (name !== 'commit') return target[name].bind(target);
      return async (commit: RoomCommit) => {
        const result = await target.commit(commit);
        if (result.outcome === 'committed') committed.push({ version: result.version, commit });
        return result;
      };
    },
  });

/** Each control record follows from the one before, and none was written over. */
const checkChain = (opened: RoomControl, committed: readonly Committed[], last: RoomControl): void => {
  const changes = committed.filter(({ commit }) => commit.before.control !== commit.after.control);
  const chain = changes.toSorted((one, other) => one.version - other.version);
  expect(chain.map(({ version }) => version)).toEqual(chain.map((_, index) => index + 2));
  let present = opened;
  for (const { commit } of chain) {
    expect(commit.before.control).toEqual(present);
    present = commit.after.control;
  }
  expect(last).toEqual(present);
};

/** How often each value was written, less how often it was replaced. */
class Balance {
  readonly #times = new Map<string, number>();

  count(key: string, value: object | undefined, by: 1 | -1): void {
    if (!value) return;
    const name = `${key} ${canonical(value)}`;
    this.#times.set(name, (this.#times.get(name) ?? 0) + by);
  }

  get rest(): [string, number][] {
    return [...this.#times].filter(([, times]) => times !== 0);
  }
}

/** Every seat and standing was changed from what somebody had left behind, and is now what somebody left behind last. */
const checkEntries = (committed: readonly Committed[], last: RoomState, map: 'audience' | 'standings'): void => {
  const balance = new Balance();
  for (const { commit } of committed) {
    const [before, after] = [commit.before[map], commit.after[map]];
    for (const key of new Set([...before.keys(), ...after.keys()])) {
      balance.count(key, before.get(key), -1);
      balance.count(key, after.get(key), 1);
    }
  }
  for (const [key, value] of last[map]) balance.count(key, value, -1);
  expect(balance.rest).toEqual([]);
};

/** The views of everybody, stage and staff are numbered without gaps, and no number was given twice. */
const checkSequences = (
  told: readonly OutgoingViewEvent[],
  last: Readonly<Record<'room' | 'stage' | 'staff', number>>,
): void => {
  for (const view of ['room', 'stage', 'staff'] as const) {
    const numbers = told.flatMap((event) => (event.view === view ? [event.payload.sequence] : []));
    expect(numbers.toSorted((one, other) => one - other)).toEqual(numbers.map((_, index) => index + 1));
    expect(last[view]).toBe(numbers.length);
  }
};

/** A room knows its own deadlines, and no others. */
const checkDeadlines = async ({ keys }: RedisConnection, roomId: string): Promise<void> => {
  const listed = await redis.raw.zrange(keys.roomDeadlines.name, '0', '-1');
  const known = await redis.raw.smembers(keys.room(roomId).deadlines.name);
  expect(known.toSorted()).toEqual(listed.filter((member) => member.startsWith(roomId)).toSorted());
};

type Round = { readonly seed: number; readonly count: number };

/** Plays one room on all nodes at once, three clients on each, and looks at what became of it. Answers how many commits and refusals. */
const playRoom = async (
  connections: readonly RedisConnection[],
  { seed, count }: Round,
): Promise<{ commits: number; refused: number }> => {
  const committed: Committed[] = [];
  const told: OutgoingViewEvent[] = [];
  const tells = (events: readonly OutgoingViewEvent[]): void => {
    told.push(...events);
  };
  const nodes = connections.map((connection) =>
    nodeOn(recorded(createRedisRoomStore(connection), committed), { clock: connection.clock, tells }),
  );
  const { store } = given(nodes);
  const opened = await openRoom(store, newRoom(given(connections).clock.now()));
  const { roomId } = opened;
  const waiting = sampleSteps(seed, count);
  let refused = 0;
  const client = async (node: RoomNode): Promise<void> => {
    for (let step = waiting.pop(); step; step = waiting.pop()) {
      const result = await node.engine.execute(roomId, commandOf(step, await wholeRoom(node.store, roomId)));
      if (!result.ok && result.refusal.code === 'unavailable') refused += 1;
    }
  };
  await Promise.all(nodes.flatMap((node) => [client(node), client(node), client(node)]));
  const last = await wholeRoom(store, roomId);
  const snapshot = given([await store.snapshot(roomId, { most: 100, userIds })]);
  checkChain(opened, committed, last.control);
  checkEntries(committed, last, 'audience');
  checkEntries(committed, last, 'standings');
  checkSequences(told, snapshot.sequences);
  await checkDeadlines(given(connections), roomId);
  for (const node of nodes) expect(await wholeRoom(node.store, roomId)).toEqual(last);
  const listed = snapshot.listed.map(({ userId }) => userId);
  expect(listed.toSorted()).toEqual([...last.audience.keys()].toSorted());
  expect(last.audienceSize).toBe(listed.length);
  await store.remove(roomId);
  return { commits: committed.length, refused };
};

/** Ids that are the same on each node. */
const countedIds = (): (() => string) => {
  let ids = 0;
  return () => {
    ids += 1;
    return `entry ${ids}`;
  };
};

/** Plays one room in memory and on Redis, with the same commands, and looks whether anything differs. */
const playBoth = async (connection: RedisConnection, seed: number): Promise<void> => {
  const clock = movedClock(connection.clock.now());
  const stores = [createMemoryRoomStore(clock), createRedisRoomStore(connection)] as const;
  const both = async <Value>(ask: (store: RoomStore) => Promise<Value>): Promise<Value> => {
    const [expected, found] = await Promise.all(stores.map(ask));
    expect(found).toEqual(expected);
    return given([expected]);
  };
  const told: OutgoingViewEvent[][] = [[], []];
  const nodes = stores.map((store, index) =>
    nodeOn(store, { clock, ids: countedIds(), tells: (events) => told[index]?.push(...events) }),
  );
  const room = newRoom(clock.now());
  const { roomId } = room.control;
  for (const store of stores) await openRoom(store, room);
  for (const step of sampleSteps(seed, 200)) {
    await clock.until(clock.now() + step.after);
    await both(async (store) => sortedByKey(await store.due(clock.now(), 1000)));
    const command = commandOf(step, await both((store) => wholeRoom(store, roomId)));
    const results = await Promise.all(nodes.map(({ engine }) => engine.execute(roomId, command)));
    expect(results[1]).toEqual(results[0]);
    const { control } = await both((store) => wholeRoom(store, roomId));
    // In memory what is due stays until the room is removed, which it is when it has ended.
    if (control.status === 'ended') break;
  }
  expect(told[1]).toEqual(told[0]);
  await both(async (store) => {
    const { sequences, ...seen } = given([await store.snapshot(roomId, { most: 3, userIds: userIds.slice(0, 5) })]);
    const { self, ...shared } = sequences;
    return { ...seen, shared, self: userIds.slice(0, 5).map((userId) => self.get(userId)) };
  });
  await stores[1].remove(roomId);
};

const sortedByKey = (due: readonly DueDeadline[]): DueDeadline[] =>
  due.toSorted((one, other) => (one.key < other.key ? -1 : 1));

describe('rooms of many nodes on one Redis', () => {
  it('RE-1 lose no update, and what they tell is numbered without gaps', async () => {
    await redis.withNodes(3, async (connections, prefix) => {
      const total = { commits: 0, refused: 0 };
      for (let seed = 1; total.commits < 3000; seed += 1) {
        const { commits, refused } = await playRoom(connections, { seed, count: 1500 });
        total.commits += commits;
        total.refused += refused;
      }
      // Somebody may lose all their tries, but hardly ever.
      expect(total.refused).toBeLessThan(total.commits / 100);
      expect(await redis.keys(prefix)).toEqual([]);
    });
  }, 120_000);

  it('RE-1 are found as they are in one look, though another node changes them before each', async () => {
    await redis.withNodes(2, async (connections) => {
      const [here, there] = [given(connections), given(connections.slice(1))];
      const other = nodeOn(createRedisRoomStore(there), { clock: there.clock });
      const { roomId, hostId } = await openRoom(other.store, newRoom(there.clock.now()));
      const rename = async (title: string): Promise<void> => {
        const by = { userId: hostId, sessionId: newId() };
        const changed = await other.engine.execute(roomId, { type: 'update', by, changes: { title } });
        expect(changed.ok).toBe(true);
      };
      let reads = 0;
      const store = createRedisRoomStore({
        keys: here.keys,
        clock: here.clock,
        epochs: here.epochs,
        readIf: (transaction) => here.readIf(transaction),
        write: (transaction) => here.write(transaction),
        writeBy: (transaction, expiresAt) => here.writeBy(transaction, expiresAt),
        ready: () => here.ready(),
        close: () => here.close(),
        read: async (transaction) => {
          reads += 1;
          await rename(`before look ${reads}`);
          return here.read(transaction);
        },
      });
      const load = (touched: (title: string) => string[]) =>
        store.load(roomId, ({ settings: { title } }) => ({ users: touched(title), standings: [] }));
      // This node knows nothing of the room yet.
      expect((await load(() => []))?.state.control.settings.title).toBe('before look 2');
      for (let look = 3; look < 20; look += 1) {
        const loaded = await load(() => [hostId]);
        expect(loaded?.state.control.settings.title).toBe(`before look ${look}`);
        expect(reads).toBe(look);
      }
      // Each time other entries, so what was read is never what is needed.
      await expect(load((title) => [title])).rejects.toBeInstanceOf(StateUnavailable);
    });
  });

  it('RE-1 come to what one process comes to, command by command', async () => {
    await redis.withNodes(1, async (connections, prefix) => {
      for (let seed = 1; seed <= 15; seed += 1) await playBoth(given(connections), seed);
      expect(await redis.keys(prefix)).toEqual([]);
    });
  }, 120_000);
});
