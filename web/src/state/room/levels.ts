import { effect, type ReadonlySignal } from '@preact/signals';

/** Draws the loudness of one person: from 0 to 1, and whether they speak at all. */
export type DrawLevel = (level: number, speaking: boolean) => void;

/** Draws the loudness of those who speak, and of nobody else: with a silent room nothing runs (WB-7). */
export type Levels = {
  /** Draws what is now, then whatever comes, until the returned function is called. */
  follow(userId: string, draw: DrawLevel): () => void;
  dispose(): void;
};

type LevelsOptions = {
  readonly speakers: ReadonlySignal<ReadonlySet<string>>;
  readonly levelOf: (userId: string) => number;
  /** The person asked for rest: a light that does not move says who speaks. */
  readonly still: boolean;
};

/**
 * Every drawing costs a phone a frame of style, paint and commit, however little it changes: 10 ms at a 4x slowdown. Seven
 * a second still follow the voice and leave the rest of the budget of WB-7. A change of who speaks is drawn at once.
 */
const drawMs = 140;
/** How much of the way to a new level one drawing goes: a voice lights up at once and fades. */
const rise = 0.8;
const fall = 0.45;
/** The light that stands still. */
const stillLevel = 0.3;

export const createLevels = ({ speakers, levelOf, still }: LevelsOptions): Levels => {
  const followers = new Map<string, Set<DrawLevel>>();
  const shown = new Map<string, number>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const levelNow = (userId: string): number => {
    if (still) return stillLevel;
    const before = shown.get(userId) ?? 0;
    const target = Math.min(1, Math.max(0, levelOf(userId)));
    return before + (target - before) * (target > before ? rise : fall);
  };
  const draw = (userId: string, level: number, speaking: boolean) => {
    for (const listener of followers.get(userId) ?? []) listener(level, speaking);
  };
  const tick = () => {
    clearTimeout(timer);
    for (const userId of speakers.peek()) {
      const level = levelNow(userId);
      shown.set(userId, level);
      draw(userId, level, true);
    }
    if (speakers.peek().size > 0 && !still) timer = setTimeout(tick, drawMs);
  };
  const stop = effect(() => {
    const speaking = speakers.value;
    for (const userId of [...shown.keys()]) {
      if (speaking.has(userId)) continue;
      shown.delete(userId);
      draw(userId, 0, false);
    }
    tick();
  });
  return {
    follow: (userId, listener) => {
      const listeners = followers.get(userId) ?? new Set();
      followers.set(userId, listeners.add(listener));
      listener(shown.get(userId) ?? 0, shown.has(userId));
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) followers.delete(userId);
      };
    },
    dispose: () => {
      stop();
      clearTimeout(timer);
      followers.clear();
    },
  };
};
