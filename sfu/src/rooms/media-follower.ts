import type { MediaPlane, RoomMediaState } from '../media/media-plane.ts';
import type { Logger } from '../runtime/logger.ts';

/**
 * Makes media follow the state of each room, one reconciliation at a time and always to the newest state: states that
 * came while one ran are skipped but for the last.
 */
export class MediaFollower {
  readonly #media: MediaPlane;
  readonly #logger: Logger;
  /** Rooms being reconciled, with the state that came meanwhile. */
  readonly #rooms = new Map<string, { next: RoomMediaState | undefined }>();

  constructor(media: MediaPlane, logger: Logger) {
    this.#media = media;
    this.#logger = logger;
  }

  follow(state: RoomMediaState): void {
    const running = this.#rooms.get(state.roomId);
    if (running) running.next = state;
    else void this.#run(state);
  }

  /** The room is over: a state that waits is not followed any more. */
  forget(roomId: string): void {
    const running = this.#rooms.get(roomId);
    if (running) running.next = undefined;
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
