import { afterAll, beforeAll } from 'vitest';
import { newId } from '../../src/runtime/ids.ts';
import { createRedisClusterStore } from '../../src/state/redis/redis-cluster-store.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { clusterStoreContract } from './cluster-store.contract.ts';
import { connect, given, redisSuiteClock } from './redis-support.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

clusterStoreContract('redis', async () => {
  const prefix = newId();
  const connections = await Promise.all([1, 2, 3].map(() => connect(server, { prefix })));
  return {
    stores: connections.map((connection) => createRedisClusterStore(connection)),
    clock: redisSuiteClock(given(connections)),
    close: async () => {
      await Promise.all(connections.map((connection) => connection.close()));
    },
  };
});
