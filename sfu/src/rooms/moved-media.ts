import type { MediaEvents, MediaPlane, SeatRef } from '../media/media-plane.ts';
import type { Logger } from '../runtime/logger.ts';
import type { MediaOwners } from './media-owners.ts';

export type MovedMediaParts = {
  readonly media: Pick<MediaPlane, 'release' | 'seatsOf'>;
  readonly owners: MediaOwners;
  /** Tells that media closed a microphone by itself. */
  readonly unpublished: MediaEvents['unpublished'];
  readonly nodeId: string;
  readonly movedMediaMs: number;
  readonly logger: Pick<Logger, 'warn'>;
};

/**
 * Media at this node of people who went to another one: it plays on until they close it themselves, for `movedMediaMs` at most,
 * and is released then, unless they are back (RE-2). There are at most as many of them here as there are seats with media.
 */
export class MovedMedia {
  readonly #parts: MovedMediaParts;
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(parts: MovedMediaParts) {
    this.#parts = parts;
  }

  /** The person of this seat is at another node now, or may be. */
  moved(seat: SeatRef): void {
    if (!this.#hasMedia(seat)) return;
    const key = keyOf(seat);
    clearTimeout(this.#timers.get(key));
    const timer = setTimeout(() => {
      this.#timers.delete(key);
      this.#settle(seat).catch((error: unknown) => {
        // Whoever it was that could be asked, audio goes on as long as the state is away (RE-4).
        this.#parts.logger.warn({ err: error, roomId: seat.roomId }, 'where somebody is could not be read');
        this.moved(seat);
      });
    }, this.#parts.movedMediaMs);
    this.#timers.set(key, timer.unref());
  }

  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  /** By the state and not by what was told, which may be late: they may have come back, or gone further. */
  async #settle(seat: SeatRef): Promise<void> {
    const { media, owners, unpublished, nodeId } = this.#parts;
    const { roomId, userId } = seat;
    if (!this.#hasMedia(seat)) return;
    const holder = await owners.seat(roomId, userId);
    const isHere = holder?.node === nodeId;
    if (isHere && holder.sessionId === seat.sessionId) return;
    media.release(roomId, userId, isHere ? holder.sessionId : undefined);
    // They never opened another one, and nobody hears this one any more.
    if (holder?.microphone?.node === nodeId) unpublished(seat, holder.microphone.producerId);
  }

  #hasMedia(seat: SeatRef): boolean {
    return this.#parts.media
      .seatsOf(seat.roomId)
      .some(({ userId, sessionId }) => userId === seat.userId && sessionId === seat.sessionId);
  }
}

const keyOf = ({ roomId, userId, sessionId }: SeatRef): string => JSON.stringify([roomId, userId, sessionId]);
