import type { StatementSync } from 'node:sqlite';
import type { ClaimRecords } from '../records.ts';
import { changesOf, type Store } from './store.ts';

/** RE-5: claims open at once. Each start of each node opens one while there is no administrator. */
const mostOpen = 64;

export class SqliteClaims implements ClaimRecords {
  readonly #store: Store;
  readonly #insert: StatementSync;
  readonly #clear: StatementSync;
  readonly #makeRoom: StatementSync;
  readonly #use: StatementSync;

  constructor(store: Store) {
    this.#store = store;
    this.#insert = store.prepare(
      'INSERT OR REPLACE INTO claims (code_hash, expires_at) VALUES (:codeHash, :expiresAt)',
    );
    this.#clear = store.prepare('DELETE FROM claims');
    this.#makeRoom = store.prepare(`
      DELETE FROM claims WHERE code_hash NOT IN (
        SELECT code_hash FROM claims ORDER BY expires_at DESC LIMIT ${mostOpen - 1}
      )`);
    this.#use = store.prepare('DELETE FROM claims WHERE code_hash = :codeHash AND expires_at > :now');
  }

  async put(codeHash: string, expiresAt: number): Promise<void> {
    await this.#store.write(() => {
      this.#clear.run();
      this.#insert.run({ codeHash, expiresAt });
    });
  }

  async add(codeHash: string, expiresAt: number): Promise<void> {
    await this.#store.write(() => {
      this.#makeRoom.run();
      this.#insert.run({ codeHash, expiresAt });
    });
  }

  use(codeHash: string, now: number): Promise<boolean> {
    return this.#store.write(() => {
      if (changesOf(this.#use, { codeHash, now }) === 0) return false;
      this.#clear.run();
      return true;
    });
  }
}
