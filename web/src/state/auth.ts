import { type ReadonlySignal, signal } from '@preact/signals';
import { sizes } from '@rostrum/shared/limits.ts';
import type { SignedIn } from '@rostrum/shared/protocol/rest.ts';
import type { Api } from '../client/api.ts';
import { readRecord, type Storage } from './storage.ts';
import { lineFault, type TextFault } from './words.ts';

const key = 'rostrum.identity';

/** Who this browser is signed in as. */
export type Identity = {
  readonly token: string;
  readonly expiresAt: number;
  readonly userId: string;
  readonly displayName: string;
  readonly kind: SignedIn['user']['kind'];
};

export type Auth = {
  readonly identity: ReadonlySignal<Identity | undefined>;
  /** True while the person is asked for a name. */
  readonly asking: ReadonlySignal<boolean>;
  /** The token to use now; undefined when nobody is signed in. */
  token(): string | undefined;
  /** Asks for a name if there is none yet; false when the person would rather not. */
  require(): Promise<boolean>;
  cancel(): void;
  /** @throws RostrumErrorShape */
  signIn(displayName: string): Promise<void>;
  /** Signs in as the first administrator (OP-7). @throws RostrumErrorShape */
  claim(code: string, displayName: string): Promise<void>;
  /** Keeps a token that the connection renewed. */
  renewed(token: string, expiresAt: number): void;
  /** Renews a token that is past half of its life, so that a visit a day keeps a guest. */
  refresh(): Promise<void>;
  signOut(): void;
};

type AuthOptions = {
  readonly api: Pick<Api, 'signInGuest' | 'claimAdmin' | 'refresh' | 'giveConsent'>;
  readonly storage: Storage;
  readonly now: () => number;
};

/** ID-2: guest tokens last 24 h. One that has less than this left is renewed when the page opens. */
const renewBeforeMs = 12 * 60 * 60 * 1000;

/** ID-1: what is wrong with a name, if anything. */
export const displayNameFault = (name: string): TextFault | undefined => lineFault(name, sizes.displayName, 1);

export const createAuth = ({ api, storage, now }: AuthOptions): Auth => {
  const identity = signal(restore(storage, now()));
  const asking = signal(false);
  let answer: ((signedIn: boolean) => void) | undefined;

  const keep = (next: Identity | undefined) => {
    identity.value = next;
    if (next === undefined) storage.remove(key);
    else storage.write(key, JSON.stringify(next));
  };
  const settle = (signedIn: boolean) => {
    asking.value = false;
    answer?.(signedIn);
    answer = undefined;
  };
  const take = async (signedIn: SignedIn) => {
    keep({ token: signedIn.token, expiresAt: signedIn.expiresAt, ...signedIn.user });
    // ID-8: whoever signs in accepts the house rules. What could not be told now is asked where it is needed.
    await api.giveConsent({ houseRules: true }).catch(() => undefined);
    settle(true);
  };
  const token = () => {
    if (identity.value !== undefined && identity.value.expiresAt <= now()) keep(undefined);
    return identity.value?.token;
  };
  return {
    identity,
    asking,
    token,
    require: async () => {
      if (token() !== undefined) return true;
      answer?.(false);
      asking.value = true;
      return new Promise((resolve) => {
        answer = resolve;
      });
    },
    cancel: () => settle(false),
    signIn: async (displayName) => take(await api.signInGuest(displayName.trim())),
    claim: async (code, displayName) => take(await api.claimAdmin(code, displayName.trim())),
    renewed: (renewedToken, expiresAt) => {
      if (identity.value !== undefined) keep({ ...identity.value, token: renewedToken, expiresAt });
    },
    refresh: async () => {
      const present = identity.value;
      if (present === undefined || present.expiresAt - now() > renewBeforeMs || token() === undefined) return;
      const renewed = await api
        .refresh(present.token)
        .catch((error: unknown) => (isRefused(error) ? 'refused' : undefined));
      if (identity.value !== present || renewed === undefined) return; // Not reached: the token is good for a while yet.
      if (renewed === 'refused') keep(undefined);
      else keep({ token: renewed.token, expiresAt: renewed.expiresAt, ...renewed.user });
    },
    signOut: () => {
      keep(undefined);
      settle(false);
    },
  };
};

const isRefused = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'unauthorized';

const kinds: readonly unknown[] = ['guest', 'member', 'admin'] satisfies Identity['kind'][];

const restore = (storage: Storage, now: number): Identity | undefined => {
  const kept = readRecord(storage, key);
  if (kept === undefined || !isIdentity(kept) || kept.expiresAt <= now) return undefined;
  return kept;
};

const isIdentity = (kept: object): kept is Identity =>
  'token' in kept &&
  typeof kept.token === 'string' &&
  'userId' in kept &&
  typeof kept.userId === 'string' &&
  'displayName' in kept &&
  typeof kept.displayName === 'string' &&
  'expiresAt' in kept &&
  typeof kept.expiresAt === 'number' &&
  'kind' in kept &&
  kinds.includes(kept.kind);
