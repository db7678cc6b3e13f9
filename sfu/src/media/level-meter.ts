import type { types } from 'mediasoup';
import type { MediaWorker } from './media-worker.ts';
import type { RoomContext } from './room-context.ts';
import type { RoomVoice } from './room-voice.ts';
import { levelIn } from './rtp-level.ts';

/** What measuring needs of the room and its worker. */
export type LevelContext = Pick<RoomContext, 'roomId' | 'router' | 'logger'> & {
  readonly worker: Pick<MediaWorker, 'ask' | 'closed'>;
};

/** The level of a packet in dBov, undefined when it says none, and when it came by `performance.now()`. */
type Heard = (dBov: number | undefined, now: number) => void;

/**
 * Packets of one voice that this process takes, a second on the average and at once. A microphone sends 50, and what a network held
 * back for some seconds comes at once. Each costs some 50 µs here, where one thread serves every room: what a client sends beyond it
 * is not worth that.
 */
const packetsPerSecond = 100;
const mostAtOnce = 500;

const audioLevelUri = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';

/**
 * Listens to the packets of one voice in this process, for their levels. A voice of which too many come is not listened to until it
 * may send as many again; then it is silent as far as levels go, and is heard if the gate lets it through anyhow.
 */
export class LevelMeter {
  readonly #voice: RoomVoice;
  readonly #consumer: types.Consumer;
  readonly #context: LevelContext;
  readonly #heard: Heard;
  readonly #extensionId: number;
  #allowed = mostAtOnce;
  #countedAt = performance.now();
  #restTimer: NodeJS.Timeout | undefined;

  /** Rejects when the worker does not do it, or the voice is closed. */
  static async open(
    voice: RoomVoice,
    transport: types.DirectTransport,
    options: { readonly context: LevelContext; readonly heard: Heard },
  ): Promise<LevelMeter> {
    const { context, heard } = options;
    const router = await context.router();
    const consumer = await context.worker.ask(() =>
      transport.consume({ producerId: voice.routedId, rtpCapabilities: router.rtpCapabilities }),
    );
    return new LevelMeter(voice, consumer, context, heard);
  }

  private constructor(voice: RoomVoice, consumer: types.Consumer, context: LevelContext, heard: Heard) {
    this.#voice = voice;
    this.#consumer = consumer;
    this.#context = context;
    this.#heard = heard;
    const extension = consumer.rtpParameters.headerExtensions?.find(({ uri }) => uri === audioLevelUri);
    // No element has the id 0, so without the extension no packet has a level.
    this.#extensionId = extension?.id ?? 0;
    consumer.on('rtp', (packet) => this.#received(packet));
    consumer.observer.once('close', () => clearTimeout(this.#restTimer));
  }

  get closed(): boolean {
    return this.#consumer.closed;
  }

  close(): void {
    clearTimeout(this.#restTimer);
    this.#consumer.close();
  }

  #received(packet: Buffer): void {
    // What was on its way when it was muted is not heard by anybody either, nor what comes before the worker has paused it.
    if (this.#voice.muted || this.#restTimer !== undefined) return;
    const now = performance.now();
    this.#allowed = Math.min(mostAtOnce, this.#allowed + ((now - this.#countedAt) * packetsPerSecond) / 1000) - 1;
    this.#countedAt = now;
    if (this.#allowed < 0) this.#rest();
    else this.#heard(levelIn(packet, this.#extensionId), now);
  }

  #rest(): void {
    const { roomId, logger } = this.#context;
    logger.warn({ roomId, producerId: this.#voice.producerId }, 'too many packets of a microphone come to be measured');
    const restMs = (1000 * mostAtOnce) / packetsPerSecond;
    this.#restTimer = setTimeout(() => {
      this.#restTimer = undefined;
      this.#ask(() => this.#consumer.resume());
    }, restMs).unref();
    this.#ask(() => this.#consumer.pause());
  }

  #ask(request: () => Promise<void>): void {
    if (this.#consumer.closed) return;
    this.#context.worker.ask(request).catch((error: unknown) => {
      // It is closed, or the worker is about to be replaced.
      this.#context.logger.debug({ roomId: this.#context.roomId, err: error }, 'a meter could not be switched');
    });
  }
}
