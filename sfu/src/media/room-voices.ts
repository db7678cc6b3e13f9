import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MediaEvents, MicrophoneState } from './media-plane.ts';
import type { ParticipantMedia } from './participant-media.ts';
import type { Receiver } from './receiver.ts';
import type { RoomVoice } from './room-voice.ts';
import type { SpeakerMonitor } from './speaker-monitor.ts';

/** Listeners that are given new voices in one turn of the event loop, so that a large audience does not block it. */
const listenersPerTurn = 50;

export type RoomVoicesOptions = {
  readonly listeners: ReadonlySet<ParticipantMedia>;
  readonly monitor: SpeakerMonitor;
  readonly events: MediaEvents;
  /** Called when every listener there is was given a voice that came newly. */
  readonly given: (voice: RoomVoice) => void;
};

/**
 * The voices of a room: the microphones that its state has, and that so every listener hears. A listener that arrives
 * while a microphone opens gets it once: both sides claim the pair in the receiver before anything waits.
 */
export class RoomVoices {
  readonly #listeners: ReadonlySet<ParticipantMedia>;
  readonly #monitor: SpeakerMonitor;
  readonly #events: MediaEvents;
  /** By producer id. */
  readonly #voices = new Map<string, RoomVoice>();
  /** Whose voice it is, by the id that the router knows. */
  readonly #users = new Map<string, string>();
  readonly #given: (voice: RoomVoice) => void;
  /** Voices that not every listener was given yet. */
  readonly #fresh = new Set<RoomVoice>();
  /** Whether some listener may lack a voice. */
  #incomplete = false;

  constructor(options: RoomVoicesOptions) {
    this.#listeners = options.listeners;
    this.#monitor = options.monitor;
    this.#events = options.events;
    this.#given = options.given;
  }

  has(producerId: string): boolean {
    return this.#voices.has(producerId);
  }

  /** Makes one voice what the state says of it, but for the listeners: see `give`. Resolves when the worker did it. */
  follow(voice: RoomVoice, state: MicrophoneState | undefined): Promise<void> {
    if (state === undefined) {
      this.take([voice]);
    } else if (!this.#voices.has(voice.producerId)) {
      this.#voices.set(voice.producerId, voice);
      this.#users.set(voice.routedId, voice.userId);
      this.#fresh.add(voice);
      this.#incomplete = true;
    }
    if (state?.muted) this.#monitor.stopped(voice.userId);
    return voice.follow(state);
  }

  /** Gives every listener the voices it lacks, and tells it of them in one event. */
  async give(): Promise<void> {
    if (!this.#incomplete) return;
    this.#incomplete = false;
    const listeners = [...this.#listeners];
    const fresh = [...this.#fresh];
    this.#fresh.clear();
    for (let start = 0; start < listeners.length; start += listenersPerTurn) {
      if (start > 0) await nextTurn();
      const turn = listeners.slice(start, start + listenersPerTurn);
      await Promise.all(turn.map((listener) => this.#giveTo(listener)));
    }
    for (const voice of fresh) if (this.#voices.get(voice.producerId) === voice) this.#given(voice);
  }

  async #giveTo({ seat, receiver }: ParticipantMedia): Promise<void> {
    if (receiver === undefined) return;
    await this.hear(receiver);
    const consumers = receiver.collect();
    const transportId = receiver.transport.open?.id;
    if (consumers.length > 0 && transportId !== undefined)
      this.#events.consumersAdded({ seat, transportId, consumers });
  }

  /** Claims for this listener every voice it lacks. One that fails is tried again with the next `give`. */
  async hear(receiver: Receiver): Promise<void> {
    if (!(await receiver.hear(this.#voices.values()))) this.#incomplete = true;
  }

  /** Takes these voices from every listener that has them. Those that close are closed first. */
  take(voices: readonly RoomVoice[]): void {
    const heard = voices.filter((voice) => this.#voices.get(voice.producerId) === voice);
    if (heard.length === 0) return;
    for (const voice of heard) {
      this.#voices.delete(voice.producerId);
      this.#users.delete(voice.routedId);
      this.#fresh.delete(voice);
    }
    const removed = [...this.#listeners].flatMap(({ seat, receiver }) => {
      const consumerIds = heard.flatMap((voice) => receiver?.drop(voice) ?? []);
      return consumerIds.length > 0 ? [{ seat, consumerIds }] : [];
    });
    for (const { seat, consumerIds } of removed) this.#events.consumersRemoved(seat, consumerIds);
    const stillHeard = new Set(this.#users.values());
    for (const { userId } of heard) if (!stillHeard.has(userId)) this.#monitor.stopped(userId);
  }

  /** Levels as mediasoup measured them, in dBov, by the id on the router; one that is in no state counts for nothing. */
  measured(levels: ReadonlyMap<string, number>): void {
    const byUser = new Map<string, number>();
    for (const [routedId, level] of levels) {
      const userId = this.#users.get(routedId);
      if (userId !== undefined) byUser.set(userId, Math.max(level, byUser.get(userId) ?? level));
    }
    this.#monitor.measured(byUser);
  }
}
