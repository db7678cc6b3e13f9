import type { Limits } from '@rostrum/shared/limits.ts';
import type { CallEndReason } from '@rostrum/shared/protocol/call.ts';
import { type CallMemory, remembering } from '../matching/history.ts';
import { ticketDeadlinesOf, waitingAgain } from '../matching/queue.ts';
import type { History, Ticket, TicketDeadlineKey } from '../matching/ticket.ts';
import { type CallEnd, type CallSide, type CallState, isPresent, otherSide, ticketOf } from './state.ts';

/** What a call leaves behind. */
export type Closing = {
  /** What to remember of its people, by user. */
  readonly histories: Map<string, History>;
  /** Who waits again. */
  readonly requeue: { readonly ticket: Ticket; readonly deadlines: Map<TicketDeadlineKey, number> }[];
};

type ClosingContext = { readonly now: number; readonly limits: Limits; readonly newId: () => string };

/**
 * What follows when a command ended a call: what is remembered of it (RQ-4, RD-3), and who waits again (RD-3, RD-6). `before`
 * is the call before that command; of a call that goes on, or had ended before, nothing follows.
 */
export const closingOf = (before: CallState, after: CallState, context: ClosingContext): Closing => {
  const { ended } = after;
  const closing: Closing = { histories: new Map(), requeue: [] };
  if (ended === null || before.ended !== null) return closing;
  const { now, limits, newId } = context;
  for (const side of after.sides) {
    const ticket = ticketOf(after, side);
    const memory = memoryOf(after, ended);
    const history = remembering(ticket.history, otherSide(after, side).userId, memory, { now, limits });
    closing.histories.set(side.userId, history);
    const place = placeAfter(after, side, ended, context);
    if (place === null) continue;
    const { sessionId, node, awaySince } = side;
    const again = { now, limits, front: place === 'front', ticketId: newId(), history, awaySince };
    const waiting = waitingAgain(ticket, { ...again, connection: { sessionId, node } });
    closing.requeue.push({ ticket: waiting, deadlines: ticketDeadlinesOf(waiting, limits) });
  }
  return closing;
};

/** A text call connects nothing, so it says nothing about anybody's network. */
const memoryOf = (call: CallState, { reason }: CallEnd): CallMemory => {
  // A partner who closed the page says nothing about anybody's network.
  if (reason === 'connect-timeout') return isPresent(call) ? 'failed' : 'skipped';
  return call.mode === 'text' || call.connectedAt === null ? 'skipped' : 'connected';
};

/** Ends after which a side that had met nobody yet, and did not end the call, waits again before everybody else. */
const unmet: ReadonlySet<CallEndReason> = new Set([
  'connect-timeout',
  'next',
  'hung-up',
  'blocked',
  'left-for-room',
  'lost',
]);

/** Where this side waits again; null where it does not. Who is away waits as such, as long as the grace of the queue lasts. */
const placeAfter = (
  { connectedAt }: CallState,
  side: CallSide,
  { reason, by }: CallEnd,
  { now, limits }: ClosingContext,
): 'front' | 'back' | null => {
  const isGone = (withinMs: number): boolean => side.awaySince !== null && side.awaySince + withinMs <= now;
  if (isGone(limits.queueGraceMs)) return null;
  if (by === side.userId) return reason === 'next' ? 'back' : null;
  if (connectedAt !== null || !unmet.has(reason)) return null;
  // Whose absence ended the call has had their time.
  return reason === 'lost' && isGone(limits.resumeMs) ? null : 'front';
};
