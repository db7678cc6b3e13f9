/** A quality of video: what is sent of it at most. `bitrate` is in bits a second. */
export type Rung = {
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  readonly bitrate: number;
};

/**
 * From the best (RD-11: 1280×720, 30 frames/s, 2 Mb/s) to the poorest. On the way down bitrate goes first, then frame rate,
 * then resolution, and so again at the smaller one; the bitrates are what VP8 needs at that size to look whole.
 */
export const rungs: readonly Rung[] = [
  { width: 1280, height: 720, framesPerSecond: 30, bitrate: 2_000_000 },
  { width: 1280, height: 720, framesPerSecond: 30, bitrate: 1_400_000 },
  { width: 1280, height: 720, framesPerSecond: 15, bitrate: 1_000_000 },
  { width: 640, height: 360, framesPerSecond: 15, bitrate: 600_000 },
  { width: 640, height: 360, framesPerSecond: 15, bitrate: 350_000 },
  { width: 640, height: 360, framesPerSecond: 8, bitrate: 200_000 },
  { width: 320, height: 180, framesPerSecond: 8, bitrate: 100_000 },
];

/** RD-11: where every call begins. */
const startLevel = 3;
/** Below all of them: no video, so that what the path carries is left to the voice. */
export const videoOff = rungs.length;

/** What was measured of what one sends. */
export type Measured = {
  readonly lossPercent: number;
  readonly roundTripMs: number;
  /** What the browser thinks that the path carries, in bits a second; null where it does not say. */
  readonly available: number | null;
};

export type Adaptation = {
  /** Index into `rungs`, or `videoOff`. */
  readonly level: number;
  /** How long the path has been good, or bad, without a break, in milliseconds. */
  readonly goodMs: number;
  readonly badMs: number;
  /** How long it must be good before the next step up; longer after each step up that did not hold. */
  readonly patienceMs: number;
  /** Since the last step up; null once that has held. */
  readonly provingMs: number | null;
};

/** A step up is tried after so long. */
const patienceMs = 4000;
/** And after so long at most, where steps up do not hold. */
const patienceMaxMs = 60_000;
/** A step up has held after so long. */
const provenMs = 12_000;
/** One look at the statistics may catch a moment's loss; two in a row do not. A heavy loss counts double. */
const enduranceMs = 4000;

/** VP8 repairs a few lost packets in a hundred by sending them again without anybody seeing it. */
const goodLoss = 2;
const badLoss = 5;
const heavyLoss = 15;
/** A round trip that grows beyond these says that packets queue up somewhere on the way. */
const goodRoundTripMs = 300;
const badRoundTripMs = 600;
/** The browser sends less than a rung may have when it thinks that the path carries less; below this share it looks broken. */
const starvedShare = 0.4;
const enoughShare = 0.6;

export const startAdaptation: Adaptation = {
  level: startLevel,
  goodMs: 0,
  badMs: 0,
  patienceMs,
  provingMs: null,
};

/**
 * The quality of video after `elapsedMs` more milliseconds over a path that was measured so (RD-11). One step at a time; the
 * voice is not touched: video goes before it.
 */
export const adapt = (now: Adaptation, measured: Measured, elapsedMs: number): Adaptation => {
  const proving = now.provingMs === null ? null : now.provingMs + elapsedMs;
  const proven = proving !== null && proving >= provenMs;
  const settled: Adaptation = {
    ...now,
    provingMs: proven ? null : proving,
    patienceMs: proven ? patienceMs : now.patienceMs,
  };
  if (isBad(now.level, measured)) {
    const weight = measured.lossPercent > heavyLoss ? 2 : 1;
    return lowered({ ...settled, goodMs: 0, badMs: now.badMs + weight * elapsedMs });
  }
  if (isGood(now.level, measured)) return raised({ ...settled, badMs: 0, goodMs: now.goodMs + elapsedMs });
  return { ...settled, goodMs: 0, badMs: 0 };
};

const isBad = (level: number, { lossPercent, roundTripMs, available }: Measured): boolean =>
  lossPercent > badLoss ||
  roundTripMs > badRoundTripMs ||
  (available !== null && available < starvedShare * (rungs[level]?.bitrate ?? 0));

/** Whether the path would carry the next rung up too. */
const isGood = (level: number, { lossPercent, roundTripMs, available }: Measured): boolean =>
  lossPercent <= goodLoss &&
  roundTripMs <= goodRoundTripMs &&
  (available === null || available >= enoughShare * (rungs[level - 1]?.bitrate ?? 0));

const lowered = (now: Adaptation): Adaptation => {
  if (now.badMs < enduranceMs || now.level === videoOff) return now;
  const tooSoon = now.provingMs !== null;
  return {
    level: now.level + 1,
    goodMs: 0,
    badMs: 0,
    patienceMs: tooSoon ? Math.min(patienceMaxMs, 2 * now.patienceMs) : now.patienceMs,
    provingMs: null,
  };
};

const raised = (now: Adaptation): Adaptation =>
  now.goodMs < now.patienceMs || now.level === 0
    ? now
    : { ...now, level: now.level - 1, goodMs: 0, badMs: 0, provingMs: 0 };
