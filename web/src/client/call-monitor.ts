import type { CallRoute } from '@rostrum/shared/protocol/call.ts';
import type { CommandInput } from '@rostrum/shared/protocol/index.ts';
import { amplitudeBetween, bitrateBetween, type Counted, countedIn } from './call-figures.ts';
import type { CallQuality } from './call-types.ts';
import { levelOfAmplitude } from './levels.ts';
import { QualityMonitor, sampleOf } from './quality.ts';
import type { Measured } from './video-adaptation.ts';

/** Between two looks at the statistics. */
const lookMs = 2000;
/** Looks of one report to the server: every 10 s (DC-6). */
const looksOfReport = 5;
/** From this loudness on somebody speaks: -50 dBov, as the server has it for rooms (MD-4). */
const speechLevel = levelOfAmplitude(10 ** (-50 / 20));

/** What the server takes of a time in milliseconds: a minute. */
const figureMax = 60_000;

type Report = Omit<CommandInput<'random:quality'>, 'sessionId'>;
type Look = Omit<Report, 'spoke'>;

export type CallMonitorOptions = {
  readonly reports: () => Promise<readonly RTCStatsReport[]>;
  readonly route: () => CallRoute | null;
  readonly broken: () => boolean;
  /** Momentary loudness of one's own microphone from 0 to 1, for browsers whose statistics do not tell. */
  readonly ownLevel: () => number;
  readonly muted: () => boolean;
  readonly changed: () => void;
  /** What was measured of what is sent, for its adaptation. */
  readonly measured: (measured: Measured, elapsedMs: number) => void;
  /** To be told to the server. */
  readonly report: (report: Report) => void;
};

/** Looks at the statistics of a call every 2 s: for what is shown, for the adaptation of video, and for the server. */
export class CallMonitor {
  readonly #options: CallMonitorOptions;
  readonly #monitor: QualityMonitor;
  #counted: Counted | undefined;
  #bitrate = 0;
  #spoke = false;
  #looks: Look[] = [];

  constructor(options: CallMonitorOptions) {
    this.#options = options;
    this.#monitor = new QualityMonitor({
      everyMs: lookMs,
      broken: options.broken,
      changed: options.changed,
      reports: async () => {
        const reports = await options.reports();
        this.#look(reports);
        return reports;
      },
    });
  }

  get quality(): CallQuality {
    return { ...this.#monitor.quality, bitrate: this.#bitrate, route: this.#options.route() };
  }

  /** The path broke, or stands again. */
  pathChanged(): void {
    this.#monitor.pathChanged();
  }

  close(): void {
    this.#monitor.close();
  }

  #look(reports: readonly RTCStatsReport[]): void {
    const { muted, ownLevel, measured, changed, broken } = this.#options;
    const before = this.#counted;
    const counted = countedIn(reports, performance.now());
    this.#counted = counted;
    this.#bitrate = bitrateBetween(before, counted);
    if (before !== undefined && !muted()) {
      const amplitude = amplitudeBetween(before, counted);
      const level = amplitude === undefined ? ownLevel() : levelOfAmplitude(amplitude);
      if (level >= speechLevel) this.#spoke = true;
    }
    if (before !== undefined && !broken()) {
      const { sentLoss = 0, roundTripMs } = sampleOf(reports);
      measured({ lossPercent: 100 * sentLoss, roundTripMs, available: counted.available }, counted.atMs - before.atMs);
    }
    changed();
    this.#note();
  }

  /** Adds the figures that hold now, of the look before, to those of the next report. */
  #note(): void {
    const { lossPercent, jitterMs, roundTripMs } = this.#monitor.quality;
    this.#looks.push({ lossPercent, jitterMs, roundTripMs, bitrate: this.#bitrate });
    if (this.#looks.length < looksOfReport) return;
    const looks = this.#looks;
    const spoke = this.#spoke;
    this.#looks = [];
    this.#spoke = false;
    const mean = (figure: Exclude<keyof Look, 'bitrate'>): number =>
      Math.min(figureMax, looks.reduce((sum, look) => sum + look[figure], 0) / looks.length);
    this.#options.report({
      lossPercent: mean('lossPercent'),
      jitterMs: mean('jitterMs'),
      roundTripMs: mean('roundTripMs'),
      bitrate: Math.round(looks.reduce((sum, { bitrate }) => sum + bitrate, 0) / looks.length),
      spoke,
    });
  }
}
