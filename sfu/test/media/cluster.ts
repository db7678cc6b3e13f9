import { randomBytes } from 'node:crypto';
import type { Limits } from '@rostrum/shared/limits.ts';
import type { RoomSettings } from '@rostrum/shared/protocol/room.ts';
import { createPipePeers } from '../../src/gateway/internal/internal-client.ts';
import { type InternalServer, startInternalServer } from '../../src/gateway/internal/internal-server.ts';
import type { PipeDemand } from '../../src/media/media-plane.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createPino } from '../../src/runtime/logger.ts';
import { freePort } from '../support/free-port.ts';
import { Rig, TestRoom, until } from './harness.ts';

/** UDP ports for the pipes of one node: many more than a test uses, as a pipe that opens anew has a second one for a moment. */
const portsPerNode = 24;

/** So long that nothing which a test waits for comes by its end, or by a demand that only renews it. */
const leaseMs = 120_000;

export type ClusterOptions = {
  readonly limits?: Partial<Limits>;
  readonly leaseMs?: number;
  /** Where pipes end. */
  readonly address?: string;
};

/** A media plane among others: its workers and ports are its own, and it asks the others over real HTTP. */
export class ClusterNode {
  readonly name: string;
  readonly rig: Rig;
  readonly ports: { readonly min: number; readonly max: number };
  /** Every demand that this node made. */
  readonly demands: readonly { readonly node: string; readonly demand: PipeDemand }[];
  readonly #cluster: ClusterNetwork;
  #server: InternalServer | undefined;

  private constructor(parts: Pick<ClusterNode, 'name' | 'rig' | 'ports' | 'demands'>, cluster: ClusterNetwork) {
    this.name = parts.name;
    this.rig = parts.rig;
    this.ports = parts.ports;
    this.demands = parts.demands;
    this.#cluster = cluster;
  }

  static async start(name: string, cluster: ClusterNetwork, options: ClusterOptions): Promise<ClusterNode> {
    const min = await freePort(portsPerNode);
    const ports = { min, max: min + portsPerNode - 1 };
    const demands: { node: string; demand: PipeDemand }[] = [];
    const addressOf = (node: string) => (cluster.cut.has(name) ? undefined : cluster.addresses.get(node));
    const peers = createPipePeers({
      self: name,
      secret: cluster.secret,
      addressOf,
      clock: systemClock,
      logger: createPino(process.env['TEST_LOG'] ?? 'silent'),
    });
    const rig = await Rig.start({
      self: name,
      pipes: {
        request: (node, demand) => {
          demands.push({ node, demand });
          return peers.request(node, demand);
        },
        address: options.address ?? '127.0.0.1',
        ports,
        leaseMs: options.leaseMs ?? leaseMs,
      },
      ...(options.limits === undefined ? {} : { limits: options.limits }),
    });
    const node = new ClusterNode({ name, rig, ports, demands }, cluster);
    await node.answer();
    return node;
  }

  /** Begins to answer other nodes. */
  async answer(): Promise<void> {
    this.#server = await startInternalServer({
      self: this.name,
      host: '127.0.0.1',
      port: 0,
      secret: this.#cluster.secret,
      servePipe: (from, demand) => this.rig.plane.servePipe(from, demand),
      clock: systemClock,
      loggerInstance: createPino(process.env['TEST_LOG'] ?? 'silent'),
    });
    this.#cluster.addresses.set(this.name, `127.0.0.1:${this.#server.port}`);
    this.#cluster.cut.delete(this.name);
  }

  /** Other nodes do not reach it any more, nor it them; its media flows on. */
  async cutOff(): Promise<void> {
    this.#cluster.cut.add(this.name);
    await this.#server?.close();
  }

  /** Ends without a word to anybody. */
  async vanish(): Promise<void> {
    await this.cutOff();
    await this.rig.close();
  }

  /** What there is of pipes: ends, producers that came over one, consumers that send over one. */
  pipes(): { ends: number; incoming: number; outgoing: number } {
    const { rig } = this;
    return {
      ends: rig.pipes().length,
      incoming: rig.pipedProducers().length,
      outgoing: rig.pipeConsumers().length,
    };
  }

  /** Kills the worker of this node, of which it has only one. */
  killWorker(): void {
    const [worker] = this.rig.plane.load();
    if (worker === undefined) throw new Error('no worker runs');
    process.kill(worker.pid, 'SIGKILL');
  }

  async close(): Promise<void> {
    await this.#server?.close();
    await this.rig.close();
  }
}

type ClusterNetwork = {
  readonly secret: Uint8Array;
  readonly addresses: Map<string, string>;
  /** Nodes that are cut off. */
  readonly cut: Set<string>;
};

/** Several nodes in this process. */
export class Cluster {
  readonly nodes: readonly ClusterNode[];
  readonly network: ClusterNetwork;

  private constructor(nodes: readonly ClusterNode[], network: ClusterNetwork) {
    this.nodes = nodes;
    this.network = network;
  }

  static async start(names: readonly string[], options: ClusterOptions = {}): Promise<Cluster> {
    const network: ClusterNetwork = { secret: randomBytes(32), addresses: new Map(), cut: new Set() };
    const nodes: ClusterNode[] = [];
    // One after the other, as each looks for ports that are free.
    for (const name of names) nodes.push(await ClusterNode.start(name, network, options));
    return new Cluster(nodes, network);
  }

  /** A room over all nodes. */
  room(quality: RoomSettings['audioQuality'] = 'medium'): TestRoom {
    const rigs = this.nodes.map(({ rig }) => rig);
    const room = new TestRoom(rigs, quality);
    for (const rig of rigs) rig.attend(room);
    return room;
  }

  /** Resolves when no node has anything of a pipe any more, here and in the workers themselves. */
  async withoutPipes(withinMs?: number): Promise<void> {
    const none = JSON.stringify({ ends: 0, incoming: 0, outgoing: 0 });
    const all = () => this.nodes.map((node) => JSON.stringify(node.pipes()));
    await until('no pipe is left', () => all().every((pipes) => pipes === none), withinMs).catch((error: Error) => {
      throw new Error(`${error.message}, but ${all()}`);
    });
    // By asking the workers too, which finds what was forgotten in this process.
    for (const { rig } of this.nodes) await rig.inWorkers();
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()));
  }
}
