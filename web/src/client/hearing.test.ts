import type { EventName } from '@rostrum/shared/protocol/index.ts';
import type { ListeningOffer } from '@rostrum/shared/protocol/listening.ts';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RostrumError } from './errors.ts';
import { Hearing, type HearingOptions } from './hearing.ts';
import type { Receiver } from './receiver.ts';
import { roomId } from './test-support.ts';
import type { Connection } from './types.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Hearing with a receiver and a server that the test plays. */
const setUp = (options: Partial<HearingOptions> = {}) => {
  const listeners = new Map<string, (payload: object) => void>();
  /** What the receiver was asked for, and what else was done. */
  const did: string[] = [];
  const room = { fails: 0, listening: Promise.resolve() };
  const receiver = {
    transport: undefined,
    consumerIds: [],
    listen: async (opened?: ListeningOffer | null) => {
      await room.listening;
      if (room.fails > 0) {
        room.fails -= 1;
        throw new RostrumError('unavailable', '');
      }
      did.push(opened ? 'plays' : 'listens');
    },
    add: async (transportId: string) => void did.push(`adds to ${transportId}`),
    remove: () => did.push('removes'),
    resume: async () => undefined,
    lost: () => did.push('loses'),
  };
  const connection = {
    status: 'online',
    onEvent: (name: string, listener: (payload: object) => void) => {
      listeners.set(name, listener);
      return () => listeners.delete(name);
    },
    request: async () => ({ transportIds: [], added: [], removed: [] }),
  };
  const hearing = new Hearing({
    connection: connection as unknown as Connection,
    roomId,
    receiver: receiver as unknown as Receiver,
    sendingId: () => undefined,
    synced: () => undefined,
    lost: () => did.push('sends anew'),
    seatLost: () => undefined,
    ...options,
  });
  const tell = (name: EventName, payload: object): void => listeners.get(name)?.({ roomId, ...payload });
  return { hearing, did, room, tell };
};

const offer = {} as ListeningOffer;

test('MD-1 plays what the join has opened, and tells the server nothing more', async () => {
  const joined = Promise.withResolvers<ListeningOffer | null>();
  const { did, tell } = setUp({ opened: joined.promise });
  await vi.advanceTimersByTimeAsync(5000);
  // What overtakes the answer, or comes in the same moment, waits for it.
  tell('media:consumers-added', { transportId: 'first', consumers: [] });
  await vi.advanceTimersByTimeAsync(100);
  expect(did).toEqual([]);
  joined.resolve(offer);
  await vi.advanceTimersByTimeAsync(0);
  expect(did).toEqual(['plays', 'adds to first']);
});

test('MD-1 asks for itself where the join could not open it', async () => {
  const { did, room } = setUp({ opened: Promise.resolve(null) });
  room.fails = 2;
  await vi.advanceTimersByTimeAsync(5000);
  expect(did).toEqual(['listens']);
});

test('MD-1 a join that is refused leaves nothing behind', async () => {
  const { hearing, did } = setUp({ opened: Promise.reject(new RostrumError('room_full', '')) });
  hearing.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(did).toEqual([]);
});

test('MD-2 RO-3 listens anew where it is told to, some time in what it is given for that', async () => {
  for (const [chance, at] of [
    [0, 0],
    [0.5, 2000],
    [0.999, 3996],
  ] as const) {
    vi.spyOn(Math, 'random').mockReturnValue(chance);
    const { did, tell } = setUp();
    await vi.advanceTimersByTimeAsync(0);
    tell('media:relisten', { withinMs: 4000 });
    if (at > 0) await vi.advanceTimersByTimeAsync(at - 1);
    expect(did).toEqual(['listens']);
    await vi.advanceTimersByTimeAsync(1);
    expect(did).toEqual(['listens', 'listens']);
  }
});

test('MD-8 opens again what was lost with a worker, and nothing else', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  const { did, tell } = setUp();
  await vi.advanceTimersByTimeAsync(0);
  did.length = 0;
  tell('media:lost', { receiving: false, sending: true, withinMs: 1000 });
  await vi.advanceTimersByTimeAsync(5000);
  expect(did).toEqual(['sends anew']);
  did.length = 0;
  tell('media:lost', { receiving: true, sending: false, withinMs: 1000 });
  await vi.advanceTimersByTimeAsync(499);
  expect(did).toEqual(['loses']);
  await vi.advanceTimersByTimeAsync(1);
  expect(did).toEqual(['loses', 'listens']);
});

test('MD-8 takes part in no other room', async () => {
  const { did, tell } = setUp();
  await vi.advanceTimersByTimeAsync(0);
  did.length = 0;
  tell('media:lost', { roomId: 'another', receiving: true, sending: true, withinMs: 0 });
  tell('media:relisten', { roomId: 'another', withinMs: 0 });
  await vi.advanceTimersByTimeAsync(1000);
  expect(did).toEqual([]);
});

test('MD-2 is told to listen anew in the middle of listening, and does so when that is done', async () => {
  const { did, room, tell } = setUp();
  const connecting = Promise.withResolvers<void>();
  room.listening = connecting.promise;
  await vi.advanceTimersByTimeAsync(0);
  tell('media:relisten', { withinMs: 0 });
  await vi.advanceTimersByTimeAsync(100);
  connecting.resolve();
  await vi.advanceTimersByTimeAsync(100);
  expect(did).toEqual(['listens', 'listens']);
});

test('RE-2 a connection that comes back twice is asked twice what is still there', async () => {
  const asked: (() => void)[] = [];
  const nothing = { transportIds: [], added: [], removed: [] };
  const connection = {
    status: 'online',
    onEvent: () => () => undefined,
    request: () => new Promise((resolve) => asked.push(() => resolve(nothing))),
  };
  const { hearing } = setUp({ connection: connection as unknown as Connection });
  await vi.advanceTimersByTimeAsync(0);
  hearing.resume();
  await vi.advanceTimersByTimeAsync(0);
  hearing.resume();
  await vi.advanceTimersByTimeAsync(0);
  expect(asked).toHaveLength(1);
  asked[0]?.();
  await vi.advanceTimersByTimeAsync(0);
  expect(asked).toHaveLength(2);
});
