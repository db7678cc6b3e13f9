import { done, refuse } from '@rostrum/shared/result.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SweepPorts } from '../../src/cluster/sweep.ts';
import { Sweeper } from '../../src/cluster/sweep.ts';
import type { ClusterStore, HeldSession } from '../../src/state/cluster-store.ts';
import { createMemoryClusterStore } from '../../src/state/memory/memory-cluster-store.ts';
import { StateUnavailable } from '../../src/state/room-store.ts';
import { movedClock } from '../contract/suite-clock.ts';
import { keepingLogger } from './logged.ts';
import { heartbeatMs } from './world.ts';

const lost = 'north~1';
const other = 'south~1';

const away = async (): Promise<never> => {
  throw new StateUnavailable('away');
};

/** A store with a node that was given up and held these sessions, and one that lives. */
const afterLoss = async (sessions: readonly HeldSession[]) => {
  const clock = movedClock(1_750_000_000_000);
  const store = createMemoryClusterStore(clock);
  const load = { sockets: 0, rooms: 0, consumers: 0, full: false };
  const same = { version: '1', protocol: 1, machine: 'here', internalAddress: '10.0.0.1:1', draining: false, load };
  await store.enlist({ ...same, nodeId: lost, name: 'north' }, 0);
  for (const session of sessions) await store.hold(lost, session);
  await clock.until(clock.now() + 1);
  await store.giveUp(lost, clock.now());
  await store.enlist({ ...same, nodeId: other, name: 'south' }, 0);
  return { clock, store, ...sweeping(store, clock) };
};

/** A sweeper on this store, and what it noted. */
const sweeping = (store: ClusterStore, clock: { now(): number }, ports: Partial<SweepPorts> = {}) => {
  const { logger, logged } = keepingLogger();
  const noted: string[] = [];
  const note = async (...words: readonly string[]): Promise<void> => {
    noted.push(words.join(' '));
  };
  const sweeper = new Sweeper({
    store,
    clock,
    logger,
    limits: { heartbeatMs },
    ports: {
      loseSeat: async (...words) => done(await note('seat', ...words)),
      loseCall: ({ userId, sessionId }, nodeId) => note('call', userId, sessionId, nodeId),
      nodeLost: (nodeId, roomIds) => note('rooms', nodeId, ...roomIds),
      finish: (nodeId) => note('finish', nodeId),
      ...ports,
    },
  });
  const sweep = async (rank = 0): Promise<void> => {
    sweeper.sweep([lost], rank);
    await sweeper.idle();
  };
  return { sweeper, sweep, noted, logged };
};

const crowd = (count: number): HeldSession[] =>
  Array.from({ length: count }, (_, index) => ({
    userId: `user${index}`,
    sessionId: `session${index}`,
    roomId: index % 3 === 0 ? null : `room${index % 5}`,
  }));

const expectedOf = ({ userId, sessionId, roomId }: HeldSession): string[] => [
  `call ${userId} ${sessionId} ${lost}`,
  ...(roomId === null ? [] : [`seat ${roomId} ${userId} ${sessionId} ${lost}`]),
];

const isSeatOrCall = (what: string): boolean => /^(seat|call) /.test(what);

describe('the sweep of a node that is gone', () => {
  it('RE-3 notes the loss of every session, of every room once, and forgets the node', async () => {
    const sessions = crowd(450);
    const { sweep, noted, store, logged } = await afterLoss(sessions);
    await sweep();
    expect(noted.filter(isSeatOrCall).toSorted()).toEqual(sessions.flatMap(expectedOf).toSorted());
    const rooms = noted.filter((what) => what.startsWith('rooms ')).flatMap((what) => what.split(' ').slice(2));
    expect(rooms.toSorted()).toEqual(['room0', 'room1', 'room2', 'room3', 'room4']);
    expect(noted.at(-1)).toBe(`finish ${lost}`);
    expect((await store.nodes()).map(({ nodeId }) => nodeId)).toEqual([other]);
    expect(await store.heldBy(lost, 10)).toEqual([]);
    expect(logged).toEqual(['info: a node that is gone was swept']);
  });

  it('RE-3 finishes with a node that held nothing', async () => {
    const { sweep, noted, store } = await afterLoss([]);
    await sweep();
    expect(noted).toEqual([`finish ${lost}`]);
    expect(await store.nodes()).toHaveLength(1);
  });

  it('RE-2 lets a session be where it has come back', async () => {
    const [ana, ben] = [
      { userId: 'ana', sessionId: 'phone', roomId: 'room' },
      { userId: 'ben', sessionId: 'laptop', roomId: null },
    ];
    const { sweep, noted, store } = await afterLoss([ana, ben]);
    await store.hold(other, ana);
    await sweep();
    expect(noted).toEqual([...expectedOf(ben), `finish ${lost}`]);
    expect(await store.sessionsOf('ana')).toEqual([{ ...ana, nodeId: other }]);
  });

  it.each<[string, Partial<SweepPorts>]>([
    ['a seat', { loseSeat: away }],
    ['a seat is refused', { loseSeat: async () => refuse('unavailable') }],
    ['a call', { loseCall: away }],
    ['what the rooms had', { nodeLost: away }],
  ])('RE-4 leaves everything for the next look where %s cannot be noted', async (_, ports) => {
    const sessions = crowd(30);
    const { clock, store, sweep, noted } = await afterLoss(sessions);
    const failing = sweeping(store, clock, ports);
    await failing.sweep();
    expect(await store.heldBy(lost, 100)).toHaveLength(30);
    expect(failing.noted).not.toContain(`finish ${lost}`);
    expect(failing.logged).toEqual([]);
    await sweep();
    expect(noted.filter(isSeatOrCall).toSorted()).toEqual(sessions.flatMap(expectedOf).toSorted());
    expect(await store.nodes()).toHaveLength(1);
  });

  it('RE-4 keeps the node until what names it besides is done too', async () => {
    const { clock, store } = await afterLoss(crowd(3));
    const failing = sweeping(store, clock, { finish: away });
    await failing.sweep();
    expect(await store.nodes()).toHaveLength(2);
    expect(await store.heldBy(lost, 10)).toEqual([]);
  });

  it('RE-3 sweeps the others where one thing fails by a fault of ours, and says that', async () => {
    const { clock, store } = await afterLoss(crowd(30));
    const { sweep, noted, logged } = sweeping(store, clock, {
      loseCall: async ({ userId }) => {
        if (userId === 'user7') throw new Error('a fault of ours');
      },
      loseSeat: async () => refuse('not_found'),
    });
    await sweep();
    expect(noted.at(-1)).toBe(`finish ${lost}`);
    expect(await store.nodes()).toHaveLength(1);
    expect(logged.filter((line) => line.startsWith('error'))).toHaveLength(1);
  });

  it('RE-3 takes turns: each comes in later where those before it have not finished', async () => {
    const { clock, store, sweep, noted } = await afterLoss(crowd(3));
    await sweep(2);
    await clock.until(clock.now() + 4 * heartbeatMs - 1);
    await sweep(2);
    expect(noted).toEqual([]);
    await clock.until(clock.now() + 1);
    await sweep(2);
    expect(noted.at(-1)).toBe(`finish ${lost}`);
    expect(await store.nodes()).toHaveLength(1);
  });

  it('RE-5 sweeps a node once at a time, and only so many sessions side by side', async () => {
    const { clock, store } = await afterLoss(crowd(100));
    let [under, most, calls] = [0, 0, 0];
    const { sweeper } = sweeping(store, clock, {
      loseCall: async () => {
        under += 1;
        calls += 1;
        most = Math.max(most, under);
        await new Promise((resolve) => setImmediate(resolve));
        under -= 1;
      },
    });
    for (let look = 0; look < 5; look += 1) sweeper.sweep([lost], 0);
    await sweeper.idle();
    expect([calls, most]).toEqual([100, 16]);
  });

  it('RE-5 stops after the page that it is at, and leaves the rest to the others', async () => {
    const { clock, store, sweep, noted } = await afterLoss(crowd(450));
    const stopping: { stopped?: Promise<void> } = {};
    const first = sweeping(store, clock, {
      nodeLost: async () => {
        stopping.stopped ??= first.sweeper.stop();
      },
    });
    await first.sweep();
    await stopping.stopped;
    expect(await store.heldBy(lost, 1000)).toHaveLength(250);
    first.sweeper.sweep([lost], 0);
    await first.sweeper.idle();
    expect(await store.heldBy(lost, 1000)).toHaveLength(250);
    await sweep();
    expect(noted.filter((what) => what.startsWith('call '))).toHaveLength(250);
  });

  it('RE-3 notes everything at least once, whoever sweeps, however often they fail, and wherever people come back', async () => {
    const failures = fc.array(fc.boolean(), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(
        fc.nat(60),
        fc.array(failures, { minLength: 2, maxLength: 4 }),
        fc.nat(60),
        async (count, plans, back) => {
          const sessions = crowd(count);
          const { clock, store, noted, sweep } = await afterLoss(sessions);
          for (const session of sessions.slice(back)) await store.hold(other, session);
          const sweepers = plans.map((plan) => sweeping(store, clock, failingNow(plan, noted)));
          await Promise.all(sweepers.map((it) => it.sweep()));
          await sweep();
          const lostOnes = sessions.slice(0, back);
          expect([...new Set(noted.filter(isSeatOrCall))].toSorted()).toEqual(lostOnes.flatMap(expectedOf).toSorted());
          expect((await store.nodes()).map(({ nodeId }) => nodeId)).toEqual([other]);
          expect(await store.heldBy(other, 100)).toHaveLength(Math.max(0, count - back));
        },
      ),
      { numRuns: 100 },
    );
  });
});

/** Ports that note in one list, and fail where the plan says so. */
const failingNow = (plan: readonly boolean[], noted: string[]): Partial<SweepPorts> => {
  const rest = [...plan];
  const note = async (...words: readonly string[]): Promise<void> => {
    await Promise.resolve();
    if (rest.shift() === true) throw new StateUnavailable('away');
    noted.push(words.join(' '));
  };
  return {
    loseSeat: async (...words) => done(await note('seat', ...words)),
    loseCall: ({ userId, sessionId }, nodeId) => note('call', userId, sessionId, nodeId),
    nodeLost: (nodeId, roomIds) => note('rooms', nodeId, ...roomIds),
    finish: (nodeId) => note('finish', nodeId),
  };
};
