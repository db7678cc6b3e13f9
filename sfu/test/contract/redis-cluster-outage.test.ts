import { setTimeout as delay } from 'node:timers/promises';
import { defaultLimits } from '@rostrum/shared/limits.ts';
import { done } from '@rostrum/shared/result.ts';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ClusterNodes, newNodeId } from '../../src/cluster/nodes.ts';
import { OutageWatch } from '../../src/cluster/outage.ts';
import { Sweeper } from '../../src/cluster/sweep.ts';
import { newId } from '../../src/runtime/ids.ts';
import type { ClusterStore } from '../../src/state/cluster-store.ts';
import type { RedisConnection } from '../../src/state/redis/connection.ts';
import { createRedisClusterStore } from '../../src/state/redis/redis-cluster-store.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { connect, given } from './redis-support.ts';

/** Shorter than by default, so that an outage of three seconds is longer than a node may be silent. */
const limits = { ...defaultLimits, heartbeatMs: 200, nodeSilentMs: 1500 };
const logger = pino({ level: 'silent' });
const aWhile = { timeout: 15_000, interval: 20 };

let server: RedisServer;
let prefix: string;
const closing: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  server = await startRedis();
  prefix = newId();
});
afterEach(async () => {
  server.thaw();
  for (const close of closing.splice(0).reverse()) await close();
  await server.stop();
});

type RunningNode = {
  readonly nodes: ClusterNodes;
  readonly store: ClusterStore;
  readonly connection: RedisConnection;
  readonly watch: OutageWatch;
  readonly told: string[];
  /** The process of this node stops, as far as the others can see, or goes on. */
  freeze(): void;
  thaw(): void;
};

/** A node as a process has it, with everything that runs by itself. */
const runningNode = async (name: string): Promise<RunningNode> => {
  const connection = await connect(server, { prefix, answerMs: 1000 });
  const store = createRedisClusterStore(connection);
  const told: string[] = [];
  const tell = async (...words: readonly string[]): Promise<void> => {
    told.push(words.join(' '));
  };
  let isFrozen = false;
  const { clock } = connection;
  const ready = (): boolean => connection.ready().ready;
  const watch = new OutageWatch({
    ready,
    clock,
    limits,
    logger,
    lost: () => void tell('lost'),
    back: () => void tell('back'),
    settledAgain: () => void tell('settled'),
  });
  const sweeper = new Sweeper({
    store,
    clock,
    limits,
    logger,
    ports: {
      loseSeat: async (...words) => done(await tell('seat', ...words)),
      loseCall: ({ userId, sessionId }, nodeId) => tell('call', userId, sessionId, nodeId),
      nodeLost: (nodeId, roomIds) => tell('rooms', nodeId, ...roomIds),
      finish: (nodeId) => tell('finish', nodeId),
    },
  });
  const nodes = new ClusterNodes({
    store,
    clock,
    limits,
    logger,
    identity: { nodeId: newNodeId(name), name, version: '1.2.3', protocol: 1, machine: 'here' },
    says: () => ({ internalAddress: '127.0.0.1:1', load: { sockets: 0, rooms: 0, consumers: 0, full: false } }),
    ready: () => !isFrozen && ready(),
    settled: () => watch.settled(),
    gone: (nodeId) => void tell('gone', nodeId),
    fenced: () => void tell('fenced'),
    sweep: (nodeIds, rank) => sweeper.sweep(nodeIds, rank),
  });
  closing.push(async () => {
    watch.stop();
    await nodes.leave();
    await sweeper.stop();
    await connection.close();
  });
  watch.start();
  await nodes.start();
  return {
    nodes,
    store,
    connection,
    watch,
    told,
    freeze: () => {
      isFrozen = true;
    },
    thaw: () => {
      isFrozen = false;
    },
  };
};

const threeNodes = async (): Promise<RunningNode[]> => {
  const nodes: RunningNode[] = [];
  for (const name of ['a', 'b', 'c']) {
    nodes.push(await runningNode(name));
    // Each shows itself at another time, as the nodes of a cluster do.
    await delay(limits.heartbeatMs / 3);
  }
  await vi.waitFor(() => {
    for (const node of nodes) {
      expect(node.nodes.peers()).toHaveLength(2);
      expect(node.watch.settled()).toBe(true);
    }
  }, aWhile);
  return nodes;
};

/** What a node was told that is not about the store, which a busy machine may make seem away. */
const aboutNodes = ({ told }: RunningNode): string[] => told.filter((what) => !/^(lost|back|settled)$/.test(what));

describe('nodes on a Redis that hangs', () => {
  it('RE-4 give nobody up when Redis stood still for longer than a node may be silent', async () => {
    const nodes = await threeNodes();
    const session = { userId: newId(), sessionId: newId(), roomId: newId() };
    const first = given(nodes);
    await first.store.hold(first.nodes.self, session);
    server.freeze();
    await delay(3000);
    server.thaw();
    await vi.waitFor(() => {
      for (const { told } of nodes) expect(told).toEqual(expect.arrayContaining(['lost', 'back', 'settled']));
    }, aWhile);
    // Long enough for all of them to have looked at all of them.
    await delay(limits.nodeSilentMs);
    for (const node of nodes) {
      expect(aboutNodes(node)).toEqual([]);
      expect(node.nodes.peers()).toHaveLength(2);
    }
    expect(await first.store.heldBy(first.nodes.self, 10)).toEqual([session]);
  }, 60_000);

  it('RE-3 give one up that stood still itself, sweep it, and fence it off when it goes on', async () => {
    const nodes = await threeNodes();
    const [frozen, one, other] = [given(nodes, 1), given(nodes, 0), given(nodes, 2)];
    const sessions = Array.from({ length: 5 }, () => ({ userId: newId(), sessionId: newId(), roomId: 'room' }));
    for (const session of sessions) await frozen.store.hold(frozen.nodes.self, session);
    frozen.freeze();
    await vi.waitFor(() => {
      expect([...one.told, ...other.told]).toContain(`finish ${frozen.nodes.self}`);
      for (const { told } of [one, other]) expect(told).toContain(`gone ${frozen.nodes.self}`);
    }, aWhile);
    const lost = new Set([...one.told, ...other.told].filter((what) => what.startsWith('seat')));
    expect(lost).toEqual(
      new Set(sessions.map(({ userId, sessionId }) => `seat room ${userId} ${sessionId} ${frozen.nodes.self}`)),
    );
    await vi.waitFor(async () => {
      expect((await one.store.nodes()).map(({ name }) => name)).toEqual(['a', 'c']);
    }, aWhile);
    expect(aboutNodes(frozen)).toEqual([]);
    // Before it knows that it was given up it may have taken somebody in.
    await frozen.store.hold(frozen.nodes.self, given(sessions));
    frozen.thaw();
    await vi.waitFor(() => expect(aboutNodes(frozen)).toEqual(['fenced']), aWhile);
    expect(await one.store.heldBy(frozen.nodes.self, 10)).toEqual([]);
    const again = await runningNode('b');
    await vi.waitFor(() => expect(one.nodes.addressOf(again.nodes.self)).toBe('127.0.0.1:1'), aWhile);
  }, 60_000);

  it('OP-4 refuse a second node of one name, and let it in when the first one has left', async () => {
    const first = await runningNode('a');
    await expect(runningNode('a')).rejects.toThrow('another node named "a" lives already, at 127.0.0.1:1');
    expect(aboutNodes(first)).toEqual([]);
    await first.nodes.leave();
    const second = await runningNode('a');
    expect((await second.store.nodes()).map(({ nodeId }) => nodeId)).toEqual([second.nodes.self]);
  }, 60_000);
});
