import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RandomPhase } from '../../client/call-types.ts';
import type { Connection } from '../../client/types.ts';
import { createEnglish } from '../../i18n/index.ts';
import { createAuth } from '../auth.ts';
import { createClock } from '../clock.ts';
import { createPreferences } from '../preferences.ts';
import type { Sound } from '../room/changes.ts';
import { exampleNotices } from '../room/examples.ts';
import { createSafety } from '../safety.ts';
import { memoryStorage } from '../storage.ts';
import { createTalkService } from '../talk-service.ts';
import {
  afterCall,
  exampleCall,
  exampleCalls,
  examplePreview,
  exampleService,
  exampleWords,
  inCall,
  inQueue,
  refusal,
} from './examples.ts';
import { createTalkStore } from './store.ts';

const { messages, formats } = createEnglish();
const user = { userId: 'me', displayName: 'Me', kind: 'guest' } as const;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const setUp = async (signedIn = true) => {
  const world = exampleCalls();
  const { notices, said } = exampleNotices();
  const sounds: Sound[] = [];
  const storage = memoryStorage();
  const api = {
    signInGuest: async () => ({ token: 'token', expiresAt: Date.now() + 1e6, user }),
    claimAdmin: async () => Promise.reject(refusal('not_found')),
    refresh: async () => Promise.reject(refusal('unauthorized')),
    giveConsent: async () => undefined,
    consents: async () => ({ houseRules: true, minimumAge: 18 }),
    block: vi.fn(async () => undefined),
    unblock: vi.fn(async () => undefined),
    randomService: async () => exampleService(),
  };
  const auth = createAuth({ api, storage, now: Date.now });
  const connection = {} as Connection;
  const openCalls = vi.fn(async () => world.calls);
  const talkService = createTalkService(api);
  const store = createTalkStore({
    auth,
    api,
    safety: createSafety({ api, notices, messages: () => messages }),
    talkService,
    notices,
    preferences: createPreferences(storage),
    clock: createClock(),
    storage,
    messages: () => messages,
    words: exampleWords,
    formats,
    play: (sound) => sounds.push(sound),
    still: false,
    languages: ['en'],
    permission: async () => 'granted',
    calls: { connect: async () => connection, open: openCalls },
  });
  if (signedIn) await auth.signIn('Me');
  store.open();
  await vi.advanceTimersByTimeAsync(0);
  return { ...world, store, auth, api, talkService, openCalls, notices, said, sounds };
};

describe('where one stands', () => {
  test('RE-2 whoever is signed in is connected at once, anybody else when they sign in', async () => {
    expect((await setUp()).openCalls).toHaveBeenCalledTimes(1);
    const guest = await setUp(false);
    expect(guest.openCalls).not.toHaveBeenCalled();
    await guest.auth.signIn('Me');
    await vi.advanceTimersByTimeAsync(0);
    expect(guest.openCalls).toHaveBeenCalledTimes(1);
  });

  test('whoever signs out is let go of', async () => {
    const { auth, names, store } = await setUp();
    auth.signOut();
    expect(names()).toContain('dispose');
    expect(store.calls.value).toBeUndefined();
  });

  test('RE-2 a page that goes away ends nothing, and comes back', async () => {
    const { store, tell, names, openCalls } = await setUp();
    tell('phase', inCall());
    store.suspend();
    expect(names()).toEqual(['dispose']);
    store.open();
    await vi.advanceTimersByTimeAsync(0);
    expect(openCalls).toHaveBeenCalledTimes(2);
  });

  test.each([
    ['call', inCall(), 'end'],
    ['queued', inQueue(), 'cancel'],
    ['starting', { phase: 'starting', mode: 'voice' }, 'cancel'],
  ] as [string, RandomPhase, string][])(
    'RD-6 a page that is left while %s ends that, and turns the microphone off first',
    async (_, phase, ends) => {
      const { store, tell, names } = await setUp();
      tell('phase', phase);
      await store.leave();
      expect(names()).toEqual(['closePreview', ends, 'dispose']);
    },
  );

  test('a page that is left while the server is away is left all the same', async () => {
    const { store, tell, names, refusals } = await setUp();
    refusals.set('end', refusal('network'));
    tell('phase', inCall());
    await store.leave();
    expect(names()).toContain('dispose');
  });

  test('RQ-7 the counts are those of the connection, and until then those that were asked for', async () => {
    const { store, tell } = await setUp();
    const stats = { totalActive: 9, inQueue: 1, activeCalls: 4 };
    tell('service', exampleService({ stats }));
    expect(store.service.value?.stats).toEqual(stats);
  });

  test('RQ-8 what is switched off is on again once somebody says so', async () => {
    const { store, tell, talkService } = await setUp();
    tell('service', exampleService({ available: false }));
    expect(store.service.value?.available).toBe(false);
    await talkService.load();
    expect(store.service.value?.available).toBe(true);
  });
});

describe('in a call', () => {
  test('RD-10 another call begins with an empty chat and an open verdict', async () => {
    const { store, tell, sounds } = await setUp();
    tell('phase', inCall());
    tell('message', { messageId: 'a', mine: false, text: 'Hi', at: 0 });
    store.verdict.rate(2);
    expect(store.chat.unread.value).toBe(1);
    expect(sounds).toContain('hand');
    tell('phase', inCall({ muted: true }));
    expect(store.verdict.stars.value).toBe(2);
    tell('phase', inCall({ sessionId: 'another' }));
    expect([store.chat.unread.value, store.verdict.stars.value]).toEqual([0, 0]);
  });

  test('WB-5 what is written is said, with who wrote it', async () => {
    const { tell, said } = await setUp();
    tell('phase', inCall());
    tell('message', { messageId: 'a', mine: false, text: 'Hola', at: 0 });
    expect(said()).toContain('Ana wrote: Hola');
  });

  test('the controls ask for what they say', async () => {
    const { store, tell, done } = await setUp();
    const video = exampleCall({ mode: 'video', video: { state: 'on', width: 640, height: 360, framesPerSecond: 15 } });
    tell('phase', { phase: 'call', call: video });
    const { commands } = store;
    commands.toggleMute();
    await commands.toggleCamera();
    commands.setAudioOnly(true);
    await commands.stillHere();
    await commands.extend();
    await commands.startAudio();
    await commands.next();
    await commands.end();
    expect(done).toEqual([
      ['setMuted', true],
      ['setCamera', false],
      ['setAudioOnly', true],
      ['stillHere'],
      ['extend'],
      ['startAudio'],
      ['next'],
      ['end'],
    ]);
  });

  test('RQ-9 a text call has no microphone to mute', async () => {
    const { store, tell, done } = await setUp();
    tell('phase', inCall({ mode: 'text' }));
    store.commands.toggleMute();
    await store.commands.toggleCamera();
    expect(done).toEqual([]);
  });

  test('SE-2 a refused skip is told in words, and the call goes on', async () => {
    const { store, tell, refusals, notices } = await setUp();
    tell('phase', inCall());
    refusals.set('next', refusal('rate_limited', { retryAfterMs: 3000 }));
    await store.commands.next();
    expect(notices.shown.value[0]?.text).toBe('That was too often. Try again in 3 seconds.');
    expect(store.phase.value.phase).toBe('call');
  });
});

describe('safety', () => {
  test('SF-4 a block can be taken back at once', async () => {
    const { store, tell, done, notices, api } = await setUp();
    tell('phase', afterCall());
    const about = store.about.value;
    if (about === undefined) throw new Error('There is somebody to block.');
    await store.commands.block(about);
    expect(done).toEqual([['block', about.sessionId]]);
    expect(store.verdict.blocked.value).toBe(true);
    notices.shown.value[0]?.action?.run();
    await vi.advanceTimersByTimeAsync(0);
    expect(api.unblock).toHaveBeenCalledWith(about.userId);
    expect(store.verdict.blocked.value).toBe(false);
  });

  test('SF-4 a block that was refused is no block', async () => {
    const { store, tell, refusals, notices } = await setUp();
    tell('phase', afterCall());
    refusals.set('block', refusal('blocks_full'));
    await store.commands.block({ sessionId: 's', userId: 'ana', displayName: 'Ana' });
    expect(store.verdict.blocked.value).toBe(false);
    expect(notices.shown.value.map(({ action }) => action)).toEqual([undefined]);
  });

  test('SF-1 a report is thanked for, or its failure placed in the form', async () => {
    const { store, tell, done, notices, refusals } = await setUp();
    tell('phase', afterCall());
    const about = { sessionId: 's', userId: 'ana', displayName: 'Ana' };
    expect(await store.commands.report(about, 'spam', 'Ads', 'Thanks.')).toBeUndefined();
    expect(done).toEqual([['report', 's', 'spam', 'Ads']]);
    expect(notices.shown.value[0]?.text).toBe('Thanks.');
    expect(store.verdict.reported.value).toBe(true);
    refusals.set('report', refusal('stale'));
    expect(await store.commands.report(about, 'spam', '', 'Thanks.')).toMatchObject({ code: 'stale' });
  });
});

describe('refused and taken out', () => {
  test('RQ-5 a search that was refused is back at the choices, with what to do', async () => {
    const { store, tell } = await setUp();
    tell('phase', { phase: 'refused', error: refusal('on_stage') as never });
    expect(store.phase.value.phase).toBe('idle');
    expect(store.start.failure.value?.text).toBe(messages.failures.codes.on_stage);
  });

  test('in a room: asks first', async () => {
    const { store, tell } = await setUp();
    tell('phase', { phase: 'refused', error: refusal('in_room') as never });
    expect(store.sheet.value).toEqual({ kind: 'leave-room' });
  });

  test('RQ-5 one click keeps waiting', async () => {
    const { store, tell, names } = await setUp();
    tell('preview', examplePreview(false));
    tell('phase', { phase: 'out', reason: 'timeout' });
    await store.start.begin();
    expect(names()).toEqual(['start']);
  });
});

describe('devices', () => {
  test('RQ-10 another mode opens what it needs, where something is open already, and nothing else', async () => {
    const { store, tell, done } = await setUp();
    await store.commands.chooseMode('video');
    expect(done).toEqual([]);
    tell('preview', examplePreview(false));
    await store.commands.chooseMode('video');
    await store.commands.chooseMode('text');
    expect(done).toEqual([['openPreview', 'video', {}], ['closePreview']]);
  });

  test('WB-3 a chosen device is used at once, and kept', async () => {
    const { store, tell, done } = await setUp();
    await store.commands.chooseMicrophone('usb');
    expect(done).toEqual([]);
    tell('preview', examplePreview(true));
    await store.commands.chooseMicrophone('usb');
    await store.commands.chooseCamera('rear');
    tell('phase', inCall({ mode: 'video' }));
    await store.commands.openDevices();
    expect(done).toEqual([
      ['useMicrophone', 'usb'],
      ['useCamera', 'rear'],
      ['openPreview', 'video', { microphoneId: 'usb', cameraId: 'rear' }],
    ]);
    expect(store.choices.chosen.value.cameraId).toBe('rear');
    expect(store.preferences.deviceId.value).toBe('usb');
  });
});
