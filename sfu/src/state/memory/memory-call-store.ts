import type { CallMode } from '@rostrum/shared/protocol/call.ts';
import type { CallDeadlineKey, CallState } from '../../rules/call/state.ts';
import type { History, Ticket, TicketDeadlineKey } from '../../rules/matching/ticket.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type Held, yieldsToCall, yieldsToTicket } from '../call-places.ts';
import type {
  CallCommit,
  CallCounts,
  CallStore,
  Claim,
  DueCallDeadline,
  LoadedCall,
  Place,
  QueuePosition,
  RestoreOptions,
  StoredTicket,
  TicketEntry,
} from '../call-store.ts';
import { DeadlineHeap } from './deadline-heap.ts';
import { ExpiringMap } from './expiring-map.ts';
import { TicketQueue } from './ticket-queue.ts';

/**
 * RE-5: people whose calls are remembered at a time, ten times as many as can wait. Whoever is forgotten early is found in the
 * call records when they search again.
 */
const historiesKept = 100_000;
/** How long it is remembered what was written back, as in Redis (room-restore.ts), and of how many calls: all that there may be. */
const restoredMs = 3_600_000;
const restoredCalls = 5000;

/** The embedded store: one process, nothing to install, gone with the process. */
export const createMemoryCallStore = (clock: Clock): CallStore => new MemoryCallStore(clock);

/**
 * Values are immutable, so what is handed out is what is kept. Nothing waits between looking and writing, so each operation is
 * atomic. Tickets and calls are bounded by `most` of what makes them; who waits again after a call was counted with the calls.
 */
class MemoryCallStore implements CallStore {
  readonly #clock: Clock;
  readonly #queue = new TicketQueue();
  readonly #calls = new Map<string, LoadedCall>();
  /** The call that somebody is in, by user. */
  readonly #callOf = new Map<string, string>();
  /** The version of calls that were written back. */
  readonly #restored = new ExpiringMap<number>(restoredCalls);
  readonly #histories = new ExpiringMap<History>(historiesKept);
  readonly #deadlines = new DeadlineHeap<DueCallDeadline>((due) => (due.of === 'ticket' ? due.ticketId : due.callId));

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async placeOf(userId: string): Promise<Place> {
    const callId = this.#callOf.get(userId);
    if (callId !== undefined) return { at: 'call', callId };
    const stored = this.#queue.of(userId);
    return stored ? { at: 'queue', ticketId: stored.ticket.ticketId } : { at: 'nowhere' };
  }

  async historyOf(userId: string): Promise<History | undefined> {
    return this.#histories.get(userId, this.#clock.now());
  }

  async enqueue(
    entry: TicketEntry,
    { most, expiresAt }: { most: number; expiresAt: number },
  ): ReturnType<CallStore['enqueue']> {
    const { userId } = entry.ticket.seeker;
    if (this.#isOver(expiresAt)) return { outcome: 'expired' };
    if (this.#queue.of(userId) || this.#callOf.has(userId)) return { outcome: 'taken' };
    if (this.#queue.size >= most) return { outcome: 'full' };
    this.#putTicket(entry, 1);
    return { outcome: 'enqueued', ...this.#queue.positionOf(entry.ticket) };
  }

  async ticketOf(userId: string): Promise<StoredTicket | undefined> {
    return this.#queue.of(userId);
  }

  async updateTicket(
    stored: StoredTicket,
    after: TicketEntry,
    { expiresAt }: { expiresAt: number },
  ): Promise<'updated' | 'conflict' | 'expired'> {
    if (this.#isOver(expiresAt)) return 'expired';
    const kept = this.#queue.unchanged(stored);
    if (!kept) return 'conflict';
    if (after.ticket.ticketId !== kept.ticket.ticketId) this.#deadlines.removeOwner(kept.ticket.ticketId);
    this.#putTicket(after, kept.version + 1);
    return 'updated';
  }

  async removeTicket(userId: string, ticketId: string): Promise<boolean> {
    const kept = this.#queue.of(userId);
    if (kept?.ticket.ticketId !== ticketId) return false;
    this.#dropTicket(kept.ticket);
    return true;
  }

  async waiting(mode: CallMode, { after, most }: { after?: Ticket; most: number }): Promise<StoredTicket[]> {
    return this.#queue.page(mode, most, after);
  }

  async positionOf(ticket: Ticket): Promise<QueuePosition | undefined> {
    const kept = this.#queue.of(ticket.seeker.userId);
    return kept?.ticket.ticketId !== ticket.ticketId ? undefined : this.#queue.positionOf(ticket);
  }

  async claim(claim: Claim): Promise<'claimed' | 'lost' | 'full' | 'expired'> {
    if (this.#isOver(claim.expiresAt)) return 'expired';
    const canBeTaken = claim.tickets.every((stored) => this.#queue.unchanged(stored)?.ticket.awaySince === null);
    if (!canBeTaken) return 'lost';
    if (this.#calls.size >= claim.most) return 'full';
    for (const { ticket } of claim.tickets) this.#dropTicket(ticket);
    for (const { userId } of claim.call.sides) this.#callOf.set(userId, claim.call.callId);
    this.#putCall(claim.call, 1, claim.deadlines);
    return 'claimed';
  }

  async load(callId: string): Promise<LoadedCall | undefined> {
    return this.#calls.get(callId);
  }

  async commit(
    commit: CallCommit,
  ): Promise<{ outcome: 'committed'; version: number } | { outcome: 'conflict' | 'expired' | 'gone' }> {
    const before = this.#calls.get(commit.callId);
    if (this.#isOver(commit.expiresAt)) return { outcome: 'expired' };
    if (!before) return { outcome: 'gone' };
    if (before.version !== commit.version) return { outcome: 'conflict' };
    const version = before.version + 1;
    if (commit.after.phase === 'ended') this.#end(commit);
    else this.#putCall(commit.after, version, commit.deadlines);
    return { outcome: 'committed', version };
  }

  async callIds(): Promise<string[]> {
    return [...this.#calls.keys()];
  }

  async counts(): Promise<CallCounts> {
    return { waiting: this.#queue.size, calls: this.#calls.size };
  }

  async due(now: number, most: number): Promise<DueCallDeadline[]> {
    return this.#deadlines.due(now, most);
  }

  async clearDeadline(due: DueCallDeadline): Promise<void> {
    this.#deadlines.clear(due);
  }

  async restoreCall(loaded: LoadedCall, { deadlines, late }: RestoreOptions<CallDeadlineKey>): Promise<void> {
    const { call, version } = loaded;
    const { callId } = call;
    const now = this.#clock.now();
    const known = this.#restored.get(callId, now);
    if (known !== undefined && (late || known >= version)) return;
    const held = call.sides.map(({ userId }) => this.#heldBy(userId));
    if (call.phase === 'ended') this.#dropCall(callId);
    else {
      const gives = (it: Held): boolean => (late ? it.at === 'nowhere' : yieldsToCall(it, loaded));
      if (!held.every(gives)) return;
      for (const it of held) this.#leave(it);
      for (const { userId } of call.sides) this.#callOf.set(userId, callId);
      this.#putCall(call, version, deadlines);
    }
    this.#restored.set(callId, version, now + restoredMs);
  }

  async restoreTicket(stored: StoredTicket, { deadlines, late }: RestoreOptions<TicketDeadlineKey>): Promise<void> {
    const { ticket, version } = stored;
    const held = this.#heldBy(ticket.seeker.userId);
    if (late ? held.at !== 'nowhere' : !yieldsToTicket(held, stored)) return;
    this.#leave(held);
    this.#putTicket({ ticket, deadlines }, version);
  }

  #heldBy(userId: string): Held {
    const stored = this.#queue.of(userId);
    if (stored) return { at: 'queue', stored };
    const loaded = this.#calls.get(this.#callOf.get(userId) ?? '');
    return loaded ? { at: 'call', call: loaded.call } : { at: 'nowhere' };
  }

  #leave(held: Held): void {
    if (held.at === 'queue') this.#dropTicket(held.stored.ticket);
    if (held.at === 'call') this.#dropCall(held.call.callId);
  }

  /** Forgets a call with its deadlines, and lets both people go. */
  #dropCall(callId: string): void {
    for (const { userId } of this.#calls.get(callId)?.call.sides ?? []) this.#callOf.delete(userId);
    this.#calls.delete(callId);
    this.#deadlines.removeOwner(callId);
  }

  #isOver(expiresAt: number): boolean {
    return this.#clock.now() > expiresAt;
  }

  #putTicket({ ticket, deadlines }: TicketEntry, version: number): void {
    const { ticketId } = ticket;
    const { userId } = ticket.seeker;
    this.#queue.put(ticket, version);
    this.#deadlines.replace(
      ticketId,
      [...deadlines].map(([key, at]) => ({ of: 'ticket', userId, ticketId, key, at })),
    );
  }

  #dropTicket(ticket: Ticket): void {
    this.#queue.remove(ticket.seeker.userId);
    this.#deadlines.removeOwner(ticket.ticketId);
  }

  #putCall(call: CallState, version: number, deadlines: Claim['deadlines']): void {
    const { callId } = call;
    this.#calls.set(callId, { call, version });
    this.#deadlines.replace(
      callId,
      [...deadlines].map(([key, at]) => ({ of: 'call', callId, key, at })),
    );
  }

  #end({ callId, histories, historyUntil, requeue }: CallCommit): void {
    this.#dropCall(callId);
    for (const [userId, history] of histories) this.#histories.set(userId, history, historyUntil);
    this.#histories.sweep(this.#clock.now());
    for (const entry of requeue) this.#putTicket(entry, 1);
  }
}
