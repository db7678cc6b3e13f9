import { describe, expect, test } from 'vitest';
import { movedHands } from '../../src/rules/room/project.ts';
import { idOf, nameOf, scenario, second } from './support.ts';

const position = (room: ReturnType<typeof scenario>, name: string) => room.view(name).self.handPosition;

describe('The queue of hands', () => {
  test('HD-1 a listener raises a hand once; hands queue by time', () => {
    const room = scenario().joinAll('ana', 'ben').raise('ben').wait(second).raise('ana');
    expect(room.refusal((r) => r.raise('ben'))).toBe('already');
    expect(room.hands).toEqual(['ben', 'ana']);
    expect(room.view('host').staff?.hands.map(({ displayName }) => displayName)).toEqual(['ben', 'ana']);
  });

  test('HD-1 a listener sees their own place and nobody else’s', () => {
    const room = scenario().speakers('sam').joinAll('ana', 'ben', 'cem').raise('ben').raise('ana');
    expect([position(room, 'ben'), position(room, 'ana'), position(room, 'cem')]).toEqual([1, 2, null]);
    expect([room.view('ana').staff, room.view('sam').staff]).toEqual([null, null]);
  });

  test('HD-1 people whose place moved are told the new one', () => {
    const room = scenario().joinAll('ana', 'ben', 'cem').raise('ana').raise('ben').raise('cem');
    const before = room.state.control;
    room.toFront('host', 'cem');
    const moved = movedHands(before, room.state.control).map((hand) => [nameOf(hand.userId), hand.position]);
    expect(moved).toEqual([
      ['cem', 1],
      ['ana', 2],
      ['ben', 3],
    ]);
  });

  test('HD-1 people whose place stays are told nothing', () => {
    const room = scenario().joinAll('ana', 'ben', 'cem').raise('ana').raise('ben');
    const before = room.state.control;
    expect(movedHands(before, room.raise('cem').state.control)).toEqual([]);
    expect(movedHands(before, room.lower('ben').lower('cem').state.control)).toEqual([]);
  });

  test('RE-5 hands are bounded', () => {
    const room = scenario({}, { handsPerRoom: 1 }).joinAll('ana', 'ben').raise('ana');
    expect(room.refusal((r) => r.raise('ben'))).toBe('hands_full');
  });

  test('HD-2 accepting a raised hand promotes at once', () => {
    const room = scenario().join('ana').raise('ana').accept('host', 'ana');
    expect([room.role('ana'), room.hands, room.invited]).toEqual(['speaker', [], []]);
    expect(room.last('role-changed')).toMatchObject({ from: 'listener', to: 'speaker', byName: 'host' });
    const other = scenario().join('ana').raise('ana').promote('host', 'ana', 'speaker');
    expect([other.role('ana'), other.hands]).toEqual(['speaker', []]);
  });

  test('HD-2 somebody who did not ask is invited, and comes onto the stage only with their consent', () => {
    const room = scenario().join('ana').promote('host', 'ana', 'speaker');
    expect([room.role('ana'), room.invited]).toEqual(['listener', ['ana']]);
    expect(room.view('ana').self.invitation).toEqual({ byName: 'host', until: room.now + 30 * second });
    room.answer('ana', true);
    expect([room.role('ana'), room.invited]).toEqual(['speaker', []]);
    expect(room.last('invitation-closed')).toMatchObject({ outcome: 'accepted' });
  });

  test('HD-2 an invitation can be declined, and is open for 30 s', () => {
    const room = scenario().join('ana').invite('host', 'ana').answer('ana', false);
    expect([room.role('ana'), room.invited]).toEqual(['listener', []]);
    room.invite('host', 'ana').pass(30 * second - 1);
    expect(room.refusal((r) => r.invite('host', 'ana'))).toBe('already');
    room.pass(1);
    expect(room.last('invitation-closed')).toMatchObject({ outcome: 'expired' });
    expect(room.refusal((r) => r.answer('ana', true))).toBe('conflict');
  });

  test('HD-2 an invitation that has expired is not accepted, even if nobody has closed it yet', () => {
    const room = scenario()
      .join('ana')
      .invite('host', 'ana')
      .wait(30 * second);
    expect(room.invited).toEqual(['ana']);
    expect(room.refusal((r) => r.answer('ana', true))).toBe('conflict');
    expect(room.refusal((r) => r.answer('ana', false))).toBe('conflict');
    room.elapse(`invitation:${idOf('ana')}`).elapse(`invitation:${idOf('ana')}`);
    expect(room.all('invitation-closed')).toHaveLength(1);
  });

  test('HD-2 an invitation accepted after the stage has filled answers stage_full, and stays open for its time', () => {
    const room = scenario({ maxSpeakers: 1 })
      .joinAll('ana', 'ben')
      .invite('host', 'ana')
      .invite('host', 'ben')
      .answer('ben', true);
    expect(room.refusal((r) => r.answer('ana', true))).toBe('stage_full');
    expect(room.demote('ben', 'ben').answer('ana', true).role('ana')).toBe('speaker');
  });

  test('HD-2 an invitation ends with the seat, and is not there on return', () => {
    const room = scenario().joinAll('ana').invite('host', 'ana').leave('ana').join('ana');
    expect(room.refusal((r) => r.answer('ana', true))).toBe('conflict');
    expect(room.last('invitation-closed')).toMatchObject({ outcome: 'withdrawn' });
  });

  test('HD-2 an invitation survives a reconnection', () => {
    const room = scenario()
      .joinAll('ana')
      .invite('host', 'ana')
      .lose('ana')
      .pass(10 * second)
      .join('ana')
      .answer('ana', true);
    expect(room.role('ana')).toBe('speaker');
  });

  test('HD-2 nobody outside or on the stage is invited, and invitations are bounded', () => {
    const room = scenario({}, { invitationsPerRoom: 1 }).speakers('sam').joinAll('ana', 'ben').invite('host', 'ana');
    expect(room.refusal((r) => r.invite('host', 'nobody'))).toBe('not_found');
    expect(room.refusal((r) => r.invite('host', 'sam'))).toBe('forbidden');
    expect(room.refusal((r) => r.invite('sam', 'ben'))).toBe('forbidden');
    expect(room.refusal((r) => r.promote('host', 'sam', 'speaker'))).toBe('already');
    expect(room.refusal((r) => r.invite('host', 'ben'))).toBe('conflict');
  });

  test('HD-3 moderators accept, decline, move to the front, take the next and clear', () => {
    const room = scenario().moderators('mia').joinAll('ana', 'ben', 'cem', 'dag', 'eve');
    for (const name of ['ana', 'ben', 'cem', 'dag', 'eve']) room.raise(name);
    room.toFront('mia', 'dag').accept('mia');
    expect([room.role('dag'), room.hands]).toEqual(['speaker', ['ana', 'ben', 'cem', 'eve']]);
    room.decline('mia', 'ben').accept('mia', 'cem');
    expect(room.hands).toEqual(['ana', 'eve']);
    room.decline('mia');
    expect(room.hands).toEqual([]);
    expect(room.refusal((r) => r.accept('mia'))).toBe('not_found');
    expect(room.refusal((r) => r.decline('mia', 'ana'))).toBe('not_found');
    expect(room.refusal((r) => r.toFront('mia', 'ana'))).toBe('not_found');
    expect(room.refusal((r) => r.decline('mia'))).toBeUndefined();
  });

  test('HD-3 lowering, leaving, being promoted, appointed, kicked or lost removes the hand', () => {
    const names = ['ana', 'ben', 'cem', 'dag', 'eve', 'fay'];
    const room = scenario().joinAll(...names);
    for (const name of names) room.raise(name);
    room.lower('ana').leave('ben').accept('host', 'cem').kick('host', 'dag').promote('host', 'eve', 'moderator');
    expect(room.hands).toEqual(['fay']);
    expect(room.lose('fay').pass(15 * second).hands).toEqual([]);
    expect(room.refusal((r) => r.lower('ana'))).toBe('already');
  });

  test('HD-3 a hand that is first already stays where it is, and nobody is told anything', () => {
    const room = scenario().joinAll('ana', 'ben').raise('ana').raise('ben');
    const { state } = room;
    expect(room.toFront('host', 'ana').state).toBe(state);
    expect(room.all('hand-moved-to-front')).toEqual([]);
  });

  test('HD-3 lowering is about one’s own hand alone', () => {
    const room = scenario().joinAll('ana', 'ben').raise('ana');
    expect(room.refusal((r) => r.lower('ben'))).toBe('already');
    expect(room.lower('ana').hands).toEqual([]);
  });

  test('HD-3 a hand keeps its place over a reconnection and a change of device', () => {
    const room = scenario()
      .joinAll('ana', 'ben')
      .raise('ana')
      .raise('ben')
      .lose('ana')
      .pass(14 * second)
      .join('ana');
    expect(room.hands).toEqual(['ana', 'ben']);
    expect(room.join('ana', { session: "ana's laptop" }).hands).toEqual(['ana', 'ben']);
  });

  test('HD-5 a moderator withdraws the right to raise a hand, and the hand with it', () => {
    const room = scenario()
      .moderators('mia')
      .joinAll('ana', 'ben')
      .raise('ana')
      .raise('ben')
      .allowHand('mia', 'ana', false);
    expect(room.hands).toEqual(['ben']);
    expect(room.view('ana').self).toMatchObject({ mayRaiseHand: false, handPosition: null });
    expect(room.refusal((r) => r.raise('ana'))).toBe('hands_closed');
    expect(room.refusal((r) => r.allowHand('mia', 'ana', false))).toBe('already');
  });

  test('HD-5 withdrawing or giving back the right lowers no hand that is not theirs', () => {
    const room = scenario()
      .joinAll('ana', 'ben')
      .raise('ben')
      .allowHand('host', 'ana', false)
      .allowHand('host', 'ana', true);
    expect([room.hands, room.all('hand-lowered')]).toEqual([['ben'], []]);
  });

  test('HD-5 leaving and coming back does not bring the right back; a moderator does', () => {
    const room = scenario().join('ana').allowHand('host', 'ana', false).leave('ana').join('ana');
    expect(room.refusal((r) => r.raise('ana'))).toBe('hands_closed');
    expect(room.allowHand('host', 'ana', true).raise('ana').hands).toEqual(['ana']);
  });

  test('HD-5 the right can be withdrawn from somebody who has just left', () => {
    const room = scenario().join('ana').leave('ana').allowHand('host', 'ana', false).join('ana');
    expect(room.refusal((r) => r.raise('ana'))).toBe('hands_closed');
  });

  test('HD-5 without it they can still be invited', () => {
    const room = scenario().join('ana').allowHand('host', 'ana', false).invite('host', 'ana').answer('ana', true);
    expect(room.role('ana')).toBe('speaker');
  });

  test('RM-1 without allowHandRaise nobody raises a hand, and those that are up stay', () => {
    const room = scenario()
      .joinAll('ana', 'ben')
      .raise('ana')
      .update('host', { permissions: { allowHandRaise: false } });
    expect(room.refusal((r) => r.raise('ben'))).toBe('hands_closed');
    expect(room.accept('host').role('ana')).toBe('speaker');
  });
});
