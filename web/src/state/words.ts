/**
 * Control characters, line breaks included, and the bidirectional overrides and isolates of Unicode (UAX #9). The server
 * refuses them in what people write (shared: protocol/common.ts); here a person is told while they write.
 */
const unprintable = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u;
const unprintableButLineBreaks = /(?!\n)[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u;

export type TextFault = 'missing' | 'too-long' | 'unprintable';

/** What is wrong with one line of text, if anything. */
export const lineFault = (text: string, max: number, min = 0): TextFault | undefined => {
  const trimmed = text.trim();
  if (trimmed.length < min) return 'missing';
  if (trimmed.length > max) return 'too-long';
  return unprintable.test(trimmed) ? 'unprintable' : undefined;
};

/** What is wrong with a text of several lines, if anything. */
export const paragraphFault = (text: string, max: number): TextFault | undefined => {
  const trimmed = text.trim();
  if (trimmed.length > max) return 'too-long';
  return unprintableButLineBreaks.test(trimmed) ? 'unprintable' : undefined;
};

/** Up to two letters that stand for a name: the first of the first and of the last word, as whole characters. */
export const initialsOf = (name: string): string => {
  const words = name.trim().split(/\s+/u);
  const first = firstCharacter(words[0] ?? '');
  const last = words.length > 1 ? firstCharacter(words.at(-1) ?? '') : '';
  return (first + last).toLocaleUpperCase();
};

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const firstCharacter = (word: string): string => segmenter.segment(word)[Symbol.iterator]().next().value?.segment ?? '';

/** A hue for a person, the same wherever they are seen: FNV-1a of their id, spread over the circle. */
export const hueOf = (userId: string): number => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < userId.length; index += 1) {
    hash ^= userId.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0) % 360;
};
