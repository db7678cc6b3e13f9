/** What one more listener takes of memory, in the server and in its media worker: Rostrum and a bare mediasoup. See README.md. */
import { loadavg } from 'node:os';
import { startBare } from './lib/bare-side.ts';
import { keepOn, sayCores, separateCores, workersOn } from './lib/cores.ts';
import { Hall } from './lib/hall.ts';
import type { Memory } from './lib/measured.ts';
import { chooseOptions } from './lib/options.ts';
import { describe, machine, progress, progressDone, table, withInterval } from './lib/report.ts';
import { startRostrum } from './lib/rostrum-side.ts';
import type { HallSide } from './lib/side.ts';
import { fitLine } from './lib/slope.ts';
import { estimateMedian } from './lib/statistics.ts';

/** Kilobytes for one more listener, server and worker together. */
const target = 150;
const kilobyte = 1000;

const options = chooseOptions(
  {
    command: 'deploy/env node sfu/bench/memory.ts',
    says: [
      'Lets listeners into one room, some at a time, and fits a line to the memory that the server and its media worker have in use,',
      'after the garbage of Node was collected; through Rostrum, and through a bare mediasoup. Every round starts both anew. Only',
      '127.0.0.1 sees any of the traffic.',
    ].join('\n'),
  },
  {
    listeners: { standard: 600, min: 50, max: 4000, says: 'listeners in the end' },
    step: { standard: 100, min: 10, max: 1000, says: 'listeners who come between two looks' },
    microphones: { standard: 4, min: 1, max: 10, says: 'open microphones' },
    rounds: { standard: 4, min: 1, max: 20, says: 'rounds, each with new processes' },
  },
);

/** People talk for so long before each look, in milliseconds: what is allocated with the first packet is part of it. */
const talkMs = 1000;

const names = ['rostrum', 'bare'] as const;
type Name = (typeof names)[number];
const nameOf: Record<Name, string> = { rostrum: 'Rostrum', bare: 'bare mediasoup' };

const where = machine();
const cores = await separateCores();
if (cores) await keepOn(process.pid, cores.rest);

const start = async (name: Name): Promise<HallSide> => {
  const { microphones, listeners } = options;
  const more = { ...workersOn(cores) };
  const side =
    name === 'bare'
      ? await startBare(nameOf.bare, more)
      : await startRostrum({ speakers: microphones, listeners }, { name: nameOf.rostrum, more });
  if (cores) await keepOn(side.pid, cores.rest);
  return side;
};

type Look = Memory & { readonly listeners: number };

const measure = async (name: Name, round: number): Promise<Look[]> => {
  const { microphones, listeners, step } = options;
  const side = await start(name);
  try {
    const hall = await Hall.open(side, { microphones, talking: 2, dtx: true, probeEvery: 20, cores });
    try {
      const looks: Look[] = [];
      // What is allocated once is there after the first of them.
      for (let inside = step; inside <= listeners; inside += step) {
        progress(`round ${round + 1} of ${options.rounds}: ${nameOf[name]}, ${inside} listeners`);
        await hall.growTo(inside);
        await hall.talk(talkMs);
        looks.push({ listeners: inside, ...(await side.memory()) });
      }
      return looks;
    } finally {
      await hall.close();
    }
  } finally {
    await side.close();
  }
};

const rounds: Record<Name, Look[][]> = { rostrum: [], bare: [] };
for (let round = 0; round < options.rounds; round += 1)
  for (const name of round % 2 === 0 ? names : [...names].reverse()) rounds[name].push(await measure(name, round));
progressDone();

/** Kilobytes a listener, in one round. */
const slopeOf = (looks: readonly Look[], of: (memory: Memory) => number): number =>
  fitLine(looks.map((look) => [look.listeners, of(look)])).slope / kilobyte;
const both = ({ node, workers }: Memory): number => node + workers;

const summaryOf = (name: Name) => {
  const estimate = (of: (memory: Memory) => number) =>
    estimateMedian(rounds[name].map((looks) => [slopeOf(looks, of)]));
  return {
    name: nameOf[name],
    node: estimate(({ node }) => node),
    heap: estimate(({ heap }) => heap),
    workers: estimate(({ workers }) => workers),
    both: estimate(both),
  };
};

const sides = names.map(summaryOf);
const ratio = estimateMedian(
  rounds.rostrum.map((looks, round) => [slopeOf(looks, both) / slopeOf(rounds.bare[round] ?? [], both)]),
);
const result = {
  machine: where,
  loadAfter: Number(loadavg()[0]?.toFixed(2)),
  cores,
  options,
  sides,
  ratio,
  target,
  rounds,
};

if (options.json) {
  console.log(JSON.stringify(result, undefined, 2));
} else {
  console.log(`${describe(where)}, ${result.loadAfter} after`);
  console.log(sayCores(cores));
  console.log(
    `${options.microphones} microphones; ${options.rounds} rounds, ${options.step} to ${options.listeners} listeners in each`,
  );
  console.log('kilobytes for each listener; in parentheses: 95 % intervals\n');
  console.log(
    table(
      ['', 'Node', 'of it objects', 'worker', 'together'],
      sides.map(({ name, node, heap, workers, both: together }) => [
        name,
        ...[node, heap, workers, together].map((estimate) => withInterval(estimate, 1)),
      ]),
    ),
  );
  console.log(`\nratio ${withInterval(ratio, 2)}`);
  const rostrum = sides[0]?.both;
  if (rostrum)
    console.log(`target: at most ${target} kB: ${rostrum.high <= target ? 'met' : 'missed, or not decided'}`);
}
process.exit(0);
