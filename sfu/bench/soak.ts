/**
 * What stays behind when people come and go for a long time while workers die: of memory, descriptors, ports, routers and transports.
 * See README.md.
 */
import { loadavg } from 'node:os';
import { keepOn, sayCores, separateCores, workersOn } from './lib/cores.ts';
import { chooseOptions } from './lib/options.ts';
import { peopleOf } from './lib/people.ts';
import { describe, machine, progress, progressDone, table } from './lib/report.ts';
import { startRostrumProcess } from './lib/rostrum-process.ts';
import { fitLine, type Line, type Point, robustLine } from './lib/slope.ts';
import { type Holdings, leftOver, type Sample, sampleWhenCalm } from './lib/soak-sample.ts';
import { type Deeds, tide } from './lib/soak-tide.ts';
import { median, seeded } from './lib/statistics.ts';

const options = chooseOptions(
  {
    command: 'deploy/env node sfu/bench/soak.ts',
    says: [
      'Lets rooms fill and empty, again and again: people join, leave and climb stages while others talk, and a worker is killed every',
      'few seconds. After each tide everybody leaves, and what the server still has is counted; a line is fitted to each',
      'count. Only 127.0.0.1 sees any of the traffic.',
    ].join('\n'),
  },
  {
    minutes: { standard: 30, min: 1, max: 1440, says: 'how long in all' },
    tide: { standard: 20, min: 5, max: 600, says: 'seconds in which people come and go, before all leave' },
    kill: { standard: 12, min: 2, max: 600, says: 'seconds between two deaths of a worker' },
    rooms: { standard: 3, min: 1, max: 50, says: 'rooms at a time' },
    listeners: { standard: 60, min: 5, max: 500, says: 'listeners of a room at most' },
    workers: { standard: 2, min: 1, max: 16, says: 'media workers' },
    seed: { standard: 1, min: 1, max: 1_000_000, says: 'of what is done when' },
  },
);

/** Tides that are not counted: what is allocated once is allocated then. */
const warmUps = 2;

/** What the server remembers of an address, as the guests of the last hour, is not what this looks for. */
const addresses = 500;

const where = machine();
const cores = await separateCores();
if (cores) await keepOn(process.pid, cores.rest);
const server = await startRostrumProcess({
  LOG_LEVEL: 'fatal',
  ...workersOn(cores),
  WORKERS: String(options.workers),
});
if (cores) await keepOn(server.pid, cores.rest);
const context = await peopleOf(server.url, { addresses });
const random = seeded(options.seed);

type Timed = Sample & { readonly hours: number };
const samples: Timed[] = [];
const deeds: Deeds = { joins: 0, leaves: 0, promotions: 0, kills: 0, refused: 0 };
const remains: string[] = [];
const begun = performance.now();
const hours = (): number => (performance.now() - begun) / 3_600_000;
for (let number = 1; hours() * 60 < options.minutes || samples.length < 3; number += 1) {
  const done = await tide(server, context, {
    ...{ rooms: options.rooms, listeners: options.listeners, random },
    ...{ ms: 1000 * options.tide, killEveryMs: 1000 * options.kill },
  });
  for (const name of Object.keys(deeds) as (keyof Deeds)[]) deeds[name] += done[name];
  const before = samples[0]?.holdings;
  const sample = await sampleWhenCalm(server, before);
  if (number > warmUps) samples.push({ ...sample, hours: hours() });
  if (before) remains.push(...leftOver(sample.holdings, before));
  progress(
    `${(hours() * 60).toFixed(1)} of ${options.minutes} minutes, ${number} tides, ${deeds.kills} workers killed`,
  );
}
progressDone();
const { failures } = context.tally.figures();
await server.close();

const gauges: readonly { readonly name: string; readonly unit: string; readonly of: (sample: Sample) => number }[] = [
  { name: 'memory of Node', unit: 'kB', of: ({ memory }) => memory.node / 1000 },
  { name: "Node's objects", unit: 'kB', of: ({ memory }) => memory.heap / 1000 },
  { name: 'memory of the workers', unit: 'kB', of: ({ memory }) => memory.workers / 1000 },
  ...(Object.keys(samples[0]?.holdings ?? {}) as (keyof Holdings)[]).map((name) => ({
    name: name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`),
    unit: '',
    of: ({ holdings }: Sample) => holdings[name],
  })),
];

/** A slope is zero within its error where two of its standard errors reach over zero. */
const isZero = ({ slope, error }: Line): boolean => Math.abs(slope) <= 2 * error;

const lines = gauges.map(({ name, unit, of }) => {
  const points = samples.map((sample): Point => [sample.hours, of(sample)]);
  const third = Math.ceil(points.length / 3);
  const values = points.map(([, value]) => value);
  const [first, last] = [median(values.slice(0, third)), median(values.slice(-third))];
  const [line, robust] = [fitLine(points), robustLine(points)];
  return { name, unit, first, last, ratio: last / first, line, robust, zero: isZero(line) || isZero(robust) };
});
const result = {
  machine: where,
  loadAfter: Number(loadavg()[0]?.toFixed(2)),
  cores,
  options,
  deeds,
  failures,
  remains,
  lines,
  samples,
};

const slope = ({ slope: perHour, error }: Line): string => `${perHour.toFixed(1)} ± ${error.toFixed(1)}`;

if (options.json) {
  console.log(JSON.stringify(result, undefined, 2));
} else {
  const { joins, leaves, promotions, kills, refused } = deeds;
  console.log(`${describe(where)}, ${result.loadAfter} after`);
  console.log(sayCores(cores));
  console.log(`${samples.length} tides in ${(hours() * 60).toFixed(0)} minutes after ${warmUps} that are not counted`);
  console.log(
    `${joins} joins, ${leaves} leaves, ${promotions} promotions, ${kills} workers killed, ${refused} refused`,
  );
  console.log('when everybody has left; medians of the first and the last third of the tides\n');
  console.log(
    table(
      ['', 'first', 'last', 'ratio', 'an hour', 'an hour, robust', 'zero within its error'],
      lines.map(({ name, unit, first, last, ratio, line, robust, zero }) => [
        unit === '' ? name : `${name}, ${unit}`,
        first.toFixed(0),
        last.toFixed(0),
        Number.isNaN(ratio) ? '' : ratio.toFixed(3),
        slope(line),
        slope(robust),
        zero ? 'yes' : 'no',
      ]),
    ),
  );
  if (remains.length > 0) console.log(`\nleft behind for a minute or longer: ${[...new Set(remains)].join('; ')}`);
  if (Object.keys(failures).length > 0) console.log(`\nwhat was refused or failed: ${JSON.stringify(failures)}`);
}
process.exit(0);
