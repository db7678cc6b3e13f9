import type { CallState } from '../rules/call/state.ts';
import type { LoadedCall, StoredTicket } from './call-store.ts';

/** What holds a person's place. */
export type Held =
  | { readonly at: 'nowhere' }
  | { readonly at: 'queue'; readonly stored: StoredTicket }
  | { readonly at: 'call'; readonly call: CallState };

/*
 * Where nodes write back what they know, one may not have heard of the latest, and put somebody at a place that they left. The
 * place that they took later holds: who is in a call leaves the queue before, and who waits left their call before.
 */

/** Whether what holds a person's place gives way to this call. */
export const yieldsToCall = (held: Held, { call }: LoadedCall): boolean => {
  if (held.at === 'nowhere') return true;
  if (held.at === 'queue') return held.stored.ticket.queuedAt <= call.matchedAt;
  const { callId, matchedAt } = held.call;
  if (callId === call.callId) return true;
  // At the same moment one of them holds, whichever comes first.
  return matchedAt < call.matchedAt || (matchedAt === call.matchedAt && callId < call.callId);
};

/** Whether what holds a person's place gives way to this ticket. */
export const yieldsToTicket = (held: Held, { ticket, version }: StoredTicket): boolean => {
  if (held.at === 'nowhere') return true;
  if (held.at === 'call') return held.call.matchedAt < ticket.queuedAt;
  const other = held.stored;
  if (other.ticket.ticketId === ticket.ticketId) return other.version < version;
  return other.ticket.queuedAt < ticket.queuedAt;
};
