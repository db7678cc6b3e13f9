import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Child, Methods } from './child.ts';
import type { Counts, Flow, Gauge, Usage, WorkerCounts } from './gauge.ts';
import { residentBytes } from './proc.ts';

/** Memory of a server, in bytes. */
export type Memory = {
  readonly node: number;
  /** What Node's objects take. */
  readonly heap: number;
  /** Of all workers together. */
  readonly workers: number;
};

/** A server in a process of its own, with what it tells of itself. */
export type Measured = {
  readonly pid: number;
  usage(): Promise<Usage>;
  packetsSent(): Promise<number>;
  /** From now on packets are counted that `flow` tells. */
  watch(): Promise<void>;
  flow(): Promise<Flow>;
  /** Transports that are open. */
  transports(): Promise<number>;
  counts(): Promise<Counts>;
  workers(): Promise<readonly WorkerCounts[]>;
  /** After Node has thrown away what nobody needs. */
  memory(): Promise<Memory>;
  close(): Promise<void>;
};

/** The server's side of it. */
export const measuredMethods = (gauge: Gauge): Methods => ({
  usage: () => gauge.usage(),
  packetsSent: () => gauge.packetsSent(),
  watch: () => gauge.watch(),
  flow: () => gauge.flow(),
  transports: () => gauge.transports,
  counts: () => gauge.counts,
  workers: () => gauge.workers(),
  memory: () => memoryWith(gauge),
});

export const measuredBy = (child: Child): Measured => ({
  pid: child.pid,
  usage: () => child.call('usage'),
  packetsSent: () => child.call('packetsSent'),
  watch: () => child.call('watch'),
  flow: () => child.call('flow'),
  transports: () => child.call('transports'),
  counts: () => child.call('counts'),
  workers: () => child.call('workers'),
  memory: () => child.call('memory'),
  close: () => child.close(),
});

const memoryWith = async (gauge: Gauge): Promise<Memory> => {
  collectGarbage();
  const workers = await Promise.all(gauge.workers().map(({ pid }) => residentBytes(pid)));
  const { rss, heapUsed } = process.memoryUsage();
  return { node: rss, heap: heapUsed, workers: workers.reduce((total, bytes) => total + bytes, 0) };
};

/** Node lets it be asked for only under this flag, which can be set while it runs. */
const collectGarbage = (): void => {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
};
