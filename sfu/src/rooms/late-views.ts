import type { Limits } from '@rostrum/shared/limits.ts';
import { done, refuse } from '@rostrum/shared/result.ts';
import type { SeatRef } from '../media/media-plane.ts';
import { viewOf } from '../rules/room/project.ts';
import { seatOf } from '../rules/room/state.ts';
import type { Logger } from '../runtime/logger.ts';
import type { RoomStore } from '../state/room-store.ts';
import type { RoomPublisher } from './ports.ts';
import type { RoomEngine } from './room-engine.ts';

/** A view is not waited for longer than this, in milliseconds, whether the person hears the room yet or not. */
const latestMs = 1000;
/** From a transport that connects to the view: its first packets go before it, in milliseconds. */
const behindPacketsMs = 100;
/** What becomes due within so many milliseconds goes in one reading of the room. */
const togetherMs = 100;
/** Readings that may fail in a row (RE-5), one a second; the client then sees a count in place of the list, until it comes back. */
const mostFailures = 60;

export type LateViewsOptions = {
  readonly engine: Pick<RoomEngine, 'between'>;
  readonly store: Pick<RoomStore, 'snapshot'>;
  /** To the sockets of this node alone: who joins again at another one is given all of it there. */
  readonly publisher: Pick<RoomPublisher, 'toSession'>;
  readonly limits: Pick<Limits, 'audienceListedMax'>;
  readonly logger: Pick<Logger, 'warn'>;
};

/** `dueAt` by the monotonic clock. */
type Owed = { readonly seat: SeatRef; dueAt: number };
type Room = { readonly owed: Map<string, Owed>; timer: NodeJS.Timeout | undefined; failures: number };

/**
 * Whole views that people are owed: who came into a room was not given its long list of people, so that its sound comes first (RM-10).
 * What came since is in the view, which has the number of the moment in which it is read (RE-1). At most one for each session that is
 * in a room.
 */
export class LateViews {
  readonly #options: LateViewsOptions;
  readonly #rooms = new Map<string, Room>();

  constructor(options: LateViewsOptions) {
    this.#options = options;
  }

  /** This session was answered with a view that lacks the list. */
  owe(seat: SeatRef): void {
    const room = this.#rooms.get(seat.roomId) ?? { owed: new Map<string, Owed>(), timer: undefined, failures: 0 };
    this.#rooms.set(seat.roomId, room);
    room.owed.set(keyOf(seat), { seat, dueAt: performance.now() + latestMs });
    this.#schedule(seat.roomId, room);
  }

  /** This session hears the room, or is about to. */
  connected(seat: SeatRef): void {
    const room = this.#rooms.get(seat.roomId);
    const owed = room?.owed.get(keyOf(seat));
    if (room === undefined || owed === undefined) return;
    owed.dueAt = Math.min(owed.dueAt, performance.now() + behindPacketsMs);
    this.#schedule(seat.roomId, room);
  }

  stop(): void {
    for (const { timer } of this.#rooms.values()) clearTimeout(timer);
    this.#rooms.clear();
  }

  #schedule(roomId: string, room: Room): void {
    clearTimeout(room.timer);
    const next = Math.min(...[...room.owed.values()].map(({ dueAt }) => dueAt));
    room.timer = setTimeout(() => void this.#send(roomId, room), Math.max(0, next - performance.now())).unref();
  }

  /** Never rejects. */
  async #send(roomId: string, room: Room): Promise<void> {
    const soon = performance.now() + togetherMs;
    const due = [...room.owed].filter(([, { dueAt }]) => dueAt <= soon);
    for (const [key] of due) room.owed.delete(key);
    const isSent = await this.#tell(
      roomId,
      due.map(([, { seat }]) => seat),
    );
    if (this.#rooms.get(roomId) !== room) return;
    room.failures = isSent ? 0 : room.failures + 1;
    // What was asked for meanwhile is later than this.
    if (!isSent && room.failures < mostFailures)
      for (const [key, { seat }] of due)
        if (!room.owed.has(key)) room.owed.set(key, { seat, dueAt: performance.now() + latestMs });
    if (room.owed.size > 0) this.#schedule(roomId, room);
    else this.#rooms.delete(roomId);
  }

  /** Tells those of these sessions that still sit in the room. Answers whether the room could be read. */
  async #tell(roomId: string, seats: readonly SeatRef[]): Promise<boolean> {
    const { engine, store, publisher, limits, logger } = this.#options;
    const userIds = seats.map(({ userId }) => userId);
    try {
      // Between two commands, so that the events of the next come behind it.
      const told = await engine.between(roomId, async () => {
        const snapshot = await store.snapshot(roomId, { most: limits.audienceListedMax + 1, userIds });
        if (!snapshot) return refuse('not_found');
        for (const { userId, sessionId } of seats) {
          const seat = seatOf(snapshot.state, userId);
          if (seat?.sessionId !== sessionId) continue;
          const state = viewOf(snapshot.state, seat, snapshot.listed, snapshot.sequences);
          // Nobody is listed any more in a room that has grown large meanwhile.
          if (state.audience.members !== null) publisher.toSession(seat, 'room:state', { roomId, state });
        }
        return done(undefined);
      });
      return told.ok || told.refusal.code !== 'unavailable';
    } catch (error) {
      logger.warn({ err: error, roomId }, 'the people of a room could not be listed');
      return false;
    }
  }
}

const keyOf = ({ userId, sessionId }: SeatRef): string => `${userId} ${sessionId}`;
