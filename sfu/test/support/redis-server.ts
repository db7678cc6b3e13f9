import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';

export type RedisServerOptions = {
  /** More options of redis-server, e.g. `['--requirepass', 'secret']`. */
  readonly options?: readonly string[];
  /** Lines of a configuration file; with `--sentinel` among the options it is a Sentinel. */
  readonly configuration?: readonly string[];
};

export type RedisServer = {
  readonly port: number;
  readonly url: string;
  /** Stops the process where it is: connections stay open, and nobody answers. */
  freeze(): void;
  thaw(): void;
  /** Kills it; `restart` starts it again. */
  stopServer(): Promise<void>;
  /** Kills it and starts it again on the same port, empty. */
  restart(): Promise<void>;
  /** What it logged. */
  log(): string;
  stop(): Promise<void>;
};

/** Of the system; `deploy/setup --tests` brings it. */
const program = 'redis-server';
/** How long redis-server may take to get ready; it takes a few hundredths of a second. */
const readyMs = 10_000;

/** A real redis-server on a free port of this machine, empty, that keeps nothing on disk. Resolves when it listens. */
export const startRedis = async ({
  options = [],
  configuration = [],
}: RedisServerOptions = {}): Promise<RedisServer> => {
  const folder = await mkdtemp(join(tmpdir(), 'rostrum-redis-'));
  const port = await freePort();
  const file = join(folder, 'redis.conf');
  const base = [`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, 'save ""', 'appendonly no'];
  await writeFile(file, `${[...base, ...configuration].join('\n')}\n`);
  let text = '';
  const run = async (): Promise<ChildProcess> => {
    const started = spawn(program, [file, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
    const from = text.length;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`redis-server is not ready: ${text}`)), readyMs);
      const failed = (why: unknown): void => {
        clearTimeout(timer);
        reject(new Error(`redis-server failed (${String(why)}): ${text}`));
      };
      started.once('error', failed);
      started.once('exit', failed);
      for (const stream of [started.stdout, started.stderr])
        stream.on('data', (chunk: Buffer) => {
          text += chunk.toString();
          if (!/Ready to accept connections|Sentinel ID is/.test(text.slice(from))) return;
          clearTimeout(timer);
          started.off('exit', failed);
          resolve();
        });
    });
    return started;
  };
  const kill = async (process: ChildProcess): Promise<void> => {
    if (process.exitCode !== null || process.signalCode !== null) return;
    const ended = once(process, 'exit');
    process.kill('SIGKILL');
    await ended;
  };
  let child = await run();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    freeze: () => {
      child.kill('SIGSTOP');
    },
    thaw: () => {
      child.kill('SIGCONT');
    },
    stopServer: () => kill(child),
    restart: async () => {
      await kill(child);
      child = await run();
    },
    log: () => text,
    stop: async () => {
      await kill(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
};
