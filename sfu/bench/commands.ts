/**
 * How many changes of rooms a node commits in a second, and how long each takes: over the store in memory and over the one in
 * Redis, by itself, beside another node, and against another node in one room. See README.md.
 */
import { loadavg } from 'node:os';
import { Child } from './lib/child.ts';
import type { Work, WorkDone } from './lib/commands-node.ts';
import { chooseOptions } from './lib/options.ts';
import { type BenchRedis, startBenchRedis } from './lib/redis.ts';
import { describe, machine, progress, progressDone, table, withInterval } from './lib/report.ts';
import { type Estimate, estimateMedian, sum } from './lib/statistics.ts';

const options = chooseOptions(
  {
    command: 'deploy/env node sfu/bench/commands.ts',
    says: [
      'Lets people in rooms give one command after the other, and counts what is committed: the rules, the engine and the store,',
      'without sockets and media. Each node is a process; the store is in memory, or in a redis-server that this starts.',
    ].join('\n'),
  },
  {
    rooms: {
      standard: 50,
      min: 2,
      max: 1000,
      says: 'rooms of each node where there are many, with one who acts in each',
    },
    work: {
      standard: 'mute',
      of: ['mute', 'join'],
      says: 'people on the stage mute and unmute themselves, or listeners come and go',
    },
    rounds: { standard: 9, min: 1, max: 50, says: 'measurements of each kind, in turns; one more before' },
    seconds: { standard: 2, min: 1, max: 10, says: 'length of a measurement' },
  },
);
// `--work` takes only these words.
const work = options.work as Work;

const where = machine();
const redis: BenchRedis = await startBenchRedis();
const openNode = async (isInRedis: boolean): Promise<Child> => {
  const [node] = await Child.start(new URL('./lib/commands-node.ts', import.meta.url));
  await node.call('open', isInRedis ? { redis: { url: redis.url, prefix: 'commands' } } : {});
  return node;
};
const memory = await openNode(false);
const first = await openNode(true);
const second = await openNode(true);

/** Which nodes work, and whether in many rooms of their own or in one that they share. */
type Kind = {
  readonly name: string;
  readonly nodes: readonly Child[];
  readonly shape: 'many' | 'one';
  /** What it is compared with. */
  readonly baseline?: string;
};

const kinds: readonly Kind[] = [
  { name: 'memory', nodes: [memory], shape: 'many' },
  { name: 'Redis', nodes: [first], shape: 'many', baseline: 'memory' },
  { name: 'Redis, two nodes at once, each', nodes: [first, second], shape: 'many', baseline: 'memory' },
  { name: 'one room: memory', nodes: [memory], shape: 'one' },
  { name: 'one room: Redis', nodes: [first], shape: 'one', baseline: 'one room: memory' },
  {
    name: 'one room: Redis, two nodes against each other, each',
    nodes: [first, second],
    shape: 'one',
    baseline: 'one room: memory',
  },
];

type Measured = {
  readonly kind: Kind;
  readonly round: number;
  readonly done: readonly WorkDone[];
  readonly redisMs: number;
};

/** Rooms for these nodes, and somebody of each node in them; then all nodes work at once. */
const measure = async ({ nodes, shape }: Kind, seconds: number): Promise<Omit<Measured, 'kind' | 'round'>> => {
  const roomsOf = new Map<Child, string[]>();
  for (const node of nodes) {
    const shared = shape === 'one' ? roomsOf.values().next().value : undefined;
    const roomIds =
      shared ?? (await node.call<string[]>('rooms', { count: shape === 'one' ? 1 : options.rooms, work }));
    roomsOf.set(node, roomIds);
    await node.call('enter', { roomIds });
  }
  const before = await redis.cpuMs();
  const done = await Promise.all(nodes.map((node) => node.call<WorkDone>('work', { work, seconds })));
  const redisMs = (await redis.cpuMs()) - before;
  for (const [node, roomIds] of roomsOf) await node.call('remove', { roomIds });
  return { done, redisMs };
};

const measured: Measured[] = [];
// The round before the first warms up what is compiled once, and is not counted.
for (let round = -1; round < options.rounds; round += 1) {
  for (const kind of round % 2 === 0 ? kinds : kinds.toReversed()) {
    progress(`round ${round + 1} of ${options.rounds}: ${kind.name}`);
    const one = await measure(kind, round < 0 ? 1 : options.seconds);
    if (round >= 0) measured.push({ ...one, kind, round });
  }
}
progressDone();
await Promise.all([memory, first, second].map((node) => node.close()));
await redis.stop();

/** Of one measurement: rates are those of one node, and times those of the node that was slower. */
const figuresOf = ({ kind, done, redisMs }: Measured) => {
  const commits = sum(done.map((one) => one.commits));
  return {
    name: kind.name,
    commitsPerSecond: sum(done.map((one) => one.commits / one.seconds)) / done.length,
    p50Ms: Math.max(...done.map(({ p50Ms }) => p50Ms)),
    p99Ms: Math.max(...done.map(({ p99Ms }) => p99Ms)),
    nodeMicroseconds: (1000 * sum(done.map(({ cpuMs }) => cpuMs))) / commits,
    redisMicroseconds: (1000 * redisMs) / commits,
    conflictsPerCommit: sum(done.map((one) => one.conflicts)) / commits,
    refused: sum(done.map((one) => one.refused)),
  };
};
type Figures = ReturnType<typeof figuresOf>;
const figureNames = [
  'commitsPerSecond',
  'p50Ms',
  'p99Ms',
  'nodeMicroseconds',
  'redisMicroseconds',
  'conflictsPerCommit',
] as const;
type FigureName = (typeof figureNames)[number];

const roundsOf = (name: string): Figures[] => measured.filter(({ kind }) => kind.name === name).map(figuresOf);

const estimates = (of: (name: FigureName) => readonly number[]): Record<FigureName, Estimate> => {
  const estimate = (name: FigureName): Estimate => estimateMedian(of(name).map((value) => [value]));
  return {
    commitsPerSecond: estimate('commitsPerSecond'),
    p50Ms: estimate('p50Ms'),
    p99Ms: estimate('p99Ms'),
    nodeMicroseconds: estimate('nodeMicroseconds'),
    redisMicroseconds: estimate('redisMicroseconds'),
    conflictsPerCommit: estimate('conflictsPerCommit'),
  };
};

const summaryOf = ({ name, baseline }: Kind) => {
  const ours = roundsOf(name);
  const theirs = baseline === undefined ? [] : roundsOf(baseline);
  const shares = theirs.map((one, round) => [(ours[round]?.commitsPerSecond ?? Number.NaN) / one.commitsPerSecond]);
  return {
    name,
    ...estimates((figure) => ours.map((one) => one[figure])),
    refused: sum(ours.map(({ refused }) => refused)),
    /** Which share of its baseline's rate it has, round by round. */
    share: shares.length > 0 ? estimateMedian(shares) : null,
  };
};

const result = {
  machine: where,
  loadAfter: Number(loadavg()[0]?.toFixed(2)),
  options,
  kinds: kinds.map(summaryOf),
  rounds: measured.map(figuresOf),
};

if (options.json) {
  console.log(JSON.stringify(result, undefined, 2));
} else {
  console.log(`${describe(where)}, ${result.loadAfter} after`);
  console.log(`${options.rounds} rounds of ${options.seconds} s; ${options.rooms} rooms of each node; work: ${work}`);
  console.log('medians over the rounds; in parentheses 95 % intervals; all figures of one node\n');
  console.log(
    table(
      ['', 'commits/s', 'of memory', 'p50 ms', 'p99 ms', 'node µs', 'Redis µs', 'conflicts', 'refused'],
      result.kinds.map((kind) => [
        kind.name,
        withInterval(kind.commitsPerSecond, 0),
        kind.share ? withInterval(kind.share, 3) : '',
        withInterval(kind.p50Ms, 3),
        withInterval(kind.p99Ms, 3),
        kind.nodeMicroseconds.value.toFixed(0),
        kind.redisMicroseconds.value.toFixed(0),
        kind.conflictsPerCommit.value.toFixed(2),
        String(kind.refused),
      ]),
    ),
  );
  console.log('\nnode µs, Redis µs: microseconds of CPU time of each for a commit; conflicts: for each commit');
}
process.exit(0);
