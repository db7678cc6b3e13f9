import type { RoomView, RoomViewEvent } from '@rostrum/shared/protocol/room.ts';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RostrumError } from './errors.ts';
import { roomId, roomView } from './test-support.ts';
import { ViewKeeper } from './view-keeper.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const ending = (sequence: number): RoomViewEvent => ({
  name: 'room:ending-soon',
  payload: { roomId, view: 'room', sequence, endsAt: sequence },
});
const seen = (sequence: number): RoomView => ({
  ...roomView(),
  endsAt: sequence,
  sequence: { room: sequence, stage: 0, staff: 0, self: 0 },
});

/** A keeper whose questions are answered by hand. */
const keep = () => {
  const questions: { answer: (view: RoomView) => void; refuse: (error: unknown) => void }[] = [];
  const refusals: unknown[] = [];
  const keeper = new ViewKeeper({
    sync: () => new Promise((answer, refuse) => questions.push({ answer, refuse })),
    changed: () => undefined,
    refused: (error) => refusals.push(error),
  });
  keeper.replace(roomView());
  return { keeper, questions, refusals };
};

test('RE-1 asks within 300 ms of a gap, and once for any number of them', async () => {
  const { keeper, questions } = keep();
  for (const sequence of [3, 5, 7]) keeper.take(ending(sequence));
  expect(questions).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(300);
  expect(questions).toHaveLength(1);
  keeper.take(ending(9));
  await vi.advanceTimersByTimeAsync(5000);
  expect(questions).toHaveLength(1);
  questions[0]?.answer(seen(9));
  await vi.advanceTimersByTimeAsync(5000);
  expect(keeper.view?.endsAt).toBe(9);
  expect(questions).toHaveLength(1);
});

test('RE-1 does not ask when the missing event comes in time', async () => {
  const { keeper, questions } = keep();
  keeper.take(ending(2));
  keeper.take(ending(1));
  await vi.advanceTimersByTimeAsync(5000);
  expect(keeper.view?.endsAt).toBe(2);
  expect(questions).toHaveLength(0);
});

test('RM-10 asks at most once in 2 s', async () => {
  const { keeper, questions } = keep();
  keeper.take(ending(2));
  await vi.advanceTimersByTimeAsync(300);
  questions[0]?.answer(seen(2));
  await vi.advanceTimersByTimeAsync(0);
  keeper.take(ending(4));
  await vi.advanceTimersByTimeAsync(1600);
  expect(questions).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(700);
  expect(questions).toHaveLength(2);
});

test('RE-1 asks again after a failure that passes, and tells one that does not', async () => {
  const { keeper, questions, refusals } = keep();
  keeper.take(ending(2));
  await vi.advanceTimersByTimeAsync(300);
  questions[0]?.refuse(new RostrumError('unavailable', ''));
  await vi.advanceTimersByTimeAsync(400);
  expect(questions).toHaveLength(2);
  questions[1]?.refuse(new RostrumError('not_in_room', ''));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(questions).toHaveLength(2);
  expect(refusals).toHaveLength(1);
});

test('RE-2 asks nothing while the connection is away, and nothing that was asked before it counts', async () => {
  const { keeper, questions } = keep();
  keeper.take(ending(2));
  await vi.advanceTimersByTimeAsync(300);
  keeper.suspend();
  keeper.take(ending(4));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(questions).toHaveLength(1);
  keeper.replace(seen(8));
  questions[0]?.answer(seen(2));
  await vi.advanceTimersByTimeAsync(0);
  expect(keeper.view?.endsAt).toBe(8);
});

test('RE-1 a view that is behind what the server says asks for the whole, and one that is not does not', async () => {
  const { keeper, questions } = keep();
  keeper.known('room', 0);
  keeper.known('staff', 0);
  await vi.advanceTimersByTimeAsync(5000);
  expect(questions).toHaveLength(0);
  keeper.known('room', 2);
  expect(questions).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(300);
  expect(questions).toHaveLength(1);
  questions[0]?.answer(seen(2));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(keeper.view?.endsAt).toBe(2);
  expect(questions).toHaveLength(1);
});

test('RE-1 what the server counts and is only late is not asked for', async () => {
  const { keeper, questions } = keep();
  keeper.known('room', 1);
  keeper.take(ending(1));
  await vi.advanceTimersByTimeAsync(5000);
  expect(questions).toHaveLength(0);
});

test('RE-1 an answer counts even where it is older than what was told, and is asked for once', async () => {
  const { keeper, questions } = keep();
  keeper.known('room', 9);
  await vi.advanceTimersByTimeAsync(300);
  questions[0]?.answer(seen(3));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(questions).toHaveLength(1);
  // What is told while an answer is awaited may be newer than it.
  keeper.known('room', 10);
  await vi.advanceTimersByTimeAsync(300);
  keeper.known('room', 12);
  questions[1]?.answer(seen(10));
  await vi.advanceTimersByTimeAsync(3000);
  questions[2]?.answer(seen(12));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(questions).toHaveLength(3);
  expect(keeper.view?.endsAt).toBe(12);
});

test('RE-5 sets no timer after it was closed', async () => {
  const { keeper, questions } = keep();
  keeper.take(ending(2));
  keeper.close();
  keeper.take(ending(5));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(questions).toHaveLength(0);
  expect(vi.getTimerCount()).toBe(0);
});

test('RE-1 RE-5 a crowd that missed the same event asks over some seconds, and not at one moment', async () => {
  const crowd = Array.from({ length: 1000 }, () => {
    const { keeper, questions } = keep();
    keeper.replace({ ...roomView(), audience: { count: 1000, members: null } });
    keeper.take(ending(3));
    return questions;
  });
  const asked = (): number => crowd.filter((questions) => questions.length > 0).length;
  await vi.advanceTimersByTimeAsync(300);
  expect(asked()).toBeGreaterThan(50);
  expect(asked()).toBeLessThan(300);
  await vi.advanceTimersByTimeAsync(2000);
  expect(asked()).toBe(1000);
});

test('RM-10 what stands alone counts though it came before the first view, which is older', () => {
  const keeper = new ViewKeeper({ sync: async () => seen(0), changed: () => undefined, refused: () => undefined });
  keeper.amend((view) => ({ ...view, audience: { ...view.audience, count: 41 } }));
  keeper.amend((view) => ({ ...view, audience: { ...view.audience, count: 42 } }));
  keeper.replace(roomView());
  expect(keeper.view?.audience.count).toBe(42);
});
