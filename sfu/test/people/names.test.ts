import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizedName } from '../../src/people/names.ts';

describe('display names', () => {
  it('ID-1 trims, joins white space, and composes', () => {
    expect(normalizedName('  Ana \u00a0\u2003 María ')).toBe('Ana María');
    expect(normalizedName('Zoe\u0308')).toBe('Zo\u00eb');
    expect(normalizedName('👩\u200d🎤')).toBe('👩\u200d🎤');
    expect(normalizedName('นภา'), 'marks that no letter contains').toBe('นภา');
    expect(normalizedName('x'.repeat(40))).toBe('x'.repeat(40));
    // Forty letters with a mark each are forty characters once they are composed.
    expect(normalizedName('e\u0301'.repeat(40))).toBe('é'.repeat(40));
  });

  it('ID-1 refuses what is empty, too long, invisible, or has control characters', () => {
    const wrong = ['', ' \t ', 'x'.repeat(41), 'a\nb', 'a\u0007b', 'a\u2028b', 'a\u202eb', 'a\u2066b'];
    const invisible = ['\u200b', '\u3164\u115f', '\u2800 \u2800', '\ufeff', '\u00ad', '\ud83d', 'a\udc00'];
    for (const text of [...wrong, ...invisible]) expect(normalizedName(text), JSON.stringify(text)).toBeUndefined();
  });

  it('ID-1 leaves a name that was normalised as it is, 1 to 40 characters long', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 45 }), (text) => {
        const name = normalizedName(text);
        if (name === undefined) return;
        expect(normalizedName(name)).toBe(name);
        expect(name.length).toBeGreaterThan(0);
        expect(name.length).toBeLessThanOrEqual(40);
        expect(name).toBe(name.trim());
        expect(name).not.toMatch(/\p{Cc}|\p{Zs}{2}/u);
      }),
    );
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void normalizedName(text)));
  });
});
