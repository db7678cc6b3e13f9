/**
 * What one forwarded packet costs a media worker: through Rostrum and through a bare mediasoup, in turns. See README.md.
 */
import { loadavg } from 'node:os';
import { startBare } from './lib/bare-side.ts';
import { measureInTurns, Room, type Slice } from './lib/fanout-room.ts';
import { chooseOptions } from './lib/options.ts';
import { describe, machine, percent, progress, progressDone, table, withInterval } from './lib/report.ts';
import { startRostrum } from './lib/rostrum-side.ts';
import type { Side } from './lib/side.ts';
import { type Estimate, estimateMedian, median, sum } from './lib/statistics.ts';

/** A packet through Rostrum may cost so many times what it costs through a bare mediasoup. */
const target = 1.05;
/** Below this share of packets delivered, or above this share of a core, the figures are those of an overload. */
const fullDelivery = 0.99;
const saturated = 0.85;

const options = chooseOptions(
  {
    command: 'deploy/env node sfu/bench/fanout.ts',
    says: [
      'Measures the worker CPU time for each packet that a worker forwards to a listener, through Rostrum and through a bare',
      'mediasoup with the same producers, consumers and packets. Both run side by side and are loaded in turns; every round',
      'starts both anew. Only 127.0.0.1 sees any of the traffic.',
    ].join('\n'),
  },
  {
    listeners: { standard: 100, min: 1, max: 1000, says: 'listeners of one room' },
    speakers: { standard: 4, min: 1, max: 30, says: 'people who speak all the time, 50 packets a second each' },
    payload: { standard: 80, min: 10, max: 1000, says: 'bytes of Opus in a packet; 80 are 32 kbit/s' },
    rounds: { standard: 12, min: 1, max: 30, says: 'rounds, each with new processes' },
    pairs: { standard: 5, min: 1, max: 20, says: 'measurements of both sides in a round' },
    seconds: { standard: 4, min: 1, max: 20, says: 'length of a measurement, shared by both sides' },
    turn: { standard: 200, min: 40, max: 10_000, says: 'milliseconds after which the other side is loaded' },
    control: { standard: false, says: 'measure the bare mediasoup against itself: what the benchmark is worth' },
  },
);

type Name = 'first' | 'second';
type Pair = Readonly<Record<Name, Slice>>;

const names: Record<Name, string> = { first: '', second: '' };

const start = (name: Name): Promise<Side> => {
  if (name === 'second') return startBare();
  return options.control ? startBare('bare mediasoup, again') : startRostrum(options);
};

/** A round: both sides anew, then the measurements. Who is started first, and who speaks first, takes turns. */
const measureRound = async (round: number): Promise<Pair[]> => {
  const order: readonly [Name, Name] = round % 2 === 0 ? ['first', 'second'] : ['second', 'first'];
  const sides: Side[] = [];
  const rooms: Room[] = [];
  const open = async (name: Name): Promise<Room> => {
    const side = await start(name);
    sides.push(side);
    names[name] = side.name;
    const room = await Room.open(side, options);
    rooms.push(room);
    return room;
  };
  try {
    const inOrder = [await open(order[0]), await open(order[1])] as const;
    const shape = { turnMs: options.turn, durationMs: 1000 * options.seconds };
    // What is slow only the first time (memory, caches) is no part of it.
    await measureInTurns(inOrder, { ...shape, durationMs: 1000 });
    const pairs: Pair[] = [];
    for (let index = 0; index < options.pairs; index += 1) {
      progress(`round ${round + 1} of ${options.rounds}, measurement ${index + 1} of ${options.pairs}`);
      const [earlier, later] = await measureInTurns(inOrder, shape);
      pairs.push(order[0] === 'first' ? { first: earlier, second: later } : { first: later, second: earlier });
    }
    return pairs;
  } finally {
    for (const room of rooms) room.close();
    await Promise.all(sides.map((side) => side.close()));
  }
};

const costOf = ({ workerMs, forwarded }: Slice): number => (1000 * workerMs) / forwarded;

const summaryOf = (name: string, rounds: readonly (readonly Slice[])[]) => {
  const total = (of: (slice: Slice) => number) => sum(rounds.flat().map(of));
  const spokenMs = total((slice) => slice.spokenMs);
  return {
    name,
    packetsPerSecond: (1000 * total(({ forwarded }) => forwarded)) / spokenMs,
    delivered: total(({ arrived }) => arrived) / total(({ expected }) => expected),
    workerCore: total(({ workerMs }) => workerMs) / spokenMs,
    nodeCore: total(({ nodeMs }) => nodeMs) / total(({ elapsedMs }) => elapsedMs),
    microsecondsPerPacket: estimateMedian(rounds.map((slices) => slices.map(costOf))),
  };
};

const verdictOf = ({ low, high }: Estimate): string => {
  if (high <= target) return 'met';
  return low > target ? 'missed' : 'not decided by this run';
};

const where = machine();
const rounds: Pair[][] = [];
for (let round = 0; round < options.rounds; round += 1) rounds.push(await measureRound(round));
progressDone();

const ratios = rounds.map((pairs) => pairs.map(({ first, second }) => costOf(first) / costOf(second)));
const sides = (['first', 'second'] as const).map((name) =>
  summaryOf(
    names[name],
    rounds.map((pairs) => pairs.map((pair) => pair[name])),
  ),
);
const result = {
  machine: where,
  loadAfter: Number(loadavg()[0]?.toFixed(2)),
  options,
  sides,
  ratio: estimateMedian(ratios),
  ratioByRound: ratios.map(median),
  ratios,
  target,
};

if (options.json) {
  console.log(JSON.stringify(result, undefined, 2));
} else {
  const { speakers, listeners, payload, pairs, seconds, turn } = options;
  const byRound = result.ratioByRound.map((ratio) => ratio.toFixed(3)).join(' ');
  console.log(`${describe(where)}, ${result.loadAfter} after`);
  console.log(`${speakers} speakers, ${listeners} listeners, ${payload} bytes of Opus a packet`);
  console.log(`${rounds.length} rounds of ${pairs} measurements of ${seconds} s, in turns of ${turn} ms`);
  console.log('in parentheses: 95 % intervals\n');
  console.log(
    table(
      ['', 'packets/s', 'delivered', 'worker', 'µs of worker CPU a packet', 'its Node'],
      sides.map((side) => [
        side.name,
        side.packetsPerSecond.toFixed(0),
        percent(side.delivered, 2),
        percent(side.workerCore),
        withInterval(side.microsecondsPerPacket, 2),
        percent(side.nodeCore),
      ]),
    ),
  );
  console.log(`\nratio ${withInterval(result.ratio, 3)}, by round ${byRound}`);
  if (!options.control) console.log(`target: at most ${target}: ${verdictOf(result.ratio)}`);
  for (const { name, delivered, workerCore } of sides) {
    if (delivered < fullDelivery)
      console.log(`${name} did not deliver everything: these are the figures of an overload.`);
    if (workerCore > saturated)
      console.log(`The worker of ${name} was nearly full: these are the figures of an overload.`);
  }
}
// What was closed leaves no work behind, but timers that would keep this process for a while.
process.exit(0);
