import { monotonicMs } from './arrivals.ts';

/** When people came, and how long it took until both of a pair were told. */
export class PairTimes {
  readonly pairMs: number[] = [];
  arrived = 0;
  /** Those who were not told yet. */
  readonly #came = new Map<string, number>();
  /** Whose partner was told, and when the partner came. */
  readonly #half = new Map<string, number>();

  get waiting(): number {
    return this.#came.size;
  }

  came(userId: string, at: number): void {
    this.arrived += 1;
    this.#came.set(userId, at);
  }

  told(userId: string, partnerId: string): void {
    const at = this.#came.get(userId);
    // Told again: in an overload a call may be over, and the next one begun, before its people are asked.
    if (at === undefined) return;
    this.#came.delete(userId);
    const partnerAt = this.#half.get(userId);
    if (partnerAt === undefined) {
      this.#half.set(partnerId, at);
      return;
    }
    this.#half.delete(userId);
    this.pairMs.push(monotonicMs() - Math.max(at, partnerAt));
  }
}
