import type { StatementSync } from 'node:sqlite';
import { type RandomSwitch, switchRandomSchema } from '@rostrum/shared/protocol/rest.ts';
import type { SettingRecords } from '../call-records.ts';
import { parseJson, parseRow, type Store } from './store.ts';

/** The names of settings in their table. */
const names = { random: 'random' };

export class SqliteSettings implements SettingRecords {
  readonly #store: Store;
  readonly #get: StatementSync;
  readonly #set: StatementSync;

  constructor(store: Store) {
    this.#store = store;
    this.#get = store.prepare('SELECT value FROM settings WHERE name = ?');
    this.#set = store.prepare('INSERT OR REPLACE INTO settings (name, value) VALUES (:name, :value)');
  }

  random(): Promise<RandomSwitch | undefined> {
    return this.#store.read(() => {
      const row = this.#get.get(names.random);
      return row && parseRow(switchRandomSchema, parseJson(row['value']), `settings/${names.random}`);
    });
  }

  async setRandom(value: RandomSwitch): Promise<void> {
    await this.#store.write(() => this.#set.run({ name: names.random, value: JSON.stringify(value) }));
  }
}
