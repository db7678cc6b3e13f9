import type { Limits } from '@rostrum/shared/limits.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';

/** How often it is looked whether the store is there, in milliseconds: a tenth of what a command waits for it. */
const lookMs = 100;

/** What whoever runs deadlines or gives nodes up has to know of the store. */
export type Health = {
  /** Whether the store has been there for a full round of heartbeats: who is silent now is gone, and what is due is due. */
  settled(): boolean;
  /** The time by which deadlines are looked at. */
  readonly dueClock: Clock;
};

/** The health of a store that is never away, because it is in this process. */
export const alwaysHealthy = (clock: Clock): Health => ({ settled: () => true, dueClock: clock });

export type OutageOptions = {
  /** Whether the store can be reached now. */
  readonly ready: () => boolean;
  readonly clock: Clock;
  readonly limits: Pick<Limits, 'heartbeatMs' | 'nodeSilentMs' | 'seatGraceMs' | 'queueGraceMs' | 'resumeMs'>;
  readonly logger: Logger;
  /** The store went away. */
  readonly lost: () => void;
  /** It is there again, after so many milliseconds. */
  readonly back: (outageMs: number) => void;
  /** It has been there for a full round of heartbeats again. */
  readonly settledAgain: () => void;
};

type Break = 'none' | 'away' | 'mending';

/**
 * Watches whether the store is there (RE-4). While it is away nobody can show that they live, and nobody can come back. So
 * until every node has had the time to show itself again nobody is given up and no deadline runs; and after that, deadlines
 * are late by the outage until the longest grace that began before it is over. Everything goes by the store's clock.
 *
 * A process that was stopped, or whose machine slept, knows as little as one whose store was away: a look that comes late
 * counts as a break too, without `lost` and `back`.
 */
export class OutageWatch implements Health {
  readonly dueClock: Clock = { now: () => this.#dueNow() };
  readonly #options: OutageOptions;
  readonly #settleMs: number;
  /** How late a look may come. Two such pauses, the others' and ours, are shorter than a node may be silent. */
  readonly #stallMs: number;
  readonly #graceMs: number;
  #timer: NodeJS.Timeout | undefined;
  #state: Break = 'none';
  #lastLook: number;
  /** Since when it has been there; while it is away, since when it has been that. */
  #since: number;
  /** By how much deadlines are late, in milliseconds, and until when. */
  #late = { ms: 0, until: 0 };

  constructor(options: OutageOptions) {
    const { heartbeatMs, nodeSilentMs, seatGraceMs, queueGraceMs, resumeMs } = options.limits;
    this.#options = options;
    this.#settleMs = nodeSilentMs + heartbeatMs;
    this.#stallMs = nodeSilentMs / 2;
    this.#graceMs = Math.max(seatGraceMs, queueGraceMs, resumeMs);
    this.#lastLook = options.clock.now();
    this.#since = this.#lastLook;
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), lookMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Looks once. Never throws. */
  look(): void {
    const now = this.#options.clock.now();
    const isReady = this.#options.ready();
    if (this.#state === 'away') {
      if (isReady) this.#isBack(now);
    } else if (!isReady) this.#isLost();
    else if (this.#isStalled(now)) this.#breaks(now, now - this.#lastLook);
    this.#lastLook = now;
    if (this.#state === 'mending' && this.settled()) {
      this.#state = 'none';
      this.#call(this.#options.settledAgain);
    }
  }

  settled(): boolean {
    const now = this.#options.clock.now();
    return this.#state !== 'away' && !this.#isStalled(now) && now - this.#since >= this.#settleMs;
  }

  /** Whether this process did not look for a while, or the clock was set. */
  #isStalled(now: number): boolean {
    return Math.abs(now - this.#lastLook) > this.#stallMs;
  }

  #isLost(): void {
    // When it was last seen it was still there.
    this.#state = 'away';
    this.#since = this.#lastLook;
    this.#call(this.#options.lost);
  }

  #isBack(now: number): void {
    const outageMs = Math.max(0, now - this.#since);
    this.#breaks(now, outageMs);
    this.#call(() => this.#options.back(outageMs));
  }

  /** From now on it is there. What was still late of the break before is late by both. */
  #breaks(now: number, ms: number): void {
    const before = this.#lateAt(this.#state === 'away' ? this.#since : this.#lastLook);
    this.#state = 'mending';
    this.#since = now;
    this.#late = { ms: before + Math.max(0, ms), until: now + this.#graceMs };
  }

  #lateAt(now: number): number {
    return now < this.#late.until ? this.#late.ms : 0;
  }

  #dueNow(): number {
    const now = this.#state === 'away' ? this.#since : this.#options.clock.now();
    return now - this.#lateAt(now);
  }

  #call(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#options.logger.error({ err: error }, 'what follows from an outage failed');
    }
  }
}
