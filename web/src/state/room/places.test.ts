import { describe, expect, test } from 'vitest';
import { type Places, settle } from './places.ts';

/** A small generator with a seed (Lehmer), so that a failure can be repeated. */
const randomFrom = (seed: number) => {
  let state = seed;
  return (below: number) => {
    state = (state * 48_271) % 0x7fffffff;
    return state % below;
  };
};

describe('settle', () => {
  test('keeps everybody in their place when somebody leaves', () => {
    expect(settle(['a', 'b', 'c'], ['a', 'c'])).toEqual(['a', null, 'c']);
  });

  test('gives a newcomer the first free place', () => {
    expect(settle(['a', null, 'c'], ['a', 'c', 'd'])).toEqual(['a', 'd', 'c']);
    expect(settle(['a'], ['a', 'b'])).toEqual(['a', 'b']);
  });

  test('answers the same object when nothing changed', () => {
    const places: Places = ['a', null, 'c'];
    expect(settle(places, ['c', 'a'])).toBe(places);
  });

  test('moves up when more places are free than taken', () => {
    expect(settle(['a', 'b', 'c', 'd', 'e'], ['e'])).toEqual(['e']);
  });

  test.each([1, 7, 42, 1234])('loses nobody, doubles nobody, and moves nobody without need (seed %i)', (seed) => {
    const random = randomFrom(seed);
    let places: Places = [];
    let present: string[] = [];
    for (let step = 0; step < 300; step += 1) {
      if (random(3) === 0) present = present.filter(() => random(4) > 0);
      else present = [...present, `p${step}`];
      const next = settle(places, present);
      const shown = next.filter((userId) => userId !== null);
      expect([...shown].sort()).toEqual([...present].sort());
      expect(next.length - shown.length).toBeLessThanOrEqual(shown.length);
      const stayed = places.every(
        (userId, place) => userId === null || !present.includes(userId) || next[place] === userId,
      );
      const movedUp = next.every((userId) => userId !== null);
      expect(stayed || movedUp).toBe(true);
      places = next;
    }
  });
});
