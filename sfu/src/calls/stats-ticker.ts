import type { Limits } from '@rostrum/shared/limits.ts';
import type { RandomService } from '@rostrum/shared/protocol/random.ts';
import type { Logger } from '../runtime/logger.ts';
import type { CallStore } from '../state/call-store.ts';
import { StateUnavailable } from '../state/room-store.ts';
import type { CallPublisher, Presence } from './ports.ts';
import { statsOf } from './random-calls.ts';
import type { Searches } from './searches.ts';

/** How many of those who wait are told when their place in the queue moves; further back a place means little (RE-5). */
const mostTold = 1000;

export type StatsTickerDependencies = {
  readonly store: Pick<CallStore, 'counts'>;
  readonly searches: Pick<Searches, 'all' | 'viewOf' | 'tell'>;
  /** To the sockets of this node alone: every node has a ticker of its own, and the same counts. */
  readonly publisher: Pick<CallPublisher, 'toWatchers'>;
  readonly isConnected: Presence['isConnected'];
  readonly limits: Pick<Limits, 'statsIntervalMs'>;
  readonly logger: Logger;
};

/**
 * RQ-7: tells the people of this node how many are here, and those who wait their place; every 2 s at most, and only what
 * changed. The counts are those of the store, and so of all nodes.
 */
export class StatsTicker {
  readonly #dependencies: StatsTickerDependencies;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #told: RandomService['stats'] | undefined;
  /** The place that each person was told last, by ticket. */
  #places = new Map<string, string>();

  constructor(dependencies: StatsTickerDependencies) {
    this.#dependencies = dependencies;
  }

  start(): void {
    const { limits, logger } = this.#dependencies;
    this.#timer = setInterval(() => {
      // One that takes longer than the interval is not overtaken.
      this.#running ??= this.tick()
        .catch((error: unknown) => {
          // That the store is away, whoever watches it says.
          if (error instanceof StateUnavailable)
            logger.debug({ err: error }, 'the counts of random calls are not known');
          else logger.error({ err: error }, 'the counts of random calls could not be told');
        })
        .finally(() => {
          this.#running = undefined;
        });
    }, limits.statsIntervalMs);
    this.#timer.unref();
  }

  async tick(): Promise<void> {
    const { store, publisher } = this.#dependencies;
    const stats = statsOf(await store.counts());
    const changed = JSON.stringify(stats) !== JSON.stringify(this.#told);
    this.#told = stats;
    if (changed) publisher.toWatchers('random:stats_update', stats);
    await this.#tellPlaces();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  async #tellPlaces(): Promise<void> {
    const { searches, isConnected } = this.#dependencies;
    const places = new Map<string, string>();
    let looked = 0;
    for await (const ticket of searches.all()) {
      looked += 1;
      if (looked > mostTold) break;
      // Others are told by their own node.
      if (!isConnected(ticket.seeker)) continue;
      const queued = await searches.viewOf(ticket);
      if (!queued) continue;
      const place = `${queued.position} of ${queued.waiting}`;
      const before = this.#places.get(ticket.ticketId);
      // A newcomer was told when they came.
      if (before !== undefined && before !== place) await searches.tell(ticket);
      places.set(ticket.ticketId, place);
    }
    this.#places = places;
  }
}
