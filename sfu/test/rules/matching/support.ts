import { defaultLimits, type Limits } from '@rostrum/shared/limits.ts';
import type { Search } from '@rostrum/shared/protocol/random.ts';
import type { Plan, UserKind } from '@rostrum/shared/protocol/rest.ts';
import { type History, type Moment, noHistory, type Ticket } from '../../../src/rules/matching/ticket.ts';
import { homeNode, idOf, start } from '../support.ts';

export const searchWith = (changes: Partial<Search> = {}): Search => ({
  mode: 'voice',
  languages: [],
  preferLanguages: false,
  interests: [],
  region: null,
  about: { gender: null, ageRange: null },
  filters: { minReputation: null, genders: null, ageRanges: null },
  hideAddress: false,
  ...changes,
});

export type AboutTicket = {
  /** How long they have waited at `start`, in milliseconds. */
  readonly waited?: number;
  readonly session?: string;
  readonly kind?: UserKind;
  readonly plan?: Plan;
  readonly reputation?: number;
  readonly search?: Partial<Search>;
  readonly front?: boolean;
  /** For how long after they came they are held for a language. */
  readonly heldMs?: number;
  readonly relaxed?: Ticket['relaxed'];
  /** For how long they have been away at `start`. */
  readonly away?: number;
  readonly history?: Partial<History>;
  /** Names of people. */
  readonly blocked?: readonly string[];
};

/** The ticket of somebody who waits at `start`. People go by their names. */
export const ticketFor = (name: string, about: AboutTicket = {}): Ticket => {
  const queuedAt = start - (about.waited ?? 0);
  return {
    ticketId: `${name}'s ticket`,
    seeker: {
      userId: idOf(name),
      sessionId: about.session ?? `${name}'s phone`,
      node: homeNode,
      displayName: name,
      kind: about.kind ?? 'guest',
      plan: about.plan ?? 'free',
      reputation: about.reputation ?? 50,
    },
    search: searchWith(about.search),
    queuedAt,
    front: about.front ?? false,
    languageUntil: queuedAt + (about.heldMs ?? 0),
    relaxed: about.relaxed ?? [],
    awaySince: about.away === undefined ? null : start - about.away,
    history: { ...noHistory, ...about.history },
    blocked: (about.blocked ?? []).map(idOf),
  };
};

/** The moment that is so many milliseconds after `start`. */
export const later = (ms: number, limits: Partial<Limits> = {}): Moment => ({
  now: start + ms,
  limits: { ...defaultLimits, ...limits },
});

/** What somebody remembers who met these people so many milliseconds before `start`, or (negative) will have met them. */
export const met = (ago: number, ...names: string[]): Partial<History> => ({
  recent: names.map((name) => ({ userId: idOf(name), until: start - ago + defaultLimits.repeatPairMs })),
});
