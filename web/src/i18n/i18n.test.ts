import { describe, expect, test } from 'vitest';
import { chooseCatalogue, createEnglish } from './index.ts';

const english = createEnglish();
const { messages, formats } = english;

/** Every message of a catalogue, with its path. */
const leaves = (value: unknown, path: string): [string, unknown][] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([name, inner]) => leaves(inner, `${path}.${name}`))
    : [[path, value]];

describe('WB-5 languages', () => {
  test('WB-5 the browser’s first language that there is, with its own way to write numbers', () => {
    expect(chooseCatalogue(['de-DE', 'en-GB', 'en'])).toEqual({ tag: 'en', locale: 'en-GB' });
    expect(chooseCatalogue(['xx'])).toEqual({ tag: 'en', locale: 'en' });
    expect(chooseCatalogue([])).toEqual({ tag: 'en', locale: 'en' });
  });

  test('every message is a sentence or writes one', async () => {
    const all = { messages, talk: await english.talk(), safety: await english.safety() };
    // An unknown cause has nothing to be said of it.
    const silent = 'all.talk.search.findings.unknown';
    for (const [path, message] of leaves(all, 'all').filter(([name]) => name !== silent)) {
      expect(['string', 'function'], path).toContain(typeof message);
      if (typeof message === 'string') expect(message.trim(), path).not.toBe('');
    }
  });

  test('counts have their plural', () => {
    expect(messages.room.invitation.seconds(1)).toBe('1 second to answer');
    expect(messages.room.invitation.seconds(24)).toBe('24 seconds to answer');
    expect(messages.home.listening(1204)).toBe('1,204 listening');
  });
});

describe('durations', () => {
  test.each([
    [0, '0 sec'],
    [59_999, '59 sec'],
    [60_000, '1 min'],
    [25 * 60_000, '25 min'],
    [60 * 60_000, '1 hr'],
    [80 * 60_000, '1 hr 20 min'],
  ])('%i ms is %s', (ms, text) => {
    expect(formats.duration(ms)).toBe(text);
  });

  test.each([
    [0, '0:00'],
    [59_999, '0:59'],
    [187_000, '3:07'],
    [3_600_000, '1:00:00'],
    [3_725_000, '1:02:05'],
  ])('%i ms have run for %s', (ms, text) => {
    expect(formats.stopwatch(ms)).toBe(text);
  });

  test('a language has its name, and a tag without one stays a tag', () => {
    expect(formats.language('vi')).toBe('Vietnamese');
    expect(formats.language('not a tag')).toBe('not a tag');
    expect(formats.region('CH')).toBe('Switzerland');
  });
});
