import type { SignedIn } from '@rostrum/shared/protocol/rest.ts';
import { connectionBackoff } from './backoff.ts';
import { unanswered } from './errors.ts';
import { keepTrying } from './retry.ts';
import { type Timers, within } from './timers.ts';

export type TokenOptions = {
  /** The token that the sign-in gave. One of `token` and `getToken` is needed. */
  readonly token?: string;
  /** Asked for a token before every handshake; for a token that something else keeps fresh (ID-3). */
  readonly getToken?: () => string | Promise<string>;
  /** Told of a renewed token and when it expires (ms since the epoch, server's clock), to keep it for the next visit. */
  readonly onToken?: (token: string, expiresAt: number) => void;
};

/** A token that is not given within this time is not given. */
const askMs = 10_000;
/** Attempts to renew a token, from the warning 60 s before it expires (ID-4). */
const renewals = 6;

/** Where the connection's token comes from, and how it is renewed. */
export class TokenSource {
  readonly #options: TokenOptions;
  readonly #refresh: (token: string) => Promise<SignedIn>;
  /** What `getToken` gave last: while it gives the same, a token that was renewed since is newer. */
  #given: string | undefined;
  #token: string | undefined;

  constructor(options: TokenOptions, refresh: (token: string) => Promise<SignedIn>) {
    if (options.token === undefined && options.getToken === undefined)
      throw new TypeError('token or getToken is needed');
    this.#options = options;
    this.#refresh = refresh;
    this.#token = options.token;
  }

  /** Whether asking again may bring another token. */
  get canAsk(): boolean {
    return this.#options.getToken !== undefined;
  }

  /** The token to sign in with now. */
  async current(): Promise<string> {
    const { getToken } = this.#options;
    if (getToken !== undefined) {
      const given = await within(askMs, Promise.resolve(getToken()), unanswered);
      if (given !== this.#given) this.#token = given;
      this.#given = given;
    }
    // The constructor made sure of one of the two; this only narrows the type.
    return this.#token ?? '';
  }

  /** A token that lasts longer: what `getToken` now gives, if that is another, else one renewed over HTTP. @throws RostrumError */
  async renewed(): Promise<string> {
    const before = this.#token;
    const token = await this.current();
    if (token !== before) return token;
    const signedIn = await this.#refresh(token);
    this.#token = signedIn.token;
    this.#options.onToken?.(signedIn.token, signedIn.expiresAt);
    return signedIn.token;
  }
}

/**
 * Renews a token, and gives it to `renew`, which tells the server. Where that fails for good, the server closes the socket when
 * the token expires, and says so.
 */
export const keepRenewing = async (
  tokens: TokenSource,
  renew: (token: string) => Promise<void>,
  timers: Timers,
): Promise<void> => {
  const attempt = async (): Promise<void> => renew(await tokens.renewed());
  await keepTrying({ attempt, wanted: () => true, most: renewals, timers, backoff: connectionBackoff });
};
