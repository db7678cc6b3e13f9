import type { Limits } from '@rostrum/shared/limits.ts';
import { type CallMode, callModes } from '@rostrum/shared/protocol/call.ts';
import type { DequeuedReason, Queued, Search } from '@rostrum/shared/protocol/random.ts';
import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import type { Caller } from '../rules/call/commands.ts';
import { arriving, avoiding, cameBack, elapsed, ticketDeadlinesOf, wentAway } from '../rules/matching/queue.ts';
import type { History, Seeker, Ticket } from '../rules/matching/ticket.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { CallStore, DueCallDeadline, StoredTicket, TicketEntry } from '../state/call-store.ts';
import type { Matchmaker } from './matchmaker.ts';
import type { CallPublisher } from './ports.ts';
import { queuedView, tellOfQueue } from './queue-view.ts';
import type { RandomSwitchboard } from './random-switch.ts';

/** Tickets that are read at a time where all of them are wanted. */
const pageSize = 500;

export type SearchDependencies = {
  readonly store: CallStore;
  readonly matchmaker: Matchmaker;
  readonly publisher: CallPublisher;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly newId: () => string;
  readonly logger: Logger;
  /** What the operator says: nobody waits for whom random calls are off (RQ-8). */
  readonly switchboard: RandomSwitchboard;
  /** Whether this session has a connection to this node now. */
  readonly isConnected: (caller: Caller) => boolean;
  /** This node: those who come back here are connected to it. */
  readonly nodeId: string;
};

/** What is known of somebody besides their search, read before they are put in the queue. */
export type Background = { readonly history: History; readonly blocked: readonly string[] };

export type Searches = {
  /**
   * Puts somebody in the queue and looks for a partner. A ticket that they have already is replaced: another device's with a
   * word to it (ID-5), and keeps its place where the mode is the same. `conflict`: they are in a call; `node_full`.
   */
  begin(seeker: Seeker, search: Search, background: Background): Promise<Result<void>>;
  /** Takes the ticket of this session out of the queue. Answers whether there was one. */
  cancel(caller: Caller, reason: DequeuedReason): Promise<boolean>;
  /** The connection of this session to this node is lost (RQ-5). Answers whether it had a ticket that it held from there. */
  lose(caller: Caller, node: string): Promise<boolean>;
  /** The session is back, or at this node now: its ticket may be matched again, and is looked for. Answers with it; undefined for none. */
  resume(caller: Caller): Promise<Ticket | undefined>;
  /** Somebody blocked another while they wait. Answers whether they do. */
  avoid(userId: string, blockedId: string): Promise<boolean>;
  /** Those whom a call that ended put back in the queue: they are told, and looked for. */
  again(entries: readonly TicketEntry[]): Promise<void>;
  elapse(due: DueCallDeadline & { of: 'ticket' }): Promise<void>;
  /** What the queue looks like for this ticket; undefined where it is out of it. */
  viewOf(ticket: Ticket): Promise<Queued | undefined>;
  /** Tells somebody who waits what the queue looks like for them. */
  tell(ticket: Ticket): Promise<void>;
  /** Everybody who waits and is not away, in the order of each mode. */
  all(): AsyncGenerator<Ticket>;
  /** Takes somebody out of the queue for whom random calls are off, and tells them. */
  putOutIfOff(userId: string): Promise<void>;
};

/** People who look for a partner: how they get into the queue, stay there, and get out of it other than by a match. */
export const createSearches = (dependencies: SearchDependencies): Searches => {
  const { store, matchmaker, publisher, isConnected, nodeId } = dependencies;

  const viewOf = async (ticket: Ticket) => {
    const position = await store.positionOf(ticket);
    return position && queuedView(ticket, position);
  };
  const amend = (userId: string, change: (ticket: Ticket) => Ticket | undefined) =>
    amendTicket(dependencies, userId, change);

  return {
    viewOf,
    tell: (ticket) => tellOfQueue(dependencies, ticket),
    begin: (seeker, search, background) => begin(dependencies, { seeker, search, background }),

    cancel: async (caller, reason) => {
      const stored = await store.ticketOf(caller.userId);
      if (!stored || !isOf(stored.ticket, caller)) return false;
      const removed = await store.removeTicket(caller.userId, stored.ticket.ticketId);
      if (removed && reason !== 'cancelled') publisher.toSession(stored.ticket.seeker, 'random:dequeued', { reason });
      return removed;
    },

    lose: (caller, node) => loseAt(dependencies, caller, node),

    resume: async (caller) => {
      const { seen, after } = await amend(caller.userId, (ticket) =>
        isOf(ticket, caller) && (ticket.awaySince !== null || ticket.seeker.node !== nodeId) && isConnected(caller)
          ? cameBack(ticket, { sessionId: caller.sessionId, node: nodeId })
          : undefined,
      );
      const isOut = await putOutIfOff(dependencies, caller.userId);
      // A connection that broke while its session came back was noted before that, and nobody else would note it again.
      if (after && !isConnected(caller)) await loseAt(dependencies, caller, nodeId);
      if (after) await matchmaker.look(after);
      // What was seen holds where nothing was done about it.
      const ticket = after || isOut ? (await store.ticketOf(caller.userId))?.ticket : seen;
      return ticket && isOf(ticket, caller) ? ticket : undefined;
    },

    avoid: async (userId, blockedId) =>
      (await amend(userId, (ticket) => avoiding(ticket, blockedId))).after !== undefined,

    again: async (entries) => {
      const each = (task: (ticket: Ticket) => Promise<unknown>) =>
        Promise.all(entries.map(({ ticket }) => task(ticket)));
      await each(async (ticket) => (ticket.awaySince === null ? tellOfQueue(dependencies, ticket) : undefined));
      await each((ticket) => putOutIfOff(dependencies, ticket.seeker.userId));
      await each((ticket) => matchmaker.look(ticket));
    },

    elapse: (due) => elapse(dependencies, due),

    async *all() {
      for (const mode of callModes) yield* waitingIn(store, mode);
    },

    putOutIfOff: async (userId) => {
      await putOutIfOff(dependencies, userId);
    },
  };
};

/** A node that the session has left says nothing about its ticket any more. */
const loseAt = async (dependencies: SearchDependencies, caller: Caller, node: string): Promise<boolean> => {
  const lost = await amendTicket(dependencies, caller.userId, (ticket) =>
    isOf(ticket, caller) && ticket.seeker.node === node && ticket.awaySince === null
      ? wentAway(ticket, dependencies.clock.now())
      : undefined,
  );
  return lost.after !== undefined;
};

const isOf = (ticket: Ticket, caller: Caller): boolean =>
  ticket.seeker.userId === caller.userId && ticket.seeker.sessionId === caller.sessionId;

async function* waitingIn(store: CallStore, mode: CallMode): AsyncGenerator<Ticket> {
  let after: Ticket | undefined;
  for (;;) {
    const page = await store.waiting(mode, { most: pageSize, ...(after ? { after } : {}) });
    for (const { ticket } of page) yield ticket;
    after = page.at(-1)?.ticket;
    if (page.length < pageSize) return;
  }
}

/** Answers whether random calls are off for them. */
const putOutIfOff = async ({ store, publisher, switchboard }: SearchDependencies, userId: string): Promise<boolean> => {
  const { reason, until } = switchboard.now;
  if (switchboard.isOnFor(userId)) return false;
  const stored = await store.ticketOf(userId);
  if (stored && (await store.removeTicket(userId, stored.ticket.ticketId)))
    publisher.toSession(stored.ticket.seeker, 'random:feature_unavailable', { reason, until });
  return true;
};

const entryOf = (ticket: Ticket, limits: Limits): TicketEntry => ({
  ticket,
  deadlines: ticketDeadlinesOf(ticket, limits),
});

const update = ({ store, clock, limits }: SearchDependencies, stored: StoredTicket, after: Ticket) =>
  store.updateTicket(stored, entryOf(after, limits), { expiresAt: clock.now() + limits.unavailableMs });

/** The ticket of somebody as it was found, where it was, and as it is `after` a change, where it was changed. */
type Amended = { readonly seen: Ticket | undefined; readonly after?: Ticket };

/** Changes a ticket, against others who change it too, where there is one, and something to change. */
const amendTicket = async (
  dependencies: SearchDependencies,
  userId: string,
  change: (ticket: Ticket) => Ticket | undefined,
): Promise<Amended> => {
  const { store, limits } = dependencies;
  let seen: Ticket | undefined;
  for (let tries = 0; tries < limits.commitAttempts; tries += 1) {
    const stored = await store.ticketOf(userId);
    seen = stored?.ticket;
    const after = seen && change(seen);
    if (!stored || !after) break;
    if ((await update(dependencies, stored, after)) === 'updated') return { seen, after };
  }
  return { seen };
};

type Beginning = { readonly seeker: Seeker; readonly search: Search; readonly background: Background };

const begin = async (dependencies: SearchDependencies, beginning: Beginning): Promise<Result<void>> => {
  const { store, limits } = dependencies;
  const { userId } = beginning.seeker;
  // Hardly anybody is in the queue already, so it is looked only where somebody turns out to be.
  let earlier: Ticket | undefined;
  for (let tries = 0; tries < limits.commitAttempts; tries += 1) {
    const outcome = await replaceTicket(dependencies, beginning, earlier);
    if (outcome === 'enqueued') return done(undefined);
    if (outcome === 'full') return refuse('node_full');
    if (outcome === 'expired') return refuse('unavailable');
    earlier = (await store.ticketOf(userId))?.ticket;
    if (!earlier && (await store.placeOf(userId)).at === 'call') return refuse('conflict');
  }
  return refuse('unavailable');
};

/** Puts a new ticket in the queue, in the place of an earlier one, and looks for a partner; or answers why there is none. */
const replaceTicket = async (
  dependencies: SearchDependencies,
  beginning: Beginning,
  earlier: Ticket | undefined,
): Promise<'enqueued' | 'taken' | 'full' | 'expired'> => {
  const { store, matchmaker, publisher, clock, limits, isConnected } = dependencies;
  const { seeker } = beginning;
  const ticket = ticketFor(dependencies, beginning, earlier);
  if (earlier) {
    if (!(await store.removeTicket(seeker.userId, earlier.ticketId))) return 'taken';
    if (earlier.seeker.sessionId !== seeker.sessionId)
      publisher.toSession(earlier.seeker, 'random:dequeued', { reason: 'elsewhere' });
  }
  // Seen in the same breath: who loses the connection after this is found in the queue by whoever notes it.
  const present = isConnected(seeker) ? ticket : wentAway(ticket, clock.now());
  const expiresAt = clock.now() + limits.unavailableMs;
  const entered = await store.enqueue(entryOf(present, limits), { most: limits.ticketsWaiting, expiresAt });
  if (entered.outcome !== 'enqueued') return entered.outcome;
  // By what was read as they got in, and before the look: whoever is matched hears of the queue first.
  publisher.toSession(seeker, 'random:queued', queuedView(present, entered));
  await matchmaker.look(present);
  return 'enqueued';
};

const elapse = async (dependencies: SearchDependencies, due: DueCallDeadline & { of: 'ticket' }): Promise<void> => {
  const { store, matchmaker, publisher, clock, limits } = dependencies;
  const stored = await store.ticketOf(due.userId);
  if (!stored || stored.ticket.ticketId !== due.ticketId) return store.clearDeadline(due);
  const { ticket } = stored;
  const outcome = elapsed(ticket, due.key, { now: clock.now(), limits });
  switch (outcome.kind) {
    case 'nothing':
      // Only a clock that was set back leaves it to come again. Else it would come for ever: its cause is gone, or it is nothing
      // to somebody who is away.
      if (due.at <= clock.now() || ticketDeadlinesOf(ticket, limits).get(due.key) !== due.at)
        await store.clearDeadline(due);
      return undefined;
    case 'remove':
      if (await store.removeTicket(due.userId, due.ticketId))
        publisher.toSession(ticket.seeker, 'random:dequeued', { reason: outcome.reason });
      return undefined;
    case 'look':
      if (due.key === 'repeat') await lookAgainLater(dependencies, stored);
      else await store.clearDeadline(due);
      await matchmaker.look(ticket);
      return undefined;
    default:
      if ((await update(dependencies, stored, outcome.ticket)) !== 'updated') return undefined;
      await tellOfQueue(dependencies, outcome.ticket);
      await matchmaker.look(outcome.ticket);
      return undefined;
  }
};

/**
 * RQ-4: two who met just now wait as long as there is somebody else for one of them. That one may be gone a moment later, by a
 * match, a block or a lost connection, so they look again after as long as they waited for the first time.
 */
const lookAgainLater = ({ store, clock, limits }: SearchDependencies, stored: StoredTicket): Promise<unknown> => {
  const now = clock.now();
  const deadlines = ticketDeadlinesOf(stored.ticket, limits).set('repeat', now + limits.repeatHoldMs);
  return store.updateTicket(stored, { ticket: stored.ticket, deadlines }, { expiresAt: now + limits.unavailableMs });
};

/** A new ticket; in the place of an earlier one of the same mode where there was one. */
const ticketFor = (
  { clock, limits, newId }: SearchDependencies,
  { seeker, search, background }: Beginning,
  earlier: Ticket | undefined,
): Ticket => {
  const place = earlier?.search.mode === search.mode ? earlier : { queuedAt: clock.now(), front: false };
  const ticket = arriving(seeker, search, { now: place.queuedAt, limits, ticketId: newId(), ...background });
  return { ...ticket, front: place.front };
};
