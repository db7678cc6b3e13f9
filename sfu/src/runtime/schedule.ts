import { setImmediate } from 'node:timers/promises';
import type { Logger } from './logger.ts';

/** Records deleted in one go: about ten milliseconds of work, between which everything else gets its turn. */
const batch = 500;
/** Goes of one clean-up (RE-5): 5 million records, more than a node writes between two of them. */
const mostBatches = 10_000;

/** Deletes in small goes until nothing is left that is to go. Answers how many were deleted. */
export const sweep = async (deleteSome: (most: number) => Promise<number>): Promise<number> => {
  let total = 0;
  for (let count = 0; count < mostBatches; count += 1) {
    const deleted = await deleteSome(batch);
    total += deleted;
    if (deleted < batch) break;
    await setImmediate();
  }
  return total;
};

/** Runs housekeeping at intervals: each task by itself, never twice at a time, and a failure is logged and tried again. */
export class Schedule {
  readonly #logger: Logger;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #running = new Set<Promise<unknown>>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Runs the task now, so that a server that is restarted every day gets to it too, and then at every interval. */
  every(intervalMs: number, name: string, task: () => Promise<unknown>): void {
    let busy = false;
    const turn = (): void => {
      if (busy) return;
      busy = true;
      const run = task()
        .catch((error: unknown) => this.#logger.error({ err: error, task: name }, 'housekeeping failed'))
        .finally(() => {
          busy = false;
          this.#running.delete(run);
        });
      this.#running.add(run);
    };
    this.#timers.push(setInterval(turn, intervalMs).unref());
    turn();
  }

  /** Stops, and waits for what runs. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#running);
  }
}
