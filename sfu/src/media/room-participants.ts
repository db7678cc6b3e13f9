import type { SeatRef } from './media-plane.ts';
import { type ParticipantEvents, ParticipantMedia } from './participant-media.ts';
import type { RoomContext } from './room-context.ts';

/** Everybody who has media in a room. A participant is in it while it has a side, open or about to be. */
export class RoomParticipants {
  readonly #context: RoomContext;
  readonly #events: ParticipantEvents;
  readonly #emptied: () => void;
  /** By user, then by session: for the moment in which a person moves to another device there are two. */
  readonly #byUser = new Map<string, Map<string, ParticipantMedia>>();
  readonly #listeners = new Set<ParticipantMedia>();
  readonly #speakers = new Set<ParticipantMedia>();

  /** `emptied` is called when the last one is gone. */
  constructor(context: RoomContext, events: ParticipantEvents, emptied: () => void) {
    this.#context = context;
    this.#events = events;
    this.#emptied = emptied;
  }

  /** Those with a receiving side. */
  get listeners(): ReadonlySet<ParticipantMedia> {
    return this.#listeners;
  }

  /** Those with a sending side. */
  get speakers(): ReadonlySet<ParticipantMedia> {
    return this.#speakers;
  }

  find(seat: SeatRef): ParticipantMedia | undefined {
    return this.#byUser.get(seat.userId)?.get(seat.sessionId);
  }

  /** The participant of this seat, made if it is not there. The caller gives it a side, and calls `account`. */
  claim(seat: SeatRef): ParticipantMedia {
    const known = this.find(seat);
    if (known !== undefined) return known;
    const participant = new ParticipantMedia(seat, this.#context, this.#events);
    const sessions = this.#byUser.get(seat.userId) ?? new Map<string, ParticipantMedia>();
    this.#byUser.set(seat.userId, sessions.set(seat.sessionId, participant));
    return participant;
  }

  ofUser(userId: string): ParticipantMedia[] {
    return [...(this.#byUser.get(userId)?.values() ?? [])];
  }

  /** To be called whenever a participant's sides changed; one without any leaves. */
  account(participant: ParticipantMedia): void {
    const { seat } = participant;
    if (this.find(seat) !== participant) return;
    if (participant.receiver === undefined) this.#listeners.delete(participant);
    else this.#listeners.add(participant);
    if (participant.sender === undefined) this.#speakers.delete(participant);
    else this.#speakers.add(participant);
    if (participant.inUse) return;
    const sessions = this.#byUser.get(seat.userId);
    sessions?.delete(seat.sessionId);
    if (sessions?.size === 0) this.#byUser.delete(seat.userId);
    if (this.#byUser.size === 0) this.#emptied();
  }

  seats(): SeatRef[] {
    return [...this.#byUser.values()].flatMap((sessions) => [...sessions.values()].map(({ seat }) => seat));
  }

  /** Microphones that are open or opening, whether the state has them or not. */
  microphones(): number {
    let count = 0;
    for (const { sender } of this.#speakers) if (sender?.hasMicrophone) count += 1;
    return count;
  }

  load(): { transports: number; producers: number; consumers: number } {
    const load = { transports: 0, producers: this.microphones(), consumers: 0 };
    for (const { receiver } of this.#listeners) {
      if (receiver?.transport.open !== undefined) load.transports += 1;
      load.consumers += receiver?.consumerCount ?? 0;
    }
    for (const { sender } of this.#speakers) if (sender?.transport.open !== undefined) load.transports += 1;
    return load;
  }

  /** Closes and forgets everybody. */
  close(): void {
    for (const sessions of this.#byUser.values()) for (const participant of sessions.values()) participant.close();
    this.#byUser.clear();
    this.#listeners.clear();
    this.#speakers.clear();
  }
}
