import type { DatabaseSync } from 'node:sqlite';

/**
 * The schema, as the steps that lead to it. Step n brings the file from version n to n + 1, which `PRAGMA user_version`
 * holds. A step that was released is never changed: a new one follows it.
 *
 * There are no foreign keys between these tables on purpose: each has its own lifetime. The moderation log and a ban
 * outlive the guest they are about, and a room outlives the guest who made it (ID-6, MO-4).
 */
const steps: readonly string[] = [
  `
  CREATE TABLE users (
    user_id TEXT PRIMARY KEY,
    display_name TEXT NOT NULL,
    kind TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    address_hash TEXT,
    device_id TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX guests_by_last_seen ON users (last_seen_at) WHERE kind = 'guest';
  CREATE INDEX admins ON users (user_id) WHERE kind = 'admin';

  CREATE TABLE rooms (
    room_id TEXT PRIMARY KEY,
    creator_id TEXT NOT NULL,
    host_id TEXT NOT NULL,
    settings TEXT NOT NULL CHECK (json_valid(settings)),
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    end_reason TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX rooms_by_creator ON rooms (creator_id, created_at);
  CREATE INDEX rooms_without_end ON rooms (room_id) WHERE ended_at IS NULL;

  CREATE TABLE bans (
    host_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    by_id TEXT NOT NULL,
    reason TEXT,
    at INTEGER NOT NULL,
    address_hash TEXT,
    device_id TEXT,
    traces_until INTEGER,
    PRIMARY KEY (host_id, user_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX bans_by_address ON bans (host_id, address_hash) WHERE address_hash IS NOT NULL;
  CREATE INDEX bans_by_device ON bans (host_id, device_id) WHERE device_id IS NOT NULL;
  CREATE INDEX bans_by_traces_until ON bans (traces_until) WHERE traces_until IS NOT NULL;

  -- position: the order in which entries came, for those of the same millisecond.
  CREATE TABLE moderation (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    entry_id TEXT NOT NULL UNIQUE,
    room_id TEXT NOT NULL,
    host_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    act TEXT NOT NULL,
    by_id TEXT NOT NULL,
    by_name TEXT NOT NULL,
    user_id TEXT,
    display_name TEXT,
    reason TEXT
  ) STRICT;
  CREATE INDEX moderation_by_room ON moderation (room_id, at, position);
  CREATE INDEX moderation_by_time ON moderation (at);

  -- At most one row: the open claim for the first administrator.
  CREATE TABLE claim (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    code_hash TEXT NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;

  -- One row, rewritten to find out whether a record could be written.
  CREATE TABLE probe (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    probed_at INTEGER NOT NULL
  ) STRICT;
  INSERT INTO probe VALUES (1, 0);
  `,
];

/** Marks a file as ours, in SQLite's header at offset 68: the letters "Rstr". */
const applicationId = 0x52737472;

const pragma = (db: DatabaseSync, name: string): number => Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);

/**
 * Brings the file to the newest version, in one transaction: two processes that start together do it once. Throws, and
 * changes nothing, where the file is of a newer version than this program or belongs to another program.
 */
export const migrate = (db: DatabaseSync, path: string): void => {
  db.exec('BEGIN IMMEDIATE');
  try {
    const version = pragma(db, 'user_version');
    if (version > steps.length) {
      throw new Error(
        `${path} was written by a newer version of Rostrum (records version ${version}, this program knows up to ` +
          `${steps.length}). Start that version, or restore a backup from before the upgrade.`,
      );
    }
    const isEmpty = db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
    if (!isEmpty && pragma(db, 'application_id') !== applicationId) {
      throw new Error(`${path} is a SQLite database of another program. Set DATA_DIR to a folder of Rostrum's own.`);
    }
    for (const step of steps.slice(version)) db.exec(step);
    db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${steps.length}`);
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
};
