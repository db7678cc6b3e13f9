/**
 * How long listeners hear nothing when a media worker is killed under them; beside it the floor: how long the same clients need for
 * ICE and DTLS alone, at a bare mediasoup that never died. See README.md.
 */
import { loadavg } from 'node:os';
import { keepOn, sayCores, separateCores, workersOn } from './lib/cores.ts';
import { chooseOptions } from './lib/options.ts';
import { type Death, DyingServer } from './lib/recovery-room.ts';
import { RejoinRoom } from './lib/rejoin-room.ts';
import { describe, machine, progress, progressDone, table, withInterval } from './lib/report.ts';
import { type Estimate, estimateMedian, quantile } from './lib/statistics.ts';

/** 95 of 100 listeners hear again after what the clients need by themselves, and so many milliseconds. */
const target = 300;

const options = chooseOptions(
  {
    command: 'deploy/env node sfu/bench/recovery.ts',
    says: [
      'Kills a media worker (kill -9) under a room in which people talk all the time, again and again: the worker of the stage, one that',
      'serves listeners alone, and the only one. Measures for each listener the longest time without a packet. In turns with it',
      'the same clients listen anew, all at once, at a bare mediasoup. Only 127.0.0.1 sees any of the traffic.',
    ].join('\n'),
  },
  {
    listeners: { standard: 100, min: 60, max: 500, says: 'listeners' },
    speakers: { standard: 4, min: 1, max: 10, says: 'people who talk all the time' },
    rounds: { standard: 5, min: 1, max: 50, says: 'deaths of each kind, in turns' },
  },
);

const scenarios = ['bare', 'stage', 'audience', 'only'] as const;
type Scenario = (typeof scenarios)[number];
const nameOf: Record<Scenario, string> = {
  bare: 'bare mediasoup: all listen anew',
  stage: '2 workers: that of the stage dies',
  audience: '2 workers: that of listeners dies',
  only: '1 worker: it dies',
};

const where = machine();
const cores = await separateCores();
if (cores) await keepOn(process.pid, cores.rest);

const startServer = async (workers: number): Promise<DyingServer> => {
  const server = await DyingServer.start(workers, workersOn(cores));
  if (cores) await keepOn(server.pid, cores.rest);
  return server;
};

const two = await startServer(2);
const one = await startServer(1);
const bare = await RejoinRoom.open(options, workersOn(cores));
if (cores) await keepOn(bare.pid, cores.rest);

const measure = async (scenario: Scenario): Promise<Death> => {
  if (scenario === 'bare') return { gapsMs: await bare.rejoin(), lost: { hearing: options.listeners, speaking: 0 } };
  return scenario === 'only' ? one.kill('stage', options) : two.kill(scenario, options);
};

const deaths: Record<Scenario, Death[]> = { bare: [], stage: [], audience: [], only: [] };
for (let round = 0; round < options.rounds; round += 1) {
  for (const turn of scenarios.keys()) {
    const scenario = scenarios[(turn + round) % scenarios.length] ?? 'bare';
    progress(`round ${round + 1} of ${options.rounds}: ${nameOf[scenario]}`);
    deaths[scenario].push(await measure(scenario));
  }
}
progressDone();
const failures = { two: two.failures, one: one.failures };
await Promise.all([two.close(), one.close(), bare.close()]);

/**
 * The gaps of those whom a death concerns: with the microphones everybody's sound is gone, else that of those who were told so. Theirs
 * are the longest.
 */
const concerned = ({ gapsMs, lost }: Death): number[] =>
  lost.speaking > 0 ? [...gapsMs] : [...gapsMs].sort((one, other) => other - one).slice(0, lost.hearing);
const others = ({ gapsMs, lost }: Death): number[] =>
  lost.speaking > 0 ? [] : [...gapsMs].sort((one, other) => other - one).slice(lost.hearing);
const estimate = (scenario: Scenario, of: (death: Death) => number): Estimate =>
  estimateMedian(deaths[scenario].map((death) => [of(death)]));

const summaryOf = (scenario: Scenario) => ({
  scenario,
  name: nameOf[scenario],
  concerned: estimate(scenario, (death) => concerned(death).length),
  /** The longest gap of the others. */
  others: estimate(scenario, (death) => quantile(others(death), 1)),
  lostHearing: estimate(scenario, ({ lost }) => lost.hearing),
  lostSpeaking: estimate(scenario, ({ lost }) => lost.speaking),
  p50: estimate(scenario, (death) => quantile(concerned(death), 0.5)),
  p95: estimate(scenario, (death) => quantile(concerned(death), 0.95)),
  max: estimate(scenario, (death) => Math.max(...concerned(death))),
  /** The p95 of each round for that of the floor in the same round, and how many milliseconds lie in between. */
  timesFloor: estimateMedian(
    deaths[scenario].map((death, round) => [quantile(concerned(death), 0.95) / floorOf(round)]),
  ),
  overFloor: estimateMedian(
    deaths[scenario].map((death, round) => [quantile(concerned(death), 0.95) - floorOf(round)]),
  ),
});

const floorOf = (round: number): number => {
  const death = deaths.bare[round];
  return death === undefined ? Number.NaN : quantile(concerned(death), 0.95);
};

const summaries = scenarios.map(summaryOf);
const result = {
  machine: where,
  loadAfter: Number(loadavg()[0]?.toFixed(2)),
  cores,
  options,
  scenarios: summaries,
  target,
  failures,
  deaths,
};

if (options.json) {
  console.log(JSON.stringify(result, undefined, 2));
} else {
  console.log(`${describe(where)}, ${result.loadAfter} after`);
  console.log(sayCores(cores));
  console.log(`${options.listeners} listeners, ${options.speakers} speakers; ${options.rounds} deaths of each kind`);
  console.log('milliseconds without a packet; in parentheses: 95 % intervals\n');
  console.log(
    table(
      ['', 'concerns', 'p50', 'p95', 'longest', 'over the floor', 'times', 'the others'],
      summaries.map((summary) => [
        summary.name,
        summary.concerned.value.toFixed(0),
        ...[summary.p50, summary.p95, summary.max].map((gap) => withInterval(gap, 0)),
        summary.scenario === 'bare' ? '' : withInterval(summary.overFloor, 0),
        summary.scenario === 'bare' ? '' : withInterval(summary.timesFloor, 2),
        summary.scenario === 'audience' ? withInterval(summary.others, 0) : '',
      ]),
    ),
  );
  console.log('');
  for (const { scenario, name, overFloor } of summaries) {
    if (scenario === 'bare') continue;
    const verdict = overFloor.high <= target ? 'met' : overFloor.low > target && 'missed';
    console.log(`target: p95 at most ${target} ms over the floor: ${verdict || 'not decided by this run'} (${name})`);
  }
  for (const [name, of] of Object.entries(failures))
    if (Object.keys(of).length > 0) console.log(`what had to be tried again (${name}): ${JSON.stringify(of)}`);
}
process.exit(0);
