import { parentPort, workerData } from 'node:worker_threads';
import { type ArrivalMessage, type Load, monotonicMs } from './arrivals.ts';

/** Long enough for the other thread to be ready, in milliseconds. */
const restMs = 100;

// What the other thread passes.
const { perSecond, seconds } = workerData as Load;
const asleep = new Int32Array(new SharedArrayBuffer(4));
const send = (message: ArrivalMessage): void => parentPort?.postMessage(message);

const start = monotonicMs() + restMs;
const end = start + 1000 * seconds;
let next = start;
while (next < end) {
  const due: number[] = [];
  const now = monotonicMs();
  for (; next <= now && next < end; next -= (1000 / perSecond) * Math.log(1 - Math.random())) due.push(next);
  if (due.length > 0) send({ at: due });
  // A timer of the event loop is exact to a millisecond, in which several come.
  else Atomics.wait(asleep, 0, 0, next - now);
}
send({ done: true });
