import {
  countsAsTalk,
  hasTalkedFor,
  type LevelSample,
  nextActivity,
  unheard,
  type VoiceActivity,
} from './voice-activity.ts';

/** Which of a room's open microphones the audience is sent (MD-6). */
export type GateRule = {
  /** How many voices are let through. */
  readonly voices: number;
  /** dBov (RFC 6464) from which a voice wants in. */
  readonly onDbov: number;
  /** How long after it was loud a voice keeps its place from noise; from who talks it keeps it until it draws breath. */
  readonly holdMs: number;
};

type GateVoice = {
  readonly isOpen: boolean;
  /** When a packet of its own let it in. One that was let in as there was a place has none. */
  readonly openedAt: number;
  readonly activity: VoiceActivity;
};

type Voices = ReadonlyMap<string, GateVoice>;

export type Gate = {
  /** The voices that are present, by producer id, in the order in which they came. */
  readonly voices: Voices;
  /** When the last packet of anybody came, by the clock of whoever tells of them. */
  readonly heardAt: number;
  /** The same by the gate's own clock: see `longestStepMs`. */
  readonly now: number;
  /** By that clock: since when it hears the voices. Nobody's silence is longer. */
  readonly since: number;
};

/** The gate of a room in which nobody has a microphone. */
export const emptyGate: Gate = { voices: new Map(), heardAt: Number.NEGATIVE_INFINITY, now: 0, since: 0 };

/** One packet of a voice. */
export type GateSample = LevelSample & { readonly producerId: string };

/**
 * The most that the gate's clock moves from one packet of anybody to the next, in ms. Ten open microphones send more than one in
 * that time even when all are silent; if none comes, something held them all up, such as this process itself, and nobody was silent.
 */
const longestStepMs = 200;
/**
 * With no packet of anybody for so long, in ms, nobody listened, as there was nothing to choose: Opus sends one every 400 ms whatever
 * there is to hear. What was silent before may have talked meanwhile.
 */
const deafMs = 1000;
/** Whoever is let in and talks keeps the place for so long, in ms, whatever the others do: so there is a limit to how often it changes. */
const tenureMs = 800;
/** Somebody who was silent for so long, in ms, has at least come to the end of a phrase: no stop between two words is as long. */
const breathMs = 300;
/** Noise takes a place from somebody who has had it for so long, in ms, so that two who type do not take it from each other. */
const noiseTenureMs = 5000;
/** A voice takes the place of one that talks too when it has talked for so long, in ms, */
const contestMs = 600;
/** and is louder by so many dB: below that it is no use to anybody. */
const contestDb = 6;

/**
 * The gate once these voices and no others are present. Pure. Who comes is let in while there is a place, whoever it is; a place
 * that comes free is given to whoever talked last of those that wait, to the loudest of them where several talked.
 */
export const followVoices = (before: Gate, producerIds: ReadonlySet<string>, rule: GateRule): Gate => {
  const voices = new Map([...before.voices].filter(([producerId]) => producerIds.has(producerId)));
  for (const producerId of producerIds) if (!voices.has(producerId)) voices.set(producerId, newcomer(rule));
  for (let free = rule.voices - openOnes(voices).length; free > 0; free -= 1) {
    const next = nextInTurn(voices, rule);
    if (next === undefined) break;
    voices.set(next[0], { ...next[1], isOpen: true });
  }
  return { ...before, voices };
};

/**
 * The gate after one packet. Pure. A voice that is loud is let in at once, with its first packet, in place of whoever has been silent
 * for longest. Noise has to wait until that one has been silent for `holdMs`, talk only until it draws breath. Where everybody who has a
 * place talks, a voice has to be louder than the quietest of them, clearly and for long enough: so two who are as loud as each other do
 * not take turns syllable by syllable.
 */
export const nextGate = (before: Gate, { producerId, dBov, now: heardAt }: GateSample, rule: GateRule): Gate => {
  const known = before.voices.get(producerId);
  if (known === undefined) return before;
  const elapsedMs = Math.max(0, heardAt - before.heardAt);
  const now = before.now + Math.min(elapsedMs, longestStepMs);
  const since = elapsedMs < deafMs ? before.since : now;
  const voice = { ...known, activity: nextActivity(known.activity, { dBov, now }, rule.onDbov) };
  const voices = new Map(before.voices).set(producerId, voice);
  const gate = { voices, heardAt, now, since };
  if (voice.isOpen || !voice.activity.isLoud) return gate;
  const yields = whoIsSilent(gate, voice.activity, rule) ?? whoIsQuieter(voices, voice.activity);
  if (yields !== undefined) {
    voices.set(yields[0], { ...yields[1], isOpen: false });
    voices.set(producerId, { ...voice, isOpen: true, openedAt: now });
  }
  return gate;
};

type Entry = readonly [producerId: string, voice: GateVoice];

const newcomer = ({ onDbov }: GateRule): GateVoice => ({
  isOpen: false,
  openedAt: Number.NEGATIVE_INFINITY,
  activity: unheard(onDbov),
});

const openOnes = (voices: Voices): Entry[] => [...voices].filter(([, { isOpen }]) => isOpen);

/** The voice that has been silent for longest and long enough to yield to this one. */
const whoIsSilent = (
  { voices, now, since }: Gate,
  activity: VoiceActivity,
  { holdMs }: GateRule,
): Entry | undefined => {
  const isTalk = countsAsTalk(activity);
  const silent = openOnes(voices).filter(([, { openedAt, activity: its }]) => {
    const silentMs = now - Math.max(since, its.activeAt);
    const heldMs = now - openedAt;
    if (!isTalk) return silentMs >= holdMs && heldMs >= noiseTenureMs;
    // What has been noise ever since it was let in has nothing to lose.
    return silentMs >= breathMs && (heldMs >= tenureMs || its.activeAt < openedAt);
  });
  return least(silent, ([, voice]) => voice.activity.activeAt);
};

/** The quietest voice, if this one is so much louder that it takes its place. */
const whoIsQuieter = (voices: Voices, activity: VoiceActivity): Entry | undefined => {
  if (!hasTalkedFor(activity, contestMs)) return undefined;
  const quietest = least(openOnes(voices), ([, voice]) => voice.activity.loudness);
  if (quietest === undefined) return undefined;
  const [, voice] = quietest;
  const isOver = activity.heardAt - voice.openedAt >= tenureMs;
  return isOver && activity.loudness - voice.activity.loudness >= contestDb ? quietest : undefined;
};

const nextInTurn = (voices: Voices, { holdMs }: GateRule): Entry | undefined => {
  const waiting = [...voices].filter(([, { isOpen }]) => !isOpen);
  const latest = Math.max(...waiting.map(([, { activity }]) => activity.activeAt));
  const talking = waiting.filter(([, { activity }]) => latest - activity.activeAt <= holdMs);
  return least(talking, ([, { activity }]) => -activity.loudness) ?? waiting[0];
};

/** The first of those for whom this is least. */
const least = (entries: readonly Entry[], of: (entry: Entry) => number): Entry | undefined => {
  let found = entries[0];
  for (const entry of entries) if (found !== undefined && of(entry) < of(found)) found = entry;
  return found;
};
