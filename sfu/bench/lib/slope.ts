import { median, quantile, sum } from './statistics.ts';

export type Point = readonly [x: number, y: number];

/** A straight line through points, with the standard error of its slope. */
export type Line = { readonly slope: number; readonly error: number };

/** By least squares. The error is NaN for fewer than three points, and right only where the deviations are by chance. */
export const fitLine = (points: readonly Point[]): Line => {
  const meanX = sum(points.map(([x]) => x)) / points.length;
  const meanY = sum(points.map(([, y]) => y)) / points.length;
  const spread = sum(points.map(([x]) => (x - meanX) ** 2));
  const slope = sum(points.map(([x, y]) => (x - meanX) * (y - meanY))) / spread;
  const left = sum(points.map(([x, y]) => (y - meanY - slope * (x - meanX)) ** 2));
  return { slope, error: points.length < 3 ? Number.NaN : Math.sqrt(left / (points.length - 2) / spread) };
};

/** The slope by Theil and Sen: the median over all pairs of points. Up to a quarter of them may be anything. */
export const robustSlope = (points: readonly Point[]): number => median(pairSlopes(points));

/**
 * The same with an error: half of the interval by Sen (1968, doi 10.1080/01621459.1968.10480934) that holds the true slope in two of
 * three cases, as one standard error does.
 */
export const robustLine = (points: readonly Point[]): Line => {
  const slopes = pairSlopes(points);
  const count = points.length;
  // Kendall's S of points without a slope has this deviation; so many pairs may be wrong either way.
  const deviation = Math.sqrt((count * (count - 1) * (2 * count + 5)) / 18) / slopes.length / 2;
  return {
    slope: median(slopes),
    error: (quantile(slopes, Math.min(1, 0.5 + deviation)) - quantile(slopes, Math.max(0, 0.5 - deviation))) / 2,
  };
};

const pairSlopes = (points: readonly Point[]): number[] =>
  points.flatMap(([x, y], index) => points.slice(index + 1).map(([laterX, laterY]) => (laterY - y) / (laterX - x)));
