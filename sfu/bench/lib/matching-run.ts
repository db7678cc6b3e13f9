import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Records } from '../../src/records/records.ts';
import { openSqliteRecords } from '../../src/records/sqlite/open.ts';
import { newId } from '../../src/runtime/ids.ts';
import { arrivals, type Load, monotonicMs } from './arrivals.ts';
import { type Design, openMatching } from './matching-parts.ts';
import { PairTimes } from './pair-times.ts';

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
};

export type RunOptions = Load & {
  /** People who wait besides, and suit nobody. */
  readonly waiting: number;
  readonly records: 'file' | 'memory';
};

/** Lets people arrive at a server of this design, all new, and measures when they are told of a match. */
export const runMatching = async (design: Design, options: RunOptions): Promise<Run> => {
  const folder = await mkdtemp(join(tmpdir(), 'rostrum-bench-'));
  const path = options.records === 'file' ? join(folder, 'records.sqlite') : ':memory:';
  const records = openSqliteRecords({ path });
  try {
    return await measure(design, options, records);
  } finally {
    await records.close();
    await rm(folder, { recursive: true });
  }
};

const measure = async (design: Design, options: RunOptions, records: Records): Promise<Run> => {
  const times = new PairTimes();
  const matching = await openMatching(design, { records, told: (userId, partnerId) => times.told(userId, partnerId) });
  for (let index = 0; index < options.waiting; index += 1) await matching.arriveInVain();
  const failures: unknown[] = [];
  const cpu = process.threadCpuUsage();
  await arrivals(options, (at) => {
    const userId = newId();
    times.came(userId, at);
    matching.arrive(userId).catch((error: unknown) => failures.push(error));
  });
  const pairsPerSecond = times.pairMs.length / options.seconds;
  const end = monotonicMs() + patienceMs;
  while (times.waiting > 1 && monotonicMs() < end) await setTimeout(lookMs);
  const { user, system } = process.threadCpuUsage(cpu);
  await matching.stop();
  if (failures.length > 0) throw failures[0];
  return { arrived: times.arrived, pairMs: times.pairMs, pairsPerSecond, cpuMs: (user + system) / 1000 };
};
