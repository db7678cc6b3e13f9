import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeAll, vi } from 'vitest';
import { newId } from '../../src/runtime/ids.ts';
import { openRedis, type RedisConnection } from '../../src/state/redis/connection.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import type { SuiteClock } from './suite-clock.ts';

/** A connection under a prefix of its own, unless another is given. */
export const connect = (
  server: Pick<RedisServer, 'url'>,
  {
    prefix = newId(),
    answerMs = 5000,
    restoreMs = 500,
  }: { prefix?: string; answerMs?: number; restoreMs?: number } = {},
): Promise<RedisConnection> =>
  openRedis({ url: server.url, prefix, answerMs, restoreMs, logger: pino({ level: 'silent' }) });

/** Begins anew on a Redis that came back empty, with nothing to write back. */
export const openAnew = async ({ epochs }: RedisConnection): Promise<void> => {
  for (;;) {
    const epoch = await vi.waitFor(() => epochs.present(), { timeout: 15_000, interval: 20 });
    if (!epoch) await epochs.begin();
    else if (epoch.state === 'open') return epochs.adopt(epoch);
    else if (!(await epochs.open(epoch))) await delay(20);
  }
};

/** How far the clock of a connection may be off here, where Redis is on the same machine, in milliseconds. */
const errorMs = 5;

/** The time of Redis, which passes by itself. */
export const redisSuiteClock = ({ clock }: RedisConnection): SuiteClock => ({
  earliest: () => clock.now() - errorMs,
  latest: () => clock.now() + errorMs,
  until: async (at) => {
    while (clock.now() - errorMs < at) await delay(Math.max(1, at - clock.now()));
  },
  // A machine that has much to do takes its time even for one command.
  slackMs: 2000,
  pace: 0.02,
});

export type TestRedis = {
  readonly server: RedisServer;
  /** Runs a test under a prefix of its own, with this many connections, as many nodes would have. */
  withNodes(count: number, test: (nodes: RedisConnection[], prefix: string) => Promise<void>): Promise<void>;
  /** Redis as it is. */
  readonly raw: Redis;
  /** The keys under a prefix, but for the epoch, which stays. */
  keys(prefix: string): Promise<string[]>;
  /** Those of them that would stay for ever. */
  lastingKeys(prefix: string): Promise<string[]>;
};

/** One redis-server for all tests of a file. */
export const redisForTests = (): TestRedis => {
  let server: RedisServer;
  let raw: Redis;
  beforeAll(async () => {
    server = await startRedis();
    raw = new Redis(server.url);
  });
  afterAll(async () => {
    raw.disconnect();
    await server.stop();
  });
  const keys = async (prefix: string): Promise<string[]> =>
    (await raw.keys(`${prefix}:*`)).filter((key) => key !== `${prefix}:epoch`);
  return {
    get server() {
      return server;
    },
    get raw() {
      return raw;
    },
    keys,
    lastingKeys: async (prefix) => {
      const all = await keys(prefix);
      const ttls = await Promise.all(all.map((key) => raw.pttl(key)));
      return all.filter((_, index) => ttls[index] === -1);
    },
    withNodes: async (count, test) => {
      const prefix = newId();
      const nodes = await Promise.all(Array.from({ length: count }, () => connect(server, { prefix })));
      try {
        await test(nodes, prefix);
      } finally {
        await Promise.all(nodes.map((node) => node.close()));
      }
    },
  };
};

/** One of them, where a test cannot go on without it. */
export const given = <Value>(values: readonly (Value | undefined)[], index = 0): Value => {
  const value = values[index];
  if (value === undefined) throw new Error('it is there');
  return value;
};
