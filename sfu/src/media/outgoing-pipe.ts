import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import type { types } from 'mediasoup';
import type { PipeDemand, PipeEnd, PipeOffer } from './media-plane.ts';
import { pipedParameters } from './opus.ts';
import { isSameEnd, PipeHalf, type PipeSettings } from './pipe-half.ts';
import { failure, type RoomContext, superseded } from './room-context.ts';
import type { RoomVoice } from './room-voice.ts';

/**
 * The serving end of a pipe: sends microphones of this router to whoever asks for them, and closes when it is not asked
 * again for a lease. What is muted here sends nothing, and what closes here is gone, without anything being done for it.
 */
export class OutgoingPipe {
  readonly #context: RoomContext;
  readonly #remote: PipeEnd;
  readonly #ended: () => void;
  readonly #half: Promise<PipeHalf>;
  readonly #lease: NodeJS.Timeout;
  /** By producer id; on its way, or there. Never rejects: undefined when nothing came of it. */
  readonly #streams = new Map<string, Promise<types.Consumer | undefined>>();
  #sequence = 0;
  #closed = false;

  /** Opens towards this end. `ended` is called once, when it closed for whatever reason. */
  constructor(context: RoomContext, settings: PipeSettings, remote: PipeEnd, ended: () => void) {
    this.#context = context;
    this.#remote = remote;
    this.#ended = ended;
    this.#half = this.#open(settings);
    // Whoever is served sees its failure.
    this.#half.catch(() => undefined);
    this.#lease = setTimeout(() => this.close(), settings.leaseMs).unref();
  }

  /** The latest demand that was served. */
  get sequence(): number {
    return this.#sequence;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  has(producerId: string): boolean {
    return this.#streams.has(producerId);
  }

  leadsTo(remote: PipeEnd): boolean {
    return isSameEnd(this.#remote, remote);
  }

  /** Sends these microphones and no others, and begins the lease anew. */
  async serve({ sequence }: PipeDemand, microphones: readonly RoomVoice[]): Promise<Result<PipeOffer>> {
    this.#sequence = sequence;
    this.#lease.refresh();
    const wanted = new Set(microphones.map(({ producerId }) => producerId));
    for (const producerId of this.#streams.keys()) if (!wanted.has(producerId)) this.#drop(producerId);
    try {
      const half = await this.#half;
      if (sequence !== this.#sequence) return refuse('stale');
      const producers = await Promise.all(microphones.map((microphone) => this.#offer(half, microphone)));
      if (this.#closed) return superseded(this.#context);
      return done({ transport: half.local, producers: producers.flatMap((producer) => producer ?? []) });
    } catch (error) {
      const closed = this.#closed;
      this.close();
      return failure(this.#context, { error, doing: 'serving a pipe', closed, code: 'unavailable' });
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#lease);
    this.#streams.clear();
    // One that still opens sees that it is closed.
    this.#half.then(
      (half) => half.close(),
      () => undefined,
    );
    this.#ended();
  }

  async #open(settings: PipeSettings): Promise<PipeHalf> {
    const half = await PipeHalf.open(this.#context, settings);
    try {
      if (this.#closed) throw new Error('the pipe was closed while it opened');
      await half.connect(this.#remote);
      return half;
    } catch (error) {
      half.close();
      throw error;
    }
  }

  async #offer(half: PipeHalf, microphone: RoomVoice): Promise<PipeOffer['producers'][number] | undefined> {
    if (this.#closed) return undefined;
    const { producerId } = microphone;
    const stream = this.#streams.get(producerId) ?? this.#send(half, microphone);
    this.#streams.set(producerId, stream);
    const consumer = await stream;
    return consumer && { producerId, rtpParameters: pipedParameters(consumer.rtpParameters) };
  }

  #send(half: PipeHalf, microphone: RoomVoice): Promise<types.Consumer | undefined> {
    const { producerId, routedId } = microphone;
    const forget = () => {
      if (this.#streams.get(producerId) === stream) this.#streams.delete(producerId);
    };
    const stream = half.consume(routedId).then(
      (consumer) => {
        consumer.observer.once('close', forget);
        // mediasoup would keep a consumer that was made for a microphone that is gone.
        if (this.#closed || microphone.closed) consumer.close();
        return consumer.closed ? undefined : consumer;
      },
      (error: unknown) => {
        forget();
        const { logger, roomId, worker } = this.#context;
        if (!this.#closed && !worker.closed)
          logger.debug({ roomId, producerId, err: error }, 'a microphone was not piped');
        return undefined;
      },
    );
    return stream;
  }

  #drop(producerId: string): void {
    const stream = this.#streams.get(producerId);
    this.#streams.delete(producerId);
    void stream?.then((consumer) => consumer?.close());
  }
}
