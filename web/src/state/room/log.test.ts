import type { ModerationEntry } from '@rostrum/shared/protocol/room.ts';
import { expect, test } from 'vitest';
import { createEnglish } from '../../i18n/index.ts';
import { createModerationLog } from './log.ts';

const { messages } = createEnglish();
const entry = (entryId: string, at: number, act: ModerationEntry['act'], userId: string): ModerationEntry => ({
  entryId,
  at,
  act,
  byId: 'ana',
  byName: 'Ana',
  userId,
  displayName: userId,
  reason: null,
});
const logOf = (...entries: ModerationEntry[]) =>
  createModerationLog({ roomId: 'room', messages: () => messages, api: { moderationLog: async () => ({ entries }) } });

test('MO-4 the log is newest first, and an entry that is told twice stands once', async () => {
  const log = logOf(entry('1', 1, 'mute', 'ben'), entry('2', 2, 'kick', 'ben'));
  log.take(entry('2', 2, 'kick', 'ben'));
  log.take(entry('3', 3, 'unban', 'ben'));
  await log.load();
  expect(log.entries.value.map(({ entryId }) => entryId)).toEqual(['3', '2', '1']);
});

test('MO-2 whoever was let back in is not kept out any more', async () => {
  const log = logOf(entry('1', 1, 'kick', 'ben'), entry('2', 2, 'ban', 'chi'));
  await log.load();
  expect([...log.excluded.value]).toEqual(['chi', 'ben']);
  log.take(entry('3', 3, 'unban', 'ben'));
  expect([...log.excluded.value]).toEqual(['chi']);
});

test('HD-5 the log knows whose right to raise a hand is withdrawn', () => {
  const log = logOf();
  log.take(entry('1', 1, 'withdraw-hand-right', 'ben'));
  expect(log.handless.value.has('ben')).toBe(true);
  log.take(entry('2', 2, 'restore-hand-right', 'ben'));
  expect(log.handless.value.has('ben')).toBe(false);
});

test('a log that cannot be loaded says why', async () => {
  const error = Object.assign(new Error('away'), { code: 'network' });
  const log = createModerationLog({
    roomId: 'room',
    messages: () => messages,
    api: { moderationLog: () => Promise.reject(error) },
  });
  await log.load();
  expect(log.status.value).toBe('failed');
  expect(log.failure.value?.remedy).toBe('retry');
});
