import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { createTokens } from '../../src/people/tokens.ts';
import { newId } from '../../src/runtime/ids.ts';

const hour = 60 * 60 * 1000;
const secret = randomBytes(32);

const set = () => {
  const clock = { at: 1_750_000_000_500, now: () => clock.at };
  return { clock, tokens: createTokens({ secret, clock, lifetimeMs: 24 * hour }) };
};
const user = { userId: newId(), displayName: 'Añа 👩‍🎤', kind: 'guest' } as const;

/** A token as another might make it: ours, but for what the test changes. */
const forged = (
  claims: JWTPayload,
  { alg = 'HS256', key = secret as Parameters<SignJWT['sign']>[0], header = {} } = {},
): Promise<string> => {
  const { clock } = set();
  const seconds = Math.floor(clock.now() / 1000);
  const whole = {
    iss: 'rostrum',
    aud: 'rostrum',
    sub: user.userId,
    name: user.displayName,
    kind: 'guest',
    plan: 'free',
    iat: seconds,
    exp: seconds + 60,
    ...claims,
  };
  return new SignJWT(JSON.parse(JSON.stringify(whole))).setProtectedHeader({ alg, ...header }).sign(key);
};

const verify = (token: string) => set().tokens.verify(token);

describe('tokens', () => {
  it('ID-2 says who somebody is for 24 hours, and not a moment longer', async () => {
    const { clock, tokens } = set();
    const { token, expiresAt } = await tokens.issue(user);
    expect(expiresAt).toBe(Math.floor(clock.at / 1000) * 1000 + 24 * hour);
    const identity = { ...user, plan: 'free', expiresAt };
    expect(await tokens.verify(token)).toEqual(identity);
    clock.at = expiresAt - 1;
    expect(await tokens.verify(token)).toEqual(identity);
    clock.at = expiresAt;
    expect(await tokens.verify(token)).toBeUndefined();
  });

  it('ID-2 PL-1 carries kind and plan', async () => {
    const { tokens } = set();
    const { token } = await tokens.issue({ ...user, kind: 'admin' }, 'premium');
    expect(await tokens.verify(token)).toMatchObject({ kind: 'admin', plan: 'premium' });
  });

  it('ID-2 believes a token of another node with the same secret, whose clock is a little ahead', async () => {
    const { clock, tokens } = set();
    const ahead = createTokens({ secret, clock: { now: () => clock.at + 4000 }, lifetimeMs: hour });
    expect(await tokens.verify((await ahead.issue(user)).token)).toMatchObject(user);
  });

  it('the test’s own forgery is good when nothing is changed', async () => {
    expect(await verify(await forged({}))).toMatchObject(user);
    expect(await verify(await forged({ more: ['is', 'not', 'read'] }))).toMatchObject(user);
  });

  it('ID-2 refuses a token of another algorithm', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const publicPem = rsa.publicKey.export({ type: 'spki', format: 'pem' });
    const wide = randomBytes(64);
    expect(await verify(await forged({}, { alg: 'HS384', key: wide }))).toBeUndefined();
    expect(await verify(await forged({}, { alg: 'RS256', key: rsa.privateKey }))).toBeUndefined();
    const same = createTokens({ secret: wide, clock: set().clock, lifetimeMs: hour });
    for (const alg of ['HS384', 'HS512'])
      expect(await same.verify(await forged({}, { alg, key: wide })), alg).toBeUndefined();
    // The confusion: signed with the text of a public key as if it were a shared secret.
    expect(await verify(await forged({}, { key: Buffer.from(publicPem) }))).toBeUndefined();
  });

  it('ID-2 refuses a token without a signature', async () => {
    const [, payload = ''] = (await forged({})).split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const hs256 = Buffer.from('{"alg":"HS256"}').toString('base64url');
    expect(await verify(new UnsecuredJWT({ sub: user.userId }).encode())).toBeUndefined();
    for (const token of [`${none}.${payload}.`, `${none}.${payload}`, `${hs256}.${payload}.`])
      expect(await verify(token), token).toBeUndefined();
    // Signed in truth, and the header says that it is not.
    const signature = createHmac('sha256', secret).update(`${none}.${payload}`).digest('base64url');
    expect(await verify(`${none}.${payload}.${signature}`)).toBeUndefined();
  });

  it('ID-2 refuses a token of another secret, issuer or audience, or with a header that it does not understand', async () => {
    expect(await verify(await forged({}, { key: randomBytes(32) }))).toBeUndefined();
    expect(await verify(await forged({ iss: 'another' }))).toBeUndefined();
    expect(await verify(await forged({ aud: 'another' }))).toBeUndefined();
    const header = Buffer.from('{"alg":"HS256","crit":["odd"],"odd":1}').toString('base64url');
    const [, payload = ''] = (await forged({})).split('.');
    const signature = createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url');
    expect(await verify(`${header}.${payload}.${signature}`)).toBeUndefined();
  });

  it('ID-2 refuses a token that lacks a claim, or has one of another type', async () => {
    for (const name of ['iss', 'aud', 'sub', 'name', 'kind', 'plan', 'iat', 'exp'])
      expect(await verify(await forged({ [name]: undefined })), name).toBeUndefined();
    const now = Math.floor(set().clock.now() / 1000);
    const wrong: JWTPayload[] = [
      { sub: 'short' },
      { sub: `${user.userId}'` },
      { name: '' },
      { name: 'x'.repeat(41) },
      { name: 'a\nb' },
      { name: 7 },
      { kind: 'emperor' },
      { plan: 'gold' },
      { iat: now + 0.5 },
      { exp: now + 60.5 },
      { exp: now - 1 },
      { nbf: now + 60 },
      { iat: now + 6 },
      { iat: -1 },
    ];
    for (const claims of wrong) expect(await verify(await forged(claims)), JSON.stringify(claims)).toBeUndefined();
    for (const claims of [{ sub: 5 }, { exp: 'soon' }, { iat: '1' }]) {
      const payload = Buffer.from(JSON.stringify({ ...JSON.parse(payloadOf(await forged({}))), ...claims }));
      const signed = `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.${payload.toString('base64url')}`;
      const signature = createHmac('sha256', secret).update(signed).digest('base64url');
      expect(await verify(`${signed}.${signature}`), JSON.stringify(claims)).toBeUndefined();
    }
  });

  it('ID-2 refuses any text that is no token, and any token with a changed character', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...'ey.J0') })),
        async (text) => {
          expect(await verify(text)).toBeUndefined();
        },
      ),
    );
    const { token } = await set().tokens.issue(user);
    // The last character of a signature of 32 bytes carries bits that no decoder reads.
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 2), fc.constantFrom(...'aZ9-_.'), async (index, letter) => {
        fc.pre(token[index] !== letter);
        expect(await verify(token.slice(0, index) + letter + token.slice(index + 1))).toBeUndefined();
      }),
    );
    expect(await verify(await forged({ more: 'x'.repeat(4096) })), 'too long').toBeUndefined();
  });
});

const payloadOf = (token: string): string => Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
