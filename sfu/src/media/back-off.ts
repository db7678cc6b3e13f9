/** The wait after the second failure in a row; it doubles from there. */
const firstWaitMs = 100;

/**
 * How long to wait before the next attempt after this many failures in a row, in milliseconds: not at all after the
 * first, as what failed once may well be mended, then ever longer up to `mostMs`. Pure.
 */
export const backOffMs = (failures: number, mostMs: number): number =>
  failures <= 1 ? 0 : Math.min(firstWaitMs * 2 ** (failures - 2), mostMs);
