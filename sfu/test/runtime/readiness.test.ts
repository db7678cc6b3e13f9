import { afterEach, expect, test, vi } from 'vitest';
import { createReadiness } from '../../src/runtime/readiness.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('OP-1 says everything that keeps a node from taking people, and nothing when nothing does', async () => {
  const state = { reason: undefined as string | undefined, media: true, records: true };
  const unready = createReadiness({
    reason: () => state.reason,
    checks: [
      { reason: 'no media worker has room', isWell: () => state.media },
      { reason: 'records cannot be written', isWell: async () => state.records },
    ],
    limitMs: 1000,
  });
  expect(await unready()).toEqual([]);
  Object.assign(state, { reason: 'draining', media: false });
  expect(await unready()).toEqual(['draining', 'no media worker has room']);
  Object.assign(state, { reason: undefined, media: true, records: false });
  expect(await unready()).toEqual(['records cannot be written']);
});

test('RE-4 OP-1 what does not answer, or fails, is not well, and nobody waits for it without end', async () => {
  vi.useFakeTimers();
  const unready = createReadiness({
    reason: () => undefined,
    checks: [
      { reason: 'the state store is away', isWell: () => new Promise<boolean>(() => undefined) },
      { reason: 'records cannot be written', isWell: () => Promise.reject(new Error('disk')) },
      {
        reason: 'no media worker has room',
        isWell: () => {
          throw new Error('no pool');
        },
      },
    ],
    limitMs: 1000,
  });
  const answered = unready();
  await vi.advanceTimersByTimeAsync(1000);
  expect(await answered).toEqual(['the state store is away', 'records cannot be written', 'no media worker has room']);
  expect(vi.getTimerCount()).toBe(0);
});
