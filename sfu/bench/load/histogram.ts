/** Times are told apart from so many milliseconds on, and up to so many. */
const least = 0.05;
const most = 600_000;
/** Each bucket is wider than the one before by so much: what a quantile may be off by. */
const growth = 1.02;
const logGrowth = Math.log(growth);
const buckets = Math.ceil(Math.log(most / least) / logGrowth) + 1;

/** What goes from one process to another: `counts` has pairs of a bucket and what is in it. */
export type HistogramFigures = {
  readonly counts: readonly (readonly [number, number])[];
  readonly total: number;
  readonly max: number;
};

/** What a person reads, in milliseconds; null where nothing was measured. */
export type TimeSummary = {
  readonly count: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number | null;
};

/** Times in milliseconds, as many as come, in a fixed amount of memory; right to 2 %. Those of several processes add up. */
export class TimeHistogram {
  readonly #counts = new Float64Array(buckets);
  #total = 0;
  #max = 0;

  /** Those of several processes, together. */
  static of(all: readonly HistogramFigures[]): TimeHistogram {
    const merged = new TimeHistogram();
    for (const { counts, total, max } of all) {
      for (const [bucket, count] of counts) merged.#counts[bucket] = (merged.#counts[bucket] ?? 0) + count;
      merged.#total += total;
      merged.#max = Math.max(merged.#max, max);
    }
    return merged;
  }

  get total(): number {
    return this.#total;
  }

  record(ms: number): void {
    const bucket = ms <= least ? 0 : Math.min(buckets - 1, Math.ceil(Math.log(ms / least) / logGrowth));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total += 1;
    if (ms > this.#max) this.#max = ms;
  }

  /** The time that this share of all did not exceed; undefined when nothing was measured. */
  quantile(share: number): number | undefined {
    if (this.#total === 0) return undefined;
    const wanted = Math.max(1, Math.ceil(share * this.#total));
    let seen = 0;
    for (let bucket = 0; bucket < buckets; bucket += 1) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= wanted) return Math.min(this.#max, least * growth ** bucket);
    }
    return this.#max;
  }

  summary(): TimeSummary {
    const rounded = (ms: number | undefined): number | null => (ms === undefined ? null : Number(ms.toFixed(2)));
    return {
      count: this.#total,
      p50: rounded(this.quantile(0.5)),
      p95: rounded(this.quantile(0.95)),
      p99: rounded(this.quantile(0.99)),
      max: rounded(this.#total === 0 ? undefined : this.#max),
    };
  }

  figures(): HistogramFigures {
    const counts: [number, number][] = [];
    this.#counts.forEach((count, bucket) => {
      if (count > 0) counts.push([bucket, count]);
    });
    return { counts, total: this.#total, max: this.#max };
  }
}
