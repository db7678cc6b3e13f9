import { Worker } from 'node:worker_threads';

/** How often people arrive: by themselves, so the times between them are exponential. */
export type Load = { readonly perSecond: number; readonly seconds: number };

/** The time that both threads go by, in milliseconds: no clock that is set runs in between. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

export type ArrivalMessage = { readonly at: readonly number[] } | { readonly done: true };

/**
 * Calls `arrive` for each person who arrives, with the time at which they did. They come from another thread, as they come from
 * a network: whoever is busy has them wait, and that they waited counts (an open loop). Resolves when the last one came;
 * rejects when `arrive` throws.
 */
export const arrivals = ({ perSecond, seconds }: Load, arrive: (at: number) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    const workerData: Load = { perSecond, seconds };
    const crowd = new Worker(new URL('./arrivals-thread.ts', import.meta.url), { workerData });
    crowd.on('message', (message: ArrivalMessage) => {
      try {
        if ('at' in message) for (const at of message.at) arrive(at);
        else resolve();
      } catch (error) {
        reject(error);
        void crowd.terminate();
      }
    });
    crowd.on('error', reject);
  });
