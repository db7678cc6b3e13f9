import { randomBytes } from 'node:crypto';
import type { SignedIn } from '@rostrum/shared/protocol/rest.ts';
import { signedInSchema } from '@rostrum/shared/protocol/rest.ts';
import type { Result } from '@rostrum/shared/result.ts';
import { afterEach, describe, expect, it } from 'vitest';
import { Accounts } from '../../src/people/accounts.ts';
import { createTokens } from '../../src/people/tokens.ts';
import type { Records } from '../../src/records/records.ts';
import { openSqliteRecords } from '../../src/records/sqlite/open.ts';
import { newId } from '../../src/runtime/ids.ts';

const hour = 60 * 60 * 1000;
const opened: Records[] = [];
afterEach(async () => {
  for (const records of opened.splice(0)) await records.close();
});

const set = () => {
  const clock = { at: 1_750_000_000_000, now: () => clock.at };
  const records = openSqliteRecords({ path: ':memory:' });
  opened.push(records);
  const tokens = createTokens({ secret: randomBytes(32), clock, lifetimeMs: 24 * hour });
  const limits = { guestIdleMs: 24 * hour, adminClaimMs: 24 * hour };
  return { clock, records, tokens, accounts: new Accounts({ records, tokens, clock, limits }) };
};

const done = (result: Result<SignedIn>): SignedIn => {
  if (!result.ok) throw new Error(`refused: ${result.refusal.code}`);
  return signedInSchema.parse(result.value);
};
const refused = (code: string, more: object = {}) => ({ ok: false, refusal: { code, ...more } });

describe('guests', () => {
  it('ID-1 signs a guest in with a name, and knows them and where they came from', async () => {
    const { accounts, records, tokens, clock } = set();
    const traces = { addressHash: 'a', deviceId: 'd' };
    const { token, expiresAt, user } = done(await accounts.signInGuest({ displayName: '  Ana  María ', traces }));
    expect(user).toMatchObject({ displayName: 'Ana María', kind: 'guest' });
    expect(await tokens.verify(token)).toEqual({ ...user, plan: 'free', expiresAt });
    expect(await records.users.get(user.userId)).toEqual({ ...user, createdAt: clock.at, lastSeenAt: clock.at });
    expect(await accounts.tracesOf(user.userId)).toEqual(traces);
  });

  it('ID-1 gives each guest an id of their own, whatever their name', async () => {
    const { accounts } = set();
    const guests = await Promise.all(
      Array.from({ length: 20 }, () => accounts.signInGuest({ displayName: 'Ana', traces: {} })),
    );
    expect(new Set(guests.map((guest) => done(guest).user.userId)).size).toBe(20);
  });

  it('ID-1 refuses a name that cannot be shown', async () => {
    const { accounts } = set();
    for (const displayName of ['', '   ', 'x'.repeat(41), 'a\u0000b', 'a\u202eb', '\u200b\u200d', '\ud800'])
      expect(await accounts.signInGuest({ displayName, traces: {} })).toEqual(
        refused('invalid', { path: 'displayName' }),
      );
  });

  it('ID-2 renews a valid token, with the name, kind and plan of the person', async () => {
    const { accounts, clock, records, tokens } = set();
    const { user } = done(await accounts.signInGuest({ displayName: 'Ana', traces: { addressHash: 'a' } }));
    const premium = await tokens.issue(user, 'premium');
    clock.at += 23 * hour;
    const renewed = done(await accounts.refresh(premium.token, { deviceId: 'd' }));
    expect(renewed.user).toEqual(user);
    expect(renewed.expiresAt).toBe(clock.at + 24 * hour);
    expect(await tokens.verify(renewed.token)).toMatchObject({ ...user, plan: 'premium' });
    expect(await accounts.find(user.userId)).toMatchObject({ lastSeenAt: clock.at });
    expect(await accounts.tracesOf(user.userId)).toEqual({ addressHash: 'a', deviceId: 'd' });

    await records.users.put({ ...user, displayName: 'Anna', kind: 'member', createdAt: 1, lastSeenAt: 1 });
    expect(done(await accounts.refresh(renewed.token)).user).toMatchObject({ displayName: 'Anna', kind: 'member' });
  });

  it('ID-2 renews no token that expired, was forged, or speaks for nobody', async () => {
    const { accounts, clock, tokens } = set();
    const { token } = done(await accounts.signInGuest({ displayName: 'Ana', traces: {} }));
    const stranger = await tokens.issue({ userId: newId(), displayName: 'Eve', kind: 'admin' });
    expect(await accounts.refresh(stranger.token)).toEqual(refused('unauthorized'));
    expect(await accounts.refresh(`${token}x`)).toEqual(refused('unauthorized'));
    clock.at += 24 * hour;
    expect(await accounts.refresh(token)).toEqual(refused('unauthorized'));
  });

  it('ID-6 forgets guests 24 hours after they were last seen, and nobody else', async () => {
    const { accounts, clock, records } = set();
    const [ana, bob] = [
      done(await accounts.signInGuest({ displayName: 'Ana', traces: {} })),
      done(await accounts.signInGuest({ displayName: 'Bob', traces: {} })),
    ];
    const admin = done(await accounts.claimAdmin({ code: await accounts.openClaim(), displayName: 'Cy', traces: {} }));
    clock.at += hour;
    await accounts.seen(bob.user.userId, { addressHash: 'b' });
    clock.at += 23 * hour;
    expect(await accounts.sweepGuests(), '24 hours to the moment').toBe(0);
    clock.at += 1;
    expect(await accounts.sweepGuests()).toBe(1);
    expect(await records.users.get(ana.user.userId)).toBeUndefined();
    expect(await records.users.get(bob.user.userId)).toBeDefined();
    clock.at += 100 * hour;
    expect(await accounts.sweepGuests()).toBe(1);
    expect(await records.users.get(admin.user.userId)).toBeDefined();
  });

  it('ID-6 forgets a crowd, in one clean-up', async () => {
    const { accounts, clock, records } = set();
    const write = (count: number) =>
      Promise.all(
        Array.from({ length: count }, () =>
          records.users.put({ userId: newId(), displayName: 'x', kind: 'guest', createdAt: 1, lastSeenAt: 1 }),
        ),
      );
    await write(9_000);
    await write(1_700);
    clock.at += 25 * hour;
    expect(await accounts.sweepGuests()).toBe(10_700);
    expect(await accounts.sweepGuests()).toBe(0);
  });
});

describe('administrators', () => {
  const admin = (code: string) => ({ code, displayName: 'Ana', traces: {} });

  it('OP-7 makes the first administrator by a one-time code', async () => {
    const { accounts, tokens } = set();
    const code = (await accounts.openFirstClaim()) ?? '';
    expect(code).toMatch(/^[\w-]{22}$/);
    expect(await accounts.claimAdmin(admin(newId()))).toEqual(refused('not_found'));
    const { token, user } = done(await accounts.claimAdmin(admin(code)));
    expect(await tokens.verify(token)).toMatchObject({ userId: user.userId, kind: 'admin' });
    expect(await accounts.claimAdmin(admin(code))).toEqual(refused('not_found'));
    expect(await accounts.openFirstClaim(), 'there is one now').toBeUndefined();
  });

  it('OP-7 makes one administrator of many who open the link at once', async () => {
    const { accounts } = set();
    const code = await accounts.openClaim();
    const results = await Promise.all(Array.from({ length: 10 }, () => accounts.claimAdmin(admin(code))));
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
  });

  it('OP-7 keeps the link good when the name was not', async () => {
    const { accounts } = set();
    const code = await accounts.openClaim();
    expect(await accounts.claimAdmin({ ...admin(code), displayName: ' ' })).toMatchObject(refused('invalid'));
    done(await accounts.claimAdmin(admin(code)));
  });

  it('OP-7 lets a link expire, and a new one takes the place of the old', async () => {
    const { accounts, clock } = set();
    const first = await accounts.openClaim();
    const second = await accounts.openClaim();
    expect(await accounts.claimAdmin(admin(first))).toEqual(refused('not_found'));
    clock.at += 24 * hour;
    expect(await accounts.claimAdmin(admin(second))).toEqual(refused('not_found'));
  });

  it('OP-7 prints a link at the first start of each node, every one of them good, until one is used', async () => {
    const { accounts } = set();
    const [first = '', second = '', third = ''] = await Promise.all([1, 2, 3].map(() => accounts.openFirstClaim()));
    expect(new Set([first, second, third]).size).toBe(3);
    done(await accounts.claimAdmin(admin(first)));
    for (const code of [second, third]) expect(await accounts.claimAdmin(admin(code))).toEqual(refused('not_found'));
  });

  it('OP-7 lets a link that an operator asked for take the place of those that were printed', async () => {
    const { accounts } = set();
    const printed = (await accounts.openFirstClaim()) ?? '';
    const asked = await accounts.openClaim();
    expect(await accounts.claimAdmin(admin(printed))).toEqual(refused('not_found'));
    done(await accounts.claimAdmin(admin(asked)));
  });

  it('OP-7 SE-4 keeps no code, only its hash', async () => {
    const { records, clock, tokens } = set();
    const kept: string[] = [];
    const claims = {
      put: (codeHash: string, expiresAt: number) => {
        kept.push(codeHash);
        return records.claims.put(codeHash, expiresAt);
      },
      add: (codeHash: string, expiresAt: number) => records.claims.add(codeHash, expiresAt),
      use: (codeHash: string, now: number) => records.claims.use(codeHash, now),
    };
    const limits = { guestIdleMs: 1, adminClaimMs: hour };
    const accounts = new Accounts({ records: { users: records.users, claims }, tokens, clock, limits });
    const code = await accounts.openClaim();
    expect(kept).toHaveLength(1);
    expect(kept[0]).not.toContain(code);
    expect(kept[0]).toMatch(/^[\w-]{43}$/);
  });
});
