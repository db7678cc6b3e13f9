import type { Limits } from '@rostrum/shared/limits.ts';
import { callModes } from '@rostrum/shared/protocol/call.ts';
import { beginning } from '../rules/call/begin.ts';
import { callDeadlinesOf } from '../rules/call/deadlines.ts';
import type { CallState } from '../rules/call/state.ts';
import { choosePartner } from '../rules/matching/choose-partner.ts';
import type { Ticket } from '../rules/matching/ticket.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { CallStore, StoredTicket } from '../state/call-store.ts';
import type { CallEngine } from './call-engine.ts';

/** Tickets that are read at a time: nearly always all that wait. */
const pageSize = 500;
/** Claims that may be lost in a row (RE-5). Each was lost because somebody else found a partner, so more would mean a fault. */
const mostLost = 100;

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
   * Looks for a partner for somebody who waits, and claims both. To be called after they are in the queue, never before: two
   * who arrive at once would miss each other. Answers whether they are in a call now.
   */
  look(userId: string): Promise<boolean>;
  /** A call ended: where a claim found no room for one more, those who wait are looked for again. */
  freed(): Promise<void>;
};

/** Brings two people who wait together (RQ-1, RQ-5): on arrival, on return and on deadlines, never by polling. */
export const createMatchmaker = (dependencies: MatchmakerDependencies): Matchmaker => {
  const { store, logger } = dependencies;
  /** The latest claim found no room for one more call. */
  let full = false;

  const look = async (userId: string): Promise<boolean> => {
    for (let lost = 0; lost < mostLost; lost += 1) {
      const outcome = await lookOnce(dependencies, userId);
      if (outcome === 'lost') continue;
      full ||= outcome === 'full';
      if (outcome === 'full' || outcome === 'expired')
        logger.warn({ outcome }, 'two people who suit could not be put into a call; they go on waiting');
      return outcome === 'claimed';
    }
    logger.error({ lost: mostLost }, 'a search lost every claim; it goes on at its next deadline');
    return false;
  };

  return {
    look,
    freed: async () => {
      if (!full) return;
      full = false;
      for (const mode of callModes) {
        for (const { ticket } of await store.waiting(mode, { most: pageSize }))
          if (await look(ticket.seeker.userId)) return;
      }
    },
  };
};

const lookOnce = async (dependencies: MatchmakerDependencies, userId: string) => {
  const me = await dependencies.store.ticketOf(userId);
  if (!me || me.ticket.awaySince !== null) return 'none';
  const partner = await partnerFor(dependencies, me);
  return partner ? claim(dependencies, [me, partner]) : 'none';
};

const partnerFor = async (
  { store, clock, limits }: MatchmakerDependencies,
  me: StoredTicket,
): Promise<StoredTicket | undefined> => {
  const waiting = new Map<string, StoredTicket>();
  let after: Ticket | undefined;
  // All of them: a preference, or somebody new to both (RQ-4), may be at the very end. Many wait only where hardly anybody suits.
  for (;;) {
    const page = await store.waiting(me.ticket.search.mode, { most: pageSize, ...(after ? { after } : {}) });
    for (const stored of page) waiting.set(stored.ticket.ticketId, stored);
    after = page.at(-1)?.ticket;
    if (page.length < pageSize) break;
  }
  const tickets = [...waiting.values()].map(({ ticket }) => ticket);
  const chosen = choosePartner(me.ticket, tickets, { now: clock.now(), limits });
  return chosen && waiting.get(chosen.ticketId);
};

const claim = async (dependencies: MatchmakerDependencies, tickets: readonly [StoredTicket, StoredTicket]) => {
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
