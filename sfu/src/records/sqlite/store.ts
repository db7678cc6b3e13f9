import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import type * as z from 'zod/mini';
import { CorruptRecordError, RecordsUnavailableError } from '../errors.ts';
import { asRecordsError } from './failures.ts';
import type { GroupCommit } from './group-commit.ts';

export type Row = Record<string, SQLOutputValue>;
export type Parameters = Record<string, SQLInputValue>;

/** What the tables need of the database: prepared statements, reads, and writes that share commits. */
export class Store {
  readonly #db: DatabaseSync;
  readonly #writes: GroupCommit;

  constructor(db: DatabaseSync, writes: GroupCommit) {
    this.#db = db;
    this.#writes = writes;
  }

  prepare(sql: string): StatementSync {
    return this.#db.prepare(sql);
  }

  write<T>(run: () => T): Promise<T> {
    return this.#writes.write(run);
  }

  /** Reads at once. What a write has not resolved for yet may be missing. */
  async read<T>(run: () => T): Promise<T> {
    if (!this.#db.isOpen) throw new RecordsUnavailableError('The records are closed');
    try {
      return run();
    } catch (error) {
      throw asRecordsError(error);
    }
  }
}

/** How many rows a statement changed. */
export const changesOf = (statement: StatementSync, parameters: Parameters): number =>
  Number(statement.run(parameters).changes);

/**
 * A row as the record that it must be. The file may have been edited, damaged, or written by a program with other rules:
 * that is found here, with the place named, and not where the record is used.
 */
export const parseRow = <Schema extends z.ZodMiniType>(
  schema: Schema,
  row: unknown,
  place: string,
): z.output<Schema> => {
  const parsed = schema.safeParse(row);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.join('.') || 'the row');
  throw new CorruptRecordError(`The record ${place} is corrupt: ${[...new Set(fields)].join(', ')}`);
};

/** The value of a JSON column; undefined where it holds no JSON, which no schema accepts. */
export const parseJson = (text: SQLOutputValue | undefined): unknown => {
  try {
    return typeof text === 'string' ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
};

/** The same for a column that may be NULL, which stays so. */
export const parseNullableJson = (text: SQLOutputValue | undefined): unknown =>
  text === null ? null : parseJson(text);

/** The fields of a row that are not NULL, for records whose fields may be absent. */
export const present = (row: Row): Row => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
