import type { DrawLevel } from '../room/levels.ts';

type VoiceOptions = {
  /** Momentary loudness, 0 to 1. */
  readonly levelOf: () => number;
  /** The person asked for rest: a light that does not move says that somebody speaks. */
  readonly still: boolean;
};

/** As often as faces are lit in a room: seven drawings a second follow a voice (WB-7). */
const drawMs = 140;
/** From this loudness on somebody speaks; below the other one they have stopped. Breath and fans lie under both. */
const speaksFrom = 0.06;
const speaksUntil = 0.03;
/** How much of the way to a new level one drawing goes. */
const rise = 0.8;
const fall = 0.45;
const stillLevel = 0.3;

/** Draws one voice, until the returned function is called. Silence is drawn once. */
export const followVoice = ({ levelOf, still }: VoiceOptions, draw: DrawLevel): (() => void) => {
  let level = 0;
  let speaking = false;
  const tick = () => {
    const target = Math.min(1, Math.max(0, levelOf()));
    const before = speaking;
    speaking = target >= (speaking ? speaksUntil : speaksFrom);
    level += (target - level) * (target > level ? rise : fall);
    if (speaking && !(still && before)) draw(still ? stillLevel : level, true);
    else if (before && !speaking) draw(0, false);
  };
  draw(0, false);
  const timer = setInterval(tick, drawMs);
  return () => clearInterval(timer);
};
