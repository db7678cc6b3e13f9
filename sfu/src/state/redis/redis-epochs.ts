import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { newId } from '../../runtime/ids.ts';
import type { Epoch, Epochs } from '../epoch.ts';
import { StateUnavailable } from '../room-store.ts';
import { corrupt } from './corrupt.ts';
import { readCount } from './json.ts';
import type { Keys } from './keys.ts';
import { type Reply, type Results, Transaction } from './transaction.ts';

/** How often a node that starts looks whether an epoch that is being filled has opened, in milliseconds. */
const pollMs = 100;
/** A node that writes back and does not come to an end is waited for this many times as long as the others have. */
const patience = 5;

/** Transactions that go by no epoch. */
type Bare = {
  read(transaction: Transaction): Promise<Results>;
  write<Code extends string>(transaction: Transaction<Code>): Promise<Reply<Code>>;
  /** The time of Redis. */
  now(): number;
};

export type RedisEpochsOptions = { readonly keys: Keys; readonly bare: Bare; readonly restoreMs: number };

/** What a transaction compares with what Redis holds: the epoch and its state, as one word. */
const markOf = ({ id, state }: Epoch): string => `${state} ${id}`;

/**
 * Epochs in Redis: one hash with the `mark`, and for one that is being filled when it `opensAt`, by Redis' clock. Every transaction
 * carries the mark that it goes by (transaction.ts), so an empty Redis answers none.
 */
export class RedisEpochs implements Epochs {
  readonly #keys: Keys;
  readonly #bare: Bare;
  readonly #restoreMs: number;
  /** Names this node among those that write back. */
  readonly #writer = newId();
  readonly #restoring = new AsyncLocalStorage<{ mark: string | undefined }>();
  readonly #listeners: (() => void)[] = [];
  #mark: string | undefined;

  constructor({ keys, bare, restoreMs }: RedisEpochsOptions) {
    this.#keys = keys;
    this.#bare = bare;
    this.#restoreMs = restoreMs;
  }

  /** Whether this node goes by an open epoch, as far as it knows. */
  get isOpen(): boolean {
    return this.#mark !== undefined;
  }

  /** The mark that a transaction carries. @throws StateUnavailable where this node goes by none */
  mark(): string {
    const mark = this.#restoring.getStore()?.mark ?? this.#mark;
    if (mark === undefined) throw new StateUnavailable('Redis came back empty and is being filled');
    return mark;
  }

  /** Redis goes by another mark than this one. */
  over(mark: string): void {
    if (mark !== this.#mark) return;
    this.#mark = undefined;
    for (const lost of this.#listeners) lost();
  }

  /** The connection was lost and is back: whether it is the same epoch is asked before anybody else does. */
  async check(): Promise<void> {
    const mark = this.#mark;
    if (mark === undefined) return;
    const present = await this.present();
    if (!present || markOf(present) !== mark) this.over(mark);
  }

  /** Goes by the epoch that there is, or makes the first one. Waits for one that is being filled: this node has nothing for it. */
  async join(): Promise<void> {
    // Before the first commit there is nothing to restore: a service that starts need not wait.
    await this.#begin({ id: newId(), state: 'open' });
    for (;;) {
      const present = await this.present();
      if (present?.state === 'open') return this.adopt(present);
      if (!present) await this.begin();
      else if (!(await this.open(present))) await delay(pollMs);
    }
  }

  async present(): Promise<Epoch | undefined> {
    const transaction = new Transaction();
    const step = transaction.step('HGET', this.#keys.epoch, 'mark');
    const text = (await this.#bare.read(transaction)).text(step);
    if (text === null) return undefined;
    const [, state, id] = /^(open|restoring) (.+)$/.exec(text) ?? [];
    if (id === undefined) return corrupt(this.#keys.epoch.name, 'names no epoch');
    return { id, state: state === 'open' ? 'open' : 'restoring' };
  }

  begin(): Promise<void> {
    return this.#begin({ id: newId(), state: 'restoring' });
  }

  async open(epoch: Epoch): Promise<boolean> {
    if (epoch.state === 'open') return true;
    const opensAt = await this.#opensAt();
    const now = this.#bare.now();
    if (opensAt === undefined || now < opensAt) return false;
    const transaction = new Transaction<'other' | 'busy'>();
    transaction.guard('other', 'equals', this.#keys.epoch, 'mark', markOf(epoch));
    // Whoever died in the middle keeps nobody waiting for ever.
    if (now < opensAt + (patience - 1) * this.#restoreMs)
      transaction.guard('busy', 'exactly', 0, this.#keys.epochWriters);
    transaction.step('HSET', this.#keys.epoch, 'mark', markOf({ ...epoch, state: 'open' }));
    transaction.step('UNLINK', this.#keys.epochWriters);
    return (await this.#bare.write(transaction)).code === 'done';
  }

  async during<Value>(epoch: Epoch, task: () => Promise<Value>): Promise<Value> {
    const mark = markOf(epoch);
    if (epoch.state === 'restoring') await this.#write(mark, 'HSET', 1);
    const value = await this.#restoringBy(mark, task);
    if (epoch.state === 'restoring') await this.#write(mark, 'HDEL');
    return value;
  }

  /** What the task leaves behind, such as a timer that tries again, goes by the common epoch once the task is over. */
  async #restoringBy<Value>(mark: string, task: () => Promise<Value>): Promise<Value> {
    const restoring: { mark: string | undefined } = { mark };
    try {
      return await this.#restoring.run(restoring, task);
    } finally {
      restoring.mark = undefined;
    }
  }

  adopt(epoch: Epoch): void {
    this.#mark = markOf(epoch);
  }

  onLost(lost: () => void): void {
    this.#listeners.push(lost);
    // It may have been lost before anybody asked.
    if (this.#mark === undefined) lost();
  }

  async #begin(epoch: Epoch): Promise<void> {
    const transaction = new Transaction<'there'>();
    const opensAt = Math.ceil(this.#bare.now() + this.#restoreMs);
    transaction.guard('there', 'missing', this.#keys.epoch);
    transaction.step('UNLINK', this.#keys.epochWriters);
    transaction.step('HSET', this.#keys.epoch, 'mark', markOf(epoch), 'opensAt', opensAt);
    await this.#bare.write(transaction);
  }

  async #opensAt(): Promise<number | undefined> {
    const transaction = new Transaction();
    const step = transaction.step('HGET', this.#keys.epoch, 'opensAt');
    const text = (await this.#bare.read(transaction)).text(step);
    return text === null ? undefined : readCount(text, this.#keys.epoch.name);
  }

  /** Says that this node writes back, or that it is done. */
  async #write(mark: string, name: 'HSET' | 'HDEL', ...value: number[]): Promise<void> {
    const transaction = new Transaction<'other'>();
    transaction.guard('other', 'equals', this.#keys.epoch, 'mark', mark);
    transaction.step(name, this.#keys.epochWriters, this.#writer, ...value);
    // One that dies while it writes leaves its name: it goes with the epoch that opens, and by itself if none does.
    transaction.step('PEXPIRE', this.#keys.epochWriters, 2 * patience * this.#restoreMs);
    if ((await this.#bare.write(transaction)).code !== 'done') throw new StateUnavailable('the epoch is over');
  }
}
