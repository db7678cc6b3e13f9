import type { StatementSync } from 'node:sqlite';
import { id, timestamp } from '@rostrum/shared/protocol/common.ts';
import * as z from 'zod/mini';
import type { BanRecord, BanRecords, Traces } from '../records.ts';
import { changesOf, parseRow, present, type Row, type Store } from './store.ts';
import { tracesSchema } from './users.ts';

const banSchema = z.strictObject({
  hostId: id,
  userId: id,
  displayName: z.string(),
  byId: id,
  reason: z.nullable(z.string()),
  at: timestamp,
  traces: z.exactOptional(z.strictObject({ ...tracesSchema.shape, until: timestamp })),
});

const banOf = ({ addressHash = null, deviceId = null, tracesUntil = null, ...ban }: Row): BanRecord => {
  const traces = tracesUntil === null ? {} : { traces: present({ addressHash, deviceId, until: tracesUntil }) };
  return parseRow(banSchema, { ...ban, ...traces }, `bans/${ban['hostId']}/${ban['userId']}`);
};

export class SqliteBans implements BanRecords {
  readonly #store: Store;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;
  readonly #find: StatementSync;
  readonly #forgetTraces: StatementSync;

  constructor(store: Store) {
    this.#store = store;
    this.#put = store.prepare(`
      INSERT OR REPLACE INTO bans
        (host_id, user_id, display_name, by_id, reason, at, address_hash, device_id, traces_until)
      VALUES (:hostId, :userId, :displayName, :byId, :reason, :at, :addressHash, :deviceId, :until)`);
    this.#remove = store.prepare('DELETE FROM bans WHERE host_id = :hostId AND user_id = :userId');
    // A ban of the person's own id comes first: it says why, and it does not run out.
    this.#find = store.prepare(`
      SELECT host_id AS hostId, user_id AS userId, display_name AS displayName, by_id AS byId, reason, at,
        address_hash AS addressHash, device_id AS deviceId, traces_until AS tracesUntil
      FROM bans
      WHERE (host_id = :hostId AND user_id = :userId)
        OR (host_id = :hostId AND address_hash = :addressHash AND traces_until > :now)
        OR (host_id = :hostId AND device_id = :deviceId AND traces_until > :now)
      ORDER BY user_id = :userId DESC, traces_until DESC LIMIT 1`);
    this.#forgetTraces = store.prepare(`
      UPDATE bans SET address_hash = NULL, device_id = NULL, traces_until = NULL
      WHERE (host_id, user_id) IN (SELECT host_id, user_id FROM bans WHERE traces_until <= :now LIMIT :most)`);
  }

  async put(ban: BanRecord): Promise<void> {
    const { hostId, userId, displayName, byId, reason, at } = ban;
    const { addressHash = null, deviceId = null, until = null } = ban.traces ?? {};
    await this.#store.write(() =>
      this.#put.run({ hostId, userId, displayName, byId, reason, at, addressHash, deviceId, until }),
    );
  }

  async remove(hostId: string, userId: string): Promise<void> {
    await this.#store.write(() => this.#remove.run({ hostId, userId }));
  }

  find(hostId: string, person: { userId: string; traces?: Traces }, now: number): Promise<BanRecord | undefined> {
    const { addressHash = null, deviceId = null } = person.traces ?? {};
    return this.#store.read(() => {
      // NULL equals nothing in SQL, so a trace that the person does not have matches no ban that lacks it too.
      const row = this.#find.get({ hostId, userId: person.userId, addressHash, deviceId, now });
      return row && banOf(row);
    });
  }

  forgetTraces(now: number, most: number): Promise<number> {
    return this.#store.write(() => changesOf(this.#forgetTraces, { now, most }));
  }
}
