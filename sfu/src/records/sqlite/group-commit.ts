import type { DatabaseSync } from 'node:sqlite';
import { RecordsUnavailableError } from '../errors.ts';
import { asRecordsError, isBusy } from './failures.ts';

/**
 * RE-5: writes that wait for a commit. Far above what a node can ask for in the second that one waits at most.
 */
const waitingMost = 10_000;
/** Writes in one transaction. At about 10 µs each it blocks the event loop for 5 ms, and then for the commit. */
const batchMost = 500;
/** How soon to try again, in milliseconds, when another process holds the write lock. */
const retryMs = 10;

type Write = {
  readonly since: number;
  /** Runs the statements. Throws what they throw. */
  attempt(): void;
  succeed(): void;
  fail(error: unknown): void;
};

/**
 * Writes everything that was asked for in one turn of the event loop in one transaction, in the order it was asked for.
 * A promise resolves after the commit, so that it means what it says, and a crowd that arrives at once shares one sync
 * of the disk instead of waiting for hundreds. A write that fails leaves the others of its transaction alone.
 */
export class GroupCommit {
  readonly #db: DatabaseSync;
  readonly #waitMs: number;
  readonly #waiting: Write[] = [];
  #scheduled = false;
  #closed: PromiseWithResolvers<void> | undefined;

  constructor(db: DatabaseSync, waitMs: number) {
    this.#db = db;
    this.#waitMs = waitMs;
  }

  write<T>(run: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(new RecordsUnavailableError('The records are closed'));
    if (this.#waiting.length >= waitingMost) {
      return Promise.reject(new RecordsUnavailableError(`${waitingMost} records wait to be written already`));
    }
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let settle = (): void => reject(new Error('settled before it ran'));
    this.#waiting.push({
      since: performance.now(),
      attempt: () => {
        const value = run();
        settle = () => resolve(value);
      },
      succeed: () => settle(),
      fail: (error) => reject(asRecordsError(error)),
    });
    this.#schedule(0);
    return promise;
  }

  /** Resolves when all that waits was written or has failed. Nothing is taken after the call. */
  close(): Promise<void> {
    this.#closed ??= Promise.withResolvers<void>();
    if (this.#waiting.length === 0) this.#closed.resolve();
    return this.#closed.promise;
  }

  #schedule(delayMs: number): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const turn = (): void => {
      this.#scheduled = false;
      this.#turn();
    };
    if (delayMs > 0) setTimeout(turn, delayMs);
    else setImmediate(turn);
  }

  #turn(): void {
    const failure = this.#begin();
    if (failure === undefined) this.#commit(this.#waiting.splice(0, batchMost));
    else this.#giveUpOn(failure);
    if (this.#waiting.length > 0) this.#schedule(failure === undefined ? 0 : retryMs);
    else this.#closed?.resolve();
  }

  #begin(): { error: unknown } | undefined {
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      return undefined;
    } catch (error) {
      return { error };
    }
  }

  /** Another process may hold the lock for a moment. Whoever waited for long enough, or for something else, is told. */
  #giveUpOn({ error }: { error: unknown }): void {
    const since = isBusy(error) ? performance.now() - this.#waitMs : Number.POSITIVE_INFINITY;
    const kept = this.#waiting.findIndex((write) => write.since > since);
    for (const write of this.#waiting.splice(0, kept === -1 ? this.#waiting.length : kept)) write.fail(error);
  }

  #commit(batch: readonly Write[]): void {
    const settled: (() => void)[] = [];
    try {
      for (const write of batch) {
        const error = this.#attempt(write);
        settled.push(error === undefined ? () => write.succeed() : () => write.fail(error));
      }
      this.#db.exec('COMMIT');
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      for (const write of batch) write.fail(error);
      return;
    }
    for (const settle of settled) settle();
  }

  /** Answers what a write failed with. Throws where SQLite gave up the whole transaction, as it does on a full disk. */
  #attempt(write: Write): unknown {
    this.#db.exec('SAVEPOINT one');
    try {
      write.attempt();
      this.#db.exec('RELEASE one');
      return undefined;
    } catch (error) {
      if (!this.#db.isTransaction) throw error;
      this.#db.exec('ROLLBACK TO one; RELEASE one');
      return error ?? new Error('a write failed without saying why');
    }
  }
}
