import { searchSchema } from '@rostrum/shared/protocol/random.ts';
import { expect, test } from 'vitest';
import { type Happened, type Scenario, simulate } from './matching-simulation.ts';
import { start, World } from './matching-simulation-world.ts';

/** A busy machine takes its time, in milliseconds. */
const patience = 120_000;

/** Few people, who therefore meet again and again; every other crowd with an operator who holds searchers for a language. */
const crowd = (seed: number): Scenario => ({
  seed,
  people: 20,
  arriveWithinMs: 60_000,
  connectShare: 0.7,
  limits: { languageHoldMs: seed % 2 === 0 ? 0 : 3000 },
});

/** Crowds beyond the first ones in which something was wrong once: two waited on for somebody who had gone. Add what fails. */
const pinned = [462, 945].map(crowd);

const all = async (scenarios: readonly Scenario[]): Promise<Happened> => {
  const total = new Map<string, number>();
  for (const scenario of scenarios) {
    const happened = await simulate(scenario).catch((error: unknown) => {
      throw new Error(`${JSON.stringify(scenario)}: ${error}`, { cause: error });
    });
    for (const [what, times] of happened) total.set(what, (total.get(what) ?? 0) + times);
  }
  return total;
};

const seeds = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** A simulation in which something never happens shows nothing about it. */
const expectOften = (happened: Happened, least: Readonly<Record<string, number>>): void => {
  for (const [what, times] of Object.entries(least))
    expect(happened.get(what) ?? 0, what).toBeGreaterThanOrEqual(times);
};

test(
  'RQ-1 RQ-4 RQ-5 RQ-6 RD-1 loses nobody of 2,000 who come, skip, end, block, leave and crash, and passes nobody over',
  async () => {
    expectOften(await all([{ seed: 1, people: 2000, arriveWithinMs: 90_000 }]), {
      claims: 4000,
      choices: 500,
      next: 2000,
      end: 500,
      block: 300,
      leave: 1000,
      crash: 300,
      back: 200,
      'another device': 100,
      'calls that failed to connect': 100,
      'random:partner_returned': 100,
    });
  },
  patience,
);

test(
  'RQ-1 RQ-2 RQ-3 RQ-4 RQ-5 RD-3 keeps apart who must not meet, and nobody else, in crowds where all meet again',
  async () => {
    expectOften(await all(seeds(1, 60).map(crowd)), {
      claims: 1500,
      'choices of somebody who waited shorter': 20,
      'pairs again': 200,
      'pairs kept apart': 1,
      'dequeued: timeout': 50,
      'dequeued: elsewhere': 10,
      'random:partner_disconnected': 200,
    });
  },
  patience,
);

test(
  'RQ-1 RQ-5 pairs off 300 who are alike and come in the same moment',
  async () => {
    const world = new World({ seed: 1, limits: {}, connectShare: 1, mostTurns: 0 });
    const { consents, randomCalls } = await world.compose();
    const search = searchSchema.parse({ mode: 'voice', languages: ['en'] });
    const people = Array.from({ length: 300 }, () => ({ userId: world.newId(), sessionId: world.newId() }));
    for (const { userId, sessionId } of people) {
      await world.records.users.put({
        userId,
        displayName: 'Somebody',
        kind: 'guest',
        createdAt: start,
        lastSeenAt: start,
      });
      await consents.give(userId, { houseRules: true, minimumAge: world.limits.minimumAge });
      world.connect(sessionId);
    }
    const started = await Promise.all(
      people.map((person) =>
        randomCalls.start({ ...person, displayName: 'Somebody', kind: 'guest', plan: 'free' }, search, {
          leaveRoom: false,
        }),
      ),
    );
    expect(started.filter(({ ok }) => ok)).toHaveLength(300);
    expect(await world.store.counts()).toEqual({ waiting: 0, calls: 150 });
    expect([...world.oracle.broken, ...world.logged]).toEqual([]);
    await world.records.close();
  },
  patience,
);

test(
  'RQ-5 loses nobody, and has nobody in two calls, when three nodes share the queue',
  async () => {
    expectOften(await all(seeds(1, 12).map((seed) => ({ ...crowd(seed), nodes: 3 }))), {
      claims: 300,
      'claims lost': 50,
      'late loss': 20,
    });
  },
  patience,
);

test(
  'RQ-1 RQ-4 finds right what was wrong once',
  async () => {
    expectOften(await all(pinned), { claims: 50 });
  },
  patience,
);
