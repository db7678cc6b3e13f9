import type { Limits } from '@rostrum/shared/limits.ts';
import type { RandomService } from '@rostrum/shared/protocol/random.ts';
import type { Logger } from '../runtime/logger.ts';
import type { CallStore } from '../state/call-store.ts';
import type { CallPublisher } from './ports.ts';
import { statsOf } from './random-calls.ts';
import type { Searches } from './searches.ts';

/** People who are told when their place in the queue moves; further back a place means little (RE-5). */
const mostTold = 1000;

export type StatsTickerDependencies = {
  readonly store: Pick<CallStore, 'counts'>;
  readonly searches: Pick<Searches, 'all' | 'viewOf' | 'tell'>;
  readonly publisher: CallPublisher;
  readonly limits: Pick<Limits, 'statsIntervalMs'>;
  readonly logger: Logger;
};

/** RQ-7: tells how many are here, and to those who wait their place; every 2 s at most, and only what changed. */
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
        .catch((error: unknown) => logger.error({ err: error }, 'the counts of random calls could not be told'))
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
    const { searches } = this.#dependencies;
    const places = new Map<string, string>();
    for await (const ticket of searches.all()) {
      if (places.size >= mostTold) break;
      const queued = await searches.viewOf(ticket);
      const place = `${queued.position} of ${queued.waiting}`;
      const before = this.#places.get(ticket.ticketId);
      // A newcomer was told when they came.
      if (before !== undefined && before !== place) await searches.tell(ticket);
      places.set(ticket.ticketId, place);
    }
    this.#places = places;
  }
}
