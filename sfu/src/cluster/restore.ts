import { setTimeout as delay } from 'node:timers/promises';
import type { Limits } from '@rostrum/shared/limits.ts';
import type { CallCopies } from '../calls/call-copies.ts';
import type { RoomCopies } from '../rooms/room-copies.ts';
import { callDeadlinesOf } from '../rules/call/deadlines.ts';
import { ticketDeadlinesOf } from '../rules/matching/queue.ts';
import { deadlinesOf } from '../rules/room/deadlines.ts';
import type { RoomState, Seat } from '../rules/room/state.ts';
import type { Logger } from '../runtime/logger.ts';
import type { CallStore } from '../state/call-store.ts';
import type { Epoch, Epochs } from '../state/epoch.ts';
import { type RoomCopy, type RoomStore, StateUnavailable } from '../state/room-store.ts';

/** How often it is tried again, or looked whether the epoch may open, in milliseconds. */
const pauseMs = 100;
/** Rooms, calls and tickets written at a time: what others ask meanwhile still gets its turn. */
const batch = 20;

export type RestorerOptions = {
  readonly epochs: Epochs;
  readonly rooms: { readonly store: RoomStore; readonly copies: RoomCopies };
  readonly calls: { readonly store: CallStore; readonly copies: CallCopies };
  /** States anew that this node is there, and which sessions it holds. Comes first, and may come several times. */
  readonly restate: () => Promise<void>;
  /** The store serves again. `late`: others had gone on before this node was there. */
  readonly restored: (how: { readonly late: boolean }) => void;
  /** After that, when every node that lives has had its time to say so (strays.ts). */
  readonly settled?: () => Promise<void>;
  readonly limits: Limits;
  readonly logger: Logger;
};

/**
 * Fills a store that came back empty (RE-4). Every node does the same, and none waits for another: whoever notices begins an epoch;
 * every node that sees one that it has not filled writes back what it holds, and again if it was in the middle when the store
 * was lost once more; whoever sees first that it is time opens it. A node that comes after that writes only what is not there.
 */
export class Restorer {
  readonly #options: RestorerOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #settling: NodeJS.Timeout | undefined;
  /** It was lost again while it was being filled. */
  #again = false;
  /** The epoch into which all was written, and whether others had gone on by then. */
  #written: { readonly id: string; readonly late: boolean } | undefined;

  constructor(options: RestorerOptions) {
    this.#options = options;
    options.epochs.onLost(() => this.#begin());
  }

  /** Stops where it is, and waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#settling);
    await this.#running;
  }

  #begin(): void {
    this.#again = true;
    clearTimeout(this.#settling);
    if (this.#running || this.#stopping.signal.aborted) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async #run(): Promise<void> {
    const { logger } = this.#options;
    logger.warn('Redis came back empty; what this node holds is written back');
    while (this.#again && !this.#stopping.signal.aborted) {
      try {
        this.#again = false;
        await this.#restore();
      } catch (error) {
        // While it is away nothing can be done.
        if (!(error instanceof StateUnavailable)) logger.error({ err: error }, 'live state could not be written back');
        this.#again = true;
        await this.#pause();
      }
    }
  }

  /** Until an epoch is open that has what this node holds. */
  async #restore(): Promise<void> {
    const { epochs, rooms, calls, restored, logger } = this.#options;
    const epoch = await this.#opened();
    if (!epoch) return;
    epochs.adopt(epoch);
    const late = this.#written?.late ?? false;
    // Others knew more, or less.
    await Promise.all([rooms.copies.reload(), calls.copies.reload()]);
    logger.info({ late }, 'live state is back');
    restored({ late });
    this.#settle();
  }

  #settle(): void {
    const { settled = async () => undefined, limits, logger } = this.#options;
    this.#settling = setTimeout(() => {
      settled().catch((error: unknown) => logger.warn({ err: error }, 'people of lost nodes could not be given up'));
    }, limits.nodeSilentMs + limits.heartbeatMs);
    this.#settling.unref();
  }

  async #opened(): Promise<Epoch | undefined> {
    const { epochs } = this.#options;
    while (!this.#stopping.signal.aborted) {
      const epoch = await epochs.present();
      if (!epoch) {
        await epochs.begin();
        continue;
      }
      const late = epoch.state === 'open';
      if (epoch.id !== this.#written?.id) {
        await epochs.during(epoch, () => this.#writeBack(late));
        this.#written = { id: epoch.id, late };
      }
      if (late) return epoch;
      if (!(await epochs.open(epoch))) await this.#pause();
    }
    return undefined;
  }

  async #writeBack(late: boolean): Promise<void> {
    const { rooms, calls, restate, limits } = this.#options;
    await restate();
    await this.#each(rooms.copies.all(), (copy) =>
      rooms.store.restore(copy, { deadlines: deadlinesOf(stateOf(copy), limits), late }),
    );
    // Whoever is in a call waits no more: so calls come before tickets.
    await this.#each(calls.copies.calls(), (loaded) =>
      calls.store.restoreCall(loaded, { deadlines: callDeadlinesOf(loaded.call, limits), late }),
    );
    await this.#each(calls.copies.tickets(), (stored) =>
      calls.store.restoreTicket(stored, { deadlines: ticketDeadlinesOf(stored.ticket, limits), late }),
    );
  }

  /** One that cannot be written for a reason of its own keeps no other one back. */
  async #each<Value>(values: readonly Value[], write: (value: Value) => Promise<void>): Promise<void> {
    const { logger } = this.#options;
    for (let first = 0; first < values.length; first += batch) {
      const written = await Promise.allSettled(values.slice(first, first + batch).map(write));
      for (const result of written) {
        if (result.status === 'fulfilled') continue;
        if (result.reason instanceof StateUnavailable) throw result.reason;
        logger.error({ err: result.reason }, 'a room, call or ticket could not be written back');
      }
    }
  }

  async #pause(): Promise<void> {
    await delay(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }
}

/** As much of the state as its deadlines follow from. Who came onto the stage is in the record, and may not be gone from the audience yet. */
const stateOf = ({ control, audience }: RoomCopy): RoomState => {
  const onStage = new Set(control.stage.map(({ userId }) => userId));
  const seats = new Map<string, Seat>();
  for (const [userId, { value }] of audience) if (value && !onStage.has(userId)) seats.set(userId, value);
  return { control, audience: seats, audienceSize: seats.size, standings: new Map() };
};
