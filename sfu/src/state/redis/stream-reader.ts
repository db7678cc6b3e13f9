import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Logger } from '../../runtime/logger.ts';
import { awayReason, withoutCommand } from './redis-errors.ts';

/** How long a read waits after an error before it answers that nothing came, in milliseconds: the adapter asks again at once. */
const pauseMs = 100;

/** Words of `XREAD … STREAMS name id`. */
type Words = readonly (string | number)[];

/** Reads a stream for a loop that asks for the next entries as soon as it has an answer, whatever that was. Never rejects. */
export class StreamReader {
  readonly #redis: Redis;
  readonly #logger: Logger;
  #isClosed = false;
  /** Whether this may be another stream than before: Redis came back empty, or another machine is the master now. */
  #isNew = false;
  /** Where to read on in a stream that ends before what was read of an earlier one; undefined where that goes on. */
  #restart: string | undefined;
  #told = false;

  constructor(redis: Redis, logger: Logger) {
    this.#redis = redis;
    this.#logger = logger;
    redis.on('ready', () => {
      this.#isNew = true;
    });
  }

  /** Entries, or null where none came in time. Once closed it answers nothing any more, which ends the loop. */
  async read(words: Words): Promise<unknown> {
    try {
      const entries = await this.#readOn(words);
      this.#told = false;
      if (!this.#isClosed) return entries;
    } catch (error) {
      this.#note(error);
      await delay(pauseMs, undefined, { ref: false });
      if (!this.#isClosed) return null;
    }
    return new Promise(() => undefined);
  }

  close(): void {
    this.#isClosed = true;
  }

  async #readOn(words: Words): Promise<unknown> {
    const offset = String(words.at(-1));
    const stream = String(words.at(-2));
    if (this.#isNew && offset !== '$') {
      this.#isNew = false;
      const last = await this.#lastOf(stream);
      // The ids of a stream come from Redis' clock, which on another machine, or set back, may be behind.
      this.#restart = isBefore(last, offset) ? last : undefined;
    }
    const entries = await this.#redis.call('xread', ...words.slice(0, -1), this.#restart ?? offset);
    if (entries !== null) this.#restart = undefined;
    return entries;
  }

  async #lastOf(stream: string): Promise<string> {
    try {
      const [last] = await this.#redis.xrevrange(stream, '+', '-', 'COUNT', 1);
      return last?.[0] ?? '0-0';
    } catch (error) {
      this.#isNew = true;
      throw error;
    }
  }

  #note(error: unknown): void {
    withoutCommand(error);
    // A broken connection is told of by itself; that Redis refuses is not.
    if (this.#told || this.#isClosed || !(error instanceof Error) || error.name !== 'ReplyError') return;
    this.#told = true;
    this.#logger.error({ err: error, why: awayReason(error) }, 'what other nodes tell cannot be read');
  }
}

const isBefore = (one: string, other: string): boolean => {
  const [oneMs = 0, oneNumber = 0] = one.split('-').map(Number);
  const [otherMs = 0, otherNumber = 0] = other.split('-').map(Number);
  return oneMs === otherMs ? oneNumber < otherNumber : oneMs < otherMs;
};
