import { randomBytes } from 'node:crypto';
import type { MicrophoneRtpParameters } from '@rostrum/shared/protocol/media.ts';
import { LightPeer } from './light-peer.ts';
import { extensionIds, packetMs, RtpHeaders } from './rtp.ts';
import type { Seat } from './side.ts';
import { SrtpSender } from './srtp.ts';

/** What Chrome says of a microphone whose Opus uses FEC and DTX. */
const parametersOf = (ssrc: number): MicrophoneRtpParameters => ({
  mid: '0',
  codecs: [
    {
      mimeType: 'audio/opus',
      payloadType: 111,
      clockRate: 48_000,
      channels: 2,
      parameters: { minptime: 10, useinbandfec: 1, usedtx: 1 },
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

/** Somebody with an open microphone, over real ICE, DTLS and SRTP. */
export class Speaker {
  readonly #peer: LightPeer;
  readonly #headers: RtpHeaders;
  readonly #srtp: SrtpSender;
  readonly #payload: Buffer;

  /** Opens a microphone on this seat, as the web client does. Each of its packets carries so many bytes of Opus. */
  static async open(seat: Seat, payloadBytes: number): Promise<Speaker> {
    const { transport } = await seat.publish();
    const peer = new LightPeer(transport);
    try {
      const keys = await peer.connect((dtlsParameters) => seat.connectTransport(peer.transportId, dtlsParameters));
      const ssrc = randomBytes(4).readUInt32BE() | 1;
      await seat.produce(peer.transportId, parametersOf(ssrc >>> 0));
      return new Speaker(peer, new RtpHeaders(ssrc >>> 0), new SrtpSender(keys), payloadBytes);
    } catch (error) {
      peer.close();
      throw error;
    }
  }

  private constructor(peer: LightPeer, headers: RtpHeaders, srtp: SrtpSender, payloadBytes: number) {
    this.#peer = peer;
    this.#headers = headers;
    this.#srtp = srtp;
    this.#payload = randomBytes(payloadBytes);
  }

  sendPacket(): void {
    this.#peer.send(this.#srtp.protect(this.#headers.next(), this.#payload));
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
