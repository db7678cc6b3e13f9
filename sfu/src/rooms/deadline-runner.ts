import type { Limits } from '@rostrum/shared/limits.ts';
import { deadlinesOf } from '../rules/room/deadlines.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { DueDeadline, RoomStore } from '../state/room-store.ts';
import type { RoomEngine } from './room-engine.ts';

/** How often deadlines are looked at, in milliseconds: a room's shortest is a second, and nobody notices a tenth of one. */
const intervalMs = 100;
/** Deadlines taken up at a time (RE-5); those that remain are still due at the next look. */
const mostAtOnce = 500;

/**
 * Sends each room the deadlines that are due. Nobody claims one: it stays in the store until the commit that carries it
 * out, so a crash in between loses nothing, and coming twice is harmless.
 */
export class DeadlineRunner {
  readonly #store: RoomStore;
  readonly #engine: RoomEngine;
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  /** Rooms that carry a deadline out. */
  readonly #busy = new Map<string, Promise<void>>();

  constructor(parts: { store: RoomStore; engine: RoomEngine; clock: Clock; limits: Limits; logger: Logger }) {
    this.#store = parts.store;
    this.#engine = parts.engine;
    this.#clock = parts.clock;
    this.#limits = parts.limits;
    this.#logger = parts.logger;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.run().catch((error: unknown) => this.#logger.error({ err: error }, 'deadlines could not be looked at'));
    }, intervalMs);
    this.#timer.unref();
  }

  /**
   * Sends what is due now, and resolves when it is carried out. A room that is still busy with one is left for the next
   * look, and keeps no other room waiting.
   */
  async run(): Promise<void> {
    const started: Promise<void>[] = [];
    for (const due of await this.#store.due(this.#clock.now(), mostAtOnce)) {
      const { roomId, key } = due;
      if (this.#busy.has(roomId)) continue;
      const running = this.#carryOut(due)
        .catch((error: unknown) =>
          this.#logger.error({ err: error, roomId, key }, 'a deadline could not be carried out'),
        )
        .finally(() => this.#busy.delete(roomId));
      this.#busy.set(roomId, running);
      started.push(running);
    }
    await Promise.all(started);
  }

  /** Stops looking, and waits for what runs. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#busy.values());
  }

  async #carryOut(due: DueDeadline): Promise<void> {
    const result = await this.#engine.execute(due.roomId, { type: 'elapse', deadline: due.key });
    // A clock that was set back finds it not due yet. Its cause stands, so it must stay: no later commit would set it again.
    const causeless = result.ok
      ? deadlinesOf(result.value.after, this.#limits).get(due.key) !== due.at
      : result.refusal.code !== 'unavailable';
    if (causeless) await this.#store.clearDeadline(due);
  }
}
