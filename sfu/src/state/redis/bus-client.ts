import { setTimeout as delay } from 'node:timers/promises';
import { limitTable } from '@rostrum/shared/limits.ts';
import { Redis } from 'ioredis';
import type { Logger } from '../../runtime/logger.ts';
import type { BusConnection } from '../bus-connection.ts';
import { parseRedisUrl, type RedisAddress } from '../url-of-redis.ts';
import { createKeys } from './keys.ts';
import { closeMs, connectMs, pauseBefore } from './redis-client.ts';
import { awayReason, isReplica, withoutCommand } from './redis-errors.ts';
import { StreamReader } from './stream-reader.ts';

/**
 * Entries of the stream: some seconds of a busy cluster, for a node that was stopped or cut off for a moment to catch up with.
 * Who was away for longer notices what is missing (streams-bus.ts). At the usual half a kilobyte, 3 MB of Redis.
 */
const mostEntries = 5000;
/** How long Redis holds a read that finds nothing, in milliseconds: the longest that an end of this node waits for it. */
const readMs = 2000;
/** Entries that wait for their answer at a time (RE-5): more than Redis takes in a tenth of a second. */
const mostWaiting = 2000;
/** A stream that no node has written to for an hour goes; its life is prolonged every 10 minutes, in milliseconds. */
const keptMs = 60 * 60_000;
const prolongMs = 10 * 60_000;

export type BusConnectionOptions = {
  readonly url: string;
  readonly prefix: string;
  readonly logger: Logger;
  /** Within how many milliseconds Redis answers, or is away (RE-4). */
  readonly answerMs?: number;
};

/**
 * The Streams adapter's connections to Redis, apart from those of the live state: one writes entries, another one waits for
 * them. The adapter reads in a loop without any pause, so a client that refused at once would freeze the process: reading
 * keeps ioredis' queue for a connection that is not there yet, and pauses after an error (stream-reader.ts). Writing never uses that
 * queue: an entry that cannot be sent now is dropped, and who tells it knows.
 * @throws where the URL is none of ours
 */
export const openBusConnection = (options: BusConnectionOptions): BusConnection => {
  const target = parseRedisUrl(options.url);
  if ('problem' in target) throw new Error(`the URL of Redis ${target.problem}`);
  return new StreamClient({ answerMs: limitTable.unavailableMs.value, ...options, address: target.address });
};

class StreamClient implements BusConnection {
  readonly stream: string;
  readonly mostEntries = mostEntries;
  readonly readMs = readMs;
  readonly #logger: Logger;
  readonly #writer: Redis;
  readonly #reader: Redis;
  readonly #reading: StreamReader;
  #isReady = false;
  #waiting = 0;
  #prolongedAt = Number.NEGATIVE_INFINITY;
  #isClosing = false;

  constructor({
    address,
    prefix,
    logger,
    answerMs,
  }: BusConnectionOptions & { address: RedisAddress; answerMs: number }) {
    this.#logger = logger;
    this.stream = createKeys(prefix).bus;
    this.#writer = new Redis({ ...address, ...behaviour(answerMs) });
    this.#reader = new Redis({ ...address, ...behaviour(readMs + answerMs) });
    this.#reading = new StreamReader(this.#reader, logger);
    this.#writer.on('ready', () => {
      this.#isReady = true;
    });
    this.#writer.on('close', () => {
      this.#isReady = false;
    });
    for (const redis of [this.#writer, this.#reader]) this.#watchErrors(redis);
  }

  /** What the adapter calls of an ioredis client, and nothing else: it subscribes to channels as well, which nothing of ours uses. */
  get client(): object {
    return {
      options: {},
      xadd: (words: readonly (string | number)[]) => this.#add(words),
      duplicate: () => ({
        options: {},
        on: () => undefined,
        xread: (...words: readonly (string | number)[]) => this.#reading.read(words),
        subscribe: () => undefined,
        disconnect: () => undefined,
      }),
    };
  }

  takes(): boolean {
    return this.#isReady && !this.#isClosing && this.#waiting < mostWaiting;
  }

  waiting(): number {
    return this.#waiting;
  }

  whenReady(act: () => void): void {
    this.#writer.on('ready', act);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#reading.close();
    await Promise.all([disconnect(this.#writer), disconnect(this.#reader)]);
  }

  async #add(words: readonly (string | number)[]): Promise<string | null> {
    if (!this.takes()) throw new Error('the bus takes nothing now');
    this.#waiting += 1;
    try {
      const [, ...rest] = words;
      const added = this.#writer.call('xadd', this.stream, ...rest);
      this.#prolong();
      return String(await added);
    } catch (error) {
      throw withoutCommand(error);
    } finally {
      this.#waiting -= 1;
    }
  }

  /** The stream outlives the nodes by an hour alone. */
  #prolong(): void {
    const now = performance.now();
    if (now - this.#prolongedAt < prolongMs) return;
    this.#prolongedAt = now;
    this.#writer.pexpire(this.stream, keptMs).catch(() => {
      this.#prolongedAt = Number.NEGATIVE_INFINITY;
    });
  }

  /** Says once for each outage what is the matter. */
  #watchErrors(redis: Redis): void {
    let told = false;
    redis.on('ready', () => {
      told = false;
    });
    redis.on('error', (error: Error) => {
      withoutCommand(error);
      if (told || this.#isClosing) return;
      told = true;
      this.#logger.warn({ err: error, why: awayReason(error) }, 'the connection between nodes over Redis failed');
    });
  }
}

/**
 * The offline queue stays as ioredis has it; what is in it, or waits for an answer, is rejected when the connection breaks, and
 * never sent again: reading asks anew for what comes after what it has. A connection that does not answer is dropped.
 */
const behaviour = (silentMs: number) => ({
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  socketTimeout: silentMs,
  connectTimeout: connectMs,
  disconnectTimeout: closeMs,
  retryStrategy: pauseBefore,
  sentinelRetryStrategy: pauseBefore,
  reconnectOnError: isReplica,
  connectionName: 'rostrum-bus',
  disableClientInfo: true,
});

const disconnect = async (redis: Redis): Promise<void> => {
  const hasSocket = ['connecting', 'connect', 'ready', 'close'].includes(redis.status);
  const ended = new Promise<void>((resolve) => redis.once('end', resolve));
  redis.disconnect();
  if (hasSocket) await Promise.race([ended, delay(closeMs, undefined, { ref: false })]);
};
