import { Redis } from 'ioredis';
import { pino } from 'pino';
import { openRedis, type RedisConnection } from '../../src/state/redis/connection.ts';
import { startRedis } from '../../test/support/redis-server.ts';

/** A redis-server of the benchmark's own, empty at first, that keeps nothing on disk. */
export type BenchRedis = {
  readonly url: string;
  /** A connection as a node has one. */
  connect(prefix: string): Promise<RedisConnection>;
  /** CPU time that the server used since it started, in milliseconds. */
  cpuMs(): Promise<number>;
  /** Whether anything is kept under this prefix. */
  holds(prefix: string): Promise<boolean>;
  /** Forgets everything. */
  empty(): Promise<void>;
  stop(): Promise<void>;
};

/** Starts a redis-server on a free port. Ends the process with a plain word where none is installed. */
export const startBenchRedis = async (): Promise<BenchRedis> => {
  const server = await startRedis().catch((error: unknown) => {
    if (!String(error).includes('ENOENT')) throw error;
    console.error('There is no redis-server on this machine: install it (`deploy/setup --tests` does), and try again.');
    process.exit(1);
  });
  // Whatever ends the benchmark ends its server: the signal is sent before this returns.
  process.once('exit', () => void server.stop());
  const raw = new Redis(server.url);
  return {
    url: server.url,
    connect: (prefix) => connectAsNode(server.url, prefix),
    cpuMs: async () => cpuMsOf(await raw.info('cpu')),
    holds: async (prefix) => (await raw.keys(`${prefix}:*`)).length > 0,
    empty: async () => {
      await raw.flushall();
    },
    stop: async () => {
      raw.disconnect();
      await server.stop();
    },
  };
};

/** A connection to a Redis as a node has one. */
export const connectAsNode = (url: string, prefix: string): Promise<RedisConnection> =>
  openRedis({ url, prefix, logger: pino({ level: 'silent' }) });

const cpuMsOf = (info: string): number =>
  ['used_cpu_user', 'used_cpu_sys']
    .map((name) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1]))
    .reduce((total, seconds) => total + 1000 * seconds, 0);
