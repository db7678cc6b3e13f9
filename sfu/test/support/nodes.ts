import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../media/harness.ts';
import { freePort } from './free-port.ts';
import { type RedisServer, startRedis } from './redis-server.ts';
import type { TestServer } from './server.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** How long a node may take until it is ready, in milliseconds: three at a time on a busy machine. */
const readyMs = 40_000;
/** How much of the log of a node is kept, in characters. */
const logKept = 2_000_000;
/** And how much of it is shown when a node ended by itself. */
const logShown = 4000;
/** Ports of one node: HTTP, its media worker, and the rest for pipes. */
const portsOfNode = 26;

/** Limits of one person that a test, which does the work of hundreds, would run into. */
const generous = {
  LIMIT_COMMANDS_PER_SECOND: '100000',
  LIMIT_COMMAND_BURST: '100000',
  LIMIT_ADDRESS_COMMANDS_PER_SECOND: '1000000',
  LIMIT_JOINS_PER_MINUTE: '10000',
  LIMIT_SEARCHES_PER_MINUTE: '10000',
  LIMIT_ROOMS_PER_DAY: '1000',
  LIMIT_FLOOD_STRIKES: '100000',
  LIMIT_HTTP_REQUESTS_PER_MINUTE: '1000000',
};

/** How a process ended. */
export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

type Environment = Readonly<Record<string, string>>;

/** A server in a process and a process group of its own, which can be killed, stopped, frozen and started again. */
export class ServerNode {
  readonly name: string;
  readonly url: string;
  readonly #env: Environment;
  #child: ChildProcess | undefined;
  #exit: Promise<Exit> | undefined;
  #exited: Exit | undefined;
  /** It was started and nobody ended it since. */
  #shouldRun = false;
  #log = '';

  constructor(name: string, env: Environment) {
    this.name = name;
    this.#env = env;
    this.url = `http://127.0.0.1:${env['PORT']}`;
  }

  /** What the helpers for people take: of a server in another process there is the URL alone. */
  get server(): TestServer {
    return { url: this.url, dataDir: this.#env['DATA_DIR'], stop: () => this.stop() } as unknown as TestServer;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`${this.name} was not started`);
    return pid;
  }

  /** Undefined while it runs. */
  get exited(): Exit | undefined {
    return this.#exited;
  }

  /** What it wrote since it was first started, the end of it. */
  log(): string {
    return this.#log;
  }

  /** Starts the process, without waiting for anything. */
  launch(): void {
    const child = spawn(process.execPath, [main], {
      env: { ...process.env, ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        this.#log = (this.#log + chunk.toString()).slice(-logKept);
      });
    this.#child = child;
    this.#exited = undefined;
    this.#exit = new Promise((resolve) => {
      // Not `exit`: what it wrote last is to be there.
      child.once('close', (code, signal) => {
        this.#exited = { code, signal };
        resolve(this.#exited);
      });
    });
  }

  /** Starts it, on the same ports as before, and waits until it takes people. */
  async start(): Promise<void> {
    this.launch();
    await until(
      `${this.name} is ready`,
      async () => {
        if (this.#exited) throw new Error(`${this.name} ended (${JSON.stringify(this.#exited)}): ${this.#log}`);
        return (await this.readiness()).ready;
      },
      readyMs,
    );
    this.#shouldRun = true;
  }

  /** What `/readyz` says; of a process that does not answer, why. */
  async readiness(): Promise<{ readonly ready: boolean; readonly text: string }> {
    try {
      const answer = await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(3000) });
      return { ready: answer.ok, text: await answer.text() };
    } catch (error) {
      return { ready: false, text: String(error) };
    }
  }

  /** The sum of a figure of `/metrics` over its labels. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const values = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    if (values.length === 0) throw new Error(`no metric ${name}`);
    return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  /** `kill -9`, until it and its workers are gone. */
  async kill(): Promise<void> {
    const workers = await childrenOf(this.pid);
    this.#shouldRun = false;
    this.#signal('SIGKILL');
    // A process that is stopped does not die of it otherwise.
    this.#signal('SIGCONT');
    await this.#exit;
    await until('the workers of a killed node are gone', () => !workers.some(isAlive), 15_000);
  }

  /** The stop signal to its process, until it has left. */
  async stop(): Promise<Exit> {
    this.#shouldRun = false;
    this.#signal('SIGTERM');
    return this.exit();
  }

  /** The stop signal to its whole process group, as a terminal or a process manager sends it. */
  async stopGroup(): Promise<Exit> {
    this.#shouldRun = false;
    process.kill(-this.pid, 'SIGTERM');
    return this.exit();
  }

  /** How it ends, once it does. */
  async exit(): Promise<Exit> {
    if (this.#exit === undefined) throw new Error(`${this.name} was not started`);
    return this.#exit;
  }

  freeze(): void {
    this.#signal('SIGSTOP');
  }

  thaw(): void {
    this.#signal('SIGCONT');
  }

  /** Memory that it holds, in MiB. */
  async megabytes(): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8');
    return Number(/VmRSS:\s*(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024;
  }

  /** Leaves nothing behind, whatever state it is in. */
  async dispose(): Promise<void> {
    if (this.#child !== undefined && this.#exited === undefined) await this.kill();
  }

  /** What to say of a process that ended by itself though it should run; undefined where all is well. */
  get complaint(): string | undefined {
    if (!this.#shouldRun || this.#exited === undefined) return undefined;
    return `${this.name} ended by itself (${JSON.stringify(this.#exited)}): ${this.#log.slice(-logShown)}`;
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#exited === undefined) this.#child?.kill(signal);
  }
}

export type ClusterOptions = {
  /** 3 when left out. One node by itself has no Redis. */
  readonly nodes?: number;
  readonly env?: Environment;
};

/** Nodes, the Redis and the records that they share. */
export type Cluster = {
  readonly nodes: readonly ServerNode[];
  readonly redis: RedisServer | undefined;
  readonly prefix: string;
  readonly dataDir: string;
  /** A node by its number, from 0. */
  node(index: number): ServerNode;
  /** A node that is not started yet, with what else it is told. */
  another(name: string, env?: Environment): Promise<ServerNode>;
};

const closings: (() => Promise<void>)[] = [];

/** Kills every node that a test started, and forgets their data; for `afterAll`. Throws where one had ended by itself. */
export const stopClusters = async (): Promise<void> => {
  for (const close of closings.splice(0).reverse()) await close();
};

/** Waits until every node takes people (again). */
export const untilReady = ({ nodes }: Pick<Cluster, 'nodes'>): Promise<unknown> =>
  until(
    'every node is ready',
    async () => (await Promise.all(nodes.map((node) => node.readiness()))).every(({ ready }) => ready),
    readyMs,
  );

export const prefixOfTests = 'rostrum-test';

/** Starts nodes that share a Redis and a folder, all at once, and waits until each takes people. */
export const startCluster = async ({ nodes: count = 3, env = {} }: ClusterOptions = {}): Promise<Cluster> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'rostrum-cluster-'));
  const redis = count > 1 ? await startRedis() : undefined;
  const shared = {
    HOST: '127.0.0.1',
    MEDIA_ADDRESS: '127.0.0.1',
    WORKERS: '1',
    DATA_DIR: dataDir,
    LOG_LEVEL: 'info',
    TRUSTED_PROXIES: '127.0.0.1',
    AUTH_SECRET: 'a secret that all nodes of the test share, long enough',
    ...(redis === undefined
      ? {}
      : {
          REDIS_URL: redis.url,
          REDIS_PREFIX: prefixOfTests,
          INTERNAL_ADDRESS: '127.0.0.1:0',
          PIPE_ADDRESS: '127.0.0.1',
        }),
    ...generous,
    ...env,
  };
  const made: ServerNode[] = [];
  const make = (name: string, firstPort: number, more: Environment = {}): ServerNode => {
    const node = new ServerNode(name, { ...shared, ...portsFrom(firstPort), NODE_NAME: name, ...more });
    made.push(node);
    return node;
  };
  const firstPort = await freePort(count * portsOfNode);
  const nodes = Array.from({ length: count }, (_, index) => make(`node-${index}`, firstPort + index * portsOfNode));
  closings.push(async () => {
    const complaints = made.map(({ complaint }) => complaint).filter((complaint) => complaint !== undefined);
    await Promise.all(made.map((node) => node.dispose()));
    await redis?.stop();
    await rm(dataDir, { recursive: true, force: true });
    if (complaints.length > 0) throw new Error(complaints.join('\n'));
  });
  await Promise.all(nodes.map((node) => node.start()));
  return {
    nodes,
    redis,
    prefix: prefixOfTests,
    dataDir,
    node: (index) => nodes[index] ?? missing(index),
    another: async (name, more) => make(name, await freePort(portsOfNode), more),
  };
};

const portsFrom = (first: number): Environment => ({
  PORT: String(first),
  MEDIA_PORT: String(first + 1),
  PIPE_PORTS: `${first + 2}-${first + portsOfNode - 1}`,
});

const missing = (index: number): never => {
  throw new Error(`there is no node ${index}`);
};

/** Processes that this one started, and that are still there. */
const childrenOf = async (pid: number): Promise<number[]> => {
  const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    all.map(async (name) => {
      const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
      // proc(5): the parent is the second field after the name, which stands in brackets.
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] === String(pid) ? Number(name) : undefined;
    }),
  );
  return found.filter((child) => child !== undefined);
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
