import type { StatementSync } from 'node:sqlite';
import type { ClaimRecords } from '../records.ts';
import { changesOf, type Store } from './store.ts';

export class SqliteClaims implements ClaimRecords {
  readonly #store: Store;
  readonly #put: StatementSync;
  readonly #use: StatementSync;

  constructor(store: Store) {
    this.#store = store;
    this.#put = store.prepare(
      'INSERT OR REPLACE INTO claim (only, code_hash, expires_at) VALUES (1, :codeHash, :expiresAt)',
    );
    this.#use = store.prepare('DELETE FROM claim WHERE code_hash = :codeHash AND expires_at > :now');
  }

  async put(codeHash: string, expiresAt: number): Promise<void> {
    await this.#store.write(() => this.#put.run({ codeHash, expiresAt }));
  }

  use(codeHash: string, now: number): Promise<boolean> {
    return this.#store.write(() => changesOf(this.#use, { codeHash, now }) === 1);
  }
}
