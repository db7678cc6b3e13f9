import type { Limits } from '@rostrum/shared/limits.ts';
import type { Consents as Accepted, giveConsentSchema } from '@rostrum/shared/protocol/rest.ts';
import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import type { output } from 'zod/mini';
import type { Records } from '../records/records.ts';

export type ConsentsDependencies = {
  readonly records: Pick<Records, 'consents'>;
  readonly limits: Pick<Limits, 'minimumAge'>;
};

/** What people have accepted (ID-8). Rejects as `Records` does. */
export type Consents = {
  of(userId: string): Promise<Accepted>;
  /**
   * Adds to what this person has accepted, and answers with all of it. Refuses a person who is not known any more with
   * `unauthorized`.
   */
  give(userId: string, given: output<typeof giveConsentSchema>): Promise<Result<Accepted>>;
  /**
   * Whether this person has accepted what random calls ask for. Refuses with `rules_not_accepted`, and with
   * `age_not_confirmed` where the age that they confirmed to have is none, or below the operator's.
   */
  mayCall(userId: string): Promise<Result<void>>;
};

export const createConsents = ({ records, limits }: ConsentsDependencies): Consents => ({
  of: (userId) => records.consents.of(userId),

  give: async (userId, { houseRules = false, minimumAge = null }) => {
    await records.consents.give(userId, { houseRules, minimumAge });
    const accepted = await records.consents.of(userId);
    // Nothing is kept of somebody whose account is gone, a guest who vanished just now.
    const isKept =
      (!houseRules || accepted.houseRules) && (minimumAge === null || (accepted.minimumAge ?? -1) >= minimumAge);
    return isKept ? done(accepted) : refuse('unauthorized');
  },

  mayCall: async (userId) => {
    const { houseRules, minimumAge } = await records.consents.of(userId);
    if (!houseRules) return refuse('rules_not_accepted');
    if (minimumAge === null || minimumAge < limits.minimumAge) return refuse('age_not_confirmed');
    return done(undefined);
  },
});
