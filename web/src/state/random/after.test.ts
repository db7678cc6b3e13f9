import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createEnglish } from '../../i18n/index.ts';
import { createAttempt } from '../room/attempt.ts';
import { exampleNotices } from '../room/examples.ts';
import { createVerdict } from './after.ts';
import { refusal } from './examples.ts';

const { messages } = createEnglish();

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const setUp = () => {
  const { notices } = exampleNotices();
  const rate = vi.fn<(sessionId: string, stars: number, comment?: string) => Promise<void>>(async () => undefined);
  const verdict = createVerdict({ attempt: createAttempt(notices, () => messages), rate });
  verdict.begin('first');
  return { verdict, rate, notices };
};

test('RD-9 the stars that one stops at are sent, not those on the way', async () => {
  const { verdict, rate } = setUp();
  verdict.rate(1);
  verdict.rate(3);
  await vi.runAllTimersAsync();
  expect(rate.mock.calls).toEqual([['first', 3]]);
  expect(verdict.kept.value).toBe('stars');
});

test('RD-9 a comment goes with the stars, and what was sent is not sent again', async () => {
  const { verdict, rate } = setUp();
  verdict.rate(5);
  verdict.write('  Lovely ');
  await verdict.send();
  await verdict.send();
  await vi.runAllTimersAsync();
  expect(rate.mock.calls).toEqual([['first', 5, 'Lovely']]);
  expect(verdict.kept.value).toBe('comment');
  verdict.write('Lovely!');
  expect(verdict.kept.value).toBe('stars');
});

test('RD-9 nothing is sent without stars, nor with a comment that is too long', async () => {
  const { verdict, rate } = setUp();
  verdict.write('No stars');
  await verdict.send();
  verdict.rate(2);
  verdict.write('x'.repeat(501));
  await verdict.send();
  expect(verdict.fault.value).toBe('too-long');
  expect(rate).not.toHaveBeenCalled();
  verdict.write('short');
  expect(verdict.fault.value).toBeUndefined();
});

test('RD-9 whoever goes on to the next person at once has rated the last one', async () => {
  const { verdict, rate } = setUp();
  verdict.rate(4);
  verdict.setReported();
  verdict.setBlocked(true);
  verdict.begin('second');
  await vi.runAllTimersAsync();
  expect(rate.mock.calls).toEqual([['first', 4]]);
  expect([verdict.stars.value, verdict.kept.value]).toEqual([0, 'nothing']);
  expect([verdict.reported.value, verdict.blocked.value]).toEqual([false, false]);
});

test('WB-4 a rating that was refused is told, and can be sent again', async () => {
  const { verdict, rate, notices } = setUp();
  rate.mockRejectedValueOnce(refusal('unavailable'));
  verdict.rate(4);
  await vi.advanceTimersByTimeAsync(1000);
  expect(verdict.kept.value).toBe('nothing');
  expect(notices.shown.value[0]?.text).toBe(messages.failures.codes.unavailable);
  await verdict.send();
  expect(verdict.kept.value).toBe('stars');
});
