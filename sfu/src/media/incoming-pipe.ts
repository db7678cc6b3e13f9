import { type Result, refuse } from '@rostrum/shared/result.ts';
import { backOffMs } from './back-off.ts';
import type { MicrophoneState, PipeDemand, PipeEnd, PipeOffer } from './media-plane.ts';
import { microphoneParameters } from './opus.ts';
import { isSameEnd, PipeHalf, type PipeSettings } from './pipe-half.ts';
import { PipedMicrophone } from './piped-microphone.ts';
import type { RoomContext } from './room-context.ts';
import type { StageVoices } from './stage-voices.ts';

export type IncomingPipeOptions = {
  readonly context: RoomContext;
  readonly settings: PipeSettings;
  /** Who serves, for the log. */
  readonly from: string;
  /** Asks the serving side. Whatever goes wrong on the way is a refusal; a rejection counts as `unavailable`. */
  readonly ask: (demand: PipeDemand) => Promise<Result<PipeOffer>>;
  readonly nextSequence: () => number;
  /** To whom the microphones are given. */
  readonly voices: Pick<StageVoices, 'follow' | 'give' | 'take'>;
};

/** Demands in a lease: the serving end outlives the loss of a few. */
const demandsPerLease = 5;

/** Failures in a row before it is said: less may be a moment's, as when another node hears of a microphone first. */
const failuresBeforeSaid = 3;

/**
 * The asking end of a pipe: has the wanted microphones sent here, each once, and gives them to the room. One demand at
 * a time goes out: at once when what is wanted changes, with back-off while something fails or is not there yet, and
 * else as often as the lease wants it. An end that the other side does not have any more is opened anew, and so is one
 * that was not answered for a lease: then the other side has closed its own.
 */
export class IncomingPipe {
  readonly #options: IncomingPipeOptions;
  readonly #renewMs: number;
  /** By producer id. */
  #wanted: ReadonlyMap<string, MicrophoneState> = new Map();
  readonly #piped = new Map<string, PipedMicrophone>();
  #half: PipeHalf | undefined;
  /** The end that was told to the other side last. */
  #told: PipeEnd | undefined;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #changed = false;
  #wake: () => void = () => undefined;
  /** The sequence number of the last word, when this is closed. */
  #farewell: number | undefined;

  constructor(options: IncomingPipeOptions) {
    this.#options = options;
    this.#renewMs = options.settings.leaseMs / demandsPerLease;
  }

  get streamCount(): number {
    return this.#piped.size;
  }

  /** Microphones that are asked for, here or on their way: whoever listens will hear every one of them. */
  get wantedCount(): number {
    return this.#wanted.size;
  }

  get isOpen(): boolean {
    return this.#half !== undefined;
  }

  /** Begins to ask, until it is closed. */
  start(): void {
    void this.#run();
  }

  /** From now on these are wanted, by producer id. Resolves when the worker has followed for those that are here. */
  async want(microphones: ReadonlyMap<string, MicrophoneState>): Promise<void> {
    const before = this.#wanted;
    this.#wanted = microphones;
    this.#discard([...this.#piped.values()].filter(({ producerId }) => !microphones.has(producerId)));
    if (before.size !== microphones.size || [...microphones.keys()].some((producerId) => !before.has(producerId))) {
      // What is wanted newly may be there at once, whatever else is not.
      this.#failures = 0;
      this.#askNow();
    }
    await Promise.all(
      [...this.#piped.values()].map((piped) => this.#options.voices.follow(piped, microphones.get(piped.producerId))),
    );
  }

  /** The other side is gone, and its end with it. What is wanted is asked for anew. */
  restart(): void {
    this.#reset();
    this.#askNow();
  }

  close(): void {
    if (this.#farewell !== undefined) return;
    // Taken now, so that a pipe that follows this one speaks later.
    this.#farewell = this.#options.nextSequence();
    this.#reset();
    this.#askNow();
  }

  get #closed(): boolean {
    return this.#farewell !== undefined;
  }

  #askNow(): void {
    this.#changed = true;
    this.#wake();
  }

  /** Closes this side's end, and everything on it. */
  #reset(): void {
    const half = this.#half;
    this.#half = undefined;
    half?.close();
    this.#discard([...this.#piped.values()]);
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      this.#changed = false;
      const settled = await this.#demand();
      this.#failures = settled ? 0 : this.#failures + 1;
      if (!this.#changed && !this.#closed) await this.#wait();
    }
    // After what was under way, so that it is the last word at the other side. If it is lost, the lease ends the pipe.
    if (this.#told !== undefined) await this.#ask(this.#told, this.#farewell ?? 0, []);
  }

  async #wait(): Promise<void> {
    const waitMs = this.#failures === 0 ? this.#renewMs : backOffMs(this.#failures, this.#renewMs);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs).unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** One demand, and what follows from its answer. Never rejects. Answers whether everything wanted is here. */
  async #demand(): Promise<boolean> {
    let half: PipeHalf | undefined;
    try {
      half = await this.#opened();
      if (half === undefined) return false;
      this.#told = half.local;
      this.#changed = false;
      const answer = await this.#ask(this.#told, this.#options.nextSequence(), [...this.#wanted.keys()]);
      if (this.#half !== half) return false;
      if (!answer.ok) {
        this.#refused(half, answer.refusal.code);
        return false;
      }
      this.#answeredAt = performance.now();
      return await this.#accept(half, answer.value);
    } catch (error) {
      const { worker } = this.#options.context;
      // It was closed or replaced meanwhile, and that is why.
      if (this.#closed || this.#half !== half || worker.closed) return false;
      // What mediasoup fails at once it may fail at again (a stream's number that is taken): everything is made anew.
      this.#reset();
      this.#complain('mediasoup fails at a pipe', { err: error });
      return false;
    }
  }

  /** This side's end; undefined when the pipe was closed meanwhile. */
  async #opened(): Promise<PipeHalf | undefined> {
    if (this.#half !== undefined) return this.#half;
    const half = await PipeHalf.open(this.#options.context, this.#options.settings);
    if (this.#closed) {
      half.close();
      return undefined;
    }
    this.#half = half;
    return half;
  }

  async #ask(transport: PipeEnd, sequence: number, producerIds: readonly string[]): Promise<Result<PipeOffer>> {
    const { context, ask } = this.#options;
    try {
      return await ask({ roomId: context.roomId, sequence, transport, producerIds });
    } catch (error) {
      this.#complain('a pipe cannot be asked for', { err: error });
      return refuse('unavailable');
    }
  }

  #refused(half: PipeHalf, code: string): void {
    this.#complain('a pipe is refused', { code });
    const leaseIsOver = performance.now() - this.#answeredAt > this.#options.settings.leaseMs;
    if (half.remote === undefined || code === 'not_found' || leaseIsOver) this.#reset();
  }

  /** Once in a series of failures, as it is tried for as long as somebody wants to hear. */
  #complain(what: string, about: Record<string, unknown>): void {
    if (this.#failures + 1 !== failuresBeforeSaid) return;
    const { context, from } = this.#options;
    context.logger.warn({ roomId: context.roomId, from, ...about }, what);
  }

  /** Takes what is offered. Rejects when mediasoup fails at it. */
  async #accept(half: PipeHalf, offer: PipeOffer): Promise<boolean> {
    if (half.remote === undefined) await half.connect(offer.transport);
    if (half.remote === undefined || !isSameEnd(half.remote, offer.transport)) {
      this.#reset();
      return false;
    }
    const offered = new Map(offer.producers.map((producer) => [producer.producerId, producer.rtpParameters]));
    const isStill = ({ producerId, ssrc }: PipedMicrophone) => offered.get(producerId)?.encodings[0]?.ssrc === ssrc;
    this.#discard([...this.#piped.values()].filter((piped) => !isStill(piped)));
    const lacking = [...offered].filter(([producerId]) => this.#wanted.has(producerId) && !this.#piped.has(producerId));
    const arrived = await Promise.all(
      lacking.map(([producerId, rtpParameters]) => this.#receive(half, producerId, rtpParameters)),
    );
    await this.#welcome(
      half,
      arrived.flatMap((piped) => piped ?? []),
    );
    return [...this.#wanted.keys()].every((producerId) => this.#piped.has(producerId));
  }

  async #receive(
    half: PipeHalf,
    producerId: string,
    rtpParameters: PipeOffer['producers'][number]['rtpParameters'],
  ): Promise<PipedMicrophone | undefined> {
    const { context } = this.#options;
    const userId = this.#wanted.get(producerId)?.userId;
    if (userId === undefined) return undefined;
    // The quality was kept to where the microphone is.
    const producer = await half.produce(microphoneParameters(rtpParameters, 'music'));
    return new PipedMicrophone({ userId, producerId }, producer, context);
  }

  /** Gives them to the room in one go, so that every listener negotiates once. */
  async #welcome(half: PipeHalf, arrived: readonly PipedMicrophone[]): Promise<void> {
    const { voices } = this.#options;
    const following: Promise<void>[] = [];
    for (const piped of arrived) {
      const state = this.#wanted.get(piped.producerId);
      if (this.#half !== half || state === undefined) {
        piped.close();
        continue;
      }
      this.#piped.set(piped.producerId, piped);
      following.push(voices.follow(piped, state));
    }
    // A large audience is given them over many turns, and that fails by itself alone: the next demand need not wait.
    if (following.length > 0) void voices.give();
    await Promise.all(following);
  }

  /** Closes these and takes them from whoever hears them. */
  #discard(microphones: readonly PipedMicrophone[]): void {
    for (const piped of microphones) {
      this.#piped.delete(piped.producerId);
      piped.close();
    }
    this.#options.voices.take(microphones);
  }
}
