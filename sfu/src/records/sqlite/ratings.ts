import type { StatementSync } from 'node:sqlite';
import { id, timestamp } from '@rostrum/shared/protocol/common.ts';
import * as z from 'zod/mini';
import type { RatingRecord, RatingRecords } from '../call-records.ts';
import { parseRow, type Store } from './store.ts';

const ratingSchema = z.strictObject({
  callId: id,
  byId: id,
  aboutId: id,
  rating: z.int().check(z.gte(1), z.lte(5)),
  comment: z.nullable(z.string()),
  at: timestamp,
});

export class SqliteRatings implements RatingRecords {
  readonly #store: Store;
  readonly #put: StatementSync;
  readonly #about: StatementSync;

  constructor(store: Store) {
    this.#store = store;
    // A rating is deleted with its call, so one whose call is gone already would stay for ever.
    this.#put = store.prepare(`
      INSERT OR REPLACE INTO ratings (call_id, by_id, about_id, rating, comment, at)
      SELECT :callId, :byId, :aboutId, :rating, :comment, :at
      WHERE EXISTS (SELECT 1 FROM calls WHERE call_id = :callId)`);
    this.#about = store.prepare(`
      SELECT call_id AS callId, by_id AS byId, about_id AS aboutId, rating, comment, at
      FROM ratings WHERE about_id = :aboutId AND at >= :since ORDER BY at DESC, call_id DESC LIMIT :most`);
  }

  async put({ callId, byId, aboutId, rating, comment, at }: RatingRecord): Promise<void> {
    await this.#store.write(() => this.#put.run({ callId, byId, aboutId, rating, comment, at }));
  }

  about(aboutId: string, { since, most }: { since: number; most: number }): Promise<RatingRecord[]> {
    return this.#store.read(() =>
      this.#about
        .all({ aboutId, since, most })
        .map((row) => parseRow(ratingSchema, row, `ratings/${row['callId']}/${row['byId']}`)),
    );
  }
}
