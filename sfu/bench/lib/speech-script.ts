import { levelOf, type SpeechVoice, sampleRate, speak, speechVoices } from './speech.ts';
import { seeded } from './statistics.ts';

/** One thing that somebody says. Milliseconds from the beginning; from the first to the last moment that has a voice in it. */
export type Turn = {
  readonly person: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** A word of one who listens, as "yes". */
  readonly isBackchannel: boolean;
};

/** What ten people say into ten microphones. */
export type Script = {
  readonly turns: readonly Turn[];
  /** What each microphone hears: mono, 16 bits, `sampleRate`. */
  readonly sounds: readonly Int16Array[];
  /** The voice alone in each, without the noise: its level in dBov for every `levelMs`. */
  readonly voiceLevels: readonly Float32Array[];
  readonly durationMs: number;
};

/** How finely levels of a voice are told, in milliseconds. */
export const levelMs = 10;

/** Two conversations go on beside each other: two people talk at a time. */
const conversations = 2;
/** Between two turns: 200 ms on average, often less than nothing (Stivers et al. 2009, doi 10.1073/pnas.0903616106). */
const gapMs = { mean: 200, deviation: 250, least: -400 };
/** How often somebody who listens says a word, in milliseconds. */
const backchannelEveryMs = 6000;
/** Nobody begins before: microphones are quiet when they open. */
const leadMs = 1500;
/** A voice begins and ends where it is within so many dB of how loud it is on the whole. */
const audibleDb = 25;

/** What is around a microphone: levels in dBov of steady noise, and of keys that are struck. */
type Surroundings = { readonly voice: number; readonly noise: number; readonly keys?: number };

/** From a quiet room with a good microphone to a fan, and somebody who types. */
const surroundings: readonly Surroundings[] = [
  { voice: -22, noise: -75 },
  { voice: -26, noise: -70 },
  { voice: -20, noise: -65 },
  { voice: -28, noise: -72 },
  { voice: -24, noise: -48 },
  { voice: -30, noise: -68 },
  { voice: -23, noise: -74, keys: -34 },
  { voice: -27, noise: -60 },
  { voice: -21, noise: -44 },
  { voice: -25, noise: -71, keys: -40 },
];

const sentences: readonly string[] = [
  'I think we should start with what happened last week, because that explains most of it.',
  'Right, but that is not what the numbers say.',
  'Could you tell us a little more about that?',
  'When I first saw it, I did not believe it. Then I tried it myself, and it worked at once.',
  'No, not at all.',
  'The thing is, most people never notice. They open the page, they listen for a minute, and they leave again.',
  'Perhaps we can ask somebody in the audience, there are a few hands up already.',
  'Exactly, and that is why we changed it in the end.',
  'How long did it take you?',
  'About three months, with two people, and a lot of coffee.',
  'I would like to come back to the question from before. Is it really worth the trouble?',
  'Well, it depends.',
  'Let me give you an example. My sister lives by the sea, and she has a very slow connection there.',
  'That is a good point, thank you.',
  'We tried three other ways before. None of them was fast enough, and one of them lost our data.',
  'Please go on.',
  'As far as I know nobody has measured it properly, so I would be careful with big words here.',
  'Did anybody else see the same?',
  'Yes, twice this morning. Both times it came back by itself after a few seconds.',
  'So what do we do now?',
];

const backchannels: readonly string[] = ['Yes.', 'Okay.', 'Sure.', 'Really?', 'No way.', 'I see.'];

type Saying = {
  readonly person: number;
  readonly text: string;
  readonly samples: Int16Array;
  readonly isBackchannel: boolean;
};

/** Makes a conversation of ten people, the same one for the same seed. It speaks it all with espeak-ng, which takes a while. */
export const makeScript = async (seconds: number, seed: number): Promise<Script> => {
  const random = seeded(seed);
  const placed = await placeSayings(1000 * seconds, random);
  const length = seconds * sampleRate;
  const voices = speechVoices.map(() => new Int16Array(length));
  const turns: Turn[] = [];
  for (const { saying, atMs } of placed) {
    const at = Math.round((atMs * sampleRate) / 1000);
    const voice = voices[saying.person];
    if (voice === undefined || at + saying.samples.length > length) continue;
    voice.set(saying.samples, at);
    const [fromMs, toMs] = audibleOf(saying.samples);
    const { person, isBackchannel } = saying;
    turns.push({ person, fromMs: atMs + fromMs, toMs: atMs + toMs, isBackchannel });
  }
  return {
    turns: turns.sort((a, b) => a.fromMs - b.fromMs),
    sounds: voices.map((voice, person) => withNoise(voice, surroundings[person], random)),
    voiceLevels: voices.map(levelsOf),
    durationMs: 1000 * seconds,
  };
};

type Placed = { readonly saying: Saying; readonly atMs: number };

/** Who says what when: nobody says two things at once. */
const placeSayings = async (durationMs: number, random: () => number): Promise<Placed[]> => {
  const placed: Placed[] = [];
  const busyUntil = speechVoices.map(() => 0);
  const someone = (atMs: number, except: number | undefined): number | undefined => {
    const free = busyUntil.flatMap((until, person) => (until < atMs && person !== except ? [person] : []));
    return free[Math.floor(random() * free.length)];
  };
  const say = async (person: number, atMs: number, isBackchannel: boolean): Promise<number> => {
    const texts = isBackchannel ? backchannels : sentences;
    const saying = await sayingOf(person, texts[Math.floor(random() * texts.length)] ?? '', isBackchannel);
    placed.push({ saying, atMs });
    const endMs = atMs + (1000 * saying.samples.length) / sampleRate;
    busyUntil[person] = endMs;
    return endMs;
  };
  type Floor = { next: number; last: number | undefined; isBackchannel: boolean };
  const floors: Floor[] = Array.from({ length: conversations }, (_, index) => ({
    next: leadMs + index * 900,
    last: undefined,
    isBackchannel: false,
  }));
  floors.push({ next: leadMs + backchannelEveryMs / 2, last: undefined, isBackchannel: true });
  for (;;) {
    const floor = floors.reduce((a, b) => (b.next < a.next ? b : a));
    if (floor.next >= durationMs) return placed;
    const person = someone(floor.next, floor.last);
    const endMs = person === undefined ? floor.next : await say(person, floor.next, floor.isBackchannel);
    floor.last = person;
    floor.next = floor.isBackchannel
      ? floor.next + backchannelEveryMs * (0.5 + random())
      : Math.max(endMs + Math.max(gapMs.least, gapMs.mean + gapMs.deviation * normal(random)), floor.next + levelMs);
  }
};

/** A normally distributed number (Box and Muller 1958). */
const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

const spoken = new Map<string, Promise<Int16Array>>();

const sayingOf = async (person: number, text: string, isBackchannel: boolean): Promise<Saying> => {
  const voice: SpeechVoice | undefined = speechVoices[person];
  const around = surroundings[person];
  if (voice === undefined || around === undefined) throw new Error('there are ten people');
  const key = `${person} ${text}`;
  const raw = spoken.get(key) ?? speak(text, voice);
  spoken.set(key, raw);
  return { person, text, isBackchannel, samples: atLevel(await raw, around.voice) };
};

/** Makes a voice so loud, on average over what of it is not a pause. */
const atLevel = (samples: Int16Array, level: number): Int16Array => {
  const voiced = [...levelsOf(samples)].filter((one) => one > -50);
  const mean = 10 * Math.log10(voiced.reduce((total, one) => total + 10 ** (one / 10), 0) / Math.max(1, voiced.length));
  const factor = 10 ** ((level - mean) / 20);
  return samples.map((sample) => Math.max(-0x8000, Math.min(0x7fff, Math.round(sample * factor))));
};

const frame = (sampleRate * levelMs) / 1000;

const levelsOf = (samples: Int16Array): Float32Array =>
  Float32Array.from({ length: Math.ceil(samples.length / frame) }, (_, index) =>
    levelOf(samples, index * frame, Math.min(samples.length, (index + 1) * frame)),
  );

/** The first and the last moment at which this can be heard, in milliseconds. */
const audibleOf = (samples: Int16Array): [number, number] => {
  const levels = [...levelsOf(samples)];
  const threshold = levelOf(samples) - audibleDb;
  const first = levels.findIndex((level) => level >= threshold);
  const last = levels.findLastIndex((level) => level >= threshold);
  return [first * levelMs, (last + 1) * levelMs];
};

/** What the microphone hears besides: noise that has more below than above, and keys that are struck now and then. */
const withNoise = (voice: Int16Array, around: Surroundings | undefined, random: () => number): Int16Array => {
  if (around === undefined) throw new Error('there are ten people');
  const noise = new Float32Array(voice.length);
  let low = 0;
  let power = 0;
  for (let index = 0; index < noise.length; index += 1) {
    low = 0.97 * low + (random() - 0.5);
    noise[index] = low;
    power += low ** 2;
  }
  const factor = (10 ** (around.noise / 20) * 0x7fff) / Math.sqrt(power / noise.length);
  const sound = voice.map((sample, index) => Math.round(sample + factor * (noise[index] ?? 0)));
  if (around.keys !== undefined) strikeKeys(sound, around.keys, random);
  return sound;
};

/** Bursts of typing, of some seconds with some between: each key is a click that dies away in about 15 ms. */
const strikeKeys = (sound: Int16Array, level: number, random: () => number): void => {
  const amplitude = 10 ** (level / 20) * 0x7fff * 4;
  const at = (ms: number) => Math.round((ms * sampleRate) / 1000);
  for (let ms = 2000; at(ms) < sound.length; ms += 4000 * random()) {
    const untilMs = ms + 1000 + 5000 * random();
    for (; ms < untilMs; ms += 120 + 120 * random()) {
      for (let index = 0; index < at(40); index += 1) {
        const position = at(ms) + index;
        if (position >= sound.length) return;
        const click = amplitude * Math.exp(-index / at(8)) * (2 * random() - 1);
        sound[position] = Math.max(-0x8000, Math.min(0x7fff, Math.round((sound[position] ?? 0) + click)));
      }
    }
  }
};
