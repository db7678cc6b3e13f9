import type { Limits } from '@rostrum/shared/limits.ts';
import { type Result, refuse } from '@rostrum/shared/result.ts';
import type { SeatRef } from './media-plane.ts';
import type { Receiver } from './receiver.ts';
import type { RoomContext } from './room-context.ts';
import type { SeatTransport, TransportHooks } from './seat-transport.ts';
import { Sender } from './sender.ts';

/** What a participant tells its room: one of its sides ended without the room asking for it. */
export type ParticipantEvents = {
  receiverEnded: (participant: ParticipantMedia) => void;
  senderEnded: (participant: ParticipantMedia, sender: Sender) => void;
};

/** Where a seat is served: by the router of the stage, or by one for the audience. */
export type Place = 'stage' | 'audience';

/**
 * Both transports for a moment, in milliseconds, unless the client closes the first before: the end of the handshake may be on its way
 * to the client once more (RFC 6347 section 4.2.4.1: after a second).
 */
const overlapMs = 1000;

/**
 * The media of one seat: at most one receiving and one sending side, each replaced by the next of its kind. A receiving side that
 * plays goes on until the one that follows it is connected, so that nobody misses anything on the way to another router (RO-3).
 */
export class ParticipantMedia {
  readonly seat: SeatRef;
  readonly #limits: Limits;
  readonly #events: ParticipantEvents;
  /** As the state said last, or whoever asked for media when it had said nothing yet. */
  onStage = false;
  /** Where it was last told to go. */
  #toldTo: Place | undefined;
  #receiver: Receiver | undefined;
  #previous: { readonly receiver: Receiver; timer: NodeJS.Timeout } | undefined;
  #sender: Sender | undefined;
  /** Transports that mediasoup is making, those included that were replaced meanwhile. */
  #opening = 0;

  constructor(seat: SeatRef, limits: Limits, events: ParticipantEvents) {
    this.seat = seat;
    this.#limits = limits;
    this.#events = events;
  }

  /** The receiving side that counts: the latest. */
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

  /** The receiving sides that live: the latest, and one before it that goes on until that is connected. */
  receivers(): Receiver[] {
    return [this.#receiver, this.#previous?.receiver].flatMap((receiver) => receiver ?? []);
  }

  /** Notes where it is served and where it belongs. Answers whether it has to be told to go there: once for each change. */
  isToMove(at: Place, belongs: Place): boolean {
    const isTold = this.#toldTo === belongs;
    this.#toldTo = at === belongs ? undefined : belongs;
    return at !== belongs && !isTold;
  }

  /**
   * Claims a new receiving side, at the router that `claim` claims it at; the caller opens it. The one before goes on until this one is
   * connected if it plays, and for no longer than `movedMediaMs`; else it is closed.
   */
  claimReceiver(claim: (seat: SeatRef, hooks: TransportHooks) => Receiver): Receiver {
    const before = this.#receiver;
    const receiver: Receiver = claim(this.seat, {
      connected: () => this.#connected(receiver),
      ended: () => {
        this.giveUp(receiver);
        this.#events.receiverEnded(this);
      },
    });
    this.#receiver = receiver;
    // It does what it was told, or what it is to do has changed since: what it is told from now on is news.
    this.#toldTo = undefined;
    if (before?.transport.isConnected) this.#keep(before);
    else before?.close();
    return receiver;
  }

  /** Closes this receiving side. If it is the latest, the one before it goes on, where there is one. */
  giveUp(receiver: Receiver): void {
    receiver.close();
    if (this.#previous?.receiver === receiver) this.#closePrevious();
    if (this.#receiver !== receiver) return;
    this.#receiver = this.#previous?.receiver;
    clearTimeout(this.#previous?.timer);
    this.#previous = undefined;
  }

  #connected(receiver: Receiver): void {
    const previous = this.#previous;
    if (receiver !== this.#receiver || previous === undefined) return;
    clearTimeout(previous.timer);
    const waitMs = Math.min(overlapMs, this.#limits.movedMediaMs);
    previous.timer = setTimeout(() => this.#closePrevious(), waitMs).unref();
  }

  #keep(receiver: Receiver): void {
    this.#closePrevious();
    const timer = setTimeout(() => this.#closePrevious(), this.#limits.movedMediaMs).unref();
    this.#previous = { receiver, timer };
  }

  #closePrevious(): void {
    clearTimeout(this.#previous?.timer);
    this.#previous?.receiver.close();
    this.#previous = undefined;
  }

  /** Claims a new sending side; the caller has closed the one before, and opens this one. */
  claimSender(context: RoomContext): Sender {
    const sender = new Sender(this.seat, context, () => {
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
    if (this.#opening + others.length >= this.#limits.transportsPerSeat)
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
    return this.#transports().find((transport) => transport.open?.id === transportId);
  }

  /** The ids of the transports that live. */
  transportIds(): string[] {
    return this.#transports().flatMap((transport) => transport.open?.id ?? []);
  }

  #transports(): SeatTransport[] {
    return [...this.receivers(), this.#sender].flatMap((side) => side?.transport ?? []);
  }

  closeReceivers(): void {
    for (const receiver of this.receivers()) receiver.close();
    clearTimeout(this.#previous?.timer);
    this.#previous = undefined;
    this.#receiver = undefined;
  }

  closeSender(): void {
    this.#sender?.close();
    this.#sender = undefined;
  }

  close(): void {
    this.closeReceivers();
    this.closeSender();
  }
}
