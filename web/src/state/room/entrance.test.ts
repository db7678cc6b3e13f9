import type { RoomCard } from '@rostrum/shared/protocol/rest.ts';
import { expect, test, vi } from 'vitest';
import type { Connection } from '../../client/types.ts';
import { createEnglish } from '../../i18n/index.ts';
import { createAuth } from '../auth.ts';
import { memoryStorage } from '../storage.ts';
import { createEntrance } from './entrance.ts';
import { exampleInfo, exampleSession, exampleView } from './examples.ts';
import type { RoomStore } from './store.ts';

const { messages } = createEnglish();
const user = { userId: 'me', displayName: 'Me', kind: 'guest' } as const;
const card: RoomCard = { ...exampleInfo(), faces: [], stageCount: 1, listenerCount: 2 };
const refusal = (code: string) => Object.assign(new Error(code), { code });

const setUp = (more: { signedIn?: boolean; join?: () => Promise<never>; getRoom?: () => Promise<RoomCard> } = {}) => {
  const told = exampleSession(exampleView());
  const signIn = async () => ({ token: 'token', expiresAt: Date.now() + 1000, user });
  const auth = createAuth({
    api: { signInGuest: signIn, claimAdmin: signIn, refresh: signIn, giveConsent: async () => undefined },
    storage: memoryStorage(),
    now: Date.now,
  });
  const join = vi.fn(more.join ?? (async () => told.session));
  const entrance = createEntrance({
    roomId: 'room',
    auth,
    api: { getRoom: more.getRoom ?? (async () => card) },
    messages: () => messages,
    connect: async () => ({}) as Connection,
    join,
    build: (session) => ({ session, dispose: () => undefined }) as RoomStore,
  });
  const begin = async () => {
    if (more.signedIn !== false) await auth.signIn('Me');
    entrance.enter();
    await vi.waitFor(() => expect(entrance.state.value.state).not.toBe('joining'));
    return entrance;
  };
  return { ...told, auth, join, begin, entrance };
};

test('WB-2 whoever is signed in is inside without another tap', async () => {
  const { begin } = setUp();
  expect((await begin()).state.value.state).toBe('inside');
});

test('WB-2 whoever is not is asked for a name, sees the room meanwhile, and is inside with it', async () => {
  const { begin, auth, join } = setUp({ signedIn: false });
  const entrance = await begin();
  await vi.waitFor(() => expect(entrance.state.value).toEqual({ state: 'asking', preview: card }));
  expect(join).not.toHaveBeenCalled();
  await auth.signIn('Me');
  await vi.waitFor(() => expect(entrance.state.value.state).toBe('inside'));
  expect(join).toHaveBeenCalledTimes(1);
});

test('SE-8 a room that is not there is said to be so before a name is given', async () => {
  const { begin } = setUp({ signedIn: false, getRoom: () => Promise.reject(refusal('not_found')) });
  const entrance = await begin();
  await vi.waitFor(() => expect(entrance.state.value.state).toBe('refused'));
});

test('WB-4 a refusal is told in words, and can be tried again', async () => {
  const { begin, join } = setUp({ join: () => Promise.reject(refusal('room_full')) });
  const entrance = await begin();
  expect(entrance.state.value).toMatchObject({ state: 'refused', failure: { code: 'room_full', remedy: 'retry' } });
  entrance.enter();
  await vi.waitFor(() => expect(join).toHaveBeenCalledTimes(2));
});

test('ID-4 a sign-in that ran out asks for the name again', async () => {
  const { begin, auth } = setUp({ join: () => Promise.reject(refusal('unauthorized')) });
  expect((await begin()).state.value.state).toBe('asking');
  expect(auth.identity.value).toBeUndefined();
});

test('ID-5 a seat that was taken elsewhere can be taken back here', async () => {
  const { begin, tell, join } = setUp();
  const entrance = await begin();
  tell('phase', { phase: 'elsewhere' });
  expect(entrance.state.value).toMatchObject({ state: 'gone', farewell: { phase: 'elsewhere' } });
  tell('phase', { phase: 'live' });
  entrance.enter();
  await vi.waitFor(() => expect(entrance.state.value.state).toBe('inside'));
  expect(join).toHaveBeenCalledTimes(2);
});

test('RM-3 the end of a room is told with its reason', async () => {
  const { begin, tell, calls } = setUp();
  const entrance = await begin();
  tell('phase', { phase: 'ended', reason: 'host-ended' });
  expect(entrance.state.value).toEqual({
    state: 'gone',
    farewell: { phase: 'ended', reason: 'host-ended' },
    title: 'Evening jazz',
  });
  expect(calls).toEqual([['dispose']]);
});

test('RE-2 a page that goes away keeps the seat, one that is left gives it up', async () => {
  const kept = setUp();
  (await kept.begin()).suspend();
  expect(kept.calls).toEqual([['dispose']]);
  const left = setUp();
  await (await left.begin()).leave();
  expect(left.calls[0]).toEqual(['leave']);
});

test('whoever leaves while the door still opens takes no seat', async () => {
  let open: (session: never) => void = () => undefined;
  const { entrance, auth, calls, session } = setUp({
    join: () =>
      new Promise((resolve) => {
        open = resolve;
      }),
  });
  await auth.signIn('Me');
  entrance.enter();
  await Promise.resolve();
  await entrance.leave();
  open(session as never);
  await vi.waitFor(() => expect(calls[0]).toEqual(['leave']));
  expect(entrance.state.value.state).toBe('joining');
});
