import { setTimeout as delay } from 'node:timers/promises';
import { limitTable } from '@rostrum/shared/limits.ts';
import type { Logger } from '../../runtime/logger.ts';
import { restoreMs as defaultRestoreMs, type Epochs } from '../epoch.ts';
import { StateUnavailable } from '../room-store.ts';
import { parseRedisUrl } from '../url-of-redis.ts';
import { createKeys, type Keys } from './keys.ts';
import { RedisClient } from './redis-client.ts';
import { createRedisClock, type RedisClock } from './redis-clock.ts';
import { RedisEpochs } from './redis-epochs.ts';
import { awayReason, faultOf, inWords } from './redis-errors.ts';
import { judgeServer } from './server-info.ts';
import { type EpochMark, EpochOver, type Reply, type Results, type Transaction } from './transaction.ts';

/** How much of `answerMs` is waited for an answer of Redis; the rest is for what the caller does around it. */
const patience = 0.8;
/** How much of `answerMs` is waited at least for the answer to a write, so that one that comes late hears that it has expired. */
const leastPatience = 0.2;
/** How far this node's idea of Redis' clock may be off, in milliseconds: ten times what is usual (redis-clock.ts). */
const clockErrorMs = 20;
/** Transactions that wait for an answer (RE-5): more than Redis carries out in a tenth of a second. */
const mostWaiting = 10_000;
/** How long a refusal by Redis makes this node not ready, in milliseconds: until whoever asks has noticed. */
const refusalMs = 10_000;

export type RedisConnectionOptions = {
  /** One Redis, or the Sentinels that know where it is (url-of-redis.ts). */
  readonly url: string;
  /** What every key begins with. */
  readonly prefix: string;
  readonly logger: Logger;
  /** RE-4: within how many milliseconds there is an answer, or none any more. */
  readonly answerMs?: number;
  /** How many milliseconds the first connection is tried: enough for a Redis that is started together with this node. */
  readonly openMs?: number;
  /** How long it is filled again after it came back empty (epoch.ts). */
  readonly restoreMs?: number;
};

export type RedisReadiness = { readonly ready: true } | { readonly ready: false; readonly why: string };

/** A connection to Redis that finds its way back by itself. What it cannot do now it refuses: nothing is kept for later. */
export type RedisConnection = {
  readonly keys: Keys;
  /** The time of Redis, by which everything goes that expires or becomes due. */
  readonly clock: RedisClock;
  /** What is asked below goes by the epoch that this node has adopted. */
  readonly epochs: Epochs;
  /** Reads, all of one moment. @throws StateUnavailable */
  read(transaction: Transaction): Promise<Results>;
  /** The same, if the guards hold. @throws StateUnavailable */
  readIf<Code extends string>(transaction: Transaction<Code>): Promise<Reply<Code>>;
  /**
   * Compares and writes, all or nothing, unless so much time has passed that nobody waits for it. Where it throws StateUnavailable
   * it will not happen later: what was sent is given up only when it has expired. It may have happened before, and the answer
   * been lost.
   * @throws StateUnavailable
   */
  write<Code extends string>(transaction: Transaction<Code>): Promise<Reply<Code>>;
  /** The same, unless Redis' clock has passed `expiresAt`, in milliseconds since the epoch. @throws StateUnavailable */
  writeBy<Code extends string>(transaction: Transaction<Code>, expiresAt: number): Promise<Reply<Code | 'expired'>>;
  /** Whether Redis serves this node; `why` holds no secret and no address. */
  ready(): RedisReadiness;
  close(): Promise<void>;
};

/**
 * Connects, and resolves when Redis is ready, its time is known and an epoch is open. Rejects with the reason where the URL is none of ours, where
 * nothing answers, or where it is a Redis that cannot serve.
 */
export const openRedis = async (options: RedisConnectionOptions): Promise<RedisConnection> => {
  const { url, prefix, logger, answerMs = limitTable.unavailableMs.value, openMs = 5000 } = options;
  const { restoreMs = defaultRestoreMs } = options;
  const target = parseRedisUrl(url);
  if ('problem' in target) throw new Error(`the URL of Redis ${target.problem}`);
  const client = new RedisClient({ address: target.address, logger, greetingMs: answerMs });
  const connection = new Connection({ client, logger, keys: createKeys(prefix), answerMs, restoreMs });
  try {
    await client.connect(openMs);
    const { objection, warning } = judgeServer(await client.info());
    if (objection !== undefined) throw new Error(`this Redis ${objection}`);
    if (warning !== undefined) logger.warn(warning);
    await connection.learnTime();
    await connection.epochs.join();
  } catch (error) {
    await connection.close();
    throw error;
  }
  return connection;
};

/** Thrown where an answer did not come in time. */
class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

class Connection implements RedisConnection {
  readonly keys: Keys;
  readonly clock: RedisClock;
  readonly epochs: RedisEpochs;
  readonly #client: RedisClient;
  readonly #patienceMs: number;
  readonly #leastMs: number;
  #waiting = 0;
  /** Whether the time was asked for since it was connected: another machine may be the master now. */
  #knowsTime = false;
  /** What Redis last refused to do for anybody, and when by the monotonic clock. */
  #refusal: { readonly why: string; readonly at: number } | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: { client: RedisClient; keys: Keys; logger: Logger; answerMs: number; restoreMs: number }) {
    this.keys = parts.keys;
    this.#client = parts.client;
    this.#patienceMs = parts.answerMs * patience;
    this.#leastMs = parts.answerMs * leastPatience;
    // The clock asks every second: so a Redis that hangs is noticed without anybody waiting for it.
    const time = (): Promise<number> => this.#ask(() => this.#client.time(), this.#patienceMs);
    this.clock = createRedisClock({ time, logger: parts.logger });
    this.epochs = new RedisEpochs({
      keys: parts.keys,
      restoreMs: parts.restoreMs,
      bare: {
        now: () => this.clock.measured(),
        read: async (transaction) => resultsOf(await this.#readNow(transaction, undefined)),
        write: (transaction) => this.#writeSoon(transaction, undefined),
      },
    });
    this.#client.watch({
      ready: () => void this.#isBack(),
      lost: () => {
        this.#knowsTime = false;
      },
    });
  }

  /** Asks for the time. Nothing is written before that: what it would expire by is not known. */
  async learnTime(): Promise<void> {
    await this.clock.sync();
    this.#knowsTime = true;
  }

  /** What cannot be asked now is noticed by whoever asks next. */
  async #isBack(): Promise<void> {
    try {
      await this.learnTime();
    } catch {
      return this.#client.drop();
    }
    await this.epochs.check().catch(() => undefined);
  }

  async read(transaction: Transaction): Promise<Results> {
    return resultsOf(await this.readIf(transaction));
  }

  async readIf<Code extends string>(transaction: Transaction<Code>): Promise<Reply<Code>> {
    return this.#readNow(transaction, this.#epoch());
  }

  async write<Code extends string>(transaction: Transaction<Code>): Promise<Reply<Code>> {
    return this.#writeSoon(transaction, this.#epoch());
  }

  async writeBy<Code extends string>(
    transaction: Transaction<Code>,
    expiresAt: number,
  ): Promise<Reply<Code | 'expired'>> {
    const now = this.clock.measured();
    const until = Math.min(expiresAt, now + this.#patienceMs);
    const patienceMs = Math.max(until - now, this.#leastMs) + clockErrorMs;
    return (await this.#transact(transaction, { until, patienceMs }, this.#epoch())) ?? { code: 'expired' };
  }

  ready(): RedisReadiness {
    const { problem } = this.#client;
    if (problem !== undefined) return { ready: false, why: problem };
    if (!this.#knowsTime) return { ready: false, why: 'the time of Redis is not known yet' };
    if (this.#refusal && performance.now() - this.#refusal.at < refusalMs)
      return { ready: false, why: this.#refusal.why };
    if (!this.epochs.isOpen) return { ready: false, why: 'Redis came back empty and is being filled' };
    return { ready: true };
  }

  close(): Promise<void> {
    this.clock.close();
    this.#closing ??= this.#client.close();
    return this.#closing;
  }

  #epoch(): EpochMark {
    return { key: this.keys.epoch, mark: this.epochs.mark() };
  }

  async #readNow<Code extends string>(
    transaction: Transaction<Code>,
    epoch: EpochMark | undefined,
  ): Promise<Reply<Code>> {
    return inTime(await this.#transact(transaction, { until: undefined, patienceMs: this.#patienceMs }, epoch));
  }

  async #writeSoon<Code extends string>(
    transaction: Transaction<Code>,
    epoch: EpochMark | undefined,
  ): Promise<Reply<Code>> {
    const until = this.clock.measured() + this.#patienceMs;
    return inTime(await this.#transact(transaction, { until, patienceMs: this.#patienceMs + clockErrorMs }, epoch));
  }

  async #transact<Code extends string>(
    transaction: Transaction<Code>,
    { until, patienceMs }: { until: number | undefined; patienceMs: number },
    epoch?: EpochMark,
  ): Promise<Reply<Code> | undefined> {
    if (until !== undefined && !this.#knowsTime) throw new StateUnavailable('the time of Redis is not known yet');
    const { keys, words } = transaction.encode(until, epoch);
    try {
      return transaction.reply(await this.#ask(() => this.#client.transact(keys, words), patienceMs));
    } catch (error) {
      if (error instanceof EpochOver && epoch) this.epochs.over(epoch.mark);
      // A write may be on its way to Redis still, and may happen until it has expired.
      const isUnknown = error instanceof NoAnswer || faultOf(error) === 'lost';
      if (isUnknown && until !== undefined) await this.#pass(until + clockErrorMs);
      throw this.#meant(error);
    }
  }

  /** Asks, and waits no longer than this. A connection that does not answer is dropped, and nothing more is sent into it. */
  async #ask<Value>(send: () => Promise<Value>, patienceMs: number): Promise<Value> {
    if (this.#waiting >= mostWaiting) throw new StateUnavailable('too much waits for Redis already');
    this.#waiting += 1;
    try {
      return await answerWithin(send(), patienceMs);
    } catch (error) {
      // Whoever waited only for the rest of their time learned nothing about the connection.
      if (error instanceof NoAnswer && patienceMs >= this.#patienceMs) this.#client.drop();
      throw error;
    } finally {
      this.#waiting -= 1;
    }
  }

  /** What to throw for this: StateUnavailable where Redis is away, bugs as they are. */
  #meant(error: unknown): unknown {
    if (!(error instanceof NoAnswer) && faultOf(error) === 'bug') return inWords(error);
    const why = awayReason(error);
    if (why !== undefined) this.#refusal = { why, at: performance.now() };
    return error instanceof StateUnavailable ? error : new StateUnavailable(why ?? 'Redis is away', { cause: error });
  }

  async #pass(until: number): Promise<void> {
    const remainingMs = until - this.clock.measured();
    if (remainingMs > 0) await delay(remainingMs);
  }
}

const resultsOf = (reply: Reply<never>): Results => (reply.code === 'done' ? reply.results : (reply satisfies never));

const inTime = <Value>(reply: Value | undefined): Value => {
  if (reply === undefined) throw new StateUnavailable('it reached Redis too late');
  return reply;
};

/**
 * Rejects with NoAnswer where the answer does not come in time. Before that, what has arrived is read: a process that was
 * busy or stopped for a while finds its timers due first, and the answers behind them.
 */
const answerWithin = <Value>(answer: Promise<Value>, patienceMs: number): Promise<Value> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(() => reject(new NoAnswer('Redis did not answer'))), patienceMs);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
