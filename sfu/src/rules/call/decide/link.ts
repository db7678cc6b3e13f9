import { done, refuse } from '@rostrum/shared/result.ts';
import type { CallEvent } from '../events.ts';
import { planEnd } from '../plan.ts';
import { type CallSide, type CallState, isWhole, otherSide, sideOf } from '../state.ts';
import { type CallContext, type CallDecision, type Command, heldSide } from './decision.ts';

/** A side has media. With media and connections on both sides the call is connected, for the first time or again. */
export const connected = (call: CallState, { by, route }: Command<'connected'>): CallDecision => {
  const side = heldSide(call, by);
  if (!side) return refuse('stale');
  // What is said of another way than the present one crossed the news of it (RD-4). A text call has no media at all.
  if (call.mode === 'text' || call.throughSfu !== (route === 'sfu')) return refuse('conflict');
  return done(side.linked && side.route === route ? [] : [{ type: 'linked', userId: side.userId, route }]);
};

/** RD-5: media is lost, the connection to the server stands. */
export const loseMedia = (call: CallState, { by }: Command<'lose-media'>, { now }: CallContext): CallDecision => {
  const side = heldSide(call, by);
  if (!side) return refuse('stale');
  if (call.mode === 'text') return refuse('conflict');
  return done(side.linked ? [{ type: 'lost', userId: side.userId, what: 'media', at: now }] : []);
};

/**
 * RD-5: the connection to the server is lost. One that does not hold the side says nothing about the call, and neither does a node
 * that the device has left.
 */
export const loseConnection = (
  call: CallState,
  { by, node }: Command<'lose-connection'>,
  { now }: CallContext,
): CallDecision => {
  const side = heldSide(call, by);
  if (side?.node !== node) return refuse('stale');
  return done(side.awaySince === null ? [{ type: 'lost', userId: side.userId, what: 'connection', at: now }] : []);
};

/** RD-5: the device is back, or another one of this person takes the call over and the one before loses it (ID-5). */
export const returned = (
  call: CallState,
  { by: { userId, sessionId }, node, hideAddress = false }: Command<'return'>,
  context: CallContext,
): CallDecision => {
  const side = sideOf(call, userId);
  if (!side) return refuse('stale');
  const back = wayBack(side, { sessionId, node, hideAddress });
  if (!back) return done([]);
  const wasThere = back.type === 'relocated' && side.awaySince === null;
  return done(wasThere ? [back] : [back, ...ownWindow(call, otherSide(call, side), context)]);
};

/** On another device, at another node, or where they were; undefined where they are there already. */
const wayBack = (
  { userId, sessionId: from, node: earlier, awaySince }: CallSide,
  { sessionId, node, hideAddress }: Pick<CallSide, 'sessionId' | 'node'> & { readonly hideAddress: boolean },
): CallEvent | undefined => {
  if (from !== sessionId) return { type: 'moved', userId, from, to: sessionId, node, hideAddress };
  if (earlier !== node) return { type: 'relocated', userId, from: earlier, to: node };
  return awaySince === null ? undefined : { type: 'returned', userId };
};

/** Who was lost later than the one who is back now has as long a window of their own. */
const ownWindow = ({ resumeUntil }: CallState, { awaySince }: CallSide, { now, limits }: CallContext): CallEvent[] => {
  if (awaySince === null || resumeUntil === null) return [];
  const until = awaySince + limits.resumeMs;
  return until > Math.max(now, resumeUntil) ? [{ type: 'window-opened', until }] : [];
};

/** RD-4: no path was found, so the SFU carries the call, where the operator allows it. Once. */
export const chooseSfu = (
  call: CallState,
  { by }: Command<'use-sfu'>,
  { now, limits, sfuAllowed }: CallContext,
): CallDecision => {
  if (!heldSide(call, by)) return refuse('stale');
  if (!sfuAllowed) return refuse('feature_unavailable');
  if (call.mode === 'text') return refuse('conflict');
  if (call.throughSfu) return done([]);
  if (call.phase === 'connected') return refuse('conflict');
  return done([{ type: 'sfu-chosen', connectBy: now + limits.sfuConnectMs }]);
};

/** What follows by itself from where a command has led: the call is connected, or its window opens (RD-5). */
export const settle = (call: CallState, { now, limits, plans }: CallContext): CallEvent[] => {
  if (call.phase === 'ended') return [];
  if (isWhole(call)) {
    if (call.phase === 'connected') return [];
    const isFirst = call.connectedAt === null && plans;
    return [{ type: 'connected', at: now, endsAt: isFirst ? planEnd(call.origin, now, limits) : call.endsAt }];
  }
  const isLost = call.phase === 'reconnecting' || call.sides.some(({ awaySince }) => awaySince !== null);
  return isLost && call.resumeUntil === null ? [{ type: 'window-opened', until: now + limits.resumeMs }] : [];
};
