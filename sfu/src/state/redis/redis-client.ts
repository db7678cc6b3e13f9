import { setTimeout as delay } from 'node:timers/promises';
import { Redis, type Result } from 'ioredis';
import type { Logger } from '../../runtime/logger.ts';
import type { RedisAddress } from '../url-of-redis.ts';
import { awayReason, isReplica, withoutCommand } from './redis-errors.ts';
import { transactScript } from './transaction.ts';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    /** The script of transaction.ts: how many keys, the keys, the other words. */
    transact(keyCount: number, ...words: string[]): Result<unknown, Context>;
  }
}

/** How long a TCP and TLS connection may take, in milliseconds, before it is tried anew. */
export const connectMs = 2000;
/** Between tries to connect: the first and the longest pause, in milliseconds. Half of each is by chance, so nodes do not come at once. */
const retryFirstMs = 50;
const retryMostMs = 1000;
const noAnswer = 'Redis does not answer';
/** How long `close` waits for answers and for the connection to end, in milliseconds. */
export const closeMs = 500;

export type RedisClientOptions = {
  readonly address: RedisAddress;
  readonly logger: Logger;
  /** Milliseconds after which a greeting that is not answered ends the attempt to connect. */
  readonly greetingMs: number;
};

/** One ioredis client: how it is set up, how it connects, and what is the matter while it cannot. */
export class RedisClient {
  readonly #logger: Logger;
  readonly #redis: Redis;
  #problem: string | undefined = 'Redis is not connected yet';
  /** Why it was lost, or cannot be reached; undefined while all is well. */
  #lastError: Error | undefined;
  #isClosing = false;

  constructor({ address, logger, greetingMs }: RedisClientOptions) {
    this.#logger = logger;
    this.#redis = new Redis({ ...address, ...behaviour(greetingMs) });
    this.#redis.on('ready', () => this.#isReady());
    this.#redis.on('error', (error) => this.#hasFailed(error));
    this.#redis.on('close', () => this.#isLost());
  }

  /** Why it cannot be used now, in words that hold no secret and no address. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Tells of every time that it is connected, and of every time that it is not any more. */
  watch({ ready, lost }: { ready: () => void; lost: () => void }): void {
    this.#redis.on('ready', ready);
    this.#redis.on('close', lost);
  }

  /** Connects, and goes on doing so for the rest of its life. Rejects where nothing came of it within these milliseconds. */
  async connect(openMs: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error(`Redis cannot be reached: ${this.#why()}`)), openMs);
    const failed = (error: Error): void => {
      // Nothing changes about these by waiting.
      if (/^(WRONGPASS|NOAUTH|NOPERM)/.test(error.message)) reject(new Error(`${awayReason(error)}`, { cause: error }));
      // ioredis would go on in database 0, which may be another application's.
      if (/^ERR (DB index|invalid DB)/i.test(error.message))
        reject(new Error('Redis has no database of the number in REDIS_URL', { cause: error }));
    };
    this.#redis.on('error', failed);
    this.#redis.once('ready', resolve);
    // What this rejects with comes as an error event too, and then it is tried again.
    this.#redis.connect().catch(() => undefined);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#redis.off('error', failed);
      this.#redis.off('ready', resolve);
    }
  }

  async transact(keys: readonly string[], words: readonly string[]): Promise<unknown> {
    try {
      return await this.#redis.transact(keys.length, ...keys, ...words);
    } catch (error) {
      throw withoutCommand(error);
    }
  }

  info(): Promise<string> {
    return this.#redis.info();
  }

  /** The time of Redis in milliseconds, with fractions. */
  async time(): Promise<number> {
    const [seconds, microseconds] = await this.#redis.time();
    return Number(seconds) * 1000 + Number(microseconds) / 1000;
  }

  /** Gives this connection up and makes a new one: what it is waiting for is not coming, and must not pile up. */
  drop(): void {
    this.#hasFailed(new Error(noAnswer));
    this.#problem = noAnswer;
    this.#redis.stream?.destroy();
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    const patience = (): Promise<unknown> => delay(closeMs, undefined, { ref: false });
    if (this.#redis.status === 'ready') await Promise.race([this.#redis.quit().catch(() => undefined), patience()]);
    const hasSocket = ['connecting', 'connect', 'ready', 'close'].includes(this.#redis.status);
    const ended = new Promise<void>((resolve) => this.#redis.once('end', resolve));
    this.#redis.disconnect();
    if (hasSocket) await Promise.race([ended, patience()]);
    this.#problem = 'the connection to Redis is closed';
  }

  #isReady(): void {
    if (this.#lastError) this.#logger.info('Redis is connected again');
    this.#problem = undefined;
    this.#lastError = undefined;
  }

  #hasFailed(error: Error): void {
    withoutCommand(error);
    // While it is tried again and again, once is enough.
    if (!this.#lastError && !this.#isClosing) this.#logger.warn({ err: error }, 'the connection to Redis failed');
    this.#lastError = error;
    this.#problem = awayReason(error) ?? this.#problem ?? 'Redis is not connected';
  }

  #isLost(): void {
    if (!this.#lastError) this.#hasFailed(new Error('Redis closed the connection'));
  }

  #why(): string {
    const error = this.#lastError;
    if (!error) return 'nothing answered';
    return awayReason(error) ?? (error.message || ('code' in error ? String(error.code) : error.name));
  }
}

/**
 * Nothing is kept for later: no offline queue, nothing sent again, and what waits when the connection breaks is rejected at once
 * (`maxRetriesPerRequest: 0`; ioredis' own default is to wait for 20 tries). No automatic pipelining: it sends nothing while
 * a batch is under way, so a command would wait for two round trips, and in front of a Redis that hangs without any limit of
 * time. What is sent in one tick shares the connection anyway.
 */
const behaviour = (greetingMs: number) => ({
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  enableAutoPipelining: false,
  // Answers are watched over in connection.ts, which comes first; this ends a greeting that nobody answers.
  commandTimeout: greetingMs,
  sentinelCommandTimeout: greetingMs,
  connectTimeout: connectMs,
  disconnectTimeout: closeMs,
  maxLoadingRetryTime: retryMostMs,
  retryStrategy: pauseBefore,
  sentinelRetryStrategy: pauseBefore,
  reconnectOnError: isReplica,
  connectionName: 'rostrum',
  // Redis before 7.2 does not know the command.
  disableClientInfo: true,
  scripts: { transact: { lua: transactScript } },
});

export const pauseBefore = (attempt: number): number => {
  const longest = Math.min(retryFirstMs * 2 ** (attempt - 1), retryMostMs);
  return longest * (0.5 + Math.random() / 2);
};
