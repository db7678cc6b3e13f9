import { done, refuse } from '@rostrum/shared/result.ts';
import type { CallEvent } from '../events.ts';
import { type CallState, sideOf } from '../state.ts';
import { type CallContext, type CallDecision, type Command, heldSide } from './decision.ts';

/** RD-4: a microphone counts only in a call that the SFU carries, and each side has one (MD-9). */
export const openMicrophone = (call: CallState, { by, producerId }: Command<'open-microphone'>): CallDecision => {
  const side = heldSide(call, by);
  if (!side) return refuse('stale');
  if (!call.throughSfu) return refuse('forbidden');
  if (side.producerId === producerId) return done([]);
  return side.producerId === null
    ? done([{ type: 'microphone-opened', userId: side.userId, producerId }])
    : refuse('already');
};

/** Media closed a microphone. One that is not the present one is of the past. */
export const closeMicrophone = (call: CallState, { userId, producerId }: Command<'close-microphone'>): CallDecision =>
  done(sideOf(call, userId)?.producerId === producerId ? [{ type: 'microphone-closed', userId }] : []);

/** The worker that carried the call died: both look for a way again, within the window of RD-5. */
export const loseSfuMedia = (call: CallState, { now }: CallContext): CallDecision => {
  if (!call.throughSfu) return done([]);
  return done(
    call.sides.flatMap(({ userId, linked, producerId }): CallEvent[] => [
      ...(producerId === null ? [] : [{ type: 'microphone-closed' as const, userId }]),
      ...(linked ? [{ type: 'lost' as const, userId, what: 'media' as const, at: now }] : []),
    ]),
  );
};
