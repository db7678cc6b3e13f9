import type { Limits } from '@rostrum/shared/limits.ts';
import { type CallDeadlineKey, type CallState, isLinked } from './state.ts';

/**
 * What can become due in a call, as times by key: a projection of the state and nothing else. Every phase has a deadline that
 * ends it, so no call hangs. A call that ended has none.
 */
export const callDeadlinesOf = (call: CallState, limits: Limits): Map<CallDeadlineKey, number> => {
  const deadlines = new Map<CallDeadlineKey, number>();
  if (call.phase === 'ended') return deadlines;
  deadlines.set('max-duration', call.matchedAt + limits.callMaxMs);
  // With media on both sides only a connection to the server is missing, and the window is about that.
  if (call.phase === 'connecting' && !isLinked(call)) deadlines.set('connect', call.connectBy);
  if (call.resumeUntil !== null) deadlines.set('resume', call.resumeUntil);
  if (call.endsAt !== null) {
    deadlines.set('end', call.endsAt);
    if (!call.warned) deadlines.set('warning', call.endsAt - limits.callWarningMs);
  }
  // RD-7: in a voice call. Whoever looks for a way is not silent by choice.
  if (call.mode !== 'voice' || call.phase !== 'connected') return deadlines;
  if (call.answerUntil === null) deadlines.set('idle', call.activeAt + limits.idleMs);
  else deadlines.set('idle-answer', call.answerUntil);
  return deadlines;
};
