import { TimeHistogram } from './histogram.ts';
import { sharedMs } from './rtp-clock.ts';

/** Microphones send on a grid of so many milliseconds: those of a room one after the other, and all by one timer. */
export const gridMs = 5;

type Beat = (now: number) => void;

/** One timer for everybody who speaks in this process. It runs while somebody does. */
export class Metronome {
  readonly #beats = new Set<Beat>();
  /** How late it was, in milliseconds: what a busy process adds to latency and jitter by itself. */
  readonly late = new TimeHistogram();
  #timer: NodeJS.Timeout | undefined;

  /** Calls `beat` on the grid with the time by the shared clock, until the answer is called. */
  add(beat: Beat): () => void {
    this.#beats.add(beat);
    if (this.#timer === undefined) this.#wait();
    return () => {
      this.#beats.delete(beat);
      if (this.#beats.size === 0) this.#stop();
    };
  }

  #wait(): void {
    const now = sharedMs();
    const next = (Math.floor(now / gridMs) + 1) * gridMs;
    this.#timer = setTimeout(() => {
      const at = sharedMs();
      this.late.record(Math.max(0, at - next));
      for (const beat of this.#beats) beat(at);
      if (this.#timer !== undefined) this.#wait();
    }, next - now);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
