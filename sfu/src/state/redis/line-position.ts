import type { Ticket } from '../../rules/matching/ticket.ts';
import { corrupt } from './corrupt.ts';

/**
 * What is taken from the score of those at the front, so that they stand before everybody: longer than any time since the epoch,
 * and both together still whole numbers of a double.
 */
const frontOffset = 1e15;

/** A place in the order of a sorted set: by score, then by bytes. */
export type Position = { readonly score: number; readonly member: string };

/** The order of the queue: those at the front first, then by `queuedAt`, then by ticket. */
const scoreOf = ({ front, queuedAt }: Ticket): number => (front ? queuedAt - frontOffset : queuedAt);

/**
 * Where a ticket stands in the lines. The member names its user too, whose key has the ticket, and its stamp (recent.ts): so a
 * node that knows a ticket need not read it again to match somebody with it.
 */
export const lineEntry = (ticket: Ticket, stamp: string): Position => ({
  score: scoreOf(ticket),
  member: `${ticket.ticketId} ${ticket.seeker.userId} ${stamp}`,
});

/** @throws CorruptState */
export const readLineMember = (member: string): { ticketId: string; userId: string; stamp: string } => {
  const [ticketId, userId, stamp] = member.split(' ');
  if (ticketId === undefined || userId === undefined || stamp === undefined)
    return corrupt('the queue', 'has somebody without a ticket');
  return { ticketId, userId, stamp };
};

/** Just before the member of this ticket, whatever its stamp: members of others stand before it if they are less. */
export const placeBefore = (ticket: Ticket): Position => ({ score: scoreOf(ticket), member: `${ticket.ticketId} ` });

/** Just behind it: no byte of an id, and not the blank, is less than `!`. */
export const placeBehind = (ticket: Ticket): Position => ({ score: scoreOf(ticket), member: `${ticket.ticketId}!` });
