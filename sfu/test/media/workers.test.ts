import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { refuse } from '@rostrum/shared/result.ts';
import * as mediasoup from 'mediasoup';
import { afterEach, describe, expect, test } from 'vitest';
import { voicesReserved } from '../../src/media/reservation.ts';
import { restartDelayMs } from '../../src/media/worker-pool.ts';
import { freePort } from '../support/free-port.ts';
import { codeOf, microphone, Rig, until, valueFrom } from './harness.ts';

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
      for (let count = 0; count < people; count += 1) valueFrom(await rig.plane.listen(room.enter().seat));
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

  test('MD-3 a worker is not filled past what it can serve', async () => {
    rig = await Rig.start({ limits: { streamsPerWorker: 2 * voicesReserved + 1 } });
    const room = rig.room();
    const [ann, ben, cat] = [room.enter(), room.enter(), room.enter()];
    // All at once: what a listener will cost is counted before anything waits.
    const answers = await Promise.all([ann, ben, cat].map(({ seat }) => rig.plane.listen(seat)));
    expect(answers.map(codeOf)).toEqual(['ok', 'ok', 'node_full']);
    expect(rig.plane.ready()).toBe(false);
    expect(codeOf(await rig.plane.listen(rig.room().enter().seat))).toBe('node_full');
    // Who is in already is not thrown out, nor kept from a new transport.
    expect(codeOf(await rig.plane.listen(ann.seat))).toBe('ok');
    rig.plane.release(room.roomId, ben.userId);
    expect(rig.plane.ready()).toBe(true);
    expect(codeOf(await rig.plane.listen(cat.seat))).toBe('ok');
  });

  test('MD-3 MD-2 voices that are on their way from another node count as those that are here', async () => {
    const voices = voicesReserved + 2;
    const min = await freePort(2);
    rig = await Rig.start({
      self: 'here',
      limits: { streamsPerWorker: 2 * voices + 1 },
      pipes: {
        request: () => Promise.resolve(refuse('unavailable')),
        address: '127.0.0.1',
        ports: { min, max: min + 1 },
      },
    });
    const room = rig.room();
    const speakers = Array.from({ length: voices }, (_, index) => {
      const { userId, sessionId } = room.enter({ speaker: true }).seat;
      return [userId, { userId, sessionId, producerId: `producer-${index}`, muted: false, node: 'there' }] as const;
    });
    await rig.plane.reconcile({
      roomId: room.roomId,
      version: 1,
      audioQuality: 'medium',
      stage: new Map(speakers),
      microphones: new Map(speakers),
    });
    const answers: string[] = [];
    for (const { seat } of [room.enter(), room.enter(), room.enter()])
      answers.push(codeOf(await rig.plane.listen(seat)));
    expect(answers).toEqual(['ok', 'ok', 'node_full']);
    // They are not here, though.
    expect(rig.plane.load()).toMatchObject([{ producers: 0 }]);
  });

  test('MD-3 a microphone more than the worker can carry to everybody is refused', async () => {
    rig = await Rig.start({ limits: { streamsPerWorker: 2 * voicesReserved + 1 } });
    const room = rig.room();
    for (const { seat } of [room.enter(), room.enter()]) valueFrom(await rig.plane.listen(seat));
    const opened: string[] = [];
    for (let count = 0; count <= voicesReserved; count += 1) {
      const { seat } = room.enter({ speaker: true });
      const { transport } = valueFrom(await rig.plane.publish(seat));
      const options = { transportId: transport.transportId, rtpParameters: microphone(count + 1), muted: false };
      opened.push(codeOf(await rig.plane.produce(seat, options)));
    }
    expect(opened).toEqual([...Array.from({ length: voicesReserved }, () => 'ok'), 'node_full']);
  });

  test('MD-8 a worker that is killed is replaced, its people are told, and hear each other again', async () => {
    rig = await Rig.start({ workers: 2 });
    const { room, ann, ben } = await conversation();
    const other = await conversation();
    const [victim] = rig.plane.load().filter((worker) => worker.rooms === 1);
    const before = pids();
    process.kill(victim?.pid ?? 0, 'SIGKILL');
    await until('the loss is told', () => rig.told.roomLost.length > 0);
    expect(rig.told.roomLost).toEqual([[room.roomId, expect.arrayContaining([ann.seat, ben.seat])]]);
    expect(rig.plane.seatsOf(room.roomId)).toEqual([]);
    expect(rig.plane.ready()).toBe(false);

    await Promise.all([ben.listen(), ann.speak(600)]);
    await ben.hearsExactly([[ann, 600]]);
    await other.ben.hearsExactly([[other.ann, 440]]);
    await until('every worker runs', () => rig.plane.ready());
    expect(pids()).toHaveLength(2);
    expect(pids()).not.toEqual(before);
    expect(rig.told.roomLost).toHaveLength(1);
  });

  test('MD-8 with the only worker dead a command waits for the next, on the same port', async () => {
    rig = await Rig.start();
    const { room, ann, ben } = await conversation();
    await until('ann is said to speak', () => rig.told.speakingChanged.at(-1)?.[1].length === 1);
    const relistened = new Promise<Awaited<ReturnType<typeof rig.plane.listen>>>((resolve) => {
      room.lost = () => resolve(rig.plane.listen(ben.seat));
    });
    process.kill(pids()[0] ?? 0, 'SIGKILL');
    const { transport } = valueFrom(await relistened);
    expect(new Set(transport.iceCandidates.map(({ port }) => port))).toEqual(new Set([rig.port]));
    expect(rig.told.roomLost).toHaveLength(1);
    // Nobody speaks where there is no media.
    expect(rig.told.speakingChanged.at(-1)).toEqual([room.roomId, []]);
    expect(rig.plane.seatsOf(room.roomId)).not.toContainEqual(ann.seat);
  });

  test('MD-8 whatever is under way when the worker dies is answered', async () => {
    rig = await Rig.start();
    const room = rig.room();
    const people = Array.from({ length: 10 }, () => room.enter({ speaker: true }));
    await rig.plane.listen(room.enter().seat);
    const worker = rig.workers[0];
    const answers = Promise.all(people.flatMap(({ seat }) => [rig.plane.listen(seat), rig.plane.publish(seat)]));
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

  test('RE-5 a worker that does not answer a command is killed and replaced', async () => {
    rig = await Rig.start({ limits: { workerAnswerMs: 1000 } });
    const { ann, ben } = await conversation();
    const [pid] = pids();
    process.kill(pid ?? 0, 'SIGSTOP');
    expect(codeOf(await rig.plane.listen(ben.seat))).toBe('unavailable');
    await until('it is replaced', () => rig.plane.ready());
    expect(isAlive(pid ?? 0)).toBe(false);
    expect(rig.told.roomLost).toHaveLength(1);
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
    expect(codeOf(await rig.plane.listen(rig.room().enter().seat))).toBe('unavailable');
    expect(rig.told.roomLost).toEqual([]);
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

  test('MD-8 while a series of deaths lasts the node is not ready', async () => {
    rig = await Rig.start();
    for (let death = 1; death <= 3; death += 1) {
      const [pid] = await until('a worker runs', () => pids().length > 0 && pids());
      process.kill(pid ?? 0, 'SIGKILL');
      await until('its death is noticed', () => pids()[0] !== pid);
    }
    const noticed = performance.now();
    expect(rig.plane.ready()).toBe(false);
    await until('a worker runs', () => rig.plane.ready());
    expect(performance.now() - noticed).toBeGreaterThan(150);
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
