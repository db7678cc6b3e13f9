import { setTimeout as delay } from 'node:timers/promises';
import { newId } from '../runtime/ids.ts';
import type { ClusterStore, KnownNode, NodeRecord } from '../state/cluster-store.ts';
import { StateUnavailable } from '../state/room-store.ts';
import { Neighbours, type NeighboursOptions } from './neighbours.ts';

/** A fresh id for a run of the node of this name: its name and its incarnation. */
export const newNodeId = (name: string): string => `${name}~${newId()}`;

export type ClusterNodesOptions = NeighboursOptions & {
  readonly store: Pick<ClusterStore, 'enlist' | 'beat' | 'nodes' | 'giveUp' | 'forget' | 'heldBy'>;
  /** Whether the store can be reached now. */
  readonly ready: () => boolean;
  /** Whether who is silent may be given up (outage.ts). */
  readonly settled: () => boolean;
  /** This node was given up while it was stopped: what it holds is others' by now, and it has to begin anew. Comes once. */
  readonly fenced: () => void;
  /** At every look: nodes that were given up and are not swept, and how many living nodes come before this one to do it (sweep.ts). */
  readonly sweep: (nodeIds: readonly string[], rank: number) => void;
  /** How `start` waits; replaced in tests. */
  readonly wait?: (ms: number) => Promise<unknown>;
};

type Phase = 'new' | 'enlisted' | 'fenced' | 'left';

/**
 * This node among the nodes of a cluster (RE-3): it shows that it lives, knows who else does, and gives up who has been silent for
 * `nodeSilentMs`. A store in this process has one node, and all of it is the same.
 */
export class ClusterNodes {
  readonly #options: ClusterNodesOptions;
  readonly #neighbours: Neighbours;
  #phase: Phase = 'new';
  #draining = false;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> | undefined;

  constructor(options: ClusterNodesOptions) {
    this.#options = options;
    this.#neighbours = new Neighbours(options);
  }

  /** The id of this run of this node. */
  get self(): string {
    return this.#options.identity.nodeId;
  }

  /** The other nodes that live, as far as is known, in the order of their names. */
  peers(): readonly KnownNode[] {
    return this.#neighbours.peers();
  }

  /** Where the internal server of another node is; undefined for one that does not live. */
  addressOf(nodeId: string): string | undefined {
    return this.#neighbours.find(nodeId)?.internalAddress;
  }

  /**
   * Enlists and begins to show itself. Waits for up to `nodeSilentMs` for a node of this name that died a moment ago. Rejects, with
   * words for the operator, where another node lives by this name or one lives that speaks another version of the protocol.
   * @throws StateUnavailable
   */
  async start(): Promise<void> {
    const { store, limits } = this.#options;
    this.#neighbours.judge(await store.nodes());
    await this.#enlist();
    this.#phase = 'enlisted';
    try {
      // Of two that begin at once, each sees the other now at the latest.
      const known = await store.nodes();
      this.#neighbours.judge(known);
      await this.#take(known);
    } catch (error) {
      await this.leave();
      throw error;
    }
    this.#timer = setInterval(() => void this.look(), limits.heartbeatMs);
    this.#timer.unref();
  }

  /**
   * Shows itself and looks at the others, once. Never two at a time: while one is under way it is that one. Does nothing while the
   * store is away, and never rejects.
   */
  look(): Promise<void> {
    this.#turn ??= this.#beat().finally(() => {
      this.#turn = undefined;
    });
    return this.#turn;
  }

  /** It takes nobody new from now on, and the others hear of it. */
  async setDraining(): Promise<void> {
    this.#draining = true;
    await this.#turn;
    await this.look();
  }

  /**
   * To a store that came back empty: says again that this node is there, and that those were whom it knew, so that one that died
   * meanwhile is found silent, and swept. @throws StateUnavailable
   */
  async restate(): Promise<void> {
    const { store, limits } = this.#options;
    if (this.#phase !== 'enlisted') return;
    if ((await store.enlist(this.#record(), limits.nodeSilentMs)) === 'taken') return this.#isFenced();
    for (const { seenAt: _, givenUp: __, ...peer } of this.peers()) await store.enlist(peer, limits.nodeSilentMs);
  }

  /** Leaves in order. One that still holds sessions is left for the others to find silent, and to sweep. Never rejects. */
  async leave(): Promise<void> {
    clearInterval(this.#timer);
    const wasEnlisted = this.#phase === 'enlisted';
    if (wasEnlisted) this.#phase = 'left';
    await this.#turn;
    // What a node that was given up held is swept by the others, who need to know what that is.
    if (!wasEnlisted || this.#phase !== 'left') return;
    try {
      const { store } = this.#options;
      if ((await store.heldBy(this.self, 1)).length === 0) await store.forget(this.self);
    } catch (error) {
      this.#options.logger.warn(
        { err: error },
        'this node could not say that it leaves; the others will find it silent',
      );
    }
  }

  #record(): NodeRecord {
    return { ...this.#options.identity, ...this.#options.says(), draining: this.#draining };
  }

  async #enlist(): Promise<void> {
    const { store, limits, wait = delay } = this.#options;
    const waitMs = limits.heartbeatMs / 2;
    let namesake: KnownNode | undefined;
    for (let waitedMs = 0; (await store.enlist(this.#record(), limits.nodeSilentMs)) === 'taken'; waitedMs += waitMs) {
      const found = await this.#namesake();
      const isAlive = namesake !== undefined && found !== undefined && found.seenAt > namesake.seenAt;
      // One that was seen for the last time before this began is silent by then.
      if (isAlive || waitedMs > limits.nodeSilentMs + limits.heartbeatMs) throw new Error(nameTaken(found));
      namesake = found;
      await wait(waitMs);
    }
  }

  async #namesake(): Promise<KnownNode | undefined> {
    const { store, identity } = this.#options;
    const known = await store.nodes();
    return known.find(({ name, nodeId, givenUp }) => name === identity.name && nodeId !== this.self && !givenUp);
  }

  async #beat(): Promise<void> {
    const { store, ready, logger } = this.#options;
    if (this.#phase !== 'enlisted' || !ready()) return;
    try {
      if ((await store.beat(this.#record())) === 'fenced') return this.#isFenced();
      await this.#take(await store.nodes());
    } catch (error) {
      if (error instanceof StateUnavailable) logger.debug({ err: error }, 'this node could not show itself');
      else logger.error({ err: error }, 'this node could not show itself');
    }
  }

  async #take(known: readonly KnownNode[]): Promise<void> {
    const lost = await this.#giveUpSilent(known);
    if (this.#phase !== 'enlisted') return;
    const isLost = (node: KnownNode): boolean => node.givenUp || lost.has(node.nodeId);
    this.#neighbours.take(known.filter((node) => !isLost(node)));
    const swept = known.filter(isLost).map(({ nodeId }) => nodeId);
    if (this.#options.settled()) this.#options.sweep(swept, this.#neighbours.rank());
  }

  /** Gives up who was silent for too long. Answers who that is. */
  async #giveUpSilent(known: readonly KnownNode[]): Promise<Set<string>> {
    const { store, clock, limits, settled, logger } = this.#options;
    const silentSince = clock.now() - limits.nodeSilentMs;
    const lost = new Set<string>();
    for (const { nodeId, seenAt, givenUp } of known) {
      const isSilent = nodeId !== this.self && !givenUp && seenAt < silentSince;
      if (!isSilent || !settled() || !(await store.giveUp(nodeId, silentSince))) continue;
      lost.add(nodeId);
      logger.warn({ nodeId }, 'a node is silent and was given up');
    }
    return lost;
  }

  #isFenced(): void {
    const isLeaving = this.#phase === 'left';
    this.#phase = 'fenced';
    if (isLeaving) return;
    clearInterval(this.#timer);
    this.#options.logger.error('this node was silent for too long and was given up by the others; it begins anew');
    this.#options.fenced();
  }
}

const nameTaken = (namesake: KnownNode | undefined): string =>
  `another node named "${namesake?.name}" lives already, at ${namesake?.internalAddress}: give each node a NODE_NAME of its own`;
