import type { CallEndReason } from '@rostrum/shared/protocol/call.ts';
import { done, refuse } from '@rostrum/shared/result.ts';
import { type CallState, otherSide, sideOf, ticketOf } from '../state.ts';
import { type CallContext, type CallDecision, type Command, heldSide } from './decision.ts';

export const ending = (reason: CallEndReason, by: string | null, { now }: CallContext): CallDecision =>
  done([{ type: 'ended', end: { at: now, reason, by } }]);

/** RD-6: ends the call and waits for the next person at once (`closingOf`). */
export const next = (call: CallState, { by }: Command<'next'>, context: CallContext): CallDecision =>
  heldSide(call, by) ? ending('next', by.userId, context) : refuse('stale');

/** RD-6 */
export const end = (call: CallState, { by, reason }: Command<'end'>, context: CallContext): CallDecision =>
  heldSide(call, by) ? ending(reason, by.userId, context) : refuse('stale');

/** SF-4: ends a call between the two. Anybody else is somebody whom they must not meet next, should they wait again (RQ-4). */
export const block = (call: CallState, { userId, blockedId }: Command<'block'>, context: CallContext): CallDecision => {
  const side = sideOf(call, userId);
  if (!side) return refuse('stale');
  if (blockedId === userId) return refuse('invalid', { path: 'userId' });
  if (otherSide(call, side).userId === blockedId) return ending('blocked', userId, context);
  const isKnown = ticketOf(call, side).blocked.includes(blockedId);
  return done(isKnown ? [] : [{ type: 'avoided', userId, avoidedId: blockedId }]);
};

/** An operator, or the server that stops, ends it. */
export const stop = ({ reason }: Command<'stop'>, context: CallContext): CallDecision => ending(reason, null, context);
