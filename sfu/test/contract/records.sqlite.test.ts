import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ReportRecord } from '../../src/records/call-records.ts';
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
  const writer = (most: number, { shell, more }: { shell?: string; more?: true } = {}) => {
    const program = fileURLToPath(new URL('records.child.ts', import.meta.url));
    const args = [program, path, String(most), ...(more ? ['more'] : [])];
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

  it('MO-2 SF-1 SF-4 loses nothing that it said was written when its process is killed', async () => {
    const { child, lines, reader, ended } = writer(100_000, { more: true });
    await new Promise<void>((resolve) => {
      reader.on('line', () => {
        if (lines.length >= 200) resolve();
      });
    });
    child.kill('SIGKILL');
    await ended;
    const records = open();
    for (const userId of lines) {
      expect(await records.users.get(userId), userId).toBeDefined();
      expect(await records.blocks.by(userId), userId).toHaveLength(1);
      expect(await records.reports.get(userId), userId).toBeDefined();
    }
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
    const { lines, ended } = writer(100_000, { shell: 'ulimit -f 1024' });
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
    expect(() => open()).toThrow(/newer version of Rostrum \(records version 99, this program knows up to 3\)/);
    const again = new DatabaseSync(path);
    expect(again.prepare('PRAGMA user_version').get()).toEqual({ user_version: 99 });
    expect(again.prepare('SELECT count(*) AS users FROM users').get()).toEqual({ users: 1 });
    again.close();
  });

  /** A file as the first release left it: `records-version-1.sql` has all that is in it. */
  const firstRelease = (): void => {
    mkdirSync(dirname(path), { recursive: true });
    const db = new DatabaseSync(path);
    db.exec(readFileSync(new URL('records-version-1.sql', import.meta.url), 'utf8'));
    db.close();
  };

  it('OP-8 brings a file of version 1 to the newest, and keeps what is in it', async () => {
    firstRelease();
    const records = open();
    const [ana, bob, at] = ['guest-ana0000000000000', 'member-bob000000000000', 1_750_000_000_000];
    const guestAna = { displayName: `Aña 'O"Brien'`, kind: 'guest', createdAt: at, lastSeenAt: at + 5 };
    expect(await records.users.get(ana)).toEqual({ userId: ana, ...guestAna });
    expect(await records.users.tracesOf(ana)).toEqual({ addressHash: 'an-address', deviceId: 'a-device' });
    expect(await records.users.hasAdmin()).toBe(true);
    const rooms = await Promise.all(['room-one', 'room-two'].map((name) => records.rooms.get(name.padEnd(22, '0'))));
    expect(rooms).toMatchObject([
      { hostId: bob, settings: { title: 'Tea', tags: ['a', 'b'] }, endedAt: null },
      { hostId: ana, endedAt: at + 9, endReason: 'host-ended' },
    ]);
    const eve = { userId: 'stranger00000000000000', traces: { deviceId: 'd' } };
    expect(await records.bans.find(bob, eve, at)).toMatchObject({ displayName: 'Eve', reason: 'shouting' });
    const log = await records.moderation.list('room-one00000000000000', { limit: 9 });
    expect(log.map(({ act }) => act)).toEqual(['mute-all', 'ban']);
    expect(await records.claims.use('a-hash', at)).toBe(true);

    expect(await records.consents.of(bob)).toEqual({ houseRules: false, minimumAge: null });
    await records.consents.give(bob, { houseRules: true, minimumAge: 18 });
    await records.blocks.put({ byId: bob, userId: ana, displayName: 'Ana', at }, 9);
    await opened.pop()?.close();
    const again = open();
    expect(await again.consents.of(bob)).toEqual({ houseRules: true, minimumAge: 18 });
    expect(await again.users.deleteGuestsUnseenSince(at + 6, 9)).toBe(1);
    expect(await again.blocks.by(bob)).toEqual([]);
  });

  it('OP-8 a file that was upgraded is like a new one, whoever else upgrades it at the same time', async () => {
    firstRelease();
    const writers = [writer(20), writer(20)];
    await open(10_000).users.put(guest());
    await Promise.all(writers.map(({ ended }) => ended));
    expect(writers.map(({ lines }) => lines.length)).toEqual([20, 20]);
    const schemaOf = (file: string) => {
      const db = new DatabaseSync(file);
      const schema = db.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name').all();
      const version = db.prepare('PRAGMA user_version').get();
      db.close();
      return { version, schema };
    };
    const upgraded = schemaOf(path);
    path = join(folder, 'new', 'records.sqlite');
    open();
    expect(upgraded).toEqual(schemaOf(path));
    expect(upgraded.version).toEqual({ user_version: 3 });
  });

  it('RE-5 reads no table from end to end, and sorts no more than one host has bans, or there are claims', async () => {
    const prepare = vi.spyOn(DatabaseSync.prototype, 'prepare');
    open();
    const statements = prepare.mock.calls.map(([sql]) => sql).filter((sql) => !/^PRAGMA|sqlite_schema/.test(sql));
    prepare.mockRestore();
    expect(statements.length).toBeGreaterThan(40);
    const db = new DatabaseSync(path);
    const steps = statements.flatMap((sql) =>
      db
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => String(detail)),
    );
    db.close();
    expect(steps.filter((step) => step.startsWith('SEARCH')).length).toBeGreaterThan(30);
    expect(steps.filter((step) => /^SCAN|TEMP B-TREE/.test(step)).sort()).toEqual([
      // A count of rows that a limit bounds.
      'SCAN (subquery-1)',
      // Indexes of just those rows that are meant.
      'SCAN calls USING INDEX calls_without_end',
      // A table of a few rows (claims.ts), and one of one row.
      'SCAN claims',
      'SCAN claims',
      'SCAN probe',
      'SCAN rooms USING INDEX rooms_without_end',
      'SCAN users USING COVERING INDEX admins',
      'USE TEMP B-TREE FOR ORDER BY',
      'USE TEMP B-TREE FOR ORDER BY',
    ]);
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

  it('names the record of a call, rating, block, report, consent or setting that is corrupt', async () => {
    const records = open();
    const [one, callId, reportId] = [guest(), newId(), newId()];
    await records.users.put(one);
    const people = [
      { userId: one.userId, displayName: 'Ana', kind: 'guest' },
      { userId: newId(), displayName: 'Bob', kind: 'guest' },
    ] as const;
    await records.calls.begin({
      ...{ callId, kind: 'random', mode: 'voice', language: null, people, startedAt: 1 },
      outcome: {
        ...{ endedAt: 2, reason: 'hung-up', endedBy: null, connectedAt: null, route: null, quality: [null, null] },
      },
    });
    await records.callMessages.append(callId, { messageId: newId(), byId: one.userId, text: 'x', at: 1 });
    await records.ratings.put({ callId, byId: newId(), aboutId: one.userId, rating: 5, comment: null, at: 1 });
    await records.blocks.put({ byId: one.userId, userId: newId(), displayName: 'Bob', at: 1 }, 9);
    const report: ReportRecord = {
      ...{ reportId, byId: newId(), aboutId: one.userId, aboutName: 'Ana', evidence: '{}' },
      place: { kind: 'call', id: callId },
      statements: [{ type: 'spam', text: '', at: 1 }],
    };
    await records.reports.file(report, { most: 9, merge: (_, now) => now });
    await records.settings.setRandom({ enabled: true, reason: null, until: null, sharePercent: 100 });
    const db = new DatabaseSync(path);
    db.exec(`
      UPDATE users SET house_rules = 7;
      UPDATE calls SET first_quality = '{"averageLossPercent":"none"}', end_reason = 'boredom';
      UPDATE call_messages SET at = -1;
      UPDATE ratings SET rating = 9;
      UPDATE blocks SET user_id = 'nobody';
      UPDATE reports SET statements = '[]';
      UPDATE settings SET value = '{"enabled":"yes"}'`);
    db.close();
    const corrupt: [() => Promise<unknown>, RegExp][] = [
      [() => records.consents.of(one.userId), /consents\/.* is corrupt: houseRules$/],
      [
        () => records.calls.get(callId),
        /calls\/.* is corrupt: outcome\.reason, outcome\.quality\.0\.averageLossPercent/,
      ],
      [() => records.calls.of(one.userId, { since: 0, most: 9 }), /calls\/.* is corrupt: outcome\.reason/],
      [() => records.callMessages.of(callId, 9), /call messages\/.* is corrupt: at$/],
      [() => records.ratings.about(one.userId, { since: 0, most: 9 }), /ratings\/.* is corrupt: rating$/],
      [() => records.blocks.by(one.userId), /blocks\/.* is corrupt: userId$/],
      [() => records.reports.get(reportId), /reports\/.* is corrupt: statements$/],
      [() => records.reports.about(one.userId, 9), /reports\/.* is corrupt: statements$/],
      [() => records.reports.file(report, { most: 9, merge: (_, now) => now }), /reports\/.* is corrupt: statements$/],
      [() => records.settings.random(), /settings\/random is corrupt: enabled$/],
    ];
    for (const [read, message] of corrupt) {
      const error = await read().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(CorruptRecordError);
      expect(String(error)).toMatch(message);
    }
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
