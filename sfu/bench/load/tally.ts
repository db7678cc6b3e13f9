import { ForeignAddress } from '../lib/media-addresses.ts';
import { Refused } from '../lib/refused.ts';
import { type HistogramFigures, TimeHistogram } from './histogram.ts';
import { added, type MediaCounts, noMedia } from './listener-stats.ts';

const counterNames = [
  /** People who wanted in; those are either in, or were refused or failed on the way. */
  'asked',
  'joined',
  'refused',
  /** Those who are in and got a first packet. */
  'heard',
  /** Connections of people inside that were lost, that came back, and that did not. */
  'connectionsLost',
  'connectionsBack',
  'connectionsGone',
  /** Media that a worker took with it (`media:lost`), and what came back. */
  'hearingLost',
  'hearingBack',
  'speakingLost',
  'speakingBack',
  /** `media:relisten`: asked to move, and moved. */
  'relistenAsked',
  'relistened',
  /** Rooms that ended under somebody inside. */
  'roomsEnded',
  /** Random calls: searches that found nobody in time, matches, calls that were connected and that were not. */
  'unmatched',
  'matched',
  'connected',
  'notConnected',
  /** Matches with somebody who is not of this load; ended at once. */
  'strangers',
] as const;
export type CounterName = (typeof counterNames)[number];

export const timeNames = [
  'signIn',
  'socket',
  /** From `room:join` to its answer. */
  'join',
  /** From `room:join` to the first audio packet. */
  'firstAudio',
  /** From `media:relisten` until the new transport is connected, the time included over which it is to be spread. */
  'relisten',
  /** From `media:lost` to the next audio packet, and until the microphone is open again. */
  'hearingBack',
  'speakingBack',
  'latency',
  'jitter',
  /** How long libwebrtc holds packets back before they are heard; of probes alone. */
  'jitterBuffer',
  /** Random calls: from the search to the match, and from that until both sides hear each other. */
  'match',
  'connect',
] as const;
export type TimeName = (typeof timeNames)[number];

/** Different failures that are told apart (RE-5): a server that makes codes up must not fill the memory. */
const mostCodes = 200;

/** What goes from one process to another. */
export type TallyFigures = {
  readonly counters: Readonly<Record<CounterName, number>>;
  readonly times: Readonly<Record<TimeName, HistogramFigures>>;
  /** How often something was refused or failed, by what was asked for and the code: `room:join node_full`. */
  readonly failures: Readonly<Record<string, number>>;
  /** In words, where the server wanted media to be sent that may not be sent to. */
  readonly foreign: string | null;
  readonly media: MediaCounts;
  /** The share that each listener lost who was sent anything. */
  readonly lossShares: readonly number[];
  /** Listeners who were let in and to whom nothing came. */
  readonly silent: number;
};

/** What was asked for, answered, received and lost, in one process. */
export class Tally {
  readonly counters: Record<CounterName, number>;
  readonly times: Readonly<Record<TimeName, TimeHistogram>>;
  readonly #failures = new Map<string, number>();
  readonly #lossShares: number[] = [];
  #media = noMedia;
  #silent = 0;
  #foreign: string | null = null;

  constructor() {
    this.counters = byName(counterNames, () => 0);
    this.times = byName(timeNames, () => new TimeHistogram());
  }

  get foreign(): string | null {
    return this.#foreign;
  }

  count(name: CounterName): void {
    this.counters[name] += 1;
  }

  failed(what: string, error: unknown): void {
    if (error instanceof ForeignAddress) this.#foreign ??= error.message;
    const name = `${what} ${codeOf(error)}`;
    const key = this.#failures.has(name) || this.#failures.size < mostCodes ? name : 'other';
    this.#failures.set(key, (this.#failures.get(key) ?? 0) + 1);
  }

  /** All that one listener received, when they leave. */
  left(counts: MediaCounts): void {
    this.#media = added(this.#media, counts);
    if (counts.received === 0) this.#silent += 1;
    if (counts.expected > 0) this.#lossShares.push(counts.lost / counts.expected);
  }

  /** `present` are what those received so far who have not left. */
  figures(present: readonly MediaCounts[] = []): TallyFigures {
    const shares = present.filter(({ expected }) => expected > 0).map(({ lost, expected }) => lost / expected);
    return {
      counters: { ...this.counters },
      times: byName(timeNames, (name) => this.times[name].figures()),
      failures: Object.fromEntries(this.#failures),
      foreign: this.#foreign,
      media: present.reduce(added, this.#media),
      lossShares: [...this.#lossShares, ...shares],
      silent: this.#silent + present.filter(({ received }) => received === 0).length,
    };
  }
}

/** Those of several processes, together. */
export const mergeTallies = (all: readonly TallyFigures[]): TallyFigures => {
  const failures: Record<string, number> = {};
  for (const one of all)
    for (const [name, count] of Object.entries(one.failures)) failures[name] = (failures[name] ?? 0) + count;
  return {
    counters: byName(counterNames, (name) => all.reduce((total, { counters }) => total + counters[name], 0)),
    times: byName(timeNames, (name) => TimeHistogram.of(all.map(({ times }) => times[name])).figures()),
    failures,
    foreign: all.find(({ foreign }) => foreign !== null)?.foreign ?? null,
    media: all.reduce((total, { media }) => added(total, media), noMedia),
    lossShares: all.flatMap(({ lossShares }) => lossShares),
    silent: all.reduce((total, { silent }) => total + silent, 0),
  };
};

/** In one word what went wrong: the server's code, or a name for what it did not answer. */
const codeOf = (error: unknown): string => {
  if (error instanceof Refused || error instanceof ForeignAddress) return error.code;
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string') return code;
  return String(message ?? error)
    .replaceAll(' ', '_')
    .slice(0, 60);
};

const byName = <Name extends string, Value>(
  names: readonly Name[],
  valueFor: (name: Name) => Value,
): Record<Name, Value> =>
  // Every name has its value.
  Object.fromEntries(names.map((name) => [name, valueFor(name)])) as Record<Name, Value>;
