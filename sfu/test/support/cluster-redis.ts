import { Redis } from 'ioredis';

/** Looks into a Redis as an operator would, past everything of ours. */
export const withRedis = async <Value>(url: string, look: (redis: Redis) => Promise<Value>): Promise<Value> => {
  const redis = new Redis(url, { maxRetriesPerRequest: 1 });
  redis.on('error', () => undefined);
  try {
    return await look(redis);
  } finally {
    redis.disconnect();
  }
};

/**
 * Every key under this prefix with what it holds, as text. Streams are left out: what nodes told each other goes by itself, and
 * says what was.
 */
export const contentsOf = (url: string, prefix: string): Promise<Map<string, string>> =>
  withRedis(url, async (redis) => {
    const contents = new Map<string, string>();
    let cursor = '0';
    do {
      const [next, keys] = await redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', 1000);
      cursor = next;
      for (const key of keys) contents.set(key, await contentOf(redis, key));
    } while (cursor !== '0');
    return contents;
  });

const contentOf = async (redis: Redis, key: string): Promise<string> => {
  switch (await redis.type(key)) {
    case 'string':
      return (await redis.get(key)) ?? '';
    case 'hash':
      return JSON.stringify(await redis.hgetall(key));
    case 'set':
      return JSON.stringify(await redis.smembers(key));
    case 'zset':
      return JSON.stringify(await redis.zrange(key, '0', '-1'));
    case 'list':
      return JSON.stringify(await redis.lrange(key, 0, -1));
    default:
      return '';
  }
};

/** Runs of the node of this name that anything in Redis names: `<name>~<random>`. */
export const runsIn = (contents: ReadonlyMap<string, string>, name: string): Set<string> =>
  new Set(
    [...contents].flatMap(([key, value]) =>
      [...`${key} ${value}`.matchAll(new RegExp(`${name}~[\\w-]+`, 'g'))].map(([run]) => run),
    ),
  );
