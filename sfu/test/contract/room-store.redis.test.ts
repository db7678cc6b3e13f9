import { afterAll, beforeAll } from 'vitest';
import { createRedisRoomStore } from '../../src/state/redis/redis-room-store.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { connect, redisSuiteClock } from './redis-support.ts';
import { roomStoreContract } from './room-store.contract.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

roomStoreContract('redis', async () => {
  const redis = await connect(server);
  return { store: createRedisRoomStore(redis), clock: redisSuiteClock(redis), close: () => redis.close() };
});
