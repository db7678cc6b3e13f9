import { callEndReasons } from '@rostrum/shared/protocol/call.ts';
import { describe, expect, test } from 'vitest';
import { createEnglish } from '../../i18n/index.ts';
import { afterCall, exampleCall, inQueue, exampleWords as words } from './examples.ts';
import { deviceWords, endingOf, lostWords, noticeWords, searchWords, timeLeft } from './words.ts';

const { formats, messages } = createEnglish();

describe('why a call is over', () => {
  test.each(callEndReasons)('DC-8 %s is told to both sides', (reason) => {
    for (const byYou of [true, false]) {
      const text = endingOf(afterCall({ reason, byYou }), words);
      expect(text).toMatch(/^\S.*\.$/);
      expect(text).not.toContain(reason.includes('-') ? reason : '\0');
    }
  });

  test('RD-6 tells who ended it', () => {
    expect(endingOf(afterCall({ reason: 'hung-up', byYou: true }), words)).toBe('You ended the call.');
    expect(endingOf(afterCall({ reason: 'hung-up' }), words)).toBe('Ana ended the call.');
    expect(endingOf(afterCall({ reason: 'next' }), words)).toBe('Ana went on to somebody else.');
  });

  test('SF-4 a block is not told to whom it is about', () => {
    expect(endingOf(afterCall({ reason: 'blocked' }), words)).toBe('Ana ended the call.');
    expect(endingOf(afterCall({ reason: 'blocked', byYou: true }), words)).toBe('You blocked Ana.');
  });
});

describe('while one searches', () => {
  const options = { words, languages: ['English', 'German'] };
  const say = (more: Parameters<typeof inQueue>[0], now = 0) => searchWords(inQueue(more).queued, now, options);

  test('RQ-1 whoever waits alone is told so', () => {
    expect(say({ waiting: 1 })).toEqual([words.search.alone]);
  });

  test('a place in line is told where it helps: with others, and after a while', () => {
    expect(say({ waiting: 2, position: 2 }, 60_000)).toEqual([]);
    expect(say({ waiting: 4, position: 2 }, 1000)).toEqual([]);
    expect(say({ waiting: 4, position: 2 }, 6000)).toEqual(['You are number 2 of 4 waiting.']);
  });

  test('RQ-2 the time that a language is waited for is shown, and over when it is over', () => {
    const held = { waiting: 2, languageUntil: 5000 };
    expect(say(held, 1500)).toEqual(['Looking for somebody who speaks English and German, for 4 more s.']);
    expect(say(held, 5000)).toEqual([]);
  });

  test('RQ-3 what was relaxed is told', () => {
    expect(say({ waiting: 2, relaxed: ['reputation', 'age'] })).toEqual([
      'Nobody fits so far, so you meet people whatever their reputation and age.',
    ]);
  });

  test('RD-3 a connection that did not come about is told with what it may be and what changes', () => {
    const notice = { kind: 'not-connected', failuresInARow: 1, relayFromNow: false, finding: 'unknown' } as const;
    expect(noticeWords(notice, words)).toEqual([words.search.notConnected]);
    expect(noticeWords({ ...notice, failuresInARow: 3, relayFromNow: true, finding: 'udp-blocked' }, words)).toEqual([
      '3 connections in a row did not come about.',
      words.search.findings['udp-blocked'],
      words.search.relayFromNow,
    ]);
    expect(noticeWords({ kind: 'partner-gone' }, words)).toEqual([words.search.partnerGone]);
  });
});

describe('the time that a call has left', () => {
  const at = (extension: { endsAt: number | null; asked: boolean; partnerAsked: boolean }) =>
    timeLeft(exampleCall({ extension }), 0, { words, formats });

  test('RD-8 nothing is said of a call without an end, or long before it', () => {
    expect(at({ endsAt: null, asked: false, partnerAsked: false })).toBeUndefined();
    expect(at({ endsAt: 60_001, asked: false, partnerAsked: false })).toBeUndefined();
  });

  test('RD-8 at 60 s more time can be asked for, and agreed to', () => {
    expect(at({ endsAt: 60_000, asked: false, partnerAsked: false })).toEqual({
      text: 'The call ends in 1:00.',
      ask: 'ask',
    });
    expect(at({ endsAt: 30_000, asked: true, partnerAsked: false })?.ask).toBe('asked');
    expect(at({ endsAt: 90_000, asked: false, partnerAsked: true })).toEqual({
      text: 'The call ends in 1:30. Ana would like more time.',
      ask: 'agree',
    });
  });
});

test('RD-5 a lost side is told with the seconds that are left', () => {
  const lost = exampleCall({ phase: 'reconnecting', resumeUntil: 10_000 });
  expect(lostWords(lost, 1200, words)).toBe('Connection lost. Reconnecting… 9 s');
  expect(lostWords({ ...lost, partnerAway: true }, 11_000, words)).toBe('Ana lost the connection. Waiting for 0 s');
  expect(lostWords(exampleCall(), 0, words)).toBeUndefined();
});

test('RQ-10 what is wrong with a camera is not said of the microphone', () => {
  const say = (device: 'camera' | 'microphone') =>
    deviceWords({ state: 'failed', device, reason: 'busy' }, words.preview, messages);
  expect(say('camera')).toBe('Your camera is in use by another app. Close it and try again.');
  expect(say('microphone')).toBe(messages.failures.microphone.busy);
});
