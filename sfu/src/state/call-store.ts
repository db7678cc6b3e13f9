import type { CallMode } from '@rostrum/shared/protocol/call.ts';
import type { CallDeadlineKey, CallState } from '../rules/call/state.ts';
import type { History, Ticket, TicketDeadlineKey } from '../rules/matching/ticket.ts';

/**
 * The live state of 1:1 calls: the queue of people who wait, the calls, and where each person is. A person is in one place:
 * nowhere, in the queue, or in a call; a claim moves two of them from the queue into a call, or nobody (RQ-5). Every
 * implementation passes one contract suite. Calls reject only with `StateUnavailable` (room-store.ts).
 *
 * `expiresAt` is in milliseconds since the epoch by the store's clock: a write that the caller gave up on must not happen
 * later (`expired`).
 */
export interface CallStore {
  /** Where this person is. */
  placeOf(userId: string): Promise<Place>;
  /** What is remembered of this person's calls; undefined where nothing is, or not any more. */
  historyOf(userId: string): Promise<History | undefined>;

  // ——— The queue ———

  /**
   * Puts somebody in the queue, and answers where they stand at that moment, as `positionOf` does. `taken`: they are in the queue
   * or in a call already. `full`: `most` wait.
   */
  enqueue(
    entry: TicketEntry,
    options: { most: number; expiresAt: number },
  ): Promise<({ outcome: 'enqueued' } & QueuePosition) | { outcome: 'taken' | 'full' | 'expired' }>;
  ticketOf(userId: string): Promise<StoredTicket | undefined>;
  /** Compare-and-set of a ticket that stays in the queue. */
  updateTicket(
    stored: StoredTicket,
    after: TicketEntry,
    options: { expiresAt: number },
  ): Promise<'updated' | 'conflict' | 'expired'>;
  /** Takes somebody out of the queue, if the ticket is still this one, whatever its version. Answers whether it was. */
  removeTicket(userId: string, ticketId: string): Promise<boolean>;
  /**
   * A page of those who wait in this mode and are not away, in order of `queuedAt`, those at the front first. `after` is the last
   * one of the page before.
   */
  waiting(mode: CallMode, options: { after?: Ticket; most: number }): Promise<StoredTicket[]>;
  /**
   * The place of this ticket in that order, from 1, and how many wait in its mode, away or not. Undefined where it is not in the
   * queue any more, in whatever version.
   */
  positionOf(ticket: Ticket): Promise<QueuePosition | undefined>;
  /**
   * Takes both tickets and writes the call, its deadlines and both people's places, or does nothing: `lost` where either ticket is
   * not there any more in just this version, or either is away.
   */
  claim(claim: Claim): Promise<'claimed' | 'lost' | 'full' | 'expired'>;

  // ——— Calls ———

  load(callId: string): Promise<LoadedCall | undefined>;
  /**
   * Compare-and-set on the version. A call that ended is forgotten with its deadlines, both people are let go, `histories` are
   * kept until `historyUntil`, and who waits again is put in the queue, all in one (nobody is lost).
   */
  commit(
    commit: CallCommit,
  ): Promise<{ outcome: 'committed'; version: number } | { outcome: 'conflict' | 'expired' | 'gone' }>;
  /** Every call that is not over; for a server that stops. */
  callIds(): Promise<string[]>;
  counts(): Promise<CallCounts>;

  // ——— Deadlines ———

  /** Deadlines that are due at `now`, earliest first. They stay until what carries them out removes them. */
  due(now: number, most: number): Promise<DueCallDeadline[]>;
  /** Removes a deadline that turned out to have no cause, if it is still the same. */
  clearDeadline(due: DueCallDeadline): Promise<void>;

  // ——— Copies, for a store that comes back empty (epoch.ts) ———

  /**
   * Writes back a call, in the latest version of which anybody knows; of one that ended, that it is over. Where somebody would be
   * at two places, the later one holds. `late`: others have gone on since, so nothing that is there gives way.
   */
  restoreCall(call: LoadedCall, options: RestoreOptions<CallDeadlineKey>): Promise<void>;
  /** The same for somebody who waits. */
  restoreTicket(stored: StoredTicket, options: RestoreOptions<TicketDeadlineKey>): Promise<void>;
}

export type RestoreOptions<Key> = { readonly deadlines: ReadonlyMap<Key, number>; readonly late: boolean };

export type Place =
  | { readonly at: 'nowhere' }
  | { readonly at: 'queue'; readonly ticketId: string }
  | { readonly at: 'call'; readonly callId: string };

export type TicketEntry = {
  readonly ticket: Ticket;
  /** All of them: what was there before is replaced. */
  readonly deadlines: ReadonlyMap<TicketDeadlineKey, number>;
};

export type QueuePosition = { readonly position: number; readonly waiting: number };

export type StoredTicket = { readonly ticket: Ticket; readonly version: number };

export type Claim = {
  readonly tickets: readonly [StoredTicket, StoredTicket];
  readonly call: CallState;
  readonly deadlines: ReadonlyMap<CallDeadlineKey, number>;
  /** Calls that there may be at a time, this one included. */
  readonly most: number;
  readonly expiresAt: number;
};

export type LoadedCall = { readonly call: CallState; readonly version: number };

export type CallCommit = {
  readonly callId: string;
  readonly version: number;
  readonly after: CallState;
  /** All deadlines that there are now; ignored for a call that ended. */
  readonly deadlines: ReadonlyMap<CallDeadlineKey, number>;
  /** Of a call that ended: what to remember of its people, by user. */
  readonly histories: ReadonlyMap<string, History>;
  readonly historyUntil: number;
  /** Of a call that ended: who waits again. */
  readonly requeue: readonly TicketEntry[];
  readonly expiresAt: number;
};

export type CallCounts = { readonly waiting: number; readonly calls: number };

export type DueCallDeadline =
  | {
      readonly of: 'ticket';
      readonly userId: string;
      readonly ticketId: string;
      readonly key: TicketDeadlineKey;
      readonly at: number;
    }
  | { readonly of: 'call'; readonly callId: string; readonly key: CallDeadlineKey; readonly at: number };
