import type { TimeHistogram } from './histogram.ts';
import { sharedMs, sinceTimestamp } from './rtp-clock.ts';
import { StreamStats } from './stream-stats.ts';

export type MediaCounts = { readonly received: number; readonly expected: number; readonly lost: number };

export const noMedia: MediaCounts = { received: 0, expected: 0, lost: 0 };

/** Both together. */
export const added = (one: MediaCounts, other: MediaCounts): MediaCounts => ({
  received: one.received + other.received,
  expected: one.expected + other.expected,
  lost: one.lost + other.lost,
});

/** Where what all listeners of a process measure goes. */
export type MediaTimes = {
  /** From the mouth of a speaker to a listener; see `ListenerStats`. */
  readonly latency: TimeHistogram;
  readonly jitter: TimeHistogram;
};

/** The jitter of a stream is noted once in so many packets: it changes slowly. */
const jitterEvery = 16;
/** Streams that are counted one by one (RE-5); of a listener with more, the oldest is only kept as a sum. */
const mostStreams = 256;

type Stream = { readonly stats: StreamStats; readonly timed: boolean };

/**
 * What one listener receives, by the RTP headers alone (RFC 3550 section 5.1): nothing is decrypted. Speakers of ours put the
 * moment at which a packet's sound began into its timestamp, and mediasoup passes that on as it is, through its pipes too. So its
 * age is the latency from mouth to listener: the time that the packet holds, the way, and no jitter buffer.
 */
export class ListenerStats {
  readonly #times: MediaTimes;
  readonly #streams = new Map<number, Stream>();
  #past = noMedia;
  #lastAt: number | undefined;
  /** The longest time without any packet since `forgetGap`, in milliseconds. */
  longestGapMs = 0;

  constructor(times: MediaTimes) {
    this.#times = times;
  }

  get counts(): MediaCounts {
    return [...this.#streams.values()].reduce((total, { stats }) => added(total, stats), this.#past);
  }

  /** Voices of which anything came. */
  get voicesHeard(): number {
    return [...this.#streams.values()].filter(({ stats }) => stats.received > 0).length;
  }

  /** When the last packet came, by the shared clock; undefined before the first. */
  get lastPacketAt(): number | undefined {
    return this.#lastAt;
  }

  /** This voice is sent under this SSRC. `timed`: its speaker is one of ours, whose timestamps say when it was spoken. */
  follow(ssrc: number, timed: boolean): void {
    if (this.#streams.has(ssrc)) return;
    const [oldest] = this.#streams.keys();
    if (this.#streams.size >= mostStreams && oldest !== undefined) this.unfollow(oldest);
    this.#streams.set(ssrc, { stats: new StreamStats(), timed });
  }

  /** It is not sent any more; what was counted stays counted. */
  unfollow(ssrc: number): void {
    const stream = this.#streams.get(ssrc);
    if (stream === undefined) return;
    this.#past = added(this.#past, stream.stats);
    this.#streams.delete(ssrc);
  }

  /** One SRTP packet. One that belongs to no voice that is followed is not counted. */
  take(packet: Buffer): void {
    if (packet.length < 12) return;
    const stream = this.#streams.get(packet.readUInt32BE(8));
    if (stream === undefined) return;
    const now = sharedMs();
    const timestamp = packet.readUInt32BE(4);
    const { stats, timed } = stream;
    stats.take(packet.readUInt16BE(2), timestamp, now);
    if (timed) this.#times.latency.record(Math.max(0, sinceTimestamp(timestamp, now)));
    if (timed && stats.received % jitterEvery === 0) this.#times.jitter.record(stats.jitterMs);
    if (this.#lastAt !== undefined) this.longestGapMs = Math.max(this.longestGapMs, now - this.#lastAt);
    this.#lastAt = now;
  }

  /** From now on `longestGapMs` counts anew. */
  forgetGap(): void {
    this.longestGapMs = 0;
  }
}
