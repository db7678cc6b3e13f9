/** The time, in milliseconds since the Unix epoch. Injected, so that tests move it by hand. */
export type Clock = { now(): number };

export const systemClock: Clock = { now: () => Date.now() };
