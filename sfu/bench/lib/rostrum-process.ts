import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../test/support/free-port.ts';
import { Child } from './child.ts';
import { type Measured, measuredBy } from './measured.ts';
import type { BenchRedis } from './redis.ts';

type Environment = Readonly<Record<string, string>>;

/** One machine is everybody here, so nothing that limits one person, one address or one worker may limit the benchmark. */
const environment: Environment = {
  PORT: '0',
  HOST: '127.0.0.1',
  MEDIA_ADDRESS: '127.0.0.1',
  WORKERS: '1',
  LOG_LEVEL: 'warn',
  TRUSTED_PROXIES: '127.0.0.1',
  LIMIT_COMMANDS_PER_SECOND: '100000',
  LIMIT_COMMAND_BURST: '100000',
  LIMIT_ADDRESS_COMMANDS_PER_SECOND: '10000000',
  LIMIT_HTTP_REQUESTS_PER_MINUTE: '10000000',
  LIMIT_GUESTS_PER_ADDRESS_HOUR: '100000',
  LIMIT_JOINS_PER_MINUTE: '10000',
  LIMIT_PACKETS_PER_WORKER: '10000000',
  LIMIT_WORKER_CPU_PERCENT: '100',
};

/** A whole Rostrum server in a process of its own. */
export type RostrumProcess = Measured & {
  readonly url: string;
  readonly mediaPort: number;
};

/** Starts a server, with further variables in its environment. */
export const startRostrumProcess = async (more: Environment = {}): Promise<RostrumProcess> => {
  const mediaPort = await freePort(Number(more['WORKERS'] ?? environment['WORKERS']));
  const [child, { port }] = await Child.start<{ port: number }>(new URL('./rostrum-server.ts', import.meta.url), {
    ...environment,
    MEDIA_PORT: String(mediaPort),
    ...more,
  });
  return { ...measuredBy(child), url: `http://127.0.0.1:${port}`, mediaPort };
};

/** Nodes that serve the same people. */
export type Cluster = {
  readonly nodes: readonly RostrumProcess[];
  close(): Promise<void>;
};

/** Ports of media between nodes, past those that Linux gives to connections by itself: none of those takes one. */
const pipePorts = { from: 61_000, each: 100 };
let pipesGiven = 0;

/** What makes a server a node of a cluster on this Redis, under this prefix. */
export const nodeEnvironment = (redis: BenchRedis, prefix: string, name: string): Environment => {
  const from = pipePorts.from + pipesGiven * pipePorts.each;
  pipesGiven += 1;
  return {
    REDIS_URL: redis.url,
    REDIS_PREFIX: prefix,
    NODE_NAME: name,
    PIPE_PORTS: `${from}-${from + pipePorts.each - 1}`,
  };
};

/** Starts so many nodes, one after the other; the name of the cluster is its prefix in Redis. */
export const startCluster = async (
  redis: BenchRedis,
  { name, count, more = {} }: { readonly name: string; readonly count: number; readonly more?: Environment },
): Promise<Cluster> => {
  // Nodes of one machine share their records, and with them the secret that signs tokens.
  const dataDir = await mkdtemp(join(tmpdir(), 'rostrum-bench-'));
  const nodes: RostrumProcess[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.close()));
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    for (let index = 0; index < count; index += 1) {
      const shared = nodeEnvironment(redis, name, `${name}-${index + 1}`);
      nodes.push(await startRostrumProcess({ ...shared, DATA_DIR: dataDir, ...more }));
    }
    if (!(await redis.holds(name))) throw new Error('the nodes keep nothing in Redis: they are no cluster');
  } catch (error) {
    await close();
    throw error;
  }
  return { nodes, close };
};
