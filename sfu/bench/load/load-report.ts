import { table } from '../lib/report.ts';
import type { TimeSummary } from './histogram.ts';
import { hintsFor } from './load-hints.ts';
import type { GroupResult, LoadResult } from './load-result.ts';
import type { TimeName } from './tally.ts';

const timeRows: readonly (readonly [TimeName, string])[] = [
  ['signIn', 'signed in'],
  ['socket', 'socket ready'],
  ['join', 'room:join answered'],
  ['firstAudio', 'first audio, from room:join'],
  ['latency', 'mouth to listener'],
  ['jitter', 'jitter'],
  ['jitterBuffer', 'held in the jitter buffer (probes)'],
  ['relisten', 'moved to another router'],
  ['hearingBack', 'heard again after a worker died'],
  ['speakingBack', 'spoke again after a worker died'],
  ['match', 'random call: matched'],
  ['connect', 'random call: both hear each other'],
];

/** What a person reads. */
export const reportOf = (result: LoadResult): string =>
  [
    headOf(result),
    peopleOf(result),
    timesOf(result),
    mediaOf(result),
    eventsOf(result),
    failuresOf(result),
    generatorOf(result),
    sizeOf(result),
    verdictOf(result),
  ]
    .filter((part) => part !== '')
    .join('\n\n');

const headOf = ({ server, options, steadySeconds, interrupted }: LoadResult): string => {
  const { rooms, listeners, speakers, talking, probes, callers, room } = options;
  const where = room === undefined ? `${rooms} ${rooms === 1 ? 'room' : 'rooms'}` : `room ${room}`;
  const stage = `${speakers} open microphones (${Math.min(talking, speakers)} talk at a time) and ${listeners} listeners each`;
  const rest = [probes > 0 ? `${probes} probes` : '', callers > 0 ? `${callers} random callers` : ''].filter(Boolean);
  const others = rest.length === 0 ? '' : `, with ${rest.join(' and ')}`;
  const cut = interrupted ? ', interrupted' : '';
  return `${server}: ${where} with ${stage}${others}, for ${steadySeconds.toFixed(0)} s${cut}`;
};

const peopleOf = ({ listeners, probes, stage, calls }: LoadResult): string => {
  const groups: (readonly [string, GroupResult])[] = [
    ['listeners', listeners],
    ['probes (real WebRTC)', probes],
    ['on stages', stage],
    ['random callers', calls],
  ];
  const rows = groups
    .filter(([, { counters }]) => counters.asked > 0)
    .map(
      ([
        name,
        {
          counters: { asked, joined, refused, heard },
        },
      ]) => [name, asked, joined, refused, heard].map(String),
    );
  return table(['', 'asked', 'came in', 'refused or failed', 'heard'], rows);
};

const timesOf = ({ listeners, probes, stage, calls }: LoadResult): string => {
  const shown = (ms: number | null): string => (ms === null ? '' : ms.toFixed(ms < 100 ? 1 : 0));
  const rows = timeRows.flatMap(([name, says]) => {
    const summary = [listeners, probes, stage, calls]
      .map(({ times }) => times[name])
      .find((times) => times !== undefined);
    return summary === undefined ? [] : [[says, ...figuresOf(summary).map(shown)]];
  });
  return table(['milliseconds', 'p50', 'p95', 'p99', 'max'], rows);
};

const figuresOf = ({ p50, p95, p99, max }: TimeSummary): (number | null)[] => [p50, p95, p99, max];

const mediaOf = ({ listeners, probes, microphones }: LoadResult): string => {
  const lines = (
    [
      ['listeners', listeners],
      ['probes', probes],
    ] as const
  ).flatMap(([name, { media, silent, counters }]) => {
    if (counters.joined === 0) return [];
    const { expected, received, lost, lostPercent, listenersWithLoss, worstListenerPercent } = media;
    const share =
      lostPercent === null
        ? ''
        : ` (${lostPercent.toFixed(3)} %; the worst lost ${worstListenerPercent?.toFixed(3)} %)`;
    return [
      `${name}: ${expected} packets expected, ${received} received, ${lost} lost${share}`,
      ...(listenersWithLoss + silent > 0 ? [`  ${listenersWithLoss} lost something, to ${silent} nothing came`] : []),
    ];
  });
  const times = Object.entries(microphones.packetMs).map(([ms, count]) => `${count} with ${ms} ms in a packet`);
  if (microphones.packetsSent > 0)
    lines.push(`microphones: ${microphones.packetsSent} packets sent; ${times.join(', ')}`);
  return lines.join('\n');
};

const eventsOf = (result: LoadResult): string => {
  const all = [result.listeners, result.probes, result.stage];
  const count = (name: keyof GroupResult['counters']): number =>
    all.reduce((total, { counters }) => total + counters[name], 0);
  const { calls } = result;
  const rows: (readonly [number, string])[] = [
    [
      count('connectionsLost') + calls.counters.connectionsLost,
      `${count('connectionsLost')} connections lost: ${count('connectionsBack')} came back, ${count('connectionsGone')} did not`,
    ],
    [
      count('hearingLost'),
      `${count('hearingLost')} lost what they heard with a worker, ${count('hearingBack')} hear again`,
    ],
    [
      count('speakingLost'),
      `${count('speakingLost')} microphones were closed, ${count('speakingBack')} are open again`,
    ],
    [count('relistenAsked'), `${count('relistenAsked')} were told to listen anew, ${count('relistened')} have`],
    [count('roomsEnded'), `a room ended under ${count('roomsEnded')} people`],
    [
      calls.counters.matched,
      `random calls: ${calls.counters.matched / 2} matched, ${calls.counters.connected} connected, ` +
        `${calls.counters.notConnected / 2} not; ${calls.counters.unmatched} searches found nobody`,
    ],
    [
      calls.counters.strangers,
      `${calls.counters.strangers} callers met people who are not of this load, and hung up: do not let callers loose among people`,
    ],
  ];
  return rows.flatMap(([counted, says]) => (counted > 0 ? [says] : [])).join('\n');
};

const failuresOf = ({ failures, foreign, problems }: LoadResult): string => {
  const names = Object.entries(failures).sort(([, one], [, other]) => other - one);
  return [
    ...(names.length > 0 ? ['refused and failed:', ...names.map(([name, count]) => `  ${count} × ${name}`)] : []),
    ...hintsFor(names.map(([name]) => name)),
    ...(foreign === null ? [] : [`${foreign}: --media-address allows it.`]),
    ...problems,
  ].join('\n');
};

const percent = (share: number): string => `${Math.round(100 * share)} %`;

const generatorOf = ({ generator, generatorWasLimit, machine }: LoadResult): string =>
  [
    ...generator.map(
      ({ name, cpu, rssMb, delayP99, lateP95 }) =>
        `${name}: ${percent(cpu)} of a core, ${rssMb} MB, event loop ${delayP99} ms late at p99` +
        (lateP95 === null ? '' : `, voices ${lateP95.toFixed(1)} ms at p95`),
    ),
    ...(generatorWasLimit.length > 0
      ? [
          'THE LOAD WAS THE LIMIT, so these are not the figures of the server:',
          ...generatorWasLimit.map((why) => `  ${why}`),
          `  this machine has ${machine.cores} cores, for which ${machine.loadAverage} processes waited: give the load more of its own,`,
          '  with as many --processes, or let several machines make it',
        ]
      : []),
  ].join('\n');

const sizeOf = ({ listeners, use, listenersPerCore }: LoadResult): string => {
  const { heard } = listeners.counters;
  if (use === null || use.workers.length === 0)
    return `size: ${heard} listeners were carried. What that cost is not known: the metrics of the server cannot be read from here (--metrics).`;
  const busiest = use.workers.reduce((one, other) => (other.cpuMean > one.cpuMean ? other : one));
  const node = use.node === null ? '' : `, its Node ${percent(use.node)}`;
  const memory = use.rssMb === null ? '' : ` and ${use.rssMb} MB`;
  const cost = `size: ${heard} listeners were carried; the busiest of ${use.workers.length} workers used ${percent(busiest.cpuMean)} of a core (at most ${percent(busiest.cpuMax)})${node}${memory}.`;
  return listenersPerCore === null
    ? `${cost} That is too little to say what more would cost: load it more.`
    : `${cost} By this a core of workers carries about ${listenersPerCore} listeners like these before it is full.`;
};

const verdictOf = ({ thresholds }: LoadResult): string =>
  thresholds
    .map(({ name, most, value, kept }) => {
      const measured = value === null ? 'not measured' : value.toFixed(2);
      return `--${name} ${most}: ${measured}, ${kept ? 'kept' : 'EXCEEDED'}`;
    })
    .join('\n');
