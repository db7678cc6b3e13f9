import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MediaEvents, MicrophoneState } from './media-plane.ts';
import type { Microphone } from './microphone.ts';
import type { ParticipantMedia } from './participant-media.ts';
import type { Receiver } from './receiver.ts';
import type { SpeakerMonitor } from './speaker-monitor.ts';

/** Listeners that are given new voices in one turn of the event loop, so that a large audience does not block it. */
const listenersPerTurn = 50;

/**
 * The voices of a room: the microphones that its state has, and that so every listener hears. A listener that arrives
 * while a microphone opens gets it once: both sides claim the pair in the receiver before anything waits.
 */
export class RoomVoices {
  readonly #listeners: ReadonlySet<ParticipantMedia>;
  readonly #monitor: SpeakerMonitor;
  readonly #events: MediaEvents;
  /** By producer id. */
  readonly #microphones = new Map<string, Microphone>();
  /** Whether some listener may lack a voice. */
  #incomplete = false;

  constructor(listeners: ReadonlySet<ParticipantMedia>, monitor: SpeakerMonitor, events: MediaEvents) {
    this.#listeners = listeners;
    this.#monitor = monitor;
    this.#events = events;
  }

  /** Makes one microphone what the state says of it, but for the listeners: see `give`. Resolves when the worker did it. */
  follow(microphone: Microphone, state: MicrophoneState | undefined): Promise<void> {
    if (state === undefined) {
      this.take([microphone]);
    } else if (!this.#microphones.has(microphone.producerId)) {
      this.#microphones.set(microphone.producerId, microphone);
      this.#incomplete = true;
    }
    if (state?.muted) this.#monitor.stopped(microphone.seat.userId);
    return microphone.follow(state);
  }

  /** Gives every listener the voices it lacks, and tells it of them in one event. */
  async give(): Promise<void> {
    if (!this.#incomplete) return;
    this.#incomplete = false;
    const listeners = [...this.#listeners];
    for (let start = 0; start < listeners.length; start += listenersPerTurn) {
      if (start > 0) await nextTurn();
      const turn = listeners.slice(start, start + listenersPerTurn);
      await Promise.all(turn.map((listener) => this.#giveTo(listener)));
    }
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
    if (!(await receiver.hear(this.#microphones.values()))) this.#incomplete = true;
  }

  /** Takes these voices from every listener that has them. Microphones that close are closed first. */
  take(microphones: readonly Microphone[]): void {
    const heard = microphones.filter((microphone) => this.#microphones.delete(microphone.producerId));
    if (heard.length === 0) return;
    const removed = [...this.#listeners].flatMap(({ seat, receiver }) => {
      const consumerIds = heard.flatMap((microphone) => receiver?.drop(microphone) ?? []);
      return consumerIds.length > 0 ? [{ seat, consumerIds }] : [];
    });
    for (const { seat, consumerIds } of removed) this.#events.consumersRemoved(seat, consumerIds);
    for (const { seat } of heard) this.#monitor.stopped(seat.userId);
  }

  /** Levels by producer id as mediasoup measured them, in dBov; one that is in no state counts for nothing. */
  measured(levels: ReadonlyMap<string, number>): void {
    const byUser = new Map<string, number>();
    for (const [producerId, level] of levels) {
      const microphone = this.#microphones.get(producerId);
      if (microphone !== undefined) byUser.set(microphone.seat.userId, level);
    }
    this.#monitor.measured(byUser);
  }
}
