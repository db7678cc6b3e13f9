import { ticksPerMs, timestampAt } from './rtp-clock.ts';

/** RFC 3550 appendix A.1: a larger gap than this is no loss; the stream began anew. */
const mostDropout = 3000;

/** What one listener was sent of one voice, by the headers of its RTP packets, which SRTP leaves in the clear. */
export class StreamStats {
  #first = -1;
  /** The highest sequence number, with how often it went round (RFC 3550, the extended highest sequence number). */
  #highest = 0;
  /** What was expected of the stream until it began anew. */
  #before = 0;
  #transit = 0;
  #jitter = 0;
  received = 0;

  /** By the gaps in the sequence numbers. */
  get expected(): number {
    return this.#first < 0 ? 0 : this.#before + this.#highest - this.#first + 1;
  }

  get lost(): number {
    return Math.max(0, this.expected - this.received);
  }

  /** RFC 3550 section 6.4.1, in milliseconds. */
  get jitterMs(): number {
    return this.#jitter / ticksPerMs;
  }

  /** One packet came, at this moment of the shared clock. */
  take(sequence: number, timestamp: number, now: number): void {
    this.received += 1;
    this.#follow(sequence);
    const transit = (timestampAt(now) - timestamp) | 0;
    if (this.received > 1) this.#jitter += (Math.abs((transit - this.#transit) | 0) - this.#jitter) / 16;
    this.#transit = transit;
  }

  #follow(sequence: number): void {
    const ahead = (sequence - this.#highest) & 0xffff;
    if (this.#first < 0) {
      this.#first = sequence;
      this.#highest = sequence;
    } else if (ahead < mostDropout) {
      this.#highest += ahead;
    } else if (ahead < 0x1_0000 - mostDropout) {
      this.#before = this.expected;
      this.#first = sequence;
      this.#highest = sequence;
    }
  }
}
