/** The timers of one owner: none fires, and none can be set, after `close`. */
export class Timers {
  /** Those who are to be told that they wait in vain. */
  readonly #waiting = new Set<() => void>();
  readonly #pending = new Set<ReturnType<typeof setTimeout>>();
  #closed = false;

  /** Runs `action` once in `ms` milliseconds, unless the returned function is called before. */
  after(ms: number, action: () => void): () => void {
    if (this.#closed) return () => undefined;
    const timer = setTimeout(() => {
      this.#pending.delete(timer);
      action();
    }, ms);
    this.#pending.add(timer);
    return () => {
      clearTimeout(timer);
      this.#pending.delete(timer);
    };
  }

  /** Resolves in `ms` milliseconds, or never after `close`. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }

  /** Resolves with true in `ms` milliseconds, or with false at `close`. */
  passes(ms: number): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (): void => resolve(false);
      this.#waiting.add(end);
      this.after(ms, () => {
        this.#waiting.delete(end);
        resolve(true);
      });
    });
  }

  close(): void {
    this.#closed = true;
    for (const end of this.#waiting) end();
    this.#waiting.clear();
    for (const timer of this.#pending) clearTimeout(timer);
    this.#pending.clear();
  }
}

/** Settles as `promise` does, or rejects with what `late` makes after `ms` milliseconds. */
export const within = async <T>(ms: number, promise: Promise<T>, late: () => Error): Promise<T> => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
};
