import type { Logger } from '../../runtime/logger.ts';
import type { ClusterStore, HeldSession, SessionRef } from '../../state/cluster-store.ts';
import { StateUnavailable } from '../../state/room-store.ts';

/** How often what could not be written is tried again, in milliseconds. */
const retryMs = 1000;
/** Sessions whose end could not be written yet (RE-5): more than leave a node in an outage of minutes. */
const mostReleases = 20_000;
/** Sessions that are written at a time when all of them are stated anew. */
const batch = 100;
/** Sessions of this node that are read back: more than one process can serve. */
const mostHeld = 100_000;

export type HeldSessionsOptions = {
  readonly store: Pick<ClusterStore, 'hold' | 'release' | 'heldBy'>;
  readonly nodeId: string;
  readonly logger: Logger;
};

/** What is to be written of a session; `null`: that it is not held any more. */
type Wanted = {
  readonly ref: SessionRef;
  readonly held: HeldSession | null;
  /** From whatever node has it. Else one that has taken it since keeps it: what told this node may be on its way, or lost. */
  readonly takes?: boolean;
};

/**
 * Which sessions this node holds, kept in the cluster's store. Nothing here rejects: what the store does not take now is written
 * when it is back, the latest of each session alone, and in order.
 */
export class HeldSessions {
  readonly #options: HeldSessionsOptions;
  /** What the store is to say of each session that this node holds. */
  readonly #held = new Map<string, HeldSession>();
  /** What is not written yet. */
  readonly #pending = new Map<string, Wanted>();
  readonly #writing = new Map<string, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #retrying = false;
  #isClosed = false;

  constructor(options: HeldSessionsOptions) {
    this.#options = options;
  }

  /** A connection of the session was opened here: this node takes it. Resolves when that is written, or has to wait for the store. */
  take(session: HeldSession): Promise<void> {
    return this.#hold(session, true);
  }

  /** The same of a session that this node has taken, and that sits in another room now. */
  hold(session: HeldSession): Promise<void> {
    return this.#hold(session, false);
  }

  #hold(session: HeldSession, takes: boolean): Promise<void> {
    const { userId, sessionId, roomId } = session;
    const key = keyOf(session);
    const isWritten = this.#held.get(key)?.roomId === roomId && !this.#pending.has(key);
    const held = { userId, sessionId, roomId };
    this.#held.set(key, held);
    return isWritten && !takes ? Promise.resolve() : this.#want({ ref: { userId, sessionId }, held, takes });
  }

  /** This node does not hold the session any more. */
  release({ userId, sessionId }: SessionRef): Promise<void> {
    this.#held.delete(keyOf({ userId, sessionId }));
    return this.#want({ ref: { userId, sessionId }, held: null });
  }

  /** Another node holds the session, or its end is written later: what the store says of it stays. */
  forget(session: SessionRef): void {
    this.#held.delete(keyOf(session));
    this.#pending.delete(keyOf(session));
  }

  /**
   * States every session anew, and takes back those that the store still gives this node; after an outage. Of one that the store
   * gives another node nothing is stated: what told this one that the session has gone there may have been lost.
   */
  async restate(): Promise<void> {
    const { store, nodeId, logger } = this.#options;
    try {
      const written = new Map((await store.heldBy(nodeId, mostHeld)).map((held) => [keyOf(held), held]));
      const missing = [...this.#held].filter(([key, held]) => written.get(key)?.roomId !== held.roomId);
      const stale = [...written].filter(([key]) => !this.#held.has(key));
      for (let from = 0; from < missing.length; from += batch)
        await Promise.all(missing.slice(from, from + batch).map(([key]) => this.#stateAgain(key)));
      for (let from = 0; from < stale.length; from += batch)
        await Promise.all(stale.slice(from, from + batch).map(([, held]) => this.release(held)));
    } catch (error) {
      logger.warn({ err: error }, 'which sessions this node holds could not be stated');
    }
  }

  /** What is still to be written. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Resolves when nothing is being written any more. What still waits is not. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#timer = undefined;
    await Promise.all(this.#writing.values());
  }

  #stateAgain(key: string): Promise<void> {
    // It may have gone since it was looked at. What waits to be written is tried again by itself.
    const held = this.#pending.has(key) ? undefined : this.#held.get(key);
    if (!held) return Promise.resolve();
    return this.#want({ ref: { userId: held.userId, sessionId: held.sessionId }, held });
  }

  #want(wanted: Wanted): Promise<void> {
    const key = keyOf(wanted.ref);
    // What was not written yet took it.
    const takes = wanted.takes === true || (wanted.held !== null && this.#pending.get(key)?.takes === true);
    this.#pending.delete(key);
    this.#pending.set(key, takes === (wanted.takes === true) ? wanted : { ...wanted, takes });
    const running = this.#writing.get(key);
    if (running !== undefined) return running;
    const writing = this.#write(key);
    this.#writing.set(key, writing);
    return writing;
  }

  /** Writes what is wanted of a session until nothing else is. */
  async #write(key: string): Promise<void> {
    let wanted = this.#pending.get(key);
    while (wanted && !this.#isClosed && (await this.#attempt(wanted))) {
      if (this.#pending.get(key) === wanted) this.#pending.delete(key);
      wanted = this.#pending.get(key);
    }
    this.#writing.delete(key);
  }

  async #attempt({ ref, held, takes = false }: Wanted): Promise<boolean> {
    const { store, nodeId, logger } = this.#options;
    try {
      if (held) await store.hold(nodeId, held, { unlessElsewhere: !takes });
      else await store.release(nodeId, ref);
      return true;
    } catch (error) {
      if (!(error instanceof StateUnavailable)) logger.error({ err: error }, 'where a session is could not be written');
      this.#retryLater();
      return false;
    }
  }

  #retryLater(): void {
    if (this.#isClosed) return;
    this.#timer ??= setInterval(() => this.#retry(), retryMs).unref();
    if (this.#pending.size <= this.#held.size + mostReleases) return;
    // What is dropped, the next statement of all sessions takes back.
    for (const [key, { held }] of this.#pending) {
      if (held !== null) continue;
      this.#pending.delete(key);
      break;
    }
  }

  #retry(): void {
    if (this.#retrying) return;
    this.#retrying = true;
    void this.#writePending().finally(() => {
      this.#retrying = false;
    });
  }

  /** Batch by batch, for as long as the store takes them. */
  async #writePending(): Promise<void> {
    for (;;) {
      const some = [...this.#pending.values()].filter(({ ref }) => !this.#writing.has(keyOf(ref))).slice(0, batch);
      await Promise.all(some.map((wanted) => this.#want(wanted)));
      if (some.length === 0 || some.some((wanted) => this.#pending.get(keyOf(wanted.ref)) === wanted)) break;
    }
    if (this.#pending.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

const keyOf = ({ userId, sessionId }: SessionRef): string => `${userId} ${sessionId}`;
