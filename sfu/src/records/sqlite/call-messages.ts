import type { StatementSync } from 'node:sqlite';
import { type CallChatMessage, chatMessageSchema } from '@rostrum/shared/protocol/call.ts';
import type { CallMessageRecords } from '../call-records.ts';
import { changesOf, parseRow, type Store } from './store.ts';

export class SqliteCallMessages implements CallMessageRecords {
  readonly #store: Store;
  readonly #append: StatementSync;
  readonly #of: StatementSync;
  readonly #deleteBefore: StatementSync;

  constructor(store: Store) {
    this.#store = store;
    this.#append = store.prepare(`
      INSERT INTO call_messages (message_id, call_id, by_id, text, at) VALUES (:messageId, :callId, :byId, :text, :at)
      ON CONFLICT (message_id) DO NOTHING`);
    this.#of = store.prepare(`
      SELECT message_id AS messageId, by_id AS byId, text, at FROM call_messages WHERE call_id = :callId
      ORDER BY at DESC, position DESC LIMIT :most`);
    this.#deleteBefore = store.prepare(`
      DELETE FROM call_messages WHERE position IN (
        SELECT position FROM call_messages WHERE at < :before ORDER BY at LIMIT :most
      )`);
  }

  async append(callId: string, { messageId, byId, text, at }: CallChatMessage): Promise<void> {
    await this.#store.write(() => this.#append.run({ messageId, callId, byId, text, at }));
  }

  of(callId: string, most: number): Promise<CallChatMessage[]> {
    return this.#store.read(() =>
      this.#of
        .all({ callId, most })
        .map((row) => parseRow(chatMessageSchema, row, `call messages/${row['messageId']}`))
        .reverse(),
    );
  }

  deleteBefore(before: number, most: number): Promise<number> {
    return this.#store.write(() => changesOf(this.#deleteBefore, { before, most }));
  }
}
