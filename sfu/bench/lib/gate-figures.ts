import type { GateRecord, ReadPacket } from './gate-side.ts';
import { levelOf, sampleRate } from './speech.ts';
import { levelMs, type Script, type Turn } from './speech-script.ts';
import { quantile, sum } from './statistics.ts';

/** What a gate made of a conversation. */
export type GateFigures = {
  readonly name: string;
  /** Of each turn, milliseconds of the voice that were over before anything of it was let through; the whole of it where nothing was. */
  readonly clips: readonly number[];
  readonly clipped: { readonly p50: number; readonly p95: number; readonly max: number };
  /** Turns of which nothing was let through. */
  readonly unheard: number;
  /** Voices that were let in, a minute. */
  readonly switchesPerMinute: number;
  /** How often somebody was taken out in the middle of a turn, a minute: nobody here is ever beyond the loudest four. */
  readonly wrongClosingsPerMinute: number;
  /** Share of the packets with a voice in them that were not let through. */
  readonly lost: number;
};

/** Samples of RTP time in `levelMs`: Opus counts 48,000 a second, whatever is sent (RFC 7587 section 4.1). */
const ticks = (48_000 * levelMs) / 1000;
/** Voice below this is not missed, in dBov. */
const audibleDbov = -50;
/** Packets of a microphone as libwebrtc encodes them begin within so long after the sound begins, in milliseconds. */
const longestStartMs = 2000;

/** When packets of a microphone begin in the script, in milliseconds, by their timestamps. */
type Clock = (timestamp: number) => number;

/**
 * The clock of one microphone. libwebrtc counts from a random number, and from when its encoder was ready; which moment of the script
 * that was is where the levels in the packets are those of the sound.
 */
const clockOf = (packets: readonly ReadPacket[], sound: Int16Array, packetMs: number): Clock => {
  const [first] = packets;
  if (first === undefined) throw new Error('a microphone sent nothing');
  const since = (timestamp: number): number => Math.round((((timestamp - first[0]) | 0) / ticks) * levelMs);
  const samples = (ms: number): number => Math.round((ms * sampleRate) / 1000);
  const known = packets.filter(([, dBov]) => dBov <= 0).slice(0, 1500);
  let best = { startMs: 0, error: Number.POSITIVE_INFINITY };
  for (let startMs = -packetMs; startMs <= longestStartMs; startMs += levelMs) {
    let error = 0;
    for (const [timestamp, dBov] of known) {
      const at = samples(startMs + since(timestamp));
      error += Math.abs(Math.max(-70, dBov) - Math.max(-70, levelOf(sound, Math.max(0, at), at + samples(packetMs))));
    }
    if (error < best.error) best = { startMs, error };
  }
  return (timestamp) => best.startMs + since(timestamp);
};

/** The packets of each microphone, by when they begin in the script, in milliseconds. */
type Heard = readonly ReadonlySet<number>[];

export type Conversation = { readonly script: Script; readonly packetMs: number; readonly record: GateRecord };

/** What came of one conversation: without a gate, through Rostrum's, and through one that goes by the observer. */
export const figuresOf = ({ script, packetMs, record }: Conversation): GateFigures[] => {
  const clocks = record.stage.map(({ packets }, person) =>
    clockOf(packets, script.sounds[person] ?? new Int16Array(), packetMs),
  );
  const whose = new Map(
    record.stage.flatMap(({ packets }, person) => packets.map(([timestamp]) => [timestamp, person])),
  );
  const heardFrom = (packets: readonly ReadPacket[][]): Heard => {
    const heard = clocks.map(() => new Set<number>());
    for (const [timestamp] of packets.flat()) {
      const person = whose.get(timestamp);
      if (person !== undefined) heard[person]?.add(clocks[person]?.(timestamp) ?? Number.NaN);
    }
    return heard;
  };
  const copy = (packets: readonly (readonly ReadPacket[])[]) => packets.map((of) => [...of]);
  const all = heardFrom(copy(record.stage.map(({ packets }) => packets)));
  const judge = (name: string, heard: Heard, switches: number) =>
    judged({ name, heard, all, script, packetMs, switches });
  return [
    judge('no gate', all, 0),
    judge('Rostrum', heardFrom(copy(record.gated)), record.switches / 2),
    judge('by AudioLevelObserver', heardFrom(copy(record.observed.packets)), record.observed.switches),
  ];
};

type Case = {
  readonly name: string;
  readonly heard: Heard;
  readonly all: Heard;
  readonly script: Script;
  readonly packetMs: number;
  readonly switches: number;
};

const judged = ({ name, heard, all, script, packetMs, switches }: Case): GateFigures => {
  const minutes = script.durationMs / 60_000;
  const spoken = script.turns.map((turn) => spokenIn(turn, all, script, packetMs));
  const clips = script.turns.map((turn) => clipOf(turn, heard[turn.person], packetMs));
  const lost = spoken.map((packets, index) => {
    const its = heard[script.turns[index]?.person ?? -1];
    return packets.map((startMs) => !its?.has(startMs));
  });
  return {
    name,
    clips,
    clipped: { p50: quantile(clips, 0.5), p95: quantile(clips, 0.95), max: Math.max(...clips) },
    unheard: lost.filter((packets) => packets.length > 0 && packets.every((isLost) => isLost)).length,
    switchesPerMinute: switches / minutes,
    wrongClosingsPerMinute: sum(lost.map(closingsIn)) / minutes,
    lost:
      sum(lost.map((packets) => packets.filter((isLost) => isLost).length)) / sum(spoken.map(({ length }) => length)),
  };
};

/** When packets of this turn begin that have its voice in them. */
const spokenIn = (turn: Turn, all: Heard, { voiceLevels }: Script, packetMs: number): number[] => {
  const levels = voiceLevels[turn.person] ?? new Float32Array();
  const isAudible = (startMs: number): boolean => {
    const from = Math.floor(Math.max(startMs, turn.fromMs) / levelMs);
    const to = Math.ceil(Math.min(startMs + packetMs, turn.toMs) / levelMs);
    return levels.subarray(from, to).some((level) => level >= audibleDbov);
  };
  return [...(all[turn.person] ?? [])]
    .filter((startMs) => startMs + packetMs > turn.fromMs && startMs < turn.toMs && isAudible(startMs))
    .sort((a, b) => a - b);
};

const clipOf = (turn: Turn, heard: ReadonlySet<number> | undefined, packetMs: number): number => {
  const within = [...(heard ?? [])].filter((startMs) => startMs + packetMs > turn.fromMs && startMs < turn.toMs);
  return within.length === 0 ? turn.toMs - turn.fromMs : Math.max(0, Math.min(...within) - turn.fromMs);
};

/** How often something was let through, and then not. */
const closingsIn = (isLost: readonly boolean[]): number =>
  isLost.filter((lost, index) => lost && index > 0 && isLost[index - 1] === false).length;
