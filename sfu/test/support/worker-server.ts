import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../media/harness.ts';
import type { ClusterPerson } from './cluster-person.ts';
import { freePort } from './free-port.ts';
import { ServerNode } from './nodes.ts';

const relayPorts = 20;

/** A server in a process of its own, whose workers are known, so that they can be killed and stopped. */
export class WorkerServer {
  readonly node: ServerNode;
  readonly #mediaPort: number;
  readonly #workers: number;
  readonly #dataDir: string;

  private constructor(parts: { node: ServerNode; mediaPort: number; workers: number; dataDir: string }) {
    this.node = parts.node;
    this.#mediaPort = parts.mediaPort;
    this.#workers = parts.workers;
    this.#dataDir = parts.dataDir;
  }

  static async start(workers: number, env: Readonly<Record<string, string>> = {}): Promise<WorkerServer> {
    const dataDir = await mkdtemp(join(tmpdir(), 'rostrum-workers-'));
    const port = await freePort(1 + workers + relayPorts);
    const mediaPort = port + 1;
    const firstRelay = mediaPort + workers;
    const node = new ServerNode('node', {
      PORT: String(port),
      HOST: '127.0.0.1',
      MEDIA_PORT: String(mediaPort),
      MEDIA_ADDRESS: '127.0.0.1',
      PIPE_PORTS: `${firstRelay}-${firstRelay + relayPorts - 1}`,
      WORKERS: String(workers),
      DATA_DIR: dataDir,
      LOG_LEVEL: 'info',
      TRUSTED_PROXIES: '127.0.0.1',
      ...env,
    });
    await node.start();
    return new WorkerServer({ node, mediaPort, workers, dataDir });
  }

  /** What the people of a cluster take: this server alone. */
  get cluster(): { nodes: readonly ServerNode[]; node: () => ServerNode } {
    return { nodes: [this.node], node: () => this.node };
  }

  /** The pid of the worker of this index, once it runs and has its port. */
  pid(index: number): Promise<number> {
    return until(`worker ${index} has its port`, () => this.#listensAt(this.#mediaPort + index));
  }

  async pids(): Promise<number[]> {
    return Promise.all(Array.from({ length: this.#workers }, (_, index) => this.pid(index)));
  }

  /** A figure of one worker, by the name of the metric; 0 for one that does not run. */
  async ofWorker(name: string, index: number): Promise<number> {
    return (await this.#figure(name, index)) ?? 0;
  }

  /** Whether the server says that the worker of this index runs. */
  async knows(index: number): Promise<boolean> {
    return (await this.#figure('rostrum_worker_cpu', index)) !== undefined;
  }

  async #figure(name: string, index: number): Promise<number | undefined> {
    const text = await (await fetch(`${this.node.url}/metrics`)).text();
    const start = `${name}{worker="${index}"} `;
    const line = text.split('\n').find((one) => one.startsWith(start));
    return line === undefined ? undefined : Number(line.slice(start.length));
  }

  async close(): Promise<void> {
    await this.node.dispose();
    await rm(this.#dataDir, { recursive: true, force: true });
    if (this.node.complaint !== undefined) throw new Error(this.node.complaint);
  }

  /** The process of this server that holds a UDP port. */
  async #listensAt(port: number): Promise<number | undefined> {
    const inodes = await inodesOf(port);
    for (const pid of await childrenOf(this.node.pid)) {
      const sockets = await socketsOf(pid);
      if (sockets.some((socket) => inodes.has(socket))) return pid;
    }
    return undefined;
  }
}

/** The sockets that are bound to a UDP port, by their inodes (proc(5), /proc/net/udp: local address and inode are fields 2 and 10). */
const inodesOf = async (port: number): Promise<Set<string>> => {
  const lines = (await readFile('/proc/net/udp', 'utf8')).split('\n').map((line) => line.trim().split(/\s+/));
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return new Set(lines.flatMap((fields) => (fields[1]?.endsWith(`:${wanted}`) ? (fields[9] ?? []) : [])));
};

/** The inodes of the sockets that a process has open. */
const socketsOf = async (pid: number): Promise<string[]> => {
  const names = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const links = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
  return links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
};

const childrenOf = async (pid: number): Promise<number[]> => {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
};

/** Whether a process is still there. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Resolves when each of these people hears each of these voices but their own, with its tone. */
export const hearEachOther = (
  people: readonly ClusterPerson[],
  voices: readonly (readonly [ClusterPerson, number])[],
): Promise<unknown> => {
  const lacking = () =>
    people.flatMap((person) =>
      voices
        .filter(([speaker, hertz]) => speaker !== person && !person.hearsVoice(speaker.userId, hertz))
        .map(([speaker]) => `${person.name} does not hear ${speaker.name}: ${person.failures.slice(-3)}`),
    );
  return until('everybody hears everybody', () => lacking().length === 0, 30_000).catch((error: unknown) => {
    throw new Error(lacking().join('\n'), { cause: error });
  });
};
