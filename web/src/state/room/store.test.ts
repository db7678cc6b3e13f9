import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createEnglish } from '../../i18n/index.ts';
import { createClock } from '../clock.ts';
import { createPreferences } from '../preferences.ts';
import { memoryStorage } from '../storage.ts';
import type { Sound } from './changes.ts';
import { exampleNotices, examplePerson, exampleSession, exampleView } from './examples.ts';
import { createRoomStore } from './store.ts';

const { messages } = createEnglish();

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const setUp = (view = exampleView(), refuse?: () => Error | undefined) => {
  const { session, calls, tell } = exampleSession(view, refuse);
  const { notices, said } = exampleNotices();
  const sounds: Sound[] = [];
  const room = createRoomStore({
    session,
    notices,
    preferences: createPreferences(memoryStorage()),
    clock: createClock(),
    messages: () => messages,
    play: (sound) => sounds.push(sound),
    still: false,
    api: {
      listParticipants: async () => ({ participants: [], total: 0, page: 1 }),
      moderationLog: async () => ({ entries: [] }),
    },
  });
  return { room, calls, tell, notices, said, sounds };
};

const refusal = (code: string) => () => Object.assign(new Error(code), { code });
const me = examplePerson('Me', 'speaker');

test('the host stands first on the stage, and faces keep their place', () => {
  const [ana, ben] = [examplePerson('Ana', 'host'), examplePerson('Ben', 'speaker')];
  const { room, tell } = setUp(exampleView({ stage: [ben, ana] }));
  expect(room.stage.value).toEqual([ana.userId, ben.userId]);
  tell('view', exampleView({ stage: [ben] }));
  expect(room.stage.value).toEqual([null, ben.userId]);
});

test('RM-10 a large audience is not listed one by one', () => {
  const { room, tell } = setUp(exampleView({ members: [examplePerson('Chi', 'listener')] }));
  expect(room.house.value).toHaveLength(1);
  tell('view', exampleView({ members: null }));
  expect(room.house.value).toBeNull();
  expect(room.audienceCount.value).toBe(1000);
});

test('the large control opens the microphone, then mutes and unmutes it', () => {
  const { room, calls, tell, said, sounds } = setUp(exampleView({ me: 'Me', role: 'speaker', stage: [me] }));
  room.toggleMicrophone();
  tell('microphone', { state: 'asking' });
  room.toggleMicrophone();
  tell('microphone', { state: 'live', muted: false, deviceId: 'a', label: 'Built-in' });
  room.toggleMicrophone();
  tell('microphone', { state: 'live', muted: true, deviceId: 'a', label: 'Built-in' });
  room.toggleMicrophone();
  expect(calls).toEqual([
    ['openMicrophone', {}],
    ['setMuted', true],
    ['setMuted', false],
  ]);
  expect(said()).toEqual(['You are live. Everybody hears you.']);
  expect(sounds).toEqual(['live']);
});

test('WB-3 the chosen microphone is the one that is opened', () => {
  const { room, calls } = setUp(exampleView({ role: 'speaker' }));
  room.preferences.deviceId.value = 'usb';
  room.preferences.processing.value = false;
  room.toggleMicrophone();
  expect(calls).toEqual([['openMicrophone', { deviceId: 'usb', processing: false }]]);
});

test('WB-3 a microphone that disappeared is told', () => {
  const { tell, notices } = setUp(exampleView({ role: 'speaker' }));
  tell('microphone', { state: 'live', muted: false, deviceId: 'b', label: 'Built-in', notice: { kind: 'fell-back' } });
  expect(notices.shown.value[0]?.text).toBe('Your microphone was disconnected. Built-in is used instead.');
});

test('WB-4 a refused command is told in words and throws nothing', async () => {
  const { room, notices } = setUp(exampleView(), refusal('hands_closed'));
  await room.commands.raiseHand();
  expect(notices.shown.value[0]).toMatchObject({ text: messages.failures.codes.hands_closed, tone: 'bad' });
});

test('MO-2 a kick can be taken back from the notice that tells it', async () => {
  const { room, calls, notices } = setUp(exampleView({ role: 'host' }));
  const ben = { userId: 'ben', displayName: 'Ben' };
  await room.commands.act('kick', ben, '  spam ');
  expect(notices.shown.value[0]).toMatchObject({ text: 'Ben was removed from the room.', action: { label: 'Undo' } });
  notices.shown.value[0]?.action?.run();
  expect(calls).toEqual([
    ['kick', 'ben', 'spam'],
    ['unban', 'ben'],
  ]);
});

test('MO-2 a kick that was refused offers nothing to take back', async () => {
  const { room, notices } = setUp(exampleView({ role: 'host' }), refusal('forbidden'));
  await room.commands.act('kick', { userId: 'ben', displayName: 'Ben' });
  expect(notices.shown.value.map(({ action }) => action)).toEqual([undefined]);
});

test('HD-2 making a listener a moderator says that they were asked first', async () => {
  const { room, notices } = setUp(exampleView({ role: 'host' }));
  await room.commands.act('appoint', { userId: 'ben', displayName: 'Ben' });
  expect(notices.shown.value[0]?.text).toBe('Ben was invited to speak.');
});

test('RM-8 a refused change comes back with its field', async () => {
  const refuse = () => Object.assign(new Error('invalid'), { code: 'invalid', path: 'changes.title' });
  const { room } = setUp(exampleView({ role: 'host' }), refuse);
  expect(await room.commands.update({ title: '' })).toMatchObject({ code: 'invalid', path: 'changes.title' });
});

test('RE-2 losing the connection and coming back are told', () => {
  const { room, tell, said } = setUp();
  tell('phase', { phase: 'reconnecting' });
  tell('phase', { phase: 'live' });
  expect(said()).toEqual(['Connection lost. Reconnecting…', 'You are back.']);
  expect(room.phase.value.phase).toBe('live');
});

test('a room that was let go of listens no more', () => {
  const { room, tell } = setUp();
  room.dispose();
  tell('audioBlocked', true);
  expect(room.audioBlocked.value).toBe(false);
});

test('HD-3 a hand that came down is told, unless one lowered it oneself or was brought on stage', async () => {
  const up = exampleView({ self: { handPosition: 1 } });
  const told = async (after: typeof up, lower: boolean) => {
    const { room, tell, notices } = setUp(up);
    if (lower) await room.commands.lowerHand();
    tell('view', exampleView());
    tell('view', after);
    vi.advanceTimersByTime(1000);
    return notices.shown.value.map(({ text }) => text);
  };
  expect(await told(exampleView(), false)).toEqual(['Your hand was lowered.']);
  expect(await told(exampleView(), true)).toEqual([]);
  expect(await told(exampleView({ role: 'speaker' }), false)).toEqual([]);
});
