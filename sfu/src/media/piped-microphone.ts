import type { types } from 'mediasoup';
import { firstPacket } from './first-packet.ts';
import { packetMsOf } from './opus.ts';
import { ProducerSwitch } from './producer-switch.ts';
import type { RoomContext } from './room-context.ts';
import type { RoomVoice } from './room-voice.ts';

/** A microphone at another node, as it is heard here: a producer on the end of a pipe. It is never piped on. */
export class PipedMicrophone implements RoomVoice {
  readonly userId: string;
  readonly producerId: string;
  readonly isMicrophone = false;
  readonly packetMs: number;
  readonly #producer: types.Producer;
  readonly #context: RoomContext;
  readonly #switch: ProducerSwitch;
  #muted = true;

  /** `producer` is paused. */
  constructor(
    microphone: { readonly userId: string; readonly producerId: string },
    producer: types.Producer,
    context: RoomContext,
  ) {
    this.userId = microphone.userId;
    this.producerId = microphone.producerId;
    this.#producer = producer;
    this.#context = context;
    this.packetMs = packetMsOf(producer.rtpParameters);
    this.#switch = new ProducerSwitch(producer, context);
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

  /** The stream that it is made from: the other side has it anew when this is another one. */
  get ssrc(): number | undefined {
    return this.#producer.rtpParameters.encodings?.[0]?.ssrc;
  }

  follow(state: { readonly muted: boolean } | undefined): Promise<void> {
    this.#muted = state?.muted ?? true;
    return this.#switch.turn(!this.#muted);
  }

  firstPacket(withinMs: number): Promise<void> {
    return firstPacket(this.#producer, this.#context, withinMs);
  }

  close(): void {
    this.#producer.close();
  }
}
