import type { StatementSync } from 'node:sqlite';
import { id, timestamp } from '@rostrum/shared/protocol/common.ts';
import { type EndReason, endReasons, type RoomSettings, roomSettingsSchema } from '@rostrum/shared/protocol/room.ts';
import * as z from 'zod/mini';
import type { RoomRecord, RoomRecords } from '../records.ts';
import { changesOf, parseJson, parseRow, type Store } from './store.ts';

/** A migration goes with every change of `roomSettingsSchema` that settings already written would not pass. */
const roomSchema = z.strictObject({
  roomId: id,
  creatorId: id,
  hostId: id,
  settings: roomSettingsSchema,
  createdAt: timestamp,
  startedAt: z.nullable(timestamp),
  endedAt: z.nullable(timestamp),
  endReason: z.nullable(z.enum(endReasons)),
});

export class SqliteRooms implements RoomRecords {
  readonly #store: Store;
  readonly #insert: StatementSync;
  readonly #get: StatementSync;
  readonly #update: StatementSync;
  readonly #end: StatementSync;
  readonly #createdBySince: StatementSync;
  readonly #endAll: StatementSync;

  constructor(store: Store) {
    this.#store = store;
    this.#insert = store.prepare(`
      INSERT INTO rooms (room_id, creator_id, host_id, settings, created_at, started_at, ended_at, end_reason)
      VALUES (:roomId, :creatorId, :hostId, :settings, :createdAt, :startedAt, :endedAt, :endReason)`);
    this.#get = store.prepare(`
      SELECT room_id AS roomId, creator_id AS creatorId, host_id AS hostId, settings, created_at AS createdAt,
        started_at AS startedAt, ended_at AS endedAt, end_reason AS endReason
      FROM rooms WHERE room_id = ?`);
    this.#update = store.prepare(`
      UPDATE rooms SET settings = coalesce(:settings, settings), host_id = coalesce(:hostId, host_id)
      WHERE room_id = :roomId`);
    this.#end = store.prepare(`
      UPDATE rooms SET ended_at = :at, end_reason = :reason WHERE room_id = :roomId AND ended_at IS NULL`);
    this.#createdBySince = store.prepare(`
      SELECT created_at AS createdAt FROM rooms WHERE creator_id = :creatorId AND created_at >= :since
      ORDER BY created_at DESC LIMIT :most`);
    this.#endAll = store.prepare(
      'UPDATE rooms SET ended_at = :at, end_reason = :reason WHERE ended_at IS NULL AND created_at <= :at',
    );
  }

  async insert(room: RoomRecord): Promise<void> {
    const { roomId, creatorId, hostId, createdAt, startedAt, endedAt, endReason } = room;
    const settings = JSON.stringify(room.settings);
    await this.#store.write(() =>
      this.#insert.run({ roomId, creatorId, hostId, settings, createdAt, startedAt, endedAt, endReason }),
    );
  }

  get(roomId: string): Promise<RoomRecord | undefined> {
    return this.#store.read(() => {
      const row = this.#get.get(roomId);
      return row && parseRow(roomSchema, { ...row, settings: parseJson(row['settings']) }, `rooms/${roomId}`);
    });
  }

  async update(roomId: string, change: { settings?: RoomSettings; hostId?: string }): Promise<void> {
    const settings = change.settings ? JSON.stringify(change.settings) : null;
    await this.#store.write(() => this.#update.run({ roomId, settings, hostId: change.hostId ?? null }));
  }

  async end(roomId: string, at: number, reason: EndReason): Promise<void> {
    await this.#store.write(() => this.#end.run({ roomId, at, reason }));
  }

  createdBySince(creatorId: string, since: number, most: number): Promise<number[]> {
    return this.#store.read(() =>
      this.#createdBySince
        .all({ creatorId, since, most })
        .map((row) => parseRow(timestamp, row['createdAt'], `rooms of ${creatorId}`))
        .reverse(),
    );
  }

  endAll(at: number, reason: EndReason): Promise<number> {
    return this.#store.write(() => changesOf(this.#endAll, { at, reason }));
  }
}
