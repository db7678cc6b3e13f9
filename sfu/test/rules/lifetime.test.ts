import { describe, expect, test } from 'vitest';
import { emptyRoom, hour, idOf, minute, nameOf, scenario, second, start } from './support.ts';

describe('How a room ends', () => {
  test('RM-3 ends when its host ends it, from inside or outside', () => {
    expect(scenario().end('host').endReason).toBe('host-ended');
    expect(emptyRoom().end('host').endReason).toBe('host-ended');
    const room = scenario().moderators('mia').join('ana');
    expect(room.refusal((r) => r.end('mia'))).toBe('forbidden');
    expect(room.refusal((r) => r.end('ana'))).toBe('forbidden');
    expect(room.refusal((r) => r.end('nobody'))).toBe('not_in_room');
  });

  test('RM-3 ends an empty room 60 s after the last person left', () => {
    const room = scenario()
      .pass(hour)
      .leave('host')
      .pass(minute - 1);
    expect(room.endReason).toBeNull();
    expect(room.pass(1).endReason).toBe('empty');
    expect(room.last('ended')?.at).toBe(start + hour + minute);
  });

  test('RM-3 ends a room that nobody ever entered', () => {
    expect(emptyRoom().pass(minute).endReason).toBe('empty');
  });

  test('RM-3 stays open when somebody comes within the 60 s', () => {
    expect(
      scenario()
        .leave('host')
        .pass(minute - 1)
        .join('host')
        .pass(hour).endReason,
    ).toBeNull();
  });

  test('RM-3 ends after 12 h, with a warning 5 minutes before', () => {
    const room = scenario()
      .join('ana')
      .pass(12 * hour - 5 * minute - 1);
    expect(room.all('end-announced')).toEqual([]);
    expect(room.view('ana').endsAt).toBeNull();
    room.pass(1);
    expect(room.all('end-announced')).toHaveLength(1);
    expect(room.view('ana').endsAt).toBe(start + 12 * hour);
    expect(room.pass(5 * minute - 1).endReason).toBeNull();
    expect(room.pass(1).endReason).toBe('max-duration');
  });

  test('RM-3 a deadline that comes twice or late ends and warns once, and after the end there is none', () => {
    const room = scenario()
      .wait(12 * hour)
      .elapse('end-warning')
      .elapse('end-warning')
      .elapse('empty')
      .elapse('host-absence');
    expect(room.all('end-announced')).toHaveLength(1);
    expect(room.endReason).toBeNull();
    room.elapse('end');
    expect(room.deadlines.size).toBe(0);
    expect(room.refusal((r) => r.elapse('end'))).toBe('room_ended');
    expect(room.refusal((r) => r.join('ana'))).toBe('room_ended');
    expect(room.refusal((r) => r.leave('host'))).toBe('room_ended');
  });

  test('RM-3 a deadline that comes early does nothing', () => {
    const room = scenario().lose('host');
    const { state } = room;
    for (const key of ['end', 'end-warning', 'empty', 'host-absence', `seat:${idOf('host')}`] as const)
      room.elapse(key);
    expect(room.state).toBe(state);
  });

  test('RM-3 ends when the server that serves it stops', () => {
    expect(scenario().do({ type: 'stop' }).endReason).toBe('server-stopped');
  });

  test('MO-6 an operator ends a room from outside', () => {
    const room = scenario().do({ type: 'end', by: { userId: idOf('ops'), operator: true } });
    expect(room.endReason).toBe('operator');
  });
});

describe('Who gets the room', () => {
  test('RM-7 passes the room to the longest-standing moderator', () => {
    const room = scenario().speakers('sam').moderators('mia', 'max').leave('host');
    expect([room.host, room.role('mia'), room.role('max')]).toEqual(['mia', 'host', 'moderator']);
    expect(room.view('max').info.hostId).toBe(idOf('mia'));
  });

  test('RM-7 counts how long somebody has been a moderator, not since when they are inside', () => {
    const room = scenario()
      .joinAll('max', 'mia')
      .promote('host', 'mia', 'moderator')
      .promote('host', 'max', 'moderator')
      .leave('mia')
      .join('mia');
    expect(room.onStage).toEqual(['host', 'max', 'mia']);
    expect(room.leave('host').host).toBe('mia');
  });

  test('RM-7 passes the room to the longest-standing speaker where there is no moderator', () => {
    const room = scenario().join('ana').speakers('sam', 'sol').leave('host');
    expect([room.host, room.role('sam'), room.role('sol'), room.role('ana')]).toEqual([
      'sam',
      'host',
      'speaker',
      'listener',
    ]);
  });

  test('RM-7 ends with neither moderator nor speaker', () => {
    expect(scenario().join('ana').leave('host').endReason).toBe('host-left');
  });

  test('RM-7 takes people who are connected before people whose connection is lost', () => {
    const room = scenario().moderators('mia').speakers('sam').lose('mia').leave('host');
    expect(room.host).toBe('sam');
    expect(scenario().moderators('mia').lose('mia').leave('host').host).toBe('mia');
  });

  test('RM-7 a successor whose connection is lost passes it on in turn, and not before their 60 s', () => {
    const room = scenario()
      .moderators('mia')
      .join('ana')
      .lose('mia')
      .pass(10 * second)
      .leave('host')
      .pass(50 * second - 1);
    expect([room.host, room.role('mia')]).toEqual(['mia', 'host']);
    expect(room.pass(1).endReason).toBe('host-left');
  });

  test('RM-7 passes the room when its host is lost for 60 s, and not before', () => {
    const room = scenario()
      .moderators('mia')
      .lose('host')
      .pass(minute - 1);
    expect([room.host, room.role('host')]).toEqual(['host', 'host']);
    room.pass(1);
    expect([room.host, room.role('host'), room.last('left')?.reason]).toEqual(['mia', undefined, 'lost']);
  });

  test('RM-7 keeps the room with a host who is back within 60 s', () => {
    const room = scenario()
      .moderators('mia')
      .lose('host')
      .pass(minute - 1)
      .join('host')
      .pass(hour);
    expect([room.host, room.role('host'), room.role('mia')]).toEqual(['host', 'host', 'moderator']);
  });

  test('RM-7 passes a room whose host never came', () => {
    const room = emptyRoom({ permissions: { anyoneCanSpeak: true } })
      .join('ana')
      .pass(minute);
    expect([room.host, room.role('ana')]).toEqual(['ana', 'host']);
    expect(room.join('host').host).toBe('host');
    expect(emptyRoom().join('ana').pass(minute).endReason).toBe('host-left');
  });

  test('RM-7 a host who was alone has the room kept for them until it ends as an empty one', () => {
    const room = scenario()
      .moderators('mia')
      .leave('mia')
      .leave('host')
      .pass(30 * second);
    expect(room.join('mia').host).toBe('host');
    expect(room.pass(30 * second).host).toBe('mia');
    expect(scenario().lose('host').pass(minute).endReason).toBe('empty');
  });

  test('RM-7 gives the room back to the former host who returns within the hour', () => {
    const room = scenario()
      .moderators('mia')
      .leave('host')
      .pass(hour - 1)
      .join('host');
    expect([room.host, room.role('host'), room.role('mia')]).toEqual(['host', 'host', 'moderator']);
    expect(room.onStage).toEqual(['mia', 'host']);
  });

  test('RM-7 a former host who returns after the hour comes as anybody does', () => {
    const room = scenario().moderators('mia').leave('host').pass(hour).join('host');
    expect([room.host, room.role('host'), room.role('mia')]).toEqual(['mia', 'listener', 'host']);
  });

  test('RM-7 a former host whom another successor followed still gets the room back', () => {
    const room = scenario()
      .moderators('mia', 'max')
      .leave('host')
      .pass(30 * minute)
      .leave('mia');
    expect(room.host).toBe('max');
    expect(
      room
        .pass(20 * minute)
        .join('mia')
        .role('mia'),
    ).toBe('moderator');
    expect(room.join('host').host).toBe('host');
    expect([room.role('mia'), room.role('max')]).toEqual(['moderator', 'moderator']);
  });

  test('RM-7 a successor who was a speaker is one again when the host returns', () => {
    const room = scenario().speakers('sam').leave('host').join('host');
    expect([room.role('host'), room.role('sam')]).toEqual(['host', 'speaker']);
    expect(room.state.control.moderators).toEqual([]);
  });

  test('RM-7 a successor for whom no place of a speaker is left stays on as a moderator', () => {
    const room = scenario({ maxSpeakers: 1 }).speakers('sam').leave('host').join('ana').raise('ana').accept('sam');
    room.join('host');
    expect([room.role('host'), room.role('sam'), room.role('ana')]).toEqual(['host', 'moderator', 'speaker']);
  });

  test('RM-7 a host hands the room over and stays as a moderator, without getting it back', () => {
    const room = scenario({ maxSpeakers: 1 }).speakers('sam').handOver('host', 'sam');
    expect([room.host, room.role('sam'), room.role('host')]).toEqual(['sam', 'host', 'moderator']);
    room.leave('host').join('host');
    expect([room.host, room.role('host')]).toEqual(['sam', 'moderator']);
  });

  test('RM-7 a moderator who stood in for the host and hands over is no younger a moderator for it', () => {
    const room = scenario().moderators('mia', 'max').speakers('sam').leave('host').handOver('mia', 'sam').leave('sam');
    expect([room.host, room.state.control.moderators.map(nameOf)]).toEqual(['mia', ['mia', 'max']]);
  });

  test('RM-7 is handed over only to people on the stage who are connected', () => {
    const room = scenario().speakers('sam').moderators('mia').join('ana').leave('mia').lose('sam');
    expect(room.refusal((r) => r.handOver('host', 'ana'))).toBe('forbidden');
    expect(room.refusal((r) => r.handOver('host', 'mia'))).toBe('not_on_stage');
    expect(room.refusal((r) => r.handOver('host', 'sam'))).toBe('conflict');
    expect(room.refusal((r) => r.handOver('host', 'host'))).toBe('forbidden');
    expect(room.refusal((r) => r.handOver('sam', 'host'))).toBe('forbidden');
  });

  test('RM-7 somebody who stands in for the host and hands over does not give away what they do not own', () => {
    const room = scenario()
      .moderators('mia')
      .speakers('sam')
      .leave('host')
      .handOver('mia', 'sam')
      .pass(minute)
      .join('host');
    expect([room.host, room.role('sam'), room.role('mia')]).toEqual(['host', 'speaker', 'moderator']);
  });

  test('RM-7 a host deadline that comes twice passes the room once', () => {
    const room = scenario()
      .moderators('mia', 'max')
      .lose('host')
      .wait(minute)
      .elapse('host-absence')
      .elapse('host-absence');
    expect([room.host, room.all('host-changed').length]).toEqual(['mia', 1]);
  });
});
