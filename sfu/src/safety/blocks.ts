import type { Limits } from '@rostrum/shared/limits.ts';
import type { Blocks as BlockList } from '@rostrum/shared/protocol/rest.ts';
import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import type { Records } from '../records/records.ts';
import type { Clock } from '../runtime/clock.ts';

export type BlocksDependencies = {
  readonly records: Pick<Records, 'blocks'>;
  /** Who somebody is; undefined for a person who is not known. */
  readonly find: (userId: string) => Promise<{ readonly displayName: string } | undefined>;
  readonly clock: Clock;
  readonly limits: Pick<Limits, 'blocksPerPerson'>;
  /** What follows at once from a block that is kept: a call of the two ends, a search goes by it. */
  readonly onBlocked?: (byId: string, userId: string) => Promise<void>;
};

/** Whom people have blocked (SF-4). Rejects as `Records` does, and as `onBlocked` does. */
export type Blocks = {
  /** The ids of those whom this person has blocked. */
  by(userId: string): Promise<readonly string[]>;
  /** Those whom this person has blocked, the latest first, as they are shown to them. */
  list(userId: string): Promise<BlockList>;
  /**
   * Blocks a person; twice is as once. Refuses oneself with `conflict`, somebody who is not known with `not_found`, and the
   * next one after as many as are kept with `blocks_full`.
   */
  put(byId: string, userId: string): Promise<Result<void>>;
  /** Lifts a block; one that is not there is lifted already. */
  remove(byId: string, userId: string): Promise<void>;
};

export const createBlocks = ({ records, find, clock, limits, onBlocked }: BlocksDependencies): Blocks => ({
  by: async (userId) => (await records.blocks.by(userId)).map((block) => block.userId),

  list: async (byId) => {
    const kept = await records.blocks.by(byId);
    return { blocks: kept.map(({ userId, displayName, at }) => ({ userId, displayName, at })) };
  },

  put: async (byId, userId) => {
    if (byId === userId) return refuse('conflict', { path: 'userId' });
    const blocked = await find(userId);
    if (!blocked) return refuse('not_found', { path: 'userId' });
    const block = { byId, userId, displayName: blocked.displayName, at: clock.now() };
    if ((await records.blocks.put(block, limits.blocksPerPerson)) === 'full') return refuse('blocks_full');
    // Also for one that was there already: what should have followed from it may have failed the first time.
    await onBlocked?.(byId, userId);
    return done(undefined);
  },

  remove: (byId, userId) => records.blocks.remove(byId, userId),
});
