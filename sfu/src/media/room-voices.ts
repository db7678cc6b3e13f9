import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MediaEvents } from './media-plane.ts';
import type { Receiver } from './receiver.ts';
import type { RoutedVoice } from './room-voice.ts';

/** Listeners that are given new voices in one turn of the event loop, so that a large audience does not block it. */
const listenersPerTurn = 50;

export type RoomVoicesOptions<Voice> = {
  /** Those who listen at this router. */
  readonly receivers: ReadonlySet<Receiver>;
  readonly events: Pick<MediaEvents, 'consumersAdded' | 'consumersRemoved'>;
  /** Called when every listener there is was given a voice that came newly. */
  readonly given: (voice: Voice) => void;
};

/**
 * The voices on one router of a room, which everybody hears who listens there. A listener that arrives
 * while a microphone opens gets it once: both sides claim the pair in the receiver before anything waits.
 */
export class RoomVoices<Voice extends RoutedVoice> {
  readonly #options: RoomVoicesOptions<Voice>;
  /** By producer id. */
  readonly #voices = new Map<string, Voice>();
  /** Voices that no listener was given yet, and those that every listener was given. */
  readonly #fresh = new Set<Voice>();
  readonly #given = new Set<Voice>();
  /** Whether some listener may lack a voice. */
  #incomplete = false;

  constructor(options: RoomVoicesOptions<Voice>) {
    this.#options = options;
  }

  get all(): ReadonlyMap<string, Voice> {
    return this.#voices;
  }

  /** Whether every listener was given this voice. */
  isGiven(producerId: string): boolean {
    const voice = this.#voices.get(producerId);
    return voice !== undefined && this.#given.has(voice);
  }

  /** Adds a voice; listeners are given it by `give`. Answers whether it is new. */
  add(voice: Voice): boolean {
    if (this.#voices.has(voice.producerId)) return false;
    this.#voices.set(voice.producerId, voice);
    this.#fresh.add(voice);
    this.#incomplete = true;
    return true;
  }

  /** Gives every listener the voices it lacks, and tells it of them in one event. Never rejects. */
  async give(): Promise<void> {
    if (!this.#incomplete) return;
    this.#incomplete = false;
    const receivers = [...this.#options.receivers];
    const fresh = [...this.#fresh];
    this.#fresh.clear();
    for (let start = 0; start < receivers.length; start += listenersPerTurn) {
      if (start > 0) await nextTurn();
      const turn = receivers.slice(start, start + listenersPerTurn);
      await Promise.all(turn.map((receiver) => this.#giveTo(receiver)));
    }
    for (const voice of fresh) {
      if (this.#voices.get(voice.producerId) !== voice) continue;
      this.#given.add(voice);
      this.#options.given(voice);
    }
  }

  async #giveTo(receiver: Receiver): Promise<void> {
    await this.hear(receiver);
    const consumers = receiver.collect();
    const transportId = receiver.transport.open?.id;
    if (consumers.length > 0 && transportId !== undefined)
      this.#options.events.consumersAdded({ seat: receiver.seat, transportId, consumers });
  }

  /** Claims for this listener every voice it lacks. One that fails is tried again with the next `give`. */
  async hear(receiver: Receiver): Promise<void> {
    if (!(await receiver.hear(this.#voices.values()))) this.#incomplete = true;
  }

  /** Takes these voices from every listener that has them; those that close are closed first. Answers those that were here. */
  take(voices: readonly Voice[]): Voice[] {
    const heard = voices.filter((voice) => this.#voices.get(voice.producerId) === voice);
    if (heard.length === 0) return heard;
    for (const voice of heard) {
      this.#voices.delete(voice.producerId);
      this.#fresh.delete(voice);
      this.#given.delete(voice);
    }
    const removed = [...this.#options.receivers].flatMap((receiver) => {
      const consumerIds = heard.flatMap((voice) => receiver.drop(voice) ?? []);
      return consumerIds.length > 0 ? [{ seat: receiver.seat, consumerIds }] : [];
    });
    for (const { seat, consumerIds } of removed) this.#options.events.consumersRemoved(seat, consumerIds);
    return heard;
  }
}
