import { keptApart, metLately, remembers } from './history.ts';
import type { Moment, Ticket } from './ticket.ts';

/**
 * Whom to pair `me` with: the best of those in `waiting` who suit, or nobody. `waiting` are the tickets of people who wait in
 * the same mode, in any order; `me` may be among them. Somebody whom `me` met in the last minutes is taken only when neither
 * of both could be paired with anybody else (RQ-4). Pure.
 */
export const choosePartner = (me: Ticket, waiting: readonly Ticket[], at: Moment): Ticket | undefined => {
  const suitable = waiting.filter((other) => suits(me, other, at));
  const best = bestFor(me, at);
  const others = suitable.filter((other) => !metLately(me, other, at.now));
  if (others.length > 0) return best(others);
  return best(
    suitable.filter((other) => mayMeetAgain(me, other, at) && !waiting.some((third) => isNewTo(other, third, at))),
  );
};

/**
 * Whether two people may be paired at all: everything that must hold both ways, but for the rule about the same pair again,
 * which depends on who else waits.
 */
export const suits = (one: Ticket, other: Ticket, at: Moment): boolean =>
  one.seeker.userId !== other.seeker.userId &&
  one.search.mode === other.search.mode &&
  one.awaySince === null &&
  other.awaySince === null &&
  acceptsPerson(one, other, at) &&
  acceptsPerson(other, one, at) &&
  (!(isHeld(one, at.now) || isHeld(other, at.now)) ||
    sharedLanguages(one.search.languages, other.search.languages).length > 0);

/** RQ-2: whether somebody is held for a shared language. By a clock that runs behind, nobody is who has no deadline for it. */
const isHeld = ({ languageUntil, queuedAt }: Ticket, now: number): boolean =>
  languageUntil > queuedAt && now < languageUntil;

/** RQ-3, RQ-4: what one side demands of the other. */
const acceptsPerson = (one: Ticket, other: Ticket, at: Moment): boolean =>
  !one.blocked.includes(other.seeker.userId) && !keptApart(one.history, other.seeker.userId, at) && passes(one, other);

/** RQ-3: whether the other passes the filters that still hold. Who did not say a gender or an age passes no filter on it. */
const passes = ({ search, relaxed }: Ticket, other: Ticket): boolean => {
  const { minReputation, genders, ageRanges } = search.filters;
  const { gender, ageRange } = other.search.about;
  return (
    (minReputation === null || relaxed.includes('reputation') || other.seeker.reputation >= minReputation) &&
    (genders === null || relaxed.includes('gender') || (gender !== null && genders.includes(gender))) &&
    (ageRanges === null || relaxed.includes('age') || (ageRange !== null && ageRanges.includes(ageRange)))
  );
};

const isNewTo = (one: Ticket, other: Ticket, at: Moment): boolean =>
  suits(one, other, at) && !metLately(one, other, at.now);

/**
 * Two who met just now are not brought together again at once, even when they wait alone: a click on "next" should not show
 * the same person. Whoever remembers the other has to have waited, since theirs is the ticket with a deadline for it.
 */
const mayMeetAgain = (one: Ticket, other: Ticket, at: Moment): boolean =>
  hasWaited(one, other, at) && hasWaited(other, one, at);

const hasWaited = (one: Ticket, other: Ticket, { now, limits }: Moment): boolean =>
  !remembers(one, other, now) || now - one.queuedAt >= limits.repeatHoldMs;

/**
 * Languages of the first that the second speaks too, in the order and spelling of the first, each once. Languages are
 * compared by their primary subtag: `en-GB` and `en` are shared (RFC 5646 section 2.2.1; basic filtering of RFC 4647).
 */
export const sharedLanguages = (of: readonly string[], other: readonly string[]): string[] => {
  const spoken = new Set(other.map(primaryLanguage));
  const shared = new Map<string, string>();
  for (const tag of of) {
    const language = primaryLanguage(tag);
    if (spoken.has(language) && !shared.has(language)) shared.set(language, tag);
  }
  return [...shared.values()];
};

const primaryLanguage = (tag: string): string => (tag.split('-', 1)[0] ?? tag).toLowerCase();

// ——— Who is taken first ———

/** Smaller comes first. */
type Order = (candidate: Ticket) => number;

/** Candidates who waited within the same second count as equal, so that interests and region have a say (RQ-2). */
const equalMs = 1000;

/** The order in which `me` is offered those who suit (RQ-1, RQ-2, RQ-6, RD-3). */
const ordersFor = (me: Ticket, at: Moment): readonly Order[] => {
  const { preferLanguages, languages, region } = me.search;
  const mine = languages.map(primaryLanguage);
  const interests = new Set(me.search.interests.map(spelledAlike));
  const languageRank: Order = ({ search }) => {
    const spoken = new Set(search.languages.map(primaryLanguage));
    const place = mine.findIndex((language) => spoken.has(language));
    return place < 0 ? mine.length : place;
  };
  return [
    preferLanguages ? languageRank : () => 0,
    ({ front }) => (front ? 0 : 1),
    (candidate) => -Math.floor(effectiveWait(candidate, at) / equalMs),
    ({ search }) => -new Set(search.interests.map(spelledAlike)).intersection(interests).size,
    ({ search }) => (region !== null && search.region === region ? 0 : 1),
    (candidate) => -effectiveWait(candidate, at),
    ({ queuedAt }) => queuedAt,
  ];
};

const spelledAlike = (interest: string): string => interest.normalize().toLowerCase();

/**
 * RQ-6: below `priorityWaitMs` the time of a premium user counts double, but never as more than that limit. So nobody is
 * passed over by somebody who waited less than half as long, and from the limit on time alone counts.
 */
const effectiveWait = ({ queuedAt, seeker }: Ticket, { now, limits }: Moment): number => {
  const waited = Math.max(0, now - queuedAt);
  if (seeker.plan !== 'premium' || waited >= limits.priorityWaitMs) return waited;
  return Math.min(2 * waited, limits.priorityWaitMs);
};

const bestFor = (me: Ticket, at: Moment): ((candidates: readonly Ticket[]) => Ticket | undefined) => {
  const orders = ordersFor(me, at);
  return (candidates) =>
    orders
      .reduce(firstIn, candidates)
      .reduce<Ticket | undefined>(
        (best, candidate) => (best === undefined || candidate.ticketId < best.ticketId ? candidate : best),
        undefined,
      );
};

/** Those of the candidates who come first in this order. In a crowd each is asked once for it, and most for the first ones only. */
const firstIn = (candidates: readonly Ticket[], order: Order): readonly Ticket[] => {
  if (candidates.length < 2) return candidates;
  const places = candidates.map(order);
  const first = places.reduce((least, place) => Math.min(least, place), Number.POSITIVE_INFINITY);
  return candidates.filter((_, index) => places[index] === first);
};
