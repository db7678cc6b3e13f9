/** The time of a store under test. Some stores go by a clock that the suite moves, others by one that nobody can move. */
export type SuiteClock = {
  /** The time of the store is this or later, */
  earliest(): number;
  /** and this or earlier. The same where only the suite moves it. */
  latest(): number;
  /** Resolves when it is this time or later; just this time where the suite moves it. */
  until(at: number): Promise<void>;
  /** How much time the store may lose, in milliseconds, between what the suite does and what it does next. */
  readonly slackMs: number;
  /** How long the store takes for a millisecond of a random history, in which most of the time nothing happens. */
  readonly pace: number;
};

/** A clock that stands still until it is moved. */
export type MovedClock = SuiteClock & { now(): number };

export const movedClock = (start: number): MovedClock => {
  let now = start;
  const read = (): number => now;
  return {
    now: read,
    earliest: read,
    latest: read,
    until: async (at) => {
      now = at;
    },
    slackMs: 0,
    pace: 1,
  };
};

/** A time by which no write is late. */
export const inTime = Number.MAX_SAFE_INTEGER;
