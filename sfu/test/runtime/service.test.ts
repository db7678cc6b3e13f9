import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createService } from '../../src/runtime/service.ts';

/** A process whose apps, clock and end are played by the test. */
const play = () => {
  const world = {
    time: 0,
    happened: [] as string[],
    /** How many of the next starts fail. */
    failing: 0,
    drain: async (): Promise<void> => undefined,
    close: async (): Promise<void> => undefined,
    fence: [] as (() => void)[],
    /** Runs in the middle of every start. */
    starting: (_fenced: () => void): void => undefined,
    sleeping: [] as { until: number; wake: () => void }[],
  };
  let count = 0;
  const service = createService({
    start: async (fenced) => {
      if (world.failing > 0) {
        world.failing -= 1;
        world.happened.push('start failed');
        throw new Error('no');
      }
      count += 1;
      const name = count;
      world.happened.push(`start ${name}`);
      world.fence.push(fenced);
      world.starting(fenced);
      return {
        drain: async () => {
          world.happened.push(`drain ${name}`);
          await world.drain();
        },
        close: async () => {
          world.happened.push(`close ${name}`);
          await world.close();
        },
      };
    },
    exit: (code) => world.happened.push(`exit ${code}`),
    stopLimitMs: 75_000,
    now: () => world.time,
    sleep: (ms) => new Promise((wake) => world.sleeping.push({ until: world.time + ms, wake })),
    logger: { info: () => undefined, warn: () => undefined, fatal: () => undefined },
  });
  /** Lets so much time pass, with what happens in it. */
  const pass = async (ms: number): Promise<void> => {
    const end = world.time + ms;
    for (;;) {
      await setImmediate();
      const [next] = world.sleeping.filter(({ until }) => until <= end).sort((a, b) => a.until - b.until);
      if (next === undefined) break;
      world.sleeping = world.sleeping.filter((other) => other !== next);
      world.time = Math.max(world.time, next.until);
      next.wake();
    }
    world.time = end;
  };
  return { world, service, pass };
};

const never = (): Promise<void> => new Promise(() => undefined);

describe('the process of a node', () => {
  test('OP-2 a stop signal drains, closes and ends the process in order', async () => {
    const { world, service, pass } = play();
    await service.run();
    service.stop('SIGTERM');
    await pass(0);
    expect(world.happened).toEqual(['start 1', 'drain 1', 'close 1', 'exit 0']);
  });

  test('RE-3 a node that is fenced while it starts anew starts anew once more', async () => {
    const { world, service, pass } = play();
    await service.run();
    let left = 1;
    world.starting = (fenced) => {
      if (left > 0) fenced();
      left -= 1;
    };
    world.fence[0]?.();
    await pass(60_000);
    expect(world.happened).toEqual(['start 1', 'close 1', 'start 2', 'close 2', 'start 3']);
  });

  test('OP-2 a second signal ends it at once, but not the echo of the first', async () => {
    const { world, service, pass } = play();
    world.drain = never;
    await service.run();
    service.stop('SIGINT');
    await pass(200);
    service.stop('SIGINT');
    await pass(2000);
    expect(world.happened).toEqual(['start 1', 'drain 1']);
    service.stop('SIGINT');
    expect(world.happened.at(-1)).toBe('exit 1');
  });

  test('OP-2 RE-5 a stop that hangs ends all the same', async () => {
    const { world, service, pass } = play();
    world.close = never;
    await service.run();
    service.stop('SIGTERM');
    await pass(74_999);
    expect(world.happened).not.toContain('exit 1');
    await pass(1);
    expect(world.happened.at(-1)).toBe('exit 1');
  });

  test('OP-2 a close that fails is told by the exit code', async () => {
    const { world, service, pass } = play();
    world.close = () => Promise.reject(new Error('stuck'));
    await service.run();
    service.stop('SIGTERM');
    await pass(0);
    expect(world.happened.at(-1)).toBe('exit 1');
  });

  test('RE-3 a node that was given up closes and starts anew, also when it happens before the start is over', async () => {
    const { world, service, pass } = play();
    await service.run();
    await pass(120_000);
    world.fence[0]?.();
    world.fence[0]?.();
    await pass(0);
    expect(world.happened).toEqual(['start 1', 'close 1', 'start 2']);
    service.stop('SIGTERM');
    await pass(0);
    expect(world.happened.slice(3)).toEqual(['drain 2', 'close 2', 'exit 0']);

    const happened: string[] = [];
    const early = createService({
      start: async (fenced) => {
        happened.push('start');
        if (happened.length === 1) fenced();
        return { drain: async () => undefined, close: async () => void happened.push('close') };
      },
      exit: () => undefined,
      stopLimitMs: 1,
      now: () => 0,
      sleep: async () => undefined,
      logger: { info: () => undefined, warn: () => undefined, fatal: () => undefined },
    });
    await early.run();
    await setImmediate();
    expect(happened).toEqual(['start', 'close', 'start']);
  });

  test('RE-3 RE-5 a start that fails again is tried ever more slowly, and not for ever', async () => {
    const { world, service, pass } = play();
    await service.run();
    await pass(120_000);
    world.failing = 3;
    world.fence[0]?.();
    await pass(499);
    expect(world.happened).toEqual(['start 1', 'close 1', 'start failed']);
    await pass(1);
    expect(world.happened).toHaveLength(4);
    await pass(10_000);
    expect(world.happened.slice(2)).toEqual(['start failed', 'start failed', 'start failed', 'start 2']);
    world.failing = 99;
    world.fence[1]?.();
    await pass(200_000);
    expect(world.happened.at(-1)).toBe('exit 1');
    expect(world.happened.filter((what) => what === 'start failed')).toHaveLength(13);
  });

  test('OP-2 a stop signal while it starts anew ends it, and starts nothing more', async () => {
    const { world, service, pass } = play();
    await service.run();
    await pass(120_000);
    world.failing = 1;
    world.fence[0]?.();
    await pass(10);
    service.stop('SIGTERM');
    await pass(1000);
    expect(world.happened).toEqual(['start 1', 'close 1', 'start failed', 'exit 0']);
  });

  test('a first start that fails is told to whoever runs it', async () => {
    const { world, service } = play();
    world.failing = 1;
    await expect(service.run()).rejects.toThrow('no');
    expect(world.happened).toEqual(['start failed']);
  });
});
