import { callModes } from '@rostrum/shared/protocol/call.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newId } from '../../src/runtime/ids.ts';
import type { CallStore, LoadedCall } from '../../src/state/call-store.ts';
import { createRedisCallStore } from '../../src/state/redis/redis-call-store.ts';
import { claimOf, commitOf, endedCall, entry, historyWith, plenty, ticket } from './call-store.support.ts';
import { given, redisForTests } from './redis-support.ts';
import { inTime } from './suite-clock.ts';

const redis = redisForTests();

/** How often each person was put into a call, and let go. */
class CallLog {
  claims = 0;
  ends = 0;
  readonly #balance = new Map<string, number>();

  claimed(userIds: readonly string[]): void {
    this.claims += 1;
    for (const userId of userIds) this.#balance.set(userId, this.callsOf(userId) + 1);
  }

  ended(userIds: readonly string[]): void {
    this.ends += 1;
    for (const userId of userIds) this.#balance.set(userId, this.callsOf(userId) - 1);
  }

  callsOf(userId: string): number {
    return this.#balance.get(userId) ?? 0;
  }
}

type Chance = { readonly log: CallLog; readonly next: (below: number) => number };

/** Something that somebody does, wherever they are. */
const act = async (store: CallStore, userId: string, { log, next }: Chance): Promise<void> => {
  const place = await store.placeOf(userId);
  if (place.at === 'nowhere') {
    const mode = callModes[next(2)] ?? 'voice';
    const added = ticket({ userId, mode, front: next(5) === 0, queuedAt: 1000 + next(50) });
    await store.enqueue(entry(added, [['wait', next(1000)]]), { most: plenty, expiresAt: inTime });
  } else if (place.at === 'queue') {
    await wait(store, userId, { log, next });
  } else {
    await talk(store, place.callId, { log, next });
  }
};

const wait = async (store: CallStore, userId: string, { log, next }: Chance): Promise<void> => {
  const mine = await store.ticketOf(userId);
  if (!mine) return;
  const { ticket: me } = mine;
  const what = next(8);
  if (what === 0) {
    await store.removeTicket(userId, me.ticketId);
  } else if (what === 1 || me.awaySince !== null) {
    const after = { ...me, awaySince: me.awaySince === null ? 1 : null };
    await store.updateTicket(mine, entry(after, [['grace', next(1000)]]), { expiresAt: inTime });
  } else {
    const page = await store.waiting(me.search.mode, { most: 10 });
    const others = page.filter((it) => it.ticket.seeker.userId !== userId);
    const other = others[next(Math.max(1, others.length))];
    if (!other) return;
    const claim = claimOf(mine, other, { deadlines: new Map([['connect', next(1000)]]) });
    if ((await store.claim(claim)) === 'claimed') log.claimed([userId, other.ticket.seeker.userId]);
  }
};

const talk = async (store: CallStore, callId: string, { log, next }: Chance): Promise<void> => {
  const loaded = await store.load(callId);
  if (!loaded) return;
  if (next(3) > 0) {
    await store.commit(commitOf(loaded, { after: { ...loaded.call, activeAt: next(1000) } }));
    return;
  }
  const ids = loaded.call.sides.map((side) => side.userId);
  const end = commitOf(loaded, {
    after: endedCall(loaded.call),
    histories: new Map(ids.map((userId) => [userId, historyWith(callId)])),
    historyUntil: Date.now() + 600_000,
    requeue: ids.filter(() => next(2) === 0).map((userId) => entry(ticket({ userId, mode: 'text' }), [['wait', 1]])),
  });
  if ((await store.commit(end)).outcome === 'committed') log.ended(ids);
};

const callsNow = async (store: CallStore): Promise<LoadedCall[]> => {
  const loaded = await Promise.all((await store.callIds()).map((callId) => store.load(callId)));
  return loaded.filter((call) => call !== undefined);
};

/** Everybody is in one place, and the queue, the calls and the log agree on it. */
const checkPlaces = async (store: CallStore, everybody: readonly string[], log: CallLog): Promise<void> => {
  const calls = await callsNow(store);
  const inCalls = calls.flatMap(({ call }) => call.sides.map(({ userId }) => [userId, call.callId] as const));
  const callOf = new Map(inCalls);
  expect(callOf.size).toBe(inCalls.length);
  const lines = await Promise.all(callModes.map((mode) => store.waiting(mode, { most: plenty })));
  const present = new Map(lines.flat().map((stored) => [stored.ticket.seeker.userId, stored]));
  const waiting: string[] = [];
  for (const userId of everybody) {
    const place = await store.placeOf(userId);
    const stored = await store.ticketOf(userId);
    expect(log.callsOf(userId)).toBe(place.at === 'call' ? 1 : 0);
    expect(callOf.get(userId)).toBe(place.at === 'call' ? place.callId : undefined);
    expect(stored?.ticket.ticketId).toBe(place.at === 'queue' ? place.ticketId : undefined);
    expect(present.get(userId)).toEqual(stored?.ticket.awaySince === null ? stored : undefined);
    if (stored) waiting.push(stored.ticket.ticketId);
  }
  expect(await store.counts()).toEqual({ waiting: waiting.length, calls: calls.length });
  const owners = [...waiting, ...callOf.values()];
  for (const due of await store.due(inTime, plenty))
    expect(owners).toContain(due.of === 'call' ? due.callId : due.ticketId);
};

/** Lets everybody go. */
const endAll = async (store: CallStore, everybody: readonly string[]): Promise<void> => {
  for (const loaded of await callsNow(store))
    expect((await store.commit(commitOf(loaded, { after: endedCall(loaded.call) }))).outcome).toBe('committed');
  for (const userId of everybody) {
    const stored = await store.ticketOf(userId);
    if (stored) expect(await store.removeTicket(userId, stored.ticket.ticketId)).toBe(true);
  }
  expect(await store.counts()).toEqual({ waiting: 0, calls: 0 });
};

describe('calls of many nodes on one Redis', () => {
  it('RE-1 RQ-5 put nobody into two calls, and lose nobody from the queue', async () => {
    await redis.withNodes(3, async (connections, prefix) => {
      const stores = connections.map((connection) => createRedisCallStore(connection));
      const log = new CallLog();
      const chance = fc.sample(fc.nat(), { seed: 7, numRuns: 60_000 });
      const next = (below: number): number => (chance.pop() ?? 0) % below;
      const everybody = Array.from({ length: 40 }, () => newId());
      let left = 6000;
      const worker = async (store: CallStore): Promise<void> => {
        for (; left > 0; left -= 1) await act(store, everybody[next(everybody.length)] ?? '', { log, next });
      };
      await Promise.all(stores.flatMap((store) => Array.from({ length: 4 }, () => worker(store))));
      expect(log.claims).toBeGreaterThan(300);
      expect(log.ends).toBeGreaterThan(200);
      await checkPlaces(given(stores), everybody, log);
      await endAll(given(stores), everybody);
      expect(await redis.lastingKeys(prefix)).toEqual([]);
      for (const key of await redis.keys(prefix)) expect(key).toContain(':history:');
    });
  }, 120_000);
});
