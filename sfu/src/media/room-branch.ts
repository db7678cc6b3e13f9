import { done, type Result } from '@rostrum/shared/result.ts';
import type { types } from 'mediasoup';
import type { Listening, SeatRef } from './media-plane.ts';
import type { MediaWorker } from './media-worker.ts';
import { opusCodec } from './opus.ts';
import { Receiver } from './receiver.ts';
import { failure, type RoomContext, type SharedContext, superseded } from './room-context.ts';
import type { RoutedVoice } from './room-voice.ts';
import { RoomVoices } from './room-voices.ts';
import type { TransportHooks } from './seat-transport.ts';

export type RoomBranchOptions<Voice> = {
  readonly shared: SharedContext;
  readonly worker: MediaWorker;
  /** Called when every listener there is was given a voice that came newly. */
  readonly given: (voice: Voice) => void;
  /** Called when the number of listeners changed. */
  readonly counted?: () => void;
};

/** One router of a room on one worker, the voices on it, and those who listen there. */
export class RoomBranch<Voice extends RoutedVoice> {
  readonly context: RoomContext;
  readonly voices: RoomVoices<Voice>;
  readonly #receivers = new Set<Receiver>();
  readonly #counted: () => void;
  readonly #opened: Promise<types.Router>;
  #router: types.Router | undefined;
  #closed = false;

  constructor({ shared, worker, given, counted }: RoomBranchOptions<Voice>) {
    this.context = { ...shared, worker, router: () => this.#opened };
    this.voices = new RoomVoices({ receivers: this.#receivers, events: shared.events, given });
    this.#counted = counted ?? (() => undefined);
    this.#opened = this.#open();
    // Whoever waits for the router sees its failure.
    this.#opened.catch(() => undefined);
  }

  get worker(): MediaWorker {
    return this.context.worker;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Those who listen here, and those for whom a transport opens. */
  get receivers(): ReadonlySet<Receiver> {
    return this.#receivers;
  }

  async #open(): Promise<types.Router> {
    const router = await this.worker.createRouter([opusCodec]);
    if (this.#closed) {
      router.close();
      throw new Error('a router was closed while it opened');
    }
    this.#router = router;
    return router;
  }

  /** Claims a place here for a listener; it counts from now on. */
  claim(seat: SeatRef, hooks: TransportHooks): Receiver {
    const receiver: Receiver = new Receiver(seat, this.context, {
      ...hooks,
      closed: () => {
        this.#receivers.delete(receiver);
        this.#counted();
      },
    });
    this.#receivers.add(receiver);
    this.#counted();
    return receiver;
  }

  /** Opens a place that was claimed. `ready` is waited for meanwhile: voices that are about to come here go into the answer. */
  async listen(receiver: Receiver, ready: Promise<void>): Promise<Result<Listening>> {
    try {
      const [transport] = await Promise.all([receiver.open(), ready]);
      if (transport === undefined || receiver.transport.closed) return superseded(this.context);
      const { rtpCapabilities } = await this.context.router();
      void this.voices.hear(receiver);
      // From here on the client is told of changes by events: nothing may wait between this and the answer.
      const consumers = await receiver.answer();
      if (receiver.transport.closed) return superseded(this.context);
      return done({ rtpCapabilities, transport: receiver.transport.offer(transport), consumers });
    } catch (error) {
      const { closed } = receiver.transport;
      return failure(this.context, { error, doing: 'opening a receiving transport', closed, code: 'unavailable' });
    }
  }

  /** Transports and consumers of those who listen here. */
  load(): { transports: number; consumers: number } {
    const load = { transports: 0, consumers: 0 };
    for (const receiver of this.#receivers) {
      if (receiver.transport.open !== undefined) load.transports += 1;
      load.consumers += receiver.consumerCount;
    }
    return load;
  }

  /** How many listen here to somebody: all but that person. */
  hearing(userId: string): number {
    let count = this.#receivers.size;
    for (const { seat } of this.#receivers) if (seat.userId === userId) count -= 1;
    return count;
  }

  /** Closes the router, and everything on it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // First the router: it takes everything with it in one request.
    this.#router?.close();
    for (const receiver of [...this.#receivers]) receiver.close();
  }
}
