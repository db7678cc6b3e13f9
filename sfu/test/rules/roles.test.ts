import { describe, expect, test } from 'vitest';
import { participantOf } from '../../src/rules/room/project.ts';
import { idOf, scenario } from './support.ts';

describe('Roles', () => {
  test('RO-1 the host appoints listeners and speakers, and dismisses them to the stage or to the audience', () => {
    const room = scenario().moderators('mia').speakers('sam').promote('host', 'sam', 'moderator');
    expect([room.role('mia'), room.role('sam')]).toEqual(['moderator', 'moderator']);
    room.demote('host', 'mia', 'speaker').demote('host', 'sam', 'listener');
    expect([room.role('mia'), room.role('sam')]).toEqual(['speaker', 'listener']);
    expect(room.state.control.moderators).toEqual([]);
  });

  test('RO-1 an appointment stands while the moderator is outside, until the host takes it back', () => {
    const room = scenario()
      .moderators('mia', 'max')
      .leave('mia')
      .leave('max')
      .join('mia')
      .demote('host', 'max')
      .join('max');
    expect([room.role('mia'), room.role('max')]).toEqual(['moderator', 'listener']);
    expect(room.refusal((r) => r.demote('host', 'nobody'))).toBe('forbidden');
  });

  test('RO-1 appointing twice is already done, and nobody but the host is told so', () => {
    const room = scenario().moderators('mia', 'max').join('ana').leave('max');
    expect(room.refusal((r) => r.promote('host', 'mia', 'moderator'))).toBe('already');
    expect(room.refusal((r) => r.promote('host', 'max', 'moderator'))).toBe('already');
    expect(room.refusal((r) => r.promote('mia', 'mia', 'moderator'))).toBe('forbidden');
    expect(room.refusal((r) => r.promote('ana', 'mia', 'moderator'))).toBe('forbidden');
    expect(room.refusal((r) => r.promote('host', 'host', 'moderator'))).toBe('forbidden');
    expect(room.refusal((r) => r.promote('host', 'nobody', 'moderator'))).toBe('not_found');
  });

  test('RE-5 a room has no more moderators than the limit', () => {
    const room = scenario({}, { moderatorsPerRoom: 1 }).moderators('mia').join('max');
    expect(room.refusal((r) => r.promote('host', 'max', 'moderator'))).toBe('stage_full');
  });

  test('RO-2 what a role does not allow is forbidden and changes nothing', () => {
    const room = scenario().speakers('sam').join('ana').raise('ana');
    expect(room.refusal((r) => r.accept('sam', 'ana'))).toBe('forbidden');
    expect(room.refusal((r) => r.promote('ana', 'ana', 'speaker'))).toBe('forbidden');
    expect(room.refusal((r) => r.openMicrophone('ana'))).toBe('forbidden');
    expect(room.refusal((r) => r.muteSelf('ana'))).toBe('forbidden');
    expect(room.refusal((r) => r.raise('sam'))).toBe('forbidden');
    expect(room.refusal((r) => r.demote('ana', 'ana'))).toBe('forbidden');
    expect(room.refusal((r) => r.demote('host', 'host'))).toBe('forbidden');
    expect(room.refusal((r) => r.kick('nobody', 'ana'))).toBe('not_in_room');
  });

  test('RO-3 a change of role keeps the seat, its session and its connection', () => {
    const room = scenario().join('ana');
    const { sessionId, joinedAt } = room.seat('ana') ?? {};
    room.wait(1000).raise('ana').accept('host');
    expect(room.seat('ana')).toMatchObject({ sessionId, joinedAt, role: 'speaker', awaySince: null });
    room.openMicrophone('ana').demote('host', 'ana');
    expect(room.seat('ana')).toMatchObject({
      sessionId,
      joinedAt,
      role: 'listener',
      producerId: null,
      mute: null,
      stageSince: null,
    });
  });

  test('RO-3 faces keep their place on the stage when a role changes within it', () => {
    const room = scenario().speakers('sam', 'sol').openMicrophone('sam').promote('host', 'sam', 'moderator');
    expect(room.onStage).toEqual(['host', 'sam', 'sol']);
    expect(room.seat('sam')).toMatchObject({ producerId: "sam's microphone" });
    expect(room.handOver('host', 'sol').onStage).toEqual(['host', 'sam', 'sol']);
  });

  test('RO-5 host and moderators return a speaker to the audience, and a speaker or moderator steps down', () => {
    const room = scenario()
      .moderators('mia')
      .speakers('sam', 'sol', 'sue')
      .demote('host', 'sam')
      .demote('mia', 'sol')
      .demote('sue', 'sue');
    expect([room.onStage, room.listeners]).toEqual([
      ['host', 'mia'],
      ['sam', 'sol', 'sue'],
    ]);
    expect(room.last('role-changed')).toMatchObject({ userId: idOf('sue'), byName: null });
    room.demote('mia', 'mia', 'speaker');
    expect([room.role('mia'), room.state.control.moderators]).toEqual(['speaker', []]);
  });

  test('RO-5 somebody returned to the audience does not rejoin as a speaker with anyoneCanSpeak', () => {
    const room = scenario({ permissions: { anyoneCanSpeak: true } })
      .join('ana')
      .demote('host', 'ana')
      .leave('ana')
      .join('ana');
    expect(room.role('ana')).toBe('listener');
    room.raise('ana').accept('host').leave('ana').join('ana');
    expect(room.role('ana')).toBe('speaker');
  });

  test('RO-5 an absent moderator who is returned to the audience does not rejoin as a speaker either', () => {
    const room = scenario({ permissions: { anyoneCanSpeak: true } })
      .moderators('mia')
      .leave('mia')
      .demote('host', 'mia')
      .join('mia');
    expect(room.role('mia')).toBe('listener');
  });

  test('RO-5 an appointment makes up for having been returned to the audience', () => {
    const room = scenario({ permissions: { anyoneCanSpeak: true } })
      .join('ana')
      .demote('host', 'ana')
      .promote('host', 'ana', 'moderator');
    expect(room.demote('host', 'ana', 'speaker').leave('ana').join('ana').role('ana')).toBe('speaker');
  });

  test('RO-4 whoever stepped down by themselves may rejoin as a speaker', () => {
    const room = scenario({ permissions: { anyoneCanSpeak: true } })
      .join('ana')
      .demote('ana', 'ana')
      .leave('ana')
      .join('ana');
    expect(room.role('ana')).toBe('speaker');
  });

  test('MD-9 nobody opens a second microphone', () => {
    const room = scenario().openMicrophone('host');
    expect(room.refusal((r) => r.openMicrophone('host'))).toBe('already');
    room.do({ type: 'close-microphone', userId: idOf('host'), producerId: 'an older one' });
    expect(room.seat('host')?.producerId).toBe("host's microphone");
    room.do({ type: 'close-microphone', userId: idOf('host') }).openMicrophone('host');
    expect(room.view('host').stage[0]).toMatchObject({ microphone: 'open' });
  });

  test('RO-3 what others see of a seat says nothing of its session', () => {
    const seat = scenario().seat('host');
    expect(seat && Object.keys(participantOf(seat)).sort()).toEqual([
      'away',
      'displayName',
      'joinedAt',
      'microphone',
      'role',
      'userId',
    ]);
  });
});
