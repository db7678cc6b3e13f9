import type { ReportType } from '@rostrum/shared/protocol/call.ts';
import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import type { Records } from '../records/records.ts';
import type { Caller } from '../rules/call/commands.ts';
import { partnerOf } from '../rules/call/state.ts';
import type { CallMetrics } from '../runtime/call-metrics.ts';
import type { Blocks } from '../safety/blocks.ts';
import { partnerIn } from '../safety/call-people.ts';
import type { Ratings } from '../safety/ratings.ts';
import type { Reports } from '../safety/reports.ts';
import type { CallStore } from '../state/call-store.ts';
import type { CallLedger } from './call-ledger.ts';
import type { Calls } from './calls.ts';
import type { Searches } from './searches.ts';

export type AftermathDependencies = {
  readonly store: CallStore;
  readonly calls: Calls;
  readonly searches: Searches;
  readonly ledger: CallLedger;
  readonly records: Pick<Records, 'calls'>;
  readonly ratings: Ratings;
  readonly reports: Reports;
  readonly blocks: Blocks;
  readonly metrics: CallMetrics;
};

/** What one says about a call, while it goes on and after it (RD-9, SF-1, SF-4). */
export type CallAftermath = {
  /** Ends the call if it goes on, and rates it where a rating is given. */
  end(
    caller: Caller,
    callId: string,
    rated: { rating?: number | undefined; comment?: string | undefined },
  ): Promise<Result<void>>;
  report(caller: Caller, callId: string, said: { type: ReportType; text: string }): Promise<Result<void>>;
  block(caller: Caller, callId: string): Promise<Result<void>>;
  /** Somebody blocked another, wherever that was: a call between them ends, a search goes by it. */
  blocked(byId: string, userId: string): Promise<void>;
};

export const createCallAftermath = (dependencies: AftermathDependencies): CallAftermath => {
  const { store, calls, searches, ledger, ratings, reports, blocks, metrics } = dependencies;
  const isLive = async (callId: string): Promise<boolean> => (await store.load(callId)) !== undefined;

  return {
    end: async (caller, callId, { rating, comment }) => {
      const ended = await calls.execute(callId, { type: 'end', by: caller, reason: 'hung-up' });
      if (rating === undefined) return ended.ok ? done(undefined) : ended;
      // Only a call that is over is rated without being ended: another device may hold this one.
      if (!ended.ok && (ended.refusal.code !== 'stale' || (await isLive(callId)))) return ended;
      await ledger.settled(callId);
      const rated = await ratings.rate({ byId: caller.userId, callId, rating, comment: comment || null });
      if (rated.ok) metrics.rated(rating);
      return rated.ok ? done(undefined) : rated;
    },

    report: async (caller, callId, { type, text }) => {
      const partnerId = await partnerFor(dependencies, caller, callId);
      if (partnerId === undefined) return refuse('stale');
      await ledger.settled(callId);
      const reported = await reports.fromCall({ byId: caller.userId, callId, type, text });
      if (reported.ok) metrics.reported();
      // Of a call that goes on, the records do not know yet.
      if (!reported.ok && reported.refusal.code === 'stale' && (await isLive(callId))) return refuse('unavailable');
      return reported.ok ? done(undefined) : reported;
    },

    block: async (caller, callId) => {
      const partnerId = await partnerFor(dependencies, caller, callId);
      // Nobody learns by it whether there was such a call.
      if (partnerId === undefined) return refuse('stale');
      // First of all they part: whatever becomes of the records, which answer `unavailable` where it could not be kept.
      await calls.execute(callId, { type: 'block', userId: caller.userId, blockedId: partnerId });
      return blocks.put(caller.userId, partnerId);
    },

    blocked: async (byId, userId) => {
      // Whoever waits may be matched, and whoever is in a call may wait again, while this looks.
      if (await searches.avoid(byId, userId)) return;
      const place = await store.placeOf(byId);
      if (place.at === 'call') await calls.execute(place.callId, { type: 'block', userId: byId, blockedId: userId });
      await searches.avoid(byId, userId);
    },
  };
};

/** The other one of a call of this person, that goes on or is kept; undefined where there is none. */
const partnerFor = async (
  { store, ledger, records }: AftermathDependencies,
  { userId }: Caller,
  callId: string,
): Promise<string | undefined> => {
  const live = await store.load(callId);
  if (live) return partnerOf(live.call, userId)?.userId;
  await ledger.settled(callId);
  const call = await records.calls.get(callId);
  return call && partnerIn(call, userId)?.userId;
};
