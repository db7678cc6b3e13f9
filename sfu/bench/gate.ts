/**
 * What the stage gate (MD-6) makes of a conversation, with real speech through real encoders and Rostrum's media plane, and what a
 * switch costs. See README.md.
 */
import { loadavg } from 'node:os';
import { figuresOf, type GateFigures } from './lib/gate-figures.ts';
import { GateSide, type SwitchCosts } from './lib/gate-side.ts';
import { play, SpeechMicrophone } from './lib/gate-speakers.ts';
import { countSwitches, type SwitchCount } from './lib/gate-turns.ts';
import { mouthToEar } from './lib/mouth-to-ear.ts';
import { chooseOptions } from './lib/options.ts';
import { describe, machine, percent, progress, progressDone, table, withInterval } from './lib/report.ts';
import { speechVoices } from './lib/speech.ts';
import { makeScript } from './lib/speech-script.ts';
import { type Estimate, estimateMedian, estimateQuantile, median, sum } from './lib/statistics.ts';

const options = chooseOptions(
  {
    command: 'deploy/env node sfu/bench/gate.ts',
    says: [
      'Ten people with open microphones hold two conversations side by side: speech by espeak-ng, with noise, a fan and keyboards,',
      "through libwebrtc's own Opus into Rostrum's media plane. Says what of each turn the audience misses, and how often voices",
      "are switched; beside it, from the same packets, a room without a gate, and the same gate told by mediasoup's",
      'AudioLevelObserver. Then what a switch costs with so many who listen. Only 127.0.0.1 sees any of the traffic.',
    ].join('\n'),
  },
  {
    seconds: { standard: 60, min: 10, max: 300, says: 'length of each conversation' },
    rounds: { standard: 3, min: 1, max: 20, says: 'conversations, each another one, for each packet time' },
    packets: { standard: [20, 60], min: 20, max: 60, says: 'milliseconds of sound in a packet, 20 or 60' },
    listeners: { standard: [10, 100, 1000], min: 1, max: 5000, says: 'how many listen, where a switch is measured' },
    turns: { standard: 10, min: 2, max: 100, says: 'turns, of a second, in which requests are counted' },
    switches: { standard: 500, min: 10, max: 10_000, says: 'switches whose CPU time is measured at a time' },
    repeats: { standard: 5, min: 1, max: 50, says: 'times that this is measured' },
    beeps: {
      standard: 40,
      min: 3,
      max: 1000,
      says: 'sounds whose way from mouth to ear is timed, for each packet time',
    },
    seed: { standard: 1, min: 1, max: 1_000_000, says: 'of the conversations: the same ones for the same number' },
  },
);

type Conversations = { readonly packetMs: number; readonly rounds: readonly (readonly GateFigures[])[] };
type Cost = SwitchCount & { readonly costs: readonly SwitchCosts[] };

/** Time for what is on its way to arrive, in milliseconds. */
const settleMs = 500;

/** Does something with a media plane that has so many workers. */
const withSide = async <Value>(workers: number, act: (side: GateSide) => Promise<Value>): Promise<Value> => {
  const side = await GateSide.start(workers);
  try {
    return await act(side);
  } finally {
    await side.close();
  }
};

const converse = async (side: GateSide, packetMs: number, seed: number): Promise<GateFigures[]> => {
  const script = await makeScript(options.seconds, seed);
  await side.begin(packetMs);
  const microphones: SpeechMicrophone[] = [];
  try {
    for (const _ of speechVoices) microphones.push(await SpeechMicrophone.open(side.seat()));
    await side.letIn(1);
    await side.record();
    await play(microphones, script.sounds, script.durationMs);
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    return figuresOf({ script, packetMs, record: await side.recorded() });
  } finally {
    for (const microphone of microphones) microphone.close();
  }
};

const measureConversations = async (side: GateSide): Promise<Conversations[]> => {
  const measured: Conversations[] = [];
  for (const packetMs of options.packets) {
    const rounds: GateFigures[][] = [];
    for (let round = 0; round < options.rounds; round += 1) {
      progress(`packets of ${packetMs} ms, conversation ${round + 1} of ${options.rounds}`);
      rounds.push(await converse(side, packetMs, options.seed + round));
    }
    measured.push({ packetMs, rounds });
  }
  return measured;
};

const measureCosts = async (side: GateSide): Promise<Cost[]> => {
  const measured: Cost[] = [];
  for (const listeners of options.listeners) {
    progress(`what a switch costs with ${listeners} who listen`);
    const counted = await countSwitches(side, listeners, options.turns);
    const costs: SwitchCosts[] = [];
    for (let repeat = 0; repeat < options.repeats; repeat += 1) costs.push(await side.switchCosts(options.switches));
    measured.push({ ...counted, costs });
  }
  return measured;
};

type Delay = { readonly packetMs: number; readonly ms: readonly number[] };

const measureDelays = async (side: GateSide): Promise<Delay[]> => {
  const delays: Delay[] = [];
  for (const packetMs of options.packets) {
    progress(`packets of ${packetMs} ms, from mouth to ear`);
    delays.push({ packetMs, ms: await mouthToEar(side, packetMs, options.beeps) });
  }
  return delays;
};

const where = machine();
// The stage and the audience are on workers of their own.
const conversations = await withSide(2, measureConversations);
const delays = await withSide(1, measureDelays);
// One audience router, so that whoever listens does so there.
const costs = await withSide(1, measureCosts);
progressDone();

const mean = (values: readonly number[]): number => sum(values) / values.length;

const summaries = conversations.map(({ packetMs, rounds }) => ({
  packetMs,
  turns: rounds.flatMap(([first]) => first?.clips ?? []).length,
  gates: (rounds[0] ?? []).map(({ name }, index) => {
    const its = rounds.flatMap((round) => round[index] ?? []);
    const clips = its.map((one) => one.clips);
    return {
      name,
      clippedP50: estimateMedian(clips),
      clippedP95: estimateQuantile(clips, 0.95),
      clippedMax: Math.max(...clips.flat()),
      unheard: sum(its.map((one) => one.unheard)),
      switchesPerMinute: mean(its.map((one) => one.switchesPerMinute)),
      wrongClosingsPerMinute: mean(its.map((one) => one.wrongClosingsPerMinute)),
      lost: mean(its.map((one) => one.lost)),
    };
  }),
}));

const costOf = (cost: Cost, way: keyof SwitchCosts) => ({
  requests: median(cost.costs.map((one) => one[way].requests)),
  notifications: median(cost.costs.map((one) => one[way].notifications)),
  nodeUs: estimateMedian([cost.costs.map((one) => one[way].nodeUs)]),
  workerUs: estimateMedian([cost.costs.map((one) => one[way].workerUs)]),
});

const switching = costs.map((cost) => ({
  listeners: cost.listeners,
  audienceRouters: cost.audienceRouters,
  switches: cost.switches,
  requests: cost.requests,
  gate: costOf(cost, 'gate'),
  mirrored: costOf(cost, 'mirrored'),
}));

const latencies = delays.map(({ packetMs, ms }) => ({
  packetMs,
  sounds: ms.length,
  p50: estimateMedian([ms]),
  p95: estimateQuantile([ms], 0.95),
}));

const result = {
  machine: where,
  loadAfter: Number(loadavg()[0]?.toFixed(2)),
  options,
  conversations: summaries,
  latencies,
  switching,
};

const whole = (estimate: Estimate): string => withInterval(estimate, 0);

const print = (): void => {
  console.log(`${describe(where)}, ${result.loadAfter} after`);
  console.log(
    `${options.rounds} conversations of ${options.seconds} s for each packet time; in parentheses: 95 % intervals`,
  );
  for (const { packetMs, turns, gates } of summaries) {
    console.log(
      `\npackets of ${packetMs} ms, ${turns} turns; milliseconds of a turn that are over before it is heard\n`,
    );
    console.log(
      table(
        ['', 'p50', 'p95', 'max', 'turns unheard', 'switches/min', 'cut off/min', 'voice lost'],
        gates.map((gate) => [
          gate.name,
          whole(gate.clippedP50),
          whole(gate.clippedP95),
          gate.clippedMax.toFixed(0),
          String(gate.unheard),
          gate.switchesPerMinute.toFixed(1),
          gate.wrongClosingsPerMinute.toFixed(1),
          percent(gate.lost, 2),
        ]),
      ),
    );
  }
  console.log('\nmilliseconds from mouth to ear, libwebrtc at both ends\n');
  console.log(
    table(
      ['', 'sounds', 'p50', 'p95'],
      latencies.map(({ packetMs, sounds, p50, p95 }) => [
        `packets of ${packetMs} ms`,
        String(sounds),
        whole(p50),
        whole(p95),
      ]),
    ),
  );
  console.log('\nwhat a switch costs: one voice in, another one out, at one audience router\n');
  console.log(
    table(
      ['', 'requests, by the plane', 'requests', 'notifications', 'µs of Node', 'µs of worker'],
      switching.flatMap((cost) => [
        [`${cost.listeners} listen: the gate`, cost.requests.toFixed(2), ...cells(cost.gate)],
        [`${cost.listeners} listen: a mirrored pause`, '', ...cells(cost.mirrored)],
      ]),
    ),
  );
};

const cells = ({ requests, notifications, nodeUs, workerUs }: ReturnType<typeof costOf>): string[] => [
  requests.toFixed(2),
  notifications.toFixed(1),
  whole(nodeUs),
  whole(workerUs),
];

if (options.json) console.log(JSON.stringify(result, undefined, 2));
else print();
// What was closed leaves no work behind, but timers that would keep this process for a while.
process.exit(0);
