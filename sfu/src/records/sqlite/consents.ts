import type { StatementSync } from 'node:sqlite';
import { type Consents, consentsSchema } from '@rostrum/shared/protocol/rest.ts';
import type { ConsentRecords } from '../call-records.ts';
import { parseRow, type Row, type Store } from './store.ts';

/** SQLite has no booleans. What is neither 0 nor 1 is left for the schema to find. */
const consentsOf = ({ houseRules, minimumAge }: Row, userId: string): Consents => {
  const accepted = houseRules === 0 || houseRules === 1 ? houseRules === 1 : houseRules;
  return parseRow(consentsSchema, { houseRules: accepted, minimumAge }, `consents/${userId}`);
};

/** They are columns of the user's own row, so that they go with the user. */
export class SqliteConsents implements ConsentRecords {
  readonly #store: Store;
  readonly #of: StatementSync;
  readonly #give: StatementSync;

  constructor(store: Store) {
    this.#store = store;
    this.#of = store.prepare(
      'SELECT house_rules AS houseRules, minimum_age AS minimumAge FROM users WHERE user_id = ?',
    );
    // max() of several values is NULL where one of them is.
    this.#give = store.prepare(`
      UPDATE users SET
        house_rules = max(house_rules, :houseRules),
        minimum_age = max(coalesce(minimum_age, :minimumAge), coalesce(:minimumAge, minimum_age))
      WHERE user_id = :userId`);
  }

  of(userId: string): Promise<Consents> {
    return this.#store.read(() => {
      const row = this.#of.get(userId);
      return row ? consentsOf(row, userId) : { houseRules: false, minimumAge: null };
    });
  }

  async give(userId: string, { houseRules, minimumAge }: Consents): Promise<void> {
    await this.#store.write(() => this.#give.run({ userId, houseRules: houseRules ? 1 : 0, minimumAge }));
  }
}
