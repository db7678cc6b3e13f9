import { expect, test } from 'vitest';
import type { RandomPhase } from '../../client/call-types.ts';
import { createEnglish } from '../../i18n/index.ts';
import { announcementsBetween } from './announce.ts';
import { afterCall, inCall, inQueue, exampleWords as words } from './examples.ts';

const { formats } = createEnglish();
const idle: RandomPhase = { phase: 'idle' };
const told = (before: RandomPhase, after: RandomPhase) =>
  announcementsBetween(before, after, { words, formats }).map(({ text, urgency }) => [urgency, text]);

test('WB-5 the search is told once, however the place in line changes', () => {
  expect(told({ phase: 'starting', mode: 'voice' }, inQueue())).toEqual([['polite', 'Looking for somebody.']]);
  expect(told(inQueue(), inQueue({ position: 3 }))).toEqual([]);
});

test('RD-3 why one searches again is told, once', () => {
  const again = inQueue({}, { kind: 'partner-gone' });
  expect(told({ phase: 'starting', mode: 'voice' }, again)).toEqual([['polite', words.search.partnerGone]]);
  expect(told(again, { ...again, queued: { ...again.queued, waiting: 4 } })).toEqual([]);
});

test('RD-1 a match and the connection are told; a text call is connected from the start', () => {
  const matched = inCall({ phase: 'connecting', languages: ['en'] });
  expect(told(inQueue(), matched)).toEqual([['polite', 'You met Ana. Connecting. You both speak English.']]);
  expect(told(matched, inCall())).toEqual([['polite', 'You are connected with Ana.']]);
  expect(told(inQueue(), inCall({ mode: 'text' }))).toEqual([['polite', 'You are connected with Ana.']]);
});

test('RD-5 a loss is told by whose it is, and the return too', () => {
  const [mine, theirs] = [inCall({ phase: 'reconnecting' }), inCall({ phase: 'reconnecting', partnerAway: true })];
  expect(told(inCall(), mine)).toEqual([['polite', 'Connection lost. Reconnecting.']]);
  expect(told(inCall(), theirs)).toEqual([['polite', 'Ana lost the connection.']]);
  expect(told(theirs, inCall())).toEqual([['polite', 'The connection is back.']]);
});

test('RD-7 RD-8 what asks for an answer is told', () => {
  expect(told(inCall(), inCall({ answerUntil: 1 }))).toEqual([['assertive', 'Still there?']]);
  const ends = (endsAt: number, partnerAsked = false) => inCall({ extension: { endsAt, asked: false, partnerAsked } });
  expect(told(ends(1), ends(1, true))).toEqual([['polite', 'Ana would like more time.']]);
  expect(told(ends(1, true), ends(2))).toEqual([['polite', 'You have more time now.']]);
});

test('RD-6 the end of a call is told at once, and why', () => {
  expect(told(inCall(), afterCall())).toEqual([['assertive', 'The call is over. Ana ended the call.']]);
});

test('RQ-5 RQ-8 being taken out of the line is told at once', () => {
  expect(told(inQueue(), { phase: 'out', reason: 'timeout' })).toEqual([['assertive', words.out.timeout.title]]);
  expect(told(inQueue(), { phase: 'out', reason: 'unavailable' })).toEqual([['assertive', words.unavailable.title]]);
});

test('nothing is said where nothing is new', () => {
  expect(told(inCall(), inCall({ muted: true }))).toEqual([]);
  expect(told(afterCall(), idle)).toEqual([]);
});
