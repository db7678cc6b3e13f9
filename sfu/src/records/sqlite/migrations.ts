import type { DatabaseSync } from 'node:sqlite';

/**
 * The schema, as the steps that lead to it. Step n brings the file from version n to n + 1, which `PRAGMA user_version`
 * holds. A step that was released is never changed: a new one follows it.
 *
 * There are no foreign keys between these tables on purpose: each has its own lifetime. The moderation log, a ban and a
 * report outlive the guest they are about, and a room outlives the guest who made it (ID-6, MO-4). What does go together is
 * deleted together by the statements that delete it, so many rows at a time.
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
  `
  -- What the person has accepted (ID-8).
  ALTER TABLE users ADD COLUMN house_rules INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE users ADD COLUMN minimum_age INTEGER;

  -- Two people, no more and no fewer, so they are columns. Who waited longer is the first.
  CREATE TABLE calls (
    call_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    mode TEXT NOT NULL,
    language TEXT,
    first_id TEXT NOT NULL,
    first_name TEXT NOT NULL,
    first_kind TEXT NOT NULL,
    second_id TEXT NOT NULL,
    second_name TEXT NOT NULL,
    second_kind TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    end_reason TEXT,
    ended_by TEXT,
    connected_at INTEGER,
    route TEXT,
    first_quality TEXT CHECK (json_valid(first_quality)),
    second_quality TEXT CHECK (json_valid(second_quality))
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX calls_by_first ON calls (first_id, started_at);
  CREATE INDEX calls_by_second ON calls (second_id, started_at);
  CREATE INDEX calls_by_start ON calls (started_at);
  CREATE INDEX guest_calls_by_start ON calls (started_at) WHERE first_kind = 'guest' AND second_kind = 'guest';
  CREATE INDEX calls_without_end ON calls (call_id) WHERE ended_at IS NULL;

  -- position: the order in which messages came, for those of the same millisecond.
  CREATE TABLE call_messages (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL UNIQUE,
    call_id TEXT NOT NULL,
    by_id TEXT NOT NULL,
    text TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX call_messages_by_call ON call_messages (call_id, at, position);
  CREATE INDEX call_messages_by_time ON call_messages (at);

  CREATE TABLE ratings (
    call_id TEXT NOT NULL,
    by_id TEXT NOT NULL,
    about_id TEXT NOT NULL,
    rating INTEGER NOT NULL,
    comment TEXT,
    at INTEGER NOT NULL,
    PRIMARY KEY (call_id, by_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX ratings_by_about ON ratings (about_id, at);

  CREATE TABLE blocks (
    by_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (by_id, user_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX blocks_by_time ON blocks (by_id, at);
  CREATE INDEX blocks_by_user ON blocks (user_id);

  -- last_at: when it was filed, or last added to.
  CREATE TABLE reports (
    report_id TEXT PRIMARY KEY,
    by_id TEXT NOT NULL,
    about_id TEXT NOT NULL,
    about_name TEXT NOT NULL,
    place_kind TEXT NOT NULL,
    place_id TEXT NOT NULL,
    statements TEXT NOT NULL CHECK (json_valid(statements)),
    evidence TEXT NOT NULL CHECK (json_valid(evidence)),
    last_at INTEGER NOT NULL,
    UNIQUE (by_id, about_id, place_kind, place_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX reports_by_about ON reports (about_id, last_at);

  CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL CHECK (json_valid(value))
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Of several nodes that start together each prints a link for the first administrator, and each of them is good.
  CREATE TABLE claims (
    code_hash TEXT PRIMARY KEY,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO claims SELECT code_hash, expires_at FROM claim;
  DROP TABLE claim;
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
