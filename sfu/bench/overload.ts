/**
 * What people inside a full room notice of a crowd that wants in as well, and how soon that crowd is told that there is no room.
 * See README.md.
 */
import { loadavg } from 'node:os';
import { keepOn, sayCores, separateCores, workersOn } from './lib/cores.ts';
import { Crowd, type Knocks } from './lib/crowd-knocking.ts';
import { Hall, type Window } from './lib/hall.ts';
import { chooseOptions } from './lib/options.ts';
import { Refused } from './lib/refused.ts';
import { describe, machine, percent, progress, progressDone, table, withInterval } from './lib/report.ts';
import { startRostrum } from './lib/rostrum-side.ts';
import { type Estimate, estimateMedian, quantile } from './lib/statistics.ts';

/** 99 of 100 refusals are answered within so many milliseconds. */
const target = 100;
/** Nobody more gets in when so many tries in a row were refused, with a pause between them, in milliseconds. */
const full = { tries: 3, pauseMs: 1500 };

const options = chooseOptions(
  {
    command: 'deploy/env node sfu/bench/overload.ts',
    says: [
      'Fills one media worker until it takes nobody more, and then lets a crowd try to get in, in every second measurement: what of',
      'the audio reaches those inside with and without the crowd, and how long the refusals take. Only 127.0.0.1 sees any of the',
      'traffic.',
    ].join('\n'),
  },
  {
    packets: {
      standard: 80_000,
      min: 1000,
      max: 10_000_000,
      says: 'LIMIT_PACKETS_PER_WORKER: what the worker is taken for',
    },
    most: { standard: 1500, min: 10, max: 9000, says: 'listeners inside at most' },
    crowd: { standard: 500, min: 1, max: 2000, says: 'people who try to get in' },
    microphones: {
      standard: 4,
      min: 1,
      max: 10,
      says: 'people inside who talk all the time, 50 packets a second each',
    },
    rounds: { standard: 4, min: 1, max: 20, says: 'rounds, each with new processes' },
    pairs: { standard: 4, min: 1, max: 20, says: 'measurements with and without the crowd in a round' },
    seconds: {
      standard: 5,
      min: 2,
      max: 12,
      says: 'length of a measurement, in which everybody of the crowd tries once',
    },
  },
);

const where = machine();
const cores = await separateCores();
if (cores) await keepOn(process.pid, cores.rest);

type Pair = { readonly calm: Window; readonly crowded: Window; readonly knocks: Knocks };

/** Lets people in until the server says that it is full; while they talk it learns what its worker can do. */
const fill = async (hall: Hall): Promise<void> => {
  let refused = 0;
  while (refused < full.tries && hall.listeners < options.most) {
    try {
      await hall.growTo(Math.min(options.most, hall.listeners + 50));
      refused = 0;
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== 'node_full') throw error;
      refused += 1;
    }
    await hall.talk(full.pauseMs);
  }
};

const measurePair = async (hall: Hall, crowd: Crowd, crowdFirst: boolean): Promise<Pair> => {
  const ms = 1000 * options.seconds;
  const calm = () => hall.measure(ms);
  const crowded = async () => {
    const knocking = crowd.knock(ms);
    return [await hall.measure(ms), await knocking] as const;
  };
  const before = crowdFirst ? undefined : await calm();
  const [window, knocks] = await crowded();
  return { calm: before ?? (await calm()), crowded: window, knocks };
};

const measureRound = async (round: number): Promise<Pair[]> => {
  const { microphones, most, packets } = options;
  const more = { ...workersOn(cores), LIMIT_PACKETS_PER_WORKER: String(packets), LIMIT_WORKER_CPU_PERCENT: '85' };
  const side = await startRostrum({ speakers: microphones, listeners: most + options.crowd }, { more });
  const crowd = new Crowd();
  try {
    if (cores) await keepOn(side.pid, cores.rest);
    const hall = await Hall.open(side, { microphones, talking: microphones, dtx: false, probeEvery: 10, cores });
    try {
      progress(`round ${round + 1} of ${options.rounds}: people come in`);
      await fill(hall);
      await crowd.gather(side, options.crowd);
      const pairs: Pair[] = [];
      for (let index = 0; index < options.pairs; index += 1) {
        progress(`round ${round + 1} of ${options.rounds}: ${hall.listeners} inside, measurement ${index + 1}`);
        pairs.push(await measurePair(hall, crowd, (index + round) % 2 === 1));
      }
      return pairs;
    } finally {
      await hall.close();
    }
  } finally {
    crowd.close();
    await side.close();
  }
};

const rounds: Pair[][] = [];
for (let round = 0; round < options.rounds; round += 1) rounds.push(await measureRound(round));
progressDone();

const all = rounds.flat();
const estimate = (of: (pair: Pair) => number): Estimate => estimateMedian(rounds.map((pairs) => pairs.map(of)));
const refusals = all.flatMap(({ knocks }) => knocks.refusedMs);
const summaryOf = (which: 'calm' | 'crowded') => ({
  listeners: estimate((pair) => pair[which].listeners),
  sentOn: estimate((pair) => pair[which].sentOn),
  arrived: estimate((pair) => pair[which].arrived),
  probesArrived: estimate((pair) => pair[which].probesArrived),
  latencyP50: estimate((pair) => pair[which].latency.p50),
  latencyP99: estimate((pair) => pair[which].latency.p99),
  workerCore: estimate((pair) => pair[which].workerMs / pair[which].ms),
  restCore: estimate((pair) => (pair[which].nodeMs + pair[which].loadMs) / pair[which].ms),
});
const result = {
  machine: where,
  loadAfter: Number(loadavg()[0]?.toFixed(2)),
  cores,
  options,
  calm: summaryOf('calm'),
  crowded: summaryOf('crowded'),
  /** What reached those inside with the crowd, for what did without. */
  deliveryRatio: estimate(
    ({ calm, crowded }) => (crowded.sentOn * crowded.probesArrived) / (calm.sentOn * calm.probesArrived),
  ),
  latencyP99Ratio: estimate(({ calm, crowded }) => crowded.latency.p99 / calm.latency.p99),
  refusalMs: {
    count: refusals.length,
    p50: estimate(({ knocks }) => quantile(knocks.refusedMs, 0.5)),
    p99: estimate(({ knocks }) => quantile(knocks.refusedMs, 0.99)),
    max: Math.max(...refusals),
  },
  /** Places that came free, as the server takes its worker for more than before. */
  letIn: all.reduce((total, { knocks }) => total + knocks.letIn, 0),
  otherwise: [...new Set(all.flatMap(({ knocks }) => knocks.otherwise))],
  target,
  rounds,
};

if (options.json) {
  console.log(JSON.stringify(result, undefined, 2));
} else {
  const { deliveryRatio, latencyP99Ratio, refusalMs, letIn, otherwise } = result;
  console.log(`${describe(where)}, ${result.loadAfter} after`);
  console.log(sayCores(cores));
  console.log(
    `${options.microphones} microphones; ${options.crowd} try to get in within ${options.seconds} s; ` +
      `${options.rounds} rounds of ${options.pairs} pairs`,
  );
  console.log('in parentheses: 95 % intervals\n');
  console.log(
    table(
      ['', 'inside', 'left the server', 'arrived', 'read', 'from mouth p50', 'p99 ms', 'worker', 'the rest'],
      (['calm', 'crowded'] as const).map((which) => {
        const { listeners, sentOn, arrived, probesArrived, ...side } = result[which];
        return [
          { calm: 'nobody at the door', crowded: 'a crowd at the door' }[which],
          listeners.value.toFixed(0),
          percent(sentOn.value, 3),
          percent(arrived.value, 2),
          percent(probesArrived.value, 3),
          withInterval(side.latencyP50, 1),
          withInterval(side.latencyP99, 1),
          percent(side.workerCore.value),
          percent(side.restCore.value),
        ];
      }),
    ),
  );
  console.log(`\nwhat reached those inside, with the crowd for without: ${withInterval(deliveryRatio, 5)}`);
  console.log(`the latency that 99 of 100 packets stay under: ${withInterval(latencyP99Ratio, 2)}`);
  console.log(
    `${refusalMs.count} refusals: p50 ${withInterval(refusalMs.p50, 1)} ms, p99 ${withInterval(refusalMs.p99, 1)} ms, ` +
      `at most ${refusalMs.max.toFixed(1)} ms; ${letIn} were let in after all`,
  );
  console.log(`target: p99 under ${target} ms: ${refusalMs.p99.high < target ? 'met' : 'missed, or not decided'}`);
  if (otherwise.length > 0) console.log(`refused for another reason: ${otherwise.join(' ')}`);
}
process.exit(0);
