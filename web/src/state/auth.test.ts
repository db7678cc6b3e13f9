import type { SignedIn } from '@rostrum/shared/protocol/rest.ts';
import { expect, test, vi } from 'vitest';
import { createAuth, displayNameFault } from './auth.ts';
import { memoryStorage } from './storage.ts';

const hour = 3_600_000;

const setUp = (storage = memoryStorage()) => {
  let time = 1_000_000;
  const signedIn = (token: string): SignedIn => ({
    token,
    expiresAt: time + 24 * hour,
    user: { userId: 'me', displayName: 'Me', kind: 'guest' },
  });
  const api = {
    signInGuest: vi.fn(async () => signedIn('first')),
    claimAdmin: vi.fn(async () => signedIn('claimed')),
    refresh: vi.fn(async () => signedIn('second')),
    giveConsent: vi.fn(async () => undefined),
  };
  const pass = (ms: number) => {
    time += ms;
  };
  return { api, pass, storage, auth: createAuth({ api, storage, now: () => time }) };
};

test.each([
  ['', 'missing'],
  ['   ', 'missing'],
  ['x'.repeat(41), 'too-long'],
  ['a\u0007b', 'unprintable'],
  ['a\u202Eb', 'unprintable'],
  [' Ana ', undefined],
  ['x'.repeat(40), undefined],
  ['Nguyễn Thị Ánh', undefined],
] as const)('ID-1 the name %j is %s', (name, fault) => {
  expect(displayNameFault(name)).toBe(fault);
});

test('WB-2 asks for a name only when one is needed, and goes on once it is given', async () => {
  const { auth, api } = setUp();
  expect(auth.asking.value).toBe(false);
  const wanted = auth.require();
  expect(auth.asking.value).toBe(true);
  await auth.signIn('  Ana ');
  expect(await wanted).toBe(true);
  expect(api.signInGuest).toHaveBeenCalledWith('Ana');
  expect(await auth.require()).toBe(true);
  expect(auth.asking.value).toBe(false);
});

test('ID-8 whoever signs in accepts the house rules, and is signed in even where that cannot be told now', async () => {
  const { auth, api } = setUp();
  await auth.signIn('Ana');
  expect(api.giveConsent).toHaveBeenCalledWith({ houseRules: true });
  auth.signOut();
  api.giveConsent.mockRejectedValueOnce(new Error('away'));
  const wanted = auth.require();
  await auth.signIn('Ana');
  expect(await wanted).toBe(true);
});

test('whoever would rather not give a name goes no further', async () => {
  const { auth } = setUp();
  const wanted = auth.require();
  auth.cancel();
  expect(await wanted).toBe(false);
});

test('ID-2 a token is kept over a visit and forgotten when it has expired', async () => {
  const first = setUp();
  await first.auth.signIn('Ana');
  expect(setUp(first.storage).auth.token()).toBe('first');
  first.pass(25 * hour);
  expect(first.auth.token()).toBeUndefined();
  expect(first.auth.identity.value).toBeUndefined();
  expect(setUp(first.storage).auth.token()).toBeUndefined();
});

test('ID-2 a token is renewed once half of its life is over', async () => {
  const { auth, api, pass } = setUp();
  await auth.signIn('Ana');
  await auth.refresh();
  expect(api.refresh).not.toHaveBeenCalled();
  pass(13 * hour);
  await auth.refresh();
  expect(auth.token()).toBe('second');
});

test('ID-2 a token that the server does not renew is given up; one that it could not be asked about is kept', async () => {
  const { auth, api, pass } = setUp();
  await auth.signIn('Ana');
  pass(13 * hour);
  api.refresh.mockRejectedValueOnce(Object.assign(new Error('away'), { code: 'network' }));
  await auth.refresh();
  expect(auth.token()).toBe('first');
  api.refresh.mockRejectedValueOnce(Object.assign(new Error('no'), { code: 'unauthorized' }));
  await auth.refresh();
  expect(auth.token()).toBeUndefined();
});

test('ID-4 a token that the connection renewed is kept', async () => {
  const { auth, storage } = setUp();
  await auth.signIn('Ana');
  auth.renewed('renewed', Date.now() + 48 * hour);
  expect(setUp(storage).auth.token()).toBe('renewed');
});

test('what is kept by another version of the page is not believed', () => {
  const storage = memoryStorage();
  storage.write('rostrum.identity', JSON.stringify({ token: 7, expiresAt: 'never' }));
  expect(setUp(storage).auth.identity.value).toBeUndefined();
  storage.write('rostrum.identity', '{');
  expect(setUp(storage).auth.identity.value).toBeUndefined();
});
