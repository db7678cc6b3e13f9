import { packetTimes } from '@rostrum/shared/room/audio-quality.ts';

/**
 * What the levels of a voice's packets say of it: does it talk, or is it noise? Levels in dBov (RFC 6464: 0 is the loudest,
 * −127 silence), times in milliseconds of any clock.
 */
export type VoiceActivity = {
  /** When its last packet came, and whether that was loud. */
  readonly heardAt: number;
  readonly isLoud: boolean;
  /** The level of what is heard when nobody talks, as a fan. */
  readonly floor: number;
  /** How long it has been loud, with what it was quiet since taken off: see `quietCounts`. */
  readonly loudMs: number;
  /** When it became loud; undefined after it was quiet for long enough. */
  readonly loudSince: number | undefined;
  /** When it was loud for the last time after it had been so for `talkMs`: talk lasts, a cough or a key does not. */
  readonly talkedAt: number;
  /** Until when it has to be loud for `talkMs` to count, as it made short noises. */
  readonly distrustedUntil: number;
  /** When it was last heard with something that counts, as talk or as what may become it. */
  readonly activeAt: number;
  /** How loud it is of late where it is loudest: on its vowels. */
  readonly loudness: number;
};

/** A packet; its level is undefined when it says none. */
export type LevelSample = { readonly dBov: number | undefined; readonly now: number };

/** No packet stands for more time than the longest that there is: what is missing before it was not sent (DTX) or lost. */
const longestPacketMs = packetTimes.large;
/** So many dB above the floor is somebody: steady noise varies by a few. */
const riseDb = 8;
/** How fast the floor follows a level above it, in dB a second: a sentence is over before it has come far. */
const floorRisePerSecond = 2;
/** How fast it follows a level below it, as a time constant in ms: the first pause sets it right. */
const floorFallMs = 200;
/** A key or a cough is loud for less than this, the first word for more, in ms. */
const talkMs = 100;
/** Talk is over after a pause that takes this off, in ms: longer than a stop between two words. */
const mostLoudMs = 400;
/** A millisecond of quiet takes off so many of loudness: talk is loud for most of the time, typing is not. */
const quietCounts = 1.5;
/** How long short noises are held against a voice, in ms: somebody who types goes on typing. */
const distrustMs = 10_000;
/** How fast `loudness` follows a level above it and one below it, as time constants in ms: within a syllable, and not before the next. */
const louderMs = 100;
const softerMs = 1000;

/** A voice that was not heard yet. */
export const unheard = (onDbov: number): VoiceActivity => ({
  heardAt: Number.NEGATIVE_INFINITY,
  isLoud: false,
  floor: lowestFloor(onDbov),
  loudMs: 0,
  loudSince: undefined,
  talkedAt: Number.NEGATIVE_INFINITY,
  distrustedUntil: Number.NEGATIVE_INFINITY,
  activeAt: Number.NEGATIVE_INFINITY,
  loudness: Number.NEGATIVE_INFINITY,
});

/**
 * What is known of a voice after one more packet. Pure. Packets count by the time that they stand for, not by their number.
 * `onDbov` is the level below which nothing is loud.
 *
 * One that says no level counts as loud, at `onDbov`: with DTX a packet means sound. So such a voice is heard when others leave
 * room, and yields to those who are louder.
 */
export const nextActivity = (before: VoiceActivity, sample: LevelSample, onDbov: number): VoiceActivity => {
  const now = Math.max(sample.now, before.heardAt);
  const elapsedMs = now - before.heardAt;
  const soundMs = Math.min(elapsedMs, longestPacketMs);
  const level = sample.dBov ?? onDbov;
  const isLoud = sample.dBov === undefined || level >= Math.max(onDbov, before.floor + riseDb);
  const rested = afterQuiet(before, elapsedMs - soundMs, now);
  const voice = isLoud ? afterLoud(rested, { level, soundMs, now }) : afterQuiet(rested, soundMs, now);
  const floor = sample.dBov === undefined ? before.floor : nextFloor(before.floor, level, soundMs);
  return { ...voice, floor: Math.max(lowestFloor(onDbov), floor), heardAt: now, isLoud };
};

/** Whether its last packet was loud, and is taken for talk, or for its beginning. */
export const countsAsTalk = ({ isLoud, activeAt, heardAt }: VoiceActivity): boolean => isLoud && activeAt === heardAt;

/** Whether it talks, and has done so for so long. */
export const hasTalkedFor = ({ isLoud, loudSince, talkedAt, heardAt }: VoiceActivity, ms: number): boolean =>
  isLoud && loudSince !== undefined && talkedAt === heardAt && heardAt - loudSince >= ms;

/** Below it the floor makes no difference. */
const lowestFloor = (onDbov: number): number => onDbov - riseDb;

const nextFloor = (floor: number, level: number, soundMs: number): number =>
  level > floor
    ? Math.min(level, floor + (floorRisePerSecond * soundMs) / 1000)
    : floor + (level - floor) * shareOf(soundMs, floorFallMs);

/** How far an average has come after so long. */
const shareOf = (ms: number, timeConstantMs: number): number => 1 - Math.exp(-ms / timeConstantMs);

const afterLoud = (
  voice: VoiceActivity,
  { level, soundMs, now }: { readonly level: number; readonly soundMs: number; readonly now: number },
): VoiceActivity => {
  const loudMs = Math.min(mostLoudMs, voice.loudMs + soundMs);
  const talks = loudMs >= talkMs;
  const { loudness, loudSince = now } = voice;
  return {
    ...voice,
    loudMs,
    loudSince,
    talkedAt: talks ? now : voice.talkedAt,
    activeAt: talks || now >= voice.distrustedUntil ? now : voice.activeAt,
    loudness: Number.isFinite(loudness)
      ? loudness + (level - loudness) * shareOf(soundMs, level > loudness ? louderMs : softerMs)
      : level,
  };
};

const afterQuiet = (voice: VoiceActivity, quietMs: number, now: number): VoiceActivity => {
  if (voice.loudSince === undefined || quietMs === 0) return voice;
  const loudMs = voice.loudMs - quietCounts * quietMs;
  if (loudMs > 0) return { ...voice, loudMs };
  const over = { ...voice, loudMs: 0, loudSince: undefined };
  // It was no talk: it keeps nothing by it.
  return voice.talkedAt >= voice.loudSince
    ? over
    : { ...over, activeAt: voice.talkedAt, distrustedUntil: now + distrustMs };
};
