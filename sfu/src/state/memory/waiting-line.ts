import type { Ticket } from '../../rules/matching/ticket.ts';
import type { StoredTicket } from '../call-store.ts';

/**
 * Tickets in the order of the queue: those at the front first, then by `queuedAt`; ids decide where all is equal. A sorted array:
 * a place is found by binary search, and what is moved to make room, some kilobytes at 10,000 tickets, is moved at once by the
 * engine.
 */
export class WaitingLine {
  readonly #entries: StoredTicket[] = [];

  get length(): number {
    return this.#entries.length;
  }

  add(entry: StoredTicket): void {
    this.#entries.splice(this.countBefore(entry.ticket), 0, entry);
  }

  /** Takes a ticket out, if it is there. */
  remove(ticket: Ticket): void {
    const place = this.countBefore(ticket);
    if (this.#isAt(place, ticket)) this.#entries.splice(place, 1);
  }

  /** The first ones, or those after this ticket, which need not be in the line any more. */
  page(most: number, after?: Ticket): StoredTicket[] {
    const place = after ? this.countBefore(after) : 0;
    const start = after && this.#isAt(place, after) ? place + 1 : place;
    return this.#entries.slice(start, start + most);
  }

  /** How many stand before the place of this ticket. */
  countBefore(ticket: Ticket): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#entries[middle];
      if (entry && compareTickets(entry.ticket, ticket) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #isAt(place: number, ticket: Ticket): boolean {
    return this.#entries[place]?.ticket.ticketId === ticket.ticketId;
  }
}

const compareTickets = (one: Ticket, other: Ticket): number =>
  Number(other.front) - Number(one.front) ||
  one.queuedAt - other.queuedAt ||
  (one.ticketId < other.ticketId ? -1 : Number(one.ticketId > other.ticketId));
