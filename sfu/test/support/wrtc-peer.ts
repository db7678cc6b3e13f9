import type { ConsumerOffer, TransportOffer } from '@rostrum/shared/protocol/listening.ts';
import type { MicrophoneRtpParameters } from '@rostrum/shared/protocol/media.ts';
import type { RoomSettings } from '@rostrum/shared/protocol/room.ts';
import { audioSettings } from '@rostrum/shared/room/audio-quality.ts';
import { Device, type types } from 'mediasoup-client';
import { HeardAudio, ToneSource } from './tone.ts';
import './wrtc.ts';

/** What `media:listen` and `media:publish` answer with; the latter also with the milliseconds of sound in a packet. */
type Offered = {
  readonly rtpCapabilities: Record<string, unknown>;
  readonly transport: TransportOffer;
  readonly packetMs?: number;
};

/** How a peer asks the server; each rejects when the server refuses. */
export type Signalling = {
  connect(transportId: string, dtlsParameters: types.DtlsParameters): Promise<void>;
  produce(transportId: string, rtpParameters: MicrophoneRtpParameters): Promise<string>;
};

/** Listens to one voice. */
export type Ear = {
  /** The tone of the last moment, in hertz; undefined for silence. */
  hertz(): number | undefined;
  stop(): void;
};

export type PeerOptions = {
  /** Which of the server's candidates are used; all when left out. */
  readonly candidates?: (candidate: types.IceCandidate) => boolean;
  /** What listens to somebody's voice; `HeardAudio` when left out. */
  readonly ear?: (userId: string, track: types.Consumer['track']) => Ear;
};

/** The first packets of a new connection are on their way, and go through the jitter buffer. */
const overlapMs = 150;

/** What a transport counts, from the peer connection's own statistics. */
export type Counts = { readonly packets: number; readonly bytes: number };

/**
 * A person's browser in Node: real ICE, DTLS, SRTP and Opus by libwebrtc, driven by mediasoup-client as in a page. It
 * speaks a tone, and tells which tones it hears. Knows nothing of how commands reach the server: see `Signalling`.
 */
export class WrtcPeer {
  readonly #signalling: Signalling;
  readonly #options: PeerOptions;
  readonly #heard = new Map<string, Ear>();
  readonly #consumers = new Map<string, types.Consumer>();
  #device: Device | undefined;
  #receiving: types.Transport | undefined;
  /** What it listened to before, and hears until the next is connected. */
  #leaving: { readonly transport: types.Transport; readonly consumerIds: readonly string[] } | undefined;
  #sending: types.Transport | undefined;
  #producer: types.Producer | undefined;
  #tone: ToneSource | undefined;

  constructor(signalling: Signalling, options: PeerOptions = {}) {
    this.#signalling = signalling;
    this.#options = options;
  }

  get receivingId(): string | undefined {
    return this.#receiving?.id;
  }

  get sendingId(): string | undefined {
    return this.#sending?.id;
  }

  get consumerIds(): string[] {
    return [...this.#consumers.keys()].filter((consumerId) => !this.#leaving?.consumerIds.includes(consumerId));
  }

  /** The consumers of this person's voice, over the transport that it had before too. */
  consumerIdsOf(userId: string): string[] {
    return [...this.#consumers.values()].filter(({ appData }) => appData['userId'] === userId).map(({ id }) => id);
  }

  /** The state of the receiving and of the sending connection. */
  get connections(): { receiving: string | undefined; sending: string | undefined } {
    return { receiving: this.#receiving?.connectionState, sending: this.#sending?.connectionState };
  }

  /** Begins to listen by what `media:listen` answered. What it listened to before plays on until that is connected. */
  async listen(answer: Offered & { readonly consumers: readonly ConsumerOffer[] }): Promise<void> {
    const before = this.#receiving;
    if (before?.connectionState === 'connected') {
      this.#closeLeaving();
      this.#leaving = { transport: before, consumerIds: this.consumerIds };
    } else this.#closeReceiving();
    const device = await this.#load(answer.rtpCapabilities);
    const receiving = device.createRecvTransport(this.#transportOptions(answer.transport));
    this.#receiving = receiving;
    receiving.on('connectionstatechange', (state) => {
      if (state === 'connected' && this.#receiving === receiving) setTimeout(() => this.#closeLeaving(), overlapMs);
    });
    this.#receiving.on('connect', ({ dtlsParameters }, connected, failed) => {
      this.#signalling.connect(answer.transport.transportId, dtlsParameters).then(connected, failed);
    });
    await this.addVoices(answer.consumers);
  }

  /** `media:consumers-added`: all of them in one negotiation. One that it has already is left as it is. */
  async addVoices(offers: readonly ConsumerOffer[]): Promise<void> {
    const receiving = this.#receiving;
    if (receiving === undefined) throw new Error('not listening');
    const added = offers.filter(({ consumerId }) => !this.#consumers.has(consumerId));
    const consumers = await Promise.all(
      added.map((offer) =>
        receiving.consume({
          id: offer.consumerId,
          producerId: offer.producerId,
          kind: 'audio',
          rtpParameters: offer.rtpParameters as types.RtpParameters,
          appData: { userId: offer.userId },
        }),
      ),
    );
    const { ear = (_userId, track) => new HeardAudio(track) } = this.#options;
    for (const consumer of consumers) {
      this.#consumers.set(consumer.id, consumer);
      this.#heard.set(consumer.id, ear(String(consumer.appData['userId']), consumer.track));
    }
  }

  /** `media:consumers-removed`. */
  dropVoices(consumerIds: readonly string[]): void {
    for (const consumerId of consumerIds) {
      this.#heard.get(consumerId)?.stop();
      this.#heard.delete(consumerId);
      this.#consumers.get(consumerId)?.close();
      this.#consumers.delete(consumerId);
    }
  }

  /** Opens the microphone by what `media:publish` answered; it speaks a tone of so many hertz. Answers the producer's id. */
  async speak(
    answer: Offered,
    voice: { hertz: number; quality?: RoomSettings['audioQuality']; bitrate?: number },
  ): Promise<string> {
    this.stopSpeaking();
    const device = await this.#load(answer.rtpCapabilities);
    this.#sending = device.createSendTransport(this.#transportOptions(answer.transport));
    this.#sending.on('connect', ({ dtlsParameters }, connected, failed) => {
      this.#signalling.connect(answer.transport.transportId, dtlsParameters).then(connected, failed);
    });
    this.#sending.on('produce', ({ rtpParameters }, produced, failed) => {
      this.#signalling
        .produce(answer.transport.transportId, rtpParameters as MicrophoneRtpParameters)
        .then((id) => produced({ id }), failed);
    });
    this.#tone = new ToneSource(voice.hertz);
    const quality = audioSettings[voice.quality ?? 'medium'];
    this.#producer = await this.#sending.produce({
      track: this.#tone.track,
      codecOptions: {
        opusStereo: quality.stereo,
        opusDtx: quality.dtx,
        opusFec: quality.fec,
        opusMaxPlaybackRate: quality.maxPlaybackRate,
        opusMaxAverageBitrate: voice.bitrate ?? quality.maxBitrate,
        ...(answer.packetMs === undefined ? {} : { opusPtime: answer.packetMs }),
      },
      zeroRtpOnPause: true,
      disableTrackOnPause: false,
    });
    return this.#producer.id;
  }

  /** Goes on speaking, louder or softer; 1 is full scale. */
  setVolume(volume: number): void {
    this.#tone?.setVolume(volume);
  }

  /** Mutes as the web client does: not a packet is sent any more (MD-10). */
  mute(): void {
    this.#producer?.pause();
  }

  unmute(): void {
    this.#producer?.resume();
  }

  stopSpeaking(): void {
    this.#tone?.stop();
    this.#sending?.close();
    this.#tone = undefined;
    this.#sending = undefined;
    this.#producer = undefined;
  }

  async restartIce(side: 'receiving' | 'sending', iceParameters: Record<string, unknown>): Promise<void> {
    const transport = side === 'receiving' ? this.#receiving : this.#sending;
    await transport?.restartIce({ iceParameters: iceParameters as types.IceParameters });
  }

  /**
   * The tones that it hears now, by the user who speaks them: hertz, to about 2 %. Silence is not among them. What comes over the
   * transport that it had before counts as well, as long as it has that.
   */
  hears(): Map<string, number> {
    return this.#tones([...this.#consumers.keys()]);
  }

  /** The same over the latest transport alone. */
  hearsLately(): Map<string, number> {
    return this.#tones(this.consumerIds);
  }

  #tones(consumerIds: readonly string[]): Map<string, number> {
    const tones = new Map<string, number>();
    for (const consumerId of consumerIds) {
      const hertz = this.#heard.get(consumerId)?.hertz();
      const userId = this.#consumers.get(consumerId)?.appData['userId'];
      if (hertz !== undefined && typeof userId === 'string') tones.set(userId, hertz);
    }
    return tones;
  }

  /** RTP that arrived over the receiving transport, all voices together. */
  async received(): Promise<Counts> {
    return counts(await this.#receiving?.getStats(), 'inbound-rtp', 'Received');
  }

  /** Packets that arrived and that did not, of all voices, as the receiver counts them by sequence number (RFC 3550). */
  async lossOf(): Promise<{ received: number; lost: number }> {
    const loss = { received: 0, lost: 0 };
    for (const [, entry] of (await this.#receiving?.getStats()) ?? []) {
      if (entry['type'] !== 'inbound-rtp') continue;
      loss.received += Number(entry['packetsReceived'] ?? 0);
      loss.lost += Number(entry['packetsLost'] ?? 0);
    }
    return loss;
  }

  /** RTP that left over the sending transport. */
  async sent(): Promise<Counts> {
    return counts(await this.#sending?.getStats(), 'outbound-rtp', 'Sent');
  }

  /** How the receiving connection goes: the candidates of the pair in use, such as `udp 127.0.0.1`. */
  async route(side: 'receiving' | 'sending' = 'receiving'): Promise<string | undefined> {
    const stats = [
      ...((await (side === 'receiving' ? this.#receiving : this.#sending)?.getStats()) ?? new Map()).values(),
    ];
    const pair = stats.find(
      ({ type, state, nominated }) => type === 'candidate-pair' && state === 'succeeded' && nominated,
    );
    const remote = stats.find(({ id }) => id === pair?.remoteCandidateId);
    return remote && `${remote.protocol} ${remote.address ?? remote.ip}`;
  }

  close(): void {
    this.stopSpeaking();
    this.#closeLeaving();
    this.#closeReceiving();
  }

  #closeReceiving(): void {
    this.dropVoices(this.consumerIds);
    this.#receiving?.close();
    this.#receiving = undefined;
  }

  #closeLeaving(): void {
    const leaving = this.#leaving;
    this.#leaving = undefined;
    this.dropVoices(leaving?.consumerIds ?? []);
    leaving?.transport.close();
  }

  #transportOptions(offer: TransportOffer): types.TransportOptions {
    const candidates = offer.iceCandidates as types.IceCandidate[];
    return {
      id: offer.transportId,
      iceParameters: offer.iceParameters as types.IceParameters,
      iceCandidates: candidates.filter(this.#options.candidates ?? (() => true)),
      dtlsParameters: offer.dtlsParameters as types.DtlsParameters,
      iceServers: offer.iceServers as NonNullable<types.TransportOptions['iceServers']>,
    };
  }

  async #load(routerRtpCapabilities: types.RtpCapabilities): Promise<Device> {
    if (this.#device !== undefined) return this.#device;
    const device = await Device.factory({ handlerName: 'Chrome111' });
    await device.load({ routerRtpCapabilities });
    this.#device = device;
    return device;
  }
}

const counts = (
  stats: Iterable<[string, Record<string, unknown>]> | undefined,
  type: string,
  direction: 'Received' | 'Sent',
): Counts => {
  let packets = 0;
  let bytes = 0;
  for (const [, entry] of stats ?? []) {
    if (entry['type'] !== type) continue;
    packets += Number(entry[`packets${direction}`] ?? 0);
    bytes += Number(entry[`bytes${direction}`] ?? 0);
  }
  return { packets, bytes };
};
