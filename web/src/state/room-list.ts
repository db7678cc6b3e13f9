import { batch, type ReadonlySignal, signal } from '@preact/signals';
import { sizes } from '@rostrum/shared/limits.ts';
import type { RoomCard, RoomList } from '@rostrum/shared/protocol/rest.ts';
import type { Api, RoomPage } from '../client/api.ts';
import type { Messages } from '../i18n/index.ts';
import type { Category } from './choices.ts';
import { describeFailure, type Failure } from './failures.ts';
import { createLatest } from './latest.ts';

/** DS-2: a room that ended is gone from lists within 10 s. */
const refreshMs = 10_000;

export type RoomListStore = {
  readonly rooms: ReadonlySignal<readonly RoomCard[]>;
  readonly category: ReadonlySignal<Category | undefined>;
  /** `loading` until the first answer for this category; `failed` when there is nothing to show instead. */
  readonly status: ReadonlySignal<'loading' | 'ready' | 'failed'>;
  /** Why the last request failed, while that is so; the rooms shown are then those of before. */
  readonly failure: ReadonlySignal<Failure | undefined>;
  readonly hasMore: ReadonlySignal<boolean>;
  readonly loadingMore: ReadonlySignal<boolean>;
  choose(category: Category | undefined): void;
  more(): Promise<void>;
  retry(): void;
  /** Keeps the list fresh while the page is looked at, until the returned function is called. */
  follow(page: Pick<Document, 'visibilityState' | 'addEventListener' | 'removeEventListener'>): () => void;
};

type RoomListOptions = { readonly api: Pick<Api, 'listRooms' | 'listCategory'>; readonly messages: () => Messages };

/**
 * Puts a fresh list in the place of a shown one without moving what stays: cards that are still there keep their order,
 * those that ended go, and new ones come after.
 */
export const mergeRooms = (shown: readonly RoomCard[], fresh: readonly RoomCard[]): readonly RoomCard[] => {
  const latest = new Map(fresh.map((room) => [room.roomId, room]));
  const kept = shown.flatMap((room) => latest.get(room.roomId) ?? []);
  const known = new Set(kept.map((room) => room.roomId));
  return [...kept, ...fresh.filter((room) => !known.has(room.roomId))];
};

export const createRoomList = ({ api, messages }: RoomListOptions): RoomListStore => {
  const rooms = signal<readonly RoomCard[]>([]);
  const category = signal<Category | undefined>(undefined);
  const status = signal<'loading' | 'ready' | 'failed'>('loading');
  const failure = signal<Failure | undefined>(undefined);
  const cursor = signal<string | null>(null);
  const hasMore = signal(false);
  const loadingMore = signal(false);
  const latest = createLatest();

  const load = (take: (answer: RoomList) => void, page: RoomPage) =>
    latest.run(
      () => (category.value === undefined ? api.listRooms(page) : api.listCategory(category.value, page)),
      (answer) => {
        take(answer);
        status.value = 'ready';
        failure.value = undefined;
      },
      (error) => {
        failure.value = describeFailure(error, messages());
        if (status.value === 'loading') status.value = 'failed';
      },
    );
  const show = (list: readonly RoomCard[], next: string | null) => {
    rooms.value = list;
    cursor.value = next;
    hasMore.value = next !== null;
  };
  /** Asks for as many as are shown; what lies beyond the largest page stays as it is until it is loaded again. */
  const refresh = (reorder: boolean) => {
    if (loadingMore.value) return Promise.resolve();
    const limit = Math.min(sizes.pageMax, Math.max(sizes.page, rooms.value.length));
    return load(
      (answer) => {
        const beyond = rooms.value.slice(limit);
        const known = new Set(answer.rooms.map((room) => room.roomId));
        const fresh = [...answer.rooms, ...beyond.filter((room) => !known.has(room.roomId))];
        show(reorder ? fresh : mergeRooms(rooms.value, fresh), beyond.length > 0 ? cursor.value : answer.nextCursor);
      },
      { limit },
    );
  };
  const begin = () => {
    batch(() => {
      status.value = 'loading';
      failure.value = undefined;
      show([], null);
    });
    void refresh(true);
  };
  return {
    rooms,
    category,
    status,
    failure,
    hasMore,
    loadingMore,
    choose: (next) => {
      if (next === category.value) return;
      category.value = next;
      begin();
    },
    more: async () => {
      if (cursor.value === null || loadingMore.value) return;
      loadingMore.value = true;
      await load((answer) => show(mergeRooms(rooms.value, [...rooms.value, ...answer.rooms]), answer.nextCursor), {
        cursor: cursor.value,
      });
      loadingMore.value = false;
    },
    retry: begin,
    follow: (page) => followPage(page, refresh),
  };
};

const followPage = (
  page: Pick<Document, 'visibilityState' | 'addEventListener' | 'removeEventListener'>,
  refresh: (reorder: boolean) => Promise<void>,
): (() => void) => {
  const onVisible = () => {
    if (page.visibilityState === 'visible') void refresh(true);
  };
  const timer = setInterval(() => {
    if (page.visibilityState === 'visible') void refresh(false);
  }, refreshMs);
  void refresh(true);
  page.addEventListener('visibilitychange', onVisible);
  globalThis.addEventListener?.('focus', onVisible);
  return () => {
    clearInterval(timer);
    page.removeEventListener('visibilitychange', onVisible);
    globalThis.removeEventListener?.('focus', onVisible);
  };
};
