import type { StatementSync } from 'node:sqlite';
import { type ModerationEntry, moderationEntrySchema } from '@rostrum/shared/protocol/room.ts';
import type { ModerationRecords } from '../records.ts';
import { changesOf, parseRow, type Store } from './store.ts';

export class SqliteModeration implements ModerationRecords {
  readonly #store: Store;
  readonly #append: StatementSync;
  readonly #list: StatementSync;
  readonly #deleteBefore: StatementSync;

  constructor(store: Store) {
    this.#store = store;
    this.#append = store.prepare(`
      INSERT INTO moderation
        (entry_id, room_id, host_id, at, act, by_id, by_name, user_id, display_name, reason)
      VALUES (:entryId, :roomId, :hostId, :at, :act, :byId, :byName, :userId, :displayName, :reason)
      ON CONFLICT (entry_id) DO NOTHING`);
    this.#list = store.prepare(`
      SELECT entry_id AS entryId, at, act, by_id AS byId, by_name AS byName, user_id AS userId,
        display_name AS displayName, reason
      FROM moderation WHERE room_id = :roomId AND at < :before ORDER BY at DESC, position DESC LIMIT :limit`);
    this.#deleteBefore = store.prepare(`
      DELETE FROM moderation WHERE position IN (
        SELECT position FROM moderation WHERE at < :before ORDER BY at LIMIT :most
      )`);
  }

  async append(roomId: string, hostId: string, entries: readonly ModerationEntry[]): Promise<void> {
    if (entries.length === 0) return;
    await this.#store.write(() => {
      for (const { entryId, at, act, byId, byName, userId, displayName, reason } of entries) {
        this.#append.run({ entryId, roomId, hostId, at, act, byId, byName, userId, displayName, reason });
      }
    });
  }

  list(roomId: string, options: { limit: number; before?: number }): Promise<ModerationEntry[]> {
    const { limit, before = Number.MAX_SAFE_INTEGER } = options;
    return this.#store.read(() =>
      this.#list
        .all({ roomId, before, limit })
        .map((row) => parseRow(moderationEntrySchema, row, `moderation/${row['entryId']}`)),
    );
  }

  deleteBefore(before: number, most: number): Promise<number> {
    return this.#store.write(() => changesOf(this.#deleteBefore, { before, most }));
  }
}
