import { createHash } from 'node:crypto';
import type { RandomSwitch } from '@rostrum/shared/protocol/rest.ts';
import type { Records } from '../records/records.ts';

/** What holds until an operator says otherwise. */
const on: RandomSwitch = { enabled: true, reason: null, until: null, sharePercent: 100 };

export type RandomSwitchboard = {
  readonly now: RandomSwitch;
  /** Whether random calls are on for this person (RQ-8): by a hash of their id, so that it stays the same for them. */
  isOnFor(userId: string): boolean;
  /** Switches, for this node at once and for every later start. Rejects, and changes nothing, where it cannot be kept. */
  set(value: RandomSwitch): Promise<void>;
  /** Reads what another node may have switched. Rejects where it cannot be read; then it stays as it is. */
  refresh(): Promise<void>;
};

/** The operator's switch for random calls (RQ-8), with what it was set to before. */
export const openRandomSwitch = async (records: Pick<Records, 'settings'>): Promise<RandomSwitchboard> => {
  let current = (await records.settings.random()) ?? on;
  return {
    get now() {
      return current;
    },
    isOnFor: (userId) => current.enabled && percentOf(userId) < current.sharePercent,
    set: async (value) => {
      await records.settings.setRandom(value);
      current = value;
    },
    refresh: async () => {
      current = (await records.settings.random()) ?? on;
    },
  };
};

/** 0 to 99, evenly, and by nothing that anybody chooses. */
const percentOf = (userId: string): number =>
  createHash('sha256').update(`rostrum random share v1:${userId}`).digest().readUInt32BE() % 100;
