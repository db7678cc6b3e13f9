import { unreachable } from './errors.ts';
import type { Timers } from './timers.ts';

type Waiter = { readonly go: () => void; readonly fail: (error: Error) => void };

/** What waits for the connection: at most `limit` at a time; one more is refused with `network` (RE-5). */
export class Waiting {
  readonly #limit: number;
  readonly #timers: Timers;
  readonly #waiters = new Set<Waiter>();

  constructor(limit: number, timers: Timers) {
    this.#limit = limit;
    this.#timers = timers;
  }

  /** Resolves at the next `go`. @throws RostrumError `network` at the next `fail`, and after so many milliseconds */
  wait(ms: number): Promise<void> {
    if (this.#waiters.size >= this.#limit) return Promise.reject(unreachable());
    return new Promise((resolve, reject) => {
      const waiter = { go: resolve, fail: reject };
      this.#waiters.add(waiter);
      this.#timers.after(ms, () => {
        if (this.#waiters.delete(waiter)) reject(unreachable());
      });
    });
  }

  go(): void {
    for (const { go } of this.#taken()) go();
  }

  fail(): void {
    for (const { fail } of this.#taken()) fail(unreachable());
  }

  #taken(): Waiter[] {
    const waiting = [...this.#waiters];
    this.#waiters.clear();
    return waiting;
  }
}
