import type { EventPayload } from '@rostrum/shared/protocol/index.ts';
import type { RoomView } from '@rostrum/shared/protocol/room.ts';
import { foldRoomView } from '@rostrum/shared/room/view.ts';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../media/harness.ts';
import { viewEventOf } from '../support/cluster-view.ts';
import { MediaPerson } from '../support/media-person.ts';
import { cleanUp, guest, startServer, type TestServer, type TestSocket } from '../support/server.ts';

const present: MediaPerson[] = [];

afterEach(async () => {
  for (const person of present.splice(0)) person.close();
  await cleanUp();
});

const generous = { LIMIT_COMMANDS_PER_SECOND: '1000', LIMIT_COMMAND_BURST: '10000', LIMIT_JOINS_PER_MINUTE: '1000' };

const come = async (server: TestServer, name: string, roomId?: string): Promise<MediaPerson> => {
  const person = await guest(server, name);
  const entered = await MediaPerson.enter(person, roomId ?? (await person.createRoom()));
  present.push(entered);
  return entered;
};

/** A room with its host in it, who has no media. */
const openRoom = async (env: Record<string, string> = {}) => {
  const server = await startServer({ env: { ...generous, ...env } });
  const hanna = await guest(server, 'Hanna');
  const roomId = await hanna.createRoom();
  return { server, roomId, hanna, host: await hanna.enter(roomId) };
};

/** So many who sit in the audience and hear nothing. */
const fill = async (server: TestServer, roomId: string, count: number): Promise<TestSocket[]> => {
  const sockets: TestSocket[] = [];
  for (let index = 0; index < count; index += 1)
    sockets.push(await (await guest(server, `Guest ${index}`)).enter(roomId));
  return sockets;
};

const membersOf = ({ audience }: RoomView): number | undefined => audience.members?.length;

/** How often each command was answered so far, by its name, as the server counts it. */
const commandsOf = async (server: TestServer): Promise<Map<string, number>> => {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return new Map(
    [...text.matchAll(/^rostrum_command_seconds_count\{command="([^"]+)"\} (\d+)/gm)].map(([, name, count]) => [
      name ?? '',
      Number(count),
    ]),
  );
};

describe('coming into a room', () => {
  it('MD-1 takes two requests until the first sound: the seat, which comes with all that is heard, and the connection', async () => {
    const server = await startServer();
    const host = await come(server, 'Hanna');
    await host.speak(440);
    const before = await commandsOf(server);
    const ana = await come(server, 'Ana', host.roomId);
    await until('Ana hears the host', () => ana.peer.hears().has(host.person.userId));
    const asked = [...(await commandsOf(server))].filter(([name, count]) => count !== before.get(name));
    expect(asked).toEqual([
      ['room:join', (before.get('room:join') ?? 0) + 1],
      ['media:connect', (before.get('media:connect') ?? 0) + 1],
    ]);
  });

  it('MD-1 what opens or closes while somebody comes in is told after the answer, and nothing of it is lost', async () => {
    const server = await startServer({ env: generous });
    const host = await come(server, 'Hanna');
    const { roomId } = host;
    const opened = host.speak(440);
    const late: string[] = [];
    const newcomers = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        const person = await guest(server, `Guest ${index}`);
        const socket = await person.connect();
        const answered = await new Promise<boolean>((resolve) => {
          let isAnswered = false;
          socket.raw.onAny((name: string) => {
            if (name.startsWith('media:') && !isAnswered) late.push(name);
          });
          socket.raw.emit('room:join', { roomId, listen: true }, (answer) => {
            isAnswered = true;
            resolve(answer.ok && answer.data.listening !== null);
            if (answer.ok) Object.assign(socket, { first: answer.data.listening?.consumers ?? [] });
          });
        });
        expect(answered).toBe(true);
        return socket as TestSocket & { readonly first: EventPayload<'media:consumers-added'>['consumers'] };
      }),
    );
    await opened;
    for (const socket of newcomers)
      await until('the voice of the host is told', () =>
        [...socket.first, ...socket.all('media:consumers-added').flatMap(({ consumers }) => consumers)].some(
          ({ userId }) => userId === host.person.userId,
        ),
      );
    expect(late).toEqual([]);
  });

  it('RM-10 RE-1 a long list of people follows the sound, whole and in its place among the events', async () => {
    const { server, roomId, host } = await openRoom();
    await fill(server, roomId, 21);
    const first = await (await guest(server, 'Ana')).connect();
    const { state, listening } = await first.do('room:join', { roomId, listen: true });
    expect([state.audience, listening === null]).toEqual([{ count: 22, members: null }, false]);
    await host.do('room:update', { roomId, changes: { title: 'Meanwhile' } });
    const told = await first.next('room:state');
    expect(membersOf(told.state)).toBe(22);
    expect(told.state.info.title).toBe('Meanwhile');
    const second = await (await guest(server, 'Ben')).enter(roomId);
    // Who does not listen at once waits for nothing, and is given all of it.
    expect(membersOf(second.state)).toBe(23);
    const joined = await first.next('room:participant-joined', ({ participant }) => participant.displayName === 'Ben');
    const event = viewEventOf('room:participant-joined', joined);
    const folded = event && foldRoomView(told.state, event);
    expect(folded).toMatchObject({ kind: 'folded', view: { audience: { count: 23 } } });
  });

  it('RM-10 a short list is in the answer, and one that nobody waits for any more is not sent', async () => {
    const { server, roomId } = await openRoom();
    await fill(server, roomId, 19);
    const ana = await (await guest(server, 'Ana')).connect();
    expect(membersOf((await ana.do('room:join', { roomId, listen: true })).state)).toBe(20);
    const ben = await (await guest(server, 'Ben')).connect();
    expect(membersOf((await ben.do('room:join', { roomId, listen: true })).state)).toBeUndefined();
    await ben.do('room:leave', { roomId });
    const chi = await (await guest(server, 'Chi')).connect();
    await chi.do('room:join', { roomId, listen: true });
    await chi.next('room:state');
    expect([ana.all('room:state'), ben.all('room:state')]).toEqual([[], []]);
  });

  it('MD-5 microphones that open in a large room send longer packets, but not where they carry music', async () => {
    const { server, roomId, hanna, host } = await openRoom({ LIMIT_LARGE_ROOM_PEOPLE: '3' });
    const packetMs = async () => (await host.do('media:publish', { roomId })).packetMs;
    expect(await packetMs()).toBe(20);
    const [, ben] = await fill(server, roomId, 2);
    expect(await packetMs()).toBe(60);
    await ben?.do('room:leave', { roomId });
    expect(await packetMs()).toBe(20);
    const music = await hanna.createRoom({ audioQuality: 'music' });
    await host.do('room:join', { roomId: music });
    await fill(server, music, 3);
    expect((await host.do('media:publish', { roomId: music })).packetMs).toBe(20);
  });
});

/** Room for two who listen, at four voices of 50 packets a second each; and what was measured does not make it more. */
const roomForTwo = { LIMIT_PACKETS_PER_WORKER: '400', LIMIT_DIRECT_LISTENERS: '1000' };

describe('a node without room', () => {
  it('MD-3 refuses before a seat is taken: nobody sees anything of it, and nothing is counted', async () => {
    const { server, roomId, host } = await openRoom({ ...roomForTwo, LIMIT_JOINS_PER_MINUTE: '1' });
    await come(server, 'Ana', roomId);
    await come(server, 'Ben', roomId);
    const { sequence } = (await host.do('room:sync', { roomId })).state;
    const chi = await (await guest(server, 'Chi')).connect();
    for (let count = 0; count < 5; count += 1) {
      const refused = await chi.ask('room:join', { roomId, listen: true });
      expect(refused).toMatchObject({ ok: false, error: { code: 'node_full' } });
      expect(refused).not.toHaveProperty('error.retryAfterMs');
    }
    expect((await host.do('room:sync', { roomId })).state.sequence).toEqual(sequence);
    expect(host.all('room:participant-joined').map(({ participant }) => participant.displayName)).toEqual([
      'Ana',
      'Ben',
    ]);
    // Who does not listen takes nothing that there is too little of.
    expect(await chi.codeOf('room:join', { roomId })).toBe('ok');
    expect(await chi.codeOf('media:listen', { roomId })).toBe('node_full');
  });

  it('SE-8 says no more of a room than any other node would: not of one that may not be known, nor of one that is over', async () => {
    const { server, roomId, hanna } = await openRoom(roomForTwo);
    await come(server, 'Ana', roomId);
    await come(server, 'Ben', roomId);
    const hidden = await hanna.createRoom({ type: 'private' });
    const zoe = await guest(server, 'Zoe');
    const [open, over] = [await zoe.createRoom(), await zoe.createRoom()];
    await (await zoe.enter(over)).do('room:end', { roomId: over });
    const chi = await (await guest(server, 'Chi')).connect();
    expect(await chi.codeOf('room:join', { roomId: hidden, listen: true })).toBe('not_found');
    expect(await chi.codeOf('room:join', { roomId: 'x'.repeat(22), listen: true })).toBe('not_found');
    expect(await chi.codeOf('room:join', { roomId: over, listen: true })).toBe('room_ended');
    expect(await chi.codeOf('room:join', { roomId: open, listen: true })).toBe('node_full');
  });

  it('MD-3 RE-2 whoever has a seat comes back to it, and hears the room again', async () => {
    const { server, roomId } = await openRoom(roomForTwo);
    const ana = await come(server, 'Ana', roomId);
    await come(server, 'Ben', roomId);
    const again = await ana.socket.do('room:join', { roomId, listen: true });
    expect(again).toMatchObject({ resumed: true, listening: { consumers: [] } });
    const elsewhere = await (await guest(server, 'Chi')).connect();
    expect(await elsewhere.codeOf('room:join', { roomId, listen: true })).toBe('node_full');
    ana.close();
    await ana.person.http('POST', `/api/rooms/${roomId}/leave`);
    await until('there is room', async () => (await elsewhere.codeOf('room:join', { roomId, listen: true })) === 'ok');
  });

  it('MD-3 of a crowd that comes at one moment as many get in as there is room for, and the others are told', async () => {
    const { server, roomId } = await openRoom({ ...roomForTwo, LIMIT_PACKETS_PER_WORKER: '1000' });
    const crowd = await Promise.all(
      Array.from({ length: 30 }, async (_, index) => (await guest(server, `Guest ${index}`)).connect()),
    );
    const answers = await Promise.all(crowd.map((socket) => socket.ask('room:join', { roomId, listen: true })));
    const codes = answers.map((answer) => (answer.ok ? answer.data.listening !== null : answer.error.code));
    expect(codes.filter((code) => code === true)).toHaveLength(5);
    expect(codes.filter((code) => code === 'node_full')).toHaveLength(25);
    const inside = await guest(server, 'Zoe');
    const { body } = await inside.http('GET', `/api/rooms/${roomId}`);
    expect(body).toMatchObject({ listenerCount: 5 });
  });
});
