import { reportTypes as known } from '@rostrum/shared/protocol/call.ts';
import { expect, test, vi } from 'vitest';
import { safety as safetyWords } from '../i18n/en/safety.ts';
import { createEnglish } from '../i18n/index.ts';
import { refusal } from './random/examples.ts';
import { exampleNotices } from './room/examples.ts';
import { createSafety, reportTextError, reportTypes } from './safety.ts';

const { messages, formats } = createEnglish();
const words = safetyWords(formats).report;
const ana = { userId: 'ana', displayName: 'Ana' };

const setUp = () => {
  const { notices } = exampleNotices();
  const api = { block: vi.fn(async () => undefined), unblock: vi.fn(async () => undefined) };
  return { api, notices, safety: createSafety({ api, notices, messages: () => messages }) };
};

test('SF-1 everything that can be reported is offered, in words', () => {
  expect([...reportTypes].sort()).toEqual([...known].sort());
  for (const type of reportTypes) expect(words.types[type]).toMatch(/^\S+ .*\S$/);
});

test('SF-1 what happened is told in 1,000 characters at most', () => {
  expect(reportTextError('x'.repeat(1000), words)).toBeUndefined();
  expect(reportTextError('x'.repeat(1001), words)).toBe(words.tooLong(1000));
  expect(reportTextError('a\u202Eb', words)).toBe(words.unprintable);
  expect(reportTextError('one\ntwo', words)).toBeUndefined();
});

test('SF-4 somebody in a room is blocked, and that can be taken back', async () => {
  const { api, notices, safety } = setUp();
  expect(await safety.block(ana)).toBe(true);
  expect(notices.shown.value[0]).toMatchObject({ text: 'Ana was blocked.', action: { label: 'Undo' } });
  notices.shown.value[0]?.action?.run();
  await vi.waitFor(() => expect(notices.shown.value.at(-1)?.text).toBe('Ana is not blocked any more.'));
  expect([api.block.mock.calls, api.unblock.mock.calls]).toEqual([[['ana']], [['ana']]]);
});

test('SF-4 a block that was refused is told, and offers nothing to take back', async () => {
  const { api, notices, safety } = setUp();
  api.block.mockRejectedValueOnce(refusal('blocks_full'));
  expect(await safety.block(ana)).toBe(false);
  expect(notices.shown.value[0]).toMatchObject({ text: messages.failures.codes.blocks_full, tone: 'bad' });
  expect(notices.shown.value[0]?.action).toBeUndefined();
});

test('SF-1 a report that was refused comes back to its form', async () => {
  const { notices, safety } = setUp();
  const send = () => Promise.reject(refusal('unavailable'));
  expect(await safety.report(send, 'Thanks.')).toMatchObject({ code: 'unavailable' });
  expect(notices.shown.value).toEqual([]);
});
