/**
 * How soon an event of a room reaches everybody in it: on one node with its state in memory, on one with its state in Redis, and
 * with the same people spread over three. See README.md.
 */
import { loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { monotonicMs } from './lib/arrivals.ts';
import { Child } from './lib/child.ts';
import type { Receipts } from './lib/crowd.ts';
import type { Usage } from './lib/gauge.ts';
import { chooseOptions } from './lib/options.ts';
import { startBenchRedis } from './lib/redis.ts';
import { describe, machine, progress, progressDone, table, withInterval } from './lib/report.ts';
import { type Cluster, startCluster, startRostrumProcess } from './lib/rostrum-process.ts';
import { Guest, openRoom } from './lib/rostrum-side.ts';
import { type Estimate, estimateMedian, median, quantile, sum } from './lib/statistics.ts';

/** Milliseconds within which an event has reached 99 of 100. */
const targetMs = 50;
/** Longest that an event is waited for, in milliseconds; whom it has not reached by then it has missed. */
const patienceMs = 5000;
/** People who sit down between two words of progress. */
const sitAtOnce = 100;

const options = chooseOptions(
  {
    command: 'deploy/env node sfu/bench/broadcast.ts',
    says: [
      'Fills a room with listeners, lets its host mute and unmute themselves, and measures the time from the command until the event',
      'reaches the socket of each: on one node in memory, on one over a redis-server (which this starts), and spread over several.',
      'The listeners are raw WebSockets in one process of their own. What they and the system take by themselves is measured too:',
      'a process that writes the same bytes to as many sockets, and does nothing else.',
    ].join('\n'),
  },
  {
    people: { standard: 1000, min: 2, max: 5000, says: 'listeners of each room' },
    nodes: { standard: 3, min: 2, max: 5, says: 'nodes over which they are spread' },
    events: { standard: 20, min: 1, max: 500, says: 'events of each kind in a round, in turns' },
    rounds: { standard: 9, min: 1, max: 50, says: 'rounds; one more before' },
    pause: { standard: 30, min: 0, max: 1000, says: 'milliseconds of rest after each event' },
    'without-redis': { standard: false, says: 'measure one node in memory alone' },
  },
);

/** A way in which an event reaches everybody. */
type Way = {
  readonly name: string;
  /** Whether it is Rostrum's. */
  readonly isServer: boolean;
  /** Causes the event. */
  send(): Promise<void>;
  /** CPU time of all its nodes since they started, in milliseconds. */
  nodeMs(): Promise<number>;
  close(): Promise<void>;
};

/** What is in the event, and in no other one. */
const mutedText = '"room:participant-changed"';
/** Nobody is found to be gone while they listen; a thousand pings every five seconds would be measured too. */
const calm = { LIMIT_PING_INTERVAL_MS: '60000', LIMIT_PING_TIMEOUT_MS: '60000' };

const where = machine();
const [crowd] = await Child.start(new URL('./lib/crowd.ts', import.meta.url));
const redis = options['without-redis'] ? undefined : await startBenchRedis();

/** A room with its host at the first node, and everybody else at each node in turn. */
const openWay = async (name: string, cluster: Cluster): Promise<Way> => {
  const { nodes } = cluster;
  const urls = nodes.map(({ url }) => url);
  const host = await Guest.signIn(urls[0] ?? '');
  const roomId = await openRoom(host, { speakers: 1, listeners: options.people });
  await host.connect();
  await host.join(roomId);
  let isMuted = false;
  for (const [index, url] of urls.entries()) {
    let left = Math.ceil((options.people - index) / urls.length);
    for (; left > 0; left -= sitAtOnce) {
      progress(`${name}: ${left} are still to sit down at node ${index + 1}`);
      await crowd.call('sit', { url, roomId, count: Math.min(left, sitAtOnce) });
    }
  }
  return {
    name,
    isServer: true,
    send: () => {
      isMuted = !isMuted;
      return host.mute(isMuted);
    },
    nodeMs: async () => sum((await Promise.all(nodes.map((node) => node.usage()))).map(({ nodeMs }) => nodeMs)),
    close: () => cluster.close(),
  };
};

/** A process that sends the same bytes, to as many, and does nothing else. */
const openBare = async (text: string): Promise<Way> => {
  const [server, { port }] = await Child.start<{ port: number }>(new URL('./lib/crowd-server.ts', import.meta.url));
  await crowd.call('listen', { port, count: options.people });
  return {
    name: 'the same bytes, nothing else',
    isServer: false,
    send: () => server.call('send', { text }),
    nodeMs: async () => (await server.call<Usage>('usage')).nodeMs,
    close: () => server.close(),
  };
};

/** One event: the milliseconds from the command until it reached each whom it reached. */
type Told = { readonly ms: readonly number[]; readonly text: string; readonly clientsMs: number };

const tell = async ({ send }: Way): Promise<Told> => {
  await crowd.call('watch', { text: mutedText, people: options.people });
  const begun = monotonicMs();
  const [receipts] = await Promise.all([crowd.call<Receipts>('receipts', { patienceMs }), send()]);
  await pause(options.pause);
  return { ms: receipts.at.map((at) => at - begun), text: receipts.text, clientsMs: receipts.cpuMs };
};

const ways: Way[] = [];
const alone = await startRostrumProcess(calm);
ways.push(await openWay('one node, memory', { nodes: [alone], close: () => alone.close() }));
if (redis) {
  for (const [name, count] of [
    ['one', 1],
    ['several', options.nodes],
  ] as const) {
    const cluster = await startCluster(redis, { name: `broadcast-${name}`, count, more: calm });
    ways.push(await openWay(count === 1 ? 'one node, Redis' : `${count} nodes, Redis`, cluster));
  }
}
for (const way of ways.slice(0, 1)) ways.push(await openBare((await tell(way)).text));

type Measured = { readonly way: Way; readonly events: readonly Told[]; readonly nodeMs: number };

/** All ways in turns, event by event. In the turn of one the others rest. */
const measureRound = async (events: number): Promise<Measured[]> => {
  const told = ways.map((way) => ({ way, events: [] as Told[] }));
  const before = await Promise.all(ways.map((way) => way.nodeMs()));
  for (let index = 0; index < events; index += 1)
    for (const one of index % 2 === 0 ? told : told.toReversed()) one.events.push(await tell(one.way));
  const after = await Promise.all(ways.map((way) => way.nodeMs()));
  return told.map((one, index) => ({ ...one, nodeMs: (after[index] ?? Number.NaN) - (before[index] ?? Number.NaN) }));
};

const rounds: Measured[][] = [];
// The round before the first warms up what is compiled once, and is not counted.
for (let round = -1; round < options.rounds; round += 1) {
  progress(`round ${round + 1} of ${options.rounds}`);
  const one = await measureRound(options.events);
  if (round >= 0) rounds.push(one);
}
progressDone();
await crowd.close();
await Promise.all(ways.map((way) => way.close()));
await redis?.stop();

const figuresOf = ({ events, nodeMs }: Measured) => {
  const ms = events.flatMap((event) => event.ms);
  return {
    p50Ms: quantile(ms, 0.5),
    p99Ms: quantile(ms, 0.99),
    /** Until it has reached the last one: the median event. */
    lastMs: median(events.map((event) => quantile(event.ms, 1))),
    nodeMsPerEvent: nodeMs / events.length,
    clientsMsPerEvent: sum(events.map(({ clientsMs }) => clientsMs)) / events.length,
    missed: events.length * options.people - ms.length,
  };
};
type Figures = ReturnType<typeof figuresOf>;

const summaryOf = (way: Way) => {
  const some = rounds
    .flat()
    .filter((one) => one.way === way)
    .map(figuresOf);
  const estimate = (of: (figures: Figures) => number): Estimate => estimateMedian(some.map((one) => [of(one)]));
  return {
    name: way.name,
    p50Ms: estimate(({ p50Ms }) => p50Ms),
    p99Ms: estimate(({ p99Ms }) => p99Ms),
    lastMs: estimate(({ lastMs }) => lastMs),
    nodeMsPerEvent: estimate(({ nodeMsPerEvent }) => nodeMsPerEvent),
    clientsMsPerEvent: estimate(({ clientsMsPerEvent }) => clientsMsPerEvent),
    missed: sum(some.map(({ missed }) => missed)),
    isServer: way.isServer,
  };
};

const result = {
  machine: where,
  loadAfter: Number(loadavg()[0]?.toFixed(2)),
  options,
  ways: ways.map(summaryOf),
  rounds: rounds.map((round) => round.map((one) => ({ name: one.way.name, ...figuresOf(one) }))),
  targetMs,
};

const verdictOf = ({ low, high }: Estimate): string => {
  if (high < targetMs) return 'met';
  return low >= targetMs ? 'missed' : 'not decided by this run';
};

if (options.json) {
  console.log(JSON.stringify(result, undefined, 2));
} else {
  const { people, events } = options;
  console.log(`${describe(where)}, ${result.loadAfter} after`);
  console.log(`${rounds.length} rounds of ${events} events to ${people} sockets`);
  console.log('milliseconds from the command; medians over the rounds; in parentheses 95 % intervals\n');
  console.log(
    table(
      ['', 'p50', 'p99', 'the last one', "CPU ms of the nodes' Node", 'of the clients', 'missed'],
      result.ways.map((way) => [
        way.name,
        withInterval(way.p50Ms, 1),
        withInterval(way.p99Ms, 1),
        withInterval(way.lastMs, 1),
        withInterval(way.nodeMsPerEvent, 1),
        withInterval(way.clientsMsPerEvent, 1),
        String(way.missed),
      ]),
    ),
  );
  console.log('\nCPU: for each event');
  for (const { name, p99Ms, isServer } of result.ways)
    if (isServer) console.log(`target: p99 under ${targetMs} ms, ${name}: ${verdictOf(p99Ms)}`);
}
process.exit(0);
