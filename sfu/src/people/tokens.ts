import { createSecretKey } from 'node:crypto';
import { sizes } from '@rostrum/shared/limits.ts';
import { id, line } from '@rostrum/shared/protocol/common.ts';
import { type Plan, plans, type UserKind, userKinds } from '@rostrum/shared/protocol/rest.ts';
import { errors, jwtVerify, SignJWT } from 'jose';
import * as z from 'zod/mini';
import type { Clock } from '../runtime/clock.ts';

/** Who a token speaks for. `expiresAt` is in milliseconds since the Unix epoch. */
export type Identity = {
  readonly userId: string;
  readonly displayName: string;
  readonly kind: UserKind;
  readonly plan: Plan;
  readonly expiresAt: number;
};

export type Tokens = {
  /** A token for this user, and when it expires, in milliseconds since the Unix epoch. */
  issue(
    user: Pick<Identity, 'userId' | 'displayName' | 'kind'>,
    plan?: Plan,
  ): Promise<{ token: string; expiresAt: number }>;
  /** Who the token speaks for; undefined for every text that is not a whole and valid token of ours. */
  verify(token: string): Promise<Identity | undefined>;
};

/** The one algorithm (ID-2): HMAC with SHA-256, RFC 7518 section 3.2. A header that names another is refused. */
const algorithm = 'HS256';
/** The same secret also keys other things, each under a label of its own; a token says that it is one (RFC 8725 section 3.9). */
const issuer = 'rostrum';
const audience = 'rostrum';
/** How far ahead the clock of the node that issued a token may be, in seconds. The expiry gets no such grace. */
const clockSkew = 5;

/** NumericDate of RFC 7519, whole seconds. */
const seconds = z.int().check(z.gte(0));
/** What a token must claim, besides issuer and audience. Further claims are allowed and not read (RFC 7519 section 4). */
const claimsSchema = z.object({
  sub: id,
  name: line(1, sizes.displayName),
  kind: z.enum(userKinds),
  plan: z.enum(plans),
  iat: seconds,
  exp: seconds,
});

export type TokensOptions = { readonly secret: Uint8Array; readonly clock: Clock; readonly lifetimeMs: number };

/** Tokens (ID-2): JWTs that a node signs and any node with the same secret believes, until they expire. */
export const createTokens = ({ secret, clock, lifetimeMs }: TokensOptions): Tokens => {
  const key = createSecretKey(secret);
  const now = (): number => Math.floor(clock.now() / 1000);
  return {
    issue: async ({ userId, displayName, kind }, plan = 'free') => {
      const issuedAt = now();
      const expires = issuedAt + Math.floor(lifetimeMs / 1000);
      const token = await new SignJWT({ name: displayName, kind, plan })
        .setProtectedHeader({ alg: algorithm, typ: 'JWT' })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(userId)
        .setIssuedAt(issuedAt)
        .setExpirationTime(expires)
        .sign(key);
      return { token, expiresAt: expires * 1000 };
    },

    verify: async (token) => {
      if (token.length > sizes.token) return undefined;
      const currentDate = new Date(clock.now());
      const checks = { algorithms: [algorithm], issuer, audience, currentDate };
      const payload = await jwtVerify(token, key, checks).then(
        (verified) => verified.payload,
        (error: unknown) => {
          if (error instanceof errors.JOSEError) return undefined;
          throw error;
        },
      );
      const claims = claimsSchema.safeParse(payload);
      if (!claims.success || claims.data.iat > now() + clockSkew) return undefined;
      const { sub: userId, name: displayName, kind, plan, exp } = claims.data;
      return { userId, displayName, kind, plan, expiresAt: exp * 1000 };
    },
  };
};
