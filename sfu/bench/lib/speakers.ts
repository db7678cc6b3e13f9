import { randomBytes } from 'node:crypto';
import type { MicrophoneRtpParameters } from '@rostrum/shared/protocol/media.ts';
import type { SrtpMaterial } from './dtls-client.ts';
import { LightPeer } from './light-peer.ts';
import type { MediaAddresses } from './media-addresses.ts';
import { extensionIds, type PacketFacts, packetMs, RtpHeaders } from './rtp.ts';
import type { Seat } from './side.ts';
import { SrtpSender } from './srtp.ts';

/** The most of Opus in a packet here: 60 ms of music. */
const mostPayloadBytes = 1200;

/** The first byte of Opus (RFC 6716 section 3.1): 20 or 60 ms of SILK in one frame, wideband, mono. */
const tableOfContents = (ms: number): number => (ms === 60 ? 0x58 : 0x48);

/** What Chrome says of a microphone whose Opus uses FEC and DTX. */
const parametersOf = (ssrc: number, ptime: number): MicrophoneRtpParameters => ({
  mid: '0',
  codecs: [
    {
      mimeType: 'audio/opus',
      payloadType: 111,
      clockRate: 48_000,
      channels: 2,
      parameters: { minptime: 10, useinbandfec: 1, usedtx: 1, ...(ptime === packetMs ? {} : { ptime }) },
      rtcpFeedback: [{ type: 'transport-cc', parameter: '' }],
    },
  ],
  headerExtensions: [
    { uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: extensionIds.audioLevel },
    { uri: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time', id: extensionIds.absSendTime },
    {
      uri: 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
      id: extensionIds.transportWide,
    },
    { uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: extensionIds.mid },
  ],
  encodings: [{ ssrc, dtx: false }],
  rtcp: { cname: 'bench', reducedSize: true },
});

export type SpeakerOptions = {
  /** Bytes of Opus in a packet, where `sendPacket` is told nothing else. */
  readonly payloadBytes: number;
  /** Where media may be sent; on this machine alone when left out. */
  readonly addresses?: MediaAddresses;
};

/** Somebody with an open microphone, over real ICE, DTLS and SRTP. */
export class Speaker {
  readonly #peer: LightPeer;
  readonly #headers: RtpHeaders;
  readonly #srtp: SrtpSender;
  readonly #noise: Buffer;
  readonly #payloadBytes: number;
  /** Of sound in a packet, as the server asks for. */
  readonly packetMs: number;

  /** Opens a microphone on this seat, as the web client does. Each of its packets carries so many bytes of Opus. */
  static async open(
    seat: Pick<Seat, 'publish' | 'produce' | 'connectTransport'>,
    options: SpeakerOptions | number,
  ): Promise<Speaker> {
    const { payloadBytes, addresses } =
      typeof options === 'number' ? { payloadBytes: options, addresses: undefined } : options;
    const { transport, packetMs: wanted = packetMs } = await seat.publish();
    const peer = new LightPeer(transport, addresses === undefined ? {} : { addresses });
    try {
      const keys = await peer.connect((dtlsParameters) => seat.connectTransport(peer.transportId, dtlsParameters));
      const ssrc = (randomBytes(4).readUInt32BE() | 1) >>> 0;
      await seat.produce(peer.transportId, parametersOf(ssrc, wanted));
      return new Speaker(peer, { ssrc, keys, payloadBytes, packetMs: wanted });
    } catch (error) {
      peer.close();
      throw error;
    }
  }

  private constructor(
    peer: LightPeer,
    options: { ssrc: number; keys: SrtpMaterial; payloadBytes: number; packetMs: number },
  ) {
    this.#peer = peer;
    this.#headers = new RtpHeaders(options.ssrc);
    this.#srtp = new SrtpSender(options.keys);
    this.#noise = randomBytes(mostPayloadBytes);
    this.#noise.writeUInt8(tableOfContents(options.packetMs));
    this.#payloadBytes = options.payloadBytes;
    this.packetMs = options.packetMs;
  }

  get transportId(): string {
    return this.#peer.transportId;
  }

  /** One packet of noise, with these facts in its header and so many bytes of Opus. */
  sendPacket({ bytes = this.#payloadBytes, ...facts }: PacketFacts & { readonly bytes?: number } = {}): void {
    this.#peer.send(this.#srtp.protect(this.#headers.next(facts), this.#noise.subarray(0, bytes)));
  }

  close(): void {
    this.#peer.close();
  }
}

/** A stall of the event loop longer than this is a gap, as with a microphone; shorter ones are caught up. */
const longestCatchUpMs = 100;
const tickMs = 5;

/** Makes people speak: each sends a packet every 20 ms, one after the other in that time and not all at once. */
export class Conversation {
  readonly #speakers: readonly Speaker[];
  #timer: NodeJS.Timeout | undefined;
  /** Packets that were sent, all speakers together. */
  packets = 0;

  constructor(speakers: readonly Speaker[]) {
    this.#speakers = speakers;
  }

  start(): void {
    const begun = performance.now();
    const due = this.#speakers.map((_, index) => begun + (index * packetMs) / this.#speakers.length);
    this.stop();
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.#speakers.forEach((speaker, index) => {
        let next = Math.max(due[index] ?? now, now - longestCatchUpMs);
        for (; next <= now; next += packetMs) {
          speaker.sendPacket();
          this.packets += 1;
        }
        due[index] = next;
      });
    }, tickMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  close(): void {
    this.stop();
    for (const speaker of this.#speakers) speaker.close();
  }
}
