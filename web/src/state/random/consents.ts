import type { Consents } from '@rostrum/shared/protocol/rest.ts';
import type { Api } from '../../client/api.ts';
import type { Auth } from '../auth.ts';
import type { TalkSheet } from './sheets.ts';

type ConsentsOptions = {
  readonly api: Pick<Api, 'consents' | 'giveConsent'>;
  readonly auth: Pick<Auth, 'identity'>;
};

/** ID-8: what this person has accepted, as the server remembers it. */
export type ConsentStore = {
  /** @throws RostrumErrorShape */
  ask(): Promise<Consents>;
  /** What is still to be agreed to before a search. @throws RostrumErrorShape */
  missing(years: number): Promise<TalkSheet | undefined>;
  /** @throws RostrumErrorShape */
  give(consent: Parameters<Api['giveConsent']>[0]): Promise<void>;
  forget(): void;
};

const missingOf = ({ houseRules, minimumAge }: Consents, years: number): TalkSheet | undefined => {
  if (!houseRules) return { kind: 'rules' };
  return minimumAge === null || minimumAge < years ? { kind: 'age' } : undefined;
};

export const createConsents = ({ api, auth }: ConsentsOptions): ConsentStore => {
  let known: { readonly userId: string | undefined; readonly given: Consents } | undefined;
  const ask = async (): Promise<Consents> => {
    const userId = auth.identity.peek()?.userId;
    const given = await api.consents();
    known = { userId, given };
    return given;
  };
  return {
    ask,
    // What was given stays given; what was not may have been since.
    missing: async (years) => {
      const before = known?.userId === auth.identity.peek()?.userId ? known : undefined;
      if (before !== undefined && missingOf(before.given, years) === undefined) return undefined;
      return missingOf(await ask(), years);
    },
    give: async (consent) => {
      await api.giveConsent(consent);
      known = undefined;
    },
    forget: () => {
      known = undefined;
    },
  };
};
