import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Where things run. What is measured has cores of its own: on a core that it shares with those who load it, it would wait for
 * them, and each would be the other's noise.
 */
export type Cores = {
  /** Cores of the media workers, as `taskset` lists them. */
  readonly workers: string;
  /** Those of the servers' Node, and of everything that makes the load. */
  readonly rest: string;
};

/** The workers on core 0 and the rest on the others; undefined where there is one core alone, or no way to choose. */
export const separateCores = async (): Promise<Cores | undefined> => {
  const cores = availableParallelism();
  if (cores < 2 || !(await canPin())) return undefined;
  return { workers: '0', rest: cores === 2 ? '1' : `1-${cores - 1}` };
};

/** As `separateCores`, with each on any core: for what measures how several workers share all of them. */
export const sharedCores = async (): Promise<Cores | undefined> => {
  const all = `0-${availableParallelism() - 1}`;
  return (await canPin()) ? { workers: all, rest: all } : undefined;
};

const canPin = async (): Promise<boolean> => {
  try {
    await run('taskset', ['-cp', String(process.pid)]);
    return true;
  } catch {
    return false;
  }
};

/** Keeps a process, with all its threads, on these cores; what it starts later inherits them. */
export const keepOn = async (pid: number, cores: string): Promise<void> => {
  await run('taskset', ['-acp', cores, String(pid)]);
};

/** Makes mediasoup start its workers on these cores: in the environment of a server. See `on-cores`. */
export const workersOn = (cores: Cores | undefined): Readonly<Record<string, string>> => {
  const worker = process.env['ROSTRUM_WORKER_BIN'];
  if (cores === undefined || worker === undefined) return {};
  const wrapper = new URL('./on-cores', import.meta.url).pathname;
  return { ROSTRUM_WORKER_BIN: wrapper, BENCH_WORKER_BIN: worker, BENCH_WORKER_CORES: cores.workers };
};

/** What a report says of it. */
export const sayCores = (cores: Cores | undefined): string =>
  cores === undefined
    ? 'on whatever core the system chose: there is only one, or no `taskset`'
    : `media workers on core ${cores.workers}; Node of the servers, and the load, on core ${cores.rest}`;
