import type { CommandName } from '@rostrum/shared/protocol/index.ts';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Emitter } from './emitter.ts';
import { RostrumError } from './errors.ts';
import { joinRoom } from './room.ts';
import { sitDown } from './sit-down.ts';
import { roomId, roomView } from './test-support.ts';
import { Timers } from './timers.ts';
import type { Connection, ConnectionStatus, Online } from './types.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Somebody in a room over a connection that the test plays; no media comes to them. */
const seated = async () => {
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
      return { state: roomView(), listening: null, speaking: [] };
    },
  };
  const room = await joinRoom(connection as unknown as Connection, roomId, { playVoice: () => undefined });
  const phases: string[] = [];
  room.on('phase', ({ phase }) => phases.push(phase));
  const online = (moved: boolean): void => events.emit('online', { resumed: true, moved });
  return { room, phases, server, online };
};

test('OP-2 a move to another node takes the seat again, and shows nothing', async () => {
  const { room, phases, server, online } = await seated();
  online(true);
  await vi.advanceTimersByTimeAsync(1000);
  expect(server.joins).toBe(2);
  expect([phases, room.phase.phase]).toEqual([[], 'live']);
  room.dispose();
});

test('RE-2 a connection that was away is shown until the seat is taken again', async () => {
  const { room, phases, online } = await seated();
  online(false);
  await vi.advanceTimersByTimeAsync(1000);
  expect(phases).toEqual(['reconnecting', 'live']);
  room.dispose();
});

test('RE-4 while the state of the service is out of reach the seat is asked for again and again, and media is kept', async () => {
  for (const moved of [true, false]) {
    const { room, phases, server, online } = await seated();
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
  const { phases, server, online } = await seated();
  server.refuses = 'room_ended';
  online(true);
  await vi.advanceTimersByTimeAsync(1000);
  expect(phases.at(-1)).toBe('ended');
});

/** The answers of a server that is asked for a seat, one after the other. */
const sitWhere = async (...answers: (RostrumError | undefined)[]) => {
  const asked: { name: CommandName; input: object; at: number }[] = [];
  const request = async (name: CommandName, input: object) => {
    asked.push({ name, input, at: Date.now() });
    const refusal = name === 'room:join' ? answers.shift() : undefined;
    if (refusal !== undefined) throw refusal;
    return { state: roomView(), listening: null, speaking: [], resumed: false };
  };
  const sat = sitDown({ request } as unknown as Connection, roomId, new Timers()).then(
    () => 'sits',
    (error: RostrumError) => error.code,
  );
  await vi.advanceTimersByTimeAsync(10_000);
  return { sat: await sat, asked };
};

const fullHere = new RostrumError('node_full', '', { retryAfterMs: 500 });
const fullEverywhere = new RostrumError('node_full', '');

test('MD-3 where another node has room the seat is asked for again there, when the server says so', async () => {
  const { sat, asked } = await sitWhere(fullHere, fullHere);
  expect(sat).toBe('sits');
  expect(asked.map(({ name, input }) => [name, input])).toEqual(
    Array.from({ length: 3 }, () => ['room:join', { roomId, listen: true }]),
  );
  const [first, second, third] = asked.map(({ at }) => at);
  expect([(second ?? 0) - (first ?? 0), (third ?? 0) - (second ?? 0)]).toEqual([500, 500]);
});

test('MD-3 where no node has room that is said at once', async () => {
  const { sat, asked } = await sitWhere(fullEverywhere);
  expect([sat, asked.length]).toEqual(['node_full', 1]);
});

test('RE-5 MD-3 nobody is sent from node to node without end', async () => {
  const { sat, asked } = await sitWhere(fullHere, fullHere, fullHere, fullHere, fullHere, fullHere);
  expect([sat, asked.length]).toEqual(['node_full', 4]);
});

test('RE-2 a seat that was asked for and not answered is given up again', async () => {
  const { sat, asked } = await sitWhere(new RostrumError('timeout', ''));
  expect([sat, asked.map(({ name }) => name)]).toEqual(['timeout', ['room:join', 'room:leave']]);
});

test('RE-5 whoever waits to ask again is let go of when the session is over', async () => {
  const timers = new Timers();
  let joins = 0;
  const request = async () => {
    joins += 1;
    throw fullHere;
  };
  const sat = sitDown({ request } as unknown as Connection, roomId, timers).catch((error: RostrumError) => error.code);
  await vi.advanceTimersByTimeAsync(100);
  timers.close();
  await vi.advanceTimersByTimeAsync(10_000);
  expect([await Promise.race([sat, 'waits']), joins]).toEqual(['node_full', 1]);
});

test('MD-9 what the server tells of a microphone from before does not need the view that is on its way', async () => {
  const listeners = new Map<string, (payload: object) => void>();
  const answer = Promise.withResolvers<object>();
  const connection = {
    status: 'online',
    on: () => () => undefined,
    onEvent: (name: string, listener: (payload: object) => void) => {
      listeners.set(name, listener);
      return () => undefined;
    },
    request: async (name: CommandName) => {
      if (name !== 'room:join') throw new RostrumError('unavailable', '');
      return answer.promise;
    },
  };
  const joined = joinRoom(connection as unknown as Connection, roomId, { playVoice: () => undefined });
  await vi.advanceTimersByTimeAsync(100);
  expect(() => listeners.get('media:unpublished')?.({ roomId, producerId: 'before' })).not.toThrow();
  answer.resolve({ state: roomView(), listening: null, speaking: [], resumed: true });
  const room = await joined;
  expect(() => listeners.get('media:unpublished')?.({ roomId, producerId: 'before' })).not.toThrow();
  room.dispose();
});
