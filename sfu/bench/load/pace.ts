import { wait } from './patience.ts';

export type Pace = {
  readonly count: number;
  readonly perSecond: number;
  /** When the first one comes, in milliseconds from now. */
  readonly afterMs: number;
};

/** So many are on the way at a time (RE-5). Whoever is due then waits, and that is told. */
const mostAtOnce = 400;

/**
 * Lets people arrive at this rate, whether those before them are in or not: a crowd does not wait for a slow server. Resolves when
 * the last one is in, or failed; early when the signal says that it is over. `arrive` is told the number of each, and never rejects.
 * Answers how many were held back since too many were on the way.
 */
export const arriveAtPace = async (
  { count, perSecond, afterMs }: Pace,
  arrive: (number: number) => Promise<void>,
  signal: AbortSignal,
): Promise<number> => {
  const begun = performance.now() + afterMs;
  const onTheWay = new Set<Promise<void>>();
  let heldBack = 0;
  for (let number = 0; number < count && !signal.aborted; number += 1) {
    const early = begun + (1000 * number) / perSecond - performance.now();
    if (early > 0) await wait(early, signal).catch(() => undefined);
    if (signal.aborted) break;
    if (onTheWay.size >= mostAtOnce) heldBack += 1;
    while (onTheWay.size >= mostAtOnce) await Promise.race(onTheWay);
    const arriving = arrive(number).finally(() => onTheWay.delete(arriving));
    onTheWay.add(arriving);
  }
  await Promise.all(onTheWay);
  return heldBack;
};
