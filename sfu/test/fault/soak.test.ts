import { afterAll, beforeAll, expect, test } from 'vitest';
import { peopleOf } from '../../bench/lib/people.ts';
import { type RostrumProcess, startRostrumProcess } from '../../bench/lib/rostrum-process.ts';
import { type Point, robustSlope } from '../../bench/lib/slope.ts';
import { type Holdings, leftOver, type Sample, sampleWhenCalm } from '../../bench/lib/soak-sample.ts';
import { type Deeds, tide } from '../../bench/lib/soak-tide.ts';
import { seeded } from '../../bench/lib/statistics.ts';
import type { LoadContext } from '../../bench/load/context.ts';

/** Two minutes: `sfu/bench/soak.ts` does the same for half an hour. */
const tides = 8;
const tideMs = 14_000;
/** A worker that lives shorter than ten seconds is taken for one of a series: some of these are. */
const killEveryMs = 8000;
const patienceMs = 600_000;

let server: RostrumProcess;
let context: LoadContext;

beforeAll(async () => {
  server = await startRostrumProcess({ WORKERS: '2', LOG_LEVEL: 'fatal' });
  context = await peopleOf(server.url, { addresses: 200 });
});

afterAll(() => server?.close());

test(
  'RE-5 MD-8 nothing is left behind by people who come, climb stages and go while workers die',
  async () => {
    const random = seeded(7);
    const samples: Sample[] = [];
    const deeds: Deeds = { joins: 0, leaves: 0, promotions: 0, kills: 0, refused: 0 };
    for (let number = 0; number < tides; number += 1) {
      const done = await tide(server, context, { rooms: 2, listeners: 30, ms: tideMs, killEveryMs, random });
      for (const name of Object.keys(deeds) as (keyof Deeds)[]) deeds[name] += done[name];
      // What is allocated once is there after the first tide.
      samples.push(await sampleWhenCalm(server, samples[0]?.holdings));
    }

    expect(deeds.joins).toBeGreaterThan(100);
    expect(deeds.leaves).toBeGreaterThan(20);
    expect(deeds.promotions).toBeGreaterThan(5);
    expect(deeds.kills).toBeGreaterThanOrEqual(tides);
    // Whoever lost their media with a worker had it again.
    const { counters } = context.tally;
    expect(counters.hearingBack).toBeGreaterThan(0);

    const [first] = samples;
    if (first === undefined) throw new Error('nothing was measured');
    const nothing = { routers: 0, transports: 0, producers: 0, consumers: 0, rooms: 0, sockets: 0 };
    expect(first.holdings).toMatchObject({ workers: 2, ...nothing });
    for (const { holdings } of samples) expect(leftOver(holdings, first.holdings)).toEqual([]);
    for (const name of Object.keys(first.holdings) as (keyof Holdings)[]) {
      const points = samples.map(({ holdings }, index): Point => [index, holdings[name]]);
      expect(robustSlope(points), name).toBeLessThanOrEqual(0);
    }
  },
  patienceMs,
);
