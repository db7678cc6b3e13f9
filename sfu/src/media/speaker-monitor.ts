import type { Limits } from '@rostrum/shared/limits.ts';
import { nextSpeaking, type Speaking, type SpeakingRule } from './speaking.ts';

/**
 * Tells who speaks in a room (MD-4): the whole set, only when it changed, and at most once in `speakingIntervalMs`.
 * It is given what `StageLevels` measures, and calls `tell` with the user ids, sorted.
 */
export class SpeakerMonitor {
  readonly #rule: SpeakingRule;
  readonly #intervalMs: number;
  readonly #tell: (userIds: readonly string[]) => void;
  #speaking: Speaking = new Map();
  #told: readonly string[] = [];
  #toldAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: Limits, tell: (userIds: readonly string[]) => void) {
    this.#rule = { onDbov: limits.speakingOnDbov, offDbov: limits.speakingOffDbov, holdMs: limits.speakingHoldMs };
    this.#intervalMs = limits.speakingIntervalMs;
    this.#tell = tell;
  }

  /** One measurement: level by user id, in dBov; nobody in it is silence. */
  measured(levels: ReadonlyMap<string, number>): void {
    const now = performance.now();
    this.#speaking = nextSpeaking(this.#speaking, levels, now, this.#rule);
    this.#settle(now);
  }

  /** This person cannot be heard any more: their microphone was muted or closed. They stop without the hold. */
  stopped(userId: string): void {
    if (!this.#speaking.has(userId)) return;
    const others = new Map(this.#speaking);
    others.delete(userId);
    this.#speaking = others;
    this.#settle(performance.now());
  }

  /** Says at once that nobody speaks, if anybody did: the media is gone. Nothing is told after it unless there is sound. */
  silence(): void {
    clearTimeout(this.#timer);
    this.#speaking = new Map();
    if (this.#told.length === 0) return;
    this.#told = [];
    this.#tell([]);
  }

  #settle(now: number): void {
    clearTimeout(this.#timer);
    const speaking = [...this.#speaking.keys()].sort();
    const changed =
      speaking.length !== this.#told.length || speaking.some((userId, index) => userId !== this.#told[index]);
    const mayTellAt = this.#toldAt + this.#intervalMs;
    if (changed && now >= mayTellAt) {
      this.#told = speaking;
      this.#toldAt = now;
      this.#tell(speaking);
    } else if (changed) {
      this.#lookAgainAt(mayTellAt, now);
      return;
    }
    // It is told once that there is silence, and then nothing: the end of the hold is for us to see.
    if (this.#speaking.size > 0) this.#lookAgainAt(Math.min(...this.#speaking.values()) + this.#rule.holdMs, now);
  }

  #lookAgainAt(time: number, now: number): void {
    // Rounded up, as a timer that fires a fraction early would find nothing due and set itself again.
    this.#timer = setTimeout(() => this.measured(new Map()), Math.ceil(time - now)).unref();
  }
}
