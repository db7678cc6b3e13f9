/** A worker that answers nothing is looked at so often in `workerAnswerMs`. */
export const answerTicks = 5;

/**
 * One that goes on sending packets has so many times the patience. Measured: with half as many packets again as it can send, a worker
 * answers after many seconds, and whoever kills it then cuts off everybody for what is a bad moment. But what it was asked, closing what
 * nobody needs any more included, waits as well, so it does not always get better by itself.
 */
const patienceWithWork = 6;

/** What the system says of the process of a worker that does not answer. */
export type SilentProcess = {
  /** A signal stopped it (SIGSTOP): it cannot be merely slow. */
  readonly isStopped: boolean;
  /** It has used the system since the tick before, as sending does; a loop without end does not. */
  readonly isWorking: boolean;
};

/**
 * What to do about a worker of which requests wait, and none was answered for so many ticks (RE-5). Ticks are counted rather than time
 * measured: when this process was the one that stopped (a suspended laptop), it has lost only one tick. Pure.
 */
export const judgeSilence = (
  ticks: number,
  { isStopped, isWorking }: SilentProcess,
): 'wait' | 'was stopped' | 'does not answer' => {
  if (ticks > 0 && isStopped) return 'was stopped';
  return ticks > answerTicks * (isWorking ? patienceWithWork : 1) ? 'does not answer' : 'wait';
};
