import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../media/harness.ts';
import { withRedis } from '../support/cluster-redis.ts';
import { type Cluster, prefixOfTests, type ServerNode, startCluster, stopClusters } from '../support/nodes.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';

describe('what a node says when it cannot join a cluster', { timeout: 60_000 }, () => {
  let cluster: Cluster;
  const servers: RedisServer[] = [];

  beforeAll(async () => {
    cluster = await startCluster({ nodes: 2 });
  }, 90_000);
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });
  afterAll(stopClusters);

  const redis = async (...options: string[]): Promise<RedisServer> => {
    const server = await startRedis({ options });
    servers.push(server);
    return server;
  };

  /** Starts a node that must not come up: how it ended, and what it said. */
  const refused = async (env: Record<string, string>, name = 'node-x'): Promise<string> => {
    const node: ServerNode = await cluster.another(name, env);
    node.launch();
    await until(
      `${name} has given up, or come up`,
      () => node.exited !== undefined || node.log().includes('Rostrum is at'),
      30_000,
    );
    expect(node.exited, node.log()).toEqual({ code: 1, signal: null });
    return node.log();
  };

  it('OP-4 SE-4 a wrong password: said, and not repeated', async () => {
    const { port } = await redis('--requirepass', 'the-right-one');
    const said = await refused({ REDIS_URL: `redis://:not-the-right-one@127.0.0.1:${port}` });
    expect(said).toMatch(/password/i);
    expect(said).not.toContain('not-the-right-one');
    expect(await refused({ REDIS_URL: `redis://127.0.0.1:${port}` })).toMatch(/password/i);
  });

  it('OP-4 a Redis Cluster, by its URL and by what it is, with the reason', async () => {
    expect(await refused({ REDIS_URL: 'redis+cluster://127.0.0.1:6379' })).toMatch(/REDIS_URL.*Redis Cluster.*slots/);
    const { url } = await redis('--cluster-enabled', 'yes');
    expect(await refused({ REDIS_URL: url })).toMatch(/is a Redis Cluster.*slots/);
  });

  it('OP-4 nobody there, in a line of its own beside the log', async () => {
    const gone = await startRedis();
    await gone.stop();
    expect(await refused({ REDIS_URL: gone.url })).toMatch(/^Rostrum could not start: Redis cannot be reached/m);
  });

  it('OP-4 the keys of another application under our prefix, of which nothing is lost', async () => {
    const { url } = await redis();
    await withRedis(url, async (other) => {
      await other.set(`${prefixOfTests}:rooms`, 'not ours');
      await other.set(`${prefixOfTests}:something`, 'neither');
    });
    const said = await refused({ REDIS_URL: url });
    expect(said).toMatch(/REDIS_PREFIX/);
    expect(await withRedis(url, (other) => other.mget(`${prefixOfTests}:rooms`, `${prefixOfTests}:something`))).toEqual(
      ['not ours', 'neither'],
    );
  });

  it('OP-4 an address between nodes that is taken, or that this machine does not have, in words', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    try {
      expect(await refused({ INTERNAL_ADDRESS: `127.0.0.1:${port}` })).toMatch(/^A port is taken.*INTERNAL_ADDRESS/m);
    } finally {
      taken.close();
    }
    // From a block for documentation (RFC 5737), which no machine has.
    expect(await refused({ INTERNAL_ADDRESS: '203.0.113.77:3001' })).toMatch(
      /^No network interface of this machine.*INTERNAL_ADDRESS 203\.0\.113\.77/m,
    );
  });

  it('OP-4 another AUTH_SECRET, or records of its own; the others go on', async () => {
    const said = await refused({ AUTH_SECRET: 'a secret that no other node of this test has, long' });
    expect(said).toMatch(/node-\d.* has another AUTH_SECRET/);
    expect(said).not.toContain('that no other node');
    const folder = await mkdtemp(join(tmpdir(), 'rostrum-elsewhere-'));
    try {
      expect(await refused({ DATA_DIR: folder })).toMatch(/node-\d.* give every node the same DATA_DIR/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    for (const node of cluster.nodes) expect((await node.readiness()).ready).toBe(true);
  });

  it('OP-4 other limits are said on both sides, and not refused: nodes are changed one by one', async () => {
    const node = await cluster.another('node-other', { LIMIT_ROOMS_PER_DAY: '7' });
    await node.start();
    const [before] = cluster.nodes;
    await until('both have said so', () =>
      [node, before].every((it) => /"variables":\["LIMIT_ROOMS_PER_DAY"\].*set up otherwise/.test(it?.log() ?? '')),
    );
    await node.stop();
  });

  it('OP-4 a database that there is not', async () => {
    const { url } = await redis();
    expect(await refused({ REDIS_URL: `${url}/77` })).toMatch(/no database of the number in REDIS_URL/);
  });

  it('OP-4 RM-3 a process that was not told of the cluster: it ends nothing in the records of those who serve', async () => {
    expect(await refused({ REDIS_URL: '' })).toMatch(/^Rostrum could not start: Another Rostrum serves.*DATA_DIR/m);
    for (const node of cluster.nodes) expect((await node.readiness()).ready).toBe(true);
  });

  it('OP-4 a name that another node has; that one goes on', async () => {
    expect(await refused({}, 'node-1')).toMatch(/node-1.*NODE_NAME|NODE_NAME.*node-1/);
    for (const node of cluster.nodes) expect((await node.readiness()).ready).toBe(true);
  });
});
