import type { CommandName } from '@rostrum/shared/protocol/index.ts';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Emitter } from './emitter.ts';
import { RostrumError } from './errors.ts';
import { joinRoom } from './room.ts';
import { roomId, roomView } from './test-support.ts';
import type { Connection, ConnectionStatus, Online } from './types.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Somebody in a room over a connection that the test plays; no media comes to them. */
const sitDown = async () => {
  const events = new Emitter<{ status: ConnectionStatus; online: Online }>();
  const server = { refuses: undefined as 'unavailable' | 'room_ended' | undefined, joins: 0 };
  const connection = {
    status: 'online',
    on: events.on,
    onEvent: () => () => undefined,
    request: async (name: CommandName) => {
      if (name !== 'room:join') throw new RostrumError('unavailable', '');
      server.joins += 1;
      if (server.refuses !== undefined) throw new RostrumError(server.refuses, '');
      return { state: roomView(), speaking: [] };
    },
  };
  const room = await joinRoom(connection as unknown as Connection, roomId, { playVoice: () => undefined });
  const phases: string[] = [];
  room.on('phase', ({ phase }) => phases.push(phase));
  const online = (moved: boolean): void => events.emit('online', { resumed: true, moved });
  return { room, phases, server, online };
};

test('OP-2 a move to another node takes the seat again, and shows nothing', async () => {
  const { room, phases, server, online } = await sitDown();
  online(true);
  await vi.advanceTimersByTimeAsync(1000);
  expect(server.joins).toBe(2);
  expect([phases, room.phase.phase]).toEqual([[], 'live']);
  room.dispose();
});

test('RE-2 a connection that was away is shown until the seat is taken again', async () => {
  const { room, phases, online } = await sitDown();
  online(false);
  await vi.advanceTimersByTimeAsync(1000);
  expect(phases).toEqual(['reconnecting', 'live']);
  room.dispose();
});

test('RE-4 while the state of the service is out of reach the seat is asked for again and again, and media is kept', async () => {
  for (const moved of [true, false]) {
    const { room, phases, server, online } = await sitDown();
    server.refuses = 'unavailable';
    online(moved);
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(phases).toEqual(['reconnecting']);
    expect(server.joins).toBeGreaterThan(60);
    expect(server.joins).toBeLessThan(150);
    server.refuses = undefined;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(phases).toEqual(['reconnecting', 'live']);
    room.dispose();
  }
});

test('RM-3 a room that ended meanwhile is over', async () => {
  const { phases, server, online } = await sitDown();
  server.refuses = 'room_ended';
  online(true);
  await vi.advanceTimersByTimeAsync(1000);
  expect(phases.at(-1)).toBe('ended');
});
