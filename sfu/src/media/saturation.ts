/** What was seen of a worker in one look at it. */
export type WorkerLook = {
  /** Share of a core that it used, 0 to 1. */
  readonly cpu: number;
  /** How often a second it had nothing to do and slept. */
  readonly sleeps: number;
  /** How long its last answer took, the time apart in which this process had no time to read it; in milliseconds. */
  readonly answerMs: number;
};

export type Saturation = {
  readonly isSaturated: boolean;
  /** How many looks in a row say the opposite. */
  readonly against: number;
};

export const notSaturated: Saturation = { isSaturated: false, against: 0 };

/** So many looks in a row change what counts: one alone may be the moment in which fifty people joined. */
const looksInARow = 2;

/** It is over only below this share of the mark, 75 % of a core at a mark of 85; else the worker would flicker at the mark. */
const recovery = 0.88;

/** A worker with time answers in a millisecond; one that takes longer than this lets packets wait as long. */
export const lateMs = 250;

/**
 * A worker that keeps up sleeps when it is through with what came, 30 to 400 times a second (measured, up to 86 % of a core). One that has
 * used a tenth of a core and slept less often than this had work waiting for a tenth of a second at a time: it gets less of the
 * machine than it needs. That is how one is found that never gets to the mark, as others want the same cores: it was at 36 %.
 */
const fewestSleeps = 10;
const hardlyBusy = 0.1;

/** Whether a worker has no time left, after one more look at it (MD-3). `mark` is the share of a core that counts as full. Pure. */
export const saturate = (before: Saturation, look: WorkerLook, mark: number): Saturation => {
  const ceiling = before.isSaturated ? mark * recovery : mark;
  const isFull =
    look.cpu >= ceiling || look.answerMs > lateMs || (look.cpu >= hardlyBusy && look.sleeps < fewestSleeps);
  if (isFull === before.isSaturated) return { ...before, against: 0 };
  const against = before.against + 1;
  return against < looksInARow ? { ...before, against } : { isSaturated: isFull, against: 0 };
};
