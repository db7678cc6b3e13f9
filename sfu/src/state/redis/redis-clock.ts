import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';

/** How often the time of Redis is asked for, in milliseconds: clocks drift apart by less than one in that time. */
const intervalMs = 1000;
/** Questions at the first synchronisation; the one that was answered fastest counts. */
const firstQuestions = 4;
/** How fast two clocks may drift apart, in milliseconds a millisecond. Clocks that are being corrected do 0.5 a second (RFC 5905). */
const drift = 0.001;
/** How fast a clock that is ahead lets the time catch up: while it is, it goes at half its speed. */
const slew = 0.5;
/**
 * Milliseconds that it may be ahead and still be slewed. More is no error of measuring: the clock of Redis was set back, or
 * another machine became the master. Then its time is taken at once, since every expiry and deadline goes by it.
 */
const mostSlewed = 1000;

export type RedisClockOptions = {
  /** The time of Redis in milliseconds, with fractions. */
  readonly time: () => Promise<number>;
  readonly logger: Logger;
  /** A clock that is never set, in milliseconds since any moment. */
  readonly monotonic?: () => number;
};

export type RedisClock = Clock & {
  /** The time as it was measured, also where this clock is ahead of it and goes slower. What expires is given by it. */
  measured(): number;
  /** Asks for the time now. Rejects as `time` does. */
  sync(): Promise<void>;
  /** Stops asking. The clock goes on from what it knows. */
  close(): void;
};

/**
 * The time of Redis, so that all nodes of a cluster go by one clock, whatever their own say (RE-4). It is asked for every second;
 * it lies in the middle of the round trip, give or take half of it (RFC 5905 section 8). Between the answers this machine's
 * monotonic clock counts on, also while Redis is away. It never steps back by less than a second: it goes slower instead.
 *
 * Not to be read before the first `sync`.
 */
export const createRedisClock = (options: RedisClockOptions): RedisClock => new SynchronisedClock(options);

class SynchronisedClock implements RedisClock {
  readonly #time: () => Promise<number>;
  readonly #monotonic: () => number;
  readonly #logger: Logger;
  readonly #timer: NodeJS.Timeout;
  /** What to add to the monotonic clock, how far off that may have been, and when it was measured. */
  #measured = { offset: 0, error: Number.POSITIVE_INFINITY, at: 0 };
  /** How far ahead of the measured time this clock was then. */
  #ahead = 0;

  constructor({ time, logger, monotonic = () => performance.now() }: RedisClockOptions) {
    this.#time = time;
    this.#logger = logger;
    this.#monotonic = monotonic;
    this.#timer = setInterval(() => {
      this.#measure().catch((error: unknown) =>
        logger.debug({ err: error }, 'the time of Redis could not be asked for'),
      );
    }, intervalMs);
    this.#timer.unref();
  }

  now(): number {
    return Math.floor(this.#at(this.#monotonic()));
  }

  measured(): number {
    return Math.floor(this.#monotonic() + this.#measured.offset);
  }

  async sync(): Promise<void> {
    for (let question = 0; question < firstQuestions; question += 1) await this.#measure();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #at(moment: number): number {
    const passed = moment - this.#measured.at;
    return moment + this.#measured.offset + Math.max(0, this.#ahead - passed * slew);
  }

  async #measure(): Promise<void> {
    const asked = this.#monotonic();
    const time = await this.#time();
    const answered = this.#monotonic();
    const offset = time - (asked + answered) / 2;
    const error = (answered - asked) / 2;
    const known = this.#measured.error + (answered - this.#measured.at) * drift;
    const agrees = Math.abs(offset - this.#measured.offset) <= error + known;
    // A slow answer says little. But where both cannot be right, a clock was set, and the later one is.
    if (agrees && error > known) return;
    this.#take(offset, error, answered);
  }

  #take(offset: number, error: number, at: number): void {
    const isFirst = this.#measured.error === Number.POSITIVE_INFINITY;
    const ahead = isFirst ? 0 : this.#at(at) - at - offset;
    this.#measured = { offset, error, at };
    this.#ahead = ahead > mostSlewed ? 0 : Math.max(0, ahead);
    if (Math.abs(ahead) > mostSlewed) this.#logger.warn({ aheadMs: Math.round(ahead) }, 'the clock of Redis was set');
  }
}
