import type { CrowdFigures } from './crowd.ts';
import { TimeHistogram, type TimeSummary } from './histogram.ts';
import { type LoadOptions, type ThresholdName, thresholdNames } from './load-options.ts';
import type { ServerUse } from './server-metrics.ts';
import { type CounterName, mergeTallies, type TallyFigures, type TimeName, timeNames } from './tally.ts';

/** Where the machine of the load becomes the limit: then the figures are not those of the server. */
const generatorLimits = { cpu: 0.85, delayP99: 50, lateP95: 10 } as const;
/** A worker is full at this share of a core (MD-3: past it delivery and joins collapse together). */
const fullWorker = 0.85;
/** Below this share of a core what a worker uses says nothing of what more listeners would cost. */
const leastWorker = 0.02;

export type MediaSummary = {
  readonly received: number;
  /** By the gaps in the sequence numbers, as all below. */
  readonly expected: number;
  readonly lost: number;
  readonly lostPercent: number | null;
  readonly listenersWithLoss: number;
  readonly worstListenerPercent: number | null;
};

/** What one kind of people did and received. */
export type GroupResult = {
  readonly counters: Readonly<Record<CounterName, number>>;
  /** People in the room to whom nothing came. */
  readonly silent: number;
  /** What was measured; a name is absent where nothing was. */
  readonly times: Readonly<Partial<Record<TimeName, TimeSummary>>>;
  readonly media: MediaSummary;
};

export type GeneratorResult = {
  readonly name: string;
  readonly cpu: number;
  readonly rssMb: number;
  readonly delayP99: number;
  readonly delayMax: number;
  /** Of the microphones in it; null where there are none. */
  readonly lateP95: number | null;
  readonly droppedDatagrams: number;
  readonly heldBack: number;
};

export type Verdict = {
  readonly name: ThresholdName;
  readonly most: number;
  readonly value: number | null;
  readonly kept: boolean;
};

/** Everything that `--json` prints. */
export type LoadResult = {
  readonly server: string;
  readonly options: LoadOptions;
  readonly interrupted: boolean;
  /** How long everybody was in, in seconds. */
  readonly steadySeconds: number;
  readonly listeners: GroupResult;
  readonly probes: GroupResult;
  readonly stage: GroupResult;
  readonly calls: GroupResult;
  readonly microphones: { readonly packetsSent: number; readonly packetMs: Readonly<Record<string, number>> };
  /** How often what was refused or failed, all kinds of people together. */
  readonly failures: Readonly<Record<string, number>>;
  readonly foreign: string | null;
  readonly use: ServerUse | null;
  /** Listeners that a core of workers carries at that rate; null where it is not known. */
  readonly listenersPerCore: number | null;
  readonly generator: readonly GeneratorResult[];
  readonly machine: { readonly cores: number; readonly loadAverage: number };
  /** Why the figures are not those of the server; empty when they are. */
  readonly generatorWasLimit: readonly string[];
  readonly thresholds: readonly Verdict[];
  readonly problems: readonly string[];
  readonly exitCode: number;
};

export type Measured = {
  readonly options: LoadOptions;
  readonly interrupted: boolean;
  readonly steadySeconds: number;
  readonly processes: readonly { readonly name: string; readonly figures: CrowdFigures }[];
  readonly use: ServerUse | null;
  /** Of the load: its cores, and how many processes wanted one of late. */
  readonly machine: LoadResult['machine'];
  /** What else went wrong, in words. */
  readonly problems: readonly string[];
};

/** What a load says, of what its processes measured. Pure. */
export const resultOf = ({
  options,
  interrupted,
  steadySeconds,
  processes,
  use,
  machine,
  problems,
}: Measured): LoadResult => {
  const merged = (of: (figures: CrowdFigures) => TallyFigures): TallyFigures =>
    mergeTallies(processes.map(({ figures }) => of(figures)));
  const tallies = {
    listeners: merged(({ audience }) => audience),
    probes: merged(({ probes }) => probes),
    stage: merged(({ stage }) => stage),
    calls: merged(({ calls }) => calls),
  };
  const all = mergeTallies(Object.values(tallies));
  const generator = processes.map(generatorOf);
  const generatorWasLimit = generator.flatMap(limitsOf);
  const groups = {
    listeners: groupOf(tallies.listeners),
    probes: groupOf(tallies.probes),
    stage: groupOf(tallies.stage),
    calls: groupOf(tallies.calls),
  };
  const thresholds = judge(options.thresholds, tallies);
  return {
    server: options.server,
    options,
    interrupted,
    steadySeconds,
    ...groups,
    microphones: microphonesOf(processes.map(({ figures }) => figures)),
    failures: all.failures,
    foreign: all.foreign,
    use,
    listenersPerCore: listenersPerCore(groups.listeners.counters.heard, use),
    generator,
    machine,
    generatorWasLimit,
    thresholds,
    problems,
    exitCode: exitCodeOf({ interrupted, tallies, thresholds, wasLimit: generatorWasLimit.length > 0 }),
  };
};

type Tallies = Readonly<Record<'listeners' | 'probes' | 'stage' | 'calls', TallyFigures>>;

const groupOf = (tally: TallyFigures): GroupResult => ({
  counters: tally.counters,
  silent: tally.silent,
  times: Object.fromEntries(
    timeNames
      .map((name) => [name, TimeHistogram.of([tally.times[name]])] as const)
      .filter(([, { total }]) => total > 0)
      .map(([name, histogram]) => [name, histogram.summary()]),
  ),
  media: mediaOf(tally),
});

const mediaOf = ({ media, lossShares }: TallyFigures): MediaSummary => ({
  ...media,
  lostPercent: media.expected === 0 ? null : percentOf(media.lost / media.expected),
  listenersWithLoss: lossShares.filter((share) => share > 0).length,
  worstListenerPercent: lossShares.length === 0 ? null : percentOf(lossShares.reduce((a, b) => Math.max(a, b), 0)),
});

const percentOf = (share: number): number => Number((100 * share).toFixed(4));

const microphonesOf = (all: readonly CrowdFigures[]): LoadResult['microphones'] => {
  const packetMs: Record<string, number> = {};
  for (const figures of all)
    for (const [ms, count] of Object.entries(figures.packetMs)) packetMs[ms] = (packetMs[ms] ?? 0) + count;
  return { packetsSent: all.reduce((total, { packetsSent }) => total + packetsSent, 0), packetMs };
};

const generatorOf = ({ name, figures: { generator, heldBack } }: Measured['processes'][number]): GeneratorResult => ({
  name,
  cpu: Number(generator.cpu.toFixed(3)),
  rssMb: generator.rssMb,
  delayP99: Number(generator.delayP99.toFixed(1)),
  delayMax: Number(generator.delayMax.toFixed(1)),
  lateP95: TimeHistogram.of([generator.late]).summary().p95,
  droppedDatagrams: generator.droppedDatagrams,
  heldBack,
});

const limitsOf = ({ name, cpu, delayP99, lateP95, droppedDatagrams, heldBack }: GeneratorResult): string[] => {
  const found: (readonly [boolean, string])[] = [
    [cpu > generatorLimits.cpu, `used ${Math.round(100 * cpu)} % of its core`],
    [delayP99 > generatorLimits.delayP99, `was up to ${Math.round(delayP99)} ms late (p99 of its event loop)`],
    [(lateP95 ?? 0) > generatorLimits.lateP95, `sent voices ${Math.round(lateP95 ?? 0)} ms late (p95)`],
    [droppedDatagrams > 0, `had no room for ${droppedDatagrams} datagrams that the server sent`],
    [heldBack > 0, `held ${heldBack} people back, since too many were on the way`],
  ];
  return found.flatMap(([isSo, what]) => (isSo ? [`${name} ${what}`] : []));
};

/** Listeners over what the workers used for them, filled to where a worker is full. */
const listenersPerCore = (listeners: number, use: ServerUse | null): number | null => {
  const cores = use?.workers.reduce((total, { cpuMean }) => total + cpuMean, 0) ?? 0;
  return cores < leastWorker || listeners === 0 ? null : Math.floor((listeners / cores) * fullWorker);
};

const judge = (limits: LoadOptions['thresholds'], { listeners, probes }: Tallies): Verdict[] => {
  const both = mergeTallies([listeners, probes]);
  const p95 = (name: TimeName): number | null => TimeHistogram.of([both.times[name]]).quantile(0.95) ?? null;
  const { asked, refused } = both.counters;
  const values: Record<ThresholdName, number | null> = {
    'max-loss': mediaOf(both).lostPercent,
    'max-failures': asked === 0 ? null : percentOf((refused + both.silent) / asked),
    'max-join-p95': p95('join'),
    'max-first-audio-p95': p95('firstAudio'),
    'max-latency-p95': p95('latency'),
    'max-jitter-p95': p95('jitter'),
  };
  return thresholdNames.flatMap((name) => {
    const most = limits[name];
    if (most === null) return [];
    const value = values[name];
    // What was not measured was not kept either.
    return [{ name, most, value, kept: value !== null && value <= most }];
  });
};

type Outcome = {
  readonly interrupted: boolean;
  readonly tallies: Tallies;
  readonly thresholds: readonly Verdict[];
  readonly wasLimit: boolean;
};

export const exitCodes = { good: 0, exceeded: 1, wrong: 2, nothing: 3, unclear: 4, interrupted: 130 } as const;

const exitCodeOf = ({ interrupted, tallies, thresholds, wasLimit }: Outcome): number => {
  if (interrupted) return exitCodes.interrupted;
  const { listeners, probes, calls } = tallies;
  if (listeners.counters.heard + probes.counters.heard + calls.counters.connected === 0) return exitCodes.nothing;
  if (thresholds.every(({ kept }) => kept)) return exitCodes.good;
  return wasLimit ? exitCodes.unclear : exitCodes.exceeded;
};
