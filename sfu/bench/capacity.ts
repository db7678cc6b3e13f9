/**
 * How many listeners one core serves with ten open microphones, two of whom talk: everything forwarded, with fewer packets from
 * microphones, with the stage gate; and through a bare mediasoup that forwards all. See README.md.
 */
import { loadavg } from 'node:os';
import { startBare } from './lib/bare-side.ts';
import { type Found, findCapacity } from './lib/capacity-search.ts';
import { keepOn, sayCores, separateCores, workersOn } from './lib/cores.ts';
import { Hall, type Window } from './lib/hall.ts';
import { chooseOptions } from './lib/options.ts';
import { describe, machine, percent, progress, progressDone, table, withInterval } from './lib/report.ts';
import { startRostrum } from './lib/rostrum-side.ts';
import type { HallSide } from './lib/side.ts';
import { type Estimate, estimateMedian, median } from './lib/statistics.ts';

/** Listeners on one core: with everything that saves packets, and with packets of 20 ms. */
const targets = { best: 1000, usual: 600 } as const;
/** Above this share of its core, whoever makes the load may be what limits a figure. */
const loadFull = 0.9;

type Setting = {
  readonly name: string;
  readonly dtx: boolean;
  readonly packetMs: 20 | 60;
  /** Listeners who are let in first; they take about half of a core. */
  readonly first: number;
  /** How Rostrum is set; a bare mediasoup where nothing is. */
  readonly environment?: Readonly<Record<string, string>>;
};

const gateOff = { LIMIT_GATE_VOICES: '30' };
const gateOn = { LIMIT_GATE_VOICES: '4' };
const short = { LIMIT_LARGE_ROOM_PEOPLE: '100000' };
const long = { LIMIT_LARGE_ROOM_PEOPLE: '1' };

const settings = {
  bare: { name: 'bare mediasoup, forwards all', dtx: false, packetMs: 20, first: 80 },
  all: { name: 'forwards all', dtx: false, packetMs: 20, first: 80, environment: { ...gateOff, ...short } },
  dtx: { name: 'with DTX', dtx: true, packetMs: 20, first: 300, environment: { ...gateOff, ...short } },
  gate: { name: 'with the gate, no DTX', dtx: false, packetMs: 20, first: 180, environment: { ...gateOn, ...short } },
  both: { name: 'with DTX and the gate', dtx: true, packetMs: 20, first: 350, environment: { ...gateOn, ...short } },
  long: { name: 'with both and 60 ms', dtx: true, packetMs: 60, first: 800, environment: { ...gateOn, ...long } },
} as const satisfies Record<string, Setting>;
type Name = keyof typeof settings;
const names = Object.keys(settings) as Name[];

const options = chooseOptions(
  {
    command: 'deploy/env node sfu/bench/capacity.ts',
    says: [
      'Finds how many listeners one media worker on a core of its own serves: at least 99.9 % of the packets arrive, and 99 of 100',
      'within --late. Ten microphones are open, and two people talk at a time. Everything else has the other cores. Listeners',
      'are let in step by step until they are not served any more. Only 127.0.0.1 sees any of the traffic.',
    ].join('\n'),
  },
  {
    only: { standard: 'every', of: ['every', ...names], says: 'one setting alone, beside the bare mediasoup' },
    rounds: { standard: 2, min: 1, max: 10, says: 'rounds, each with new processes' },
    seconds: { standard: 4, min: 2, max: 12, says: 'length of a measurement' },
    microphones: { standard: 10, min: 1, max: 30, says: 'open microphones' },
    talking: { standard: 2, min: 1, max: 10, says: 'people who talk at a time' },
    most: { standard: 4000, min: 100, max: 9000, says: 'listeners at most' },
    late: {
      standard: 200,
      min: 5,
      max: 1000,
      says: 'milliseconds after which a packet is late, beside the time that it holds',
    },
    probes: {
      standard: 20,
      min: 1,
      max: 100,
      says: 'one of so many listeners reads what comes; the system counts the others',
    },
  },
);

const chosen = names.filter((name) => options.only === 'every' || name === 'bare' || name === options.only);
const where = machine();
const cores = await separateCores();
if (cores) await keepOn(process.pid, cores.rest);

const start = async ({ name, environment }: Setting): Promise<HallSide> => {
  const side = environment
    ? await startRostrum(
        { speakers: options.microphones, listeners: options.most },
        { name, more: { ...workersOn(cores), ...environment } },
      )
    : await startBare(name, workersOn(cores));
  if (cores) await keepOn(side.pid, cores.rest);
  return side;
};

const measure = async (setting: Setting): Promise<Found> => {
  const { microphones, talking } = options;
  const side = await start(setting);
  try {
    const hall = await Hall.open(side, { microphones, talking, dtx: setting.dtx, probeEvery: options.probes, cores });
    try {
      if (hall.packetMs !== setting.packetMs) throw new Error(`${setting.name}: packets are of ${hall.packetMs} ms`);
      return await findCapacity(hall, {
        first: Math.min(setting.first, options.most),
        most: options.most,
        windowMs: 1000 * options.seconds,
        packetMs: setting.packetMs,
        served: { share: 0.999, lateMs: options.late },
      });
    } finally {
      await hall.close();
    }
  } finally {
    await side.close();
  }
};

const found: { readonly name: Name; readonly round: number; readonly found: Found }[] = [];
for (let round = 0; round < options.rounds; round += 1) {
  for (const turn of chosen.keys()) {
    const name = chosen[(turn + round) % chosen.length] ?? 'bare';
    progress(`round ${round + 1} of ${options.rounds}: ${settings[name].name}`);
    found.push({ name, round, found: await measure(settings[name]) });
  }
}
progressDone();

const roundsOf = (name: Name): Found[] => found.filter((one) => one.name === name).map((one) => one.found);
const estimate = (name: Name, of: (window: Window) => number): Estimate =>
  estimateMedian(roundsOf(name).map(({ windows }) => windows.map(of)));

const minute = 60_000;
const summaryOf = (name: Name) => {
  const rounds = roundsOf(name);
  const last = rounds.flatMap(({ windows }) => windows.at(-1) ?? []);
  return {
    setting: name,
    name: settings[name].name,
    listeners: estimateMedian(rounds.map(({ listeners }) => [listeners])),
    predicted: median(rounds.map(({ predicted }) => predicted)),
    ends: rounds.map(({ end }) => end),
    packetsPerListener: estimate(name, ({ forwarded, listeners, ms }) => (1000 * forwarded) / listeners / ms),
    microsecondsPerPacket: estimate(name, ({ workerMs, forwarded }) => (1000 * workerMs) / forwarded),
    workerSecondsPerListenerMinute: estimate(
      name,
      ({ workerMs, listeners, ms }) => (workerMs / 1000 / listeners) * (minute / ms),
    ),
    nodeSecondsPerListenerMinute: estimate(
      name,
      ({ nodeMs, listeners, ms }) => (nodeMs / 1000 / listeners) * (minute / ms),
    ),
    atMost: {
      sentOn: Math.min(...last.map(({ sentOn }) => sentOn)),
      arrived: Math.min(...last.map(({ arrived }) => arrived)),
      probesArrived: Math.min(...last.map(({ probesArrived }) => probesArrived)),
      latencyP50: median(last.map(({ latency }) => latency.p50)),
      latencyP99: median(last.map(({ latency }) => latency.p99)),
      workerCore: median(last.map(({ workerMs, ms }) => workerMs / ms)),
      restCore: median(last.map(({ nodeMs, loadMs, ms }) => (nodeMs + loadMs) / ms)),
    },
    /** Times the listeners of a bare mediasoup that forwards all, round by round. */
    timesBare: estimateMedian(
      rounds.map(({ listeners }, round) => [listeners / (roundsOf('bare')[round]?.listeners ?? Number.NaN)]),
    ),
  };
};

const summaries = chosen.map(summaryOf);
const result = {
  machine: where,
  loadAfter: Number(loadavg()[0]?.toFixed(2)),
  cores,
  options,
  targets,
  settings: summaries,
  found,
};

if (options.json) {
  console.log(JSON.stringify(result, undefined, 2));
} else {
  console.log(`${describe(where)}, ${result.loadAfter} after`);
  console.log(sayCores(cores));
  console.log(
    `${options.microphones} microphones, ${options.talking} talk; ${options.rounds} rounds, windows of ${options.seconds} s; ` +
      `one of ${options.probes} listeners reads what comes`,
  );
  console.log('in parentheses: 95 % intervals\n');
  console.log(
    table(
      [
        '',
        'listeners a core',
        'times bare',
        'predicted',
        'packets/s each',
        'µs a packet',
        'worker s a listener-minute',
        'Node s',
      ],
      summaries.map((one) => [
        one.name,
        withInterval(one.listeners, 0),
        withInterval(one.timesBare, 2),
        one.predicted.toFixed(0),
        one.packetsPerListener.value.toFixed(1),
        withInterval(one.microsecondsPerPacket, 2),
        withInterval(one.workerSecondsPerListenerMinute, 4),
        one.nodeSecondsPerListenerMinute.value.toFixed(4),
      ]),
    ),
  );
  console.log('\nwith as many as were served\n');
  console.log(
    table(
      ['', 'left the server', 'arrived', 'read', 'from mouth p50', 'p99 ms', 'worker', 'the rest', 'then'],
      summaries.map(({ name, atMost, ends }) => [
        name,
        percent(atMost.sentOn, 3),
        percent(atMost.arrived, 2),
        percent(atMost.probesArrived, 3),
        atMost.latencyP50.toFixed(1),
        atMost.latencyP99.toFixed(1),
        percent(atMost.workerCore),
        percent(atMost.restCore),
        ends.join(' '),
      ]),
    ),
  );
  const best = Math.max(
    ...summaries.filter(({ setting }) => setting !== 'bare').map(({ listeners }) => listeners.value),
  );
  const usual = Math.max(
    ...summaries
      .filter(({ setting }) => setting !== 'bare' && settings[setting].packetMs === 20)
      .map(({ listeners }) => listeners.value),
  );
  console.log(`\ntarget: ${targets.best} in the best setting: ${best >= targets.best ? 'met' : 'missed'}`);
  console.log(`target: ${targets.usual} with packets of 20 ms: ${usual >= targets.usual ? 'met' : 'missed'}`);
  for (const { name, atMost } of summaries)
    if (atMost.restCore > loadFull)
      console.log(`What made the load was nearly full (${name}): it may be what limited the figure.`);
}
process.exit(0);
