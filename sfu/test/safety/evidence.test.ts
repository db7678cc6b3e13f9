import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergedEvidence } from '../../src/safety/evidence.ts';

const message = (index: number) => ({ messageId: `m${index}`, text: `${index}`, at: index });
const evidence = (indexes: readonly number[], more: object = {}) =>
  JSON.stringify({ ...more, chat: indexes.map(message) });
const indexesOf = (text: string): number[] => (JSON.parse(text) as { chat: { at: number }[] }).chat.map(({ at }) => at);

describe('the evidence of a report', () => {
  it('SF-1 keeps what was there, also when it is gone from where it came', () => {
    expect(indexesOf(mergedEvidence(evidence([1, 2]), evidence([])))).toEqual([1, 2]);
    expect(indexesOf(mergedEvidence(evidence([1, 2]), evidence([2, 3])))).toEqual([1, 2, 3]);
  });

  it('SF-1 takes what is newer of what is one thing', () => {
    const merged = mergedEvidence(evidence([1], { endedAt: null, mode: 'voice' }), evidence([1], { endedAt: 7 }));
    expect(JSON.parse(merged)).toEqual({ mode: 'voice', endedAt: 7, chat: [message(1)] });
  });

  it('RE-5 keeps the beginning and the end of what is too much', () => {
    const many = Array.from({ length: 900 }, (_, index) => index);
    const later = Array.from({ length: 900 }, (_, index) => 900 + index);
    const kept = indexesOf(mergedEvidence(evidence(many), evidence(later)));
    expect(kept).toEqual([...many.slice(0, 500), ...later.slice(-500)]);
  });

  it('SF-1 loses and doubles nothing below the bound, whatever comes in whatever order', () => {
    const some = fc.uniqueArray(fc.integer({ min: 0, max: 300 }), { maxLength: 60 });
    fc.assert(
      fc.property(some, some, some, (one, two, three) => {
        const all = mergedEvidence(mergedEvidence(evidence(one), evidence(two)), evidence(three));
        expect(indexesOf(all)).toEqual([...new Set([...one, ...two, ...three])].sort((left, right) => left - right));
      }),
    );
  });
});
