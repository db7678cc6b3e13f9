import { describe, expect, it } from 'vitest';
import { ExpiringMap } from '../../src/state/memory/expiring-map.ts';
import { createMemoryCallStore } from '../../src/state/memory/memory-call-store.ts';
import { callStoreContract } from './call-store.contract.ts';
import { start } from './call-store.support.ts';
import { movedClock } from './suite-clock.ts';

callStoreContract(
  'memory',
  async () => {
    const clock = movedClock(start);
    return { store: createMemoryCallStore(clock), clock, close: async () => undefined };
  },
  { runs: 200 },
);

describe('what is remembered for a time, in memory', () => {
  it('RE-5 keeps no more than it may, and drops what was written longest ago', () => {
    const map = new ExpiringMap<number>(3);
    for (const [index, key] of ['one', 'two', 'three'].entries()) map.set(key, index, 100);
    map.set('one', 7, 100);
    map.set('four', 4, 100);
    expect(['one', 'two', 'three', 'four'].map((key) => map.get(key, 0))).toEqual([7, undefined, 2, 4]);
    expect(map.size).toBe(3);
  });

  it('RE-5 finds nothing that expired, and drops it', () => {
    const map = new ExpiringMap<number>(3);
    map.set('one', 1, 100);
    map.set('two', 2, 50);
    map.set('three', 3, 200);
    expect([map.get('one', 60), map.get('two', 60), map.get('three', 60)]).toEqual([1, undefined, 3]);
    map.sweep(60);
    expect(map.size).toBe(3);
    map.sweep(100);
    expect(map.size).toBe(1);
    expect(map.get('three', 199)).toBe(3);
  });
});
