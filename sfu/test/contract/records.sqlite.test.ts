import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CorruptRecordError, RecordsUnavailableError } from '../../src/records/errors.ts';
import type { Records, UserRecord } from '../../src/records/records.ts';
import { openSqliteRecords } from '../../src/records/sqlite/open.ts';
import { newId } from '../../src/runtime/ids.ts';
import { recordsContract } from './records.contract.ts';

const newFolder = () => mkdtemp(join(tmpdir(), 'rostrum-records-'));

recordsContract('sqlite', async () => {
  const folder = await newFolder();
  return {
    open: async () => openSqliteRecords({ path: join(folder, 'records.sqlite') }),
    remove: () => rm(folder, { recursive: true }),
  };
});

const guest = (userId = newId()): UserRecord => ({
  userId,
  displayName: 'Ana',
  kind: 'guest',
  createdAt: 1,
  lastSeenAt: 1,
});

describe('records in a SQLite file', () => {
  let folder: string;
  let path: string;
  const opened: Records[] = [];
  const children: ChildProcess[] = [];
  beforeEach(async () => {
    folder = await newFolder();
    path = join(folder, 'data', 'records.sqlite');
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    for (const records of opened.splice(0)) await records.close();
    await rm(folder, { recursive: true });
  });

  const open = (waitMs?: number): Records => {
    const records = openSqliteRecords({ path, ...(waitMs === undefined ? {} : { waitMs }) });
    opened.push(records);
    return records;
  };

  /** Another process that writes guests; `lines` are the ids that it was told are written, then what went wrong. */
  const writer = (most: number, shell?: string) => {
    const args = [fileURLToPath(new URL('records.child.ts', import.meta.url)), path, String(most)];
    const child = shell
      ? spawn('sh', ['-c', `${shell}; exec "$0" "$@"`, process.execPath, ...args], {
          stdio: ['ignore', 'pipe', 'inherit'],
        })
      : spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const lines: string[] = [];
    const reader = createInterface({ input: child.stdout });
    reader.on('line', (line) => lines.push(line));
    return { child, lines, reader, ended: Promise.all([once(child, 'exit'), once(reader, 'close')]) };
  };

  it('MO-2 loses nothing that it said was written when its process is killed', async () => {
    const { child, lines, reader, ended } = writer(100_000);
    await new Promise<void>((resolve) => {
      reader.on('line', () => {
        if (lines.length >= 200) resolve();
      });
    });
    child.kill('SIGKILL');
    await ended;
    const records = open();
    for (const userId of lines) expect(await records.users.get(userId), userId).toBeDefined();
    expect(await records.ready()).toBe(true);
  });

  it('serves several processes on one new file, and each loses nothing', async () => {
    const writers = [writer(150), writer(150), writer(150)];
    const records = open(10_000);
    const own: string[] = [];
    for (let count = 0; count < 150; count += 1) {
      const one = guest();
      await records.users.put(one);
      own.push(one.userId);
    }
    await Promise.all(writers.map(({ ended }) => ended));
    const ids = [...own, ...writers.flatMap(({ lines }) => lines)];
    expect(ids).toHaveLength(600);
    for (const userId of ids) expect(await records.users.get(userId), userId).toBeDefined();
    expect(await records.users.deleteGuestsUnseenSince(2, 1000)).toBe(600);
  });

  it('RE-4 answers unavailable when the disk is full, loses nothing, and goes on when there is room', async () => {
    const { lines, ended } = writer(100_000, 'ulimit -f 1024');
    await ended;
    const said = lines.pop();
    expect(said).toBe('RecordsUnavailableError ready=false');
    expect(lines.length).toBeGreaterThan(0);
    const records = open();
    for (const userId of lines) expect(await records.users.get(userId)).toBeDefined();
    await records.users.put(guest());
  });

  it('RE-4 answers unavailable in time where another process keeps the lock, and holds up nobody else', async () => {
    const records = open(300);
    const one = guest();
    await records.users.put(one);
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    let turns = 0;
    const watch = setInterval(() => {
      turns += 1;
    }, 5);
    await expect(records.users.put(guest())).rejects.toBeInstanceOf(RecordsUnavailableError);
    clearInterval(watch);
    // A wait inside SQLite would leave the event loop one turn at most.
    expect(turns, 'turns of the event loop while it waited').toBeGreaterThan(5);
    expect(await records.users.get(one.userId), 'reads go on').toEqual(one);

    const waiting = records.users.put(guest());
    other.exec('COMMIT');
    other.close();
    await waiting;
  });

  it('keeps the other writes of a transaction when one fails', async () => {
    const records = open();
    const roomless = { ...guest(), kind: null } as unknown as UserRecord;
    const [one, two] = [guest(), guest()];
    const results = await Promise.allSettled([
      records.users.put(one),
      records.users.put(roomless),
      records.users.put(two),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await records.users.get(one.userId)).toEqual(one);
    expect(await records.users.get(two.userId)).toEqual(two);
    expect(await records.users.get(roomless.userId)).toBeUndefined();
  });

  it('RE-5 takes a bounded number of writes that wait', async () => {
    const records = open();
    const results = await Promise.allSettled(Array.from({ length: 10_001 }, () => records.users.put(guest())));
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(1);
    expect(refused[0]?.reason).toBeInstanceOf(RecordsUnavailableError);
  });

  it('OP-8 refuses a file of a newer version, and leaves it as it is', async () => {
    await open().users.put(guest());
    await opened.pop()?.close();
    const db = new DatabaseSync(path);
    db.exec('PRAGMA user_version = 99');
    db.close();
    expect(() => open()).toThrow(/newer version of Rostrum \(records version 99, this program knows up to 1\)/);
    const again = new DatabaseSync(path);
    expect(again.prepare('PRAGMA user_version').get()).toEqual({ user_version: 99 });
    expect(again.prepare('SELECT count(*) AS users FROM users').get()).toEqual({ users: 1 });
    again.close();
  });

  it('refuses a database of another program, and what is no database', async () => {
    open();
    await opened.pop()?.close();
    const db = new DatabaseSync(path);
    db.exec('PRAGMA application_id = 1; PRAGMA journal_mode = DELETE');
    db.close();
    const before = await readFile(path);
    expect(() => open()).toThrow(/another program/);
    expect(await readFile(path)).toEqual(before);
    path = folder;
    expect(() => open()).toThrow(/The records in .* cannot be opened: unable to open database file/);
    path = join(folder, 'letter.txt');
    await writeFile(path, 'Dear records, '.repeat(100));
    expect(() => open()).toThrow(/cannot be opened: file is not a database/);
  });

  it('keeps a write-ahead log, so that readers and a writer do not wait for each other', async () => {
    const records = open();
    const one = guest();
    await records.users.put(one);
    const log = await stat(`${path}-wal`);
    expect(log.size).toBeGreaterThan(0);
    const db = new DatabaseSync(path);
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    db.close();
  });

  it('names the record that is corrupt, and serves the others', async () => {
    const records = open();
    const [one, two, roomId, hostId] = [guest(), guest(), newId(), newId()];
    await Promise.all([records.users.put(one), records.users.put(two)]);
    const db = new DatabaseSync(path);
    db.prepare(`UPDATE users SET kind = 'emperor' WHERE user_id = ?`).run(one.userId);
    db.prepare(`INSERT INTO rooms VALUES (?, ?, ?, '{"title":5}', 1, 1, NULL, NULL)`).run(roomId, hostId, hostId);
    db.prepare(`INSERT INTO bans VALUES (:host, :user, 'Bob', 'nobody', NULL, 1, NULL, NULL, NULL)`).run({
      host: hostId,
      user: one.userId,
    });
    db.close();
    await expect(records.users.get(one.userId)).rejects.toThrow(
      new CorruptRecordError(`The record users/${one.userId} is corrupt: kind`),
    );
    await expect(records.rooms.get(roomId)).rejects.toThrow(/rooms\/.* is corrupt: settings\.title, settings\.desc/);
    await expect(records.bans.find(hostId, one, 1)).rejects.toThrow(/bans\/.* is corrupt: byId/);
    expect(await records.users.get(two.userId)).toEqual(two);
  });

  it('keeps its folder to its owner', async () => {
    open();
    expect((await stat(join(folder, 'data'))).mode & 0o777).toBe(0o700);
  });

  it('keeps records in memory where no file is wanted', async () => {
    path = ':memory:';
    const [one, two] = [open(), open()];
    const ana = guest();
    await one.users.put(ana);
    expect(await one.users.get(ana.userId)).toEqual(ana);
    expect(await two.users.get(ana.userId)).toBeUndefined();
    expect(existsSync(':memory:')).toBe(false);
  });
});
