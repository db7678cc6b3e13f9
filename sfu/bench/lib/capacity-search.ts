import type { Hall, Window } from './hall.ts';
import { Refused } from './refused.ts';

/** When a hall is served: what has to come, and how late it may be. */
export type Served = {
  /** The share of packets that has to arrive. */
  readonly share: number;
  /** Of a hundred packets 99 take no longer than so many milliseconds on top of what a packet holds. */
  readonly lateMs: number;
};

export type Search = {
  /** Listeners that are let in first; far fewer than fit. */
  readonly first: number;
  /** Never more than so many. */
  readonly most: number;
  readonly windowMs: number;
  readonly packetMs: number;
  readonly served: Served;
};

/** Why no more were let in. */
export type End = 'late' | 'lost' | 'refused' | 'most';

export type Found = {
  /** The most listeners that were served; 0 where not even the first were. */
  readonly listeners: number;
  readonly end: End;
  /** What a core would serve if every listener cost as much as each of the first did. */
  readonly predicted: number;
  /** Every window in which all were served. */
  readonly windows: readonly Window[];
};

/** How far to go at once by what was predicted, and by how much more each time after that. */
const leap = 0.75;
const step = 1.07;
/** Windows in a row that have to fail: others use the machine too. */
const attempts = 3;
/** The system's count of what arrived has the server's reports in it, which are known to about this share. */
const countError = 0.001;

/** Lets more and more people in until they are not served any more. */
export const findCapacity = async (hall: Hall, search: Search): Promise<Found> => {
  const windows: Window[] = [];
  let predicted = 0;
  for (let listeners = search.first; ; ) {
    const outcome = await attempt(hall, listeners, search);
    if (typeof outcome === 'string')
      return { listeners: windows.at(-1)?.listeners ?? 0, end: outcome, predicted, windows };
    windows.push(outcome);
    if (windows.length === 1) predicted = Math.floor((listeners * outcome.ms) / outcome.workerMs);
    if (listeners >= search.most) return { listeners, end: 'most', predicted, windows };
    const next = windows.length === 1 ? Math.max(predicted * leap, listeners * step) : listeners * step;
    listeners = Math.min(search.most, Math.ceil(next));
  }
};

/** So many listeners for a while, or why they were not served. */
const attempt = async (hall: Hall, listeners: number, search: Search): Promise<Window | End> => {
  try {
    await hall.growTo(listeners);
  } catch (error) {
    if (error instanceof Refused && error.code === 'node_full') return 'refused';
    throw error;
  }
  let end: End = 'late';
  for (let failed = 0; failed < attempts; failed += 1) {
    const window = await hall.measure(search.windowMs);
    const why = failing(window, search);
    if (why === undefined) return window;
    end = why;
  }
  return end;
};

const failing = (window: Window, { packetMs, served }: Search): End | undefined => {
  const { sentOn, arrived, probesArrived, latency } = window;
  if (sentOn < served.share || probesArrived < served.share || arrived < served.share - countError) return 'lost';
  return latency.p99 - packetMs > served.lateMs ? 'late' : undefined;
};
