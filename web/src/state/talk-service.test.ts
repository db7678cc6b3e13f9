import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { exampleService } from './random/examples.ts';
import { createTalkService } from './talk-service.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('RQ-7 the counts are kept fresh while the page is looked at, and the last ones stand when they cannot be asked', async () => {
  const page: { visibilityState: DocumentVisibilityState } = { visibilityState: 'visible' };
  const randomService = vi.fn(async () => exampleService());
  const { service, follow } = createTalkService({ randomService });
  const stop = follow(page);
  await vi.advanceTimersByTimeAsync(0);
  expect(service.value).toEqual(exampleService());
  randomService.mockRejectedValueOnce(new Error('away'));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(service.value).toEqual(exampleService());
  page.visibilityState = 'hidden';
  await vi.advanceTimersByTimeAsync(60_000);
  expect(randomService).toHaveBeenCalledTimes(2);
  page.visibilityState = 'visible';
  await vi.advanceTimersByTimeAsync(10_000);
  stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(randomService).toHaveBeenCalledTimes(3);
});
