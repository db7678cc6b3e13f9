import type { StatementSync } from 'node:sqlite';
import { id, timestamp } from '@rostrum/shared/protocol/common.ts';
import { userKinds } from '@rostrum/shared/protocol/rest.ts';
import * as z from 'zod/mini';
import type { Traces, UserRecord, UserRecords } from '../records.ts';
import { changesOf, parseRow, present, type Store } from './store.ts';

/** RE-5: blocks deleted in one transaction. At about 5 µs each they hold up the event loop for 10 ms. */
const blocksAtOnce = 2000;

const userSchema = z.strictObject({
  userId: id,
  displayName: z.string(),
  kind: z.enum(userKinds),
  createdAt: timestamp,
  lastSeenAt: timestamp,
});

export const tracesSchema = z.strictObject({
  addressHash: z.exactOptional(z.string()),
  deviceId: z.exactOptional(z.string()),
});

export class SqliteUsers implements UserRecords {
  readonly #store: Store;
  readonly #put: StatementSync;
  readonly #get: StatementSync;
  readonly #seen: StatementSync;
  readonly #tracesOf: StatementSync;
  readonly #unseenGuests: StatementSync;
  readonly #deleteBlocksBy: StatementSync;
  readonly #deleteBlocksOf: StatementSync;
  readonly #delete: StatementSync;
  readonly #hasAdmin: StatementSync;

  constructor(store: Store) {
    this.#store = store;
    this.#put = store.prepare(`
      INSERT INTO users (user_id, display_name, kind, created_at, last_seen_at)
      VALUES (:userId, :displayName, :kind, :createdAt, :lastSeenAt)
      ON CONFLICT (user_id) DO UPDATE SET
        display_name = excluded.display_name,
        kind = excluded.kind,
        address_hash = iif(excluded.kind = 'guest', address_hash, NULL),
        device_id = iif(excluded.kind = 'guest', device_id, NULL)`);
    this.#get = store.prepare(`
      SELECT user_id AS userId, display_name AS displayName, kind, created_at AS createdAt, last_seen_at AS lastSeenAt
      FROM users WHERE user_id = ?`);
    this.#seen = store.prepare(`
      UPDATE users SET
        last_seen_at = :at,
        address_hash = iif(kind = 'guest', coalesce(:addressHash, address_hash), NULL),
        device_id = iif(kind = 'guest', coalesce(:deviceId, device_id), NULL)
      WHERE user_id = :userId AND last_seen_at <= :at`);
    this.#tracesOf = store.prepare(
      'SELECT address_hash AS addressHash, device_id AS deviceId FROM users WHERE user_id = ?',
    );
    this.#unseenGuests = store.prepare(`
      SELECT user_id AS userId FROM users WHERE kind = 'guest' AND last_seen_at < :before
      ORDER BY last_seen_at LIMIT :most`);
    this.#deleteBlocksBy = store.prepare(`
      DELETE FROM blocks WHERE (by_id, user_id) IN (
        SELECT by_id, user_id FROM blocks WHERE by_id = :userId LIMIT :most
      )`);
    this.#deleteBlocksOf = store.prepare(`
      DELETE FROM blocks WHERE (by_id, user_id) IN (
        SELECT by_id, user_id FROM blocks WHERE user_id = :userId LIMIT :most
      )`);
    this.#delete = store.prepare('DELETE FROM users WHERE user_id = :userId');
    this.#hasAdmin = store.prepare(`SELECT 1 FROM users WHERE kind = 'admin' LIMIT 1`);
  }

  async put(user: UserRecord): Promise<void> {
    const { userId, displayName, kind, createdAt, lastSeenAt } = user;
    await this.#store.write(() => this.#put.run({ userId, displayName, kind, createdAt, lastSeenAt }));
  }

  get(userId: string): Promise<UserRecord | undefined> {
    return this.#store.read(() => {
      const row = this.#get.get(userId);
      return row && parseRow(userSchema, row, `users/${userId}`);
    });
  }

  async seen(userId: string, at: number, { addressHash = null, deviceId = null }: NullableTraces): Promise<void> {
    await this.#store.write(() => this.#seen.run({ userId, at, addressHash, deviceId }));
  }

  tracesOf(userId: string): Promise<Traces | undefined> {
    return this.#store.read(() => {
      const row = this.#tracesOf.get(userId);
      return row && parseRow(tracesSchema, present(row), `users/${userId}`);
    });
  }

  async deleteGuestsUnseenSince(before: number, most: number): Promise<number> {
    let deleted = 0;
    for (let more = true; more; ) {
      const part = await this.#store.write(() => this.#deleteSome(before, most - deleted));
      deleted += part.deleted;
      more = part.more;
    }
    return deleted;
  }

  /** Deletes as many of them as one transaction may take. Of one who has more blocks than that, it leaves the guest. */
  #deleteSome(before: number, most: number): { deleted: number; more: boolean } {
    let deleted = 0;
    let blocks = 0;
    for (const { userId = null } of this.#unseenGuests.all({ before, most })) {
      blocks += changesOf(this.#deleteBlocksBy, { userId, most: blocksAtOnce - blocks });
      blocks += changesOf(this.#deleteBlocksOf, { userId, most: blocksAtOnce - blocks });
      if (blocks >= blocksAtOnce) return { deleted, more: true };
      deleted += changesOf(this.#delete, { userId });
    }
    return { deleted, more: false };
  }

  hasAdmin(): Promise<boolean> {
    return this.#store.read(() => this.#hasAdmin.get() !== undefined);
  }
}

/** Traces as they are bound to a statement. */
type NullableTraces = { readonly addressHash?: string | null; readonly deviceId?: string | null };
