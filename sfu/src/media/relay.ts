import { backOffMs } from './back-off.ts';
import { microphoneParameters, pipedParameters } from './opus.ts';
import { PipeHalf, type PipeSettings } from './pipe-half.ts';
import { RelayedVoice } from './relayed-voice.ts';
import type { RoomContext } from './room-context.ts';
import type { RoomVoice } from './room-voice.ts';
import type { RoomVoices } from './room-voices.ts';

export type RelayOptions = {
  /** Of the stage's router, from which voices come. */
  readonly from: RoomContext;
  /** Of the audience's router, to which they go. */
  readonly to: RoomContext;
  readonly settings: Pick<PipeSettings, 'listenInfo'>;
  /** Whether the stage gate lets this voice through (MD-6). */
  readonly isOpen: (producerId: string) => boolean;
  /** To whom the voices are given. */
  readonly voices: Pick<RoomVoices<RelayedVoice>, 'add' | 'give' | 'take'>;
  /** Called once, when it closed. */
  readonly closed: () => void;
};

type Ends = { readonly from: PipeHalf; readonly to: PipeHalf };

/** What fails is tried again at least this often, in milliseconds: people wait to hear. */
const longestWaitMs = 2000;

/**
 * The way of the voices of a stage to one audience router (MD-2): a pipe of our own between two routers of this machine, each voice
 * once over it. It makes what is carried equal to what is wanted, again and again until it is: one round at a time, and what
 * mediasoup fails at comes back after a while.
 */
export class Relay {
  readonly #options: RelayOptions;
  /** By the id on the stage's router. */
  #wanted: ReadonlyMap<string, RoomVoice> = new Map();
  readonly #carried = new Map<string, RelayedVoice>();
  readonly #ready = Promise.withResolvers<void>();
  #ends: Ends | undefined;
  #isRunning = false;
  #isChanged = false;
  #wake: () => void = () => undefined;
  #failures = 0;
  #closed = false;

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  /** Resolves when the first round is over, whatever came of it, or it is closed: what is wanted then is carried, if all is well. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Whether it has its transports, one at each router. */
  get isOpen(): boolean {
    return this.#ends !== undefined;
  }

  get streamCount(): number {
    return this.#carried.size;
  }

  /** How many transports the packets of this voice go out on: one, or none while it is held back. */
  sends({ routedId }: RoomVoice): number {
    return this.#carried.get(routedId)?.isSent ? 1 : 0;
  }

  /** These voices and no others. What goes is gone at once, what comes is on its way. */
  follow(voices: readonly RoomVoice[]): void {
    if (this.#closed) return;
    this.#wanted = new Map(voices.map((voice) => [voice.routedId, voice]));
    this.#discard([...this.#carried.values()].filter((carried) => !this.#isWanted(carried.source)));
    for (const carried of this.#carried.values()) this.#turn(carried);
    this.#isChanged = true;
    this.#wake();
    if (!this.#isRunning) void this.#run();
  }

  /** The stage gate let this voice in, or took it out. */
  turn(producerId: string): void {
    for (const carried of this.#carried.values()) if (carried.producerId === producerId) this.#turn(carried);
  }

  /** Closes both ends, and takes the voices from whoever hears them. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake();
    this.#ready.resolve();
    this.#closeEnds();
    this.#discard([...this.#carried.values()]);
    this.#options.closed();
  }

  #turn(carried: RelayedVoice): void {
    if (carried.turn(this.#isOpen(carried.source))) this.#options.from.counters.gateSwitched();
  }

  /** Of one that is muted nothing comes anyhow, so nothing is asked for when it is unmuted either. */
  #isOpen({ producerId, muted }: RoomVoice): boolean {
    return muted || this.#options.isOpen(producerId);
  }

  #isWanted(voice: RoomVoice): boolean {
    return !this.#closed && !voice.closed && this.#wanted.get(voice.routedId) === voice;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#isChanged && !this.#closed) {
      this.#isChanged = false;
      const isDone = await this.#round();
      this.#ready.resolve();
      this.#failures = isDone ? 0 : this.#failures + 1;
      if (!isDone && !this.#closed) await this.#pause();
    }
    this.#isRunning = false;
  }

  /** Until something changes, or it is time to try again. */
  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, backOffMs(this.#failures + 1, longestWaitMs)).unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#isChanged = true;
  }

  /** Carries what is wanted and not carried. Never rejects. Answers whether that is everything. */
  async #round(): Promise<boolean> {
    try {
      const ends = this.#ends ?? (await this.#open());
      if (ends === undefined) return true;
      const lacking = [...this.#wanted.values()].filter(({ routedId }) => !this.#carried.has(routedId));
      const outcomes = await Promise.allSettled(lacking.map((voice) => this.#carry(ends, voice)));
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      // A large audience is given them over many turns, and that fails by itself alone: the next round need not wait.
      void this.#options.voices.give();
      if (failed !== undefined) throw failed.reason;
      return true;
    } catch (error) {
      this.#complain(error);
      return false;
    }
  }

  /** Both ends, connected; undefined when it was closed meanwhile. */
  async #open(): Promise<Ends | undefined> {
    const { from, to, settings } = this.#options;
    const opened = await Promise.allSettled(
      [from, to].map((context) => PipeHalf.open(context, { ...settings, srtp: false })),
    );
    const halves = opened.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    const [first, second] = halves;
    try {
      const failed = opened.find((outcome) => outcome.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      if (first === undefined || second === undefined) return undefined;
      await Promise.all([first.connectTo(second), second.connectTo(first)]);
    } catch (error) {
      for (const half of halves) half.close();
      throw error;
    }
    if (this.#closed) {
      for (const half of halves) half.close();
      return undefined;
    }
    this.#ends = { from: first, to: second };
    return this.#ends;
  }

  /** Rejects when mediasoup fails at a voice that is still wanted. */
  async #carry(ends: Ends, voice: RoomVoice): Promise<void> {
    const { from, to, voices } = this.#options;
    let consumer: Awaited<ReturnType<PipeHalf['consume']>> | undefined;
    try {
      consumer = await ends.from.consume(voice.routedId);
      const sending = consumer;
      // Nothing gets through before the other side knows the stream, so what is held back is not heard for a moment either.
      if (!this.#isOpen(voice)) await from.worker.ask(() => sending.pause());
      const parameters = microphoneParameters(pipedParameters(sending.rtpParameters), 'music');
      const producer = await ends.to.produce(parameters, false);
      const carried = new RelayedVoice({ source: voice, consumer: sending, producer, context: from });
      if (!this.#isWanted(voice) || sending.closed || producer.closed) {
        carried.close();
        return;
      }
      this.#carried.set(voice.routedId, carried);
      carried.turn(this.#isOpen(voice));
      voices.add(carried);
    } catch (error) {
      // mediasoup would keep a consumer that was made for a microphone that is gone.
      consumer?.close();
      if (this.#isWanted(voice) && !from.worker.closed && !to.worker.closed) throw error;
    }
  }

  #discard(carried: readonly RelayedVoice[]): void {
    for (const voice of carried) {
      this.#carried.delete(voice.source.routedId);
      voice.close();
    }
    this.#options.voices.take(carried);
  }

  #closeEnds(): void {
    const ends = this.#ends;
    this.#ends = undefined;
    ends?.from.close();
    ends?.to.close();
  }

  #complain(error: unknown): void {
    const { from, to } = this.#options;
    if (this.#closed || from.worker.closed || to.worker.closed || this.#failures > 0) return;
    from.logger.warn({ roomId: from.roomId, worker: to.worker.index, err: error }, 'voices do not reach an audience');
  }
}
