import { describe, expect, test } from 'vitest';
import { mayKnow } from '../../src/rules/room/decide/membership.ts';
import { emptyRoom, homeNode, idOf, minute, scenario, second } from './support.ts';

describe('Taking a seat', () => {
  test('RM-1 room_full: nobody more than maxParticipants, and again when somebody has left', () => {
    const room = scenario({ maxParticipants: 3 }).joinAll('ana', 'ben');
    expect(room.refusal((r) => r.join('cem'))).toBe('room_full');
    room.leave('ben').join('cem');
    expect(room.listeners).toEqual(['ana', 'cem']);
  });

  test('RM-1 room_full, host and moderators always get in', () => {
    const room = scenario({ maxParticipants: 3 }).moderators('mia').join('ana').leave('host').join('ben');
    expect(room.refusal((r) => r.join('cem'))).toBe('room_full');
    expect(room.join('host').role('host')).toBe('host');
    room.leave('mia');
    expect(room.refusal((r) => r.join('cem'))).toBe('room_full');
    expect(room.join('mia').role('mia')).toBe('moderator');
    expect([room.onStage, room.listeners]).toEqual([
      ['host', 'mia'],
      ['ana', 'ben'],
    ]);
  });

  test('RM-1 room_full does not meet somebody who has a seat already', () => {
    const room = scenario({ maxParticipants: 2 }).join('ana').lose('ana');
    expect(room.refusal((r) => r.join('ana'))).toBeUndefined();
    expect(room.refusal((r) => r.join('ana', { session: "ana's laptop" }))).toBeUndefined();
  });

  test('RM-1 stage_full: a hand, an invitation and a moderator who steps down all need a place', () => {
    const room = scenario({ maxSpeakers: 1 }).speakers('sam').moderators('mia').join('ana').raise('ana');
    expect(room.refusal((r) => r.accept('host', 'ana'))).toBe('stage_full');
    expect(room.refusal((r) => r.accept('host'))).toBe('stage_full');
    expect(room.refusal((r) => r.promote('host', 'ana', 'speaker'))).toBe('stage_full');
    expect(room.refusal((r) => r.invite('host', 'ana'))).toBe('stage_full');
    expect(room.refusal((r) => r.demote('host', 'mia', 'speaker'))).toBe('stage_full');
    expect(room.refusal((r) => r.demote('mia', 'mia', 'speaker'))).toBe('stage_full');
    room.demote('host', 'mia', 'listener').demote('sam', 'sam').accept('host');
    expect(room.onStage).toEqual(['host', 'ana']);
  });

  test('RM-1 stage_full does not keep the host from appointing moderators', () => {
    const room = scenario({ maxSpeakers: 1 }).speakers('sam').moderators('mia', 'max');
    expect(room.onStage).toEqual(['host', 'sam', 'mia', 'max']);
  });

  test('RO-4 with anyoneCanSpeak people join as speakers while the stage has places, then as listeners', () => {
    const room = scenario({ maxSpeakers: 2, permissions: { anyoneCanSpeak: true } }).joinAll('ana', 'ben', 'cem');
    expect(['ana', 'ben', 'cem'].map((name) => room.role(name))).toEqual(['speaker', 'speaker', 'listener']);
    expect(room.leave('ana').join('ana').role('ana')).toBe('speaker');
    expect(scenario().join('ana').role('ana')).toBe('listener');
  });

  test('RM-6 with requireApproval only host and moderators get in by themselves', () => {
    const room = scenario()
      .moderators('mia')
      .update('host', { privacy: { requireApproval: true } })
      .leave('mia');
    expect(room.refusal((r) => r.join('ana'))).toBe('approval_required');
    expect(room.join('mia').role('mia')).toBe('moderator');
    expect(room.join('ada', { kind: 'admin' }).role('ada')).toBe('listener');
  });

  test('SE-8 a private room answers not_found to a person who may not know that it exists', () => {
    const room = scenario({ type: 'private', maxParticipants: 2 });
    expect(room.refusal((r) => r.join('ana'))).toBe('not_found');
    expect(room.refusal((r) => r.join('ana', { bannedByHost: true }))).toBe('not_found');
    room.join('ada', { kind: 'admin' }).promote('host', 'ada', 'moderator').kick('host', 'ada');
    expect(room.refusal((r) => r.join('ben'))).toBe('not_found');
    expect(scenario({ type: 'friends-only' }).refusal((r) => r.join('ana'))).toBe('not_found');
  });

  test('SE-8 a kick from a private room does not tell the kicked person that it exists', () => {
    const room = scenario({ type: 'private' }).kick('host', 'ana');
    expect(room.refusal((r) => r.join('ana'))).toBe('not_found');
  });

  test('SE-8 who has a seat or an appointment, was host or is an operator may know of a private room', () => {
    const room = scenario({ type: 'private' })
      .join('ada', { kind: 'admin' })
      .promote('host', 'ada', 'moderator')
      .leave('host');
    expect(room.host).toBe('ada');
    const knows = (name: string, kind: 'guest' | 'admin' = 'guest') =>
      mayKnow(room.state, { userId: idOf(name), kind });
    expect([knows('ada'), knows('host'), knows('ana'), knows('ops', 'admin')]).toEqual([true, true, false, true]);
    expect(mayKnow(scenario().state, { userId: idOf('ana'), kind: 'guest' })).toBe(true);
  });
});

describe('One seat, several devices', () => {
  test('ID-5 a second device takes the seat over with its role, and the first has nothing to say any more', () => {
    const room = scenario().speakers('sam').openMicrophone('sam').join('sam', { session: "sam's laptop" });
    expect(room.last('seat-moved')).toMatchObject({ from: "sam's phone", to: "sam's laptop" });
    expect(room.seat('sam')).toMatchObject({ role: 'speaker', sessionId: "sam's laptop", producerId: null });
    expect(room.onStage).toEqual(['host', 'sam']);
    expect(room.refusal((r) => r.leave('sam', "sam's phone"))).toBe('not_in_room');
    expect(room.refusal((r) => r.raise('sam', "sam's phone"))).toBe('not_in_room');
    expect(room.refusal((r) => r.openMicrophone('sam', "sam's phone"))).toBe('not_in_room');
    expect(room.refusal((r) => r.openMicrophone('sam', "sam's laptop"))).toBeUndefined();
  });

  test('ID-5 the first device, going away later, does not take the connection of the second with it', () => {
    const room = scenario()
      .join('ana')
      .join('ana', { session: "ana's laptop" })
      .lose('ana', "ana's phone")
      .pass(minute);
    expect(room.seat('ana')).toMatchObject({ sessionId: "ana's laptop", awaySince: null });
  });

  test('ID-5 a device that takes over a seat whose connection was lost keeps it', () => {
    const room = scenario().join('ana').raise('ana').lose('ana').join('ana', { session: "ana's laptop" }).pass(minute);
    expect(room.seat('ana')).toMatchObject({ awaySince: null });
    expect(room.hands).toEqual(['ana']);
  });

  test('ID-5 joining twice from one session changes nothing', () => {
    const room = scenario().join('ana');
    const { state } = room;
    expect(room.join('ana').state).toBe(state);
  });
});

describe('One session, several nodes', () => {
  const other = 'node b';

  test('RE-2 a session that comes to another node keeps its seat with everything in it, and nobody is bid farewell', () => {
    const room = scenario().speakers('sam').openMicrophone('sam');
    const before = room.view('host');
    room.join('sam', { node: other });
    expect(room.last('seat-relocated')).toMatchObject({ userId: idOf('sam'), from: homeNode, to: other });
    expect(room.all('seat-moved')).toEqual([]);
    expect(room.seat('sam')).toMatchObject({ node: other, producerId: "sam's microphone", producerNode: homeNode });
    expect(room.view('host')).toEqual(before);
  });

  test('RE-2 RE-3 a node that a session has left tells of its loss in vain, however late', () => {
    const room = scenario().join('ana').join('ana', { node: other }).lose('ana').pass(minute);
    expect(room.seat('ana')).toMatchObject({ node: other, awaySince: null });
    room.lose('ana', undefined, other).pass(15 * second);
    expect(room.seat('ana')).toBeUndefined();
  });

  test('RE-2 RE-3 somebody whose node is gone is back in their seat at another one', () => {
    const room = scenario().join('ana').raise('ana').lose('ana').wait(second).join('ana', { node: other }).pass(minute);
    expect(room.seat('ana')).toMatchObject({ node: other, awaySince: null });
    expect(room.hands).toEqual(['ana']);
  });

  test('ID-5 another device at another node takes the seat over, and with it where losses are told', () => {
    const room = scenario().speakers('sam').openMicrophone('sam');
    room.join('sam', { session: "sam's laptop", node: other });
    expect(room.last('seat-moved')).toMatchObject({ from: "sam's phone", to: "sam's laptop", node: other });
    expect(room.seat('sam')).toMatchObject({ node: other, producerId: null, producerNode: null });
    room.lose('sam', "sam's laptop").pass(minute);
    expect(room.seat('sam')).toMatchObject({ awaySince: null });
  });

  test('RE-2 MD-9 the microphone at the node before plays on until one at the new node takes its place, in one step', () => {
    const room = scenario().speakers('sam').openMicrophone('sam').join('sam', { node: other });
    const { length } = room.events;
    room.openMicrophone('sam', undefined, other);
    expect(room.events.slice(length).map(({ type }) => type)).toEqual(['microphone-opened']);
    expect(room.seat('sam')).toMatchObject({ producerId: "sam's microphone at node b", producerNode: other });
    expect(room.view('host').stage[1]).toMatchObject({ microphone: 'open' });
    expect(room.refusal((r) => r.openMicrophone('sam', undefined, other))).toBe('already');
  });

  test('RE-2 MD-9 a microphone that opens late at the node before is refused', () => {
    const room = scenario().speakers('sam').join('sam', { node: other });
    expect(room.refusal((r) => r.openMicrophone('sam'))).toBe('conflict');
  });

  test('RE-3 MD-8 a node that loses its media takes the microphones with it that end there, and no others', () => {
    const room = scenario().speakers('sam', 'sol').openMicrophone('sam').openMicrophone('sol');
    room.join('sol', { node: other }).openMicrophone('sol', undefined, other).join('sam', { node: other });
    room.do({ type: 'lose-media', node: homeNode });
    expect(room.seat('sam')).toMatchObject({ producerId: null, producerNode: null });
    expect(room.seat('sol')).toMatchObject({ producerId: "sol's microphone at node b" });
    room.do({ type: 'lose-media', node: other });
    expect(room.seat('sol')?.producerId).toBeNull();
  });
});

describe('Coming back', () => {
  test('RE-2 a lost connection keeps seat, role, hand and microphone for 15 s', () => {
    const room = scenario().speakers('sam').openMicrophone('sam').join('ana').raise('ana').lose('sam').lose('ana');
    expect(room.view('host').stage[1]).toMatchObject({ microphone: 'open', away: true });
    room
      .pass(15 * second - 1)
      .join('sam')
      .join('ana')
      .pass(minute);
    expect(room.view('host').stage.map(({ away }) => away)).toEqual([false, false]);
    expect(room.seat('sam')).toMatchObject({ role: 'speaker', awaySince: null, producerId: "sam's microphone" });
    expect(room.hands).toEqual(['ana']);
  });

  test('RE-2 after 15 s the seat is given up', () => {
    const room = scenario()
      .speakers('sam')
      .join('ana')
      .raise('ana')
      .lose('sam')
      .lose('ana')
      .pass(15 * second);
    expect([room.onStage, room.listeners, room.hands]).toEqual([['host'], [], []]);
    expect(room.all('left').map(({ reason }) => reason)).toEqual(['lost', 'lost']);
  });

  test('RE-2 a connection that breaks again has its 15 s again', () => {
    const room = scenario()
      .join('ana')
      .lose('ana')
      .pass(10 * second)
      .join('ana')
      .pass(second)
      .lose('ana')
      .pass(14 * second);
    expect(room.role('ana')).toBe('listener');
    expect(room.pass(second).role('ana')).toBeUndefined();
  });

  test('RE-2 a deadline that comes late, twice, or after its cause is gone takes nobody out', () => {
    const room = scenario().join('ana').lose('ana').wait(minute).join('ana');
    const { state } = room;
    room.elapse(`seat:${idOf('ana')}`).elapse(`seat:${idOf('nobody')}`);
    expect(room.state).toBe(state);
    room
      .lose('ana')
      .wait(15 * second)
      .elapse(`seat:${idOf('ana')}`)
      .elapse(`seat:${idOf('ana')}`);
    expect(room.all('left')).toHaveLength(1);
  });

  test('RE-2 breaking a connection twice does not prolong the seat', () => {
    const room = scenario()
      .join('ana')
      .lose('ana')
      .pass(10 * second)
      .lose('ana')
      .pass(5 * second);
    expect(room.role('ana')).toBeUndefined();
  });

  test('RE-2 somebody who never sat here loses nothing', () => {
    const room = emptyRoom();
    const { state } = room;
    expect(room.lose('ana').state).toBe(state);
  });
});
