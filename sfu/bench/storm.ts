/**
 * How soon people are in a room and hear it when hundreds come within some seconds: through Rostrum and through a bare mediasoup, in
 * turns. See README.md.
 */
import { loadavg } from 'node:os';
import { startBare } from './lib/bare-side.ts';
import { keepOn, sayCores, separateCores, workersOn } from './lib/cores.ts';
import { chooseOptions } from './lib/options.ts';
import { describe, machine, progress, progressDone, table, withInterval } from './lib/report.ts';
import { startRostrumProcess } from './lib/rostrum-process.ts';
import { type Estimate, estimateMedian, quantile } from './lib/statistics.ts';
import { bareStorm, rostrumStorm, type Storm, type StormSide } from './lib/storm-sides.ts';

/** 95 of 100 hear the room within so many milliseconds. */
const target = 1000;

const options = chooseOptions(
  {
    command: 'deploy/env node sfu/bench/storm.ts',
    says: [
      'Lets people arrive at an even pace, whether those before them are in or not: each signs in, opens a socket, joins, connects and',
      'waits for the first packet. Through Rostrum, and through a bare mediasoup that is asked over a channel between two',
      'processes. Only 127.0.0.1 sees any of the traffic.',
    ].join('\n'),
  },
  {
    people: { standard: 500, min: 1, max: 3000, says: 'people who come' },
    seconds: { standard: 10, min: 1, max: 60, says: 'within so many seconds' },
    speakers: { standard: 1, min: 1, max: 10, says: 'people who talk all the time' },
    rounds: { standard: 5, min: 1, max: 30, says: 'storms of each kind, in turns; one more before is not counted' },
    workers: { standard: 1, min: 1, max: 16, says: 'media workers of Rostrum' },
  },
);

const where = machine();
const cores = await separateCores();
if (cores) await keepOn(process.pid, cores.rest);

const server = await startRostrumProcess({ ...workersOn(cores), WORKERS: String(options.workers) });
const bare = await startBare('bare mediasoup', workersOn(cores));
if (cores) for (const { pid } of [server, bare]) await keepOn(pid, cores.rest);

const sides = [await rostrumStorm(server, options), await bareStorm(bare, options)] as const;
type Name = StormSide['name'];
const storms: Record<Name, Storm[]> = { Rostrum: [], 'bare mediasoup': [] };
const pace = { count: options.people, perSecond: options.people / options.seconds, afterMs: 0 };
for (let round = -1; round < options.rounds; round += 1) {
  for (const side of round % 2 === 0 ? sides : [...sides].reverse()) {
    progress(`round ${round + 1} of ${options.rounds}: ${side.name}`);
    const storm = await side.storm(pace);
    if (round >= 0) storms[side.name].push(storm);
  }
}
progressDone();
for (const side of sides) await side.close();
await Promise.all([server.close(), bare.close()]);

const estimate = (name: Name, of: (storm: Storm) => number): Estimate =>
  estimateMedian(storms[name].map((storm) => [of(storm)]));

const summaryOf = (name: Name) => {
  const times = (of: (storm: Storm) => readonly number[]) => ({
    p50: estimate(name, (storm) => quantile(of(storm), 0.5)),
    p95: estimate(name, (storm) => quantile(of(storm), 0.95)),
    max: estimate(name, (storm) => quantile(of(storm), 1)),
  });
  const people = options.people;
  return {
    name,
    answered: times(({ answeredMs }) => answeredMs),
    heard: times(({ heardMs }) => heardMs),
    whole: times(({ wholeMs }) => wholeMs),
    failed: storms[name].reduce((total, { failed }) => total + failed, 0),
    heldBack: storms[name].reduce((total, { heldBack }) => total + heldBack, 0),
    failures: [...new Set(storms[name].flatMap(({ failures }) => failures))],
    nodeMs: estimate(name, ({ used }) => used.nodeMs / people),
    workerMs: estimate(name, ({ used }) => used.workerMs / people),
    restCore: estimate(name, ({ used, loadMs, ms }) => (used.nodeMs + loadMs) / ms),
  };
};

const summaries = (['Rostrum', 'bare mediasoup'] as const).map(summaryOf);
const timesBare = estimateMedian(
  storms.Rostrum.map(({ heardMs }, round) => [
    quantile(heardMs, 0.95) / quantile(storms['bare mediasoup'][round]?.heardMs ?? [], 0.95),
  ]),
);
const result = {
  machine: where,
  loadAfter: Number(loadavg()[0]?.toFixed(2)),
  cores,
  options,
  sides: summaries,
  timesBare,
  target,
  storms,
};

if (options.json) {
  console.log(JSON.stringify(result, undefined, 2));
} else {
  console.log(`${describe(where)}, ${result.loadAfter} after`);
  console.log(sayCores(cores));
  console.log(
    `${options.people} people within ${options.seconds} s; ${options.speakers} speak; ${options.rounds} rounds`,
  );
  console.log('milliseconds; medians over the rounds, in parentheses: 95 % intervals\n');
  console.log(
    table(
      ['', 'p50', 'p95', 'longest'],
      summaries.flatMap(({ name, answered, heard, whole }) => [
        [name],
        ...(
          [
            ['  from the command: answered', answered],
            ['  from the command: first audio packet', heard],
            ['  signing in and opening a socket as well', whole],
          ] as const
        ).map(([says, { p50, p95, max }]) => [says, ...[p50, p95, max].map((time) => withInterval(time, 1))]),
      ]),
    ),
  );
  console.log('\nCPU time for each of them, packets to those inside included\n');
  console.log(
    table(
      ['', "ms of the server's Node", 'ms of the worker', 'core of Node and clients'],
      summaries.map(({ name, nodeMs, workerMs, restCore }) => [
        name,
        withInterval(nodeMs, 2),
        withInterval(workerMs, 2),
        withInterval(restCore, 2),
      ]),
    ),
  );
  console.log(`\nfirst audio, p95: ${withInterval(timesBare, 2)} times that of a bare mediasoup`);
  const rostrum = summaries[0]?.heard.p95;
  if (rostrum)
    console.log(`target: p95 under ${target} ms: ${rostrum.high < target ? 'met' : 'missed, or not decided'}`);
  for (const { name, failed, failures, heldBack } of summaries) {
    if (failed > 0) console.log(`${failed} did not get in (${name}): ${failures.join('; ')}`);
    if (heldBack > 0) console.log(`${heldBack} came late since too many were on the way (${name})`);
  }
}
process.exit(0);
