export type Backoff = { readonly firstMs: number; readonly maxMs: number };

/** For the connection: back within a seat's grace (RE-2), and at most every 4 to 8 s while a server is away. */
export const connectionBackoff: Backoff = { firstMs: 500, maxMs: 8000 };
/** For media and rejoining, once the connection stands. */
export const mediaBackoff: Backoff = { firstMs: 400, maxMs: 10_000 };

/**
 * Milliseconds to wait before attempt `attempt` (from 0). Doubles up to `maxMs`; the upper half is random, so that the
 * people of a node that died do not come back at one moment.
 */
export const backoffMs = (attempt: number, { firstMs, maxMs }: Backoff, random: () => number = Math.random): number => {
  const ceiling = Math.min(maxMs, firstMs * 2 ** Math.min(Math.max(attempt, 0), 20));
  return ceiling / 2 + (random() * ceiling) / 2;
};
