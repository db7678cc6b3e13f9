import { done, refuse } from '@rostrum/shared/result.ts';
import type { CallEvent } from '../events.ts';
import { type CallState, sideOf } from '../state.ts';
import { type CallContext, type CallDecision, type Command, heldSide } from './decision.ts';

/**
 * RD-4: a microphone counts only in a call that the SFU carries, and each side has one (MD-9), at the node to which its device is
 * connected. One that it has at the node before is replaced, so that it is heard until this one stands (RE-2).
 */
export const openMicrophone = (call: CallState, { by, producerId, node }: Command<'open-microphone'>): CallDecision => {
  const side = heldSide(call, by);
  if (!side) return refuse('stale');
  if (!call.throughSfu) return refuse('forbidden');
  // Opened before the device went to another node, and told after.
  if (side.node !== node) return refuse('conflict');
  if (side.producerId === producerId) return done([]);
  if (side.producerId !== null && side.producerNode === node) return refuse('already');
  return done([{ type: 'microphone-opened', userId: side.userId, producerId, node }]);
};

/** Media closed a microphone. One that is not the present one is of the past. */
export const closeMicrophone = (call: CallState, { userId, producerId }: Command<'close-microphone'>): CallDecision =>
  done(sideOf(call, userId)?.producerId === producerId ? [{ type: 'microphone-closed', userId }] : []);

/**
 * The worker that carried the call at this node died: those whose media was there look for a way again, within the window of
 * RD-5.
 */
export const loseSfuMedia = (
  call: CallState,
  { node: lost }: Command<'lose-sfu-media'>,
  { now }: CallContext,
): CallDecision => {
  if (!call.throughSfu) return done([]);
  return done(
    call.sides.flatMap(({ userId, linked, node, producerNode }): CallEvent[] => [
      ...(producerNode === lost ? [{ type: 'microphone-closed' as const, userId }] : []),
      ...(linked && (producerNode ?? node) === lost
        ? [{ type: 'lost' as const, userId, what: 'media' as const, at: now }]
        : []),
    ]),
  );
};
