import { randomUUID } from 'node:crypto';
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { limitTable } from '@rostrum/shared/limits.ts';
import type { Records } from '../records.ts';
import { SqliteBans } from './bans.ts';
import { SqliteBlocks } from './blocks.ts';
import { SqliteCallMessages } from './call-messages.ts';
import { SqliteCalls } from './calls.ts';
import { SqliteClaims } from './claims.ts';
import { SqliteConsents } from './consents.ts';
import { isBusy } from './failures.ts';
import { GroupCommit } from './group-commit.ts';
import { migrate } from './migrations.ts';
import { SqliteModeration } from './moderation.ts';
import { SqliteRatings } from './ratings.ts';
import { SqliteReports } from './reports.ts';
import { SqliteRooms } from './rooms.ts';
import { SqliteSettings } from './settings.ts';
import { Store } from './store.ts';
import { SqliteUsers } from './users.ts';

/** How long opening waits for another process that opens or upgrades the same file, in milliseconds. */
const openWaitMs = 10_000;
/** How long one attempt at the write lock may block the event loop, in milliseconds; `GroupCommit` tries again. */
const lockWaitMs = 20;
/** How long `ready` stands by its last answer, in milliseconds: it writes, and whoever asks need not be known. */
const readyFreshMs = 1000;
/** RE-5: what the write-ahead log keeps of the disk after it was large once. */
const logBytes = 16 * 1024 * 1024;

export type SqliteRecordsOptions = {
  /** The file; its folder is made where it is missing. `:memory:` keeps everything in this process alone. */
  readonly path: string;
  /** How long a write waits for another process before it rejects, in milliseconds (RE-4). */
  readonly waitMs?: number;
};

/**
 * Opens the records in a SQLite file, and makes or upgrades it. Several processes may have it open: the server, and the
 * commands that an operator runs beside it.
 *
 * Commits are synchronous FULL. In WAL mode NORMAL survives the death of a process, but a power failure may take back the
 * last commits (sqlite.org/pragma.html#pragma_synchronous): somebody who was banned would be let in again. FULL syncs the
 * disk at each commit, which `GroupCommit` shares among all writes of one turn of the event loop.
 *
 * Throws where the file cannot be opened, is no database of ours, or is of a newer version.
 */
export const openSqliteRecords = ({ path, waitMs = limitTable.unavailableMs.value }: SqliteRecordsOptions): Records => {
  const db = openDatabase(path);
  const writes = new GroupCommit(db, waitMs);
  const store = new Store(db, writes);
  return {
    users: new SqliteUsers(store),
    rooms: new SqliteRooms(store),
    bans: new SqliteBans(store),
    moderation: new SqliteModeration(store),
    claims: new SqliteClaims(store),
    calls: new SqliteCalls(store),
    callMessages: new SqliteCallMessages(store),
    ratings: new SqliteRatings(store),
    blocks: new SqliteBlocks(store),
    reports: new SqliteReports(store),
    consents: new SqliteConsents(store),
    settings: new SqliteSettings(store),
    place: placeOf(path),
    ready: readiness(store),
    close: async () => {
      await writes.close();
      if (db.isOpen) db.close();
    },
  };
};

const openDatabase = (path: string): DatabaseSync => {
  let db: DatabaseSync | undefined;
  try {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    db = new DatabaseSync(path, { timeout: openWaitMs });
    db.exec(`
      PRAGMA synchronous = FULL;
      PRAGMA foreign_keys = ON;
      PRAGMA trusted_schema = OFF;
      PRAGMA journal_size_limit = ${logBytes}`);
    // First, because the journal is a property of the file, and a file that is not ours stays as it is.
    migrate(db, path);
    useWriteAheadLog(db);
    db.exec(`PRAGMA busy_timeout = ${lockWaitMs}`);
    return db;
  } catch (error) {
    db?.close();
    throw new Error(`The records in ${path} cannot be opened: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
};

/** The file itself, whatever path leads to it: containers see one volume under different names. */
const placeOf = (path: string): string => {
  if (path === ':memory:') return randomUUID();
  const { dev, ino } = statSync(path);
  return `${dev}:${ino}`;
};

/** SQLite answers "busy" without waiting when two processes switch a new file to the write-ahead log together. */
const useWriteAheadLog = (db: DatabaseSync): void => {
  const until = performance.now() + openWaitMs;
  for (;;) {
    try {
      db.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lockWaitMs);
    }
  }
};

/** Whether a record could be written now, found out by writing one. */
const readiness = (store: Store): (() => Promise<boolean>) => {
  const probe = store.prepare('UPDATE probe SET probed_at = ?');
  let last: { at: number; answer: Promise<boolean> } | undefined;
  return () => {
    const now = performance.now();
    if (!last || now - last.at > readyFreshMs) {
      const answer = store
        .write(() => probe.run(Date.now()))
        .then(
          () => true,
          () => false,
        );
      last = { at: now, answer };
    }
    return last.answer;
  };
};
