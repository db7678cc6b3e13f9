import type { TransportOffer } from '@rostrum/shared/protocol/listening.ts';
import type { MicrophoneRtpParameters } from '@rostrum/shared/protocol/media.ts';
import type { RoomSettings } from '@rostrum/shared/protocol/room.ts';
import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import type { SeatRef } from './media-plane.ts';
import { Microphone } from './microphone.ts';
import { microphoneParameters, toleratedBitrate } from './opus.ts';
import { failure, type RoomContext, superseded } from './room-context.ts';
import { SeatTransport } from './seat-transport.ts';

type AudioQuality = RoomSettings['audioQuality'];

/** The sending side of a seat: one transport, and on it at most one microphone (MD-1, MD-9). */
export class Sender {
  readonly transport: SeatTransport;
  readonly #seat: SeatRef;
  readonly #context: RoomContext;
  #microphone: Microphone | undefined;
  #producing = false;

  constructor(seat: SeatRef, context: RoomContext, ended: () => void) {
    this.#seat = seat;
    this.#context = context;
    this.transport = new SeatTransport(seat, context, { ended });
  }

  get microphone(): Microphone | undefined {
    return this.#microphone;
  }

  /** Whether there is a microphone, or one is opening. */
  get hasMicrophone(): boolean {
    return this.#producing || this.#microphone !== undefined;
  }

  /** Opens the transport; undefined when it was closed meanwhile. Rejects when the worker does not do it. */
  async open(quality: AudioQuality): Promise<TransportOffer | undefined> {
    const transport = await this.transport.start();
    if (transport === undefined) return undefined;
    await this.limitBitrate(quality);
    this.transport.expectConnection();
    return this.transport.open && this.transport.offer(transport);
  }

  /**
   * Asks the client's congestion control to stay within what the quality takes (REMB). A client may ignore it: see
   * `RoomStage.stopExcess`.
   */
  async limitBitrate(quality: AudioQuality): Promise<void> {
    const transport = this.transport.open;
    if (transport === undefined) return;
    await this.#context.worker.ask(() => transport.setMaxIncomingBitrate(toleratedBitrate(quality)));
  }

  /** Opens the microphone, heard by nobody yet. `abandoned` is called when the room's state never comes to have it. */
  async produce(
    client: MicrophoneRtpParameters,
    quality: AudioQuality,
    abandoned: (microphone: Microphone) => void,
  ): Promise<Result<Microphone>> {
    const transport = this.transport.open;
    if (transport === undefined) return refuse('not_found');
    if (this.hasMicrophone) return refuse('already');
    this.#producing = true;
    try {
      const producer = await this.#context.worker.ask(() =>
        transport.produce({ kind: 'audio', rtpParameters: microphoneParameters(client, quality), paused: true }),
      );
      if (this.transport.closed) {
        producer.close();
        return superseded(this.#context);
      }
      const microphone: Microphone = new Microphone(this.#seat, producer, this.#context, () => abandoned(microphone));
      this.#microphone = microphone;
      return done(microphone);
    } catch (error) {
      return failure(this.#context, {
        error,
        doing: 'opening a microphone',
        closed: this.transport.closed,
        code: 'invalid',
      });
    } finally {
      this.#producing = false;
    }
  }

  /** Closes the microphone and keeps the transport. */
  closeMicrophone(): void {
    this.#microphone?.close();
    this.#microphone = undefined;
  }

  close(): void {
    this.closeMicrophone();
    this.transport.close();
  }
}
