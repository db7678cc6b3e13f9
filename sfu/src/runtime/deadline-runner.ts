import { StateUnavailable } from '../state/room-store.ts';
import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';

/** How often deadlines are looked at, in milliseconds: the shortest is a second, and nobody notices a tenth of one. */
const intervalMs = 100;
/** Deadlines taken up at a time (RE-5); those that remain are still due at the next look. */
const mostAtOnce = 500;

export type DeadlineRunnerOptions<Due> = {
  /** Deadlines that are due at `now`, earliest first. */
  readonly due: (now: number, most: number) => Promise<readonly Due[]>;
  /** Whose it is: what has one owner is carried out one after the other. */
  readonly ownerOf: (due: Due) => string;
  /** Carries it out, and sees to it that it goes from the store when it has no cause. */
  readonly carryOut: (due: Due) => Promise<void>;
  /** The time by which deadlines are looked at. */
  readonly clock: Clock;
  readonly logger: Logger;
  /** While it answers true nothing is looked at (cluster/outage.ts). */
  readonly paused?: () => boolean;
};

/**
 * Carries out the deadlines that are due. Nobody claims one: it stays in the store until the commit that carries it out, so
 * a crash in between loses nothing, and coming twice is harmless.
 */
export class DeadlineRunner<Due> {
  readonly #options: DeadlineRunnerOptions<Due>;
  #timer: NodeJS.Timeout | undefined;
  /** Owners of which one is carried out. */
  readonly #busy = new Map<string, Promise<void>>();
  #isStopped = false;
  #isLooking = false;
  /** Whether the store was away at the last look. */
  #isAway = false;

  constructor(options: DeadlineRunnerOptions<Due>) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => {
      // A store that takes its time is not asked again before it has answered.
      if (!this.#isLooking) this.run().catch((error: unknown) => this.#hasFailed(error));
    }, intervalMs);
    this.#timer.unref();
  }

  /**
   * Carries out what is due now, and resolves when that is done. An owner that is still busy with one is left for the next
   * look, and keeps no other one waiting.
   */
  async run(): Promise<void> {
    const { ownerOf, carryOut, logger, paused } = this.#options;
    if (paused?.() === true) return;
    const started: Promise<void>[] = [];
    for (const due of await this.#look()) {
      if (this.#isStopped) return;
      const owner = ownerOf(due);
      if (this.#busy.has(owner)) continue;
      const running = carryOut(due)
        .catch((error: unknown) => {
          if (error instanceof StateUnavailable) this.#hasFailed(error);
          else logger.error({ err: error, due }, 'a deadline could not be carried out');
        })
        .finally(() => this.#busy.delete(owner));
      this.#busy.set(owner, running);
      started.push(running);
    }
    await Promise.all(started);
  }

  /** Stops looking, and waits for what runs. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await Promise.all(this.#busy.values());
  }

  async #look(): Promise<readonly Due[]> {
    const { due, clock } = this.#options;
    this.#isLooking = true;
    try {
      const found = await due(clock.now(), mostAtOnce);
      this.#isAway = false;
      return found;
    } finally {
      this.#isLooking = false;
    }
  }

  /** A store that is away is said once; what is due stays due. */
  #hasFailed(error: unknown): void {
    const { logger } = this.#options;
    if (!(error instanceof StateUnavailable)) logger.error({ err: error }, 'deadlines could not be looked at');
    else if (!this.#isAway) logger.warn({ err: error }, 'deadlines wait until the store is back');
    this.#isAway ||= error instanceof StateUnavailable;
  }
}
