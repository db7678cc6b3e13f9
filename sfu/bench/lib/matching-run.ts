import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Records } from '../../src/records/records.ts';
import { openSqliteRecords } from '../../src/records/sqlite/open.ts';
import { newId } from '../../src/runtime/ids.ts';
import { createRedisCallStore } from '../../src/state/redis/redis-call-store.ts';
import { arrivals, type Load, monotonicMs } from './arrivals.ts';
import { type Design, inMemory, type LiveCalls, openMatching } from './matching-parts.ts';
import { PairTimes } from './pair-times.ts';
import type { BenchRedis } from './redis.ts';

/** Who is not told within this time after the last arrival is told too late, in milliseconds. */
const patienceMs = 1000;
/** How often it is looked whether all are told, in milliseconds. */
const lookMs = 20;

export type Run = {
  readonly arrived: number;
  /** For each pair, from the arrival of the second of both until both were told, in milliseconds. */
  readonly pairMs: readonly number[];
  /** Pairs in which both were told while people arrived, by the second. */
  readonly pairsPerSecond: number;
  /** CPU time of the thread that did it, in milliseconds. */
  readonly cpuMs: number;
  /** Calls of which there is a record by then. */
  readonly recorded: number;
};

export type RunOptions = Load & {
  /** People who wait besides, and suit nobody. */
  readonly waiting: number;
  readonly records: 'file' | 'memory';
  /** Live state is in this Redis, and not in memory. */
  readonly redis?: BenchRedis;
};

/** Lets people arrive at a server of this design, all new, and measures when they are told of a match. */
export const runMatching = async (design: Design, options: RunOptions): Promise<Run> => {
  if (!options.redis) return measure(design, options, inMemory());
  const connection = await options.redis.connect(newId());
  try {
    return await measure(design, options, { store: createRedisCallStore(connection), clock: connection.clock });
  } finally {
    await connection.close();
    await options.redis.empty();
  }
};

const measure = async (design: Design, options: RunOptions, live: LiveCalls): Promise<Run> => {
  const folder = await mkdtemp(join(tmpdir(), 'rostrum-bench-'));
  const path = options.records === 'file' ? join(folder, 'records.sqlite') : ':memory:';
  const records = openSqliteRecords({ path });
  try {
    return await measureWith(design, options, { records, live });
  } finally {
    await records.close();
    await rm(folder, { recursive: true });
  }
};

const measureWith = async (
  design: Design,
  options: RunOptions,
  { records, live }: { records: Records; live: LiveCalls },
): Promise<Run> => {
  const times = new PairTimes();
  const told = (userId: string, partnerId: string): void => times.told(userId, partnerId);
  const matching = await openMatching(design, { records, told, live });
  for (let index = 0; index < options.waiting; index += 1) await matching.arriveInVain();
  const refused: unknown[] = [];
  const cpu = process.threadCpuUsage();
  await arrivals(options, (at) => {
    const userId = newId();
    times.came(userId, at);
    matching.arrive(userId).catch((error: unknown) => refused.push(error));
  });
  const pairsPerSecond = times.pairMs.length / options.seconds;
  const end = monotonicMs() + patienceMs;
  while (times.waiting > 1 && monotonicMs() < end) await setTimeout(lookMs);
  const { user, system } = process.threadCpuUsage(cpu);
  await matching.stop();
  // Where so many wait to be written that nothing more is taken, they are not recorded.
  const recorded = await records.calls.endAll(Date.now(), 'server-stopped').catch(() => 0);
  if (refused.length > 0) throw refused[0];
  return {
    arrived: times.arrived,
    pairMs: times.pairMs,
    pairsPerSecond,
    cpuMs: (user + system) / 1000,
    recorded,
  };
};
