import type { StatementSync } from 'node:sqlite';
import { id, timestamp } from '@rostrum/shared/protocol/common.ts';
import * as z from 'zod/mini';
import type { BlockRecord, BlockRecords } from '../call-records.ts';
import { parseRow, type Store } from './store.ts';

const blockSchema = z.strictObject({ byId: id, userId: id, displayName: z.string(), at: timestamp });

export class SqliteBlocks implements BlockRecords {
  readonly #store: Store;
  readonly #has: StatementSync;
  readonly #isFull: StatementSync;
  readonly #insert: StatementSync;
  readonly #remove: StatementSync;
  readonly #by: StatementSync;

  constructor(store: Store) {
    this.#store = store;
    this.#has = store.prepare('SELECT 1 FROM blocks WHERE by_id = :byId AND user_id = :userId');
    this.#isFull = store.prepare(
      'SELECT count(*) >= :most AS isFull FROM (SELECT 1 FROM blocks WHERE by_id = :byId LIMIT :most)',
    );
    this.#insert = store.prepare(
      'INSERT INTO blocks (by_id, user_id, display_name, at) VALUES (:byId, :userId, :displayName, :at)',
    );
    this.#remove = store.prepare('DELETE FROM blocks WHERE by_id = :byId AND user_id = :userId');
    this.#by = store.prepare(`
      SELECT by_id AS byId, user_id AS userId, display_name AS displayName, at FROM blocks WHERE by_id = ?
      ORDER BY at DESC, user_id DESC`);
  }

  put({ byId, userId, displayName, at }: BlockRecord, most: number): Promise<'kept' | 'full'> {
    return this.#store.write(() => {
      if (this.#has.get({ byId, userId })) return 'kept';
      if (this.#isFull.get({ byId, most })?.['isFull'] === 1) return 'full';
      this.#insert.run({ byId, userId, displayName, at });
      return 'kept';
    });
  }

  async remove(byId: string, userId: string): Promise<void> {
    await this.#store.write(() => this.#remove.run({ byId, userId }));
  }

  by(byId: string): Promise<BlockRecord[]> {
    return this.#store.read(() =>
      this.#by.all(byId).map((row) => parseRow(blockSchema, row, `blocks/${byId}/${row['userId']}`)),
    );
  }
}
