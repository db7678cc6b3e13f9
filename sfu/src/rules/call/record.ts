import { type CallEndReason, type CallMode, type CallRoute, callRoutes } from '@rostrum/shared/protocol/call.ts';
import type { UserKind } from '@rostrum/shared/protocol/rest.ts';
import type { CallState, QualitySummary } from './state.ts';

/** One person of a call that is kept. */
type KeptPerson = { readonly userId: string; readonly displayName: string; readonly kind: UserKind };

/** What one side measured, all its reports together (RD-13). Loss in percent, times in milliseconds. */
type KeptQuality = {
  readonly averageLossPercent: number;
  readonly worstLossPercent: number;
  readonly averageJitterMs: number;
  readonly worstJitterMs: number;
  readonly averageRoundTripMs: number;
  readonly worstRoundTripMs: number;
};

/** How a call ended, as it is kept. */
export type KeptOutcome = {
  readonly endedAt: number;
  readonly reason: CallEndReason;
  readonly endedBy: string | null;
  readonly connectedAt: number | null;
  readonly route: CallRoute | null;
  readonly quality: readonly [KeptQuality | null, KeptQuality | null];
};

/** A call as it is kept (RD-13). */
export type KeptCall = {
  readonly callId: string;
  readonly kind: 'random';
  readonly mode: CallMode;
  readonly language: string | null;
  readonly people: readonly [KeptPerson, KeptPerson];
  readonly startedAt: number;
  readonly outcome: KeptOutcome | null;
};

/** What is kept of a call: who, mode, language, and (once it is over) how it went. */
export const recordOf = (call: CallState): KeptCall => {
  const [first, second] = call.origin.tickets;
  return {
    callId: call.callId,
    kind: call.origin.kind,
    mode: call.mode,
    language: call.languages[0] ?? null,
    people: [personOf(first.seeker), personOf(second.seeker)],
    startedAt: call.matchedAt,
    outcome: call.ended === null ? null : outcomeOf(call),
  };
};

const personOf = ({ userId, displayName, kind }: KeptPerson): KeptPerson => ({ userId, displayName, kind });

/** How a call went that is over. @throws Error for one that goes on. */
export const outcomeOf = ({ ended, connectedAt, sides }: CallState): KeptOutcome => {
  if (ended === null) throw new Error('A call that goes on has no outcome.');
  const [first, second] = sides;
  return {
    endedAt: ended.at,
    reason: ended.reason,
    endedBy: ended.by,
    connectedAt,
    // The list is in the order of preference, so its last one of both is the less preferred.
    route: callRoutes.findLast((route) => sides.some((side) => side.route === route)) ?? null,
    quality: [qualityOf(first.quality), qualityOf(second.quality)],
  };
};

const qualityOf = ({ reports, lossPercent, jitterMs, roundTripMs }: QualitySummary): KeptQuality | null =>
  reports === 0
    ? null
    : {
        averageLossPercent: lossPercent.sum / reports,
        worstLossPercent: lossPercent.worst,
        averageJitterMs: jitterMs.sum / reports,
        worstJitterMs: jitterMs.worst,
        averageRoundTripMs: roundTripMs.sum / reports,
        worstRoundTripMs: roundTripMs.worst,
      };
