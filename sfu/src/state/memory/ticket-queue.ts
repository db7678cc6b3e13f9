import type { CallMode } from '@rostrum/shared/protocol/call.ts';
import type { Ticket } from '../../rules/matching/ticket.ts';
import type { QueuePosition, StoredTicket } from '../call-store.ts';
import { WaitingLine } from './waiting-line.ts';

/** Who waits in one mode. `everybody` gives positions, `present` is whom one can be matched with. */
type Lines = { readonly everybody: WaitingLine; readonly present: WaitingLine };

const newLines = (): Lines => ({ everybody: new WaitingLine(), present: new WaitingLine() });

/** The tickets, one a person, by user and in the order of each mode. */
export class TicketQueue {
  readonly #tickets = new Map<string, StoredTicket>();
  readonly #lines: Readonly<Record<CallMode, Lines>> = { voice: newLines(), video: newLines(), text: newLines() };

  get size(): number {
    return this.#tickets.size;
  }

  of(userId: string): StoredTicket | undefined {
    return this.#tickets.get(userId);
  }

  /** What is kept of this ticket, if it is still this one in just this version. */
  unchanged({ ticket, version }: StoredTicket): StoredTicket | undefined {
    const kept = this.#tickets.get(ticket.seeker.userId);
    return kept?.ticket.ticketId === ticket.ticketId && kept.version === version ? kept : undefined;
  }

  /** Puts a ticket in, in place of the one that its person has. */
  put(ticket: Ticket, version: number): void {
    this.remove(ticket.seeker.userId);
    const stored: StoredTicket = { ticket, version };
    const { everybody, present } = this.#lines[ticket.search.mode];
    this.#tickets.set(ticket.seeker.userId, stored);
    everybody.add(stored);
    if (ticket.awaySince === null) present.add(stored);
  }

  remove(userId: string): void {
    const kept = this.#tickets.get(userId);
    if (!kept) return;
    const { everybody, present } = this.#lines[kept.ticket.search.mode];
    this.#tickets.delete(userId);
    everybody.remove(kept.ticket);
    present.remove(kept.ticket);
  }

  /** A page of those who are present, the first ones or those after this ticket. */
  page(mode: CallMode, most: number, after?: Ticket): StoredTicket[] {
    return this.#lines[mode].present.page(most, after);
  }

  positionOf(ticket: Ticket): QueuePosition {
    const { everybody } = this.#lines[ticket.search.mode];
    return { position: everybody.countBefore(ticket) + 1, waiting: everybody.length };
  }
}
