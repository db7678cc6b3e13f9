import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import type { Records } from '../records/records.ts';
import type { Clock } from '../runtime/clock.ts';
import { partnerIn } from './call-people.ts';

/** RD-9: how long after its end a call can be rated, in milliseconds: as long as a call of guests is kept. */
const ratedWithinMs = 24 * 60 * 60 * 1000;
/** RD-9: a rating of this or less counts as a signal for safety. */
const signalRating = 2;

export type RatingsDependencies = { readonly records: Pick<Records, 'calls' | 'ratings'>; readonly clock: Clock };

/** What people say about calls (RD-9). Rejects as `Records` does. */
export type Ratings = {
  /**
   * Rates a call, from its begin until a day after its end; a later rating takes the place of an earlier one. Answers whether it
   * is a signal for safety. Refuses with `stale` a call that is not kept (any more), was over for longer, or was of others.
   */
  rate(rating: {
    readonly byId: string;
    readonly callId: string;
    /** 1 to 5. */
    readonly rating: number;
    readonly comment: string | null;
  }): Promise<Result<{ readonly signal: boolean }>>;
};

export const createRatings = ({ records, clock }: RatingsDependencies): Ratings => ({
  rate: async ({ byId, callId, rating, comment }) => {
    const call = await records.calls.get(callId);
    const partner = call && partnerIn(call, byId);
    const now = clock.now();
    if (!partner || (call.outcome && now > call.outcome.endedAt + ratedWithinMs)) return refuse('stale');
    await records.ratings.put({ callId, byId, aboutId: partner.userId, rating, comment, at: now });
    return done({ signal: rating <= signalRating });
  },
});
