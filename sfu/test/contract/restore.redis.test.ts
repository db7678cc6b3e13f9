import { afterAll, beforeAll } from 'vitest';
import { createRedisCallStore } from '../../src/state/redis/redis-call-store.ts';
import { createRedisRoomStore } from '../../src/state/redis/redis-room-store.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { connect } from './redis-support.ts';
import { restoreContract } from './restore.contract.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

restoreContract('redis', async () => {
  const redis = await connect(server);
  return { rooms: createRedisRoomStore(redis), calls: createRedisCallStore(redis), close: () => redis.close() };
});
