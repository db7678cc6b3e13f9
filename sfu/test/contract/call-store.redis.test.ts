import { afterAll, beforeAll } from 'vitest';
import { createRedisCallStore } from '../../src/state/redis/redis-call-store.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { callStoreContract } from './call-store.contract.ts';
import { connect, redisSuiteClock } from './redis-support.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

callStoreContract(
  'redis',
  async () => {
    const redis = await connect(server);
    return { store: createRedisCallStore(redis), clock: redisSuiteClock(redis), close: () => redis.close() };
  },
  { runs: 25 },
);
