import { causedBy, codeOf, RostrumError } from './errors.ts';
import type { CloseReason, RoomPhase } from './types.ts';

/** Whether nothing follows on this phase: the session is over. */
export const isFinal = ({ phase }: RoomPhase): boolean =>
  phase !== 'joining' && phase !== 'live' && phase !== 'reconnecting';

/** How it ends for a person whose seat cannot be taken again, by what the server refused it with. */
export const phaseOfRefusal = (error: unknown): RoomPhase => {
  const code = codeOf(error);
  if (code === 'kicked' || code === 'banned') {
    return { phase: 'removed', banned: code === 'banned', byName: '', reason: null };
  }
  // A room that one sat in and that is not found any more has ended, and has been forgotten.
  if (code === 'room_ended' || code === 'not_found') return { phase: 'ended', reason: 'unknown' };
  if (error instanceof RostrumError) return { phase: 'refused', error };
  return { phase: 'refused', error: causedBy(error, 'internal', 'Something failed in this page.') };
};

/** How it ends when the connection was closed for good. */
export const phaseOfClose = (reason: CloseReason): RoomPhase => {
  if (reason === 'by-client') return { phase: 'left' };
  // Another page took this session over, and the seat with it.
  if (reason === 'replaced') return { phase: 'elsewhere' };
  return { phase: 'refused', error: new RostrumError(reason, words[reason]) };
};

const words = {
  unauthorized: 'You are not signed in any more. Sign in and try again.',
  rate_limited: 'That was too often. Wait a moment and try again.',
  unsupported_protocol: 'This page is out of date. Reload it.',
} as const;
