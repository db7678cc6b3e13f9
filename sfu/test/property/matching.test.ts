import { defaultLimits } from '@rostrum/shared/limits.ts';
import fc from 'fast-check';
import { test } from 'vitest';
import { choosePartner, sharedLanguages, suits } from '../../src/rules/matching/choose-partner.ts';
import type { Moment, Ticket } from '../../src/rules/matching/ticket.ts';
import { later } from '../rules/matching/support.ts';
import { second, start } from '../rules/support.ts';
import { type Pairing, QueueWorld, queueSteps } from './matching-queue.ts';
import { crowd, plainCrowd, wishfulCrowd, wishfulPair } from './matching-tickets.ts';
import { check } from './world.ts';

const runs = { numRuns: 1000 };
const now = later(0);

/** One of them has just come and looks, the others wait. */
const looking = (tickets: readonly Ticket[], at: Moment = now) => {
  const [me, ...others] = tickets;
  if (!me) throw new Error('Nobody waits.');
  return { me, others, chosen: choosePartner(me, tickets, at) };
};

const waitOf = ({ queuedAt }: Ticket): number => start - queuedAt;
const isPremium = ({ seeker }: Ticket): boolean => seeker.plan === 'premium';
const haveMet = (one: Ticket, other: Ticket): boolean =>
  [
    [one, other],
    [other, one],
  ].some(([a, b]) => a?.history.recent.some(({ userId, until }) => userId === b?.seeker.userId && until > start));

test('RQ-4 RQ-9 whether two suit is the same from both sides, and nobody suits themselves', () => {
  fc.assert(
    fc.property(crowd, fc.nat({ max: 20 * second }), (tickets, ms) => {
      const at = later(ms);
      for (const one of tickets) {
        check(!suits(one, one, at), 'not oneself', one);
        for (const other of tickets) check(suits(one, other, at) === suits(other, one, at), 'both ways', one, other);
      }
    }),
    runs,
  );
});

test('RQ-3 RQ-4 RQ-5 RQ-9 whoever is chosen waits, and nothing that must hold is against it', () => {
  fc.assert(
    fc.property(crowd, (tickets) => {
      const { me, others, chosen } = looking(tickets);
      if (!chosen) return;
      check(others.includes(chosen) && suits(me, chosen, now), 'somebody who waits and suits', me, chosen);
      for (const [one, other] of [
        [me, chosen],
        [chosen, me],
      ] as const) {
        const { userId } = other.seeker;
        const { minReputation, genders, ageRanges } = one.search.filters;
        const { gender, ageRange } = other.search.about;
        check(one.search.mode === other.search.mode && one.awaySince === null, 'there, and in the same mode', one);
        check(!one.blocked.includes(userId), 'nobody blocked', one, userId);
        const kept = one.history.failed.filter((failure) => failure.userId === userId && failure.until > start);
        check(
          kept.every(({ times }) => times < 2),
          'nobody with whom it failed twice',
          kept,
        );
        const holds = (filter: Ticket['relaxed'][number]) => !one.relaxed.includes(filter);
        check(!holds('reputation') || other.seeker.reputation >= (minReputation ?? 0), 'reputation', one, other);
        check(!(holds('gender') && genders) || (gender !== null && genders.includes(gender)), 'gender', one, other);
        check(!(holds('age') && ageRanges) || (ageRange !== null && ageRanges.includes(ageRange)), 'age', one, other);
      }
    }),
    runs,
  );
});

test('RQ-1 somebody who suits and is new to both is never left out', () => {
  fc.assert(
    fc.property(crowd, (tickets) => {
      const { me, others, chosen } = looking(tickets);
      const news = others.filter((other) => suits(me, other, now) && !haveMet(me, other));
      check((chosen !== undefined && news.includes(chosen)) || news.length === 0, 'one of them is chosen', me, news);
    }),
    runs,
  );
});

test('RQ-4 the same pair again only where nobody else waits for either, and not at once', () => {
  fc.assert(
    fc.property(crowd, (tickets) => {
      const { me, others, chosen } = looking(tickets);
      if (!chosen || !haveMet(me, chosen)) return;
      const isNew = (one: Ticket, other: Ticket): boolean => suits(one, other, now) && !haveMet(one, other);
      check(!others.some((other) => isNew(me, other) || isNew(chosen, other)), 'nobody else', me, chosen, others);
      const knows = (one: Ticket, other: Ticket) =>
        one.history.recent.some(({ userId, until }) => userId === other.seeker.userId && until > start);
      check(!knows(me, chosen) || waitOf(me) >= defaultLimits.repeatHoldMs, 'not at once', me);
      check(!knows(chosen, me) || waitOf(chosen) >= defaultLimits.repeatHoldMs, 'not at once', chosen);
    }),
    runs,
  );
});

/** How good somebody is for `me`, in the words of the rules: compared from left to right, more is better. */
const merits = (me: Ticket, other: Ticket): number[] => {
  const { languages, preferLanguages, interests, region } = me.search;
  const place = languages.findIndex((language) => sharedLanguages([language], other.search.languages).length > 0);
  const counted =
    isPremium(other) && waitOf(other) < 10 * second ? Math.min(2 * waitOf(other), 10 * second) : waitOf(other);
  const alike = (a: string) => interests.some((b) => a.toLowerCase() === b.toLowerCase());
  return [
    preferLanguages && place >= 0 ? languages.length - place : 0,
    other.front ? 1 : 0,
    Math.floor(counted / second),
    new Set(other.search.interests.filter(alike).map((interest) => interest.toLowerCase())).size,
    region !== null && region === other.search.region ? 1 : 0,
    counted,
    waitOf(other),
  ];
};

const isBetter = (one: readonly number[], other: readonly number[]): boolean => {
  const index = one.findIndex((merit, place) => merit !== other[place]);
  return index >= 0 && (one[index] ?? 0) > (other[index] ?? 0);
};

test('RQ-1 RQ-2 RQ-6 RD-3 nobody who suits and ranks better is passed over, in whatever order they are looked at', () => {
  fc.assert(
    fc.property(fc.oneof(crowd, wishfulCrowd), (tickets) => {
      const { me, others, chosen } = looking(tickets);
      check(choosePartner(me, others.toReversed(), now) === chosen, 'the order does not matter', me, others);
      if (!chosen || haveMet(me, chosen)) return;
      const suitable = others.filter((other) => suits(me, other, now) && !haveMet(me, other));
      for (const other of suitable)
        check(!isBetter(merits(me, other), merits(me, chosen)), 'passed over', me, other, chosen);
      const fewer = others.filter((other) => other === chosen || !suitable.includes(other) || waitOf(other) % 2 === 0);
      check(choosePartner(me, fewer, now) === chosen, 'who is not chosen does not matter either', me, others, fewer);
    }),
    runs,
  );
});

test('RQ-6 nobody is passed over by somebody who waited less than half as long; from 10 s on time alone counts', () => {
  fc.assert(
    fc.property(plainCrowd, (tickets) => {
      const { me, others, chosen } = looking(tickets);
      if (!chosen) throw new Error('Everybody suits everybody.');
      for (const other of others) {
        check(2 * waitOf(chosen) >= waitOf(other), 'at least half as long', chosen, other);
        check(isPremium(chosen) || waitOf(chosen) >= waitOf(other), 'free users are taken in order', chosen, other);
        check(
          !isPremium(other) || waitOf(chosen) >= waitOf(other),
          'premium users wait for nobody later',
          chosen,
          other,
        );
      }
      const longest = others.reduce((most, other) => (waitOf(other) > waitOf(most) ? other : most), chosen);
      if (waitOf(longest) >= 10 * second) check(chosen === longest, 'pure FIFO', me, chosen, longest);
    }),
    runs,
  );
});

test('RQ-2 RQ-4 no preference keeps two people apart for longer than 5 s who wait alone', () => {
  fc.assert(
    fc.property(wishfulPair, fc.nat({ max: 60 * second }), ([one, other], more) => {
      const at = later(5 * second + more);
      check(choosePartner(one, [one, other], at) === other, 'one finds the other', one, other);
      check(choosePartner(other, [one, other], at) === one, 'and the other the one', one, other);
    }),
    runs,
  );
});

const queues = (name: string, each: (world: QueueWorld) => void, after: (world: QueueWorld) => void): void => {
  test(name, () => {
    fc.assert(
      fc.property(queueSteps, (steps) => {
        const world = new QueueWorld();
        for (const step of steps) {
          world.take(step);
          each(world);
        }
        after(world);
      }),
      { numRuns: 300 },
    );
  });
};

queues(
  'RQ-1 looking on arrival, return and deadlines is enough: nobody is left for whom a partner waits',
  (world) => {
    for (const ticket of world.tickets) {
      const partner = choosePartner(ticket, world.tickets, world.at);
      check(partner === undefined, 'two who suit are left waiting', ticket, partner, world.now);
    }
  },
  () => undefined,
);

queues(
  'RQ-5 nobody waits longer than 60 s, nor longer than 15 s while away, and in the end nobody is left',
  ({ tickets, now: at }) => {
    for (const { queuedAt, awaySince } of tickets) {
      check(at - queuedAt < 60 * second, 'waits too long', queuedAt, at);
      check(awaySince === null || at - awaySince < 15 * second, 'is away too long', awaySince, at);
    }
  },
  (world) => {
    world.passTo(world.now + 60 * second);
    check(world.tickets.length === 0, 'somebody waits for ever', world.tickets);
  },
);

const pairOf = ({ me, partner }: Pick<Pairing, 'me' | 'partner'>): string =>
  [me, partner]
    .map(({ seeker }) => seeker.userId)
    .toSorted()
    .join(' ');

queues(
  'RQ-4 RD-3 nobody meets whom they blocked, with whom it failed twice, or the same person again beside somebody new',
  () => undefined,
  ({ pairings, limits }) => {
    const metAt = new Map<string, number>();
    const failures = new Map<string, number>();
    for (const pairing of pairings) {
      const { me, partner, waiting, now: at, outcome } = pairing;
      const pair = pairOf(pairing);
      check(me.seeker.userId !== partner.seeker.userId && waiting.includes(partner), 'two who wait', me, partner);
      check(!me.blocked.includes(partner.seeker.userId), 'nobody blocked', me, partner);
      check(!partner.blocked.includes(me.seeker.userId), 'nobody blocked', partner, me);
      check((failures.get(pair) ?? 0) < limits.failedPairTimes, 'kept apart', me, partner);
      const isLately = (one: Ticket, other: Ticket): boolean =>
        (metAt.get(pairOf({ me: one, partner: other })) ?? Number.NEGATIVE_INFINITY) > at - limits.repeatPairMs;
      const isNew = (one: Ticket, other: Ticket): boolean =>
        suits(one, other, { now: at, limits }) && !isLately(one, other);
      const somebodyNew = waiting.filter((other) => isNew(me, other) || isNew(partner, other));
      check(!isLately(me, partner) || somebodyNew.length === 0, 'somebody new waits', me, partner, somebodyNew);
      metAt.set(pair, at);
      if (outcome === 'failed') failures.set(pair, (failures.get(pair) ?? 0) + 1);
    }
  },
);
