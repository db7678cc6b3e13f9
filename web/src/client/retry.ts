import { type Backoff, backoffMs, mediaBackoff } from './backoff.ts';
import { isPassing, waitOf } from './errors.ts';
import type { Timers } from './timers.ts';

export type Retry = {
  readonly attempt: () => Promise<void>;
  /** False once there is no use in it any more; asked before every attempt. */
  readonly wanted: () => boolean;
  /** Whether another attempt may help after this error; by default after a passing one. */
  readonly again?: (error: unknown) => boolean;
  /** Attempts at most (RE-5). */
  readonly most: number;
  /** Nothing is attempted after these were closed. */
  readonly timers: Timers;
  readonly backoff?: Backoff;
};

/** How it came out: `error` is what the last attempt failed with. */
export type Outcome = { readonly kind: 'done' | 'unwanted' } | { readonly kind: 'failed'; readonly error: unknown };

/** Attempts something until it succeeds, with a wait between attempts that the server may lengthen. Never rejects. */
export const keepTrying = async (retry: Retry): Promise<Outcome> => {
  const { attempt, wanted, again = isPassing, most, timers, backoff = mediaBackoff } = retry;
  for (let count = 1; wanted(); count += 1) {
    try {
      await attempt();
      return { kind: 'done' };
    } catch (error) {
      if (!wanted()) break;
      if (count >= most || !again(error)) return { kind: 'failed', error };
      await timers.wait(waitOf(error, backoffMs(count - 1, backoff)));
    }
  }
  return { kind: 'unwanted' };
};
