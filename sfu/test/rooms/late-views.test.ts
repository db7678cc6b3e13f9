import type { RoomView } from '@rostrum/shared/protocol/room.ts';
import { refuse } from '@rostrum/shared/result.ts';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LateViews } from '../../src/rooms/late-views.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createMemoryRoomStore } from '../../src/state/memory/memory-room-store.ts';
import { keepingLogger } from '../cluster/logged.ts';
import { emptyRoom, idOf, nameOf } from '../rules/support.ts';

const roomId = idOf('room');
const limits = { audienceListedMax: 100 };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A room of three listeners that is stored, and what its people are told late. */
const setUp = async () => {
  const { state } = emptyRoom().joinAll('ana', 'ben', 'cem');
  const store = createMemoryRoomStore(systemClock);
  await store.create(state, new Map());
  const told: { who: string; members: number | undefined; at: number }[] = [];
  const room = { isAway: false, readings: 0 };
  const begun = performance.now();
  const views = new LateViews({
    engine: {
      between: async (_, task) => {
        if (room.isAway) return refuse('unavailable');
        room.readings += 1;
        return task();
      },
    },
    store,
    publisher: {
      toSession: ({ userId }, _, payload) => {
        const { state: view } = payload as { state: RoomView };
        told.push({ who: nameOf(userId), members: view.audience.members?.length, at: performance.now() - begun });
      },
    },
    limits,
    logger: keepingLogger().logger,
  });
  const seatOf = (name: string) => {
    const sessionId = state.audience.get(idOf(name))?.sessionId ?? 'another session';
    return { roomId, userId: idOf(name), sessionId };
  };
  return { views, told, room, store, state, seatOf };
};

describe('The list of people that follows the sound', () => {
  test('RM-10 comes shortly after the transport is connected, and after a second where none is', async () => {
    const { views, told, seatOf } = await setUp();
    views.owe(seatOf('ana'));
    views.owe(seatOf('ben'));
    await vi.advanceTimersByTimeAsync(300);
    views.connected(seatOf('ana'));
    await vi.advanceTimersByTimeAsync(5000);
    expect(told).toEqual([
      { who: 'ana', members: 3, at: 400 },
      { who: 'ben', members: 3, at: 1000 },
    ]);
    // Nothing is owed any more, however often they connect.
    views.connected(seatOf('ana'));
    await vi.advanceTimersByTimeAsync(5000);
    expect(told).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('RM-10 is read once for those who came together', async () => {
    const { views, told, room, seatOf } = await setUp();
    for (const name of ['ana', 'ben', 'cem']) {
      views.owe(seatOf(name));
      await vi.advanceTimersByTimeAsync(40);
    }
    await vi.advanceTimersByTimeAsync(5000);
    expect([told.length, room.readings]).toEqual([3, 1]);
  });

  test('RM-10 is not sent to whoever left, or sits there with another device', async () => {
    const { views, told, seatOf } = await setUp();
    views.owe(seatOf('dan'));
    views.owe({ ...seatOf('ana'), sessionId: 'before' });
    views.owe(seatOf('ben'));
    await vi.advanceTimersByTimeAsync(5000);
    expect(told.map(({ who }) => who)).toEqual(['ben']);
  });

  test('RM-10 is not sent where the room has grown too large for it, or is over', async () => {
    const { views, told, store, state, seatOf } = await setUp();
    const unlisted = { ...state, control: { ...state.control, audienceListed: false } };
    await store.create(unlisted, new Map());
    views.owe(seatOf('ana'));
    await vi.advanceTimersByTimeAsync(5000);
    await store.remove(roomId);
    views.owe(seatOf('ben'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('RE-4 waits while the state is away, and RE-5 not for ever', async () => {
    const { views, told, room, seatOf } = await setUp();
    room.isAway = true;
    views.owe(seatOf('ana'));
    await vi.advanceTimersByTimeAsync(20_000);
    room.isAway = false;
    await vi.advanceTimersByTimeAsync(1000);
    expect(told).toHaveLength(1);
    room.isAway = true;
    views.owe(seatOf('ben'));
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('RE-5 nothing is told, and no timer is left, once the server stops', async () => {
    const { views, told, seatOf } = await setUp();
    views.owe(seatOf('ana'));
    views.stop();
    await vi.advanceTimersByTimeAsync(5000);
    expect([told, vi.getTimerCount()]).toEqual([[], 0]);
  });
});
