import type { types } from 'mediasoup';
import { firstPacket } from './first-packet.ts';
import type { SeatRef } from './media-plane.ts';
import { packetMsOf } from './opus.ts';
import { ProducerSwitch } from './producer-switch.ts';
import type { RoomContext } from './room-context.ts';
import type { RoomVoice } from './room-voice.ts';

/** A burst at the start is no excess. */
const shortestAverageS = 5;

/**
 * An open microphone: one Opus producer. Its packets are forwarded only while the room's state has it and it is not
 * muted; nothing else resumes the producer (MO-1).
 */
export class Microphone implements RoomVoice {
  readonly seat: SeatRef;
  readonly #producer: types.Producer;
  readonly #context: RoomContext;
  readonly #abandoned: () => void;
  readonly #switch: ProducerSwitch;
  readonly isMicrophone = true;
  readonly packetMs: number;
  #inState = false;
  #muted = true;
  #unclaimedTimer: NodeJS.Timeout | undefined;
  #bytes = 0;
  #askedAt = performance.now();

  /** `producer` is paused. `abandoned` is called when the room's state did not have it for `mediaIdleMs`. */
  constructor(seat: SeatRef, producer: types.Producer, context: RoomContext, abandoned: () => void) {
    this.seat = seat;
    this.#producer = producer;
    this.#context = context;
    this.#abandoned = abandoned;
    // It never changes, and is asked for whenever somebody is placed, of every microphone that there is.
    this.packetMs = packetMsOf(producer.rtpParameters);
    this.#switch = new ProducerSwitch(producer, context);
    this.#expectState();
  }

  get userId(): string {
    return this.seat.userId;
  }

  get producerId(): string {
    return this.#producer.id;
  }

  get routedId(): string {
    return this.#producer.id;
  }

  get producer(): types.Producer {
    return this.#producer;
  }

  get muted(): boolean {
    return this.#muted;
  }

  get closed(): boolean {
    return this.#producer.closed;
  }

  /** Whether the room's state has this microphone: then listeners have a consumer for it. */
  get inState(): boolean {
    return this.#inState;
  }

  /** Follows the state: in it or not, and muted or not. Resolves when the worker did it. */
  async follow(state: { readonly muted: boolean } | undefined): Promise<void> {
    const inState = state !== undefined;
    this.#muted = state?.muted ?? true;
    if (inState !== this.#inState) {
      this.#inState = inState;
      if (inState) clearTimeout(this.#unclaimedTimer);
      else this.#expectState();
    }
    await this.#switch.turn(!this.#muted);
  }

  firstPacket(withinMs: number): Promise<void> {
    return firstPacket(this.#producer, this.#context, withinMs);
  }

  /**
   * Bits a second that arrived since it was asked the last time, RTP headers included; undefined when that is too short ago
   * to say anything. Never rejects.
   */
  async averageBitrate(): Promise<number | undefined> {
    const seconds = (performance.now() - this.#askedAt) / 1000;
    if (seconds < shortestAverageS) return undefined;
    try {
      const stats = await this.#context.worker.ask(() => this.#producer.getStats());
      const bytes = stats.reduce((sum, stream) => sum + stream.byteCount, 0);
      const bitrate = (8 * (bytes - this.#bytes)) / seconds;
      this.#askedAt = performance.now();
      this.#bytes = bytes;
      return bitrate;
    } catch {
      return undefined;
    }
  }

  close(): void {
    clearTimeout(this.#unclaimedTimer);
    this.#producer.close();
  }

  #expectState(): void {
    this.#unclaimedTimer = setTimeout(this.#abandoned, this.#context.limits.mediaIdleMs).unref();
  }
}
