import type { Logger } from './logger.ts';

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
