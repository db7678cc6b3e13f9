import type { MediaPlane, RoomMediaState } from '../media/media-plane.ts';
import type { Logger } from '../runtime/logger.ts';

/**
 * RE-5: rooms and calls of which it is remembered what media followed last, or that they are over: several times as many as a
 * cluster has at once. Of the one that was heard of longest ago a late state would be followed; nothing tells one any more.
 */
const remembered = 10_000;

/** A state of which this node is reminded is followed again after so many milliseconds: it mends, but not once for each of a crowd. */
const reminderMs = 1000;

/** The version of a room that is over: no state comes after its end. */
const over = Number.POSITIVE_INFINITY;

/**
 * Makes media follow the state of each room, one reconciliation at a time and always to the newest state: states that
 * came while one ran are skipped but for the last, and one that comes after a later one, by its version, is not followed. The
 * same state again is, as it mends what went wrong.
 */
export class MediaFollower {
  readonly #media: Pick<MediaPlane, 'reconcile'>;
  readonly #logger: Pick<Logger, 'error'>;
  /** Rooms being reconciled, with the state that came meanwhile. */
  readonly #rooms = new Map<string, { next: RoomMediaState | undefined }>();
  /** The latest version of each room, and when it was told last; those heard of longest ago first. */
  readonly #latest = new Map<string, { readonly version: number; readonly at: number }>();

  constructor(media: Pick<MediaPlane, 'reconcile'>, logger: Pick<Logger, 'error'>) {
    this.#media = media;
    this.#logger = logger;
  }

  follow(state: RoomMediaState): void {
    const { roomId, version } = state;
    if (version < this.#latestOf(roomId)) return;
    this.#note(roomId, version);
    const running = this.#rooms.get(roomId);
    if (running) running.next = state;
    else void this.#run(state);
  }

  /** Nothing changed, but this node may not have heard of the state yet: follows it unless it did so a moment ago. */
  remind(state: RoomMediaState): void {
    const { roomId, version } = state;
    const at = this.#latest.get(roomId)?.at ?? Number.NEGATIVE_INFINITY;
    if (version > this.#latestOf(roomId) || performance.now() - at >= reminderMs) this.follow(state);
  }

  /** The room is over: no state of it is followed any more. */
  end(roomId: string): void {
    this.#note(roomId, over);
    const running = this.#rooms.get(roomId);
    if (running) running.next = undefined;
  }

  #latestOf(roomId: string): number {
    return this.#latest.get(roomId)?.version ?? Number.NEGATIVE_INFINITY;
  }

  #note(roomId: string, version: number): void {
    this.#latest.delete(roomId);
    this.#latest.set(roomId, { version, at: performance.now() });
    const [longestAgo] = this.#latest.keys();
    if (this.#latest.size > remembered && longestAgo !== undefined) this.#latest.delete(longestAgo);
  }

  async #run(first: RoomMediaState): Promise<void> {
    const running: { next: RoomMediaState | undefined } = { next: first };
    this.#rooms.set(first.roomId, running);
    while (running.next) {
      const state = running.next;
      running.next = undefined;
      try {
        await this.#media.reconcile(state);
      } catch (error) {
        this.#logger.error({ err: error, roomId: state.roomId }, 'media could not follow the state of a room');
      }
    }
    this.#rooms.delete(first.roomId);
  }
}
