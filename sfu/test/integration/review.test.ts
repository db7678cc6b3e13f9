import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { defaultLimits } from '@rostrum/shared/limits.ts';
import { createRoomSchema } from '@rostrum/shared/protocol/room.ts';
import { afterEach, describe, expect, it } from 'vitest';
import { createRoomDeadlines } from '../../src/rooms/room-deadlines.ts';
import { createRoomEngine } from '../../src/rooms/room-engine.ts';
import { deadlinesOf } from '../../src/rules/room/deadlines.ts';
import { openedRoom } from '../../src/rules/room/evolve.ts';
import { DeadlineRunner } from '../../src/runtime/deadline-runner.ts';
import { newId } from '../../src/runtime/ids.ts';
import { KeyedQueue } from '../../src/runtime/keyed-queue.ts';
import { createPino } from '../../src/runtime/logger.ts';
import { createMemoryRoomStore } from '../../src/state/memory/memory-room-store.ts';
import { microphone, pause, until } from '../media/harness.ts';
import {
  cleanUp,
  closed,
  guest,
  openSocket,
  refusal,
  request,
  startServer,
  type TestPerson,
  type TestServer,
  type TestSocket,
} from '../support/server.ts';

const locks: DatabaseSync[] = [];

afterEach(async () => {
  for (const lock of locks.splice(0)) lock.close();
  await cleanUp();
});

const session = 'S'.repeat(22);

/** Keeps every record from being written, as a full disk does, until it is let go. */
const holdRecords = ({ dataDir }: TestServer): (() => void) => {
  const lock = new DatabaseSync(join(dataDir, 'rostrum.sqlite'));
  locks.push(lock);
  lock.exec('BEGIN IMMEDIATE');
  return () => lock.exec('ROLLBACK');
};

const openRoom = async (env: Record<string, string> = {}, input: object = {}) => {
  const server = await startServer({ env });
  const host = await guest(server, 'Hanna');
  const roomId = await host.createRoom(input);
  const hostSocket = await host.enter(roomId);
  const viewOf = async (id = roomId) => (await hostSocket.do('room:sync', { roomId: id })).state;
  return { server, host, roomId, hostSocket, viewOf };
};

const http = (person: TestPerson, method: string, path: string, address: string) =>
  request(person.server, { method, path, address, token: person.token });

describe('sessions', () => {
  it('ID-5 a session of the same name is another one for another person: it hears nothing and takes nothing', async () => {
    const { server, roomId, hostSocket, viewOf } = await openRoom();
    const ana = await guest(server, 'Ana');
    const anaSocket = await ana.connect({ sessionId: session });
    await anaSocket.do('room:join', { roomId });
    const eve = await (await guest(server, 'Eve')).connect({ sessionId: session });
    expect(anaSocket.raw.connected).toBe(true);
    await anaSocket.do('room:hand-raise', { roomId });
    await hostSocket.do('room:hand-accept', { roomId });
    await anaSocket.next('room:state');
    await anaSocket.do('media:listen', { roomId });
    expect(eve.received.map(({ name }) => name)).toEqual(['session:ready']);
    anaSocket.close();
    await until('the loss of Ana is noted', async () => (await viewOf()).stage.some((seat) => seat.away));
  });

  it('RE-2 joins of one socket that overtake each other leave one seat, and none when it breaks', async () => {
    const { server, host, roomId, hostSocket, viewOf } = await openRoom({ LIMIT_SEAT_GRACE_MS: '200' });
    const other = await host.createRoom({ title: 'Another room' });
    const counted = async (id: string) =>
      (await host.http('GET', `/api/rooms/${id}`)).body as { listenerCount: number };
    const ana = await (await guest(server, 'Ana')).connect();
    await Promise.all([ana.do('room:join', { roomId }), ana.do('room:join', { roomId: other })]);
    expect((await counted(roomId)).listenerCount + (await counted(other)).listenerCount).toBe(1);
    await hostSocket.do('room:sync', { roomId });
    ana.close();
    await until('no seat is left', async () => (await counted(other)).listenerCount === 0);
    expect((await viewOf()).audience.count).toBe(0);
  });

  it('RE-2 a connection that broke while it joined does not take the seat from the one that came after it', async () => {
    const { server, roomId, hostSocket, viewOf } = await openRoom({ LIMIT_SEAT_GRACE_MS: '200' });
    const ana = await guest(server, 'Ana');
    const first = await ana.connect({ sessionId: session });
    // While a record waits to be written, so do the commands of the room.
    const release = holdRecords(server);
    const updated = hostSocket.do('room:update', { roomId, changes: { title: 'Renamed' } });
    void first.ask('room:join', { roomId }).catch(() => undefined);
    await pause(50);
    first.raw.io.engine.close();
    const second = await ana.connect({ sessionId: session });
    const joined = second.do('room:join', { roomId });
    await pause(50);
    release();
    await Promise.all([updated, joined]);
    await pause(600);
    expect((await viewOf()).audience.count).toBe(1);
    expect(await second.codeOf('room:hand-raise', { roomId })).toBe('ok');
    second.close();
    await until('the seat is given up', async () => (await viewOf()).audience.count === 0);
  });

  it('RE-2 a loss that a busy room could not take is noted later', { timeout: 30_000 }, async () => {
    const { server, roomId, hostSocket, viewOf } = await openRoom({
      LIMIT_SEAT_GRACE_MS: '200',
      LIMIT_COMMANDS_WAITING_PER_ROOM: '10',
      LIMIT_COMMANDS_PER_SECOND: '1000',
    });
    const ana = await (await guest(server, 'Ana')).enter(roomId);
    const release = holdRecords(server);
    const waiting = [
      hostSocket.ask('room:update', { roomId, changes: { title: 'Renamed' } }),
      ...Array.from({ length: 12 }, () => hostSocket.ask('room:sync', { roomId })),
    ];
    await pause(100);
    ana.raw.io.engine.close();
    await pause(100);
    release();
    expect((await Promise.all(waiting)).some((ack) => !ack.ok && ack.error.code === 'unavailable')).toBe(true);
    await until('the seat is given up', async () => (await viewOf()).audience.count === 0, 10_000);
  });
});

describe('limits', () => {
  it('SE-2 sockets of one person that open together are bounded like others', async () => {
    const server = await startServer({ env: { LIMIT_SOCKETS_PER_USER: '2' } });
    const ana = await guest(server, 'Ana');
    // What a handshake writes waits until all of them are under way.
    const release = holdRecords(server);
    const sockets = await Promise.all(Array.from({ length: 8 }, () => openSocket(ana)));
    const refusals = sockets.map(refusal);
    await pause(300);
    release();
    const outcomes = await Promise.all(refusals);
    expect(outcomes.toSorted()).toEqual([...Array(2).fill('connected'), ...Array(6).fill('rate_limited')]);
    for (const socket of sockets) socket.close();
    await expect.poll(async () => refusal(await openSocket(ana))).toBe('connected');
  });

  it('SE-2 opening and closing sockets counts like commands', async () => {
    const server = await startServer({ env: { LIMIT_COMMANDS_PER_SECOND: '1', LIMIT_COMMAND_BURST: '10' } });
    const ana = await guest(server, 'Ana');
    const outcomes: string[] = [];
    for (let round = 0; round < 8; round += 1) {
      const socket = await openSocket(ana);
      outcomes.push(await refusal(socket));
      socket.close();
    }
    expect(outcomes[0]).toBe('connected');
    expect(outcomes).toContain('rate_limited');
    expect(await refusal(await openSocket(await guest(server, 'Ben')))).toBe('connected');
  });

  it('RE-5 a connection that no socket uses any more is closed', async () => {
    const server = await startServer();
    const socket = await (await guest(server, 'Ana')).connect();
    const { engine } = socket.raw.io;
    const gone = new Promise((resolve) => engine.once('close', resolve));
    // A packet of Socket.IO that leaves the namespace and keeps the connection; a client of ours closes it besides.
    engine.write('1');
    await gone;
  });

  it('SE-2 an IPv6 network counts as one address', async () => {
    const server = await startServer({ env: { LIMIT_GUESTS_PER_ADDRESS_HOUR: '2' } });
    const signIn = async (address: string) =>
      (await request(server, { method: 'POST', path: '/api/auth/guest', body: { displayName: 'Ana' }, address }))
        .status;
    expect(await signIn('2001:db8:0:7::1')).toBe(200);
    expect(await signIn('2001:db8:0:7:1:2:3:4')).toBe(200);
    expect(await signIn('2001:db8:0:7::3')).toBe(429);
    expect(await signIn('2001:db8:0:8::3')).toBe(200);
  });

  it('SE-2 commands over HTTP count for the person, from however many addresses they come', async () => {
    const { server, roomId } = await openRoom({ LIMIT_COMMANDS_PER_SECOND: '2', LIMIT_COMMAND_BURST: '10' });
    const ana = await guest(server, 'Ana');
    const statuses: number[] = [];
    for (let address = 1; address <= 20; address += 1)
      statuses.push((await http(ana, 'POST', `/api/rooms/${roomId}/raise-hand`, `203.0.113.${address}`)).status);
    expect(statuses[0]).toBe(409);
    expect(statuses).toContain(429);
  });

  it('RM-2 rooms that are created together do not go past what the node hosts', async () => {
    const server = await startServer({ env: { LIMIT_ROOMS_PER_NODE: '2' } });
    const people = await Promise.all(Array.from({ length: 6 }, (_, index) => guest(server, `Guest ${index}`)));
    const answers = await Promise.all(people.map((person) => person.http('POST', '/api/rooms', { title: 'A room' })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 201, 503, 503, 503, 503]);
    expect(answers.find(({ status }) => status === 503)?.body).toMatchObject({ error: { code: 'node_full' } });
  });
});

describe('what fails or comes late', () => {
  it('RE-4 records that cannot be written keep nobody out; what needs a new one is refused, and said', async () => {
    const { server, host, roomId } = await openRoom();
    const ana = await guest(server, 'Ana');
    holdRecords(server);
    expect((await ana.enter(roomId)).state.audience.count).toBe(1);
    expect(await host.http('POST', '/api/rooms', { title: 'Another' })).toMatchObject({
      status: 503,
      body: { error: { code: 'unavailable' } },
    });
  });

  it('RM-10 a count that waited is not told after arrivals are sent one by one again', async () => {
    const { server, roomId, hostSocket } = await openRoom({
      LIMIT_AUDIENCE_LISTED_MAX: '3',
      LIMIT_AUDIENCE_LISTED_AGAIN: '2',
    });
    const listeners: TestSocket[] = [];
    for (const name of ['Ana', 'Ben', 'Cem', 'Dia']) listeners.push(await (await guest(server, name)).enter(roomId));
    await hostSocket.next('room:audience', ({ count }) => count === 4);
    await pause(1200);
    hostSocket.forget();
    for (const listener of listeners.slice(0, 3)) await listener.do('room:leave', { roomId });
    await hostSocket.next('room:updated', ({ info }) => info.audienceListed);
    await pause(1200);
    expect(hostSocket.all('room:audience').map(({ count }) => count)).toEqual([3]);
  });

  it('MD-9 somebody who is returned to the audience while they publish keeps no sending transport', async () => {
    const { server, roomId, hostSocket } = await openRoom();
    const ana = await guest(server, 'Ana');
    const socket = await ana.enter(roomId);
    await socket.do('room:hand-raise', { roomId });
    await hostSocket.do('room:hand-accept', { roomId });
    const { transport } = await socket.do('media:publish', { roomId });
    const rtpParameters = microphone(7171);
    await socket.do('media:produce', { roomId, transportId: transport.transportId, rtpParameters });
    const release = holdRecords(server);
    const updated = hostSocket.do('room:update', { roomId, changes: { title: 'Renamed' } });
    await pause(50);
    const demoted = hostSocket.do('room:demote', { roomId, userId: ana.userId, role: 'listener' });
    await pause(50);
    const published = socket.codeOf('media:publish', { roomId });
    await pause(50);
    release();
    await Promise.all([updated, demoted]);
    expect(await published).toBe('forbidden');
    await until('no media of Ana is left', () => server.app.media.seatsOf(roomId).length === 0);
  });

  it('RM-3 a clock that is set back does not make a room forget its end', async () => {
    const limits = { ...defaultLimits, roomEmptyMs: 1000 };
    let now = 10_000;
    const clock = { now: () => now };
    const store = createMemoryRoomStore(clock);
    const queue = new KeyedQueue(10);
    const engine = createRoomEngine({ store, queue, clock, limits, newId, follow: async () => undefined });
    const logger = createPino('silent');
    const runner = new DeadlineRunner({
      due: store.due,
      ownerOf: ({ roomId: owner }) => owner,
      carryOut: createRoomDeadlines({ store, engine, limits }),
      clock,
      logger,
    });
    const roomId = newId();
    const settings = createRoomSchema.parse({ title: 'A room' });
    const room = openedRoom({ type: 'opened', at: now, roomId, hostId: newId(), settings, endsAt: now + 100_000 });
    await store.create(room, deadlinesOf(room, limits));
    now = 11_500;
    // The runner has read the clock by the time that it is set back, and the rule reads it after.
    const running = runner.run();
    now = 10_500;
    await running;
    expect(await store.count()).toBe(1);
    now = 11_500;
    await runner.run();
    expect(await store.count()).toBe(0);
  });

  it('SE-7 a socket that is closed for a flood is closed alone', async () => {
    const { server, roomId, hostSocket } = await openRoom({ LIMIT_FLOOD_STRIKES: '5' });
    const ana = await (await guest(server, 'Ana')).connect({ sessionId: session });
    const eve = await (await guest(server, 'Eve')).connect({ sessionId: session });
    const gone = closed(eve);
    for (let index = 0; index < 8; index += 1) void eve.send('room:join', {}).catch(() => undefined);
    await gone;
    await ana.do('room:join', { roomId });
    expect(await ana.send('room:join', {})).toMatchObject({ ok: false, error: { code: 'invalid' } });
    expect(ana.raw.connected).toBe(true);
    await hostSocket.do('room:sync', { roomId });
  });
});
