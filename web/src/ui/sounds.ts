import type { Sound } from '../state/room/changes.ts';

/** A tone: its pitch in Hz, and when it starts and how long it lasts, in seconds. */
type Tone = readonly [pitch: number, at: number, lasts: number];

/** Soft and short: two rising notes for a join, a knock for a hand, a lit chord when one is live. */
const tones: Record<Sound, readonly Tone[]> = {
  join: [
    [523.25, 0, 0.12],
    [659.25, 0.09, 0.16],
  ],
  hand: [
    [392, 0, 0.09],
    [392, 0.13, 0.12],
  ],
  live: [
    [440, 0, 0.14],
    [554.37, 0.08, 0.16],
    [659.25, 0.16, 0.24],
  ],
};

/** Well under a voice. */
const loudness = 0.05;

/**
 * Makes the sounds without any file. The browser lets a page sound only after a tap; a sound that it would hold back is
 * not played late but not at all.
 */
export const createSounds = (enabled: () => boolean): ((sound: Sound) => void) => {
  let context: AudioContext | undefined;
  return (sound) => {
    if (!enabled() || typeof AudioContext === 'undefined') return;
    if (navigator.userActivation?.hasBeenActive === false) return;
    context ??= new AudioContext();
    const present = context;
    const play = () => {
      for (const tone of tones[sound]) playTone(present, tone);
    };
    if (present.state === 'running') play();
    else present.resume().then(play, () => undefined);
  };
};

const playTone = (context: AudioContext, [pitch, at, lasts]: Tone): void => {
  const start = context.currentTime + at;
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  oscillator.type = 'sine';
  oscillator.frequency.value = pitch;
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(loudness, start + 0.015);
  gain.gain.exponentialRampToValueAtTime(0.0001, start + lasts);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(start);
  oscillator.stop(start + lasts + 0.02);
};
