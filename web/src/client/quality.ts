import { Timers } from './timers.ts';
import type { Quality } from './types.ts';

/** Between two looks at the statistics. */
const qualityMs = 5000;

/** What the statistics counted so far, by stream; loss is worked out from the difference of two. */
export type Sample = {
  readonly streams: ReadonlyMap<string, { readonly received: number; readonly lost: number }>;
  readonly jitterMs: number;
  readonly roundTripMs: number;
  /** What the server says it lost of what is sent, as a share; undefined when nothing is sent. */
  readonly sentLoss: number | undefined;
};

type Entry = RTCStats &
  Partial<RTCInboundRtpStreamStats> &
  Partial<RTCIceCandidatePairStats> & { readonly fractionLost?: number; readonly roundTripTime?: number };

/** The entries of these reports, as what one knows to look for in them. */
export const entriesOf = <Wanted extends RTCStats>(reports: readonly RTCStatsReport[]): Wanted[] => {
  const entries: Wanted[] = [];
  for (const report of reports) {
    report.forEach((entry: Wanted) => {
      entries.push(entry);
    });
  }
  return entries;
};

/** Reads what matters out of the statistics of the peer connections. */
export const sampleOf = (reports: readonly RTCStatsReport[]): Sample => {
  const entries = entriesOf<Entry>(reports);
  const heard = entries.filter(({ type }) => type === 'inbound-rtp');
  const sent = entries.filter(({ type }) => type === 'remote-inbound-rtp');
  const paths = entries.filter(
    ({ type, nominated, state }) => type === 'candidate-pair' && nominated === true && state === 'succeeded',
  );
  const streams = heard.map(
    ({ id, packetsReceived: received = 0, packetsLost: lost = 0 }) => [id, { received, lost }] as const,
  );
  const roundTrips = [
    ...paths.map((path) => path.currentRoundTripTime ?? 0),
    ...sent.map((to) => to.roundTripTime ?? 0),
  ];
  return {
    streams: new Map(streams),
    jitterMs: 1000 * Math.max(0, ...heard.map(({ jitter = 0 }) => jitter)),
    roundTripMs: 1000 * Math.max(0, ...roundTrips),
    sentLoss: sent.length === 0 ? undefined : Math.max(...sent.map(({ fractionLost = 0 }) => fractionLost)),
  };
};

/** Packets lost between two samples, in percent: of what was heard or of what was sent, whichever is worse. */
export const lossBetween = (before: Sample | undefined, now: Sample): number => {
  let received = 0;
  let lost = 0;
  for (const [id, stream] of now.streams) {
    const earlier = before?.streams.get(id) ?? { received: 0, lost: 0 };
    received += Math.max(0, stream.received - earlier.received);
    // A packet that was counted as lost and came late after all is taken off again, so this may be negative.
    lost += Math.max(0, stream.lost - earlier.lost);
  }
  const heard = received + lost === 0 ? 0 : (100 * lost) / (received + lost);
  return Math.max(heard, 100 * (now.sentLoss ?? 0));
};

type Limits = { readonly lossPercent: number; readonly jitterMs: number; readonly roundTripMs: number };
/** Opus with error correction hides a few lost packets in a hundred, and people talk over each other from 400 ms on. */
const fair: Limits = { lossPercent: 3, jitterMs: 40, roundTripMs: 250 };
/** Words are lost; twice what OP-3 raises an alert for. */
const poor: Limits = { lossPercent: 10, jitterMs: 100, roundTripMs: 500 };

const exceeds = (values: Limits, limits: Limits): boolean =>
  values.lossPercent > limits.lossPercent ||
  values.jitterMs > limits.jitterMs ||
  values.roundTripMs > limits.roundTripMs;

/** The grade of these figures. `broken`: a path is down at this moment. */
export const gradeOf = (figures: Limits, broken: boolean): Quality['grade'] => {
  if (broken) return 'lost';
  if (exceeds(figures, poor)) return 'poor';
  return exceeds(figures, fair) ? 'fair' : 'good';
};

export const noQuality: Quality = { grade: 'good', lossPercent: 0, jitterMs: 0, roundTripMs: 0 };

export type QualityMonitorOptions = {
  readonly reports: () => Promise<readonly RTCStatsReport[]>;
  /** Whether a path is down. */
  readonly broken: () => boolean;
  readonly changed: (quality: Quality) => void;
  /** Between two looks, in milliseconds; 5 s by default. */
  readonly everyMs?: number;
};

/** Looks at the statistics now and then, and tells the quality. */
export class QualityMonitor {
  readonly #options: QualityMonitorOptions;
  readonly #timers = new Timers();
  #before: Sample | undefined;
  #quality = noQuality;

  constructor(options: QualityMonitorOptions) {
    this.#options = options;
    this.#next();
  }

  get quality(): Quality {
    return this.#quality;
  }

  /** A path broke or came back: the grade follows at once, the figures with the next look. */
  pathChanged(): void {
    const { lossPercent, jitterMs, roundTripMs } = this.#quality;
    this.#become({ lossPercent, jitterMs, roundTripMs });
  }

  close(): void {
    this.#timers.close();
  }

  #next(): void {
    this.#timers.after(this.#options.everyMs ?? qualityMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    try {
      const sample = sampleOf(await this.#options.reports());
      const lossPercent = Math.round(lossBetween(this.#before, sample) * 10) / 10;
      this.#before = sample;
      this.#become({ lossPercent, jitterMs: Math.round(sample.jitterMs), roundTripMs: Math.round(sample.roundTripMs) });
    } catch {
      // The peer connection was closed meanwhile; the next look sees another.
    }
    this.#next();
  }

  #become(figures: Limits): void {
    const before = this.#quality;
    const next: Quality = { grade: gradeOf(figures, this.#options.broken()), ...figures };
    this.#quality = next;
    const same =
      next.grade === before.grade &&
      next.lossPercent === before.lossPercent &&
      next.jitterMs === before.jitterMs &&
      next.roundTripMs === before.roundTripMs;
    if (!same) this.#options.changed(next);
  }
}
