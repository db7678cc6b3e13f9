import type { Limits } from '@rostrum/shared/limits.ts';
import type { Result } from '@rostrum/shared/result.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { ClusterStore, HeldSession, SessionRef } from '../state/cluster-store.ts';
import { StateUnavailable } from '../state/room-store.ts';

/** Sessions that are read at a time. */
const page = 200;
/** Sessions of which the loss is noted side by side: commands of one room wait for each other anyway. */
const atOnce = 16;
/** How many heartbeats a node leaves to each one that comes before it, until it sweeps too. */
const turnBeats = 2;

/**
 * What follows for whom a node held. All of it is harmless twice, and changes nothing for whoever has come back elsewhere. Each is
 * done when it resolves; where it rejects with StateUnavailable it is tried again.
 */
export type SweepPorts = {
  /** The connection of this session to this node broke, and its seat is kept for a while (RE-2). `unavailable` is tried again too. */
  readonly loseSeat: (roomId: string, userId: string, sessionId: string, nodeId: string) => Promise<Result<unknown>>;
  /** The same for its place in the queue, or its side of a call. */
  readonly loseCall: (session: SessionRef, nodeId: string) => Promise<unknown>;
  /** Whatever these rooms had at this node is gone. Each room comes once in a sweep, before its sessions are released. */
  readonly nodeLost: (nodeId: string, roomIds: readonly string[]) => Promise<unknown>;
  /** The node holds no session any more: for what else names it. After this it is forgotten. */
  readonly finish: (nodeId: string) => Promise<unknown>;
};

export type SweeperOptions = {
  readonly store: Pick<ClusterStore, 'heldBy' | 'release' | 'forget'>;
  readonly ports: SweepPorts;
  readonly clock: Clock;
  readonly limits: Pick<Limits, 'heartbeatMs'>;
  readonly logger: Logger;
};

/**
 * Takes over what nodes held that were given up (RE-3). Nobody owns a sweep: a session stays with the node until its loss was
 * noted, and the node until nothing is left of it, so whoever comes next goes on where another one died. Nodes take turns, so
 * that they are not in each other's way; each comes in later where those before it have not finished.
 */
export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #running = new Map<string, Promise<void>>();
  /** When it was first seen that a node was given up. */
  readonly #since = new Map<string, number>();
  #isStopped = false;

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  /** These nodes, and no others, were given up and are not swept; so many living nodes come before this one. */
  sweep(nodeIds: readonly string[], rank: number): void {
    const { clock, limits } = this.#options;
    const now = clock.now();
    for (const nodeId of this.#since.keys()) if (!nodeIds.includes(nodeId)) this.#since.delete(nodeId);
    for (const nodeId of nodeIds) {
      const since = this.#since.get(nodeId) ?? now;
      this.#since.set(nodeId, since);
      const isTurn = now - since >= rank * turnBeats * limits.heartbeatMs;
      if (isTurn && !this.#running.has(nodeId) && !this.#isStopped) this.#start(nodeId);
    }
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  /** Starts nothing more, and waits for what is under way, which ends after the page that it is at. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.idle();
  }

  #start(nodeId: string): void {
    const { logger } = this.#options;
    const running = this.#sweep(nodeId)
      .catch((error: unknown) => {
        // It is found again at the next look.
        if (error instanceof StateUnavailable) logger.debug({ err: error, nodeId }, 'a sweep waits for the store');
        else logger.error({ err: error, nodeId }, 'a node could not be swept');
      })
      .finally(() => this.#running.delete(nodeId));
    this.#running.set(nodeId, running);
  }

  async #sweep(nodeId: string): Promise<void> {
    const { store, ports, logger } = this.#options;
    const told = new Set<string>();
    let count = 0;
    for (let held = await store.heldBy(nodeId, page); held.length > 0; held = await store.heldBy(nodeId, page)) {
      if (this.#isStopped) return;
      await this.#sweepPage(nodeId, held, told);
      count += held.length;
    }
    if (this.#isStopped) return;
    await this.#try(() => ports.finish(nodeId));
    await store.forget(nodeId);
    logger.info({ nodeId, sessions: count }, 'a node that is gone was swept');
  }

  async #sweepPage(nodeId: string, held: readonly HeldSession[], told: Set<string>): Promise<void> {
    const { store, ports } = this.#options;
    await eachOf(held, (session) => this.#lose(nodeId, session));
    const rooms = new Set(held.flatMap(({ roomId }) => (roomId === null || told.has(roomId) ? [] : [roomId])));
    if (rooms.size > 0) await this.#try(() => ports.nodeLost(nodeId, [...rooms]));
    for (const roomId of rooms) told.add(roomId);
    // Only now: a sweep that ends before this is found again, with everything.
    await eachOf(held, (session) => store.release(nodeId, session));
  }

  async #lose(nodeId: string, { userId, sessionId, roomId }: HeldSession): Promise<void> {
    const { ports } = this.#options;
    await this.#try(() => ports.loseCall({ userId, sessionId }, nodeId));
    if (roomId === null) return;
    await this.#try(async () => {
      const noted = await ports.loseSeat(roomId, userId, sessionId, nodeId);
      if (!noted.ok && noted.refusal.code === 'unavailable') throw new StateUnavailable('a lost seat was not noted');
    });
  }

  /** A fault of ours in one thing is said, and does not keep the others from being swept. @throws StateUnavailable */
  async #try(task: () => Promise<unknown>): Promise<void> {
    try {
      await task();
    } catch (error) {
      if (error instanceof StateUnavailable) throw error;
      this.#options.logger.error({ err: error }, 'what follows from the loss of a node failed');
    }
  }
}

/** Does a task for each of them, some side by side. Begins none after one has failed, and rejects when all have ended. */
const eachOf = async <Item>(items: readonly Item[], task: (item: Item) => Promise<unknown>): Promise<void> => {
  const rest = items.values();
  let hasFailed = false;
  const worker = async (): Promise<void> => {
    for (const item of rest) {
      if (hasFailed) return;
      try {
        await task(item);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: atOnce }, worker));
  for (const result of ended) if (result.status === 'rejected') throw result.reason;
};
