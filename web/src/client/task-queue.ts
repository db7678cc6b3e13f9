import { RostrumError } from './errors.ts';

const closed = (): RostrumError => new RostrumError('unavailable', 'This was closed in the meantime.');

/** Runs asynchronous tasks one after the other. At most `limit` wait; one more is refused with `unavailable` (RE-5). */
export class TaskQueue {
  readonly #limit: number;
  #waiting = 0;
  #tail: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Settles as the task does. After `close` tasks that have not begun are refused. */
  run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(closed());
    if (this.#waiting >= this.#limit) {
      return Promise.reject(new RostrumError('unavailable', 'Too much is going on at once. Try again.'));
    }
    this.#waiting += 1;
    const turn = this.#tail.then(() => {
      this.#waiting -= 1;
      if (this.#closed) throw closed();
      return task();
    });
    this.#tail = turn.catch(() => undefined);
    return turn;
  }

  close(): void {
    this.#closed = true;
  }
}
