import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { followVoice } from './voice.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const setUp = (still: boolean) => {
  let level = 0;
  const drawn: [number, boolean][] = [];
  const stop = followVoice({ levelOf: () => level, still }, (shown, speaking) => drawn.push([shown, speaking]));
  const hear = (next: number, ticks = 1) => {
    level = next;
    vi.advanceTimersByTime(140 * ticks);
  };
  return { drawn, hear, stop };
};

test('a voice is lit while it lasts, and silence is drawn once', () => {
  const { drawn, hear, stop } = setUp(false);
  hear(0, 5);
  expect(drawn).toEqual([[0, false]]);
  hear(0.8);
  expect(drawn.at(-1)?.[1]).toBe(true);
  hear(0.04);
  expect(drawn.at(-1)?.[1]).toBe(true);
  hear(0, 10);
  expect(drawn.at(-1)).toEqual([0, false]);
  expect(drawn.filter(([, speaking]) => !speaking)).toHaveLength(2);
  stop();
  hear(1, 5);
  expect(drawn.at(-1)).toEqual([0, false]);
});

test('WB-5 with reduced motion the light does not move', () => {
  const { drawn, hear } = setUp(true);
  hear(0.5, 5);
  hear(0.9, 5);
  expect(drawn.filter(([, speaking]) => speaking)).toHaveLength(1);
});
