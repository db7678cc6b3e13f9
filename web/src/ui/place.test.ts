import { expect, test } from 'vitest';
import { placeFor } from './place.ts';

const window = { width: 360, height: 640 };
const control = { top: 100, bottom: 144, left: 300, right: 344, width: 44 };
const menu = { width: 240, height: 200 };

test('opens below, at the end of its control', () => {
  expect(placeFor(control, menu, window, 'end')).toEqual({ left: 104, top: 152 });
});

test('opens above where there is no room below', () => {
  expect(placeFor({ ...control, top: 560, bottom: 604 }, menu, window, 'end').top).toBe(352);
});

test('stays inside the window', () => {
  const { left } = placeFor({ ...control, left: 0, right: 44 }, menu, window, 'end');
  expect(left).toBe(8);
  expect(placeFor(control, menu, window, 'center').left).toBe(112);
  expect(placeFor(control, { width: 240, height: 600 }, window, 'end').top).toBe(32);
});
