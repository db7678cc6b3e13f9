import type { Limits } from '@rostrum/shared/limits.ts';
import type { MatchFilter, Search } from '@rostrum/shared/protocol/random.ts';
import type { History, Moment, Seeker, Ticket, TicketDeadlineKey } from './ticket.ts';

/** The ticket of somebody who begins to search (RQ-1). */
export const arriving = (
  seeker: Seeker,
  search: Search,
  context: Moment & { readonly ticketId: string; readonly history: History; readonly blocked: readonly string[] },
): Ticket => ({
  ticketId: context.ticketId,
  seeker,
  search,
  queuedAt: context.now,
  front: false,
  languageUntil: languageUntil(search, context),
  relaxed: [],
  awaySince: null,
  history: context.history,
  blocked: context.blocked,
});

/** RQ-2: how long somebody is held for a shared language. Who names no language would be held for nothing. */
const languageUntil = ({ preferLanguages, languages }: Search, { now, limits }: Moment): number =>
  preferLanguages && languages.length > 0 ? now + limits.languageHoldMs : now;

/** RQ-5: their connection is lost. The grace counts from the first time that was seen. */
export const wentAway = (ticket: Ticket, now: number): Ticket => ({ ...ticket, awaySince: ticket.awaySince ?? now });

/** Where somebody is connected: the device, and the node that it is connected to. */
type Connection = Pick<Seeker, 'sessionId' | 'node'>;

/** RQ-5, ID-5: back in their place, at whatever node, or there on another device. */
export const cameBack = (ticket: Ticket, { sessionId, node }: Connection): Ticket => ({
  ...ticket,
  seeker: { ...ticket.seeker, sessionId, node },
  awaySince: null,
});

/**
 * RE-5: people whom a ticket keeps apart from its owner. Who blocks and lifts blocks again and again while they wait would make it
 * grow; the latest count.
 */
const mostBlocked = 100_000;

/** RQ-4: has blocked somebody while waiting. */
export const avoiding = (ticket: Ticket, userId: string): Ticket =>
  ticket.blocked.includes(userId) ? ticket : { ...ticket, blocked: [...ticket.blocked, userId].slice(-mostBlocked) };

/**
 * The ticket of somebody who waits again after a call, with the same search. All begins anew: the time they waited, the hold
 * for a language, the filters. `front` puts them before everybody else (RD-3).
 */
export const waitingAgain = (
  ticket: Ticket,
  context: Moment & {
    readonly front: boolean;
    readonly ticketId: string;
    readonly history: History;
    readonly awaySince: number | null;
    readonly connection: Connection;
  },
): Ticket => ({
  ...arriving({ ...ticket.seeker, ...context.connection }, ticket.search, {
    ...context,
    blocked: ticket.blocked,
  }),
  front: context.front,
  awaySince: context.awaySince,
});

/**
 * What can become due for a ticket, as times by key: a projection of the ticket and nothing else. `language` and `repeat` stay
 * when they were carried out, since looking for a partner changes no ticket: whoever carried one out clears it.
 */
export const ticketDeadlinesOf = (ticket: Ticket, limits: Limits): Map<TicketDeadlineKey, number> => {
  const { queuedAt } = ticket;
  const deadlines = new Map<TicketDeadlineKey, number>([['wait', queuedAt + limits.queueWaitMs]]);
  if (ticket.awaySince !== null) deadlines.set('grace', ticket.awaySince + limits.queueGraceMs);
  if (ticket.languageUntil > queuedAt) deadlines.set('language', ticket.languageUntil);
  if (ticket.history.recent.length > 0) deadlines.set('repeat', queuedAt + limits.repeatHoldMs);
  if (filterToRelax(ticket) !== undefined) {
    deadlines.set('relax', queuedAt + (ticket.relaxed.length + 1) * limits.filterRelaxMs);
  }
  return deadlines;
};

/** What a deadline of a ticket comes to. */
export type Elapsed =
  /** It is not due, or its cause is gone. */
  | { readonly kind: 'nothing' }
  /** They waited long enough without a match, or did not come back (RQ-5). */
  | { readonly kind: 'remove'; readonly reason: 'timeout' | 'lost' }
  /** Somebody may suit now who did not before. */
  | { readonly kind: 'look' }
  /** A filter holds no more (RQ-3): the person is told, and somebody may suit now. */
  | { readonly kind: 'change'; readonly ticket: Ticket };

/**
 * A deadline is due. Whoever saw it sends this, so it may come twice, or after its cause is gone: what is not due by the ticket
 * itself changes nothing.
 */
export const elapsed = (ticket: Ticket, key: TicketDeadlineKey, { now, limits }: Moment): Elapsed => {
  const due = ticketDeadlinesOf(ticket, limits).get(key);
  if (due === undefined || due > now) return { kind: 'nothing' };
  switch (key) {
    case 'wait':
      return { kind: 'remove', reason: 'timeout' };
    case 'grace':
      return { kind: 'remove', reason: 'lost' };
    case 'language':
    case 'repeat':
      // Who is away is matched with nobody; coming back looks for somebody anyway.
      return { kind: ticket.awaySince === null ? 'look' : 'nothing' };
    case 'relax':
      return relaxed(ticket);
    default:
      return key satisfies never;
  }
};

const relaxed = (ticket: Ticket): Elapsed => {
  const filter = filterToRelax(ticket);
  if (filter === undefined) return { kind: 'nothing' };
  return { kind: 'change', ticket: { ...ticket, relaxed: [...ticket.relaxed, filter] } };
};

/** RQ-3: the filter that is relaxed next, of those that are set. */
const filterToRelax = ({ search, relaxed: gone }: Ticket): MatchFilter | undefined => {
  const { minReputation, genders, ageRanges } = search.filters;
  const set: readonly [MatchFilter, boolean][] = [
    ['reputation', minReputation !== null],
    ['gender', genders !== null],
    ['age', ageRanges !== null],
  ];
  return set.find(([filter, isSet]) => isSet && !gone.includes(filter))?.[0];
};
