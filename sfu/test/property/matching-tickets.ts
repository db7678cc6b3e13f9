import type { Search } from '@rostrum/shared/protocol/random.ts';
import fc from 'fast-check';
import type { History, Ticket } from '../../src/rules/matching/ticket.ts';
import { type AboutTicket, ticketFor } from '../rules/matching/support.ts';
import { idOf, minute, second, start } from '../rules/support.ts';

/** Few enough to know and block each other often. */
export const names = ['ann', 'ben', 'cem', 'dan', 'eva', 'fay', 'gil', 'hal'] as const;

const seldom = <Value>(arbitrary: fc.Arbitrary<Value>, usual: Value): fc.Arbitrary<Value> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary });

const waited = fc.oneof(fc.nat({ max: 12 * second }), fc.nat({ max: minute }));

const people = fc.subarray([...names], { maxLength: 3 });

const entries = <More>(more: fc.Arbitrary<More>): fc.Arbitrary<({ userId: string; until: number } & More)[]> =>
  people.chain((some) =>
    fc.tuple(
      ...some.map((name) =>
        fc
          .record({ until: fc.integer({ min: start - minute, max: start + 10 * minute }), more })
          .map(({ until, more: rest }) => ({ userId: idOf(name), until, ...rest })),
      ),
    ),
  );

const history: fc.Arbitrary<Partial<History>> = fc.record({
  recent: seldom(entries(fc.constant({})), []),
  failed: seldom(entries(fc.record({ times: fc.integer({ min: 1, max: 3 }) })), []),
});

/** What somebody wishes for, and nothing that forbids: language, interests, region. */
const wishes = fc.record({
  languages: fc.shuffledSubarray(['de', 'de-AT', 'en', 'EN-gb', 'fr', 'tr'], { maxLength: 3 }),
  preferLanguages: fc.boolean(),
  interests: fc.subarray(['tea', 'Tea', 'chess', 'go', 'GO']),
  region: fc.constantFrom('DE', 'TR', null),
});

const demands: fc.Arbitrary<Pick<Search, 'about' | 'filters'>> = fc.record({
  about: fc.record({
    gender: fc.constantFrom('female' as const, 'male' as const, null),
    ageRange: fc.constantFrom('18-24' as const, '55+' as const, null),
  }),
  filters: fc.record({
    minReputation: seldom(fc.constantFrom(40, 60), null),
    genders: seldom(fc.constantFrom<('female' | 'male' | 'other')[]>(['female'], ['male', 'other']), null),
    ageRanges: seldom(fc.constant(['18-24' as const]), null),
  }),
});

/** Anybody. */
const anybody: fc.Arbitrary<AboutTicket> = fc
  .record({
    waited,
    plan: fc.constantFrom('free' as const, 'premium' as const),
    reputation: fc.constantFrom(30, 50, 70),
    mode: fc.constantFrom('voice' as const, 'voice' as const, 'voice' as const, 'text' as const),
    wishes,
    demands,
    front: seldom(fc.boolean(), false),
    heldMs: seldom(fc.constantFrom(3 * second, 5 * second), 0),
    relaxed: seldom(fc.subarray(['reputation' as const, 'gender' as const, 'age' as const]), []),
    away: seldom(fc.option(fc.nat({ max: 10 * second }), { nil: undefined }), undefined),
    history,
    blocked: seldom(people, []),
  })
  .map(({ mode, wishes: own, demands: of, away, ...about }) => ({
    ...about,
    search: { mode, ...own, ...of },
    ...(away === undefined ? {} : { away }),
  }));

/** Somebody who differs from others only in how long they have waited, and in their plan. */
const plain: fc.Arbitrary<AboutTicket> = fc.record({
  waited,
  plan: fc.constantFrom('free' as const, 'premium' as const),
});

/** Somebody with wishes who forbids nobody, and met whomever. Who is held has just come. */
const wishful: fc.Arbitrary<AboutTicket> = fc
  .record({
    wishes,
    waited: fc.nat({ max: 5 * second }),
    heldMs: seldom(fc.nat({ max: 5 * second }), 0),
    plan: fc.constantFrom('free' as const, 'premium' as const),
    front: seldom(fc.boolean(), false),
    history,
  })
  .map(({ wishes: own, history: { recent = [] }, ...about }) => ({ ...about, search: own, history: { recent } }));

const crowdOf = (about: fc.Arbitrary<AboutTicket>, fewest: number): fc.Arbitrary<Ticket[]> =>
  fc
    .shuffledSubarray([...names], { minLength: fewest })
    .chain((some) => fc.tuple(...some.map((name) => about.map((fields) => ticketFor(name, fields)))));

/** People who wait at `start`, in any order; at least two. */
export const crowd = crowdOf(anybody, 2);
export const wishfulCrowd = crowdOf(wishful, 4);
export const plainCrowd = crowdOf(plain, 2);
export const wishfulPair: fc.Arbitrary<[Ticket, Ticket]> = crowdOf(wishful, 2).map(
  ([one, other]) => [one, other] as [Ticket, Ticket],
);
