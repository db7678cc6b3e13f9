/**
 * What a forwarded packet costs in a room that is on two media workers, against the same room on one: the pipes between them are
 * paid for by both. See README.md.
 */
import { loadavg } from 'node:os';
import { keepOn, sayCores, sharedCores, workersOn } from './lib/cores.ts';
import { Hall, type Window } from './lib/hall.ts';
import { chooseOptions } from './lib/options.ts';
import { describe, machine, percent, progress, progressDone, table, withInterval } from './lib/report.ts';
import { startRostrum } from './lib/rostrum-side.ts';
import { type Estimate, estimateMedian } from './lib/statistics.ts';

/** A packet on two workers may cost so many times what it costs on one. */
const target = 1.05;
/** Below this share of packets delivered the figures are those of an overload. */
const fullDelivery = 0.999;

const options = chooseOptions(
  {
    command: 'deploy/env node sfu/bench/scale.ts',
    says: [
      'Measures the worker CPU time for each packet that reaches a listener, in a room whose listeners are on two media workers and in',
      'the same room on one worker; what is spent on pipes is part of it. Both servers run side by side, and their stages talk in',
      'turns; every round starts both anew. Only 127.0.0.1 sees any of the traffic.',
    ].join('\n'),
  },
  {
    workers: { standard: 2, min: 2, max: 16, says: 'workers of the larger server' },
    listeners: { standard: 200, min: 60, max: 4000, says: 'listeners of one room' },
    microphones: { standard: 4, min: 1, max: 10, says: 'people who talk all the time, 50 packets a second each' },
    rounds: { standard: 5, min: 1, max: 30, says: 'rounds, each with new processes' },
    pairs: { standard: 6, min: 1, max: 50, says: 'measurements of both in a round' },
    seconds: { standard: 2, min: 1, max: 12, says: 'length of a measurement' },
    control: { standard: false, says: 'measure one worker against one: what the benchmark is worth' },
  },
);

const where = machine();
const cores = await sharedCores();
const workers = { one: 1, more: options.control ? 1 : options.workers } as const;
type Name = keyof typeof workers;
const inOrder: readonly Name[] = ['one', 'more'];

type Open = { readonly name: Name; readonly hall: Hall; readonly spread: readonly number[]; close(): Promise<void> };

const open = async (name: Name): Promise<Open> => {
  const { microphones, listeners } = options;
  const side = await startRostrum(
    { speakers: microphones, listeners },
    {
      name: `${workers[name]} workers`,
      // Every microphone is heard by everybody.
      more: {
        ...workersOn(cores),
        WORKERS: String(workers[name]),
        LIMIT_GATE_VOICES: '30',
      },
    },
  );
  try {
    if (cores) await keepOn(side.pid, cores.rest);
    const hall = await Hall.open(side, { microphones, talking: microphones, dtx: false, probeEvery: 20, cores });
    await hall.growTo(listeners);
    const spread = (await side.workers()).map(({ people }) => people);
    return {
      name,
      hall,
      spread,
      close: async () => {
        await hall.close();
        await side.close();
      },
    };
  } catch (error) {
    await side.close();
    throw error;
  }
};

type Pair = Readonly<Record<Name, Window>>;

const measurePair = async (sides: readonly Open[]): Promise<Pair> => {
  const windows: Partial<Record<Name, Window>> = {};
  for (const { name, hall } of sides) windows[name] = await hall.measure(1000 * options.seconds);
  const { one, more } = windows;
  if (one === undefined || more === undefined) throw new Error('one side was not measured');
  return { one, more };
};

const spreads: Record<Name, (readonly number[])[]> = { one: [], more: [] };

const measureRound = async (round: number): Promise<Pair[]> => {
  const sides: Open[] = [];
  try {
    for (const name of inOrder) sides.push(await open(name));
    for (const { name, spread } of sides) spreads[name].push(spread);
    // What is slow only the first time (memory, caches) is no part of it.
    await measurePair(sides);
    const pairs: Pair[] = [];
    for (let index = 0; index < options.pairs; index += 1) {
      progress(`round ${round + 1} of ${options.rounds}, measurement ${index + 1} of ${options.pairs}`);
      pairs.push(await measurePair((index + round) % 2 === 0 ? sides : [...sides].reverse()));
    }
    return pairs;
  } finally {
    for (const side of sides) await side.close();
  }
};

const rounds: Pair[][] = [];
for (let round = 0; round < options.rounds; round += 1) rounds.push(await measureRound(round));
progressDone();

const costOf = ({ workerMs, forwarded }: Window): number => (1000 * workerMs) / forwarded;
const estimate = (of: (pair: Pair) => number): Estimate => estimateMedian(rounds.map((pairs) => pairs.map(of)));
const all = rounds.flat();

const summaryOf = (name: Name) => ({
  workers: workers[name],
  /** People on each worker, in each round. */
  spread: spreads[name],
  microsecondsPerPacket: estimate((pair) => costOf(pair[name])),
  packetsPerSecond: estimate((pair) => (1000 * pair[name].forwarded) / pair[name].ms),
  workerCores: estimate((pair) => pair[name].workerMs / pair[name].ms),
  sentOn: Math.min(...all.map((pair) => pair[name].sentOn)),
  probesArrived: Math.min(...all.map((pair) => pair[name].probesArrived)),
  latencyP99: estimate((pair) => pair[name].latency.p99),
});

const summaries = inOrder.map(summaryOf);
const ratio = estimate((pair) => costOf(pair.more) / costOf(pair.one));
const result = {
  machine: where,
  loadAfter: Number(loadavg()[0]?.toFixed(2)),
  cores,
  options,
  sides: summaries,
  ratio,
  target,
  rounds,
};

const verdict = (): string => {
  if (ratio.high <= target) return 'met';
  return ratio.low > target ? 'missed' : 'not decided by this run';
};

if (options.json) {
  console.log(JSON.stringify(result, undefined, 2));
} else {
  const { microphones, listeners, pairs, seconds } = options;
  console.log(`${describe(where)}, ${result.loadAfter} after`);
  console.log(sayCores(cores));
  console.log(
    `${microphones} microphones, ${listeners} listeners; ${rounds.length} rounds of ${pairs} pairs of ${seconds} s`,
  );
  console.log('in parentheses: 95 % intervals\n');
  console.log(
    table(
      [
        'workers',
        'people on each',
        'packets/s',
        'µs of worker CPU a packet',
        'cores',
        'left the server',
        'read',
        'p99 ms',
      ],
      summaries.map((side) => [
        String(side.workers),
        side.spread.at(-1)?.join(' + ') ?? '',
        side.packetsPerSecond.value.toFixed(0),
        withInterval(side.microsecondsPerPacket, 2),
        side.workerCores.value.toFixed(2),
        percent(side.sentOn, 3),
        percent(side.probesArrived, 3),
        side.latencyP99.value.toFixed(1),
      ]),
    ),
  );
  console.log(`\nratio ${withInterval(ratio, 3)}`);
  if (!options.control) console.log(`target: at most ${target}: ${verdict()}`);
  for (const side of summaries)
    if (side.sentOn < fullDelivery)
      console.log(`With ${side.workers} workers not everything was delivered: these are the figures of an overload.`);
}
process.exit(0);
