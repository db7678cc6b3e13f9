import type { Caller } from '../rules/call/commands.ts';
import type { CallSide, CallState } from '../rules/call/state.ts';
import type { Ticket } from '../rules/matching/ticket.ts';
import type { Clock } from '../runtime/clock.ts';
import { Passing } from '../runtime/passing.ts';
import type { CallCommit, CallStore, LoadedCall, StoredTicket } from '../state/call-store.ts';

/** What a node tells the others of a call, or of the queue, as far as it concerns them. */
export type CallCopyMessage =
  | {
      readonly kind: 'call-copy';
      readonly call: CallState;
      readonly version: number;
      /** Of a call that ended: who waits again. */
      readonly tickets: readonly StoredTicket[];
    }
  | { readonly kind: 'ticket-copy'; readonly stored: StoredTicket }
  | { readonly kind: 'ticket-gone'; readonly userId: string; readonly ticketId: string };

export type CallCopiesOptions = {
  readonly store: CallStore;
  readonly nodeId: string;
  readonly tell: (message: CallCopyMessage) => void;
  readonly clock: Clock;
  /**
   * What somebody held from this node counts as lost, or as another node's: their place in the queue, or their side of a call.
   * Their session may be here all the same, where something late took it away.
   */
  readonly displaced: (caller: Caller) => void;
};

/** Calls and tickets read at a time. */
const batch = 50;

/**
 * Copies of the calls that have a side at this node, and of its people's tickets, for a store that comes back empty
 * (cluster/restore.ts). They follow what this node commits, since everything goes through `watched`, and what others tell.
 * What concerns other nodes alone, and calls that ended, stay for a while (passing.ts). Bounded by the people of this node.
 */
export class CallCopies {
  readonly #options: CallCopiesOptions;
  readonly #calls = new Map<string, LoadedCall>();
  readonly #tickets = new Map<string, StoredTicket>();
  readonly #passing = new Passing();
  /** The store, with all that is committed through it kept here. */
  readonly watched: CallStore;

  constructor(options: CallCopiesOptions) {
    this.#options = options;
    this.watched = this.#watch(options.store);
  }

  /** What another node tells. */
  told(message: CallCopyMessage): void {
    switch (message.kind) {
      case 'call-copy':
        for (const stored of message.tickets) this.#keepTicket(stored);
        this.#keepCall(message);
        break;
      case 'ticket-copy':
        this.#keepTicket(message.stored);
        break;
      case 'ticket-gone':
        this.#dropTicket(message.userId, message.ticketId);
        break;
      default:
        message satisfies never;
    }
  }

  /** Calls that this node knows, with those that ended lately. */
  calls(): LoadedCall[] {
    return [...this.#calls.values()];
  }

  tickets(): StoredTicket[] {
    return [...this.#tickets.values()];
  }

  /** Sides, of calls that this node holds, of people whom nobody has given up yet. */
  present(): { callId: string; side: CallSide }[] {
    return [...this.#calls.values()].flatMap(({ call }) =>
      call.phase === 'ended'
        ? []
        : call.sides.flatMap((side) => (side.awaySince === null ? [{ callId: call.callId, side }] : [])),
    );
  }

  /** Reads every call and ticket anew: something may have been missed. Rejects with `StateUnavailable`. */
  async reload(): Promise<void> {
    await inBatches([...this.#calls.values()], (known) => this.#readCall(known));
    await inBatches([...this.#tickets.values()], (known) => this.#readTicket(known));
  }

  #watch(store: CallStore): CallStore {
    return {
      enqueue: async (entry, options) => {
        const result = await store.enqueue(entry, options);
        if (result.outcome === 'enqueued') this.#changedTicket({ ticket: entry.ticket, version: 1 });
        return result;
      },
      updateTicket: async (stored, after, options) => {
        const outcome = await store.updateTicket(stored, after, options);
        if (outcome === 'updated') this.#changedTicket({ ticket: after.ticket, version: stored.version + 1 }, stored);
        return outcome;
      },
      removeTicket: async (userId, ticketId) => {
        const removed = await store.removeTicket(userId, ticketId);
        const mine = this.#tickets.get(userId);
        if (removed && !(mine && this.#isHere(mine.ticket.seeker)))
          this.#options.tell({ kind: 'ticket-gone', userId, ticketId });
        if (removed) this.#dropTicket(userId, ticketId);
        return removed;
      },
      claim: async (claim) => {
        const outcome = await store.claim(claim);
        if (outcome === 'claimed') this.#changedCall({ call: claim.call, version: 1 }, []);
        return outcome;
      },
      commit: async (commit) => {
        const result = await store.commit(commit);
        if (result.outcome === 'committed')
          this.#changedCall({ call: commit.after, version: result.version }, requeuedBy(commit));
        return result;
      },
      placeOf: (userId) => store.placeOf(userId),
      historyOf: (userId) => store.historyOf(userId),
      ticketOf: (userId) => store.ticketOf(userId),
      waiting: (mode, options) => store.waiting(mode, options),
      positionOf: (ticket) => store.positionOf(ticket),
      load: (callId) => store.load(callId),
      callIds: () => store.callIds(),
      counts: () => store.counts(),
      due: (now, most) => store.due(now, most),
      clearDeadline: (due) => store.clearDeadline(due),
      restoreCall: (call, options) => store.restoreCall(call, options),
      restoreTicket: (stored, options) => store.restoreTicket(stored, options),
    };
  }

  #changedTicket(stored: StoredTicket, before?: StoredTicket): void {
    this.#sweep();
    this.#keepTicket(stored, { isMine: true });
    const holders = before ? [before, stored] : [stored];
    if (!holders.every(({ ticket }) => this.#isHere(ticket.seeker)))
      this.#options.tell({ kind: 'ticket-copy', stored });
  }

  #changedCall(loaded: LoadedCall, tickets: readonly StoredTicket[]): void {
    this.#sweep();
    for (const stored of tickets) this.#keepTicket(stored, { isMine: true });
    this.#keepCall(loaded, { isMine: true });
    if (!loaded.call.sides.every((side) => this.#isHere(side)))
      this.#options.tell({ kind: 'call-copy', ...loaded, tickets });
  }

  /** `isMine`: this node made the change, and keeps it for a while whomever it concerns. */
  #keepTicket(stored: StoredTicket, { isMine = false } = {}): void {
    const { userId } = stored.ticket.seeker;
    const known = this.#tickets.get(userId);
    if (known && isLater(known, stored)) return;
    if (!isMine && known?.ticket.ticketId === stored.ticket.ticketId)
      this.#compare(placeOf(known.ticket), placeOf(stored.ticket));
    const isHere = this.#isHere(stored.ticket.seeker);
    if (isHere || isMine) this.#tickets.set(userId, stored);
    else this.#tickets.delete(userId);
    this.#note(`ticket ${userId}`, isHere);
  }

  #dropTicket(userId: string, ticketId: string): void {
    if (this.#tickets.get(userId)?.ticket.ticketId === ticketId) this.#tickets.delete(userId);
  }

  #keepCall({ call, version }: LoadedCall, { isMine = false } = {}): void {
    const { callId } = call;
    const known = this.#calls.get(callId);
    for (const { ticketId, seeker } of call.origin.tickets) this.#dropTicket(seeker.userId, ticketId);
    if (known && known.version > version) return;
    const isHere = call.sides.some((side) => this.#isHere(side));
    if (!(isHere || isMine || known)) return;
    if (!isMine && call.phase !== 'ended')
      for (const [index, side] of call.sides.entries()) this.#compare(known?.call.sides[index], side);
    this.#calls.set(callId, { call, version });
    this.#note(`call ${callId}`, isHere && call.phase !== 'ended');
  }

  async #readCall({ call, version }: LoadedCall): Promise<void> {
    const { callId } = call;
    const loaded = await this.#options.store.load(callId);
    const known = this.#calls.get(callId);
    if (loaded) this.#keepCall(loaded);
    else if (known?.version === version && known.call.phase !== 'ended') this.#calls.delete(callId);
  }

  async #readTicket(known: StoredTicket): Promise<void> {
    const { userId } = known.ticket.seeker;
    const stored = await this.#options.store.ticketOf(userId);
    if (stored) this.#keepTicket(stored);
    else if (this.#tickets.get(userId) === known) this.#tickets.delete(userId);
  }

  #compare(before: Placed | undefined, after: Placed): void {
    if (before?.sessionId !== after.sessionId || !this.#isPresent(before) || this.#isPresent(after)) return;
    this.#options.displaced({ userId: after.userId, sessionId: after.sessionId });
  }

  #isPresent(placed: Placed): boolean {
    return this.#isHere(placed) && placed.awaySince === null;
  }

  #note(name: string, forGood: boolean): void {
    if (forGood) this.#passing.forget(name);
    else this.#passing.note(name, this.#options.clock.now());
  }

  /** The store serves, and the others have heard: what is over goes. */
  #sweep(): void {
    for (const name of this.#passing.over(this.#options.clock.now())) {
      const [, kind, id = ''] = /^(ticket|call) (.*)$/s.exec(name) ?? [];
      if (kind === 'ticket') this.#tickets.delete(id);
      else this.#calls.delete(id);
    }
  }

  #isHere({ node }: { readonly node: string }): boolean {
    return node === this.#options.nodeId;
  }
}

/** From which node somebody holds their place. */
type Placed = Caller & { readonly node: string; readonly awaySince: number | null };

const placeOf = ({ seeker: { userId, sessionId, node }, awaySince }: Ticket): Placed => ({
  userId,
  sessionId,
  node,
  awaySince,
});

const requeuedBy = ({ after, requeue }: CallCommit): StoredTicket[] =>
  after.phase === 'ended' ? requeue.map(({ ticket }) => ({ ticket, version: 1 })) : [];

/** Whether the one ticket of a person came after the other. */
const isLater = (one: StoredTicket, other: StoredTicket): boolean =>
  one.ticket.ticketId === other.ticket.ticketId ? one.version > other.version : isNewer(one.ticket, other.ticket);

const isNewer = (one: Ticket, other: Ticket): boolean => one.queuedAt > other.queuedAt;

const inBatches = async <Value>(values: readonly Value[], task: (value: Value) => Promise<void>): Promise<void> => {
  for (let first = 0; first < values.length; first += batch)
    await Promise.all(values.slice(first, first + batch).map(task));
};
