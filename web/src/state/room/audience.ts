import { type ReadonlySignal, signal } from '@preact/signals';
import { sizes } from '@rostrum/shared/limits.ts';
import type { Participant } from '@rostrum/shared/protocol/room.ts';
import type { Api } from '../../client/api.ts';
import type { Messages } from '../../i18n/index.ts';
import { describeFailure, type Failure } from '../failures.ts';
import { createLatest } from '../latest.ts';

/** A large audience in pages, and searched (RM-10). */
export type AudiencePages = {
  readonly people: ReadonlySignal<readonly Participant[]>;
  readonly status: ReadonlySignal<'loading' | 'ready' | 'failed'>;
  readonly failure: ReadonlySignal<Failure | undefined>;
  readonly query: ReadonlySignal<string>;
  readonly hasMore: ReadonlySignal<boolean>;
  search(query: string): void;
  more(): Promise<void>;
  /** Asks again for what is shown. */
  refresh(): Promise<void>;
  dispose(): void;
};

type AudienceOptions = {
  readonly api: Pick<Api, 'listParticipants'>;
  readonly roomId: string;
  readonly messages: () => Messages;
  readonly learn: (participants: readonly Participant[]) => void;
};

/** RM-10 */
const perPage = sizes.page;

/** A search begins when nothing was typed for this long. */
const typingMs = 250;

const distinct = (people: readonly Participant[]): readonly Participant[] => [
  ...new Map(people.map((participant) => [participant.userId, participant])).values(),
];

export const createAudiencePages = ({ api, roomId, messages, learn }: AudienceOptions): AudiencePages => {
  const people = signal<readonly Participant[]>([]);
  const status = signal<'loading' | 'ready' | 'failed'>('loading');
  const failure = signal<Failure | undefined>(undefined);
  const query = signal('');
  const hasMore = signal(false);
  let pages = 0;
  let typing: ReturnType<typeof setTimeout> | undefined;
  const latest = createLatest();

  const ask = (page: number, limit: number) => {
    const wanted = query.peek().trim();
    return latest.run(
      () =>
        api.listParticipants(roomId, { page, limit, role: 'listener', ...(wanted === '' ? {} : { query: wanted }) }),
      (answer) => {
        learn(answer.participants);
        people.value = distinct([...(page === 1 ? [] : people.peek()), ...answer.participants]);
        hasMore.value = page * limit < answer.total;
        status.value = 'ready';
        failure.value = undefined;
        pages = (page * limit) / perPage;
      },
      (error) => {
        failure.value = describeFailure(error, messages());
        if (status.peek() === 'loading') status.value = 'failed';
      },
    );
  };
  /** As many as were shown, in one request while they fit into one. */
  const refresh = () => ask(1, Math.min(sizes.pageMax, Math.max(1, pages) * perPage));
  return {
    people,
    status,
    failure,
    query,
    hasMore,
    search: (text) => {
      query.value = text.slice(0, sizes.query);
      pages = 1;
      clearTimeout(typing);
      typing = setTimeout(() => void ask(1, perPage), typingMs);
    },
    more: async () => {
      if (hasMore.peek()) await ask(pages + 1, perPage);
    },
    refresh,
    dispose: () => {
      clearTimeout(typing);
      latest.forget();
    },
  };
};
