import type { Limits } from '@rostrum/shared/limits.ts';
import type { SeatRef } from './media-plane.ts';
import type { Microphone } from './microphone.ts';
import { type ParticipantEvents, ParticipantMedia } from './participant-media.ts';

/** Everybody who has media in a room. A participant is in it while it has a side, open or about to be. */
export class RoomParticipants {
  readonly #limits: Limits;
  readonly #events: ParticipantEvents;
  readonly #emptied: () => void;
  /** By user, then by session: for the moment in which a person moves to another device there are two. */
  readonly #byUser = new Map<string, Map<string, ParticipantMedia>>();
  readonly #listeners = new Set<ParticipantMedia>();
  readonly #speakers = new Set<ParticipantMedia>();

  /** `emptied` is called when the last one is gone. */
  constructor(limits: Limits, events: ParticipantEvents, emptied: () => void) {
    this.#limits = limits;
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
    const participant = new ParticipantMedia(seat, this.#limits, this.#events);
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

  all(): ParticipantMedia[] {
    return [...this.#byUser.values()].flatMap((sessions) => [...sessions.values()]);
  }

  /** What they send: transports, and microphones that are open or opening, whether the state has them or not. */
  sending(): { transports: number; microphones: number } {
    const sending = { transports: 0, microphones: 0 };
    for (const { sender } of this.#speakers) {
      if (sender?.transport.open !== undefined) sending.transports += 1;
      if (sender?.hasMicrophone) sending.microphones += 1;
    }
    return sending;
  }

  /** The microphones that are open, whether the state has them or not. */
  microphones(): Microphone[] {
    return [...this.#speakers].flatMap(({ sender }) => sender?.microphone ?? []);
  }

  /** Closes and forgets everybody. */
  close(): void {
    for (const participant of this.all()) participant.close();
    this.#byUser.clear();
    this.#listeners.clear();
    this.#speakers.clear();
  }
}
