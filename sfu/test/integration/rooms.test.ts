import type { RoomCard, RoomList } from '@rostrum/shared/protocol/rest.ts';
import type { RoomView, RoomViewEvent } from '@rostrum/shared/protocol/room.ts';
import { roomViewEvents } from '@rostrum/shared/protocol/room.ts';
import { foldRoomView } from '@rostrum/shared/room/view.ts';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../media/harness.ts';
import { cleanUp, guest, startServer, type TestPerson, type TestServer, type TestSocket } from '../support/server.ts';

afterEach(cleanUp);

type Room = { server: TestServer; roomId: string; host: TestPerson; hostSocket: TestSocket };

const openRoom = async (input: object = {}, env: Record<string, string> = {}): Promise<Room> => {
  const server = await startServer({ env });
  const host = await guest(server, 'Hanna');
  const roomId = await host.createRoom(input);
  return { server, roomId, host, hostSocket: await host.enter(roomId) };
};

const enter = async (
  room: Room,
  name: string,
): Promise<{ person: TestPerson; socket: TestSocket; state: RoomView }> => {
  const person = await guest(room.server, name);
  const socket = await person.enter(room.roomId);
  return { person, socket, state: socket.state };
};

/** What a socket sees by now: its first view with every view event since folded in. */
const foldAll = (socket: TestSocket, first: RoomView): RoomView => {
  let view = first;
  for (const { name, payload } of socket.received) {
    if (name === 'room:state') view = (payload as { state: RoomView }).state;
    if (!Object.hasOwn(roomViewEvents, name)) continue;
    const folded = foldRoomView(view, { name, payload } as RoomViewEvent);
    if (folded.kind === 'gap') throw new Error(`a gap at ${name}`);
    view = folded.view;
  }
  return view;
};

describe('rooms over the socket', () => {
  it('HD-1 HD-2 a listener raises a hand, is accepted, and everybody sees it', async () => {
    const room = await openRoom();
    const { roomId, hostSocket } = room;
    const ana = await enter(room, 'Ana');
    const ben = await enter(room, 'Ben');
    expect(await ana.socket.do('room:hand-raise', { roomId })).toEqual({ position: 1 });
    expect(await ben.socket.do('room:hand-raise', { roomId })).toEqual({ position: 2 });
    const raised = await hostSocket.next('room:hand-raised', ({ hand }) => hand.userId === ben.person.userId);
    expect(raised).toMatchObject({ view: 'staff', position: 2 });
    expect(ana.socket.all('room:hand-raised').filter(({ view }) => view !== 'self')).toEqual([]);
    await hostSocket.do('room:hand-accept', { roomId });
    expect(await ana.socket.next('room:promoted')).toMatchObject({ role: 'speaker', byName: 'Hanna' });
    expect(await ben.socket.next('room:hand-position')).toEqual({ roomId, position: 1 });
    const seen = await ben.socket.next('room:role-changed');
    expect(seen).toMatchObject({
      previousRole: 'listener',
      participant: { userId: ana.person.userId, role: 'speaker' },
    });
  });

  it('RE-1 what each person folds from events is what the server says, however they join and change', async () => {
    const room = await openRoom({ privacy: { hideParticipants: true } });
    const { roomId, hostSocket, host } = room;
    const first = await hostSocket.do('room:sync', { roomId });
    hostSocket.forget();
    const people: Awaited<ReturnType<typeof enter>>[] = [];
    for (const name of ['Ana', 'Ben', 'Cem', 'Dia']) people.push(await enter(room, name));
    const [ana, ben, cem, dia] = people;
    if (!(ana && ben && cem && dia)) throw new Error('not everybody came');
    await ana.socket.do('room:hand-raise', { roomId });
    await ben.socket.do('room:hand-raise', { roomId });
    await hostSocket.do('room:hand-to-front', { roomId, userId: ben.person.userId });
    await hostSocket.do('room:hand-accept', { roomId, userId: ana.person.userId });
    await hostSocket.do('room:promote', { roomId, userId: ana.person.userId, role: 'moderator' });
    await ana.socket.do('room:invite-to-speak', { roomId, userId: cem.person.userId });
    await cem.socket.do('room:speak-answer', { roomId, accept: true });
    await ana.socket.do('room:mute', { roomId, userId: cem.person.userId, locked: true, reason: 'echo' });
    await hostSocket.do('room:update', {
      roomId,
      changes: { title: 'Another title', privacy: { hideParticipants: false } },
    });
    await dia.socket.do('room:leave', { roomId });
    await ana.socket.do('room:kick', { roomId, userId: ben.person.userId, reason: 'rude' });
    expect(await ben.socket.next('room:kicked')).toMatchObject({ banned: false, byName: 'Ana', reason: 'rude' });
    expect(await cem.socket.next('room:muted')).toMatchObject({
      muted: { byName: 'Ana', reason: 'echo', locked: true },
    });
    for (const { socket, state } of [
      { socket: hostSocket, state: first.state },
      { socket: ana.socket, state: ana.state },
      { socket: cem.socket, state: cem.state },
    ]) {
      const { state: now } = await socket.do('room:sync', { roomId });
      const folded = foldAll(socket, state);
      // The list that was hidden from listeners is theirs only after the next `room:sync`.
      expect({ ...folded, audience: now.audience }).toEqual(now);
    }
    expect((await hostSocket.do('room:sync', { roomId })).state.self.userId).toBe(host.userId);
  });

  it('MO-2 a kicked guest is out at once and stays out, under a new name too', async () => {
    const room = await openRoom();
    const { roomId, hostSocket, server } = room;
    const ana = await enter(room, 'Ana');
    await hostSocket.do('room:kick', { roomId, userId: ana.person.userId });
    await ana.socket.next('room:kicked');
    expect(await ana.socket.codeOf('room:hand-raise', { roomId })).toBe('not_in_room');
    expect(await ana.socket.codeOf('room:join', { roomId })).toBe('kicked');
    const sameAddress = await guest(server, 'Not Ana', { address: ana.person.address });
    expect(await (await sameAddress.connect()).codeOf('room:join', { roomId })).toBe('kicked');
    const sameDevice = await guest(server, 'Nor her', { cookie: ana.person.cookie ?? '' });
    expect(await (await sameDevice.connect()).codeOf('room:join', { roomId })).toBe('kicked');
    const another = await guest(server, 'Ben');
    expect(await (await another.connect()).codeOf('room:join', { roomId })).toBe('ok');
    await hostSocket.do('room:unban', { roomId, userId: ana.person.userId });
    expect(await ana.socket.codeOf('room:join', { roomId })).toBe('ok');
  });

  it('MO-2 MO-4 a ban holds in the next room of the host and over a restart, and is in the log', async () => {
    const room = await openRoom();
    const { roomId, hostSocket, host, server } = room;
    const ana = await enter(room, 'Ana');
    await hostSocket.do('room:ban', { roomId, userId: ana.person.userId, reason: 'threats' });
    await ana.socket.next('room:kicked', ({ banned }) => banned);
    const next = await host.createRoom({ title: 'The next one' });
    expect(await ana.socket.codeOf('room:join', { roomId: next })).toBe('banned');
    await server.stop();

    const again = await startServer({ dataDir: server.dataDir });
    const returned = Object.assign(Object.create(Object.getPrototypeOf(host)), host, { server: again }) as TestPerson;
    const anaAgain = Object.assign(Object.create(Object.getPrototypeOf(ana.person)), ana.person, {
      server: again,
    }) as TestPerson;
    const third = await returned.createRoom({ title: 'After the restart' });
    expect(await (await anaAgain.connect()).codeOf('room:join', { roomId: third })).toBe('banned');
    const log = await returned.http('GET', `/api/rooms/${roomId}/moderation`);
    expect(log.body).toMatchObject({
      entries: [{ act: 'ban', byName: 'Hanna', displayName: 'Ana', reason: 'threats' }],
    });
    expect((await anaAgain.http('GET', `/api/rooms/${roomId}/moderation`)).status).toBe(404);
    expect(await (await anaAgain.connect()).codeOf('room:join', { roomId })).toBe('room_ended');
  });

  it('MO-2 a ban takes the person out of the other rooms of the host, too', async () => {
    const room = await openRoom();
    const { roomId, hostSocket, host, server } = room;
    const elsewhere = await host.createRoom({ title: 'The other room' });
    const ana = await guest(server, 'Ana');
    const there = await ana.enter(elsewhere);
    await hostSocket.do('room:ban', { roomId, userId: ana.userId, reason: 'threats' });
    expect(await there.next('room:kicked')).toEqual({
      roomId: elsewhere,
      banned: true,
      byName: 'Hanna',
      reason: 'threats',
    });
    expect(await there.codeOf('room:join', { roomId: elsewhere })).toBe('banned');
    await hostSocket.do('room:unban', { roomId, userId: ana.userId });
    expect(await there.codeOf('room:join', { roomId: elsewhere })).toBe('ok');
  });

  it('MO-5 moderating somebody who has just left still works', async () => {
    const room = await openRoom();
    const { roomId, hostSocket } = room;
    const ana = await enter(room, 'Ana');
    await ana.socket.do('room:leave', { roomId });
    await hostSocket.do('room:kick', { roomId, userId: ana.person.userId });
    expect(await ana.socket.codeOf('room:join', { roomId })).toBe('kicked');
    expect(await hostSocket.codeOf('room:kick', { roomId, userId: 'A'.repeat(22) })).toBe('not_found');
  });

  it('RM-3 ends an empty room, and a room whose host ends it', async () => {
    const room = await openRoom({}, { LIMIT_ROOM_EMPTY_MS: '300', LIMIT_HOST_ABSENCE_MS: '300' });
    const ana = await enter(room, 'Ana');
    await room.hostSocket.do('room:end', { roomId: room.roomId });
    expect(await ana.socket.next('room:ended')).toEqual({ roomId: room.roomId, reason: 'host-ended' });
    expect(await ana.socket.codeOf('room:join', { roomId: room.roomId })).toBe('room_ended');
    const empty = await room.host.createRoom();
    const listed = async () =>
      ((await room.host.http('GET', '/api/rooms')).body as RoomList).rooms.map((it) => it.roomId);
    expect(await listed()).toEqual([empty]);
    await until('the empty room is gone', async () => (await listed()).length === 0);
  });

  it('RM-3 warns before the end of a room and ends it', async () => {
    const room = await openRoom({}, { LIMIT_ROOM_LIFETIME_MS: '1500', LIMIT_ROOM_END_WARNING_MS: '1000' });
    const { endsAt } = await room.hostSocket.next('room:ending-soon');
    expect(endsAt).toBeGreaterThan(Date.now());
    expect(await room.hostSocket.next('room:ended')).toMatchObject({ reason: 'max-duration' });
  });

  it('RM-7 passes the room on when its host is lost, and back on return', async () => {
    const room = await openRoom({}, { LIMIT_HOST_ABSENCE_MS: '300' });
    const { roomId, hostSocket, host } = room;
    const ana = await enter(room, 'Ana');
    await ana.socket.do('room:hand-raise', { roomId });
    await hostSocket.do('room:hand-accept', { roomId });
    hostSocket.close();
    expect(await ana.socket.next('room:promoted', ({ role }) => role === 'host')).toMatchObject({ view: 'self' });
    const back = await host.enter(roomId);
    expect(back.state.self.role).toBe('host');
    const { state } = await ana.socket.do('room:sync', { roomId });
    expect(state.self.role).toBe('speaker');
    expect(state.info.hostId).toBe(host.userId);
  });

  it('RE-2 a seat, its role and its hand outlast a broken connection; other people see it', async () => {
    const room = await openRoom({}, { LIMIT_SEAT_GRACE_MS: '700' });
    const { roomId, hostSocket } = room;
    const ana = await guest(room.server, 'Ana');
    const socket = await ana.connect();
    const { sessionId } = await socket.next('session:ready');
    await socket.do('room:join', { roomId });
    await socket.do('room:hand-raise', { roomId });
    socket.close();
    const back = await ana.connect({ sessionId });
    const { state, resumed } = await back.do('room:join', { roomId });
    expect(resumed).toBe(true);
    expect(state.self.handPosition).toBe(1);
    back.close();
    await hostSocket.next('room:participant-left', ({ userId, reason }) => userId === ana.userId && reason === 'lost');
    const later = await (await ana.connect({ sessionId })).do('room:join', { roomId });
    expect(later.resumed).toBe(false);
    expect(later.state.self.handPosition).toBeNull();
  });

  it('RE-2 the same session comes back before its old connection is known to be dead', async () => {
    const room = await openRoom();
    const { roomId } = room;
    const ana = await guest(room.server, 'Ana');
    const old = await ana.connect();
    const { sessionId } = await old.next('session:ready');
    await old.do('room:join', { roomId });
    const fresh = await ana.connect({ sessionId });
    expect(await old.next('session:closing')).toEqual({ code: 'replaced' });
    expect((await fresh.do('room:join', { roomId })).resumed).toBe(true);
    await until('the old one is closed', () => !old.raw.connected);
    expect((await fresh.do('room:sync', { roomId })).state.audience.members?.[0]).toMatchObject({ away: false });
  });

  it('RM-2 limits joins by person, and lets the same person come back', async () => {
    const room = await openRoom({}, { LIMIT_JOINS_PER_MINUTE: '3' });
    const { roomId } = room;
    const ana = await guest(room.server, 'Ana');
    const socket = await ana.connect();
    for (let round = 0; round < 3; round += 1) {
      await socket.do('room:join', { roomId });
      // Joining again with a seat is no join.
      await socket.do('room:join', { roomId });
      await socket.do('room:leave', { roomId });
    }
    const refused = await socket.ask('room:join', { roomId });
    expect(refused).toMatchObject({ ok: false, error: { code: 'rate_limited' } });
    expect(!refused.ok && refused.error.retryAfterMs).toBeGreaterThan(0);
  });

  it('RM-10 tells the count of a large audience, and the list only on request', async () => {
    const room = await openRoom(
      {},
      { LIMIT_AUDIENCE_LISTED_MAX: '5', LIMIT_AUDIENCE_LISTED_AGAIN: '3', LIMIT_AUDIENCE_COUNT_MS: '200' },
    );
    const { roomId, hostSocket, host } = room;
    const people: Awaited<ReturnType<typeof enter>>[] = [];
    for (let index = 0; index < 9; index += 1) people.push(await enter(room, `Listener ${index}`));
    await hostSocket.next('room:audience', ({ count }) => count === 9);
    expect(hostSocket.all('room:participant-joined').length).toBeLessThanOrEqual(6);
    const last = people.at(-1);
    expect(last?.state.audience).toEqual({ count: 9, members: null });
    const page = await host.http('GET', `/api/rooms/${roomId}/participants?limit=4&page=2`);
    expect(page.body).toMatchObject({ total: 10, page: 2 });
    expect((page.body as { participants: { displayName: string }[] }).participants.map((it) => it.displayName)).toEqual(
      ['Listener 3', 'Listener 4', 'Listener 5', 'Listener 6'],
    );
    const audience = await host.http('GET', `/api/rooms/${roomId}/participants?limit=4&page=3&role=listener`);
    expect(audience.body).toMatchObject({ total: 9, participants: [{ displayName: 'Listener 8' }] });
    const found = await host.http('GET', `/api/rooms/${roomId}/participants?query=LISTENER%208`);
    expect(found.body).toMatchObject({ total: 1, participants: [{ displayName: 'Listener 8' }] });
    for (const { socket } of people.slice(0, 7)) await socket.do('room:leave', { roomId });
    await last?.socket.next('room:updated', ({ info }) => info.audienceListed);
    expect((await last?.socket.do('room:sync', { roomId }))?.state.audience.members).toHaveLength(2);
  });

  it('leaves the room before when a session joins another', async () => {
    const room = await openRoom();
    const other = await room.host.createRoom();
    const ana = await enter(room, 'Ana');
    await ana.socket.do('room:join', { roomId: other });
    await room.hostSocket.next('room:participant-left', ({ userId }) => userId === ana.person.userId);
    const card = await room.host.http('GET', `/api/rooms/${other}`);
    expect((card.body as RoomCard).listenerCount).toBe(1);
  });
});
