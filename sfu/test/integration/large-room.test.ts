import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../media/harness.ts';
import { MediaPerson } from '../support/media-person.ts';
import { cleanUp, guest, startServer, type TestServer } from '../support/server.ts';

const present: MediaPerson[] = [];

afterEach(async () => {
  for (const person of present.splice(0)) person.close();
  await cleanUp();
});

const come = async (server: TestServer, name: string, roomId?: string): Promise<MediaPerson> => {
  const person = await guest(server, name);
  const entered = await MediaPerson.enter(person, roomId ?? (await person.createRoom()));
  present.push(entered);
  return entered;
};

/** Whether one hears the other, with this tone where it is given. */
const hears = (one: MediaPerson, other: MediaPerson, hertz?: number): boolean => {
  const heard = one.peer.hears().get(other.person.userId);
  return heard !== undefined && (hertz === undefined || Math.abs(heard / hertz - 1) < 0.07);
};

/** A room that is split from the first listener on: a host who speaks at 440 hertz, and two who listen. */
const openSplit = async () => {
  const server = await startServer({ env: { WORKERS: '2', LIMIT_DIRECT_LISTENERS: '0' } });
  const host = await come(server, 'Hanna');
  const { roomId } = host;
  await host.speak(440);
  const ana = await come(server, 'Ana', roomId);
  const ben = await come(server, 'Ben', roomId);
  for (const listener of [ana, ben]) await until('the host is heard', () => hears(listener, host, 440));
  return { server, roomId, host, ana, ben };
};

const killWorker = (server: TestServer, which: 'stage' | 'audience'): void => {
  const load = server.app.media.load();
  // On the worker of the stage nobody hears the one voice but the relay; on the other one both do who listen.
  const ordered = load.toSorted((one, other) => one.consumers - other.consumers);
  const worker = ordered.at(which === 'stage' ? 0 : -1);
  if (worker) process.kill(worker.pid, 'SIGKILL');
};

describe('a room on two workers, through the server', () => {
  it('MD-2 RO-3 a listener who is promoted hears without a gap, speaks from the stage, and goes back as well', async () => {
    const { roomId, host, ana, ben } = await openSplit();
    const before = ana.peer.receivingId;
    let silent = 0;
    let looks = 0;
    const watch = setInterval(() => {
      looks += 1;
      if (!hears(ana, host)) silent += 1;
    }, 20);
    await ana.socket.do('room:hand-raise', { roomId });
    await host.socket.do('room:hand-accept', { roomId });
    await until('Ana listens at the stage', () => ana.peer.receivingId !== before);
    await ana.speak(880);
    for (const other of [host, ben]) await until('Ana is heard', () => hears(other, ana, 880));
    expect(ana.socket.all('media:relisten')).toEqual([{ roomId, withinMs: 0 }]);
    const there = ana.peer.receivingId;
    await host.socket.do('room:demote', { roomId, userId: ana.person.userId, role: 'listener' });
    await until('Ana listens in the audience', () => ana.peer.receivingId !== there);
    await until('Ana is heard no more', () => !hears(host, ana) && !hears(ben, ana));
    await until('nothing is left of the way there', () => hears(ana, host));
    clearInterval(watch);
    expect(looks).toBeGreaterThan(10);
    expect(silent).toBe(0);
    // Nobody else was moved.
    expect([...host.socket.all('media:relisten'), ...ben.socket.all('media:relisten')]).toEqual([]);
  });

  it('MD-8 the worker of the audience dies: those who listen are back, and those who speak notice nothing', async () => {
    const { server, host, ana, ben } = await openSplit();
    const microphone = host.peer.sendingId;
    const before = [ana, ben].map(({ peer }) => peer.receivingId);
    killWorker(server, 'audience');
    for (const { socket } of [ana, ben])
      expect(await socket.next('media:lost')).toMatchObject({ receiving: true, sending: false });
    for (const listener of [ana, ben]) {
      await until('they listen anew', () => !before.includes(listener.peer.receivingId));
      await until('packets come to them', async () => (await listener.peer.received()).packets > 0);
      await until('the host is heard again', () => hears(listener, host, 440));
    }
    expect(host.socket.all('media:lost')).toEqual([]);
    expect(host.socket.all('media:unpublished')).toEqual([]);
    expect([host.peer.sendingId, host.peer.connections.sending]).toEqual([microphone, 'connected']);
  });

  it('MD-8 the worker of the stage dies: who spoke speaks again, and who listens hears it by what they have', async () => {
    const { server, roomId, host, ana, ben } = await openSplit();
    const transports = [ana, ben].map(({ peer }) => peer.receivingId);
    killWorker(server, 'stage');
    expect(await host.socket.next('media:lost')).toMatchObject({ receiving: true, sending: true });
    await until('the host is silent', () => !hears(ana, host));
    for (const listener of [ana, ben]) await until('the host is heard again', () => hears(listener, host, 440));
    expect([...ana.socket.all('media:lost'), ...ben.socket.all('media:lost')]).toEqual([]);
    expect([ana, ben].map(({ peer }) => peer.receivingId)).toEqual(transports);
    const { state } = await ana.socket.do('room:sync', { roomId });
    expect(state.stage[0]?.microphone).toBe('open');
  });
});
