import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { RandomCalls, RandomPhase } from '../../client/call-types.ts';
import type { Connection } from '../../client/types.ts';
import { exampleCalls, exampleService, inQueue } from './examples.ts';
import { createTalkLink } from './link.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const setUp = (world = exampleCalls()) => {
  let connection = {} as Connection;
  const phases: RandomPhase['phase'][] = [];
  const openCalls = vi.fn(async (): Promise<RandomCalls> => world.calls);
  const link = createTalkLink({
    connect: async () => connection,
    openCalls,
    onPhase: (phase) => phases.push(phase.phase),
    onMessage: () => undefined,
  });
  const reconnect = () => {
    connection = {} as Connection;
  };
  return { ...world, link, phases, openCalls, reconnect };
};

test('opened once for one connection, and anew for another', async () => {
  const { link, openCalls, reconnect, names } = setUp();
  await Promise.all([link.open(), link.open()]);
  expect(openCalls).toHaveBeenCalledTimes(1);
  reconnect();
  await link.open();
  expect(openCalls).toHaveBeenCalledTimes(2);
  expect(names()).toEqual(['dispose']);
});

test('RE-2 it is opening until it is known where one stands', async () => {
  const { link, tell } = setUp(exampleCalls(null));
  const opened = link.open();
  await vi.advanceTimersByTimeAsync(100);
  expect(link.status.value).toBe('opening');
  tell('service', exampleService());
  await opened;
  expect(link.status.value).toBe('open');
  expect(link.service.value).toEqual(exampleService());
});

test('a server that does not answer keeps nobody from the page', async () => {
  const { link } = setUp(exampleCalls(null));
  const opened = link.open();
  await vi.advanceTimersByTimeAsync(2000);
  await opened;
  expect(link.status.value).toBe('open');
});

test('RE-2 a search that goes on already is taken up', async () => {
  const world = exampleCalls();
  world.tell('phase', inQueue());
  const { link, phases } = setUp(world);
  await link.open();
  expect(link.phase.value.phase).toBe('queued');
  expect(phases).toEqual(['queued']);
});

test('what is closed listens no more, and shows nothing', async () => {
  const { link, tell, names, phases } = setUp();
  await link.open();
  tell('phase', inQueue());
  link.close();
  tell('phase', { phase: 'out', reason: 'timeout' });
  expect(link.phase.value).toEqual({ phase: 'idle' });
  expect(phases).toEqual(['queued']);
  expect(names()).toEqual(['dispose']);
});

test('what opens after it was closed is let go of', async () => {
  let open: (calls: RandomCalls) => void = () => undefined;
  const { link, openCalls, calls, names } = setUp();
  openCalls.mockImplementationOnce(
    () =>
      new Promise((resolve) => {
        open = resolve;
      }),
  );
  const opened = link.open();
  await vi.advanceTimersByTimeAsync(0);
  link.close();
  open(calls);
  await opened;
  expect(names()).toEqual(['dispose']);
  expect(link.calls.value).toBeUndefined();
});

test('what could not be loaded is loaded again at the next attempt', async () => {
  const { link, openCalls } = setUp();
  openCalls.mockRejectedValueOnce(new Error('offline'));
  await expect(link.open()).rejects.toThrow('offline');
  expect(link.status.value).toBe('closed');
  await link.open();
  expect(link.status.value).toBe('open');
});
