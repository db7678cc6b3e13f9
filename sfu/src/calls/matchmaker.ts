import type { Limits } from '@rostrum/shared/limits.ts';
import { type CallMode, callModes } from '@rostrum/shared/protocol/call.ts';
import { beginning } from '../rules/call/begin.ts';
import { callDeadlinesOf } from '../rules/call/deadlines.ts';
import type { CallState } from '../rules/call/state.ts';
import { choosePartner } from '../rules/matching/choose-partner.ts';
import type { Moment, Ticket } from '../rules/matching/ticket.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { CallStore, StoredTicket } from '../state/call-store.ts';
import type { CallEngine } from './call-engine.ts';

/** Tickets that are read at a time. */
const pageSize = 500;
/**
 * Claims that may be lost in a row (RE-5). Each was lost because somebody found a partner on another node or went in just that
 * moment, so more would mean a fault.
 */
const mostLost = 100;
/**
 * Claims of a round that are under way at a time (RE-5): so many that a store over a network never waits for the next one, and
 * so few that nobody else's question waits long behind them.
 */
const claimsAtOnce = 32;

export type MatchmakerDependencies = {
  readonly store: CallStore;
  readonly engine: Pick<CallEngine, 'between'>;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly newId: () => string;
  readonly plans: boolean;
  readonly logger: Logger;
  /** Two have found each other. Runs before any command of the call. */
  readonly matched: (call: CallState) => void;
};

export type Matchmaker = {
  /**
   * Looks for a partner for somebody who waits with this ticket, and claims both. To be called after they are in the queue, never
   * before: two who arrive at once would miss each other. Where the ticket is gone or changed by then, they are looked for as they
   * wait now; who is away, when they come back.
   */
  look(ticket: Ticket): Promise<void>;
  /** A call ended: where a claim found no room for one more, those who wait are looked for again. */
  freed(): Promise<void>;
};

/**
 * Brings two people who wait together (RQ-1, RQ-5): on arrival, on return and on deadlines, never by polling. Whoever is to be
 * looked for while a round of their mode is under way is in the next one. So a crowd that comes at once is paired off by one
 * reading of the queue; each for themselves, all would go for whoever waits longest, and all but one in vain.
 */
export const createMatchmaker = (dependencies: MatchmakerDependencies): Matchmaker => {
  const { store } = dependencies;
  /** The latest claim found no room for one more call. */
  let full = false;
  const pair = async (mode: CallMode, userIds: readonly string[]): Promise<void> => {
    if (await pairAll(dependencies, mode, userIds)) full = true;
  };
  const rounds = new Rounds(pair);

  return {
    look: async ({ search, seeker, awaySince }) => {
      if (awaySince === null) await rounds.join(search.mode, seeker.userId);
    },
    freed: async () => {
      if (!full) return;
      full = false;
      for (const mode of callModes) {
        const waiting = await store.waiting(mode, { most: pageSize });
        await Promise.all(waiting.map(({ ticket }) => rounds.join(mode, ticket.seeker.userId)));
      }
    },
  };
};

/** Rounds of each mode, one after the other. Those who are in the next one are bounded by those who wait (RE-5). */
class Rounds {
  readonly #play: (mode: CallMode, userIds: readonly string[]) => Promise<void>;
  readonly #next = new Map<CallMode, { readonly userIds: Set<string>; readonly over: Promise<void> }>();
  readonly #present = new Map<CallMode, Promise<void>>();

  constructor(play: (mode: CallMode, userIds: readonly string[]) => Promise<void>) {
    this.#play = play;
  }

  /** Resolves when the round is over that this person is in; rejects as it does. */
  join(mode: CallMode, userId: string): Promise<void> {
    const next = this.#next.get(mode);
    if (next) {
      next.userIds.add(userId);
      return next.over;
    }
    const userIds = new Set([userId]);
    const over = this.#afterPresent(mode, userIds);
    this.#next.set(mode, { userIds, over });
    return over;
  }

  async #afterPresent(mode: CallMode, userIds: ReadonlySet<string>): Promise<void> {
    // How the one before came out is told to those who were in it.
    await this.#present.get(mode)?.catch(() => undefined);
    this.#next.delete(mode);
    const present = this.#play(mode, [...userIds]);
    this.#present.set(mode, present);
    await present;
  }
}

/** Looks for partners for these people, until no claim is lost. Answers whether there was no room for one more call. */
const pairAll = async (
  dependencies: MatchmakerDependencies,
  mode: CallMode,
  userIds: readonly string[],
): Promise<boolean> => {
  let seekers = userIds;
  for (let lost = 0; lost < mostLost; lost += 1) {
    const outcomes = await pairOnce(dependencies, mode, seekers);
    const failed = outcomes.find(({ outcome }) => outcome === 'full' || outcome === 'expired');
    if (failed) dependencies.logger.warn(failed, 'people who suit could not be put into a call; they go on waiting');
    seekers = outcomes.flatMap(({ outcome, pair }) => (outcome === 'lost' ? pair : []));
    if (seekers.length === 0) return failed?.outcome === 'full';
  }
  dependencies.logger.error({ lost: mostLost }, 'a search lost every claim; it goes on at its next deadline');
  return false;
};

type Pair = readonly [StoredTicket, StoredTicket];
type Attempt = { readonly pair: readonly string[]; readonly outcome: Awaited<ReturnType<CallStore['claim']>> };

/**
 * Pairs each of these with whom they suit best of those who are left. Whom that leaves does not depend on what becomes of the
 * claim, so claims go side by side: one after the other, a crowd would wait for as many round trips as it has pairs.
 */
const pairOnce = async (
  dependencies: MatchmakerDependencies,
  mode: CallMode,
  userIds: readonly string[],
): Promise<Attempt[]> => {
  const { clock, limits } = dependencies;
  const waiting = await everybody(dependencies, mode);
  const pairs = pairsAmong(waiting, userIds, () => ({ now: clock.now(), limits }));
  const attempts: Attempt[] = [];
  const claimOnwards = async (): Promise<void> => {
    for (const pair of pairs)
      attempts.push({
        pair: pair.map(({ ticket }) => ticket.seeker.userId),
        outcome: await claim(dependencies, pair),
      });
  };
  // One that fails ends the pairs for all; what is under way then comes to its end, and the others hear of it.
  await Promise.all(Array.from({ length: Math.min(claimsAtOnce, userIds.length) }, claimOnwards));
  return attempts;
};

/** In their order; each is chosen when it is asked for. */
function* pairsAmong(
  waiting: readonly StoredTicket[],
  userIds: readonly string[],
  moment: () => Moment,
): Generator<Pair, void, undefined> {
  const left = new Map(waiting.map((stored) => [stored.ticket.seeker.userId, stored]));
  for (const userId of userIds) {
    const me = left.get(userId);
    if (!me) continue;
    const chosen = choosePartner(me.ticket, ticketsOf(left), moment());
    const partner = chosen && left.get(chosen.seeker.userId);
    if (!partner) continue;
    for (const { ticket } of [me, partner]) left.delete(ticket.seeker.userId);
    yield [me, partner];
  }
}

const ticketsOf = (waiting: ReadonlyMap<string, StoredTicket>): Ticket[] =>
  [...waiting.values()].map(({ ticket }) => ticket);

/** All who wait: a preference, or somebody new to both (RQ-4), may be at the very end. Many wait only where hardly anybody suits. */
const everybody = async ({ store }: MatchmakerDependencies, mode: CallMode): Promise<StoredTicket[]> => {
  const all: StoredTicket[] = [];
  for (;;) {
    const after = all.at(-1)?.ticket;
    const page = await store.waiting(mode, { most: pageSize, ...(after ? { after } : {}) });
    all.push(...page);
    if (page.length < pageSize) return all;
  }
};

const claim = async (dependencies: MatchmakerDependencies, tickets: Pair) => {
  const { store, engine, clock, limits, newId, plans, matched } = dependencies;
  const now = clock.now();
  const callId = newId();
  const call = beginning([tickets[0].ticket, tickets[1].ticket], { callId, now, limits, plans });
  return engine.between(callId, async () => {
    const outcome = await store.claim({
      tickets,
      call,
      deadlines: callDeadlinesOf(call, limits),
      most: limits.callsAtOnce,
      expiresAt: now + limits.unavailableMs,
    });
    if (outcome === 'claimed') matched(call);
    return outcome;
  });
};
