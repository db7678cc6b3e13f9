import type { Limits } from '@rostrum/shared/limits.ts';
import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import { needsRelay } from '../matching/history.ts';
import type { Caller } from './commands.ts';
import { heldSide } from './decide/decision.ts';
import { type CallSide, type CallState, otherSide, sideOf, ticketOf } from './state.ts';

/**
 * To whom this device may relay offers, answers and candidates now: to the other side of its call (RD-2, SE-5). `stale`: the
 * call is over, or it is not theirs. `conflict`: there is nothing to negotiate between the two, in a text call or where the
 * SFU carries it.
 */
export const relayTo = (call: CallState, by: Caller): Result<CallSide> => {
  const side = heldSide(call, by);
  if (!side || call.phase === 'ended') return refuse('stale');
  if (call.mode === 'text' || call.throughSfu) return refuse('conflict');
  return done(otherSide(call, side));
};

/**
 * Whether what is relayed of this person must tell no address but a relay's: the operator wants it of everybody (`always`), they
 * asked for it (RD-12), or nothing else has connected them (RD-3). False for somebody who is no side.
 */
export const mustHideAddress = (
  call: CallState,
  userId: string,
  { always, limits }: { readonly always: boolean; readonly limits: Limits },
): boolean => {
  const side = sideOf(call, userId);
  if (!side) return false;
  const { search, history } = ticketOf(call, side);
  return always || search.hideAddress || needsRelay(history, limits);
};
