import { expect, test } from 'vitest';
import { createPlacing } from '../../src/gateway/placing.ts';

const nodeWith = (full: boolean, draining = false, seenAt = 0) => ({
  draining,
  seenAt,
  load: { sockets: 0, rooms: 0, consumers: 0, full },
});

/** A node among others, at a time that the test puts forward. */
const setUp = () => {
  const world = { hasRoom: true, now: 0, peers: [nodeWith(false)] };
  const placing = createPlacing({
    hasRoom: () => world.hasRoom,
    peers: () => world.peers,
    now: () => world.now,
    clock: { now: () => world.now },
    limits: { heartbeatMs: 1000 },
  });
  return { world, placing };
};

test('MD-3 whoever is refused is sent to a node that has room, and new sockets with them, for as long as that takes', () => {
  const { world, placing } = setUp();
  expect([placing.isFull(), placing.turnsAway()]).toEqual([false, false]);
  expect(placing.refused()).toBeGreaterThan(0);
  // There may be room for somebody in a smaller room, but who was sent away must not come back here.
  expect([placing.isFull(), placing.turnsAway()]).toEqual([true, true]);
  world.now = 2999;
  expect([placing.isFull(), placing.turnsAway()]).toEqual([true, true]);
  world.now = 3000;
  expect([placing.isFull(), placing.turnsAway()]).toEqual([false, false]);
});

test('MD-3 a node that says it is full turns away before anybody had to be refused', () => {
  const { world, placing } = setUp();
  world.hasRoom = false;
  expect([placing.isFull(), placing.turnsAway()]).toEqual([true, true]);
});

test.each([
  ['there is no other node', []],
  ['every other one is full', [nodeWith(true), nodeWith(true)]],
  ['the one that has room takes its leave', [nodeWith(true), nodeWith(false, true)]],
])('MD-3 nobody is sent anywhere where %s', (_, peers) => {
  const { world, placing } = setUp();
  world.peers = peers;
  world.hasRoom = false;
  expect(placing.refused()).toBeUndefined();
  expect([placing.isFull(), placing.turnsAway()]).toEqual([true, false]);
});

test('RE-3 RE-4 nobody is turned away for a node that has not been heard of of late: it may be dead, or the store away', () => {
  const { world, placing } = setUp();
  world.hasRoom = false;
  world.now = 3000;
  expect(placing.turnsAway()).toBe(true);
  world.now = 3001;
  expect([placing.turnsAway(), placing.refused()]).toEqual([false, undefined]);
  world.peers = [nodeWith(false, false, 3001)];
  expect(placing.turnsAway()).toBe(true);
});
