import { type ReadonlySignal, signal } from '@preact/signals';

/** Time for the pages: it ticks only while somebody looks at it. */
export type Clock = {
  /** The server's time, as far as it is known. */
  now(): number;
  /** `now`, every second. */
  readonly everySecond: ReadonlySignal<number>;
  /** `now`, every half a minute. */
  readonly everyHalfMinute: ReadonlySignal<number>;
  /** Sets the clock right by the server's: deadlines are told in its time, and a phone's clock may be minutes off. */
  correct(serverTime: number): void;
};

export const createClock = (): Clock => {
  let offset = 0;
  const now = () => Date.now() + offset;
  const ticking = (intervalMs: number): ReadonlySignal<number> => {
    let timer: ReturnType<typeof setInterval> | undefined;
    const time = signal(now(), {
      watched() {
        this.value = now();
        timer = setInterval(() => {
          this.value = now();
        }, intervalMs);
      },
      unwatched() {
        clearInterval(timer);
      },
    });
    return time;
  };
  return {
    now,
    everySecond: ticking(1000),
    everyHalfMinute: ticking(30_000),
    correct: (serverTime) => {
      offset = serverTime - Date.now();
    },
  };
};
