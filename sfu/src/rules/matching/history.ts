import type { Limits } from '@rostrum/shared/limits.ts';
import { type History, type Moment, noHistory, type Ticket } from './ticket.ts';

/** How a call is remembered: it was connected, connecting failed (RD-3), or neither is known: it was left before, or had no media. */
export type CallMemory = 'connected' | 'failed' | 'skipped';

/**
 * A call of somebody, as the records have it. `connected`: media flowed, which it never does in a text call. `failed`: it was
 * given up because it did not connect in time.
 */
export type PastCall = {
  readonly partnerId: string;
  readonly endedAt: number;
  readonly connected: boolean;
  readonly failed: boolean;
};

/** The history of somebody after one more call, which ends now. What is over is forgotten (RQ-4, RD-3). */
export const remembering = (history: History, partnerId: string, outcome: CallMemory, at: Moment): History => {
  const { now, limits } = at;
  const kept = present(history, at);
  const times = kept.failed.find(({ userId }) => userId === partnerId)?.times ?? 0;
  const failuresInARow = nextFailures(history.failuresInARow, outcome);
  return present(
    {
      ...kept,
      recent: [...without(kept.recent, partnerId), { userId: partnerId, until: now + limits.repeatPairMs }],
      failed:
        outcome === 'failed'
          ? [
              ...without(kept.failed, partnerId),
              { userId: partnerId, times: times + 1, until: now + limits.failedPairMs },
            ]
          : kept.failed,
      failuresInARow,
      ...(failuresInARow >= limits.relayAfterFailures ? { relay: true } : {}),
    },
    at,
  );
};

const nextFailures = (before: number, outcome: CallMemory): number => {
  if (outcome === 'connected') return 0;
  return outcome === 'failed' ? before + 1 : before;
};

const without = <Entry extends { readonly userId: string }>(entries: readonly Entry[], userId: string): Entry[] =>
  entries.filter((entry) => entry.userId !== userId);

/** What still counts, the latest of it where that is too much (RE-5). */
const present = (history: History, { now, limits }: Moment): History => {
  const current = <Entry extends { readonly until: number }>(entries: readonly Entry[]): Entry[] =>
    entries.filter(({ until }) => until > now).slice(-limits.rememberedPartners);
  return { ...history, recent: current(history.recent), failed: current(history.failed) };
};

/** The history that follows from somebody's calls, the latest first: what is left of it after a restart. */
export const historyFrom = (calls: readonly PastCall[], at: Moment): History =>
  present(
    calls.toReversed().reduce(
      (history, call) =>
        remembering(history, call.partnerId, outcomeOf(call), {
          now: call.endedAt,
          limits: at.limits,
        }),
      noHistory,
    ),
    at,
  );

const outcomeOf = ({ connected, failed }: PastCall): CallMemory => {
  if (failed) return 'failed';
  return connected ? 'connected' : 'skipped';
};

/** RD-3: whether somebody failed to connect so often that they connect through the relay. */
export const needsRelay = ({ failuresInARow, relay }: History, limits: Limits): boolean =>
  relay === true || failuresInARow >= limits.relayAfterFailures;

/** RD-3: whether connecting with this person failed so often that the two are kept apart. */
export const keptApart = (history: History, userId: string, { now, limits }: Moment): boolean =>
  history.failed.some(
    (failure) => failure.userId === userId && failure.times >= limits.failedPairTimes && failure.until > now,
  );

/** RQ-4: whether either of both remembers the other as somebody whom they met in the last minutes. */
export const metLately = (one: Ticket, other: Ticket, now: number): boolean =>
  remembers(one, other, now) || remembers(other, one, now);

/** Whether this person met the other in the last minutes, by their own history. */
export const remembers = ({ history }: Ticket, { seeker }: Ticket, now: number): boolean =>
  history.recent.some(({ userId, until }) => userId === seeker.userId && until > now);
