/**
 * What Redis adds to coming into a room: `room:join` over real sockets, answered by a server whose state is in memory and by one
 * whose state is in Redis, in turns. See README.md.
 */
import { loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { chooseOptions } from './lib/options.ts';
import { startBenchRedis } from './lib/redis.ts';
import { describe, machine, progress, progressDone, table, withInterval } from './lib/report.ts';
import { nodeEnvironment } from './lib/rostrum-process.ts';
import { type Guest, type RostrumSide, startRostrum } from './lib/rostrum-side.ts';
import { type Estimate, estimateMedian, quantile, sum } from './lib/statistics.ts';

/** Milliseconds that Redis may add to the median. */
const targetMs = 3;

const options = chooseOptions(
  {
    command: 'deploy/env node sfu/bench/join-redis.ts',
    says: [
      'Lets people whose sockets are open join a room, one at a time and many at once, and measures the time until each is answered:',
      'by a server with its state in memory, and by one with its state in a redis-server, which this starts. No media.',
    ].join('\n'),
  },
  {
    sizes: { standard: [1, 50], min: 1, max: 500, says: 'how many join at once, one size after the other' },
    joins: { standard: 100, min: 1, max: 2000, says: 'joins of each size, server and round, at least' },
    inside: { standard: 10, min: 0, max: 500, says: 'listeners who are in the room already, and are told of each' },
    rounds: { standard: 9, min: 1, max: 50, says: 'rounds, in each of which both servers take turns; one more before' },
    pause: { standard: 10, min: 0, max: 1000, says: 'milliseconds of rest before each turn' },
    control: { standard: false, says: 'measure two servers in memory: what the benchmark is worth' },
  },
);

type Name = 'memory' | 'redis';
const names: readonly Name[] = ['memory', 'redis'];
const says: Record<Name, string> = { memory: 'memory', redis: options.control ? 'memory, again' : 'Redis' };

const most = Math.max(...options.sizes);
const where = machine();
const redis = await startBenchRedis();
const room = { speakers: 1, listeners: options.inside + most };
const more = options.control ? {} : nodeEnvironment(redis, 'join', 'join-1');
const sides: Record<Name, RostrumSide> = {
  memory: await startRostrum(room, { name: says.memory }),
  redis: await startRostrum(room, { name: says.redis, more }),
};
if (!options.control && !(await redis.holds('join')))
  throw new Error('the server keeps nothing in Redis: it is no node of a cluster');

/** A room with its host and some who listen, and those who come and go. */
const fill = async (side: RostrumSide): Promise<Guest[]> => {
  await side.seat('speaker');
  for (let index = 0; index < options.inside; index += 1) await side.seat('listener');
  const guests: Guest[] = [];
  for (let index = 0; index < most; index += 1) {
    const guest = await side.guest();
    await guest.connect();
    guests.push(guest);
  }
  return guests;
};
const guests: Record<Name, Guest[]> = { memory: await fill(sides.memory), redis: await fill(sides.redis) };

/** One turn: some join at the same moment, and leave again. Answers with the milliseconds until each was answered. */
const turn = async (name: Name, size: number, first: number): Promise<number[]> => {
  const coming = Array.from({ length: size }, (_, index) => guests[name][(first + index) % most]).filter((it) => !!it);
  const { roomId } = sides[name];
  await pause(options.pause);
  const begun = performance.now();
  const times = await Promise.all(
    coming.map(async (guest) => {
      await guest.join(roomId);
      return performance.now() - begun;
    }),
  );
  await Promise.all(coming.map((guest) => guest.leaveRoom()));
  return times;
};

type Measured = { readonly times: number[]; readonly serverMs: number };
type Round = { readonly size: number; readonly of: Record<Name, Measured>; readonly redisMs: number };

/** Both servers in turns, until each has answered so many joins. In the turn of one the other rests. */
const measureRound = async (size: number, joins: number): Promise<Round> => {
  const times: Record<Name, number[]> = { memory: [], redis: [] };
  const used = { memory: await sides.memory.usage(), redis: await sides.redis.usage() };
  const redisUsed = await redis.cpuMs();
  for (let index = 0; index * size < joins; index += 1) {
    for (const name of index % 2 === 0 ? names : names.toReversed())
      times[name].push(...(await turn(name, size, index * size)));
  }
  const redisMs = (await redis.cpuMs()) - redisUsed;
  const ended = async (name: Name): Promise<Measured> => ({
    times: times[name],
    serverMs: (await sides[name].usage()).nodeMs - used[name].nodeMs,
  });
  return { size, of: { memory: await ended('memory'), redis: await ended('redis') }, redisMs };
};

const rounds: Round[] = [];
// The round before the first warms up what is compiled once, and is not counted.
for (let round = -1; round < options.rounds; round += 1) {
  for (const size of options.sizes) {
    progress(`round ${round + 1} of ${options.rounds}: ${size} at once`);
    const one = await measureRound(size, round < 0 ? Math.min(options.joins, 50) : options.joins);
    if (round >= 0) rounds.push(one);
  }
}
progressDone();
await Promise.all(Object.values(sides).map((side) => side.close()));
await redis.stop();

const estimate = (values: readonly number[]): Estimate => estimateMedian(values.map((value) => [value]));

const atSize = (size: number) => {
  const some = rounds.filter((round) => round.size === size);
  const quantiles = (name: Name, share: number) => some.map(({ of }) => quantile(of[name].times, share));
  const perJoin = (name: Name, ms: (round: Round) => number) =>
    sum(some.map(ms)) / sum(some.map(({ of }) => of[name].times.length));
  const added = (share: number): Estimate => {
    const memory = quantiles('memory', share);
    return estimate(quantiles('redis', share).map((value, round) => value - (memory[round] ?? Number.NaN)));
  };
  return {
    size,
    servers: names.map((name) => ({
      name: says[name],
      p50Ms: estimate(quantiles(name, 0.5)),
      p95Ms: estimate(quantiles(name, 0.95)),
      p99Ms: estimate(quantiles(name, 0.99)),
      serverMsPerJoin: perJoin(name, ({ of }) => of[name].serverMs),
      redisMsPerJoin: name === 'redis' ? perJoin(name, ({ redisMs }) => redisMs) : 0,
    })),
    /** What Redis adds, round by round. */
    added: { p50Ms: added(0.5), p95Ms: added(0.95), p99Ms: added(0.99) },
  };
};

const result = {
  machine: where,
  loadAfter: Number(loadavg()[0]?.toFixed(2)),
  options,
  sizes: options.sizes.map(atSize),
  targetMs,
};

const verdictOf = ({ low, high }: Estimate): string => {
  if (high <= targetMs) return 'met';
  return low > targetMs ? 'missed' : 'not decided by this run';
};

if (options.json) {
  console.log(JSON.stringify(result, undefined, 2));
} else {
  console.log(`${describe(where)}, ${result.loadAfter} after`);
  console.log(`${options.rounds} rounds of ${options.joins} joins; ${options.inside} listeners inside`);
  console.log('medians over the rounds; in parentheses 95 % intervals');
  for (const { size, servers, added } of result.sizes) {
    console.log(`\n${size === 1 ? 'one at a time' : `${size} at once`}: milliseconds until room:join is answered\n`);
    const shown = (figures: Record<'p50Ms' | 'p95Ms' | 'p99Ms', Estimate>): string[] => [
      withInterval(figures.p50Ms, 2),
      withInterval(figures.p95Ms, 2),
      withInterval(figures.p99Ms, 2),
    ];
    console.log(
      table(
        ['', 'p50', 'p95', 'p99', "CPU ms of the server's Node", 'of Redis'],
        [
          ...servers.map((server) => [
            server.name,
            ...shown(server),
            server.serverMsPerJoin.toFixed(2),
            server.redisMsPerJoin.toFixed(2),
          ]),
          ['added', ...shown(added)],
        ],
      ),
    );
    if (!options.control)
      console.log(`\ntarget: at most ${targetMs} ms added at p50, ${size} at once: ${verdictOf(added.p50Ms)}`);
  }
  console.log('\nCPU: for each who joins and leaves again');
}
process.exit(0);
