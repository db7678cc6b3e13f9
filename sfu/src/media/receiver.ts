import type { ConsumerOffer } from '@rostrum/shared/protocol/listening.ts';
import type { types } from 'mediasoup';
import type { SeatRef } from './media-plane.ts';
import { listenerCapabilities } from './opus.ts';
import type { RoomContext } from './room-context.ts';
import type { RoutedVoice } from './room-voice.ts';
import { SeatTransport, type TransportHooks } from './seat-transport.ts';

/** A voice on its way to a listener: claimed, so that it is asked for only once, then with its consumer. */
type Voice = {
  readonly userId: string;
  consumer: types.Consumer | undefined;
  /** Whether the client was told, so that it has to be told too when the voice goes. */
  told: boolean;
};

/** The receiving side of a seat: one transport, with one consumer for every microphone that is not its own (MD-1). */
export class Receiver {
  readonly seat: SeatRef;
  readonly transport: SeatTransport;
  readonly #closed: () => void;
  readonly #context: RoomContext;
  /** By producer id. */
  readonly #voices = new Map<string, Voice>();
  readonly #pending = new Set<Promise<void>>();
  #capabilities: types.RtpCapabilities = {};
  /** Whether the client knows this transport; before that, every voice goes into the answer of `listen`. */
  #answered = false;
  #isClosed = false;

  /** `closed` is called once, whoever closes it. */
  constructor(seat: SeatRef, context: RoomContext, hooks: TransportHooks & { readonly closed: () => void }) {
    this.seat = seat;
    this.#context = context;
    this.#closed = hooks.closed;
    this.transport = new SeatTransport(seat, context, hooks);
  }

  get consumerCount(): number {
    return this.#voices.size;
  }

  /** Whether the client was answered, and is told what changes. */
  get isAnswered(): boolean {
    return this.#answered;
  }

  /** The consumer of a voice that is among these. */
  consumerOf(producerIds: Iterable<string>): types.Consumer | undefined {
    for (const producerId of producerIds) {
      const consumer = this.#voices.get(producerId)?.consumer;
      if (consumer !== undefined) return consumer;
    }
    return undefined;
  }

  /** Opens the transport; undefined when it was closed meanwhile. Rejects when the worker does not do it. */
  async open(): Promise<types.WebRtcTransport | undefined> {
    const router = await this.#context.router();
    this.#capabilities = listenerCapabilities(router.rtpCapabilities);
    return this.transport.start();
  }

  /**
   * Claims every one of these microphones that is neither claimed yet nor the listener's own, and resolves when there
   * is an end to those that this call claimed. Before the transport is open nothing happens: `listen` does it then.
   * Answers whether all of them worked, or became pointless.
   */
  async hear(microphones: Iterable<RoutedVoice>): Promise<boolean> {
    const transport = this.transport.open;
    if (transport === undefined) return true;
    const claimed: Promise<boolean>[] = [];
    for (const microphone of microphones) {
      if (microphone.userId === this.seat.userId || this.#voices.has(microphone.producerId)) continue;
      const voice: Voice = { userId: microphone.userId, consumer: undefined, told: false };
      this.#voices.set(microphone.producerId, voice);
      claimed.push(this.#consume(transport, microphone, voice));
    }
    const pending = Promise.all(claimed);
    const settled = pending.then(() => {
      this.#pending.delete(settled);
    });
    if (claimed.length > 0) this.#pending.add(settled);
    return (await pending).every(Boolean);
  }

  /** Never rejects. False when it failed although the listener and the microphone are still there. */
  async #consume(transport: types.WebRtcTransport, microphone: RoutedVoice, voice: Voice): Promise<boolean> {
    const { producerId, routedId } = microphone;
    const wanted = () => this.#voices.get(producerId) === voice && !this.transport.closed && !microphone.closed;
    try {
      const consumer = await this.#context.worker.ask(() =>
        transport.consume({ producerId: routedId, rtpCapabilities: this.#capabilities }),
      );
      if (wanted()) {
        voice.consumer = consumer;
        return true;
      }
      // mediasoup would keep a consumer that was made for a transport, or a microphone, that is gone.
      consumer.close();
    } catch (error) {
      if (wanted() && !this.#context.worker.closed) {
        this.#voices.delete(producerId);
        this.#context.logger.error(
          { roomId: this.#context.roomId, producerId, err: error },
          'mediasoup refused a consumer',
        );
        return false;
      }
    }
    if (this.#voices.get(producerId) === voice) this.#voices.delete(producerId);
    return true;
  }

  /** For the answer of `listen`: waits until no voice is on its way, then hands out all there are. */
  async answer(): Promise<ConsumerOffer[]> {
    await this.#quiet();
    this.#answered = true;
    return this.collect();
  }

  /** The voices that the client was not told of yet, to tell it now. */
  collect(): ConsumerOffer[] {
    if (!this.#answered || this.transport.closed) return [];
    return this.#offers((voice) => !voice.told);
  }

  /** What a client lacks that knows these consumers (`media:sync`). */
  async lacking(consumerIds: ReadonlySet<string>): Promise<ConsumerOffer[]> {
    await this.#quiet();
    return this.#offers(({ consumer }) => consumer !== undefined && !consumerIds.has(consumer.id));
  }

  consumerIds(): string[] {
    return [...this.#voices.values()].flatMap(({ consumer }) => consumer?.id ?? []);
  }

  /** Forgets the voice of a microphone that is heard no more. Answers the id of its consumer if the client was told of it. */
  drop(microphone: RoutedVoice): string | undefined {
    const voice = this.#voices.get(microphone.producerId);
    if (voice === undefined) return undefined;
    this.#voices.delete(microphone.producerId);
    // With a microphone that is closed, mediasoup closes its consumers by itself.
    if (!microphone.closed) voice.consumer?.close();
    return voice.told ? voice.consumer?.id : undefined;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#voices.clear();
    this.transport.close();
    this.#closed();
  }

  #offers(which: (voice: Voice) => boolean): ConsumerOffer[] {
    const offers: ConsumerOffer[] = [];
    for (const [producerId, voice] of this.#voices) {
      if (voice.consumer === undefined || !which(voice)) continue;
      voice.told = true;
      const { id, rtpParameters } = voice.consumer;
      offers.push({ consumerId: id, producerId, userId: voice.userId, rtpParameters });
    }
    // With its first voice the client has something to connect for.
    if (offers.length > 0) this.transport.expectConnection(() => this.#voices.size === 0);
    return offers;
  }

  async #quiet(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }
}
