import { type Result, refuse } from '@rostrum/shared/result.ts';
import type { SeatRef } from './media-plane.ts';
import { Receiver } from './receiver.ts';
import type { RoomContext } from './room-context.ts';
import type { SeatTransport } from './seat-transport.ts';
import { Sender } from './sender.ts';

/** What a participant tells its room: one of its sides ended without the room asking for it. */
export type ParticipantEvents = {
  receiverEnded: (participant: ParticipantMedia) => void;
  senderEnded: (participant: ParticipantMedia, sender: Sender) => void;
};

/** The media of one seat: at most one receiving and one sending side, each replaced by the next of its kind. */
export class ParticipantMedia {
  readonly seat: SeatRef;
  readonly #context: RoomContext;
  readonly #events: ParticipantEvents;
  #receiver: Receiver | undefined;
  #sender: Sender | undefined;
  /** Transports that mediasoup is making, those included that were replaced meanwhile. */
  #opening = 0;

  constructor(seat: SeatRef, context: RoomContext, events: ParticipantEvents) {
    this.seat = seat;
    this.#context = context;
    this.#events = events;
  }

  get receiver(): Receiver | undefined {
    return this.#receiver;
  }

  get sender(): Sender | undefined {
    return this.#sender;
  }

  /** Whether it has any media, or is about to. */
  get inUse(): boolean {
    return this.#receiver !== undefined || this.#sender !== undefined;
  }

  /** Claims a new receiving side and closes the one before. The caller opens it. */
  replaceReceiver(): Receiver {
    this.closeReceiver();
    const receiver = new Receiver(this.seat, this.#context, () => {
      if (this.#receiver !== receiver) return;
      this.closeReceiver();
      this.#events.receiverEnded(this);
    });
    this.#receiver = receiver;
    return receiver;
  }

  /** Claims a new sending side; the caller has closed the one before, and opens this one. */
  claimSender(): Sender {
    const sender = new Sender(this.seat, this.#context, () => {
      if (this.#sender === sender) this.#events.senderEnded(this, sender);
    });
    this.#sender = sender;
    return sender;
  }

  /**
   * Runs the opening of a transport in place of `replaced`, unless this seat has `transportsPerSeat` without it, those
   * that mediasoup is still making included: a client that asks again and again replaces its own, but mediasoup would work on all of them.
   */
  async opening<T>(replaced: Sender | Receiver | undefined, open: () => Promise<Result<T>>): Promise<Result<T>> {
    const others = [this.#receiver, this.#sender].filter(
      (side) => side !== replaced && side?.transport.open !== undefined,
    );
    if (this.#opening + others.length >= this.#context.limits.transportsPerSeat)
      return refuse('rate_limited', { retryAfterMs: 100 });
    this.#opening += 1;
    try {
      return await open();
    } finally {
      this.#opening -= 1;
    }
  }

  /** The transport of this seat that has this id. */
  transport(transportId: string): SeatTransport | undefined {
    return [this.#receiver?.transport, this.#sender?.transport].find(
      (transport) => transport?.open?.id === transportId,
    );
  }

  /** The ids of the transports that live. */
  transportIds(): string[] {
    return [this.#receiver?.transport, this.#sender?.transport].flatMap((transport) => transport?.open?.id ?? []);
  }

  closeReceiver(): void {
    this.#receiver?.close();
    this.#receiver = undefined;
  }

  closeSender(): void {
    this.#sender?.close();
    this.#sender = undefined;
  }

  close(): void {
    this.closeReceiver();
    this.closeSender();
  }
}
