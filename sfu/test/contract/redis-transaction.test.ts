import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../src/runtime/ids.ts';
import type { RedisConnection } from '../../src/state/redis/connection.ts';
import type { Key, KeyType } from '../../src/state/redis/keys.ts';
import { type Guard, type Step, Transaction } from '../../src/state/redis/transaction.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { connect, redisSuiteClock } from './redis-support.ts';

let server: RedisServer;
let redis: RedisConnection;
let raw: Redis;
beforeAll(async () => {
  server = await startRedis();
  redis = await connect(server);
  raw = new Redis(server.url);
});
beforeEach(async () => {
  const present = await keysThere();
  if (present.length > 0) await raw.del(...present);
});
afterAll(async () => {
  raw.disconnect();
  await redis.close();
  await server.stop();
});

/** All but the epoch. */
const keysThere = async (): Promise<string[]> => (await raw.keys('*')).filter((name) => name !== redis.keys.epoch.name);

const key = <Type extends KeyType>(type: Type, name: string = newId()): Key<Type> => ({ type, name });
const hash = key('hash', 'a hash');
const line = key('zset', 'a line');
const set = key('set', 'a set');
const target = key('hash', 'what is written');

/** What stands in the way of a write, if anything does. */
const outcomeOf = async (name: Guard, ...words: Parameters<Transaction['step']>[1][]): Promise<string> => {
  const transaction = new Transaction<'refused'>();
  transaction.guard('refused', name, ...words);
  transaction.step('HSET', target, 'field', 'written');
  const { code } = await redis.write(transaction);
  expect(await raw.exists(target.name)).toBe(code === 'done' ? 1 : 0);
  await raw.del(target.name);
  return code;
};

const pageOf = async (direction: 'up' | 'down', most: number, after?: { score: number; member: string }) => {
  const transaction = new Transaction();
  const step = transaction.step('page', line, direction, after?.score ?? '', after?.member ?? '', most);
  return (await redis.read(transaction)).page(step);
};

describe('transactions in Redis', () => {
  it('RE-1 writes only where each guard holds', async () => {
    await raw.hset(hash.name, 'field', 'value', 'number', '5');
    await raw.zadd(line.name, 1_750_000_000_001, 'ana', -998_249_999_999_999, 'ben');
    await raw.sadd(set.name, 'one', 'two', 'three');
    const nothing = key('hash');
    const cases: [boolean, Guard, ...Parameters<Transaction['step']>[1][]][] = [
      [true, 'exists', hash],
      [false, 'exists', nothing],
      [true, 'missing', nothing],
      [false, 'missing', hash],
      [true, 'equals', hash, 'field', 'value'],
      [true, 'equals', hash, 'number', 5],
      [false, 'equals', hash, 'field', 'Value'],
      [false, 'equals', hash, 'other', 'value'],
      [false, 'equals', nothing, 'field', ''],
      [true, 'absent', hash, 'other'],
      [true, 'absent', nothing, 'field'],
      [false, 'absent', hash, 'field'],
      [true, 'scored', line, 'ana', 1_750_000_000_001],
      [true, 'scored', line, 'ben', -998_249_999_999_999],
      [false, 'scored', line, 'ana', 1_750_000_000_000],
      [false, 'scored', line, 'joe', 0],
      [true, 'below', 3, hash],
      [false, 'below', 2, hash],
      [true, 'below', 8, hash, line, set],
      [false, 'below', 7, hash, line, set],
      [true, 'below', 1, nothing],
      [false, 'below', 0, nothing],
      [true, 'exactly', 3, set],
      [false, 'exactly', 2, set],
      [true, 'exactly', 0, nothing],
    ];
    for (const [holds, name, ...words] of cases)
      expect({ name, words, outcome: await outcomeOf(name, ...words) }).toEqual({
        name,
        words,
        outcome: holds ? 'done' : 'refused',
      });
  });

  it('RE-1 answers with the code of the first guard that does not hold, and writes nothing', async () => {
    const transaction = new Transaction<'first' | 'second' | 'third'>();
    transaction.guard('first', 'missing', hash);
    transaction.guard('second', 'exists', hash);
    transaction.guard('third', 'exists', set);
    transaction.step('SADD', set, 'member');
    expect(await redis.write(transaction)).toEqual({ code: 'second' });
    expect(await keysThere()).toEqual([]);
  });

  it('RE-4 writes nothing after its expiry, by the clock of Redis', async () => {
    const clock = redisSuiteClock(redis);
    const transaction = new Transaction();
    transaction.step('SADD', set, 'member');
    const expiresAt = clock.earliest();
    await clock.until(expiresAt + 1);
    expect(await redis.writeBy(transaction, expiresAt)).toEqual({ code: 'expired' });
    expect(await raw.exists(set.name)).toBe(0);
    expect((await redis.writeBy(transaction, clock.latest() + clock.slackMs)).code).toBe('done');
    expect(await raw.exists(set.name)).toBe(1);
  });

  it('answers what each step came to, in order', async () => {
    const transaction = new Transaction();
    const text = key('string');
    const added = transaction.step('SADD', set, 'one', 'two');
    const counted = transaction.step('HINCRBY', hash, 'number', 7);
    const missing = transaction.step('HGET', hash, 'nothing');
    transaction.step('SET', text, 'empty \u0000 ☃ "\r\n', 'PXAT', Date.now() + 60_000);
    const got = transaction.step('GET', text);
    const fields = transaction.step('HMGET', hash, 'nothing', 'number', 'nothing');
    const removed = transaction.step('UNLINK', text);
    const reply = await redis.write(transaction);
    if (reply.code !== 'done') throw new Error('it is carried out');
    const { results } = reply;
    expect([added, counted, removed].map((step) => results.count(step))).toEqual([2, 7, 1]);
    expect(results.text(missing)).toBeNull();
    expect(results.text(got)).toBe('empty \u0000 ☃ "\r\n');
    expect(results.texts(fields)).toEqual([null, '7', null]);
    expect(() => results.count(got)).toThrow('has no number');
    expect(() => results.text(added)).toThrow('has no text');
    expect(() => results.texts(added)).toThrow('has no list');
  });

  it('RE-4 writes what is newest, fills what is missing, and raises numbers', async () => {
    const [times, standing] = [key('hash'), key('hash')];
    const wrote = async (name: 'newest' | 'fill', field: string, time: number, value: string): Promise<number> => {
      const transaction = new Transaction();
      const step = transaction.step(name, hash, field, times, `seat ${field}`, time, value, line, time);
      const reply = await redis.write(transaction);
      return reply.code === 'done' ? reply.results.count(step) : -1;
    };
    expect(await wrote('newest', 'ana', 5, 'five')).toBe(1);
    expect(await wrote('newest', 'ana', 4, 'four')).toBe(0);
    expect(await wrote('newest', 'ben', 7, '')).toBe(1);
    expect(await wrote('newest', 'ben', 6, 'six')).toBe(0);
    expect(await wrote('fill', 'ben', 9, 'nine')).toBe(0);
    expect(await wrote('fill', 'carl', 1, 'one')).toBe(1);
    expect(await wrote('fill', 'carl', 2, 'two')).toBe(0);
    expect(await raw.hgetall(hash.name)).toEqual({ ana: 'five', carl: 'one' });
    expect(await raw.zrange(line.name, '0', '-1')).toEqual(['carl', 'ana']);
    expect(await wrote('newest', 'ana', 6, '')).toBe(1);
    expect(await raw.zrange(line.name, '0', '-1')).toEqual(['carl']);

    const transaction = new Transaction();
    transaction.step('newest', standing, 'dan', times, 'dan', 1, 'without a place');
    for (const number of [3, 2, 5]) transaction.step('raise', standing, 'number', number);
    await redis.write(transaction);
    expect(await raw.hgetall(standing.name)).toEqual({ dan: 'without a place', number: '5' });
    await raw.hset(hash.name, 'version', 4);
    expect(await outcomeOf('older', hash, 'version', 5)).toBe('done');
    expect(await outcomeOf('older', hash, 'version', 4)).toBe('refused');
    expect(await outcomeOf('older', hash, 'nothing', 0)).toBe('done');
  });

  it('says which key is not ours, and writes nothing', async () => {
    await raw.set(line.name, 'of another application');
    const transaction = new Transaction();
    transaction.step('SADD', set, 'member');
    transaction.step('ZADD', line, 1, 'member');
    await expect(redis.write(transaction)).rejects.toThrow(
      `choose another one: ${line.name} is a string where a zset should be`,
    );
    expect(await keysThere()).toEqual([line.name]);
    expect(await raw.get(line.name)).toBe('of another application');
  });

  it('goes on when Redis has forgotten the script', async () => {
    const transaction = new Transaction();
    const step = transaction.step('SCARD', set);
    expect((await redis.read(transaction)).count(step)).toBe(0);
    await raw.script('FLUSH');
    const answers = await Promise.all([1, 2, 3].map(() => redis.read(transaction)));
    expect(answers.map((results) => results.count(step))).toEqual([0, 0, 0]);
  });

  it('RM-10 appends behind the last one, and leaves who is there in their place', async () => {
    const arrive = async (member: string): Promise<void> => {
      const transaction = new Transaction();
      transaction.step('append', line, member);
      await redis.write(transaction);
    };
    for (const member of ['zoe', 'ana', 'ben', 'ana']) await arrive(member);
    await raw.zrem(line.name, 'ben');
    await arrive('eve');
    await raw.zrem(line.name, 'ana');
    await arrive('ana');
    expect(await raw.zrange(line.name, '0', '-1')).toEqual(['zoe', 'eve', 'ana']);
  });

  it('RM-10 reads thousands of entries in order, without those that are missing', async () => {
    const members = Array.from({ length: 3500 }, (_, index) => `member ${index}`);
    const transaction = new Transaction();
    for (const member of members) transaction.step('append', line, member);
    await redis.write(transaction);
    await raw.hset(hash.name, new Map(members.map((member) => [member, `value of ${member}`])));
    await raw.hdel(hash.name, 'member 1001');
    const reading = new Transaction();
    const [all, some, behind] = [
      [0, -1],
      [1000, 1002],
      [4000, 5000],
    ].map(([from = 0, to = 0]): Step => reading.step('entries', line, hash, from, to));
    const results = await redis.read(reading);
    const expected = members.map((member) => (member === 'member 1001' ? null : `value of ${member}`));
    expect(results.texts(all ?? 0)).toEqual(expected);
    expect(results.texts(some ?? 0)).toEqual(expected.slice(1000, 1003));
    expect(results.texts(behind ?? 0)).toEqual([]);
  });

  it('RE-5 removes ten thousand members at once, and no others', async () => {
    const members = Array.from({ length: 10_000 }, (_, index) => `member ${index}`);
    await raw.zadd(line.name, ...[...members, 'another'].flatMap((member) => ['1', member]));
    await raw.sadd(set.name, ...members);
    const transaction = new Transaction();
    const step = transaction.step('forget', line, set);
    const reply = await redis.write(transaction);
    expect(reply.code === 'done' && reply.results.count(step)).toBe(10_000);
    expect(await raw.zrange(line.name, '0', '-1')).toEqual(['another']);
  });

  it('answers with fields of a hash unless one has a value', async () => {
    await raw.hset(hash.name, 'stamp', 'first', 'number', '5', 'text', 'words');
    const transaction = new Transaction();
    const same = transaction.step('unless', hash, 'stamp', 'first', 'number', 'text');
    const other = transaction.step('unless', hash, 'stamp', 'second', 'number', 'text', 'nothing');
    const missing = transaction.step('unless', key('hash'), 'stamp', 'first', 'number');
    const results = await redis.read(transaction);
    expect(results.texts(same)).toEqual([]);
    expect(results.texts(other)).toEqual(['5', 'words', null]);
    expect(results.texts(missing)).toEqual([null]);
  });

  it('takes out the member that a hash names, if it names one', async () => {
    await raw.zadd(line.name, 1, 'ana', 2, 'ben');
    await raw.hset(hash.name, 'member', 'ana');
    const transaction = new Transaction();
    transaction.step('unlist', line, hash, 'member');
    transaction.step('unlist', line, hash, 'other');
    transaction.step('unlist', line, key('hash'), 'member');
    await redis.write(transaction);
    expect(await raw.zrange(line.name, '0', '-1')).toEqual(['ben']);
  });

  it('RQ-1 gives pages in the order of score and bytes, behind positions that are there or not', async () => {
    const member = fc.stringMatching(/^[-0-9A-Z_a-z ]{1,4}$/);
    const entries = fc.dictionary(member, fc.integer({ min: -3, max: 3 }), { minKeys: 1, maxKeys: 25 });
    const position = fc.record({ score: fc.integer({ min: -4, max: 4 }), member });
    await fc.assert(
      fc.asyncProperty(entries, position, fc.integer({ min: 1, max: 6 }), async (scores, from, most) => {
        await raw.del(line.name);
        await raw.zadd(line.name, ...Object.entries(scores).flatMap(([name, score]) => [`${score}`, name]));
        const up = Object.entries(scores)
          .map(([name, score]) => ({ score, member: name }))
          .toSorted(compare);
        const down = up.toReversed();
        const above = up.filter((entry) => compare(entry, from) > 0);
        const below = down.filter((entry) => compare(entry, from) < 0);
        expect(await pageOf('up', most)).toEqual(firstOf(up, most));
        expect(await pageOf('down', most)).toEqual(firstOf(down, most));
        expect(await pageOf('up', most, from)).toEqual(firstOf(above, most));
        expect(await pageOf('down', most, from)).toEqual(firstOf(below, most));
      }),
      { numRuns: 150 },
    );
  });
});

type Entry = { readonly score: number; readonly member: string };

const firstOf = (order: readonly Entry[], most: number): { members: string[]; score: number } => {
  const page = order.slice(0, most);
  return { members: page.map(({ member }) => member), score: page.at(-1)?.score ?? 0 };
};

/** Sorted sets compare bytes; these members are ASCII, so characters will do. */
const compare = (one: Entry, other: Entry): number =>
  one.score - other.score || (one.member < other.member ? -1 : Number(one.member > other.member));
