import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { defaultLimits } from '@rostrum/shared/limits.ts';
import { refuse } from '@rostrum/shared/result.ts';
import { afterEach, describe, expect, test } from 'vitest';
import { listenerCost } from '../../src/media/reservation.ts';
import { freePort } from '../support/free-port.ts';
import { codeOf, Rig, type TestRoom, until, valueFrom, withoutGap } from './harness.ts';

/** Packets a second that a listener is reserved for, where nobody has more microphones than the gate lets through. */
const one = listenerCost([], { voices: defaultLimits.gateVoices, nextPacketMs: 20 });

describe('admission', () => {
  let rig: Rig;
  afterEach(() => rig.close());

  /** Listens for somebody new; who is refused has no media here. */
  const comeTo = async (room: TestRoom): Promise<string> => codeOf(await rig.listen(room.enter().seat));

  /** How many get in, one after the other, before one is refused. */
  const fill = async (room: TestRoom): Promise<number> => {
    for (let inside = 0; inside < 100; inside += 1) if ((await comeTo(room)) !== 'ok') return inside;
    throw new Error('everybody got in');
  };

  const reserved = () => rig.plane.load().map((worker) => worker.reserved);

  test('MD-3 a worker is not filled past what it can serve, also by people who come at once', async () => {
    rig = await Rig.start({ limits: { packetsPerWorker: 2 * one } });
    const room = rig.room();
    const [ann, ben, cat] = [room.enter(), room.enter(), room.enter()];
    // What a listener will cost is counted before anything waits.
    const answers = await Promise.all([ann, ben, cat].map(({ seat }) => rig.listen(seat)));
    expect(answers.map(codeOf)).toEqual(['ok', 'ok', 'node_full']);
    expect(reserved()).toEqual([2 * one]);
    expect(rig.plane.ready()).toBe(false);
    expect(codeOf(rig.plane.admit(cat.seat))).toBe('node_full');
    expect(await comeTo(rig.room())).toBe('node_full');
    // Who is in already is not thrown out, nor kept from a new transport.
    expect(codeOf(rig.plane.admit(ann.seat))).toBe('ok');
    expect(codeOf(await rig.listen(ann.seat))).toBe('ok');
    expect(rig.plane.figures().refusedFull).toBe(3);
  });

  test('MD-3 there is room again when somebody left', async () => {
    rig = await Rig.start({ limits: { packetsPerWorker: 3 * one } });
    const room = rig.room();
    expect(await fill(room)).toBe(3);
    const [first] = room.people;
    rig.plane.release(room.roomId, first?.userId ?? '');
    await until('it is ready', () => rig.plane.ready());
    expect(await fill(room)).toBe(1);
    rig.plane.closeRoom(room.roomId);
    expect(reserved()).toEqual([0]);
    expect(await fill(rig.room())).toBe(3);
  });

  test('MD-3 rooms go to the worker that has least to do, until none has room', async () => {
    rig = await Rig.start({ workers: 2, limits: { packetsPerWorker: 2 * one } });
    const rooms = [rig.room(), rig.room(), rig.room(), rig.room()];
    for (const room of rooms) expect(await comeTo(room)).toBe('ok');
    expect(reserved()).toEqual([2 * one, 2 * one]);
    expect(await comeTo(rig.room())).toBe('node_full');
  });

  test('MD-3 MD-2 one room fills every worker before anybody is refused, and none past what it can serve', async () => {
    rig = await Rig.start({ workers: 3, limits: { packetsPerWorker: 10 * one } });
    const inside = await fill(rig.room());
    // Of three workers with ten places each, two are fed over relays, which take a place at either end.
    expect(inside).toBeGreaterThanOrEqual(24);
    for (const packets of reserved()) expect(packets).toBeLessThanOrEqual(10 * one);
  });

  test('MD-3 voices that are on their way from another node are reserved for as those that are here', async () => {
    const voices = defaultLimits.gateVoices + 2;
    const min = await freePort(2);
    rig = await Rig.start({
      self: 'here',
      pipes: {
        request: () => Promise.resolve(refuse('unavailable')),
        address: '127.0.0.1',
        ports: { min, max: min + 1 },
      },
    });
    const room = rig.room();
    const host = room.enter({ speaker: true });
    const speakers = Array.from({ length: voices }, (_, index) => {
      const { userId, sessionId } = room.enter({ speaker: true }).seat;
      return [userId, { userId, sessionId, producerId: `producer-${index}`, muted: false, node: 'there' }] as const;
    });
    await rig.plane.reconcile({
      roomId: room.roomId,
      version: 1,
      audioQuality: 'medium',
      stage: new Map<string, { sessionId: string }>([...speakers, [host.userId, host.seat]]),
      microphones: new Map(speakers),
    });
    // People on the stage hear all of them; those of the audience what the gate lets through.
    valueFrom(await rig.listen(host.seat));
    await until('all of them are reserved for', () => reserved()[0] === 50 * voices);
    // They are not here, though.
    expect(rig.plane.load()).toMatchObject([{ producers: 0 }]);
  });

  test('MD-3 asking for room does not go through what mediasoup says of each microphone, which it copies each time', async () => {
    rig = await Rig.start();
    const room = rig.room();
    const ann = room.enter({ speaker: true });
    await ann.speak(440);
    const reads: string[] = [];
    for (const producer of rig.producers()) {
      const { rtpParameters } = producer;
      const read = () => {
        reads.push(producer.id);
        return rtpParameters;
      };
      Object.defineProperty(producer, 'rtpParameters', { get: read });
    }
    for (const { seat } of [room.enter(), rig.room().enter()]) expect(codeOf(rig.plane.admit(seat))).toBe('ok');
    expect([rig.producers().length, reads]).toEqual([1, []]);
  });

  test('MD-3 people inside lose nothing while 500 more try to get in', async () => {
    rig = await Rig.start({ workers: 2, limits: { packetsPerWorker: 4 * one } });
    const room = rig.room();
    const [ann, ben] = [room.enter({ speaker: true }), room.enter()];
    await ben.listen();
    await ann.speak(440);
    await ben.hearsExactly([[ann, 440]]);
    await fill(room);
    const before = rig.plane.seatsOf(room.roomId);
    await withoutGap([ben], ann, async () => {
      const answers = await Promise.all(Array.from({ length: 500 }, () => comeTo(room)));
      expect(new Set(answers)).toEqual(new Set(['node_full']));
    });
    // Nobody is out for it, and nothing is left of those who were refused.
    expect(rig.plane.seatsOf(room.roomId)).toEqual(before);
    await ben.hearsExactly([[ann, 440]]);
  });

  test('MD-3 OP-1 a worker that is busy with whatever takes nobody more, and those inside stay', {
    timeout: 60_000,
  }, async () => {
    rig = await Rig.start({ limits: { workerCpuPercent: 10 } });
    const room = rig.room();
    const ann = room.enter();
    expect(codeOf(await rig.listen(ann.seat))).toBe('ok');
    const flood = spawn(process.execPath, [new URL('./flood.ts', import.meta.url).pathname, String(rig.port)]);
    try {
      await until('it is saturated', () => !rig.plane.ready(), 30_000);
      expect(rig.plane.load()[0]?.cpu).toBeGreaterThan(0.05);
      // It is not for want of reserved places.
      expect(rig.plane.load()[0]?.reserved).toBeLessThan((rig.plane.load()[0]?.capacity ?? 0) / 2);
      expect(codeOf(rig.plane.admit(room.enter().seat))).toBe('node_full');
      expect(await comeTo(rig.room())).toBe('node_full');
      expect(codeOf(await rig.listen(ann.seat))).toBe('ok');
    } finally {
      const gone = once(flood, 'exit');
      flood.kill('SIGKILL');
      await gone;
    }
    await until('it has time again', () => rig.plane.ready(), 30_000);
    expect(await comeTo(room)).toBe('ok');
  });
});
