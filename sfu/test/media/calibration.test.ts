import { defaultLimits } from '@rostrum/shared/limits.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { calibrate, capacityAt, nominalCost } from '../../src/media/calibration.ts';
import { listenerCost, packetsPerSecond } from '../../src/media/reservation.ts';
import { notSaturated, saturate, type WorkerLook } from '../../src/media/saturation.ts';
import { answerTicks, judgeSilence } from '../../src/media/silence.ts';

const microseconds = 1e-6;

describe('what a listener is reserved for', () => {
  const gate = { voices: 4, nextPacketMs: 20 };

  test('MD-3 a room without microphones counts as one where as many talk as the gate lets through', () => {
    expect(packetsPerSecond(20)).toBe(50);
    expect(listenerCost([], gate)).toBe(200);
    expect(listenerCost([20, 20], gate)).toBe(200);
    expect(listenerCost([], { ...gate, nextPacketMs: 60 })).toBeCloseTo(66.7, 1);
  });

  test('MD-3 MD-6 of more microphones than the gate lets through the most expensive count', () => {
    expect(listenerCost([20, 20, 20, 20, 20, 20], gate)).toBe(200);
    expect(listenerCost([60, 20, 60, 60, 20, 60], gate)).toBeCloseTo(133.3, 1);
  });

  test('MD-3 a microphone more never makes a listener cheaper, and none costs more than the gate lets through', () => {
    const time = fc.constantFrom(20, 60);
    fc.assert(
      fc.property(fc.array(time, { maxLength: 30 }), time, fc.integer({ min: 1, max: 30 }), (open, next, voices) => {
        const cost = (microphones: readonly number[]) => listenerCost(microphones, { voices, nextPacketMs: 60 });
        expect(cost([...open, next])).toBeGreaterThanOrEqual(cost(open) - 1e-9);
        expect(cost(open)).toBeLessThanOrEqual(voices * packetsPerSecond(20) + 1e-9);
      }),
    );
  });
});

describe('what a worker can forward', () => {
  const limits = { packetsPerWorker: 80_000, workerCpuPercent: 85 };
  /** Ten seconds at so many packets a second, of which each took so many microseconds. */
  const work = (packetsPerSecond: number, us: number) => ({
    seconds: 10,
    packets: 10 * packetsPerSecond,
    cpuS: 10 * packetsPerSecond * us * microseconds,
  });
  const capacityAfter = (times: number, done: ReturnType<typeof work>) => {
    let cost = nominalCost(limits);
    for (let count = 0; count < times; count += 1) cost = calibrate(cost, done, limits);
    return capacityAt(cost, limits);
  };

  test('MD-3 before there is a measurement it is what is configured', () => {
    expect(capacityAt(nominalCost(limits), limits)).toBe(80_000);
    expect(capacityAt(nominalCost(defaultLimits), defaultLimits)).toBe(defaultLimits.packetsPerWorker);
  });

  test('MD-3 it follows the machine, up and down', () => {
    expect(capacityAfter(50, work(60_000, 8))).toBeCloseTo(106_250, -2);
    expect(capacityAfter(50, work(40_000, 17))).toBeCloseTo(50_000, -2);
  });

  test('MD-3 one measurement does not turn it over, and many do', () => {
    const once = capacityAfter(1, work(40_000, 17));
    expect(once).toBeGreaterThan(65_000);
    expect(once).toBeLessThan(80_000);
    expect(capacityAfter(10, work(40_000, 17))).toBeLessThan(55_000);
  });

  test('MD-3 a worker with little to do shows that it is fast, but not that it is slow', () => {
    expect(capacityAfter(50, work(10_000, 30))).toBe(80_000);
    expect(capacityAfter(50, work(10_000, 6))).toBeGreaterThan(130_000);
  });

  test('MD-3 too little traffic says nothing', () => {
    expect(capacityAfter(50, work(3000, 2))).toBe(80_000);
    expect(capacityAfter(50, { seconds: 10, packets: 1_000_000, cpuS: 0.4 })).toBe(80_000);
    expect(capacityAfter(50, { seconds: 10, packets: 0, cpuS: 10 })).toBe(80_000);
  });

  test('MD-3 whatever is measured, it stays between a third and three times of what is configured', () => {
    const measured = fc.record({
      seconds: fc.double({ min: 10, max: 120, noNaN: true }),
      packets: fc.integer({ min: 0, max: 100_000_000 }),
      cpuS: fc.double({ min: 0, max: 1000, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(measured, { maxLength: 50 }), (all) => {
        const cost = all.reduce((before, done) => calibrate(before, done, limits), nominalCost(limits));
        expect(capacityAt(cost, limits)).toBeGreaterThanOrEqual(Math.floor(80_000 / 3));
        expect(capacityAt(cost, limits)).toBeLessThanOrEqual(Math.ceil(80_000 * 3));
      }),
    );
  });
});

describe('whether a worker has time left', () => {
  const mark = 0.85;
  const calm: WorkerLook = { cpu: 0.3, sleeps: 300, answerMs: 1 };
  const isSaturatedAfter = (looks: readonly WorkerLook[], from = notSaturated) =>
    looks.reduce((before, look) => saturate(before, look, mark), from).isSaturated;
  const saturated = { isSaturated: true, against: 0 };

  test('MD-3 it has none when it is past the mark twice in a row, and not for a moment of it', () => {
    const busy = { ...calm, cpu: 0.9, sleeps: 30 };
    expect(isSaturatedAfter([busy])).toBe(false);
    expect(isSaturatedAfter([busy, calm, busy, calm, busy])).toBe(false);
    expect(isSaturatedAfter([busy, busy])).toBe(true);
  });

  test('MD-3 it has some again when it is well below the mark twice in a row', () => {
    const nearly = { ...calm, cpu: 0.8 };
    expect(isSaturatedAfter([nearly, nearly, nearly], saturated)).toBe(true);
    expect(isSaturatedAfter([nearly, nearly, nearly])).toBe(false);
    expect(isSaturatedAfter([calm], saturated)).toBe(true);
    expect(isSaturatedAfter([calm, nearly, calm], saturated)).toBe(true);
    expect(isSaturatedAfter([calm, calm], saturated)).toBe(false);
  });

  test('MD-3 it has none when it is slow to answer, or does not answer at all', () => {
    const late = { ...calm, answerMs: 300 };
    expect(isSaturatedAfter([late, late])).toBe(true);
    expect(isSaturatedAfter([late, late], saturated)).toBe(true);
  });

  test('MD-3 it has none when it never comes to rest, however little of the core it gets', () => {
    const starved = { cpu: 0.36, sleeps: 0, answerMs: 5 };
    expect(isSaturatedAfter([starved, starved])).toBe(true);
    // One with nothing to do hardly wakes up either.
    expect(isSaturatedAfter(Array.from({ length: 5 }, () => ({ cpu: 0.001, sleeps: 2, answerMs: 1 })))).toBe(false);
  });
});

describe('a worker that does not answer', () => {
  const nothing = { isStopped: false, isWorking: false };

  test('RE-5 one that is stopped is known at the first missed answer', () => {
    expect(judgeSilence(0, { ...nothing, isStopped: true })).toBe('wait');
    expect(judgeSilence(1, { ...nothing, isStopped: true })).toBe('was stopped');
  });

  test('RE-5 one that hangs is given the time in which a worker must answer', () => {
    expect(judgeSilence(answerTicks, nothing)).toBe('wait');
    expect(judgeSilence(answerTicks + 1, nothing)).toBe('does not answer');
  });

  test('RE-5 one that goes on forwarding is given longer, and not for ever', () => {
    const overloaded = { ...nothing, isWorking: true };
    expect(judgeSilence(answerTicks + 1, overloaded)).toBe('wait');
    expect(judgeSilence(6 * answerTicks, overloaded)).toBe('wait');
    expect(judgeSilence(6 * answerTicks + 1, overloaded)).toBe('does not answer');
  });
});
