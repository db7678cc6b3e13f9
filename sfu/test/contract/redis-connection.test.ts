import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createCertificate } from '../../bench/lib/certificate.ts';
import { newId } from '../../src/runtime/ids.ts';
import { openRedis, type RedisConnection } from '../../src/state/redis/connection.ts';
import { judgeServer } from '../../src/state/redis/server-info.ts';
import { Transaction } from '../../src/state/redis/transaction.ts';
import { StateUnavailable } from '../../src/state/room-store.ts';
import { parseRedisUrl } from '../../src/state/url-of-redis.ts';
import { freePort } from '../support/free-port.ts';
import { type RedisServer, type RedisServerOptions, startRedis } from '../support/redis-server.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const start = async (options?: RedisServerOptions): Promise<RedisServer> => {
  const server = await startRedis(options);
  closing.push(() => server.stop());
  return server;
};

/** What is logged, one line a message. */
const logged: string[] = [];
const logger = pino({ level: 'debug' }, { write: (line: string) => logged.push(line) });

const open = async (url: string, prefix = newId()): Promise<RedisConnection> => {
  const redis = await openRedis({ url, prefix, logger, openMs: 1000 });
  closing.push(() => redis.close());
  return redis;
};

const write = async (redis: RedisConnection, value: string): Promise<void> => {
  const transaction = new Transaction();
  transaction.step('HSET', redis.keys.person('ana'), 'field', value);
  await redis.write(transaction);
};

const read = async (redis: RedisConnection): Promise<string | null> => {
  const transaction = new Transaction();
  const step = transaction.step('HGET', redis.keys.person('ana'), 'field');
  return (await redis.read(transaction)).text(step);
};

it('RE-4 what is left behind by a task that wrote back goes by the epoch that came after', async () => {
  const server = await start();
  const redis = await open(server.url);
  const before = await redis.epochs.present();
  if (!before) throw new Error('there is no epoch');
  const isOver = Promise.withResolvers<void>();
  const left: Promise<unknown>[] = [];
  await redis.epochs.during(before, async () => {
    await write(redis, 'here');
    left.push(isOver.promise.then(() => read(redis)));
  });
  const raw = new Redis(server.url);
  closing.push(() => raw.disconnect());
  await raw.hset(redis.keys.epoch.name, 'mark', 'open another');
  redis.epochs.adopt({ id: 'another', state: 'open' });
  isOver.resolve();
  expect(await Promise.all(left)).toEqual(['here']);
});

describe('the URL of Redis', () => {
  it.each([
    ['redis://localhost', { host: 'localhost', port: 6379, db: 0 }],
    ['redis://10.0.0.1:7000/3', { host: '10.0.0.1', port: 7000, db: 3 }],
    ['redis://[::1]:7000/', { host: '::1', port: 7000, db: 0 }],
    ['redis://ana:p%40ss@redis', { host: 'redis', port: 6379, db: 0, username: 'ana', password: 'p@ss' }],
    ['redis://:secret@redis/1', { host: 'redis', port: 6379, db: 1, password: 'secret' }],
    ['rediss://redis', { host: 'redis', port: 6379, db: 0, tls: {} }],
    [
      'redis+sentinel://one:26380,two,[::1]:26381/main',
      {
        sentinels: [
          { host: 'one', port: 26380 },
          { host: 'two', port: 26379 },
          { host: '::1', port: 26381 },
        ],
        name: 'main',
        db: 0,
      },
    ],
    [
      'redis+sentinel://ana:p%2Fss@one/main/4?sentinelUsername=s&sentinelPassword=t%26u',
      {
        sentinels: [{ host: 'one', port: 26379 }],
        name: 'main',
        db: 4,
        username: 'ana',
        password: 'p/ss',
        sentinelUsername: 's',
        sentinelPassword: 't&u',
      },
    ],
    [
      'rediss+sentinel://:secret@one/main',
      {
        sentinels: [{ host: 'one', port: 26379 }],
        name: 'main',
        db: 0,
        password: 'secret',
        tls: {},
        sentinelTLS: {},
        enableTLSForSentinelMode: true,
      },
    ],
  ])('OP-4 is read: %s', (url, address) => {
    expect(parseRedisUrl(url)).toEqual({ address });
  });

  it.each([
    ['', 'must be'],
    ['localhost:6379', 'must be'],
    ['http://localhost', 'must be'],
    ['redis://', 'must be'],
    ['redis://host/one', 'must be'],
    ['redis://host/1/2', 'must be'],
    ['redis://host?db=1', 'must be'],
    ['redis://ana:50%secret@host', 'must be'],
    ['redis+sentinel://one,two', 'must be'],
    ['redis+sentinel://one,,two/main', 'must be'],
    ['redis+sentinel://one/main?secret=secret', 'must be'],
    ['redis://ana:secret@one:1,two:2', 'Redis Cluster'],
    ['redis+cluster://ana:secret@one:1', 'Redis Cluster'],
  ])('SE-4 is refused without being repeated: %s', (url, why) => {
    const parsed = parseRedisUrl(url);
    expect('problem' in parsed && parsed.problem).toContain(why);
    expect(JSON.stringify(parsed)).not.toContain('secret');
  });
});

describe('what Redis says of itself', () => {
  const info = (facts: Readonly<Record<string, string>>): string => {
    const all = { redis_version: '7.0.15', role: 'master', maxmemory: '0', maxmemory_policy: 'allkeys-lru', ...facts };
    return `# Server\r\n${Object.entries(all)
      .map(([name, value]) => `${name}:${value}\r\n`)
      .join('')}`;
  };

  it.each([
    [{}, {}],
    [{ redis_version: '6.2.0' }, {}],
    [{ redis_version: '10.1.0' }, {}],
    [{ maxmemory: '1000000', maxmemory_policy: 'noeviction' }, {}],
    [{ maxmemory: '1000000' }, { warning: expect.stringContaining('allkeys-lru') }],
    [{ redis_version: '6.0.16' }, { objection: expect.stringContaining('6.2 or newer') }],
    [{ redis_version: '5.0.14' }, { objection: expect.stringContaining('6.2 or newer') }],
    [{ role: 'slave' }, { objection: expect.stringContaining('replica') }],
    [{ cluster_enabled: '1' }, { objection: expect.stringContaining('Redis Cluster') }],
  ])('OP-4 is judged: %j', (facts, verdict) => {
    expect(judgeServer(info(facts))).toEqual(verdict);
  });
});

describe('a connection to Redis', () => {
  it('OP-4 signs in, and uses the database and the prefix that it is given', async () => {
    const server = await start({ configuration: ['user default off', 'user ana on >p@ss ~rostrum:* &* +@all'] });
    const redis = await open(`redis://ana:p%40ss@127.0.0.1:${server.port}/3`, 'rostrum');
    await write(redis, 'a value');
    expect(await read(redis)).toBe('a value');
    expect(redis.ready()).toEqual({ ready: true });
    const raw = new Redis({ port: server.port, db: 3, username: 'ana', password: 'p@ss' });
    closing.push(() => raw.disconnect());
    expect((await raw.keys('rostrum:*')).toSorted()).toEqual(['rostrum:epoch', 'rostrum:person:ana']);
  });

  it('OP-4 says that its user may not do what is needed', async () => {
    const server = await start({ configuration: ['user ana on >secret ~* &* +@all'] });
    const url = `redis://ana:secret@127.0.0.1:${server.port}`;
    const redis = await open(url);
    const raw = new Redis(server.url);
    closing.push(() => raw.disconnect());
    await raw.call('ACL', 'SETUSER', 'ana', 'resetkeys', '~other:*');
    await expect(open(url)).rejects.toThrow('Redis does not permit its user what Rostrum needs');
    logged.length = 0;
    const failure = await write(redis, 'a private value').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StateUnavailable);
    logger.error({ err: failure }, 'whoever logs it');
    expect(logged.join()).not.toContain('private');
    expect(redis.ready()).toEqual({ ready: false, why: 'Redis does not permit its user what Rostrum needs' });
  });

  it.each([
    ['another password', ':no-secret@', 'Redis refuses the password'],
    ['no password', '', 'Redis asks for a password'],
  ])('SE-4 says that it was given %s, and not which', async (_, credentials, why) => {
    const server = await start({ configuration: ['requirepass secret'] });
    logged.length = 0;
    const failure = await open(`redis://${credentials}127.0.0.1:${server.port}`).catch((error: unknown) => error);
    expect(failure).toMatchObject({ message: why });
    expect(`${String(failure)} ${logged.join()}`).not.toContain('secret');
  });

  it('OP-4 refuses a database that there is not, and does not go on in another one', async () => {
    const server = await start();
    await expect(open(`${server.url}/77`)).rejects.toThrow('no database of the number in REDIS_URL');
    const raw = new Redis(server.url);
    closing.push(() => raw.disconnect());
    expect(await raw.dbsize()).toBe(0);
  });

  it('OP-4 says that nobody is there', async () => {
    await expect(open(`redis://127.0.0.1:${await freePort()}`)).rejects.toThrow(/cannot be reached: .*ECONNREFUSED/);
  });

  it('OP-4 says that what is there does not answer', async () => {
    const silent = createServer().listen(0);
    closing.push(() => silent.close());
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    await expect(open(`redis://127.0.0.1:${port}`)).rejects.toThrow('cannot be reached');
  });

  it('OP-4 refuses a Redis Cluster, with the reason', async () => {
    const server = await start({ configuration: ['cluster-enabled yes'] });
    await expect(open(server.url)).rejects.toThrow('this Redis is a Redis Cluster, whose slots a commit');
  });

  it('OP-4 refuses a replica', async () => {
    const master = await start();
    const replica = await start({ configuration: [`replicaof 127.0.0.1 ${master.port}`] });
    await vi.waitFor(() => expect(replica.log()).toContain('Finished with success'), { timeout: 15_000 });
    await expect(open(replica.url)).rejects.toThrow('this Redis is a replica');
  });

  it('OP-4 warns of a Redis that drops keys', async () => {
    const server = await start({ configuration: ['maxmemory 100mb', 'maxmemory-policy allkeys-lru'] });
    logged.length = 0;
    await open(server.url);
    expect(logged.join()).toContain('maxmemory-policy allkeys-lru');
  });

  it('SE-4 speaks TLS, and only to who has a certificate that it can trust', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rostrum-redis-tls-'));
    closing.push(() => rm(folder, { recursive: true }));
    const [certificate, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const { der, privateKey } = createCertificate();
    const text = der.toString('base64').replace(/(.{64})/g, '$1\n');
    await writeFile(certificate, `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`);
    await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const port = await freePort();
    const tls = [`tls-port ${port}`, `tls-cert-file ${certificate}`, `tls-key-file ${key}`, 'tls-auth-clients no'];
    await start({ configuration: [...tls, `tls-ca-cert-file ${certificate}`] });
    await expect(open(`rediss://127.0.0.1:${port}`)).rejects.toThrow(/cannot be reached: .*self-signed certificate/);
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    closing.push(() => vi.unstubAllEnvs());
    const redis = await open(`rediss://127.0.0.1:${port}`);
    await write(redis, 'a value');
    expect(await read(redis)).toBe('a value');
  });

  it('RE-5 closes once, however often it is told, and refuses everything from then on', async () => {
    const server = await start();
    const redis = await open(server.url);
    const raw = new Redis(server.url);
    closing.push(() => raw.disconnect());
    await Promise.all([redis.close(), redis.close()]);
    await redis.close();
    expect(await raw.client('LIST')).not.toContain('name=rostrum');
    await expect(read(redis)).rejects.toThrow(StateUnavailable);
    await expect(write(redis, 'a value')).rejects.toThrow(StateUnavailable);
    expect(redis.ready()).toEqual({ ready: false, why: 'the connection to Redis is closed' });
    expect(await raw.keys('*')).toEqual([redis.keys.epoch.name]);
  });

  it('RE-4 finds the new master by Sentinel when the old one dies', async () => {
    const auth = ['requirepass secret', 'masterauth secret'];
    const master = await start({ configuration: auth });
    const replica = await start({ configuration: [...auth, `replicaof 127.0.0.1 ${master.port}`] });
    const sentinel = await start({
      options: ['--sentinel'],
      configuration: [
        `sentinel monitor main 127.0.0.1 ${master.port} 1`,
        'sentinel auth-pass main secret',
        'sentinel down-after-milliseconds main 500',
        'sentinel failover-timeout main 3000',
      ],
    });
    const asked = new Redis(sentinel.url);
    closing.push(() => asked.disconnect());
    await vi.waitFor(async () => expect(await asked.call('SENTINEL', 'REPLICAS', 'main')).toHaveLength(1), {
      timeout: 20_000,
      interval: 100,
    });
    const redis = await open(`redis+sentinel://:secret@127.0.0.1:${sentinel.port}/main/2`);
    await write(redis, 'before');
    const raw = new Redis({ port: replica.port, password: 'secret', db: 2 });
    closing.push(() => raw.disconnect());
    const { name } = redis.keys.person('ana');
    // A replica that was never filled would be a Redis that comes back empty.
    await vi.waitFor(async () => expect(await raw.hget(name, 'field')).toBe('before'), { timeout: 20_000 });
    await master.stop();
    await expect(write(redis, 'lost')).rejects.toThrow(StateUnavailable);
    expect(redis.ready().ready).toBe(false);
    await vi.waitFor(() => write(redis, 'after'), { timeout: 40_000, interval: 100 });
    await vi.waitFor(() => expect(redis.ready()).toEqual({ ready: true }), { timeout: 20_000 });
    expect(await raw.hget(name, 'field')).toBe('after');
  }, 90_000);
});
