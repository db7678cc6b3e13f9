/** The value below which this share of the values lies, interpolated; NaN without values. */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
};

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** A measured value, and the interval that holds the true one in 95 of 100 such measurements. */
export type Estimate = { readonly value: number; readonly low: number; readonly high: number };

const resamples = 4000;

/**
 * The median of values that were measured in groups, with a 95 % interval by a bootstrap in two stages (Davison and
 * Hinkley, Bootstrap Methods and their Application, section 3.8): groups are drawn, then values in each. So what differs
 * from one group to the next, such as where a process happened to be put in memory, widens the interval as it should;
 * values of one group alone would look more certain than they are.
 */
export const estimateMedian = (groups: readonly (readonly number[])[]): Estimate => estimateQuantile(groups, 0.5);

/** The same for the value below which this share of the values lies. */
export const estimateQuantile = (groups: readonly (readonly number[])[], share: number): Estimate => {
  const random = seeded(20_250_101);
  const draw = <Value>(from: readonly Value[]): readonly Value[] =>
    from.map((_, index) => from[Math.floor(random() * from.length)] ?? (from[index] as Value));
  const drawn = Array.from({ length: resamples }, () => quantile(draw(groups).flatMap(draw), share));
  return { value: quantile(groups.flat(), share), low: quantile(drawn, 0.025), high: quantile(drawn, 0.975) };
};

/** Random numbers from 0 to 1, the same in every run (mulberry32): the same measurements give the same interval. */
export const seeded = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};
