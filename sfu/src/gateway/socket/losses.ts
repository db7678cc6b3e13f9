import type { Result } from '@rostrum/shared/result.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { SessionRef } from '../../state/cluster-store.ts';

/** How often a loss that could not be noted is tried again, in milliseconds. */
const retryMs = 1000;
/** Losses that wait to be noted (RE-5): more than sockets of one node break in an outage. */
const mostWaiting = 20_000;
/** Losses that are noted at a time. */
const batch = 50;

export type LossesOptions = {
  /** Notes it in the room and in the call. Rejects, or refuses with `unavailable`, where it has to be tried again. */
  readonly note: (loss: Loss) => Promise<Result<unknown>>;
  /** It was noted, and is over. */
  readonly noted: (loss: Loss) => void;
  readonly logger: Logger;
};

/** A session whose connection broke, with the room in which it sat. `seatOnly`: it is back, and gave up this seat alone. */
export type Loss = SessionRef & { readonly roomId: string | undefined; readonly seatOnly?: true };
/** `dueAt` by the monotonic clock. */
type Waiting = { readonly loss: Loss; readonly dueAt: number };

/**
 * Connections that broke, until that is noted: a seat of which it never is would be kept for as long as the room lasts. What the
 * store does not take now waits for it, however long that is, unless the session is back before.
 */
export class Losses {
  readonly #options: LossesOptions;
  /** One for each session and room. */
  readonly #waiting = new Map<string, Waiting>();
  #timer: NodeJS.Timeout | undefined;
  #retrying = false;
  #told = false;
  #isClosed = false;

  constructor(options: LossesOptions) {
    this.#options = options;
  }

  /** Resolves when it is noted, or has to wait. `afterMs`: it is not to be noted before that. */
  async add(loss: Loss, afterMs = 0): Promise<void> {
    if (this.#isClosed) {
      // A command that was under way when the node closed: it is noted now, or left to a sweep.
      await this.#note(loss);
      return;
    }
    const key = keyOf(loss);
    const waiting: Waiting = { loss, dueAt: performance.now() + afterMs };
    this.#waiting.set(key, waiting);
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size > mostWaiting && oldest !== undefined) {
      this.#waiting.delete(oldest);
      this.#options.logger.error('too many lost connections wait to be noted; the first of them never will be');
    }
    if (afterMs === 0) await this.#attempt(key, waiting);
    else this.#retryLater();
  }

  /** The session is back at this node. Answers the rooms of whose seats the loss is not noted: they are its connection's now. */
  takeBack({ userId, sessionId }: SessionRef): readonly string[] {
    const rooms: string[] = [];
    for (const [key, { loss }] of this.#waiting) {
      if (loss.userId !== userId || loss.sessionId !== sessionId) continue;
      this.#waiting.delete(key);
      if (loss.roomId !== undefined) rooms.push(loss.roomId);
    }
    return rooms;
  }

  /** The session sits down in this room here: a loss of that seat which was not noted yet is none any more. */
  forget(seat: SessionRef & { readonly roomId: string }): void {
    this.#waiting.delete(keyOf(seat));
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Notes what waits, whether it is due or not: nobody here will do so later. What the store does not take is left to a sweep. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#noteAll([...this.#waiting]);
  }

  /** Answers whether it was noted. */
  async #attempt(key: string, waiting: Waiting): Promise<boolean> {
    const isNoted = await this.#note(waiting.loss);
    if (this.#waiting.get(key) !== waiting) return isNoted;
    if (!isNoted) this.#retryLater();
    else {
      this.#waiting.delete(key);
      this.#options.noted(waiting.loss);
    }
    return isNoted;
  }

  async #note(loss: Loss): Promise<boolean> {
    const { note, logger } = this.#options;
    try {
      const noted = (await note(loss)).ok;
      if (noted) this.#told = false;
      return noted;
    } catch (error) {
      // In an outage each of them fails every second.
      if (!this.#told) logger.error({ err: error }, 'lost connections cannot be noted; they wait');
      this.#told = true;
      return false;
    }
  }

  #retryLater(): void {
    if (!this.#isClosed) this.#timer ??= setInterval(() => this.#retry(), retryMs).unref();
  }

  #retry(): void {
    if (this.#waiting.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    if (this.#retrying) return;
    this.#retrying = true;
    void this.#noteDue().finally(() => {
      this.#retrying = false;
    });
  }

  #noteDue(): Promise<void> {
    const now = performance.now();
    return this.#noteAll([...this.#waiting].filter(([, { dueAt }]) => dueAt <= now));
  }

  /** Batch by batch, for as long as they can be noted. */
  async #noteAll(all: readonly (readonly [string, Waiting])[]): Promise<void> {
    for (let from = 0; from < all.length; from += batch) {
      const some = all.slice(from, from + batch).filter(([key, waiting]) => this.#waiting.get(key) === waiting);
      const noted = await Promise.all(some.map(([key, waiting]) => this.#attempt(key, waiting)));
      if (noted.includes(false)) return;
    }
  }
}

const keyOf = ({ userId, sessionId, roomId = '' }: Loss): string => `${userId} ${sessionId} ${roomId}`;
