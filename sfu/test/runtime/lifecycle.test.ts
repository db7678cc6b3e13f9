import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLifecycle, type Lifecycle } from '../../src/runtime/lifecycle.ts';

type World = {
  /** Milliseconds since it began; only `sleep` puts it forward. */
  time: number;
  sockets: string[];
  mediaSeats: number;
  /** Other nodes that take people; undefined while the state store is away. */
  peers: number | undefined;
  /** What happens while a node sleeps. */
  pass: () => void;
  readonly told: { at: number; socketIds: readonly string[] }[];
  readonly released: { at: number; endRooms: boolean }[];
  announced: number;
};

/** A node whose clock, people and neighbours are played by the test. */
const node = (drainMs = 60_000): { world: World; lifecycle: Lifecycle } => {
  const world: World = {
    time: 0,
    sockets: [],
    mediaSeats: 0,
    peers: 2,
    pass: () => undefined,
    told: [],
    released: [],
    announced: 0,
  };
  const lifecycle = createLifecycle({
    drainMs,
    now: () => world.time,
    sleep: async (ms) => {
      world.time += ms;
      world.pass();
      await setImmediate();
    },
    logger: { info: () => undefined, warn: () => undefined },
    peers: async () => {
      if (world.peers === undefined) throw new Error('away');
      return world.peers;
    },
    announce: async () => {
      world.announced += 1;
    },
    sockets: () => world.sockets,
    tell: (socketIds) => world.told.push({ at: world.time, socketIds }),
    mediaSeats: () => world.mediaSeats,
    release: async ({ endRooms }) => {
      world.released.push({ at: world.time, endRooms });
    },
  });
  lifecycle.started();
  return { world, lifecycle };
};

const people = (count: number): string[] => Array.from({ length: count }, (_, index) => `socket ${index}`);

/** Whoever is told goes within so many milliseconds, and their media a little later. */
const obey = (world: World, withinMs: number): void => {
  world.pass = () => {
    const gone = new Set(
      world.told.filter(({ at }) => world.time - at >= withinMs).flatMap(({ socketIds }) => socketIds),
    );
    world.sockets = world.sockets.filter((socketId) => !gone.has(socketId));
    world.mediaSeats = world.sockets.length;
  };
};

describe('OP-2 the life of a node', () => {
  test('OP-2 takes people from the moment when everything stands until it drains, and says why not', async () => {
    const { world, lifecycle } = node();
    expect([lifecycle.accepting(), lifecycle.reason()]).toEqual([true, undefined]);
    const drained = lifecycle.drain();
    expect([lifecycle.accepting(), lifecycle.reason()]).toEqual([false, 'draining']);
    expect(lifecycle.state).toEqual({ state: 'draining', until: 60_000 });
    expect(await drained).toBe('moved');
    expect(world.announced).toBe(1);
    await lifecycle.close();
    expect([lifecycle.state, lifecycle.accepting(), lifecycle.reason()]).toEqual([
      { state: 'closed' },
      false,
      'stopping',
    ]);
    expect(world.released).toEqual([{ at: 0, endRooms: false }]);
  });

  test('OP-2 tells everybody once, spread over time, and leaves when the last one and their media are gone', async () => {
    const { world, lifecycle } = node();
    world.sockets = people(1000);
    world.mediaSeats = 1000;
    obey(world, 300);
    expect(await lifecycle.drain()).toBe('moved');
    const told = world.told.flatMap(({ socketIds }) => socketIds);
    expect(new Set(told).size).toBe(1000);
    expect(told).toHaveLength(1000);
    // A third of the time for all of them, in steps of a tenth of a second.
    expect(Math.max(...world.told.map(({ socketIds }) => socketIds.length))).toBe(5);
    expect(world.told.at(-1)?.at).toBeLessThanOrEqual(20_200);
    expect(world.time).toBeLessThan(21_000);
  });

  test('OP-2 few people are told at once, for nobody has to be spared', async () => {
    const { world, lifecycle } = node();
    world.sockets = people(5);
    obey(world, 0);
    await lifecycle.drain();
    expect(world.told.map(({ socketIds }) => socketIds.length)).toEqual([5]);
  });

  test('OP-2 somebody who was on the way in is told too', async () => {
    const { world, lifecycle } = node();
    world.sockets = people(3);
    obey(world, 0);
    const pass = world.pass;
    world.pass = () => {
      pass();
      if (world.time === 200) world.sockets = [...world.sockets, 'late'];
    };
    await lifecycle.drain();
    expect(world.told.flatMap(({ socketIds }) => socketIds)).toContain('late');
  });

  test('OP-2 waits no longer than the limit for who does not go, and for media that goes on', async () => {
    for (const left of [{ sockets: people(1) }, { mediaSeats: 1 }]) {
      const { world, lifecycle } = node(10_000);
      Object.assign(world, left);
      expect(await lifecycle.drain()).toBe('moved');
      expect(world.time).toBe(10_000);
      await lifecycle.close();
      expect(world.released).toEqual([{ at: 10_000, endRooms: false }]);
    }
  });

  test('OP-2 RM-3 a node by itself ends its rooms at once, and tells nobody to move', async () => {
    const { world, lifecycle } = node();
    Object.assign(world, { sockets: people(9), mediaSeats: 9, peers: 0 });
    expect(await lifecycle.drain()).toBe('alone');
    await lifecycle.close();
    expect(world.told).toEqual([]);
    expect(world.released).toEqual([{ at: 0, endRooms: true }]);
  });

  test('OP-2 RM-3 when every other node stops as well, rooms end: there is nowhere to go', async () => {
    const { world, lifecycle } = node();
    world.sockets = people(9);
    world.pass = () => {
      if (world.time >= 1000) world.peers = 0;
    };
    expect(await lifecycle.drain()).toBe('alone');
    expect(world.time).toBeGreaterThanOrEqual(6000);
    expect(world.time).toBeLessThan(10_000);
  });

  test('OP-2 another node that starts anew in the meantime is waited for', async () => {
    const { world, lifecycle } = node(20_000);
    world.sockets = people(1);
    world.pass = () => {
      world.peers = world.time >= 1000 && world.time < 5000 ? 0 : 1;
    };
    expect(await lifecycle.drain()).toBe('moved');
    expect(world.time).toBe(20_000);
  });

  test('OP-2 RE-4 while the state store is away nobody is sent to a node where they could not sit down', async () => {
    const { world, lifecycle } = node();
    Object.assign(world, { sockets: people(3), peers: undefined });
    obey(world, 0);
    const obeyed = world.pass;
    world.pass = () => {
      if (world.time >= 8000) world.peers = 1;
      obeyed();
    };
    expect(await lifecycle.drain()).toBe('moved');
    expect(world.told[0]?.at).toBeGreaterThanOrEqual(8000);
    await lifecycle.close();
    expect(world.released[0]?.endRooms).toBe(false);
  });

  test('OP-2 a close cuts a drain short, and both happen once', async () => {
    const { world, lifecycle } = node();
    world.sockets = people(1);
    let closed: Promise<void> | undefined;
    world.pass = () => {
      if (world.time >= 500) closed ??= lifecycle.close();
    };
    const [first, second] = [lifecycle.drain(), lifecycle.drain()];
    expect(await first).toBe('moved');
    expect(await second).toBe('moved');
    await Promise.all([closed, lifecycle.close()]);
    expect(world.released).toEqual([{ at: 500, endRooms: false }]);
  });

  test('RM-3 RE-4 a close without a drain ends rooms only where it is known that nobody else serves them', async () => {
    for (const [peers, endRooms] of [
      [0, true],
      [1, false],
      [undefined, false],
    ] as const) {
      const { world, lifecycle } = node();
      world.peers = peers;
      await lifecycle.close();
      expect(world.released).toEqual([{ at: 0, endRooms }]);
    }
  });

  test('RE-3 a node that was given up takes nobody, ends no room, and stays closed once it is', async () => {
    const { world, lifecycle } = node();
    world.peers = 0;
    lifecycle.fence();
    expect([lifecycle.accepting(), lifecycle.reason()]).toEqual([false, 'given up by the other nodes']);
    expect(await lifecycle.drain()).toBe('moved');
    await lifecycle.close();
    lifecycle.fence();
    lifecycle.started();
    expect(lifecycle.state).toEqual({ state: 'closed' });
    expect(world.released).toEqual([{ at: 0, endRooms: false }]);
  });

  test('RE-3 a node that is given up while it drains waits no longer', async () => {
    const { world, lifecycle } = node();
    world.sockets = people(1);
    world.pass = () => {
      if (world.time >= 500) lifecycle.fence();
    };
    expect(await lifecycle.drain()).toBe('moved');
    expect(world.time).toBe(500);
    await lifecycle.close();
    expect(world.released).toEqual([{ at: 500, endRooms: false }]);
  });
});

test('OP-2 whatever people and the other nodes do, a drain ends within its time and tells nobody twice', async () => {
  const moment = fc.record({
    peers: fc.constantFrom(0, 1, undefined),
    leave: fc.nat({ max: 20 }),
    arrive: fc.nat({ max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(moment, { maxLength: 60 }),
      fc.integer({ min: 0, max: 5000 }),
      async (course, drainMs) => {
        const { world, lifecycle } = node(drainMs);
        world.sockets = people(20);
        let step = 0;
        world.pass = () => {
          const { peers, leave, arrive } = course[step] ?? { peers: 1, leave: 0, arrive: 0 };
          world.peers = peers;
          world.sockets = [
            ...world.sockets.slice(leave),
            ...Array.from({ length: arrive }, (_, index) => `late ${step} ${index}`),
          ];
          step += 1;
        };
        await lifecycle.drain();
        expect(world.time).toBeLessThanOrEqual(drainMs);
        const told = world.told.flatMap(({ socketIds }) => socketIds);
        expect(new Set(told).size).toBe(told.length);
        await lifecycle.close();
        expect(world.released).toHaveLength(1);
      },
    ),
    { numRuns: 100 },
  );
});
