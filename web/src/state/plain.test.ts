import { effect } from '@preact/signals';
import { errorCodes } from '@rostrum/shared/errors.ts';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createEnglish } from '../i18n/index.ts';
import { audioQualities, categories, languageChoices } from './choices.ts';
import { createClock } from './clock.ts';
import { describeFailure, describeRoomFailure } from './failures.ts';
import { createNotices } from './notices.ts';
import { parseRoute, pathOf } from './router.ts';
import { gridWindow } from './window.ts';
import { hueOf, initialsOf } from './words.ts';

const { messages, formats } = createEnglish();
const thrown = (code: string, more = {}) => Object.assign(new Error(code), { code, ...more });

describe('WB-4 failures in words', () => {
  test.each([...errorCodes, 'network', 'timeout'])('WB-4 %s says what happened and what to do', (code) => {
    const { text, remedy } = describeFailure(thrown(code), messages);
    expect(text).toMatch(/[.:?]/);
    expect(text).not.toContain(code.includes('_') ? code : '\0');
    // Either the sentence goes on with what to do, or a control does.
    expect(text.split(/[.:;] /).length > 1 || remedy !== 'none' || code === 'already' || code === 'not_on_stage').toBe(
      true,
    );
  });

  test('WB-4 says how long to wait', () => {
    const { text } = describeFailure(thrown('rate_limited', { retryAfterMs: 11_200 }), messages);
    expect(text).toBe('That was too often. Try again in 12 seconds.');
  });

  test('WB-4 what nobody expected is a fault of the page', () => {
    expect(describeFailure(new TypeError('x is not a function'), messages).remedy).toBe('reload');
    expect(describeFailure('no', messages).code).toBe('unknown');
  });

  test('SE-8 a room that one may not know of is not there', () => {
    expect(describeRoomFailure(thrown('not_found'), messages).text).toBe(messages.failures.roomNotFound);
  });
});

describe('routes', () => {
  const id = 'abcdefghijklmnopqrst_-';

  test.each([
    ['/', { page: 'home' }],
    ['/new', { page: 'new' }],
    [`/rooms/${id}`, { page: 'room', roomId: id }],
    [`/rooms/${id}/`, { page: 'room', roomId: id }],
    [`/claim/${id}`, { page: 'claim', code: id }],
    ['/rooms/short', { page: 'not-found' }],
    [`/rooms/${id}/more`, { page: 'not-found' }],
    ['/nowhere', { page: 'not-found' }],
  ] as const)('%s is %j', (path, route) => {
    expect(parseRoute(path)).toEqual(route);
  });

  test('every page has the address that leads to it', () => {
    for (const path of ['/', '/new', '/talk', `/rooms/${id}`, `/claim/${id}`])
      expect(pathOf(parseRoute(path))).toBe(path);
  });
});

describe('gridWindow', () => {
  const shape = { count: 1000, columns: 4, rowHeight: 100, scrolled: 5000, viewport: 800 };

  test('WB-7 draws what can be seen and a little more', () => {
    const { from, to, before, after } = gridWindow(shape);
    expect(to - from).toBeLessThanOrEqual(4 * (8 + 6));
    expect(from).toBeLessThanOrEqual(4 * 50);
    expect(to).toBeGreaterThanOrEqual(4 * 58);
    expect(before + after + ((to - from) / 4) * 100).toBe(25_000);
  });

  test('draws all of a short list', () => {
    expect(gridWindow({ ...shape, count: 60 })).toEqual({ from: 0, to: 60, before: 0, after: 0 });
  });

  test.each([-9000, 0, 24_900, 99_999])('keeps its height however far it is scrolled (%i)', (scrolled) => {
    const { from, to, before, after } = gridWindow({ ...shape, scrolled });
    expect(before + after + Math.ceil((to - from) / 4) * 100).toBe(25_000);
    expect(from).toBeLessThanOrEqual(to);
  });
});

describe('faces', () => {
  test.each([
    ['Ana', 'A'],
    ['ana maria souza', 'AS'],
    ['  Émile   Zola ', 'ÉZ'],
    ['👩‍🚀 Sally', '👩‍🚀S'],
    ['', ''],
  ])('the initials of %j are %j', (name, initials) => {
    expect(initialsOf(name)).toBe(initials);
  });

  test('a person has one hue, and people have many', () => {
    expect(hueOf('abc')).toBe(hueOf('abc'));
    const hues = Array.from({ length: 100 }, (_, index) => hueOf(`person-${index}`));
    expect(new Set(hues).size).toBeGreaterThan(60);
  });
});

describe('choices', () => {
  test('RM-1 every category and quality is offered once', () => {
    expect(new Set(categories).size).toBe(7);
    expect(audioQualities).toEqual(['low', 'medium', 'high', 'music']);
  });

  test('the languages of the browser come first, each language once', () => {
    const choices = languageChoices(['vi-VN', 'en-GB'], 'eu', formats.language);
    expect(choices.slice(0, 3).map(({ label }) => label)).toEqual(['Basque', 'Vietnamese', 'English']);
    expect(new Set(choices.map(({ value }) => value)).size).toBe(choices.length);
  });
});

describe('notices', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('go by themselves, but not while somebody is on them', () => {
    const notices = createNotices();
    notices.show({ text: 'one', tone: 'neutral' });
    const id = notices.shown.value[0]?.id ?? 0;
    notices.hold(id);
    vi.advanceTimersByTime(60_000);
    expect(notices.shown.value).toHaveLength(1);
    notices.release(id);
    vi.advanceTimersByTime(60_000);
    expect(notices.shown.value).toEqual([]);
    expect(notices.polite.value).toEqual([]);
  });

  test('RE-5 are three at most, the newest, and none twice', () => {
    const notices = createNotices();
    for (const text of ['one', 'two', 'two', 'three', 'four']) notices.show({ text, tone: 'neutral' });
    expect(notices.shown.value.map(({ text }) => text)).toEqual(['two', 'three', 'four']);
  });

  test('WB-5 what went wrong is said at once', () => {
    const notices = createNotices();
    notices.show({ text: 'no', tone: 'bad' });
    expect(notices.assertive.value.map(({ text }) => text)).toEqual(['no']);
    expect(notices.polite.value).toEqual([]);
  });
});

describe('clock', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('ticks while somebody looks, by the time of the server', () => {
    const clock = createClock();
    clock.correct(Date.now() + 5000);
    expect(vi.getTimerCount()).toBe(0);
    const seen: number[] = [];
    const stop = effect(() => void seen.push(clock.everySecond.value));
    vi.advanceTimersByTime(2000);
    stop();
    expect(vi.getTimerCount()).toBe(0);
    expect(seen.at(-1)).toBe(Date.now() + 5000);
  });
});
