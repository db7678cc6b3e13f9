import { beforeEach, describe, expect, test } from 'vitest';
import { createMediaBridge, type MediaBridge } from '../../src/rooms/media-bridge.ts';
import { keepingLogger } from '../cluster/logged.ts';

const seat = { roomId: 'room', userId: 'ana', sessionId: 'one' };
const device = { ...seat, sessionId: 'two' };

let told: [string, string, unknown][];
let lost: string[];
let bridge: MediaBridge;

beforeEach(() => {
  told = [];
  lost = [];
  bridge = createMediaBridge({
    publisher: {
      toSession: ({ sessionId }, name, payload) => void told.push([sessionId, name, payload]),
      toRoom: (_, name, payload) => void told.push(['room', name, payload]),
    },
    logger: keepingLogger().logger,
  });
  bridge.owners.connect({
    microphoneClosed: async (_, producerId) => lost.push(producerId),
    mediaLost: async (roomId) => lost.push(roomId),
    seat: async () => undefined,
    state: async () => undefined,
  });
});

const names = (): string[] => told.map(([, name]) => name);
const add = (to = seat): void => bridge.events.consumersAdded({ seat: to, transportId: 'new', consumers: [] });

describe('what media tells by itself', () => {
  test('MD-8 each who lost something with a worker is told what, and the state only where microphones went', () => {
    const seats = [
      { seat, receiving: true, sending: false },
      { seat: device, receiving: false, sending: true },
    ];
    bridge.events.mediaLost('room', { seats, microphones: false, withinMs: 7 });
    expect(told).toEqual([
      ['one', 'media:lost', { roomId: 'room', receiving: true, sending: false, withinMs: 7 }],
      ['two', 'media:lost', { roomId: 'room', receiving: false, sending: true, withinMs: 7 }],
    ]);
    expect(lost).toEqual([]);
    bridge.events.mediaLost('room', { seats: [], microphones: true, withinMs: 1 });
    expect(lost).toEqual(['room']);
  });

  test('MD-2 whoever another router is to serve is told to listen anew', () => {
    bridge.events.relisten(seat, 500);
    expect(told).toEqual([['one', 'media:relisten', { roomId: 'room', withinMs: 500 }]]);
  });

  test('MD-1 nothing overtakes the answer that names the transport, and what comes after it keeps its order', () => {
    const letGo = bridge.hold(seat);
    add();
    bridge.events.consumersRemoved(seat, ['gone']);
    bridge.events.relisten(seat, 0);
    // Another device of the same person has nothing to do with it, and neither has what everybody is told.
    add(device);
    bridge.events.speakingChanged('room', ['ana']);
    expect(told.map(([to]) => to)).toEqual(['two', 'room']);
    told = [];
    letGo();
    expect(names()).toEqual(['media:consumers-added', 'media:consumers-removed', 'media:relisten']);
    add();
    expect(names()).toHaveLength(4);
  });

  test('MD-1 two answers at once hold back until both are on their way', () => {
    const [first, second] = [bridge.hold(seat), bridge.hold(seat)];
    add();
    first();
    expect(told).toEqual([]);
    second();
    expect(names()).toEqual(['media:consumers-added']);
  });

  test('MO-1 a microphone that media closed is noted at once, whatever is held back', () => {
    const letGo = bridge.hold(seat);
    bridge.events.unpublished(seat, 'producer');
    expect([lost, told]).toEqual([['producer'], []]);
    letGo();
    expect(names()).toEqual(['media:unpublished']);
  });

  test('RE-5 no more is held back than has room', () => {
    const letGo = bridge.hold(seat);
    for (let count = 0; count < 1000; count += 1) add();
    expect(names().length).toBeGreaterThan(700);
    letGo();
    expect(names()).toHaveLength(1000);
  });
});
