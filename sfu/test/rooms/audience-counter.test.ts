import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AudienceCounter } from '../../src/rooms/audience-counter.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createMemoryRoomStore } from '../../src/state/memory/memory-room-store.ts';
import { emptyRoom, idOf } from '../rules/support.ts';

describe('How many listen, told by several nodes', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** A room of three listeners that is stored, and what was told of it. */
  const counting = async () => {
    const { state } = emptyRoom({ privacy: { hideParticipants: true } }).joinAll('ana', 'ben', 'cem');
    const store = createMemoryRoomStore(systemClock);
    await store.create(state, new Map());
    const told: unknown[] = [];
    const publisher = { toRoom: (...event: unknown[]) => told.push(event.at(-1)) };
    const alone = new AudienceCounter(publisher, 1000);
    return { counter: new AudienceCounter(publisher, 1000, store), alone, control: state.control, told, store };
  };
  const count = (number: number) => ({ roomId: idOf('room'), count: number });

  test('RM-10 RE-1 a count that another node has overtaken is told again as it is', async () => {
    const { counter, control, told } = await counting();
    counter.changed(control, 2);
    await vi.advanceTimersByTimeAsync(1000);
    expect(told).toEqual([count(2), count(3)]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told).toEqual([count(2), count(3), count(3)]);
    counter.close();
  });

  test('RM-10 RM-6 a view that was read before the last count and came after it does not stay', async () => {
    const { counter, control, told } = await counting();
    counter.changed(control, 3);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told).toEqual([count(3), count(3)]);
    counter.close();
  });

  test('RM-10 a node that is alone tells the last count once', async () => {
    const { control, told, alone } = await counting();
    alone.changed(control, 3);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told).toEqual([count(3)]);
    alone.close();
  });

  test('RM-10 of a room that is over nothing more is told', async () => {
    const { counter, control, told, store } = await counting();
    counter.changed(control, 2);
    await store.remove(control.roomId);
    counter.changed(control, 1);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told).toEqual([count(2)]);
  });
});
