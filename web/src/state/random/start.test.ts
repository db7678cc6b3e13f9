import { signal } from '@preact/signals';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { createEnglish } from '../../i18n/index.ts';
import type { Identity } from '../auth.ts';
import { createPreferences } from '../preferences.ts';
import { memoryStorage } from '../storage.ts';
import { createTalkService } from '../talk-service.ts';
import { createTalkChoices } from './choices.ts';
import { afterCall, exampleCalls, examplePreview, exampleService, inQueue, refusal } from './examples.ts';
import { createTalkLink } from './link.ts';
import type { TalkSheet } from './sheets.ts';
import { createStart } from './start.ts';

const { messages } = createEnglish();

const setUp = (permission: PermissionState | 'unknown' = 'granted', service = exampleService()) => {
  const world = exampleCalls(service);
  const consents = { houseRules: true, minimumAge: 18 as number | null };
  const api = {
    consents: vi.fn(async () => ({ ...consents })),
    giveConsent: vi.fn(async (given: object) => void Object.assign(consents, given)),
  };
  const auth = {
    identity: signal<Identity | undefined>({ userId: 'me' } as Identity),
    require: vi.fn(async () => true),
    signOut: vi.fn(),
  };
  const storage = memoryStorage();
  const sheet = signal<TalkSheet | undefined>(undefined);
  const choices = createTalkChoices({ storage, languages: ['en'] });
  const connection = {};
  const link = createTalkLink({
    connect: async () => connection as never,
    openCalls: async () => world.calls,
    onPhase: () => undefined,
    onMessage: () => undefined,
  });
  const start = createStart({
    auth,
    api,
    talkService: createTalkService({ randomService: async () => service }),
    link,
    sheet,
    choices,
    preferences: createPreferences(storage),
    region: undefined,
    messages: () => messages,
    permission: async () => permission,
  });
  return { ...world, api, auth, consents, sheet, choices, link, start };
};

let all: ReturnType<typeof setUp>;
beforeEach(() => {
  all = setUp();
});
const searches = (world = all) => world.done.filter(([name]) => name === 'start');

describe('RQ-1 the large button', () => {
  test('RQ-1 one click searches, where the microphone is allowed already', async () => {
    await all.start.begin();
    expect(all.names()).toEqual(['openPreview', 'start']);
    expect(searches()[0]).toMatchObject(['start', { mode: 'voice', languages: ['en'] }, { leaveRoom: false }]);
    expect(all.start.busy.value).toBe(false);
  });

  test('RQ-9 a text call opens neither microphone nor camera', async () => {
    all.choices.change({ mode: 'text' });
    await all.start.begin();
    expect(all.names()).toEqual(['start']);
  });

  test('WB-2 whoever would rather not give a name goes no further', async () => {
    all.auth.require.mockResolvedValueOnce(false);
    await all.start.begin();
    expect(all.names()).toEqual([]);
  });

  test('a second click while the first is on its way does nothing', async () => {
    await Promise.all([all.start.begin(), all.start.begin()]);
    expect(searches()).toHaveLength(1);
  });

  test('whoever turns out to wait already is not queued again', async () => {
    all.tell('phase', inQueue());
    await all.start.begin();
    expect(searches()).toEqual([]);
  });
});

describe('RQ-10 looking before searching', () => {
  test('RQ-10 whoever is asked by the browser first hears themselves, then starts', async () => {
    const asked = setUp('prompt');
    await asked.start.begin();
    expect(searches(asked)).toEqual([]);
    await asked.start.begin();
    expect(searches(asked)).toHaveLength(1);
    expect(asked.names().filter((name) => name === 'openPreview')).toHaveLength(1);
  });

  test('RQ-10 nobody is shown to a stranger before they have seen their own picture', async () => {
    all.choices.change({ mode: 'video' });
    await all.start.begin();
    expect(searches()).toEqual([]);
    await all.start.begin();
    expect(searches()).toHaveLength(1);
  });

  test('RQ-10 looking alone searches nobody', async () => {
    await all.start.look();
    expect(all.names()).toEqual(['openPreview']);
  });

  test('RQ-10 a microphone that fails keeps one from searching, and can be tried again', async () => {
    all.opens(() => ({ state: 'failed', device: 'microphone', reason: 'busy' }));
    await all.start.begin();
    expect(searches()).toEqual([]);
    all.opens(() => examplePreview(false));
    await all.start.begin();
    expect(searches()).toHaveLength(1);
  });

  test('whoever switched the camera off goes on without it', async () => {
    all.choices.change({ mode: 'video' });
    await all.start.begin();
    await all.start.begin();
    all.tell('preview', examplePreview(false));
    all.tell('phase', afterCall());
    await all.start.begin();
    expect(searches()).toHaveLength(2);
    expect(all.names().filter((name) => name === 'openPreview')).toHaveLength(1);
  });

  test('RQ-10 after a call, what has to be looked at first is shown beside the choices', async () => {
    await all.link.open();
    all.choices.change({ mode: 'video' });
    all.tell('phase', afterCall());
    await all.start.begin();
    expect(all.calls.phase.phase).toBe('idle');
    expect(searches()).toEqual([]);
  });
});

describe('ID-8 what has to be agreed to', () => {
  test('ID-8 the rules first, then the age, then the search; each asked once', async () => {
    Object.assign(all.consents, { houseRules: false, minimumAge: null });
    await all.start.begin();
    expect(all.sheet.value).toEqual({ kind: 'rules' });
    await all.start.acceptRules();
    expect(all.sheet.value).toEqual({ kind: 'age' });
    await all.start.confirmAge();
    expect(all.sheet.value).toBeUndefined();
    expect(all.api.giveConsent.mock.calls).toEqual([[{ houseRules: true }], [{ minimumAge: 18 }]]);
    expect(searches()).toHaveLength(1);
    all.tell('phase', afterCall());
    await all.start.begin();
    expect(searches()).toHaveLength(2);
    expect(all.sheet.value).toBeUndefined();
  });

  test('ID-8 an operator who asks for a higher age asks again', async () => {
    const older = setUp('granted', exampleService({ minimumAge: 21 }));
    await older.start.begin();
    expect(older.sheet.value).toEqual({ kind: 'age' });
    await older.start.confirmAge();
    expect(older.api.giveConsent).toHaveBeenCalledWith({ minimumAge: 21 });
    expect(searches(older)).toHaveLength(1);
  });

  test('ID-8 no microphone is opened before that', async () => {
    all.consents.minimumAge = null;
    await all.start.begin();
    expect(all.names()).toEqual([]);
  });

  test('ID-8 an answer that could not be kept is told, and nothing begins', async () => {
    all.consents.minimumAge = null;
    await all.start.begin();
    all.api.giveConsent.mockRejectedValueOnce(refusal('unavailable'));
    await all.start.confirmAge();
    expect(all.start.failure.value?.code).toBe('unavailable');
    expect(searches()).toEqual([]);
  });
});

describe('WB-4 a search that was refused', () => {
  test.each([
    ['rules_not_accepted', 'rules'],
    ['age_not_confirmed', 'age'],
    ['in_room', 'leave-room'],
  ])('%s asks for what is missing', async (code, kind) => {
    all.refusals.set('start', refusal(code));
    await all.start.begin();
    expect(all.sheet.value).toEqual({ kind });
    expect(all.start.failure.value).toBeUndefined();
  });

  test('the room is left only after a yes', async () => {
    all.refusals.set('start', refusal('in_room'));
    await all.start.begin();
    all.refusals.clear();
    await all.start.begin({ leaveRoom: true });
    expect(searches().map(([, , options]) => options)).toEqual([{ leaveRoom: false }, { leaveRoom: true }]);
  });

  test('SE-2 too many searches are told with the time to wait', async () => {
    all.refusals.set('start', refusal('rate_limited', { retryAfterMs: 12_000 }));
    await all.start.begin();
    expect(all.start.failure.value?.text).toBe('That was too often. Try again in 12 seconds.');
    all.refusals.clear();
    await all.start.begin();
    expect(all.start.failure.value).toBeUndefined();
  });

  test('ID-4 a sign-in that ran out asks for the name again', async () => {
    all.refusals.set('start', refusal('unauthorized'));
    await all.start.begin();
    expect(all.auth.signOut).toHaveBeenCalledOnce();
  });
});
