/** Thrown where too many tasks already wait for their turn. */
export class QueueFull extends Error {
  override readonly name = 'QueueFull';
}

/**
 * Runs tasks of one key one after the other, and those of different keys side by side. At most `mostWaiting` tasks of a
 * key wait; a key that has none left takes no memory.
 */
export class KeyedQueue {
  readonly #mostWaiting: number;
  readonly #tails = new Map<string, { tail: Promise<unknown>; waiting: number }>();

  constructor(mostWaiting: number) {
    this.#mostWaiting = mostWaiting;
  }

  /** Runs `task` after all tasks of this key that came before. @throws QueueFull, and what the task throws */
  async run<Value>(key: string, task: () => Promise<Value>): Promise<Value> {
    const line = this.#tails.get(key) ?? { tail: Promise.resolve(), waiting: 0 };
    if (line.waiting >= this.#mostWaiting) throw new QueueFull(`more than ${this.#mostWaiting} tasks wait`);
    line.waiting += 1;
    const running = line.tail.then(task);
    // Those that come after wait for the end of this task, however it ends.
    line.tail = running.then(
      () => undefined,
      () => undefined,
    );
    this.#tails.set(key, line);
    try {
      return await running;
    } finally {
      line.waiting -= 1;
      if (line.waiting === 0) this.#tails.delete(key);
    }
  }
}
