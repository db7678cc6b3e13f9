import { readFileSync } from 'node:fs';
import { StateUnavailable } from '../room-store.ts';
import { corrupt } from './corrupt.ts';
import type { Key, KeyType } from './keys.ts';

/** The script that carries transactions out. What it does, takes and answers is written at its beginning. */
export const transactScript = readFileSync(new URL('transact.lua', import.meta.url), 'utf8');

const letters: Readonly<Record<KeyType, string>> = { hash: 'h', zset: 'z', set: 's', string: 'v' };

export type Guard = 'exists' | 'missing' | 'equals' | 'absent' | 'older' | 'scored' | 'below' | 'exactly';

/** Redis' own commands that are used, and the composite steps of the script. */
export type StepName =
  | 'DEL'
  | 'GET'
  | 'HDEL'
  | 'HGET'
  | 'HGETALL'
  | 'HINCRBY'
  | 'HLEN'
  | 'HMGET'
  | 'HSET'
  | 'PEXPIRE'
  | 'SADD'
  | 'SCARD'
  | 'SET'
  | 'SMEMBERS'
  | 'SREM'
  | 'UNLINK'
  | 'ZADD'
  | 'ZCARD'
  | 'ZCOUNT'
  | 'ZRANGEBYLEX'
  | 'ZRANGEBYSCORE'
  | 'ZREM'
  | 'append'
  | 'entries'
  | 'fill'
  | 'forget'
  | 'newest'
  | 'page'
  | 'raise'
  | 'unless'
  | 'unlist';

type Word = Key | string | number;

/** The epoch that a transaction goes by (redis-epochs.ts). */
export type EpochMark = { readonly key: Key<'hash'>; readonly mark: string };

/** The code of the guard on the epoch. */
const epochOver = 'epoch';

/** Thrown where a transaction goes by an epoch that is not the one of Redis. */
export class EpochOver extends StateUnavailable {}

/** The place of a step in the answer. */
export type Step = number;

/**
 * What is to be compared and written, all or nothing, in one round trip. `Code` are the codes that its guards answer with where
 * they do not hold.
 */
export class Transaction<Code extends string = never> {
  readonly #keys = new Map<string, { readonly place: number; readonly type: KeyType }>();
  readonly #guards: string[] = [];
  readonly #steps: string[] = [];
  readonly #codes = new Set<Code>();
  #guardCount = 0;
  #stepCount = 0;

  /** Goes on only if this holds; else the answer is `code`. */
  guard(code: Code, name: Guard, ...words: readonly Word[]): void {
    this.#guards.push(name, String(words.length + 1), code, ...words.map((word) => this.#encode(word)));
    this.#codes.add(code);
    this.#guardCount += 1;
  }

  step(name: StepName, ...words: readonly Word[]): Step {
    this.#steps.push(name, String(words.length), ...words.map((word) => this.#encode(word)));
    this.#stepCount += 1;
    return this.#stepCount;
  }

  /** The keys and arguments of the script. With an epoch it is carried out only in that one. */
  encode(expiresAt: number | undefined, epoch?: EpochMark): { keys: string[]; words: string[] } {
    const first = epoch ? ['equals', '4', epochOver, this.#encode(epoch.key), 'mark', epoch.mark] : [];
    const count = this.#guardCount + (epoch ? 1 : 0);
    const types = [...this.#keys.values()].map(({ type }) => letters[type]).join('');
    const expiry = expiresAt === undefined ? '' : String(Math.floor(expiresAt));
    return {
      keys: [...this.#keys.keys()],
      words: [expiry, types, String(count), ...first, ...this.#guards, ...this.#steps],
    };
  }

  /**
   * Reads the script's answer; undefined where it had expired.
   * @throws CorruptState where it is no answer, EpochOver where the epoch is another
   */
  reply(answer: unknown): Reply<Code> | undefined {
    if (!Array.isArray(answer)) return corrupt('the answer of a transaction', 'is no list');
    const code: unknown = answer[0];
    if (code === 'expired') return undefined;
    if (code === epochOver) throw new EpochOver('Redis lost what it held');
    if (code === 'done') return { code, results: new Results(answer) };
    for (const known of this.#codes) if (known === code) return { code: known };
    return corrupt('the answer of a transaction', 'has a code that nobody gave');
  }

  #encode(word: Word): string {
    if (typeof word !== 'object') return String(word);
    const known = this.#keys.get(word.name);
    if (known) return String(known.place);
    const place = this.#keys.size + 1;
    this.#keys.set(word.name, { place, type: word.type });
    return String(place);
  }
}

/** What a transaction came to: it was carried out, or the guard with this code did not hold. */
export type Reply<Code extends string> = { readonly code: 'done'; readonly results: Results } | { readonly code: Code };

/** What the steps of a transaction came to. @throws CorruptState where that is not what the step answers with */
export class Results {
  readonly #answer: readonly unknown[];

  constructor(answer: readonly unknown[]) {
    this.#answer = answer;
  }

  count(step: Step): number {
    const value = this.#answer[step];
    return typeof value === 'number'
      ? value
      : corrupt('the answer of a transaction', 'has no number where one belongs');
  }

  text(step: Step): string | null {
    return textOf(this.#answer[step]);
  }

  texts(step: Step): (string | null)[] {
    return listOf(this.#answer[step]).map(textOf);
  }

  /** Of the step `page`: its members, and the score of the last one. */
  page(step: Step): { members: string[]; score: number } {
    const [score, members] = listOf(this.#answer[step]);
    return {
      members: listOf(members)
        .map(textOf)
        .filter((member) => member !== null),
      score: Number(score),
    };
  }
}

const listOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : corrupt('the answer of a transaction', 'has no list where one belongs');

const textOf = (value: unknown): string | null =>
  value === null || typeof value === 'string'
    ? value
    : corrupt('the answer of a transaction', 'has no text where one belongs');
