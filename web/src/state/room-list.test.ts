import type { RoomCard } from '@rostrum/shared/protocol/rest.ts';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createEnglish } from '../i18n/index.ts';
import { exampleInfo } from './room/examples.ts';
import { createRoomList, mergeRooms } from './room-list.ts';

const { messages } = createEnglish();
const card = (roomId: string, listenerCount = 0): RoomCard => ({
  ...exampleInfo({ roomId }),
  faces: [],
  stageCount: 0,
  listenerCount,
});
const ids = (rooms: readonly RoomCard[]) => rooms.map(({ roomId }) => roomId).join('');

describe('mergeRooms', () => {
  test('keeps what stays where it is, drops what ended, and puts what is new after it', () => {
    const merged = mergeRooms([card('a'), card('b'), card('c')], [card('d'), card('c', 5), card('a')]);
    expect(ids(merged)).toBe('acd');
    expect(merged[1]?.listenerCount).toBe(5);
  });
});

describe('createRoomList', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const setUp = () => {
    let live = ['a', 'b', 'c'];
    let refuse: Error | undefined;
    const asked: unknown[] = [];
    const answer = async (page: { cursor?: string | undefined; limit?: number } = {}) => {
      asked.push(page);
      if (refuse !== undefined) throw refuse;
      const from = page.cursor === undefined ? 0 : Number(page.cursor);
      const shown = live.slice(from, from + 2).map((roomId) => card(roomId));
      return { rooms: shown, nextCursor: from + 2 < live.length ? String(from + 2) : null };
    };
    const rooms = createRoomList({
      api: { listRooms: answer, listCategory: async () => ({ rooms: [card('z')], nextCursor: null }) },
      messages: () => messages,
    });
    const page = new EventTarget();
    const document = Object.assign(page, { visibilityState: 'visible' as DocumentVisibilityState });
    const stop = rooms.follow(document);
    const setLive = (next: string[]) => {
      live = next;
    };
    const setRefusal = (error: Error | undefined) => {
      refuse = error;
    };
    return { rooms, asked, setLive, setRefusal, document, stop };
  };

  test('DS-2 a room that ended is gone within 10 s, while the page is looked at', async () => {
    const { rooms, setLive, document, asked, stop } = setUp();
    await vi.advanceTimersByTimeAsync(0);
    expect(ids(rooms.rooms.value)).toBe('ab');
    setLive(['b', 'c']);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ids(rooms.rooms.value)).toBe('bc');
    document.visibilityState = 'hidden';
    const before = asked.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(before);
    document.visibilityState = 'visible';
    document.dispatchEvent(new Event('visibilitychange'));
    expect(asked).toHaveLength(before + 1);
    stop();
  });

  test('DS-1 more rooms come page by page', async () => {
    const { rooms, stop } = setUp();
    await vi.advanceTimersByTimeAsync(0);
    expect(rooms.hasMore.value).toBe(true);
    await rooms.more();
    expect(ids(rooms.rooms.value)).toBe('abc');
    expect(rooms.hasMore.value).toBe(false);
    stop();
  });

  test('DS-1 a category is a list of its own', async () => {
    const { rooms, stop } = setUp();
    rooms.choose('music');
    expect(rooms.status.value).toBe('loading');
    await vi.advanceTimersByTimeAsync(0);
    expect(ids(rooms.rooms.value)).toBe('z');
    stop();
  });

  test('WB-4 a failure keeps the rooms that are shown, and says so', async () => {
    const { rooms, setRefusal, stop } = setUp();
    await vi.advanceTimersByTimeAsync(0);
    setRefusal(Object.assign(new Error('away'), { code: 'network' }));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(rooms.status.value).toBe('ready');
    expect(rooms.failure.value?.code).toBe('network');
    rooms.retry();
    await vi.advanceTimersByTimeAsync(0);
    expect(rooms.status.value).toBe('failed');
    setRefusal(undefined);
    rooms.retry();
    await vi.advanceTimersByTimeAsync(0);
    expect(rooms.failure.value).toBeUndefined();
    stop();
  });
});
