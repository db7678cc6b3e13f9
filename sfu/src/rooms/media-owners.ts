import type { RoomMediaState, SeatRef } from '../media/media-plane.ts';

/** Who holds a seat, or a side of a call, and where: media of theirs belongs nowhere else, but for a while after a move. */
export type MediaSeat = {
  readonly sessionId: string;
  readonly node: string;
  /** Their open microphone, and the node at which it ends. */
  readonly microphone: { readonly producerId: string; readonly node: string } | null;
};

/** Whose state media belongs to: rooms, and calls that the SFU carries. One that does not know an id leaves it alone. */
export type MediaOwner = {
  /** A microphone was closed by media itself. */
  microphoneClosed(seat: SeatRef, producerId: string): Promise<unknown>;
  /** All media that this room, or call, had at this node is gone. */
  mediaLost(roomId: string): Promise<unknown>;
  /** The seat of this person as the state has it; undefined for none. @throws StateUnavailable */
  seat(roomId: string, userId: string): Promise<MediaSeat | undefined>;
  /** What media must follow; undefined where there is no such room, or call, any more. @throws StateUnavailable */
  state(roomId: string): Promise<RoomMediaState | undefined>;
};

/** All of them, which are made after media is. An id belongs to one of them at most. */
export class MediaOwners {
  readonly #owners: MediaOwner[] = [];

  connect(owner: MediaOwner): void {
    this.#owners.push(owner);
  }

  /** Resolves when all of them have taken note. Rejects as the first that fails. */
  async tell(what: (owner: MediaOwner) => Promise<unknown>): Promise<void> {
    await Promise.all(this.#owners.map(what));
  }

  /** @throws StateUnavailable */
  seat(roomId: string, userId: string): Promise<MediaSeat | undefined> {
    return this.#first((owner) => owner.seat(roomId, userId));
  }

  /** @throws StateUnavailable */
  state(roomId: string): Promise<RoomMediaState | undefined> {
    return this.#first((owner) => owner.state(roomId));
  }

  async #first<Value>(ask: (owner: MediaOwner) => Promise<Value | undefined>): Promise<Value | undefined> {
    for (const owner of this.#owners) {
      const answer = await ask(owner);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }
}
