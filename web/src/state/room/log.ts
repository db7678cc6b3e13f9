import { batch, computed, type ReadonlySignal, signal } from '@preact/signals';
import type { ModerationEntry } from '@rostrum/shared/protocol/room.ts';
import type { Api } from '../../client/api.ts';
import type { Messages } from '../../i18n/index.ts';
import { describeFailure, type Failure } from '../failures.ts';

/** The moderation log of the room (MO-4), newest first, for host and moderators. */
export type ModerationLogStore = {
  readonly entries: ReadonlySignal<readonly ModerationEntry[]>;
  readonly status: ReadonlySignal<'idle' | 'loading' | 'ready' | 'failed'>;
  readonly failure: ReadonlySignal<Failure | undefined>;
  /** Who is kept out now: the last act upon them was a kick or a ban. */
  readonly excluded: ReadonlySignal<ReadonlySet<string>>;
  /** Whose right to raise a hand is withdrawn now (HD-5). */
  readonly handless: ReadonlySignal<ReadonlySet<string>>;
  load(): Promise<void>;
  take(entry: ModerationEntry): void;
};

type LogOptions = {
  readonly api: Pick<Api, 'moderationLog'>;
  readonly roomId: string;
  readonly messages: () => Messages;
};

/** A page keeps at most this many entries (RE-5). */
const mostEntries = 500;

const newestFirst = (entries: readonly ModerationEntry[]): readonly ModerationEntry[] =>
  [...new Map(entries.map((entry) => [entry.entryId, entry])).values()]
    .sort((a, b) => b.at - a.at)
    .slice(0, mostEntries);

/** Those for whom the latest of the acts that put somebody in or out is one that puts them in. */
const those = (
  entries: readonly ModerationEntry[],
  into: readonly ModerationEntry['act'][],
  outOf: readonly ModerationEntry['act'][],
): ReadonlySet<string> => {
  const seen = new Set<string>();
  const found = new Set<string>();
  for (const { act, userId } of entries) {
    const concerns = into.includes(act) || outOf.includes(act);
    if (userId === null || !concerns || seen.has(userId)) continue;
    seen.add(userId);
    if (into.includes(act)) found.add(userId);
  }
  return found;
};

export const createModerationLog = ({ api, roomId, messages }: LogOptions): ModerationLogStore => {
  const entries = signal<readonly ModerationEntry[]>([]);
  const status = signal<'idle' | 'loading' | 'ready' | 'failed'>('idle');
  const failure = signal<Failure | undefined>(undefined);
  return {
    entries,
    status,
    failure,
    excluded: computed(() => those(entries.value, ['kick', 'ban'], ['unban'])),
    handless: computed(() => those(entries.value, ['withdraw-hand-right'], ['restore-hand-right'])),
    load: async () => {
      if (status.peek() === 'loading') return;
      if (status.peek() !== 'ready') status.value = 'loading';
      try {
        const answer = await api.moderationLog(roomId);
        batch(() => {
          entries.value = newestFirst([...answer.entries, ...entries.peek()]);
          status.value = 'ready';
          failure.value = undefined;
        });
      } catch (error) {
        batch(() => {
          failure.value = describeFailure(error, messages());
          if (status.peek() === 'loading') status.value = 'failed';
        });
      }
    },
    take: (entry) => {
      entries.value = newestFirst([entry, ...entries.peek()]);
    },
  };
};
