import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isBusy } from './failures.ts';

/** How long opening waits while another process opens the same file, in milliseconds, and how soon it looks again. */
const openWaitMs = 5000;
const lookMs = 20;

export type ServingOptions = {
  /** The file that says who serves; its folder is made where it is missing. */
  readonly path: string;
  /** Who may serve from these records together: what the nodes of one cluster have in common. */
  readonly group: string;
};

/**
 * Notes that this process serves from the records beside this file, until it is closed or the process is gone: the system lets go
 * of the lock then, so nothing is ever left behind. Processes of one group serve together. A group that came beside another
 * would take the other's rooms for those of an earlier run, and end them.
 *
 * The lock is SQLite's own on the file: all who serve share it for reading, and only whoever is alone may write who that is.
 *
 * Throws where another group serves, or the file cannot be opened.
 */
export const openServing = ({ path, group }: ServingOptions): { close(): void } => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    const serving = waitFor(() => {
      writeWhereAlone(db, group);
      return readAndShare(db);
    });
    if (serving !== group)
      throw new Error(
        `Another Rostrum serves from the records in ${dirname(path)}, and is not of one cluster with this one. ` +
          'Nodes of a cluster have the same REDIS_URL and REDIS_PREFIX; anything else needs a DATA_DIR of its own.',
      );
    return { close: () => db.close() };
  } catch (error) {
    db.close();
    throw error;
  }
};

const writeWhereAlone = (db: DatabaseSync, group: string): void => {
  try {
    db.exec(`
      BEGIN EXCLUSIVE;
      CREATE TABLE IF NOT EXISTS serving (only INTEGER PRIMARY KEY CHECK (only = 1), name TEXT NOT NULL) STRICT;`);
    db.prepare('INSERT OR REPLACE INTO serving (only, name) VALUES (1, ?)').run(group);
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    if (!isBusy(error)) throw error;
  }
};

/** Answers who serves. The transaction is left open: with it goes the lock. */
const readAndShare = (db: DatabaseSync): unknown => {
  db.exec('BEGIN');
  try {
    return db.prepare('SELECT name FROM serving').get()?.['name'];
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
};

/** Once more where another process was just opening the file. */
const waitFor = <Value>(attempt: () => Value): Value => {
  for (const until = performance.now() + openWaitMs; ; ) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lookMs);
    }
  }
};
