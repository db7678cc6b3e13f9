import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import * as mediasoup from 'mediasoup';
import { afterEach, describe, expect, test } from 'vitest';
import { restartDelayMs } from '../../src/media/worker-pool.ts';
import { freePort } from '../support/free-port.ts';
import { codeOf, Rig, until, valueFrom } from './harness.ts';

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('workers', () => {
  let rig: Rig;
  afterEach(() => rig.close());

  const pids = () => rig.plane.load().map(({ pid }) => pid);

  /** A room with a speaker and a listener who hears them. */
  const conversation = async () => {
    const room = rig.room();
    const [ann, ben] = [room.enter({ speaker: true }), room.enter()];
    await ben.listen();
    await ann.speak(440);
    await ben.hearsExactly([[ann, 440]]);
    return { room, ann, ben };
  };

  test('MD-1 MD-3 runs as many workers as configured, and puts each room on the least loaded', async () => {
    rig = await Rig.start({ workers: 2 });
    expect(new Set(pids()).size).toBe(2);
    const enter = async (room: ReturnType<Rig['room']>, people: number) => {
      for (let count = 0; count < people; count += 1) valueFrom(await rig.listen(room.enter().seat));
    };
    const rooms = () => rig.plane.load().map((worker) => worker.rooms);
    const crowd = rig.room();
    await enter(crowd, 3);
    await enter(rig.room(), 1);
    expect(rooms()).toEqual([1, 1]);
    await enter(rig.room(), 1);
    await enter(rig.room(), 1);
    expect(rooms()).toEqual([1, 3]);
    rig.plane.closeRoom(crowd.roomId);
    await enter(rig.room(), 1);
    expect(rooms()).toEqual([1, 3]);
    expect(rig.plane.load().map(({ transports }) => transports)).toEqual([1, 3]);
  });

  test('MD-8 a worker that is killed is replaced, its people are told, and hear each other again', async () => {
    rig = await Rig.start({ workers: 2 });
    const { room, ann, ben } = await conversation();
    const other = await conversation();
    const [victim] = rig.plane.load().filter((worker) => worker.rooms === 1);
    const before = pids();
    process.kill(victim?.pid ?? 0, 'SIGKILL');
    await until('the loss is told', () => rig.told.mediaLost.length > 0);
    const seats = [
      { seat: ann.seat, receiving: false, sending: true },
      { seat: ben.seat, receiving: true, sending: false },
    ];
    expect(rig.told.mediaLost).toEqual([
      [room.roomId, { seats: expect.arrayContaining(seats), microphones: true, withinMs: 2 }],
    ]);
    expect(rig.plane.figures()).toMatchObject({ workerDeaths: 1, workersKilled: 0, seatsLost: 2 });
    expect(rig.plane.seatsOf(room.roomId)).toEqual([]);
    expect(rig.plane.ready()).toBe(false);

    await Promise.all([ben.listen(), ann.speak(600)]);
    await ben.hearsExactly([[ann, 600]]);
    await other.ben.hearsExactly([[other.ann, 440]]);
    await until('every worker runs', () => rig.plane.ready());
    expect(pids()).toHaveLength(2);
    expect(pids()).not.toEqual(before);
    expect(rig.told.mediaLost).toHaveLength(1);
  });

  test('MD-8 with the only worker dead a command waits for the next, on the same port', async () => {
    rig = await Rig.start();
    const { room, ann, ben } = await conversation();
    await until('ann is said to speak', () => rig.told.speakingChanged.at(-1)?.[1].length === 1);
    const relistened = new Promise<Awaited<ReturnType<typeof rig.listen>>>((resolve) => {
      room.lost = () => resolve(rig.listen(ben.seat));
    });
    process.kill(pids()[0] ?? 0, 'SIGKILL');
    const { transport } = valueFrom(await relistened);
    expect(new Set(transport.iceCandidates.map(({ port }) => port))).toEqual(new Set([rig.port]));
    expect(rig.told.mediaLost).toHaveLength(1);
    // Nobody speaks where there is no media.
    expect(rig.told.speakingChanged.at(-1)).toEqual([room.roomId, []]);
    expect(rig.plane.seatsOf(room.roomId)).not.toContainEqual(ann.seat);
  });

  test('MD-8 whatever is under way when the worker dies is answered', async () => {
    rig = await Rig.start();
    const room = rig.room();
    const people = Array.from({ length: 10 }, () => room.enter({ speaker: true }));
    await rig.listen(room.enter().seat);
    const worker = rig.workers[0];
    const answers = Promise.all(people.flatMap(({ seat }) => [rig.listen(seat), rig.plane.publish(seat)]));
    process.kill(worker?.pid ?? 0, 'SIGKILL');
    for (const code of (await answers).map(codeOf)) expect(['ok', 'unavailable']).toContain(code);
    await until('it is replaced', () => rig.plane.ready());
    expect(await rig.inWorkers()).toMatchObject({ transports: rig.plane.load()[0]?.transports });
  });

  test('MD-4 whoever is muted has stopped speaking, however long a pause is held', async () => {
    rig = await Rig.start({ limits: { speakingHoldMs: 600_000 } });
    const { ann } = await conversation();
    await until('ann is said to speak', () => rig.told.speakingChanged.at(-1)?.[1].length === 1);
    await ann.setMuted(true);
    await until('nobody speaks', () => rig.told.speakingChanged.at(-1)?.[1].length === 0);
  });

  test('RE-5 MD-8 a worker that is stopped is killed and replaced, and its ports are bound again', async () => {
    rig = await Rig.start({ limits: { workerAnswerMs: 1000 } });
    const { ann, ben } = await conversation();
    const [pid] = pids();
    process.kill(pid ?? 0, 'SIGSTOP');
    expect(codeOf(await rig.listen(ben.seat))).toBe('unavailable');
    await until('it is replaced', () => rig.plane.ready());
    expect(isAlive(pid ?? 0)).toBe(false);
    expect(rig.told.mediaLost).toHaveLength(1);
    expect(rig.plane.figures()).toMatchObject({ workerDeaths: 1, workersKilled: 1 });
    const { transport } = valueFrom(await rig.listen(ben.seat));
    expect(new Set(transport.iceCandidates.map(({ port }) => port))).toEqual(new Set([rig.port]));
    await Promise.all([ben.listen(), ann.speak(600)]);
    await ben.hearsExactly([[ann, 600]]);
  });

  test('RE-5 a worker that hangs is found even when nobody asks it anything', async () => {
    rig = await Rig.start({ limits: { workerAnswerMs: 500 } });
    const [pid] = pids();
    process.kill(pid ?? 0, 'SIGSTOP');
    await until('it is replaced', () => rig.plane.ready() && pids()[0] !== pid, 5000);
    expect(isAlive(pid ?? 0)).toBe(false);
  });

  test('RE-5 closing waits for the processes, even for one that is stopped', async () => {
    rig = await Rig.start({ workers: 2, limits: { workerAnswerMs: 500 } });
    await conversation();
    const before = pids();
    process.kill(before[1] ?? 0, 'SIGSTOP');
    await rig.close();
    expect(before.map(isAlive)).toEqual([false, false]);
    expect(rig.plane.load()).toEqual([]);
    expect(codeOf(await rig.listen(rig.room().enter().seat))).toBe('unavailable');
    expect(rig.told.mediaLost).toEqual([]);
  });

  test('MD-1 the workers leave the signals of the server to the server', async () => {
    const listeners = () => [process.listeners('SIGINT'), process.listeners('SIGTERM')];
    const before = listeners();
    rig = await Rig.start({ workers: 2 });
    expect(listeners()).toEqual(before);
  });

  test('MD-7 a port that is taken is said at the start, and nothing stays behind', async () => {
    rig = await Rig.start();
    const port = await freePort(2);
    const taken = createServer().listen(port + 1, '0.0.0.0');
    await once(taken, 'listening');
    const started: mediasoup.types.Worker[] = [];
    mediasoup.observer.on('newworker', (worker) => started.push(worker));
    await expect(Rig.start({ workers: 2, mediaPort: port })).rejects.toThrow(/port:\d+.*address already in use/);
    taken.close();
    expect(started.map(({ pid }) => isAlive(pid))).toEqual([false, false]);
  });

  test('MD-8 a series of deaths is tried ever less often, a single one at once', () => {
    expect([1, 2, 3, 4, 5].map(restartDelayMs)).toEqual([0, 100, 200, 400, 800]);
    expect(restartDelayMs(50)).toBe(10_000);
  });

  /** Kills a worker as soon as it runs, so many times in a row. */
  const killAgainAndAgain = async (index: number, times: number): Promise<void> => {
    const running = () => rig.plane.load().find((worker) => worker.index === index)?.pid;
    for (let death = 1; death <= times; death += 1) {
      const pid = await until('a worker runs', running);
      process.kill(pid, 'SIGKILL');
      await until('its death is noticed', () => running() !== pid);
    }
  };

  test('MD-8 a series of deaths takes the node out of readiness, until the worker has lived for a while', async () => {
    rig = await Rig.start();
    await killAgainAndAgain(0, 2);
    // Bad luck, and over as soon as a worker runs.
    await until('it is ready', () => rig.plane.ready());
    await killAgainAndAgain(0, 1);
    await until('a worker runs', () => pids().length === 1);
    expect(rig.plane.ready()).toBe(false);
    // It serves those who come all the same: nobody is better off without.
    expect(codeOf(await rig.listen(rig.room().enter().seat))).toBe('ok');
    await until('it has lived for a while', () => rig.plane.ready(), 30_000);
    expect(rig.plane.figures().workerDeaths).toBe(3);
    // Which ends the series: the next death is a single one.
    await killAgainAndAgain(0, 1);
    await until('it is ready', () => rig.plane.ready());
  });

  test('MD-8 rooms are not placed on a worker that dies again and again while there is another', async () => {
    rig = await Rig.start({ workers: 2 });
    await killAgainAndAgain(0, 3);
    await until('every worker runs', () => pids().length === 2);
    for (let count = 0; count < 3; count += 1) valueFrom(await rig.listen(rig.room().enter().seat));
    expect(rig.plane.load().map(({ rooms }) => rooms)).toEqual([0, 3]);
  });

  test('RE-5 a process that never says that it runs is not waited for, and does not stay', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rostrum-'));
    const workerBin = join(folder, 'silent');
    const pidFile = join(folder, 'pid');
    await writeFile(workerBin, `#!/bin/sh\necho $$ > ${pidFile}\nexec sleep 600\n`, { mode: 0o755 });
    await expect(Rig.start({ workerBin, limits: { workerAnswerMs: 1000 } })).rejects.toThrow(/did not start within/);
    expect(isAlive(Number(await readFile(pidFile, 'utf8')))).toBe(false);
    await rm(folder, { recursive: true });
  });
});

test('OP-2 a signal to the process group reaches the server alone: its workers serve on until it closes them', async () => {
  const script = new URL('./stopping-server.ts', import.meta.url).pathname;
  const port = await freePort(2);
  // Detached, so that it leads a process group of its own, as in a terminal or under a supervisor.
  const server = spawn(process.execPath, [script, String(port)], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value ?? 'null');
  const { pids } = await next();
  expect(pids).toHaveLength(2);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.kill(-(server.pid ?? 0), signal);
    expect(await next()).toEqual({ signal, listened: 'ok', alive: [true, true] });
  }
  expect(pids.map(isAlive)).toEqual([true, true]);
  const exit = once(server, 'exit');
  process.kill(server.pid ?? 0, 'SIGUSR2');
  expect(await exit).toEqual([0, null]);
  expect(pids.map(isAlive)).toEqual([false, false]);
});
