import type { Limits } from '@rostrum/shared/limits.ts';
import type { CallChatMessage } from '@rostrum/shared/protocol/call.ts';
import type { Match, RandomState } from '@rostrum/shared/protocol/random.ts';
import { sharedLanguages } from '../matching/choose-partner.ts';
import { mustHideAddress } from './relay.ts';
import { type CallSide, type CallState, otherSide, sideOf, ticketOf } from './state.ts';

export type MatchContext = {
  /** For this person (SE-3). */
  readonly iceServers: Match['iceServers'];
  /** RD-12: the operator's rule. */
  readonly relayAlways: boolean;
  /** Whether a TURN server is configured. */
  readonly relayAvailable: boolean;
  /** RD-4 */
  readonly sfuAllowed: boolean;
  readonly limits: Limits;
};

/** The match as one of the two sees it (RD-1). @throws Error for somebody who is no side of the call. */
export const matchOf = (call: CallState, userId: string, context: MatchContext): Match => {
  const side = sideOf(call, userId);
  if (!side) throw new Error('Who is no side of a call has no match in it.');
  const partner = otherSide(call, side);
  const { relayAlways, relayAvailable, limits } = context;
  const hasMedia = call.mode !== 'text';
  return {
    sessionId: call.callId,
    mode: call.mode,
    partner: { id: partner.userId, displayName: partner.displayName, avatarUrl: null },
    languages: sharedLanguages(ticketOf(call, side).search.languages, ticketOf(call, partner).search.languages),
    initiateConnection: side.offers,
    iceServers: hasMedia ? context.iceServers : [],
    // Without a relay, nothing would be left to connect by.
    relayOnly: hasMedia && relayAvailable && mustHideAddress(call, userId, { always: relayAlways, limits }),
    sfuAllowed: hasMedia && context.sfuAllowed,
    connectBy: call.connectBy,
  };
};

/** Where this person stands in the call; `idle` when it is over, or not theirs. */
export const randomStateOf = (
  call: CallState,
  userId: string,
  context: MatchContext & { readonly chat: readonly CallChatMessage[] },
): RandomState => {
  const side = sideOf(call, userId);
  if (!side || call.phase === 'ended') return { state: 'idle' };
  return {
    state: 'call',
    match: matchOf(call, userId, context),
    phase: call.phase,
    connectedAt: call.connectedAt,
    resumeUntil: call.resumeUntil,
    partnerAway: otherSide(call, side).awaySince !== null,
    answerUntil: call.answerUntil,
    ...extensionOf(call, side),
    throughSfu: call.throughSfu,
    chat: [...context.chat],
  };
};

/** RD-8: the time that is left, as this side sees it. */
export const extensionOf = (
  call: CallState,
  side: CallSide,
): { endsAt: number | null; asked: boolean; partnerAsked: boolean } => ({
  endsAt: call.endsAt,
  asked: side.asksExtension,
  partnerAsked: otherSide(call, side).asksExtension,
});
