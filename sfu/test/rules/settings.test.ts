import { describe, expect, test } from 'vitest';
import { idOf, scenario } from './support.ts';

describe('Changing a live room', () => {
  test('RM-8 the host changes title, limits, permissions and privacy one by one, and everybody sees it at once', () => {
    const room = scenario()
      .join('ana')
      .update('host', { title: 'Another', permissions: { allowHandRaise: false } });
    expect(room.view('ana').info).toMatchObject({
      title: 'Another',
      description: '',
      permissions: { anyoneCanSpeak: false, allowRecording: false, allowHandRaise: false },
    });
    room.update('host', { privacy: { hideParticipants: true }, maxSpeakers: 3 });
    expect(room.view('ana').info).toMatchObject({
      title: 'Another',
      maxSpeakers: 3,
      privacy: { hideParticipants: true, allowInvites: true },
    });
  });

  test('RM-8 a field that is there but undefined changes nothing', () => {
    const room = scenario();
    const { settings } = room.state.control;
    room.update('host', { title: undefined, permissions: { anyoneCanSpeak: undefined }, privacy: undefined });
    expect(room.state.control.settings).toEqual(settings);
  });

  test('RM-8 only the host changes a room', () => {
    const room = scenario().moderators('mia').speakers('sam').join('ana');
    for (const name of ['mia', 'sam', 'ana'])
      expect(room.refusal((r) => r.update(name, { title: 'Mine' }))).toBe('forbidden');
    expect(room.refusal((r) => r.update('nobody', { title: 'Mine' }))).toBe('not_in_room');
  });

  test('RM-8 lowering a limit throws nobody out, and lets nobody more in', () => {
    const room = scenario()
      .speakers('sam', 'sol')
      .joinAll('ana', 'ben')
      .update('host', { maxSpeakers: 1, maxParticipants: 2 });
    expect([room.onStage, room.listeners]).toEqual([
      ['host', 'sam', 'sol'],
      ['ana', 'ben'],
    ]);
    expect(room.refusal((r) => r.join('cem'))).toBe('room_full');
    room.raise('ana');
    expect(room.refusal((r) => r.accept('host'))).toBe('stage_full');
  });

  test('RM-8 keeps within what the operator allows, and speaks only of what is changed', () => {
    const room = scenario({ maxParticipants: 500 }, { roomMaxParticipants: 100, roomMaxSpeakers: 5 });
    expect(room.refusal((r) => r.update('host', { maxParticipants: 101 }))).toBe('invalid');
    expect(room.refusal((r) => r.update('host', { maxSpeakers: 6 }))).toBe('invalid');
    expect(
      room.refusal((r) => r.update('host', { title: 'Smaller', maxParticipants: 100, maxSpeakers: 5 })),
    ).toBeUndefined();
  });

  test('RM-6 hideParticipants shows listeners the stage and a count, and the stage everybody', () => {
    const room = scenario()
      .speakers('sam')
      .joinAll('ana', 'ben')
      .update('host', { privacy: { hideParticipants: true } });
    expect(room.view('ana').audience).toEqual({ count: 2, members: null });
    expect(room.view('ana').stage.map(({ displayName }) => displayName)).toEqual(['host', 'sam']);
    expect(room.view('sam').audience.members?.map(({ displayName }) => displayName)).toEqual(['ana', 'ben']);
  });
});

describe('A large audience', () => {
  const crowd = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, index) => `p${from + index}`);

  test('RM-10 above 100 listeners the audience is a count', () => {
    const room = scenario().joinAll(...crowd(0, 100));
    expect(room.view('host').audience.members).toHaveLength(100);
    room.join('p100');
    expect(room.view('host').audience).toEqual({ count: 101, members: null });
    expect(room.view('host').info.audienceListed).toBe(false);
  });

  test('RM-10 below 80 listeners it is a list again, and between the two it stays what it was', () => {
    const room = scenario().joinAll(...crowd(0, 101));
    for (const name of crowd(80, 101)) room.leave(name);
    expect([room.listeners.length, room.view('host').info.audienceListed]).toEqual([80, false]);
    room.leave('p0');
    expect([room.listeners.length, room.view('host').info.audienceListed]).toEqual([79, true]);
    room.joinAll(...crowd(80, 101));
    expect([room.listeners.length, room.view('host').info.audienceListed]).toEqual([100, true]);
    expect(room.all('audience-listing-changed').map(({ listed }) => listed)).toEqual([false, true]);
  });

  test('RM-10 counts whoever goes to or comes from the stage', () => {
    const room = scenario({}, { audienceListedMax: 2, audienceListedAgain: 2 })
      .joinAll('ana', 'ben')
      .speakers('sam')
      .demote('host', 'sam');
    expect(room.view('host').audience).toEqual({ count: 3, members: null });
    room.raise('sam').accept('host').leave('ben');
    expect(room.view('host').info.audienceListed).toBe(true);
  });

  test('RM-10 limits of an operator that overlap do not switch the list to and fro', () => {
    const room = scenario({}, { audienceListedMax: 2, audienceListedAgain: 80 })
      .joinAll('ana', 'ben', 'cem', 'dag')
      .muteSelf('host')
      .muteSelf('host', false);
    expect(room.all('audience-listing-changed')).toHaveLength(1);
    expect(room.view('host').audience.members).toBeNull();
    expect(room.state.control.stage[0]?.userId).toBe(idOf('host'));
  });
});
