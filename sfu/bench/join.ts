/**
 * How long it takes to come into a room and hear it, when many come at once: through Rostrum and through a bare
 * mediasoup, in turns. See README.md.
 */
import { loadavg } from 'node:os';
import { startBare } from './lib/bare-side.ts';
import { type Burst, type Newcomer, newcomer, runBurst, type Stage, stages } from './lib/join-burst.ts';
import { type ListenerKind, listenerKinds, listenersOf } from './lib/listener.ts';
import { chooseOptions } from './lib/options.ts';
import { describe, machine, percent, progress, progressDone, table } from './lib/report.ts';
import { type Guest, startRostrum } from './lib/rostrum-side.ts';
import type { Side } from './lib/side.ts';
import { Conversation, Speaker } from './lib/speakers.ts';
import { median, quantile, sum } from './lib/statistics.ts';

const options = chooseOptions(
  {
    command: 'deploy/env node sfu/bench/join.ts',
    says: [
      'Lets many people join a room at the same moment, and measures when each is in, is told the voices, and gets the first',
      'audio packet; through Rostrum, and through a bare mediasoup that is asked over a channel between two processes. Only',
      '127.0.0.1 sees any of the traffic.',
    ].join('\n'),
  },
  {
    sizes: { standard: [50, 200], min: 1, max: 500, says: 'how many join at once, one size after the other' },
    rounds: {
      standard: 9,
      min: 1,
      max: 50,
      says: 'bursts of each kind and size, in turns; two more before are not counted',
    },
    speakers: { standard: 2, min: 1, max: 30, says: 'people who speak in the room' },
    clients: {
      standard: 'light',
      of: listenerKinds,
      says: 'listeners: ICE and DTLS alone, or libwebrtc with mediasoup-client',
    },
  },
);

const kinds = ['seated', 'whole', 'bare'] as const;
type Kind = (typeof kinds)[number];
const nameOf: Record<Kind, string> = {
  seated: 'Rostrum, sockets open',
  whole: 'Rostrum, opening sockets',
  bare: 'bare mediasoup',
};

const sayOf: Record<Stage, string> = {
  connected: 'socket ready',
  joined: 'room:join answered',
  listening: 'told the voices',
  heard: 'first audio packet',
};

/** A burst, and how many were in it. */
type Measured = Burst & { readonly kind: Kind; readonly size: number; readonly round: number };

const most = Math.max(...options.sizes);
const where = machine();
const rostrum = await startRostrum({ speakers: options.speakers, listeners: most });
const bare = await startBare();
const sides: readonly Side[] = [rostrum, bare];
const conversations: Conversation[] = [];
for (const side of sides) {
  const speakers: Speaker[] = [];
  for (let index = 0; index < options.speakers; index += 1)
    speakers.push(await Speaker.open(await side.seat('speaker'), 80));
  conversations.push(new Conversation(speakers));
}
const guests: Guest[] = [];
for (let index = 0; index < most; index += 1) guests.push(await rostrum.guest());
// `--clients` takes only these words.
const listenerFor = await listenersOf(options.clients as ListenerKind);

/** The people of a burst, ready to arrive. */
const gather = async (kind: Kind, size: number): Promise<Newcomer[]> => {
  if (kind === 'bare')
    return Promise.all(
      Array.from({ length: size }, async () => ({ seat: await bare.seat('listener'), enter: async () => undefined })),
    );
  const coming = guests.slice(0, size);
  if (kind === 'seated') await Promise.all(coming.map((guest) => guest.connect()));
  return coming.map((guest) => newcomer(guest, rostrum.roomId, kind === 'seated'));
};

const measured: Measured[] = [];
// The rounds before the first warm up what is compiled and allocated once, and are not counted.
for (let round = -2; round < options.rounds; round += 1) {
  for (const size of options.sizes) {
    for (const turn of kinds.keys()) {
      const kind = kinds[(turn + round + 3) % kinds.length] ?? 'bare';
      progress(`round ${round + 1} of ${options.rounds}: ${size} at once, ${nameOf[kind]}`);
      const newcomers = await gather(kind, size);
      const conversation = conversations[kind === 'bare' ? 1 : 0];
      conversation?.start();
      const burst = await runBurst(kind === 'bare' ? bare : rostrum, newcomers, listenerFor);
      conversation?.stop();
      if (round >= 0) measured.push({ ...burst, kind, size, round });
    }
  }
}
progressDone();
for (const conversation of conversations) conversation.close();
await Promise.all(sides.map((side) => side.close()));

/** The median over the rounds, with the smallest and the largest. */
type Spread = { readonly median: number; readonly least: number; readonly most: number };
const spread = (values: readonly number[]): Spread => ({
  median: median(values),
  least: quantile(values, 0),
  most: quantile(values, 1),
});
const shown = ({ median, least, most }: Spread, digits = 0): string =>
  `${median.toFixed(digits)} (${least.toFixed(digits)} – ${most.toFixed(digits)})`;

const timesOf = (burst: Burst, stage: Stage): number[] => burst.arrivals.flatMap((arrival) => arrival[stage] ?? []);

const summaryOf = (kind: Kind, size: number) => {
  const bursts = measured.filter((burst) => burst.kind === kind && burst.size === size);
  const perJoin = (of: (burst: Burst) => number) => spread(bursts.map((burst) => of(burst) / size));
  return {
    kind,
    name: nameOf[kind],
    size,
    failed: sum(bursts.map(({ failed }) => failed)),
    lostDatagrams: bursts.map(({ lostDatagrams }) => lostDatagrams ?? null),
    failures: [...new Set(bursts.flatMap(({ failures }) => failures))],
    stages: stages.flatMap((stage) => {
      const times = bursts.map((burst) => timesOf(burst, stage)).filter((some) => some.length > 0);
      if (times.length === 0) return [];
      return [
        {
          stage,
          p50: spread(times.map((some) => quantile(some, 0.5))),
          p95: spread(times.map((some) => quantile(some, 0.95))),
        },
      ];
    }),
    cpuMsPerJoin: {
      serverNode: perJoin(({ server }) => server.nodeMs),
      worker: perJoin(({ server, forwardingMs }) => server.workerMs - forwardingMs),
      forwarding: perJoin(({ forwardingMs }) => forwardingMs),
      clients: perJoin(({ clientsMs }) => clientsMs),
    },
  };
};

/** Which share of Rostrum's a bare mediasoup takes, round by round. */
const shareOf = (size: number, kind: Kind, of: (burst: Burst) => number): Spread => {
  const values = (wanted: Kind) => measured.filter((burst) => burst.kind === wanted && burst.size === size).map(of);
  const ours = values(kind);
  return spread(values('bare').map((value, round) => value / (ours[round] ?? Number.NaN)));
};

const sharesOf = (size: number) =>
  (['seated', 'whole'] as const).map((kind) => ({
    kind,
    listening: shareOf(size, kind, (burst) => quantile(timesOf(burst, 'listening'), 0.5)),
    heard: shareOf(size, kind, (burst) => quantile(timesOf(burst, 'heard'), 0.5)),
    serverCpu: shareOf(size, kind, ({ server, forwardingMs }) => server.nodeMs + server.workerMs - forwardingMs),
  }));

const result = {
  machine: where,
  loadAfter: Number(loadavg()[0]?.toFixed(2)),
  options,
  bursts: options.sizes.map((size) => ({
    size,
    kinds: kinds.map((kind) => summaryOf(kind, size)),
    bareShareOfRostrum: sharesOf(size),
  })),
};

if (options.json) {
  console.log(JSON.stringify(result, undefined, 2));
} else {
  console.log(`${describe(where)}, ${result.loadAfter} after`);
  console.log(`${options.rounds} rounds; ${options.speakers} speakers; listeners: ${options.clients}`);
  console.log('medians over the rounds; in parentheses the smallest and the largest round');
  for (const { size, kinds: summaries, bareShareOfRostrum } of result.bursts) {
    console.log(`\n${size} at once: milliseconds from the beginning of the burst\n`);
    console.log(
      table(
        ['', 'p50', 'p95'],
        summaries.flatMap((summary) => [
          [summary.name],
          ...summary.stages.map(({ stage, p50, p95 }) => [`  ${sayOf[stage]}`, shown(p50), shown(p95)]),
        ]),
      ),
    );
    console.log('\nmilliseconds of CPU time for each of them, until the last one hears\n');
    console.log(
      table(
        ['', "server's Node", 'worker', 'worker, forwarding', 'clients'],
        summaries.map(({ name, cpuMsPerJoin: cpu }) => [
          name,
          shown(cpu.serverNode, 2),
          shown(cpu.worker, 2),
          shown(cpu.forwarding, 2),
          shown(cpu.clients, 2),
        ]),
      ),
    );
    for (const { kind, listening, heard, serverCpu } of bareShareOfRostrum)
      console.log(
        `\na bare join takes of "${nameOf[kind]}": ${percent(listening.median, 0)} until it is told the voices, ` +
          `${percent(heard.median, 0)} until it hears, ${percent(serverCpu.median, 0)} of the server's CPU time`,
      );
    for (const { name, lostDatagrams } of summaries)
      if (lostDatagrams.some((lost) => lost !== null && lost > 0))
        console.log(`\ndatagrams that found the worker's socket full, by round: ${lostDatagrams.join(' ')} (${name})`);
    for (const { name, failed, failures } of summaries)
      if (failed > 0) console.log(`\n${failed} did not arrive (${name}): ${failures.join('; ')}`);
  }
}
process.exit(0);
