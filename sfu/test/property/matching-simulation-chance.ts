/** Random numbers from a seed (mulberry32): the same seed gives the same numbers in every run. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** From 0 to 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  is(share: number): boolean {
    return this.next() < share;
  }

  /** Times between things that happen by themselves, with this mean. */
  exponential(mean: number): number {
    return Math.ceil(-mean * Math.log(1 - this.next()));
  }

  pick<Value>(values: readonly [Value, ...Value[]]): Value {
    return values[Math.floor(this.next() * values.length)] ?? values[0];
  }

  /** So many of these, in random order. */
  some<Value>(values: readonly Value[], count: number): Value[] {
    return this.shuffled(values).slice(0, count);
  }

  shuffled<Value>(values: readonly Value[]): Value[] {
    return values
      .map((value) => ({ value, by: this.next() }))
      .toSorted((one, other) => one.by - other.by)
      .map(({ value }) => value);
  }

  /** One of these words, by weight. */
  weighted<Word extends string>(weights: Readonly<Record<Word, number>>): Word {
    // The words of the record are its keys, which TypeScript knows as strings alone.
    const words = Object.keys(weights) as [Word, ...Word[]];
    let left = this.next() * words.reduce((total, word) => total + weights[word], 0);
    for (const word of words) {
      left -= weights[word];
      if (left < 0) return word;
    }
    return words[0];
  }
}
