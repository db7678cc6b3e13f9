import { describe, expect, it } from 'vitest';
import { type AgreementOf, agreementOf, differencesOf } from '../../src/cluster/agreement.ts';
import { machineId } from '../../src/cluster/machine.ts';
import { newNodeId } from '../../src/cluster/nodes.ts';
import type { ClusterStore, NodeRecord } from '../../src/state/cluster-store.ts';
import { createMemoryClusterStore } from '../../src/state/memory/memory-cluster-store.ts';
import { StateUnavailable } from '../../src/state/room-store.ts';
import { movedClock } from '../contract/suite-clock.ts';
import { heartbeatMs, type NodeOptions, nodeSilentMs, type TestNode, testNode } from './world.ts';

/** A cluster of which the test moves the time. */
const cluster = () => {
  const clock = movedClock(1_750_000_000_000);
  const store = createMemoryClusterStore(clock);
  const node = (options: Partial<NodeOptions> = {}): TestNode =>
    testNode({ store, clock, wait: (ms) => clock.until(clock.now() + ms), ...options });
  const started = async (options: Partial<NodeOptions> = {}): Promise<TestNode> => {
    const it = node(options);
    await it.nodes.start();
    await it.nodes.look();
    return it;
  };
  /** Time passes, in which these nodes show themselves. */
  const pass = async (ms: number, nodes: readonly TestNode[]): Promise<void> => {
    for (const end = clock.now() + ms; clock.now() < end; ) {
      await clock.until(clock.now() + heartbeatMs);
      for (const it of nodes) await it.look();
    }
  };
  return { clock, store, node, started, pass };
};

const ids = (nodes: readonly NodeRecord[]): string[] => nodes.map(({ nodeId }) => nodeId);
const failure = (task: Promise<unknown>): Promise<unknown> => task.catch((error: unknown) => error);

/** What nodes have in common in these tests, but for what is given. */
const agreement = (more: Partial<AgreementOf> = {}) =>
  agreementOf({ authSecret: Buffer.alloc(32, 's'), records: 'a file', settings: new Map(), ...more });

describe('nodes of a cluster', () => {
  it('OP-4 know each other, and where each of them is', async () => {
    const { started, pass } = cluster();
    const north = await started({ name: 'north', internalAddress: '10.0.0.1:3001' });
    const south = await started({ name: 'south', internalAddress: '10.0.0.2:3001' });
    await pass(heartbeatMs, [north, south]);
    expect(ids(north.nodes.peers())).toEqual([south.nodes.self]);
    expect(ids(south.nodes.peers())).toEqual([north.nodes.self]);
    expect(north.nodes.addressOf(south.nodes.self)).toBe('10.0.0.2:3001');
    expect(north.nodes.addressOf('a stranger')).toBeUndefined();
    await pass(60_000, [north, south]);
    expect([north.told, south.told]).toEqual([[], []]);
  });

  it('OP-4 have an id of their own for each run', () => {
    expect(newNodeId('north')).toMatch(/^north~[\w-]{22}$/);
    expect(newNodeId('north')).not.toBe(newNodeId('north'));
    expect(machineId()).toBe(machineId());
    expect(machineId()).not.toBe('');
  });

  it('OP-2 hear of one that drains at once', async () => {
    const { started } = cluster();
    const [north, south] = [await started({ name: 'north' }), await started({ name: 'south' })];
    await south.nodes.setDraining();
    await north.look();
    expect(north.nodes.peers()).toMatchObject([{ nodeId: south.nodes.self, draining: true }]);
  });

  it('RE-3 give up one that is silent, sweep it, and tell so once', async () => {
    const { started, pass, store } = cluster();
    const north = await started({ name: 'north' });
    const [south, west] = [await started({ name: 'south' }), await started({ name: 'west' })];
    await pass(heartbeatMs, [north, south, west]);
    await store.hold(south.nodes.self, { userId: 'ana', sessionId: 'phone', roomId: 'room' });
    await pass(nodeSilentMs, [north, west]);
    expect([...north.told, ...west.told]).toEqual([]);
    await pass(heartbeatMs, [north, west]);
    expect(north.told).toEqual([
      `gone ${south.nodes.self}`,
      `call ana phone ${south.nodes.self}`,
      `seat room ana phone ${south.nodes.self}`,
      `rooms ${south.nodes.self} room`,
      `finish ${south.nodes.self}`,
    ]);
    expect(west.told).toEqual([`gone ${south.nodes.self}`]);
    expect(ids(await store.nodes())).toEqual([north.nodes.self, west.nodes.self]);
    await pass(60_000, [north, west]);
    expect(north.told).toHaveLength(5);
    expect(west.told).toHaveLength(1);
  });

  it('RE-3 tell one that froze and thawed that it was given up, once, and it leaves what it held to the others', async () => {
    const { started, pass, store } = cluster();
    const north = await started({ name: 'north' });
    // Nobody sweeps: so what the frozen one would forget would be lost.
    const away = async (): Promise<never> => {
      throw new StateUnavailable('away');
    };
    const west = await started({ name: 'west', ports: { loseCall: away } });
    await store.hold(north.nodes.self, { userId: 'ana', sessionId: 'phone', roomId: null });
    await pass(nodeSilentMs + heartbeatMs, [west]);
    await north.look();
    await north.look();
    expect(north.told).toEqual(['fenced']);
    await north.nodes.leave();
    expect(await store.heldBy(north.nodes.self, 10)).toHaveLength(1);
    const again = await started({ name: 'north' });
    await pass(heartbeatMs, [again, west]);
    expect(ids(west.nodes.peers())).toEqual([again.nodes.self]);
  });

  it('RE-3 hear of one that leaves, of which nothing is left to sweep', async () => {
    const { started, pass, store } = cluster();
    const [north, south] = [await started({ name: 'north' }), await started({ name: 'south' })];
    await pass(heartbeatMs, [north]);
    const session = { userId: 'ana', sessionId: 'phone', roomId: null };
    await store.hold(south.nodes.self, session);
    await store.release(south.nodes.self, session);
    await south.nodes.leave();
    expect(ids(await store.nodes())).toEqual([north.nodes.self]);
    await pass(heartbeatMs, [north]);
    expect(north.told).toEqual([`gone ${south.nodes.self}`]);
    await south.look();
    expect(south.told).toEqual([]);
    await started({ name: 'south' });
  });

  it('OP-4 refuse another one of the same name while the first one lives, and say where that is', async () => {
    const { started, node, clock, store } = cluster();
    const first = await started({ internalAddress: '10.0.0.9:3001' });
    const second = node({
      wait: async (ms) => {
        await clock.until(clock.now() + ms);
        await first.look();
      },
    });
    const began = clock.now();
    expect(String(await failure(second.nodes.start()))).toBe(
      'Error: another node named "north" lives already, at 10.0.0.9:3001: give each node a NODE_NAME of its own',
    );
    expect(clock.now() - began).toBeLessThanOrEqual(2 * heartbeatMs);
    expect(ids(await store.nodes())).toEqual([first.nodes.self]);
    await first.look();
    expect(first.told).toEqual([]);
  });

  it('OP-4 lets one of two begin that have one name and begin at once', async () => {
    const { node, clock, store } = cluster();
    const begun: TestNode[] = [];
    const [one, other] = ['one', 'other'].map(() =>
      node({
        wait: async (ms) => {
          await clock.until(clock.now() + ms);
          for (const it of begun) await it.look();
        },
      }),
    );
    const results = await Promise.all(
      [one, other].map((it) =>
        it?.nodes.start().then(
          () => begun.push(it) > 0,
          () => false,
        ),
      ),
    );
    expect(results.toSorted()).toEqual([false, true]);
    expect(ids(await store.nodes())).toEqual(begun.map(({ nodes }) => nodes.self));
  });

  it('RE-3 wait for one of the same name that died a moment ago, no longer than it takes to be sure', async () => {
    const { started, clock, store } = cluster();
    const first = await started();
    const diedAt = clock.now();
    const second = await started();
    expect(clock.now() - diedAt).toBeGreaterThan(nodeSilentMs);
    expect(clock.now() - diedAt).toBeLessThanOrEqual(nodeSilentMs + heartbeatMs);
    await first.look();
    expect(first.told).toEqual(['fenced']);
    await second.look();
    await second.sweeper.idle();
    expect(ids(await store.nodes())).toEqual([second.nodes.self]);
  });

  it('OP-4 refuse one that speaks another version of the protocol, and say which', async () => {
    const { started, node, store, pass } = cluster();
    const north = await started({ name: 'north', protocol: 2, version: '2.0.0' });
    const south = node({ name: 'south' });
    expect(String(await failure(south.nodes.start()))).toMatch(
      /node "north" .* version 2 of the protocol \(Rostrum 2\.0\.0\), this node version 1 \(Rostrum 1\.2\.3\)/,
    );
    expect(ids(await store.nodes())).toEqual([north.nodes.self]);
    // One that is gone does not count, whether anybody has given it up or not.
    await pass(nodeSilentMs + heartbeatMs, []);
    await south.nodes.start();
  });

  it('OP-4 refuse each other where they begin at once with different versions, and leave nothing behind', async () => {
    const { node, store } = cluster();
    const nodes = [node({ name: 'north', protocol: 1 }), node({ name: 'south', protocol: 2 })];
    const failures = await Promise.all(nodes.map((it) => failure(it.nodes.start())));
    expect(failures.some((it) => it instanceof Error)).toBe(true);
    expect(await store.nodes()).toHaveLength(failures.filter((it) => it === undefined).length);
  });

  it('OP-4 say once what a cluster over several machines lacks', async () => {
    const { started, pass } = cluster();
    const north = await started({ name: 'north', internalAddress: '127.0.0.1:3001' });
    const south = await started({ name: 'south', internalAddress: '[::1]:3002' });
    await pass(5000, [north, south]);
    expect([...north.logged, ...south.logged]).toEqual([]);
    const far = await started({ name: 'far', machine: 'there' });
    await pass(5000, [north, south, far]);
    for (const { logged } of [north, south])
      expect(logged).toEqual([
        expect.stringMatching(/^warn: .*records are in a file of one machine/),
        expect.stringMatching(/^warn: .*INTERNAL_ADDRESS/),
      ]);
    expect(far.logged).toEqual([expect.stringMatching(/^warn: .*records are in a file of one machine/)]);
  });

  it('OP-4 say that voices go nowhere from an address of this machine alone', async () => {
    const { started, pass } = cluster();
    const north = await started({ name: 'north', pipeAddress: '127.0.0.1' });
    const far = await started({ name: 'far', machine: 'there', pipeAddress: '10.0.0.2' });
    await pass(5000, [north, far]);
    expect(north.logged).toContainEqual(expect.stringMatching(/^warn: .*PIPE_ADDRESS/));
    expect(far.logged).not.toContainEqual(expect.stringMatching(/PIPE_ADDRESS/));
  });

  it('OP-4 SE-4 refuse one that has another AUTH_SECRET, wherever it is', async () => {
    const { started, node, store } = cluster();
    const north = await started({ name: 'north', agreement: agreement() });
    const stranger = agreement({ authSecret: Buffer.alloc(32, 'x') });
    for (const machine of ['here', 'there'])
      await expect(node({ name: 'south', machine, agreement: stranger }).nodes.start()).rejects.toThrow(
        /"north".*AUTH_SECRET/,
      );
    expect(ids(await store.nodes())).toEqual([north.nodes.self]);
    expect(JSON.stringify(await store.nodes())).not.toContain('ssss');
    // One that is gone does not count.
    await north.nodes.leave();
    await started({ name: 'south', agreement: stranger });
  });

  it('OP-4 refuse one that keeps its records elsewhere on the same machine', async () => {
    const { started, node } = cluster();
    await started({ name: 'north', agreement: agreement() });
    const elsewhere = agreement({ records: 'another file' });
    await expect(node({ name: 'south', agreement: elsewhere }).nodes.start()).rejects.toThrow(/"north".*DATA_DIR/);
    await started({ name: 'far', machine: 'there', agreement: elsewhere });
    await started({ name: 'south', agreement: agreement() });
  });

  it('OP-4 say once of each what it is set to otherwise, and no value', async () => {
    const { started, pass, store } = cluster();
    const north = await started({ name: 'north', agreement: agreement({ settings: new Map([['PLANS', 'true']]) }) });
    const settings = new Map([
      ['PLANS', 'true'],
      ['TURN_SECRET', 'a secret of TURN'],
      ['LIMIT_ROOMS_PER_DAY', '7'],
    ]);
    const south = await started({ name: 'south', agreement: agreement({ settings }) });
    await pass(5000, [north, south]);
    const warning = expect.stringMatching(/^warn: a node of this cluster is set up otherwise/);
    for (const { logged } of [north, south]) expect(logged).toEqual([warning]);
    expect(JSON.stringify(await store.nodes())).not.toContain('a secret of TURN');
    expect(differencesOf(agreement(), agreement({ settings }))).toEqual([
      'LIMIT_ROOMS_PER_DAY',
      'PLANS',
      'TURN_SECRET',
    ]);
    expect(differencesOf(agreement({ settings }), agreement({ settings: new Map([...settings].reverse()) }))).toEqual(
      [],
    );
  });

  it('RE-4 do nothing while the store is away, and give up nobody before it has settled', async () => {
    const { started, pass, store } = cluster();
    let [isReady, isSettled] = [true, true];
    const north = await started({ name: 'north', ready: () => isReady, settled: () => isSettled });
    const south = await started({ name: 'south' });
    await pass(heartbeatMs, [north, south]);
    [isReady, isSettled] = [false, false];
    const before = await store.nodes();
    await pass(20_000, [north]);
    expect(await store.nodes()).toEqual(before);
    isReady = true;
    await pass(heartbeatMs, [north]);
    expect(north.told).toEqual([]);
    expect(ids(north.nodes.peers())).toEqual([south.nodes.self]);
    await pass(heartbeatMs, [north, south]);
    isSettled = true;
    await pass(20_000, [north, south]);
    expect([north.told, south.told]).toEqual([[], []]);
  });

  it('RE-4 do not fail where the store does, and go on when it is back', async () => {
    const { started, store, clock, pass } = cluster();
    const errors: (Error | undefined)[] = [new StateUnavailable('away'), new Error('a fault of ours')];
    const failing: ClusterStore = {
      ...store,
      beat: async (node) => {
        const error = errors.shift();
        if (error) throw error;
        return store.beat(node);
      },
    };
    const north = await started({ name: 'north', store: failing });
    await north.look();
    expect(north.logged).toEqual(['error: this node could not show itself']);
    await pass(heartbeatMs, [north]);
    const [known] = await store.nodes();
    expect(known?.seenAt).toBe(clock.now());
  });

  it('RE-5 never show themselves twice at a time', async () => {
    const { store, started } = cluster();
    let [under, most, beats] = [0, 0, 0];
    const slow: ClusterStore = {
      ...store,
      beat: async (node) => {
        under += 1;
        beats += 1;
        most = Math.max(most, under);
        await Promise.resolve();
        under -= 1;
        return store.beat(node);
      },
    };
    const north = await started({ store: slow });
    await Promise.all([north.nodes.look(), north.nodes.look(), north.nodes.setDraining(), north.nodes.look()]);
    expect(most).toBe(1);
    // The first one, that of the three which came together, and that of the draining.
    expect(beats).toBe(3);
  });

  it('RE-4 say again who they are to a store that came back empty, so that one that died meanwhile is swept', async () => {
    const { started, pass, store, clock } = cluster();
    const [north, south] = [await started({ name: 'north' }), await started({ name: 'south' })];
    const dead = await started({ name: 'dead' });
    await pass(heartbeatMs, [north, south, dead]);
    for (const nodeId of ids(await store.nodes())) await store.forget(nodeId);
    await north.nodes.restate();
    await south.nodes.restate();
    expect(ids(await store.nodes())).toEqual([dead.nodes.self, north.nodes.self, south.nodes.self]);
    expect((await store.nodes()).every(({ seenAt }) => seenAt === clock.now())).toBe(true);
    await pass(nodeSilentMs + heartbeatMs, [north, south]);
    expect(north.told.concat(south.told)).toEqual(expect.arrayContaining([`finish ${dead.nodes.self}`]));
    expect(ids(await store.nodes())).toEqual([north.nodes.self, south.nodes.self]);
    expect([north, south].flatMap(({ told }) => told)).not.toContain('fenced');
  });

  it('RE-4 are fenced where another one has taken their name in a store that came back empty', async () => {
    const { started, store } = cluster();
    const north = await started();
    await store.forget(north.nodes.self);
    const other = await started();
    await north.nodes.restate();
    expect(north.told).toEqual(['fenced']);
    await other.look();
    expect(other.told).toEqual([]);
  });
});
