import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createRedisClock, type RedisClock } from '../../src/state/redis/redis-clock.ts';
import { startRedis } from '../support/redis-server.ts';
import { connect } from './redis-support.ts';

const start = 1_750_000_000_000;
const logger = pino({ level: 'silent' });

/** How long a question takes there and back, in milliseconds. */
type Way = { readonly there: number; readonly back: number };

/** A machine and a Redis far away from each other, each with a clock, and a time that the tests let pass. */
class World {
  /** The monotonic clock of the machine. It goes faster than that of Redis by this share. */
  readonly fast: number;
  /** What is added to the clock of Redis. */
  set = 0;
  way: Way = { there: 0, back: 0 };
  readonly clock: RedisClock;
  #passed = 0;

  constructor({ fast = 0 }: { fast?: number } = {}) {
    this.fast = fast;
    this.clock = createRedisClock({
      logger,
      monotonic: () => 5000 + this.#passed * (1 + this.fast),
      time: async () => {
        this.pass(this.way.there);
        const time = this.time;
        this.pass(this.way.back);
        return time;
      },
    });
    // These tests ask when they want to.
    this.clock.close();
  }

  get time(): number {
    return start + this.#passed + this.set;
  }

  /** How far the clock is ahead of Redis. */
  get ahead(): number {
    return this.clock.now() - Math.floor(this.time);
  }

  pass(ms: number): void {
    this.#passed += ms;
  }
}

const way = fc.record({ there: fc.nat(40), back: fc.nat(40) });

describe('the clock of a cluster', () => {
  it('OP-4 is the time of Redis, whatever this machine thinks', async () => {
    const world = new World();
    world.way = { there: 3, back: 3 };
    await world.clock.sync();
    expect(world.ahead).toBe(0);
    world.pass(12_345);
    expect(world.ahead).toBe(0);
  });

  it('OP-4 is off by no more than half of the fastest round trip, and by what clocks drift apart', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(way, { minLength: 4, maxLength: 30 }), async (ways) => {
        const world = new World();
        let fastest = Number.POSITIVE_INFINITY;
        for (const taken of ways) {
          world.way = taken;
          await world.clock.sync();
          fastest = Math.min(fastest, (taken.there + taken.back) / 2);
          // Clocks that drift apart by a thousandth are allowed for, so an old answer counts less the older it is.
          const drifted = (world.time - start) / 1000;
          expect(Math.abs(world.clock.measured() - world.time)).toBeLessThanOrEqual(fastest + drifted + 1);
        }
      }),
    );
  });

  it('OP-4 follows a machine whose clock goes wrong', async () => {
    const world = new World({ fast: 0.0005 });
    world.way = { there: 1, back: 1 };
    for (let second = 0; second < 3600; second += 1) {
      await world.clock.sync();
      expect(Math.abs(world.ahead)).toBeLessThanOrEqual(5);
      world.pass(1000);
    }
  });

  it('OP-4 never goes backwards, and catches up, whatever is measured', async () => {
    const happening = fc.record({ passes: fc.nat(1500), taken: way, set: fc.integer({ min: -400, max: 400 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 40 }), async (happenings) => {
        const world = new World();
        await world.clock.sync();
        let last = world.clock.now();
        for (const { passes, taken, set } of happenings) {
          world.pass(passes);
          // All that these add up to stays within what is slewed.
          world.set = set;
          world.way = taken;
          await world.clock.sync();
          expect(world.clock.now()).toBeGreaterThanOrEqual(last);
          last = world.clock.now();
        }
        world.way = { there: 0, back: 0 };
        await world.clock.sync();
        world.pass(4000);
        expect(Math.abs(world.ahead)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('OP-4 takes the time of another master at once where it is far behind', async () => {
    const world = new World();
    await world.clock.sync();
    world.set = -3_600_000;
    await world.clock.sync();
    expect(world.ahead).toBe(0);
    world.set = 3_600_000;
    await world.clock.sync();
    expect(world.ahead).toBe(0);
  });

  it('RE-4 says what expires by the time as it was measured, also while it slows down', async () => {
    const world = new World();
    await world.clock.sync();
    world.set = -300;
    await world.clock.sync();
    expect(world.ahead).toBe(300);
    expect(world.clock.measured()).toBe(Math.floor(world.time));
    world.pass(200);
    expect(world.ahead).toBe(200);
    world.pass(400);
    expect(world.ahead).toBe(0);
  });

  it('RE-4 goes on while Redis is away', async () => {
    const server = await startRedis();
    const redis = await connect(server);
    const before = redis.clock.now();
    await server.stop();
    await expect(redis.clock.sync()).rejects.toThrow();
    expect(redis.clock.now()).toBeGreaterThanOrEqual(before);
    await redis.close();
  });
});
