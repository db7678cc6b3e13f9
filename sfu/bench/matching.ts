/**
 * How soon two strangers are told of each other: matching on arrival, as Rostrum does it, and a queue that is gone through every
 * so many milliseconds, in turns; with the queue in memory, and in Redis. See README.md.
 */
import { loadavg } from 'node:os';
import { type Design, onArrival } from './lib/matching-parts.ts';
import { everySoOften } from './lib/matching-polling.ts';
import { type Run, type RunOptions, runMatching } from './lib/matching-run.ts';
import { openClusterMatching, openSocketMatching, type SocketMatching } from './lib/matching-sockets.ts';
import { chooseOptions } from './lib/options.ts';
import { startBenchRedis } from './lib/redis.ts';
import { describe, machine, progress, progressDone, table, withInterval } from './lib/report.ts';
import { type Estimate, estimateMedian, quantile } from './lib/statistics.ts';

/** At this many arrivals a second, 99 of 100 pairs are told within so many milliseconds. */
const target = { perSecond: 1000, p99Ms: { arrival: 5, redis: 15 } };
/** Where the search for the highest rate begins, in arrivals a second, and by what it goes on. */
const climb = { from: 1000, factor: 1.25, most: 100_000 };

const options = chooseOptions(
  {
    command: 'deploy/env node sfu/bench/matching.ts',
    says: [
      'Lets people arrive at random and measures the time from the arrival of the second of two until both are told of the match:',
      'with matching on arrival, and with a queue that is gone through at intervals, by the same rules and over the same store.',
      'In one process, from the use case to the publisher; beside it the same over a redis-server, which this starts, and the whole',
      'server over real WebSockets, as one node and as two that share a Redis.',
    ].join('\n'),
  },
  {
    rates: { standard: [200, 1000], min: 1, max: 50_000, says: 'arrivals a second, one rate after the other' },
    rounds: { standard: 9, min: 1, max: 50, says: 'measurements of each design and rate, in turns; one more before' },
    seconds: { standard: 4, min: 1, max: 7, says: 'length of a measurement' },
    interval: {
      standard: 100,
      min: 1,
      max: 1000,
      says: 'milliseconds after which the other design looks at the queue',
    },
    waiting: { standard: 0, min: 0, max: 5000, says: 'people who wait besides, and suit nobody who arrives' },
    records: { standard: 'file', of: ['file', 'memory'], says: 'where calls are recorded: on disk as a server does' },
    'without-redis': { standard: false, says: 'leave out what goes over Redis' },
    sockets: { standard: 400, min: 0, max: 2000, says: 'people with a WebSocket, at the lowest rate; 0 leaves it out' },
    'without-peak': { standard: false, says: 'leave out the search for the highest rate' },
  },
);

const inProcess = ['arrival', 'interval', 'redis'] as const;
type InProcess = (typeof inProcess)[number];
const overSockets = ['sockets', 'cluster'] as const;
type OverSockets = (typeof overSockets)[number];
type Name = InProcess | OverSockets;
const designs: Record<InProcess, Design> = {
  arrival: onArrival,
  interval: everySoOften(options.interval),
  redis: onArrival,
};
const says: Record<Name, string> = {
  arrival: 'on arrival (Rostrum)',
  interval: `every ${options.interval} ms`,
  redis: 'on arrival, over Redis',
  sockets: 'Rostrum, over WebSockets',
  cluster: 'two nodes, over WebSockets',
};
const ofRedis: readonly Name[] = ['redis', 'cluster'];
const isWanted = (name: Name): boolean => !(options['without-redis'] && ofRedis.includes(name));
const processNames = inProcess.filter(isWanted);
const socketNames = options.sockets > 0 ? overSockets.filter(isWanted) : [];
const names: readonly Name[] = [...processNames, ...socketNames];

const where = machine();
// Each run in this process empties its Redis; the cluster keeps its own.
const redis = names.includes('redis') ? await startBenchRedis() : undefined;
const clusterRedis = names.includes('cluster') ? await startBenchRedis() : undefined;
const servers = new Map<Name, SocketMatching>();
if (names.includes('sockets')) servers.set('sockets', await openSocketMatching(options.sockets));
if (clusterRedis) servers.set('cluster', await openClusterMatching(options.sockets, clusterRedis));
const isInProcess = (name: Name): name is InProcess => inProcess.some((one) => one === name);
const run = (name: Name, perSecond: number, seconds = options.seconds): Promise<Run> => {
  const load = { perSecond, seconds };
  if (!isInProcess(name)) return servers.get(name)?.run(load) ?? Promise.reject(new Error('there is no server'));
  // `--records` takes only these words.
  const records = options.records as RunOptions['records'];
  const state = name === 'redis' && redis ? { redis } : {};
  return runMatching(designs[name], { ...load, waiting: options.waiting, records, ...state });
};

/** A rate is sustained when all are told, 99 of 100 pairs within twice the interval (in milliseconds), and all is recorded. */
const sustainedP99Ms = 2 * options.interval;

type Measured = Run & { readonly name: Name; readonly perSecond: number };
const measured: Measured[] = [];
// The round before the first warms up what is compiled once, and is not counted.
for (let round = -1; round < options.rounds; round += 1) {
  for (const perSecond of options.rates) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      // The whole server, and its people beside it, at the lowest rate: at others the two cores would be what is measured.
      if (!isInProcess(name) && perSecond !== Math.min(...options.rates)) continue;
      progress(`round ${round + 1} of ${options.rounds}: ${perSecond} arrivals a second, ${says[name]}`);
      const one = await run(name, perSecond, round < 0 ? 1 : options.seconds);
      if (round >= 0) measured.push({ ...one, name, perSecond });
    }
  }
}

/** The highest rate that a design sustains, and its figures there. */
const peakOf = async (name: InProcess): Promise<Measured | undefined> => {
  let best: Measured | undefined;
  for (let perSecond = climb.from; perSecond <= climb.most; perSecond = Math.round(perSecond * climb.factor)) {
    progress(`the highest rate: ${perSecond} arrivals a second, ${says[name]}`);
    // Once more where it failed: somebody else may have had the machine.
    const isSustained = async (): Promise<boolean> => {
      const one = await run(name, perSecond);
      const isSoon = quantile(one.pairMs, 0.99) <= sustainedP99Ms && 2 * one.pairMs.length >= one.arrived - 1;
      const isWhole = isSoon && one.recorded >= one.pairMs.length;
      if (isWhole) best = { ...one, name, perSecond };
      return isWhole;
    };
    if (!(await isSustained()) && !(await isSustained())) break;
  }
  return best;
};
const peaks: Measured[] = [];
if (!options['without-peak']) for (const name of processNames) peaks.push(...[(await peakOf(name)) ?? []].flat());
for (const server of servers.values()) await server.close();
await redis?.stop();
await clusterRedis?.stop();
progressDone();

const figuresOf = ({ name, perSecond, pairMs, pairsPerSecond, cpuMs }: Measured) => ({
  name,
  perSecond,
  pairs: pairMs.length,
  pairsPerSecond,
  p50Ms: quantile(pairMs, 0.5),
  p95Ms: quantile(pairMs, 0.95),
  p99Ms: quantile(pairMs, 0.99),
  cpuMsPerPair: cpuMs / pairMs.length,
});
type Figures = ReturnType<typeof figuresOf>;
const kinds = ['p50Ms', 'p95Ms', 'p99Ms', 'pairsPerSecond', 'cpuMsPerPair'] as const;
type Kind = (typeof kinds)[number];

const estimates = (of: (kind: Kind) => readonly number[]): Record<Kind, Estimate> => {
  const estimate = (kind: Kind) => estimateMedian(of(kind).map((value) => [value]));
  return {
    p50Ms: estimate('p50Ms'),
    p95Ms: estimate('p95Ms'),
    p99Ms: estimate('p99Ms'),
    pairsPerSecond: estimate('pairsPerSecond'),
    cpuMsPerPair: estimate('cpuMsPerPair'),
  };
};

const atRate = (perSecond: number) => {
  const by = (name: Name): Figures[] =>
    measured.filter((one) => one.name === name && one.perSecond === perSecond).map(figuresOf);
  const arrival = by('arrival');
  /** What this takes as a multiple of what arrival takes, round by round. */
  const ratioOf = (other: readonly Figures[]) =>
    estimates((kind) => other.map((one, round) => one[kind] / (arrival[round]?.[kind] ?? Number.NaN)));
  return {
    perSecond,
    designs: names.flatMap((name) => {
      const rounds = by(name);
      if (rounds.length === 0) return [];
      return [{ name, ...estimates((kind) => rounds.map((one) => one[kind])), ratio: ratioOf(rounds) }];
    }),
  };
};

const result = {
  machine: where,
  loadAfter: Number(loadavg()[0]?.toFixed(2)),
  options,
  rates: options.rates.map(atRate),
  peaks: peaks.map(figuresOf),
  rounds: measured.map(figuresOf),
  target,
};

const verdictOf = ({ low, high }: Estimate, mostMs: number): string => {
  if (high < mostMs) return 'met';
  return low >= mostMs ? 'missed' : 'not decided by this run';
};

if (options.json) {
  console.log(JSON.stringify(result, undefined, 2));
} else {
  console.log(`${describe(where)}, ${result.loadAfter} after`);
  console.log(
    `${options.rounds} rounds of ${options.seconds} s; ${options.waiting} wait besides; records: ${options.records}`,
  );
  console.log('medians over the rounds; in parentheses 95 % intervals');
  const header = ['', 'p50 ms', 'p95 ms', 'p99 ms', 'pairs/s', 'CPU ms a pair'];
  const row = (what: string, of: Record<Kind, Estimate>): string[] => [
    what,
    ...kinds.map((kind) => withInterval(of[kind], kind === 'pairsPerSecond' ? 1 : 3)),
  ];
  for (const { perSecond, designs: some } of result.rates) {
    console.log(`\n${perSecond} arrivals a second\n`);
    const rows = some.flatMap(({ name, ratio, ...figures }) => [
      row(says[name], figures),
      ...(name === 'arrival' ? [] : [row('  as a multiple', ratio)]),
    ]);
    console.log(table(header, rows));
    for (const { name, p99Ms } of some) {
      const mostMs = name === 'arrival' || name === 'redis' ? target.p99Ms[name] : undefined;
      if (perSecond === target.perSecond && mostMs !== undefined)
        console.log(`\ntarget: p99 under ${mostMs} ms ${says[name]}: ${verdictOf(p99Ms, mostMs)}`);
    }
  }
  for (const { name, perSecond, pairsPerSecond, p50Ms, p99Ms, cpuMsPerPair } of result.peaks)
    console.log(
      `\nhighest rate, ${says[name]}: ${perSecond} arrivals a second, ${pairsPerSecond.toFixed(0)} pairs/s, ` +
        `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms, ${cpuMsPerPair.toFixed(3)} ms of CPU a pair`,
    );
}
process.exit(0);
