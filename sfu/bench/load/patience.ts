import { setTimeout as pause } from 'node:timers/promises';
import { ForeignAddress } from '../lib/media-addresses.ts';
import { Refused } from '../lib/refused.ts';

/** Waits so many milliseconds; less when the signal says that it is over, and then rejects. */
export const wait = (ms: number, signal: AbortSignal): Promise<void> => pause(ms, undefined, { signal });

/** A moment by chance within so many milliseconds: what a crowd is told at once it must not do at once. */
export const spread = (withinMs: number, signal: AbortSignal): Promise<void> => wait(Math.random() * withinMs, signal);

export type Tries = { readonly most: number; readonly firstMs: number; readonly longestMs: number };

/**
 * Does it again until it succeeds: after twice as long each time, or after as long as the server says, with some chance in it.
 * Rejects with what the last try failed with, and when the signal says that it is over.
 */
export const tryAgain = async <T>(act: () => Promise<T>, tries: Tries, signal: AbortSignal): Promise<T> => {
  for (let failures = 1; ; failures += 1) {
    try {
      return await act();
    } catch (error) {
      // Where nothing may be sent now, nothing may be sent later.
      if (failures >= tries.most || signal.aborted || error instanceof ForeignAddress) throw error;
      const asked = error instanceof Refused ? error.retryAfterMs : undefined;
      const ms = asked ?? tries.firstMs * 2 ** (failures - 1) * (0.75 + Math.random() / 2);
      await wait(Math.min(ms, tries.longestMs), signal);
    }
  }
};

/** Something that was waited for did not happen in time; `code` says what that is called. */
class TooLate extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** Rejects, under this code, when it takes longer than so many milliseconds. */
export const within = async <T>(ms: number, what: Promise<T>, code: string): Promise<T> => {
  const late = Promise.withResolvers<never>();
  const patience = setTimeout(() => late.reject(new TooLate(code)), ms);
  try {
    return await Promise.race([what, late.promise]);
  } finally {
    clearTimeout(patience);
  }
};
