import { backoffMs, connectionBackoff } from './backoff.ts';
import type { Timers } from './timers.ts';

/** A connection that lasted this long was a good one: the next loss starts the back-off anew. */
const stableMs = 10_000;

/** Attempts to connect, each of which waits longer than the one before, until a connection lasts. */
export class Attempts {
  readonly #timers: Timers;
  #count = 0;
  #cancel: () => void = () => undefined;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** How long the next one waits, in milliseconds; at least so long. */
  waitMs(atLeastMs: number): number {
    this.#count += 1;
    return Math.max(atLeastMs, backoffMs(this.#count - 1, connectionBackoff));
  }

  /** One came to a connection. */
  stands(): void {
    this.#cancel();
    this.#cancel = this.#timers.after(stableMs, () => {
      this.#count = 0;
    });
  }

  /** The connection is gone. */
  broke(): void {
    this.#cancel();
  }
}
