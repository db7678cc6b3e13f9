/** What a hundred rooms at once take of one node, against as many routers of a bare mediasoup, in turns. See README.md. */
import { loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { startBare } from './lib/bare-side.ts';
import { keepOn, sayCores, separateCores, workersOn } from './lib/cores.ts';
import type { Usage } from './lib/gauge.ts';
import { bareRooms, type ManyRooms, rostrumRooms } from './lib/many-rooms.ts';
import type { Memory } from './lib/measured.ts';
import { chooseOptions } from './lib/options.ts';
import { describe, machine, percent, progress, progressDone, table, withInterval } from './lib/report.ts';
import { startRostrumProcess } from './lib/rostrum-process.ts';
import { type Estimate, estimateMedian } from './lib/statistics.ts';

const options = chooseOptions(
  {
    command: 'deploy/env node sfu/bench/rooms.ts',
    says: [
      'Opens many rooms on one server and as many routers on a bare mediasoup, with the same people; in each one person talks at a',
      'time, as people do. Both talk in turns. Only 127.0.0.1 sees any of the traffic.',
    ].join('\n'),
  },
  {
    rooms: { standard: 100, min: 1, max: 500, says: 'rooms' },
    speakers: { standard: 3, min: 1, max: 10, says: 'people with an open microphone in each' },
    listeners: { standard: 7, min: 1, max: 40, says: 'people who only listen in each' },
    pairs: { standard: 12, min: 1, max: 100, says: 'measurements of both' },
    seconds: { standard: 4, min: 1, max: 30, says: 'length of a measurement' },
    workers: { standard: 1, min: 1, max: 16, says: 'media workers of Rostrum' },
  },
);

/** Below this share of packets delivered the figures are those of an overload. */
const fullDelivery = 0.999;
/** Time for what is on its way to arrive, in milliseconds. */
const settleMs = 300;

type Window = Usage & {
  readonly ms: number;
  readonly loadMs: number;
  readonly sent: number;
  readonly received: number;
  readonly forwarded: number;
  /** The share of what microphones sent that left the server for whom it was meant for, and that arrived there. */
  readonly sentOn: number;
  readonly arrived: number;
  /** Datagrams of microphones that found the worker's socket full. */
  readonly lostAtWorker: number;
};

const where = machine();
const cores = await separateCores();
if (cores) await keepOn(process.pid, cores.rest);

const server = await startRostrumProcess({ ...workersOn(cores), WORKERS: String(options.workers) });
const bare = await startBare('bare mediasoup', workersOn(cores));
if (cores) for (const { pid } of [server, bare]) await keepOn(pid, cores.rest);

type Name = ManyRooms['name'];
const empty: Record<Name, Memory> = { Rostrum: await server.memory(), 'bare mediasoup': await bare.memory() };
progress(`${options.rooms} rooms are opened`);
const sides = [await rostrumRooms(server, options), await bareRooms(bare, options)] as const;
const filled: Record<Name, Memory> = { Rostrum: await server.memory(), 'bare mediasoup': await bare.memory() };

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const measure = async (side: ManyRooms): Promise<Window> => {
  await side.server.watch();
  const lostBefore = await side.lostAtWorker();
  const before = { sent: side.sent(), received: side.received(), usage: await side.server.usage(), load: cpuMs() };
  const begun = performance.now();
  side.start();
  await pause(1000 * options.seconds);
  side.stop();
  const ms = performance.now() - begun;
  await pause(settleMs);
  const usage = await side.server.usage();
  const loadMs = cpuMs() - before.load;
  const { received, forwarded, expected, relayed, relayReceived } = await side.server.flow();
  const sent = side.sent() - before.sent;
  return {
    ms,
    loadMs,
    nodeMs: usage.nodeMs - before.usage.nodeMs,
    workerMs: usage.workerMs - before.usage.workerMs,
    sent,
    received: side.received() - before.received,
    forwarded,
    sentOn: (received / sent) * (relayed === 0 ? 1 : relayReceived / relayed) * (forwarded / expected),
    arrived: (side.received() - before.received) / forwarded,
    lostAtWorker: (await side.lostAtWorker()) - lostBefore,
  };
};

const windows: Record<Name, Window[]> = { Rostrum: [], 'bare mediasoup': [] };
for (let pair = -1; pair < options.pairs; pair += 1) {
  progress(`measurement ${pair + 1} of ${options.pairs}`);
  for (const side of pair % 2 === 0 ? sides : [...sides].reverse()) {
    const window = await measure(side);
    // The first warms up what is compiled and allocated once.
    if (pair >= 0) windows[side.name].push(window);
  }
}
progressDone();
const latencyOf = ({ latency }: ManyRooms) => latency.summary();
const latencies = { Rostrum: latencyOf(sides[0]), 'bare mediasoup': latencyOf(sides[1]) };
const counts = await server.counts();
for (const side of sides) await side.close();
await Promise.all([server.close(), bare.close()]);

const estimate = (name: Name, of: (window: Window) => number): Estimate => estimateMedian([windows[name].map(of)]);
const megabyte = 1_000_000;
const grown = (name: Name, of: (memory: Memory) => number): number => (of(filled[name]) - of(empty[name])) / megabyte;

const summaryOf = (name: Name) => ({
  name,
  packetsPerSecond: estimate(name, ({ forwarded, ms }) => (1000 * forwarded) / ms),
  sentOn: Math.min(...windows[name].map(({ sentOn }) => sentOn)),
  arrived: Math.min(...windows[name].map(({ arrived }) => arrived)),
  lostAtWorker: windows[name].reduce((total, { lostAtWorker }) => total + lostAtWorker, 0),
  workerCore: estimate(name, ({ workerMs, ms }) => workerMs / ms),
  nodeCore: estimate(name, ({ nodeMs, ms }) => nodeMs / ms),
  loadCore: estimate(name, ({ loadMs, ms }) => loadMs / ms),
  microsecondsPerPacket: estimate(name, ({ workerMs, forwarded }) => (1000 * workerMs) / forwarded),
  megabytes: { node: grown(name, ({ node }) => node), workers: grown(name, ({ workers }) => workers) },
  latency: latencies[name],
});

const summaries = sides.map(({ name }) => summaryOf(name));
const costOf = (window: Window | undefined): number =>
  window === undefined ? Number.NaN : window.workerMs / window.forwarded;
const ratio = estimateMedian([
  windows.Rostrum.map((window, pair) => costOf(window) / costOf(windows['bare mediasoup'][pair])),
]);
const result = {
  machine: where,
  loadAfter: Number(loadavg()[0]?.toFixed(2)),
  cores,
  options,
  counts,
  sides: summaries,
  ratio,
  windows,
};

if (options.json) {
  console.log(JSON.stringify(result, undefined, 2));
} else {
  console.log(`${describe(where)}, ${result.loadAfter} after`);
  console.log(sayCores(cores));
  console.log(
    `${options.rooms} rooms with ${options.speakers} microphones and ${options.listeners} listeners each; ` +
      `${options.pairs} pairs of ${options.seconds} s`,
  );
  console.log('in parentheses: 95 % intervals\n');
  console.log(
    table(
      ['', 'packets/s', 'left the server', 'read', 'worker', 'its Node', 'load', 'µs a packet', 'MB Node', 'MB worker'],
      summaries.map((side) => [
        side.name,
        side.packetsPerSecond.value.toFixed(0),
        percent(side.sentOn, 3),
        percent(side.arrived, 3),
        percent(side.workerCore.value),
        percent(side.nodeCore.value),
        percent(side.loadCore.value),
        withInterval(side.microsecondsPerPacket, 2),
        side.megabytes.node.toFixed(0),
        side.megabytes.workers.toFixed(0),
      ]),
    ),
  );
  console.log('\nfrom mouth to listener in milliseconds, the 20 that a packet holds included\n');
  console.log(
    table(
      ['', 'p50', 'p95', 'p99', 'longest'],
      summaries.map(({ name, latency: { p50, p95, p99, max } }) => [
        name,
        ...[p50, p95, p99, max].map((ms) => ms?.toFixed(1) ?? ''),
      ]),
    ),
  );
  for (const { name, lostAtWorker, sentOn } of summaries)
    if (sentOn < fullDelivery)
      console.log(
        `\n${name} did not deliver everything (${lostAtWorker} packets found its socket full): these are the figures of an overload.`,
      );
  console.log(`\nCPU time of the worker for a packet: ${withInterval(ratio, 3)} times that of a bare mediasoup`);
}
process.exit(0);
