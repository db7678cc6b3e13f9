import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { observer } from 'mediasoup';
import { afterEach, describe, expect, it } from 'vitest';
import { Crowd } from '../../bench/load/crowd.ts';
import type { LoadResult } from '../../bench/load/load-result.ts';
import { findServer } from '../../bench/load/load-server.ts';
import { until } from '../media/harness.ts';
import { Caller } from '../support/caller.ts';
import { cleanUp, guest, startServer, type TestServer } from '../support/server.ts';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await cleanUp();
});

/** A few words of what Prometheus would read: the sum over all workers. */
const metricsOf = async ({ url }: Pick<TestServer, 'url'>): Promise<(name: string) => number> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  return (name) =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      .reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);
};

const untilEmpty = (server: TestServer): Promise<unknown> =>
  until('nobody is left', async () => {
    const sumOf = await metricsOf(server);
    const left = ['rostrum_rooms', 'rostrum_sockets', 'rostrum_worker_transports', 'rostrum_worker_consumers'];
    return left.every((name) => sumOf(name) === 0);
  });

type Run = {
  readonly child: ChildProcess;
  readonly output: Promise<{ code: number | null; out: string; err: string }>;
};

/** The command itself, as `npm run load` starts it. */
const runLoad = (...args: string[]): Run => {
  const child = spawn(process.execPath, [new URL('../../bench/load.ts', import.meta.url).pathname, ...args]);
  closing.push(() => child.exitCode === null && child.kill('SIGKILL'));
  let out = '';
  let err = '';
  child.stdout.on('data', (piece: Buffer) => {
    out += piece;
  });
  child.stderr.on('data', (piece: Buffer) => {
    err += piece;
  });
  return { child, output: once(child, 'close').then(([code]) => ({ code: code as number | null, out, err })) };
};

const processesUnder = async (pid: number | undefined): Promise<number[]> => {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.trim().split(' ').filter(Boolean).map(Number);
};

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** A way to the server that can be cut, as a network does. */
const startWire = async (server: TestServer): Promise<{ readonly url: string; cut(): number }> => {
  const sockets = new Set<Socket>();
  const wire = createServer((near) => {
    const far = connect(Number(new URL(server.url).port), '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.pipe(other);
      one.on('error', () => undefined);
      one.on('close', () => other.destroy());
    }
    sockets.add(near);
    near.on('close', () => sockets.delete(near));
  });
  wire.listen(0, '127.0.0.1');
  await once(wire, 'listening');
  const cut = (): number => {
    const count = sockets.size;
    for (const socket of sockets) socket.destroy();
    return count;
  };
  closing.push(() => {
    wire.close();
    cut();
  });
  return { url: `http://127.0.0.1:${(wire.address() as { port: number }).port}`, cut };
};

/** People of a load in this process: a stage that talks, and so many who listen. */
const gather = async (
  url: string,
  { speakers, listeners }: { speakers: number; listeners: number },
): Promise<Crowd> => {
  const crowd = new Crowd({ server: await findServer(url, { forwarded: true }), index: 0, processes: 1 });
  closing.push(() => crowd.leave());
  const { roomId, userIds } = await crowd.openRoom({ speakers, talking: 2, listeners });
  crowd.know(userIds);
  crowd.talk();
  crowd.arrive({ kind: 'light', rooms: [{ roomId, people: listeners }], perSecond: 50, afterMs: 0 });
  await until('everybody hears', () => crowd.progress.heard === listeners, 20_000);
  return crowd;
};

const workerPids = new Set<number>();
observer.on('newworker', ({ pid }) => workerPids.add(pid));

describe('the load command against a real server', () => {
  it('OP-5 prints what listeners, speakers, probes and callers met with, and leaves nothing behind', {
    timeout: 90_000,
  }, async () => {
    const server = await startServer({ env: { LIMIT_REPEAT_PAIR_MS: '0' } });
    const people = ['--rooms', '2', '--listeners', '6', '--speakers', '3', '--probes', '2', '--callers', '2'];
    const pace = ['--processes', '2', '--duration', '4', '--talk-seconds', '1', '--joins-per-second', '50'];
    const { output } = runLoad(
      '--server',
      server.url,
      '--forwarded',
      ...people,
      ...pace,
      '--max-failures',
      '0',
      '--json',
    );
    const { code, out, err } = await output;
    expect(code, err).toBe(0);
    const result = JSON.parse(out) as LoadResult;
    const { listeners, probes, stage, calls } = result;
    expect(listeners.counters).toMatchObject({ asked: 12, joined: 12, refused: 0, heard: 12, roomsEnded: 0 });
    expect(probes.counters).toMatchObject({ asked: 2, joined: 2, heard: 2 });
    expect(stage.counters).toMatchObject({ asked: 6, joined: 6, heard: 6, connectionsLost: 0 });
    for (const { media, silent } of [listeners, probes, stage]) {
      expect(silent).toBe(0);
      expect(media.received).toBeGreaterThan(0);
      expect(media.received + media.lost).toBe(media.expected);
    }
    expect(listeners.times).toMatchObject({ signIn: { count: 12 }, socket: { count: 12 }, join: { count: 12 } });
    expect(listeners.times.firstAudio?.count).toBe(12);
    // Each packet is timed: it holds 20 ms of sound, and is on its way after.
    expect(listeners.times.latency?.count).toBe(listeners.media.received);
    expect(listeners.times.latency?.p50).toBeGreaterThan(20);
    expect(listeners.times.jitter?.count).toBeGreaterThan(0);
    expect(probes.times.jitterBuffer?.count).toBeGreaterThan(0);
    expect(calls.counters.matched).toBeGreaterThanOrEqual(2);
    expect(calls.counters).toMatchObject({ asked: 2, joined: 2, strangers: 0, notConnected: 0 });
    expect(calls.counters.connected).toBeGreaterThanOrEqual(1);
    expect(calls.times.connect?.count).toBeGreaterThanOrEqual(2);
    expect(result.microphones.packetMs).toEqual({ 20: 6 });
    expect(result.microphones.packetsSent).toBeGreaterThan(0);
    expect(result.failures).toEqual({});
    expect(result.generator).toHaveLength(3);
    expect(result.thresholds).toMatchObject([{ name: 'max-failures', kept: true }]);
    await untilEmpty(server);
  });

  it('OP-5 refuses to run where no server is named, and where nobody answers', async () => {
    const without = await runLoad('--listeners', '1').output;
    expect(without).toMatchObject({ code: 2, out: '', err: expect.stringContaining('--server is missing') });
    const nobody = await runLoad('--server', 'http://127.0.0.1:9', '--listeners', '1').output;
    expect(nobody).toMatchObject({ code: 3, out: '', err: expect.stringContaining('no Rostrum that runs') });
  });

  it('OP-5 sends no media where the server points it, unless that was allowed', async () => {
    // Its candidates are those of a machine for documentation (RFC 5737).
    const server = await startServer({ env: { MEDIA_ADDRESS: '203.0.113.9' } });
    const { output } = runLoad('--server', server.url, '--forwarded', '--listeners', '1', '--duration', '1');
    const { code, out, err } = await output;
    expect(code).toBe(3);
    expect(out).toBe('');
    expect(err).toContain('203.0.113.9');
    await untilEmpty(server);
  });

  it('OP-5 when it is interrupted everybody leaves, and what was measured is printed', {
    timeout: 60_000,
  }, async () => {
    const server = await startServer();
    const args = ['--listeners', '8', '--speakers', '2', '--probes', '1', '--duration', '600', '--json'];
    const { child, output } = runLoad('--server', server.url, '--forwarded', ...args);
    await until('everybody is in', async () => (await metricsOf(server))('rostrum_sockets') === 11, 30_000);
    const processes = await processesUnder(child.pid);
    expect(processes.length).toBe(2);
    child.kill('SIGINT');
    const { code, out } = await output;
    expect(code).toBe(130);
    expect(JSON.parse(out)).toMatchObject({ interrupted: true, listeners: { counters: { asked: 8 } } });
    expect(processes.filter(isAlive)).toEqual([]);
    await untilEmpty(server);
  });
});

describe('people of a load', () => {
  it('OP-5 come back when their connections break, and go on hearing meanwhile', { timeout: 60_000 }, async () => {
    const server = await startServer();
    const wire = await startWire(server);
    const crowd = await gather(wire.url, { speakers: 2, listeners: 4 });
    expect(wire.cut()).toBeGreaterThanOrEqual(6);
    await until(
      'everybody is back',
      async () => {
        const { audience, stage } = await crowd.figures();
        return audience.counters.connectionsBack === 4 && stage.counters.connectionsBack === 2;
      },
      20_000,
    );
    const { audience, stage } = await crowd.figures();
    expect(audience.counters).toMatchObject({ connectionsLost: 4, connectionsGone: 0 });
    expect(stage.counters).toMatchObject({ connectionsLost: 2, speakingLost: 0 });
    const { media } = audience;
    await until('they hear on', async () => (await crowd.figures()).audience.media.received > media.received + 50);
    expect((await crowd.figures()).audience.failures).toEqual({});
  });

  it('OP-5 follow the server to other routers, and back on air when a worker dies', { timeout: 60_000 }, async () => {
    const server = await startServer({ env: { LIMIT_DIRECT_LISTENERS: '2', WORKERS: '1' } });
    const crowd = await gather(server.url, { speakers: 2, listeners: 6 });
    const before = await until(
      'those who were told to move have moved',
      async () => {
        const { audience } = await crowd.figures();
        const { relistened, relistenAsked } = audience.counters;
        return relistened >= 2 && relistened === relistenAsked && audience;
      },
      20_000,
    );
    // Those who moved hear by a pipe, and the timestamps went through it as they were.
    expect(before.times.latency.max).toBeLessThan(10_000);
    const [pid] = [...workerPids].filter(isAlive);
    if (pid === undefined) throw new Error('no worker');
    process.kill(pid, 'SIGKILL');
    await until(
      'everybody is back on air',
      async () => {
        const { audience, stage } = await crowd.figures();
        return audience.counters.hearingBack === 6 && stage.counters.speakingBack === 2;
      },
      20_000,
    );
    const after = await crowd.figures();
    expect(after.audience.counters).toMatchObject({ hearingLost: 6, roomsEnded: 0 });
    expect(after.stage.counters).toMatchObject({ hearingLost: 2, hearingBack: 2, speakingLost: 2 });
    await crowd.leave();
    await untilEmpty(server);
  });

  it('OP-5 go on the stage of a room that is there already when its own host lets them', {
    timeout: 60_000,
  }, async () => {
    const server = await startServer({ env: { LIMIT_LARGE_ROOM_PEOPLE: '5' } });
    const host = await guest(server, 'Hanna');
    const roomId = await host.createRoom();
    const { do: ask, next } = await host.enter(roomId).then((socket) => ({
      do: socket.do.bind(socket),
      next: socket.next.bind(socket),
    }));
    const crowd = new Crowd({ server: await findServer(server.url, { forwarded: true }), index: 0, processes: 1 });
    closing.push(() => crowd.leave());
    const [{ userIds }] = await Promise.all([
      crowd.openRoom({ roomId, speakers: 1, talking: 1, listeners: 4 }),
      next('room:hand-raised').then(({ hand }) => ask('room:hand-accept', { roomId, userId: hand.userId })),
    ]);
    expect(userIds).toHaveLength(1);
    crowd.know(userIds);
    crowd.talk();
    crowd.arrive({ kind: 'light', rooms: [{ roomId, people: 4 }], perSecond: 50, afterMs: 0 });
    await until('everybody hears', () => crowd.progress.heard === 4, 20_000);
    expect((await crowd.figures()).packetMs).toEqual({ 20: 1 });
    // The room is large now, so a microphone that is opened in it is to put more into a packet.
    crowd.reopen();
    await until('the microphone is open again', () => !crowd.progress.busy);
    const { packetMs, audience } = await crowd.figures();
    expect(packetMs).toEqual({ 60: 1 });
    const heard = async () => (await crowd.figures()).audience.media.received > audience.media.received + 20;
    await until('they hear it', heard, 20_000);
    expect((await crowd.figures()).audience.failures).toEqual({});
    await crowd.leave();
    // It is not theirs to end.
    expect((await host.http('GET', `/api/rooms/${roomId}`)).body).toMatchObject({ status: 'active' });
  });

  it('OP-5 leave people alone who are not of the load: a call with one of them is ended at once', async () => {
    const server = await startServer();
    const crowd = new Crowd({ server: await findServer(server.url, { forwarded: true }), index: 0, processes: 1 });
    closing.push(() => crowd.leave());
    crowd.call({ callers: 1, talkMs: 1000 });
    const stranger = await Caller.arrive(server, 'Ann');
    await stranger.search();
    await stranger.socket.next('random:call_ended');
    expect((await crowd.figures()).calls.counters).toMatchObject({ strangers: 1, matched: 0 });
  });
});
