import { done, refuse } from '@rostrum/shared/result.ts';
import { callDeadlinesOf } from '../deadlines.ts';
import type { CallEvent } from '../events.ts';
import { type CallState, otherSide } from '../state.ts';
import { type CallContext, type CallDecision, type Command, heldSide } from './decision.ts';
import { ending } from './end.ts';

/** RD-7: somebody spoke or wrote. Only voice calls ask after silence, and only while they are connected. */
const activity = (call: CallState, { now }: CallContext): CallEvent[] =>
  call.mode === 'voice' && call.phase === 'connected' ? [{ type: 'active', at: now }] : [];

/** RD-13: what one side measured, of media that flowed. Speech in it breaks the silence. */
export const reportQuality = (
  call: CallState,
  { by, report }: Command<'report-quality'>,
  context: CallContext,
): CallDecision => {
  const side = heldSide(call, by);
  if (!side) return refuse('stale');
  if (call.mode === 'text' || call.connectedAt === null) return refuse('conflict');
  const measured: CallEvent = { type: 'measured', userId: side.userId, report };
  return done([measured, ...(report.spoke ? activity(call, context) : [])]);
};

export const chat = (call: CallState, { by }: Command<'chat'>, context: CallContext): CallDecision =>
  heldSide(call, by) ? done(activity(call, context)) : refuse('stale');

/** RD-7: the answer to whether anybody is there; without the question it says nothing. */
export const stillHere = (call: CallState, { by }: Command<'still-here'>, context: CallContext): CallDecision => {
  if (!heldSide(call, by)) return refuse('stale');
  return done(call.answerUntil === null ? [] : [{ type: 'active', at: context.now }]);
};

/** RD-8: asks for more time; when both have asked, there is. */
export const extend = (call: CallState, { by }: Command<'extend'>, { limits }: CallContext): CallDecision => {
  const side = heldSide(call, by);
  if (!side) return refuse('stale');
  if (call.endsAt === null) return refuse('conflict');
  if (side.asksExtension) return done([]);
  const asked: CallEvent = { type: 'extension-asked', userId: side.userId };
  if (!otherSide(call, side).asksExtension) return done([asked]);
  return done([asked, { type: 'extended', endsAt: call.endsAt + limits.callExtensionMs }]);
};

/**
 * A deadline is due. Whoever saw it sends this, so it may come twice, or after its cause is gone: what is not due by the state
 * itself changes nothing.
 */
export const elapse = (call: CallState, { deadline }: Command<'elapse'>, context: CallContext): CallDecision => {
  const { now, limits } = context;
  const due = callDeadlinesOf(call, limits).get(deadline);
  if (due === undefined || due > now) return done([]);
  switch (deadline) {
    case 'connect':
      return ending('connect-timeout', null, context);
    case 'resume':
      return ending('lost', null, context);
    case 'idle':
      return done([{ type: 'idle-asked', until: now + limits.idleAnswerMs }]);
    case 'idle-answer':
      return ending('idle', null, context);
    case 'warning':
      return call.endsAt === null ? done([]) : done([{ type: 'warned', endsAt: call.endsAt }]);
    case 'end':
      return ending('time-limit', null, context);
    case 'max-duration':
      return ending('max-duration', null, context);
    default:
      return deadline satisfies never;
  }
};
