import { signal } from '@preact/signals';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLevels } from './levels.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const setUp = (still = false) => {
  const speakers = signal<ReadonlySet<string>>(new Set());
  return { speakers, levels: createLevels({ speakers, levelOf: (userId) => (userId === 'a' ? 1 : 0.5), still }) };
};

test('WB-7 runs only while somebody speaks, and draws only those who do', () => {
  const { speakers, levels } = setUp();
  const [a, b] = [vi.fn(), vi.fn()];
  levels.follow('a', a);
  levels.follow('b', b);
  expect(a).toHaveBeenLastCalledWith(0, false);
  expect(vi.getTimerCount()).toBe(0);
  b.mockClear();
  speakers.value = new Set(['a']);
  expect(a.mock.lastCall?.[0]).toBeGreaterThan(0.5);
  expect(a.mock.lastCall?.[1]).toBe(true);
  speakers.value = new Set();
  expect(a).toHaveBeenLastCalledWith(0, false);
  expect(vi.getTimerCount()).toBe(0);
  expect(b).not.toHaveBeenCalled();
});

test('WB-7 draws 8 times a second at most', () => {
  const { speakers, levels } = setUp();
  const draw = vi.fn();
  speakers.value = new Set(['a']);
  levels.follow('a', draw);
  vi.advanceTimersByTime(1000);
  expect(draw.mock.calls.length).toBeLessThanOrEqual(8);
  expect(draw.mock.calls.length).toBeGreaterThanOrEqual(7);
});

test('a face that comes later shows at once that its person speaks', () => {
  const { speakers, levels } = setUp();
  speakers.value = new Set(['a']);
  const draw = vi.fn();
  levels.follow('a', draw);
  expect(draw.mock.lastCall?.[1]).toBe(true);
});

test('WB-5 does not move for those who asked for rest', () => {
  const { speakers, levels } = setUp(true);
  const draw = vi.fn();
  levels.follow('a', draw);
  speakers.value = new Set(['a']);
  expect(draw.mock.lastCall?.[1]).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test('stops for good', () => {
  const { speakers, levels } = setUp();
  speakers.value = new Set(['a']);
  levels.dispose();
  speakers.value = new Set(['b']);
  expect(vi.getTimerCount()).toBe(0);
});
