import { defaultLimits } from '@rostrum/shared/limits.ts';
import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { alwaysHealthy, OutageWatch } from '../../src/cluster/outage.ts';
import { movedClock } from '../contract/suite-clock.ts';

const start = 1_750_000_000_000;
const lookMs = 100;
const { nodeSilentMs, heartbeatMs, seatGraceMs } = defaultLimits;
const settleMs = nodeSilentMs + heartbeatMs;

/** A watch of which the test moves the time and the store. */
const watched = (throwing = false) => {
  const clock = movedClock(start);
  const told: string[] = [];
  const tell = (what: string): void => {
    told.push(what);
    if (throwing) throw new Error('it fails');
  };
  let isReady = true;
  const watch = new OutageWatch({
    ready: () => isReady,
    clock,
    limits: defaultLimits,
    logger: pino({ level: 'silent' }),
    lost: () => tell('lost'),
    back: (outageMs) => tell(`back ${outageMs}`),
    settledAgain: () => tell('settled'),
  });
  return {
    watch,
    clock,
    told,
    lateness: () => clock.now() - watch.dueClock.now(),
    /** Time passes, in which it looks as it does. */
    pass: async (ms: number, ready = true) => {
      isReady = ready;
      for (const end = clock.now() + ms; clock.now() < end; ) {
        await clock.until(Math.min(end, clock.now() + lookMs));
        watch.look();
      }
    },
    /** Time passes in which this process does nothing. */
    stall: (ms: number) => clock.until(clock.now() + ms),
  };
};

describe('an outage of the store', () => {
  it('RE-4 lets nobody be given up before the store was there for a full round of heartbeats', async () => {
    const { watch, pass, told } = watched();
    expect(watch.settled()).toBe(false);
    await pass(settleMs - lookMs);
    expect(watch.settled()).toBe(false);
    await pass(lookMs);
    expect(watch.settled()).toBe(true);
    expect(told).toEqual([]);
  });

  it('RE-4 is told once when the store goes, when it is back, and when all could show themselves', async () => {
    const { watch, pass, told } = watched();
    await pass(60_000);
    await pass(3000, false);
    expect(told).toEqual(['lost']);
    expect(watch.settled()).toBe(false);
    await pass(lookMs);
    // From the last time that it was seen to the first.
    expect(told).toEqual(['lost', `back ${3000 + lookMs}`]);
    await pass(settleMs - lookMs);
    expect(watch.settled()).toBe(false);
    await pass(lookMs);
    expect(watch.settled()).toBe(true);
    expect(told.slice(2)).toEqual(['settled']);
    await pass(60_000);
    expect(told).toHaveLength(3);
  });

  it('RE-4 begins to wait anew when the store goes again', async () => {
    const { watch, pass, told } = watched();
    await pass(1000);
    await pass(1000, false);
    await pass(settleMs - 1000);
    await pass(lookMs, false);
    await pass(settleMs);
    expect(watch.settled()).toBe(false);
    await pass(lookMs);
    expect(watch.settled()).toBe(true);
    expect(told.map((what) => what.split(' ')[0])).toEqual(['lost', 'back', 'lost', 'back', 'settled']);
  });

  it('RE-4 has deadlines late by the outage, until the longest grace that began before it is over', async () => {
    const { pass, lateness, watch, clock } = watched();
    await pass(60_000);
    expect(lateness()).toBe(0);
    const last = clock.now();
    await pass(5000, false);
    expect(watch.dueClock.now()).toBe(last);
    await pass(lookMs);
    expect(lateness()).toBe(5000 + lookMs);
    await pass(seatGraceMs - lookMs);
    expect(lateness()).toBe(5000 + lookMs);
    await pass(lookMs);
    expect(lateness()).toBe(0);
  });

  it('RE-4 has deadlines late by both outages where the second one comes before the first is made good', async () => {
    const { pass, lateness } = watched();
    await pass(60_000);
    await pass(2000, false);
    await pass(5000);
    await pass(3000, false);
    await pass(lookMs);
    expect(lateness()).toBe(5000 + 2 * lookMs);
    await pass(seatGraceMs);
    expect(lateness()).toBe(0);
    await pass(1000, false);
    await pass(lookMs);
    expect(lateness()).toBe(1000 + lookMs);
  });

  it('RE-4 trusts nothing after this process was stopped, before anything of it looks', async () => {
    const { watch, pass, stall, told, lateness } = watched();
    await pass(60_000);
    await stall(10_000);
    expect(watch.settled()).toBe(false);
    watch.look();
    expect(watch.settled()).toBe(false);
    expect(lateness()).toBe(10_000);
    await pass(settleMs);
    expect(watch.settled()).toBe(true);
    expect(told).toEqual(['settled']);
  });

  it('RE-4 is not put off by a look that comes a little late', async () => {
    const { watch, pass, stall, lateness } = watched();
    await pass(60_000);
    await stall(nodeSilentMs / 2);
    watch.look();
    expect(watch.settled()).toBe(true);
    expect(lateness()).toBe(0);
  });

  it('RE-4 waits for a full round after the clock of the store was set back', async () => {
    const { watch, pass, clock } = watched();
    await pass(60_000);
    await clock.until(clock.now() - 50_000);
    watch.look();
    expect(watch.settled()).toBe(false);
    await pass(settleMs);
    expect(watch.settled()).toBe(true);
  });

  it('RE-4 goes on where what follows from an outage fails', async () => {
    const { watch, pass, told } = watched(true);
    await pass(1000, false);
    await pass(settleMs + lookMs);
    expect(told).toEqual(['lost', `back ${1000 + lookMs}`, 'settled']);
    expect(watch.settled()).toBe(true);
  });

  it('RE-4 keeps every grace as long as the store was there for it, whatever outages there are', async () => {
    const period = fc.record({ looks: fc.integer({ min: 1, max: 300 }), isReady: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(period, { maxLength: 12 }), fc.nat(1000), async (periods, at) => {
        const { watch, clock, pass } = watched();
        await pass(settleMs + at * lookMs);
        const dueAt = clock.now() + seatGraceMs;
        const isRun = (): boolean => watch.settled() && watch.dueClock.now() >= dueAt;
        const looks = [...periods, { looks: (3 * seatGraceMs) / lookMs, isReady: true }].flatMap((it) =>
          Array.from({ length: it.looks }, () => it.isReady),
        );
        let there = 0;
        for (const isReady of looks) {
          await pass(lookMs, isReady);
          there += Number(isReady);
          if (isRun()) break;
        }
        expect(isRun()).toBe(true);
        // One look may pass before it is seen that the store went.
        expect((there + 1) * lookMs).toBeGreaterThanOrEqual(seatGraceMs);
      }),
      { numRuns: 200 },
    );
  });

  it('RE-4 there is none of a store in this process', () => {
    const clock = movedClock(start);
    const health = alwaysHealthy(clock);
    expect([health.settled(), health.dueClock.now()]).toEqual([true, start]);
  });
});
