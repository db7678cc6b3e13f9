import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DeadlineRunner, type DeadlineRunnerOptions } from '../../src/runtime/deadline-runner.ts';
import { StateUnavailable } from '../../src/state/room-store.ts';
import { keepingLogger } from './logged.ts';

const started: DeadlineRunner<string>[] = [];
afterEach(async () => {
  for (const runner of started.splice(0)) await runner.stop();
});

/** A runner with what is given, and what it logged. */
const runnerWith = (options: Partial<DeadlineRunnerOptions<string>>) => {
  const { logger, logged } = keepingLogger();
  const runner = new DeadlineRunner<string>({
    due: async () => [],
    ownerOf: (due) => due,
    carryOut: async () => undefined,
    clock: { now: () => 0 },
    logger,
    ...options,
  });
  started.push(runner);
  return { runner, logged };
};

describe('deadlines', () => {
  it('RE-4 are not looked at while the store is away or not settled', async () => {
    let isPaused = true;
    const carryOut = vi.fn(async () => undefined);
    const due = vi.fn(async () => ['end']);
    const { runner } = runnerWith({ due, carryOut, paused: () => isPaused });
    await runner.run();
    expect(due).not.toHaveBeenCalled();
    isPaused = false;
    await runner.run();
    expect(carryOut).toHaveBeenCalledWith('end');
  });

  it('RE-4 say once that the store is away, and once more when it is away again', async () => {
    let looks = 0;
    const { runner, logged } = runnerWith({
      due: async () => {
        looks += 1;
        if (looks === 4) return [];
        throw new StateUnavailable('away');
      },
    });
    runner.start();
    await vi.waitFor(() => expect(looks).toBeGreaterThan(7), { timeout: 15_000 });
    await runner.stop();
    expect(logged).toEqual(Array.from({ length: 2 }, () => 'warn: deadlines wait until the store is back'));
  });

  it('RE-4 say once that the store went away while they were carried out', async () => {
    const { runner, logged } = runnerWith({
      due: async () => ['one', 'two', 'three'],
      carryOut: async () => {
        throw new StateUnavailable('away');
      },
    });
    await runner.run();
    expect(logged).toEqual(['warn: deadlines wait until the store is back']);
  });

  it('says of every other failure what it is', async () => {
    const { runner, logged } = runnerWith({
      due: async () => ['one', 'two'],
      carryOut: async (due) => {
        if (due === 'one') throw new Error('a fault of ours');
      },
    });
    await runner.run();
    expect(logged).toEqual(['error: a deadline could not be carried out']);
  });

  it('RE-5 ask a store that hangs once, and not again before it has answered', async () => {
    const answer = Promise.withResolvers<string[]>();
    const due = vi.fn(() => answer.promise);
    const { runner } = runnerWith({ due });
    runner.start();
    await vi.waitFor(() => expect(due).toHaveBeenCalled(), { timeout: 15_000 });
    await delay(500);
    expect(due).toHaveBeenCalledTimes(1);
    answer.resolve([]);
    await vi.waitFor(() => expect(due.mock.calls.length).toBeGreaterThan(1), { timeout: 15_000 });
  });

  it('start nothing any more when the runner was stopped while it looked', async () => {
    const answer = Promise.withResolvers<string[]>();
    const carryOut = vi.fn(async () => undefined);
    const { runner } = runnerWith({ due: () => answer.promise, carryOut });
    const running = runner.run();
    await runner.stop();
    answer.resolve(['end']);
    await running;
    expect(carryOut).not.toHaveBeenCalled();
  });
});
