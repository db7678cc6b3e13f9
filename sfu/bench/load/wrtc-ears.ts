import type { ConsumerOffer, ListeningOffer } from '@rostrum/shared/protocol/listening.ts';
import type { TellServer } from '../lib/light-peer.ts';
import { WrtcReceiver } from '../lib/wrtc-listener.ts';
import type { LoadContext } from './context.ts';
import type { Ear, Ears } from './ears.ts';
import { added, type MediaCounts, noMedia } from './listener-stats.ts';

/** What libwebrtc counted is read so often, in milliseconds: it forgets when a transport is closed. */
const readMs = 2000;

type WrtcContext = Pick<LoadContext, 'server' | 'tally'>;

/** What is remembered of one stream. */
type Heard = MediaCounts & { readonly bufferedMs: number };

/** The ears of a browser, by libwebrtc: decryption, jitter buffer and decoder are real, and cost what they cost. */
export class WrtcEars implements Ears {
  readonly #context: WrtcContext;
  readonly #ears: WrtcEar[] = [];

  constructor(context: WrtcContext) {
    this.#context = context;
  }

  open(listening: ListeningOffer): Ear {
    const { addresses } = this.#context.server;
    const transport = addresses.allowedOf(listening.transport);
    const ear = new WrtcEar({ ...listening, transport }, (error) => this.#context.tally.failed('probe', error));
    this.#ears.push(ear);
    return ear;
  }

  get counts(): MediaCounts {
    return this.#ears.reduce((total, { counts }) => added(total, counts), noMedia);
  }

  async settle(): Promise<void> {
    const { times } = this.#context.tally;
    for (const ear of this.#ears) {
      await ear.read();
      for (const { bufferedMs } of ear.streams) if (bufferedMs > 0) times.jitterBuffer.record(bufferedMs);
    }
  }
}

class WrtcEar implements Ear {
  readonly #listening: ListeningOffer;
  readonly #failed: (error: unknown) => void;
  readonly #first = Promise.withResolvers<number>();
  readonly #streams = new Map<unknown, Heard>();
  readonly #voices = new Map<string, ConsumerOffer>();
  #receiver: WrtcReceiver | undefined;
  /** One negotiation at a time. */
  #turn: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(listening: ListeningOffer, failed: (error: unknown) => void) {
    this.#listening = listening;
    this.#failed = failed;
    for (const offer of listening.consumers) this.#voices.set(offer.consumerId, offer);
    // Whoever waits for it sees the rejection.
    this.#first.promise.catch(() => undefined);
  }

  get transportId(): string {
    return this.#listening.transport.transportId;
  }

  get consumerIds(): readonly string[] {
    return [...this.#voices.keys()];
  }

  get firstPacketAt(): Promise<number> {
    return this.#first.promise;
  }

  get streams(): readonly Heard[] {
    return [...this.#streams.values()];
  }

  get counts(): MediaCounts {
    return this.streams.reduce(added, noMedia);
  }

  /** Without a voice there is nothing to connect for: as in a browser, that begins with the first one. */
  async connect(tellServer: TellServer): Promise<void> {
    const receiver = await WrtcReceiver.open(this.#listening, tellServer);
    if (this.#closed) return receiver.close();
    this.#receiver = receiver;
    receiver.connected.then(() => receiver.firstPacket()).then(this.#first.resolve, this.#first.reject);
    this.#timer = setInterval(() => void this.read(), readMs);
    const voices = [...this.#voices.values()];
    this.#change(() => receiver.add(voices));
    if (voices.length > 0) await receiver.connected;
  }

  /** What is added before the transport is there is added with it. */
  add(consumers: readonly ConsumerOffer[]): void {
    const fresh = consumers.filter(({ consumerId }) => !this.#voices.has(consumerId));
    for (const offer of fresh) this.#voices.set(offer.consumerId, offer);
    const receiver = this.#receiver;
    if (receiver !== undefined) this.#change(() => receiver.add(fresh));
  }

  remove(consumerIds: readonly string[]): void {
    for (const consumerId of consumerIds) this.#voices.delete(consumerId);
    const receiver = this.#receiver;
    if (receiver !== undefined) this.#change(async () => receiver.remove(consumerIds));
  }

  /** Reads what libwebrtc counted so far. Never rejects. */
  async read(): Promise<void> {
    if (this.#closed) return;
    try {
      for (const stream of (await this.#receiver?.inbound()) ?? []) this.#streams.set(stream['ssrc'], heardIn(stream));
    } catch {
      // The transport was closed meanwhile: what was read before stands.
    }
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#first.reject(new Error('closed before anything was heard'));
    this.#receiver?.close();
  }

  #change(change: () => Promise<void>): void {
    this.#turn = this.#turn
      .then(() => (this.#closed ? undefined : change()))
      .catch((error: unknown) => {
        if (!this.#closed) this.#failed(error);
      });
  }
}

const heardIn = (stream: Record<string, unknown>): Heard => {
  const number = (name: string): number => Number(stream[name] ?? 0);
  const received = number('packetsReceived');
  // It counts what came twice as less than nothing lost.
  const lost = Math.max(0, number('packetsLost'));
  const emitted = number('jitterBufferEmittedCount');
  const bufferedMs = emitted === 0 ? 0 : (1000 * number('jitterBufferDelay')) / emitted;
  return { received, lost, expected: received + lost, bufferedMs };
};
