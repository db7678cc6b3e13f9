import { createHash } from 'node:crypto';
import type { Limits } from '@rostrum/shared/limits.ts';
import type { Plan, SignedIn, UserKind } from '@rostrum/shared/protocol/rest.ts';
import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import type { Records, Traces, UserRecord } from '../records/records.ts';
import type { Clock } from '../runtime/clock.ts';
import { newId } from '../runtime/ids.ts';
import { sweep } from '../runtime/schedule.ts';
import { normalizedName } from './names.ts';
import type { Tokens } from './tokens.ts';

export type AccountsParts = {
  readonly records: Pick<Records, 'users' | 'claims'>;
  readonly tokens: Tokens;
  readonly clock: Clock;
  readonly limits: Pick<Limits, 'guestIdleMs' | 'adminClaimMs'>;
};

type Newcomer = { readonly displayName: string; readonly traces: Traces };

/** Who people are: guests, and administrators (ID-1, ID-2, ID-6, OP-7). Rejects as `Records` does. */
export class Accounts {
  readonly #records: AccountsParts['records'];
  readonly #tokens: Tokens;
  readonly #clock: Clock;
  readonly #limits: AccountsParts['limits'];

  constructor({ records, tokens, clock, limits }: AccountsParts) {
    this.#records = records;
    this.#tokens = tokens;
    this.#clock = clock;
    this.#limits = limits;
  }

  /** ID-1. Refuses a name that cannot be shown with `invalid`. */
  signInGuest(guest: Newcomer): Promise<Result<SignedIn>> {
    return this.#create('guest', guest);
  }

  /**
   * A new token for a valid one (ID-2), with the name and kind that the account has now. Refuses with `unauthorized` a
   * token that is not valid, and a person who is not known any more: a guest who vanished, an account that was deleted.
   */
  async refresh(token: string, traces: Traces = {}): Promise<Result<SignedIn>> {
    const identity = await this.#tokens.verify(token);
    const user = identity && (await this.#records.users.get(identity.userId));
    if (!user) return refuse('unauthorized');
    // Where they were is worth noting, but no token may run out because it could not be noted (RE-4).
    await this.seen(user.userId, traces).catch(() => undefined);
    return done(await this.#signIn(user, identity.plan));
  }

  /**
   * The code of the one-time link that a start prints (OP-7); undefined where there is an administrator. It stands beside those
   * that other nodes printed, of which an operator may follow any; the first that is used ends them all.
   */
  async openFirstClaim(): Promise<string | undefined> {
    if (await this.#records.users.hasAdmin()) return undefined;
    const code = newId();
    await this.#records.claims.add(hashOf(code), this.#claimExpiry());
    return code;
  }

  /**
   * A code that makes one administrator (OP-7): 128 random bits, good once and for `adminClaimMs`. It takes the place of
   * earlier ones, of which only hashes were kept.
   */
  async openClaim(): Promise<string> {
    const code = newId();
    await this.#records.claims.put(hashOf(code), this.#claimExpiry());
    return code;
  }

  /**
   * Makes an administrator by a code (OP-7). Refuses one that is wrong, used or expired with `not_found`.
   *
   * Codes are compared by their SHA-256: how long that takes tells nothing about a code that is nearly right.
   */
  async claimAdmin({ code, ...newcomer }: Newcomer & { readonly code: string }): Promise<Result<SignedIn>> {
    if (normalizedName(newcomer.displayName) === undefined) return refuse('invalid', { path: 'displayName' });
    if (!(await this.#records.claims.use(hashOf(code), this.#clock.now()))) return refuse('not_found');
    return this.#create('admin', newcomer);
  }

  /** Notes that the user is here now, and from where. To be called on every connection, and at times while it lasts. */
  seen(userId: string, traces: Traces): Promise<void> {
    return this.#records.users.seen(userId, this.#clock.now(), traces);
  }

  /** The account; undefined for a person who is not known any more. */
  find(userId: string): Promise<UserRecord | undefined> {
    return this.#records.users.get(userId);
  }

  /** How a guest is known besides their id; undefined for a person who is not known. */
  tracesOf(userId: string): Promise<Traces | undefined> {
    return this.#records.users.tracesOf(userId);
  }

  /** Deletes guests last seen longer than `guestIdleMs` ago (ID-6). Answers how many. */
  sweepGuests(): Promise<number> {
    const before = this.#clock.now() - this.#limits.guestIdleMs;
    return sweep((most) => this.#records.users.deleteGuestsUnseenSince(before, most));
  }

  #claimExpiry(): number {
    return this.#clock.now() + this.#limits.adminClaimMs;
  }

  async #create(kind: UserKind, { displayName: text, traces }: Newcomer): Promise<Result<SignedIn>> {
    const displayName = normalizedName(text);
    if (displayName === undefined) return refuse('invalid', { path: 'displayName' });
    const now = this.#clock.now();
    const user: UserRecord = { userId: newId(), displayName, kind, createdAt: now, lastSeenAt: now };
    // Asked for together, the two writes share a commit.
    await Promise.all([this.#records.users.put(user), this.#records.users.seen(user.userId, now, traces)]);
    return done(await this.#signIn(user));
  }

  async #signIn({ userId, displayName, kind }: UserRecord, plan?: Plan): Promise<SignedIn> {
    const issued = await this.#tokens.issue({ userId, displayName, kind }, plan);
    return { ...issued, user: { userId, displayName, kind } };
  }
}

const hashOf = (code: string): string =>
  createHash('sha256').update(`rostrum admin claim v1:${code}`).digest('base64url');
