import { randomInt } from 'node:crypto';
import { defaultLimits, type Limits } from '@rostrum/shared/limits.ts';
import type { MicrophoneRtpParameters } from '@rostrum/shared/protocol/media.ts';
import { createWorker, type types } from 'mediasoup';
import { microphoneParameters, opusCodec, packetMsOf } from '../../src/media/opus.ts';
import type { RoomVoice } from '../../src/media/room-voice.ts';
import { StageLevels } from '../../src/media/stage-levels.ts';
import { newId } from '../../src/runtime/ids.ts';
import { createPino } from '../../src/runtime/logger.ts';

const levelUri = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';
/** Under which id these microphones send their level; the router has another one. */
const levelId = 3;

/** An RTP packet with Opus in it, and with this level in its header, if any (RFC 6464). */
export const rtpPacket = (of: {
  readonly ssrc: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly dBov?: number | undefined;
}): Buffer => {
  const extension =
    of.dBov === undefined ? Buffer.alloc(0) : Buffer.from([0xbe, 0xde, 0, 1, levelId << 4, -of.dBov, 0, 0]);
  const header = Buffer.alloc(12);
  header.writeUInt8(extension.length > 0 ? 0x90 : 0x80, 0);
  header.writeUInt8(111, 1);
  header.writeUInt16BE(of.sequence & 0xffff, 2);
  header.writeUInt32BE(of.timestamp >>> 0, 4);
  header.writeUInt32BE(of.ssrc, 8);
  return Buffer.concat([header, extension, Buffer.alloc(40, 0x55)]);
};

/** A microphone that sends what it is told, from this process through mediasoup's DirectTransport. */
export class ScriptedMicrophone implements RoomVoice {
  readonly userId = newId();
  readonly producerId = newId();
  readonly isMicrophone = true;
  readonly producer: types.Producer;
  readonly #ssrc: number;
  #sequence = 0;
  #timer: NodeJS.Timeout | undefined;
  muted = false;

  static async open(
    transport: types.DirectTransport,
    { packetMs = 20, saysLevel = true } = {},
  ): Promise<ScriptedMicrophone> {
    const ssrc = randomInt(1, 2 ** 31);
    const parameters: MicrophoneRtpParameters = {
      codecs: [
        { mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2, parameters: { ptime: packetMs } },
      ],
      headerExtensions: saysLevel ? [{ uri: levelUri, id: levelId }] : [],
      encodings: [{ ssrc }],
    };
    const producer = await transport.produce({
      kind: 'audio',
      rtpParameters: microphoneParameters(parameters, 'medium'),
    });
    return new ScriptedMicrophone(producer, ssrc);
  }

  private constructor(producer: types.Producer, ssrc: number) {
    this.producer = producer;
    this.#ssrc = ssrc;
    producer.observer.once('close', () => this.hush());
  }

  get routedId(): string {
    return this.producer.id;
  }

  get closed(): boolean {
    return this.producer.closed;
  }

  get packetMs(): number {
    return packetMsOf(this.producer.rtpParameters);
  }

  send(dBov?: number): void {
    this.#sequence += 1;
    const timestamp = this.#sequence * 48 * this.packetMs;
    this.producer.send(rtpPacket({ ssrc: this.#ssrc, sequence: this.#sequence, timestamp, dBov }));
  }

  /** Sends one packet after the other, each as loud as this, until it is told otherwise. */
  speak(dBov?: number): void {
    this.hush();
    this.#timer = setInterval(() => this.send(dBov), this.packetMs);
  }

  hush(): void {
    clearInterval(this.#timer);
  }

  async follow(state: { readonly muted: boolean } | undefined): Promise<void> {
    this.muted = state?.muted ?? true;
    await (this.muted ? this.producer.pause() : this.producer.resume());
  }

  async firstPacket(): Promise<void> {
    // Nobody waits for it here.
  }
}

/** A real worker with a router and nothing around it but `StageLevels`, and what that tells. */
export class LevelsStage {
  readonly router: types.Router;
  readonly levels: StageLevels;
  /** What was told of who speaks, by `routedId`, and of packets, by `producerId`. */
  readonly measured: ReadonlyMap<string, number>[] = [];
  readonly heard: { readonly producerId: string; readonly dBov: number | undefined; readonly now: number }[] = [];
  /** Consumers by which this process listens, which were opened for it. */
  readonly meters: types.Consumer[] = [];
  readonly #observers: types.RtpObserver[] = [];
  readonly #worker: types.Worker;
  readonly #sending: types.DirectTransport;
  readonly #transports: types.Transport[] = [];

  static async start(limits: Partial<Limits> = {}): Promise<LevelsStage> {
    const worker = await createWorker({ logLevel: 'error' });
    const router = await worker.createRouter({ mediaCodecs: [opusCodec] });
    return new LevelsStage(worker, router, await router.createDirectTransport(), { ...defaultLimits, ...limits });
  }

  private constructor(worker: types.Worker, router: types.Router, sending: types.DirectTransport, limits: Limits) {
    this.#worker = worker;
    this.router = router;
    this.#sending = sending;
    router.observer.on('newtransport', (transport) => {
      this.#transports.push(transport);
      if (transport.type === 'direct') transport.observer.on('newconsumer', (consumer) => this.meters.push(consumer));
    });
    router.observer.on('newrtpobserver', (observer) => this.#observers.push(observer));
    this.levels = new StageLevels({
      context: {
        roomId: newId(),
        logger: createPino(process.env['TEST_LOG'] ?? 'silent'),
        router: async () => router,
        worker: { ask: (request) => request(), closed: false },
      },
      limits,
      measured: (levels) => this.measured.push(levels),
      heard: (producerId, dBov, now) => this.heard.push({ producerId, dBov, now }),
    });
  }

  microphone(options: { packetMs?: number; saysLevel?: boolean } = {}): Promise<ScriptedMicrophone> {
    return ScriptedMicrophone.open(this.#sending, options);
  }

  /** What is open on the router to measure with. */
  get open(): { observers: number; transports: number; meters: number } {
    const open = (things: readonly { readonly closed: boolean }[]) => things.filter(({ closed }) => !closed).length;
    return { observers: open(this.#observers), transports: open(this.#transports), meters: open(this.meters) };
  }

  /** The levels of this voice that were told of late, while others may have been silent. */
  levelOf({ routedId }: RoomVoice): number | undefined {
    return this.measured.at(-1)?.get(routedId);
  }

  close(): void {
    this.levels.close();
    this.#worker.close();
  }
}
