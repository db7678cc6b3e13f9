import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import type { OutgoingViewEvent } from '../../src/rooms/ports.ts';
import { newId } from '../../src/runtime/ids.ts';
import { ticket } from '../contract/call-store.support.ts';
import { newRoom } from '../contract/redis-rooms.ts';
import { until } from '../media/harness.ts';
import { type Listener, TestCluster, type TestNode } from './cluster-node.ts';

const cluster = new TestCluster();

const ending = (roomId: string, sequence: number): OutgoingViewEvent => ({
  name: 'room:ending-soon',
  view: 'room',
  userId: null,
  payload: { roomId, view: 'room', sequence, endsAt: sequence },
});

/** What somebody heard of the view of everybody. */
const sequences = (listener: Listener): number[] => listener.all('room:ending-soon').map(({ sequence }) => sequence);

const given = <Value>(value: Value | undefined): Value => {
  if (value === undefined) throw new Error('it is not there');
  return value;
};

/** Nodes with somebody in one room at each of them. */
const withRoom = async (names: readonly string[]) => {
  const nodes: TestNode[] = [];
  for (const name of names) nodes.push(await cluster.start(name));
  const roomId = newId();
  const people: Listener[] = [];
  for (const node of nodes) {
    const person = await cluster.connect(node);
    node.local.rooms.enter(roomId, { ...person.session, role: 'listener' });
    people.push(person);
  }
  return { nodes, roomId, people };
};

/** Entries of the bus that carry a message. */
const told = async (): Promise<string[]> => {
  const redis = new Redis(cluster.redis.url);
  const entries = await redis.xrange(`${cluster.prefix}:bus`, '-', '+');
  redis.disconnect();
  return entries.map(([, fields]) => fields.join(' ')).filter((text) => text.includes('\\"message\\"'));
};

describe('events between nodes', () => {
  it('RE-1 views reach the people of every node, once and in order', async () => {
    const { nodes, roomId, people } = await withRoom(['one', 'two', 'three']);
    const [one, two] = [given(nodes[0]), given(nodes[1])];
    const count = 500;
    for (let sequence = 1; sequence <= count; sequence += 1) {
      const node = sequence % 2 === 0 ? two : one;
      node.rooms.publish(roomId, [ending(roomId, sequence)]);
    }
    for (const person of people) await person.next('room:ending-soon', ({ sequence }) => sequence === count);
    for (const person of people) await person.next('room:ending-soon', ({ sequence }) => sequence === count - 1);
    for (const person of people) {
      expect(sequences(person)).toHaveLength(count);
      // Of each node in the order in which it told them.
      for (const rest of [0, 1]) {
        const ofOne = sequences(person).filter((sequence) => sequence % 2 === rest);
        expect(ofOne).toEqual(ofOne.toSorted((before, after) => before - after));
      }
    }
    expect(nodes.flatMap(({ missed }) => missed)).toEqual([]);
  });

  it('RE-1 a session at another node gets its events, one at this node is not told of to others', async () => {
    const { nodes, roomId, people } = await withRoom(['one', 'two']);
    const [one, two] = [given(nodes[0]), given(nodes[1])];
    const [here, there] = [given(people[0]), given(people[1])];
    const before = (await told()).length;
    one.calls.toSession(here.session, 'random:dequeued', { reason: 'timeout' });
    one.rooms.toSession(here.session, 'room:joined-elsewhere', { roomId });
    one.rooms.toSeat(roomId, here.person.userId, 'room:hand-position', { roomId, position: 1 });
    one.rooms.publish(roomId, [{ ...ending(roomId, 1), view: 'self', userId: here.person.userId }]);
    one.calls.toSession(there.session, 'random:dequeued', { reason: 'timeout' });
    one.rooms.toSeat(roomId, there.person.userId, 'room:hand-position', { roomId, position: 2 });
    one.rooms.publish(roomId, [{ ...ending(roomId, 7), view: 'self', userId: there.person.userId }]);
    await there.next('room:ending-soon', ({ sequence }) => sequence === 7);
    expect(there.all('random:dequeued')).toHaveLength(1);
    expect(there.all('room:hand-position')).toEqual([{ roomId, position: 2 }]);
    await here.next('room:ending-soon', ({ sequence }) => sequence === 1);
    expect((await told()).length - before).toBe(3);
    // What came from there is not told again by who was told.
    expect(two.missed).toEqual([]);
  });

  it('RO-3 a session at another node is let into the views of its role and put out of them', async () => {
    const { nodes, roomId } = await withRoom(['one', 'two']);
    const [one, two] = [given(nodes[0]), given(nodes[1])];
    const guest = await cluster.connect(two);
    const staff = (sequence: number): OutgoingViewEvent => ({ ...ending(roomId, sequence), view: 'staff' });
    one.rooms.enter(roomId, { ...guest.session, role: 'moderator' });
    one.rooms.publish(roomId, [staff(1)]);
    await guest.next('room:ending-soon', ({ sequence }) => sequence === 1);
    // Who is told has the store looked at: what another commit made of it holds.
    expect(two.moved).toEqual([{ roomId, ...guest.session }]);
    one.rooms.enter(roomId, { ...guest.session, role: 'listener' });
    one.rooms.publish(roomId, [staff(2), ending(roomId, 3)]);
    await guest.next('room:ending-soon', ({ sequence }) => sequence === 3);
    const farewell = { name: 'room:joined-elsewhere', payload: { roomId } } as const;
    one.rooms.expel(roomId, guest.session, farewell);
    one.rooms.publish(roomId, [ending(roomId, 4)]);
    one.calls.toSession(guest.session, 'random:dequeued', { reason: 'timeout' });
    await guest.next('random:dequeued');
    expect(sequences(guest)).toEqual([1, 3]);
    expect(guest.all('room:joined-elsewhere')).toEqual([{ roomId }]);
    one.rooms.enter(roomId, { ...guest.session, role: 'listener' });
    one.rooms.close(roomId);
    one.rooms.publish(roomId, [ending(roomId, 5)]);
    one.calls.toSession(guest.session, 'random:dequeued', { reason: 'lost' });
    await guest.next('random:dequeued', ({ reason }) => reason === 'lost');
    expect(sequences(guest)).toEqual([1, 3]);
  });

  it('MD-4 who speaks is not told to other nodes', async () => {
    const { nodes, roomId, people } = await withRoom(['one', 'two']);
    const one = given(nodes[0]);
    one.rooms.toRoom(roomId, 'room:speaking-changed', { roomId, userIds: [] });
    one.rooms.toRoom(roomId, 'room:audience', { roomId, count: 3 });
    await given(people[1]).next('room:audience');
    expect(given(people[1]).all('room:speaking-changed')).toEqual([]);
    expect(given(people[0]).all('room:speaking-changed')).toHaveLength(1);
  });

  it('MD-2 the state that media follows arrives as it was told', async () => {
    const { nodes, roomId } = await withRoom(['one', 'two']);
    const [one, two] = [given(nodes[0]), given(nodes[1])];
    const [userId, sessionId] = [newId(), newId()];
    const state = {
      roomId,
      version: 7,
      audioQuality: 'medium',
      stage: new Map([[userId, { sessionId }]]),
      microphones: new Map([[userId, { userId, sessionId, producerId: 'p', muted: false, node: one.nodeId }]]),
    } as const;
    one.bus.tell({ kind: 'media-state', state });
    one.bus.tell({ kind: 'media-release', roomId, userId });
    await until('both', () => two.media.length === 2);
    expect(two.media).toEqual([
      { kind: 'media-state', state },
      { kind: 'media-release', roomId, userId },
    ]);
    expect(one.media).toEqual([]);
  });

  it('RE-4 copies of what was committed arrive as they were told', async () => {
    const { nodes, roomId } = await withRoom(['one', 'two']);
    const [one, two] = [given(nodes[0]), given(nodes[1])];
    const { control } = newRoom(1);
    const copies = [
      {
        kind: 'room-copy',
        roomId,
        version: 3,
        place: 4,
        control,
        sequences: { room: 1, stage: 2, staff: 3, self: [['somebody', 1]] },
        audience: [['somebody', null]],
        standings: [['user:somebody', { returnedToAudience: true }]],
      },
      { kind: 'ticket-copy', stored: { ticket: ticket(), version: 1 } },
      { kind: 'ticket-gone', userId: newId(), ticketId: newId() },
    ] as const;
    for (const copy of copies) one.bus.tell(copy);
    await until('all', () => two.copies.length === copies.length);
    expect(two.copies).toEqual(copies);
    expect(two.said.filter(({ level }) => level >= 40)).toEqual([]);
  });

  it('RE-5 nothing but the bus crosses: an event without `local` and a cluster-wide join stay here', async () => {
    const { nodes, people } = await withRoom(['one', 'two']);
    const one = given(nodes[0]);
    one.io.emit('random:dequeued', { reason: 'lost' });
    one.io.socketsJoin('somewhere');
    one.calls.toSession(given(people[1]).session, 'random:dequeued', { reason: 'timeout' });
    await given(people[1]).next('random:dequeued');
    expect(given(people[1]).all('random:dequeued')).toEqual([{ reason: 'timeout' }]);
    await given(people[0]).next('random:dequeued', ({ reason }) => reason === 'lost');
    expect(one.said.filter(({ msg }) => msg.includes('every node'))).toHaveLength(2);
  });
});

describe('what is no message of ours', () => {
  it('SE-1 is dropped, and said once', async () => {
    const { nodes, roomId, people } = await withRoom(['one', 'two']);
    const [one, two] = [given(nodes[0]), given(nodes[1])];
    const redis = new Redis(cluster.redis.url);
    const write = (type: string, data: string) =>
      redis.xadd(`${cluster.prefix}:bus`, '*', 'uid', 'stranger', 'nsp', '/', 'type', type, 'data', data);
    const message = (text: unknown) => JSON.stringify({ packet: ['rostrum:bus', text] });
    const envelope = (changed: object) =>
      JSON.stringify({
        bus: 1,
        protocol: 1,
        from: 'other~1',
        count: 1,
        message: { kind: 'close-room', roomId },
        ...changed,
      });
    await redis.xadd(`${cluster.prefix}:bus`, '*', 'something', 'else');
    await write('109', 'no json');
    await write('109', message(5));
    await write('109', message('no json'));
    await write('109', message(envelope({ message: { kind: 'close-room', roomId: 'x' } })));
    await write('109', message(envelope({ message: { kind: 'close-room', roomId, more: 1 } })));
    await write('109', message(envelope({ protocol: 99 })));
    await write('109', message(envelope({ bus: 2 })));
    await write('109', message('x'.repeat(300_000)));
    await write('109', JSON.stringify({ packet: ['connection', {}] }));
    await write(
      '3',
      JSON.stringify({
        packet: { type: 2, data: ['room:ended', {}], nsp: '/' },
        opts: { rooms: [], except: [], flags: {} },
      }),
    );
    await write('6', JSON.stringify({ opts: { rooms: [], except: [], flags: {} }, close: true }));
    redis.disconnect();
    one.rooms.publish(roomId, [ending(roomId, 1)]);
    for (const person of people) await person.next('room:ending-soon');
    for (const person of people) expect(person.all('room:ended')).toEqual([]);
    for (const { said } of [one, two]) {
      const complaints = said.filter(({ msg }) => msg.includes('cannot be understood'));
      expect(complaints).toHaveLength(2);
    }
  });

  it('RE-5 a message that is too long is not told; the others notice that one is missing', async () => {
    const { nodes, roomId, people } = await withRoom(['one', 'two']);
    const [one, two] = [given(nodes[0]), given(nodes[1])];
    const long: OutgoingViewEvent = {
      ...ending(roomId, 1),
      payload: { roomId, view: 'room', sequence: 1, text: 'x'.repeat(300_000) },
    };
    one.rooms.publish(roomId, [long]);
    one.rooms.publish(roomId, [ending(roomId, 2)]);
    await given(people[1]).next('room:ending-soon');
    expect(sequences(given(people[1]))).toEqual([2]);
    expect(two.missed).toHaveLength(1);
    expect(one.said.filter(({ msg }) => msg.includes('too long'))).toHaveLength(1);
  });
});

describe('the bus without Redis', () => {
  it('RE-4 Redis stands still: nothing piles up, and what follows flows again', async () => {
    const { nodes, roomId, people } = await withRoom(['one', 'two']);
    const [one, two] = [given(nodes[0]), given(nodes[1])];
    cluster.redis.freeze();
    try {
      let most = 0;
      for (let sequence = 1; sequence <= 20_000; sequence += 1) {
        one.rooms.publish(roomId, [ending(roomId, sequence)]);
        most = Math.max(most, one.connection.waiting());
      }
      expect(most).toBe(2000);
      // Nobody here waits for it.
      await given(people[0]).next('room:ending-soon', ({ sequence }) => sequence === 20_000);
      await until('the connection is given up', () => one.connection.waiting() === 0);
      expect(one.connection.takes()).toBe(false);
    } finally {
      cluster.redis.thaw();
    }
    await until('it takes again', () => one.connection.takes());
    one.rooms.publish(roomId, [ending(roomId, 30_000)]);
    await given(people[1]).next('room:ending-soon', ({ sequence }) => sequence === 30_000);
    // What was dropped shows.
    await until('missed', () => two.missed.length > 0);
  });

  it('RE-4 that the last message was lost is noticed without another one', async () => {
    const { nodes, roomId } = await withRoom(['one', 'two']);
    const [one, two] = [given(nodes[0]), given(nodes[1])];
    cluster.redis.freeze();
    try {
      await until('one is full', () => {
        one.rooms.publish(roomId, [ending(roomId, 1)]);
        return !one.connection.takes();
      });
      one.rooms.publish(roomId, [ending(roomId, 2)]);
    } finally {
      cluster.redis.thaw();
    }
    await until('missed', () => two.missed.length > 0);
  });

  it('RE-4 Redis is killed and comes back empty: nobody spins, and the stream goes on', async () => {
    const { nodes, roomId, people } = await withRoom(['one', 'two', 'three']);
    const one = given(nodes[0]);
    one.rooms.publish(roomId, [ending(roomId, 1)]);
    for (const person of people) await person.next('room:ending-soon');
    await cluster.redis.stopServer();
    const before = process.cpuUsage();
    const began = performance.now();
    await until('they notice', () => nodes.every(({ connection }) => !connection.takes()));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const used = process.cpuUsage(before);
    const share = (used.user + used.system) / 1000 / (performance.now() - began);
    // A loop that spins takes the whole of a core.
    expect(share).toBeLessThan(0.5);
    await cluster.redis.restart();
    for (const node of nodes) await until('it takes again', () => node.connection.takes());
    one.rooms.publish(roomId, [ending(roomId, 2)]);
    for (const person of people) await person.next('room:ending-soon', ({ sequence }) => sequence === 2);
    for (const person of people) expect(sequences(person)).toEqual([1, 2]);
  });

  it('RE-4 what was told while one node was cut off reaches it', async () => {
    const { nodes, roomId, people } = await withRoom(['one', 'two']);
    const [one, two] = [given(nodes[0]), given(nodes[1])];
    one.rooms.publish(roomId, [ending(roomId, 1)]);
    await given(people[1]).next('room:ending-soon');
    const redis = new Redis(cluster.redis.url);
    const clients = String(await redis.client('LIST'));
    const readers = clients
      .split('\n')
      .filter((line) => line.includes('name=rostrum-bus') && line.includes('cmd=xread'));
    expect(readers.length).toBeGreaterThanOrEqual(2);
    for (const line of readers) await redis.client('KILL', 'ID', given(/id=(\d+)/.exec(line)?.[1]));
    redis.disconnect();
    for (let sequence = 2; sequence <= 50; sequence += 1) one.rooms.publish(roomId, [ending(roomId, sequence)]);
    await given(people[1]).next('room:ending-soon', ({ sequence }) => sequence === 50);
    expect(sequences(given(people[1]))).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    expect(two.missed).toEqual([]);
  });

  it('RE-4 a stream whose ids are behind those that were read is read on', async () => {
    const { nodes, roomId, people } = await withRoom(['one', 'two']);
    const one = given(nodes[0]);
    const redis = new Redis(cluster.redis.url);
    // A machine whose clock was years ahead.
    await redis.xadd(`${cluster.prefix}:bus`, '99999999999999-0', 'something', 'else');
    one.rooms.publish(roomId, [ending(roomId, 1)]);
    await given(people[1]).next('room:ending-soon');
    redis.disconnect();
    await cluster.redis.restart();
    for (const node of nodes) await until('it takes again', () => node.connection.takes());
    await until('flows again', () => {
      one.rooms.publish(roomId, [ending(roomId, 2)]);
      return sequences(given(people[1])).includes(2);
    });
  });
});
