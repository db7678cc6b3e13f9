import { describe, expect, it } from 'vitest';
import { createViewResync } from '../../src/gateway/cluster/view-resync.ts';
import { createPresence } from '../../src/gateway/socket/presence.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { newId } from '../../src/runtime/ids.ts';
import { createMemoryRoomStore } from '../../src/state/memory/memory-room-store.ts';
import { newRoom, nodeOn, openRoom } from '../contract/redis-rooms.ts';
import { until } from '../media/harness.ts';
import { type Listener, TestCluster, type TestNode } from './cluster-node.ts';

const cluster = new TestCluster();

/** Where the store says that this person is. */
const whereIs = (node: TestNode, { person: { userId } }: Listener) => node.store.sessionsOf(userId);

describe('sessions in the cluster', () => {
  it('RE-3 the store knows who is where, and in which room, for as long as they are', async () => {
    const one = await cluster.start('one');
    const guest = await cluster.connect(one);
    const roomId = newId();
    expect(await whereIs(one, guest)).toEqual([{ ...guest.session, roomId: null, nodeId: one.nodeId }]);
    // Before the join: if this node dies in the middle, the seat is found.
    await one.connections.joining(guest.socket, roomId);
    expect(await whereIs(one, guest)).toMatchObject([{ roomId }]);
    await one.connections.stays(guest.socket);
    expect(await whereIs(one, guest)).toMatchObject([{ roomId: null }]);
    await one.connections.joining(guest.socket, roomId);
    expect(await one.connections.seated(guest.socket, roomId)).toBeUndefined();
    expect(one.connections.seats()).toEqual([{ roomId, ...guest.session }]);
    expect(await one.connections.seated(guest.socket, newId())).toBe(roomId);
    const now = one.connections.seats()[0]?.roomId ?? '';
    expect(await whereIs(one, guest)).toMatchObject([{ roomId: now }]);
    await one.connections.left(guest.socket, now);
    expect(await whereIs(one, guest)).toMatchObject([{ roomId: null }]);
    await one.connections.seated(guest.socket, roomId);
    guest.raw.disconnect();
    await until('it is noted and let go', async () => (await whereIs(one, guest)).length === 0);
    expect(one.losses).toEqual([{ roomId, ...guest.session, node: one.nodeId }]);
    expect(one.connections.pending).toBe(0);
  });

  it('RE-2 a session that comes back at another node is that one’s; the old connection closes, and is no loss yet', async () => {
    const [one, two] = [await cluster.start('one'), await cluster.start('two')];
    const guest = await cluster.connect(one);
    const roomId = newId();
    await one.connections.seated(guest.socket, roomId);
    const moved = await cluster.connect(two, guest);
    expect(moved.sessionId).toBe(guest.sessionId);
    // A second page with a copy of the session is told why it is closed.
    expect(await guest.next('session:closing')).toEqual({ code: 'replaced' });
    await until('closed', () => !guest.raw.connected);
    expect(one.losses).toEqual([]);
    expect(await whereIs(one, guest)).toMatchObject([{ nodeId: two.nodeId, roomId: null }]);
    expect(one.connections.seats()).toEqual([]);
    // Nothing that the old node states takes it back.
    await one.connections.restate();
    expect(await whereIs(one, guest)).toMatchObject([{ nodeId: two.nodeId }]);
    // Who has not sat down at the other node by now is lost; by the node's name the rule knows who has.
    await until('noted', () => one.losses.length === 1);
    expect(one.losses).toEqual([{ roomId, ...guest.session, node: one.nodeId }]);
    expect(await whereIs(one, guest)).toMatchObject([{ nodeId: two.nodeId }]);
    expect(moved.all('session:closing')).toEqual([]);
  });

  it('OP-2 whoever leaves a node that takes its leave has time to get to another one', async () => {
    const [one, two] = [await cluster.start('one'), await cluster.start('two')];
    const [mover, goer] = [await cluster.connect(one), await cluster.connect(one)];
    const roomId = newId();
    await one.connections.seated(mover.socket, roomId);
    await one.connections.seated(goer.socket, roomId);
    one.serving.leaving = true;
    goer.raw.disconnect();
    await until('it waits', () => one.connections.pending === 1);
    expect(one.losses).toEqual([]);
    await cluster.connect(two, mover);
    // The page that moved has both connections for a moment: nothing tells it that somebody else took its session.
    expect(await mover.next('session:closing')).toEqual({ code: 'moving' });
    await until('both are noted', () => one.losses.length === 2);
    expect(one.losses.every(({ node }) => node === one.nodeId)).toBe(true);
  });

  it('MD-3 whoever is sent to another node for there is no room here has the same time, and nobody else has', async () => {
    const [one, two] = [await cluster.start('one'), await cluster.start('two')];
    const [mover, goer, other] = [await cluster.connect(one), await cluster.connect(one), await cluster.connect(one)];
    for (const guest of [mover, goer, other]) await one.connections.seated(guest.socket, newId());
    for (const guest of [mover, goer]) one.connections.move(guest.socket);
    expect(await mover.next('session:closing')).toEqual({ code: 'moving' });
    goer.raw.disconnect();
    other.raw.disconnect();
    await until('only one of both is noted', () => one.losses.length === 1 && one.connections.pending === 1);
    expect(one.losses).toMatchObject([other.session]);
    await cluster.connect(two, mover);
    await until('the old one is closed', () => !mover.raw.connected);
    expect(mover.all('session:closing')).toEqual([{ code: 'moving' }, { code: 'moving' }]);
    await until('all are noted', () => one.losses.length === 3);
  });

  it('OP-2 a node that leaves notes at once what would have been noted later', async () => {
    const one = await cluster.start('one');
    const guest = await cluster.connect(one);
    const roomId = newId();
    await one.connections.seated(guest.socket, roomId);
    const [early, last] = [await cluster.connect(one), guest];
    await one.connections.seated(early.socket, roomId);
    one.serving.leaving = true;
    early.raw.disconnect();
    await until('it waits', () => one.connections.pending === 1);
    await one.connections.close();
    expect(one.losses).toContainEqual({ roomId, ...early.session, node: one.nodeId });
    expect(one.losses).toContainEqual({ roomId, ...last.session, node: one.nodeId });
    expect(one.connections.pending).toBe(0);
    await until('closed', () => !last.raw.connected);
  });

  it('RE-4 what cannot be noted while Redis is away is noted when it is back, unless the session is back before', async () => {
    const one = await cluster.start('one');
    const [gone, back] = [await cluster.connect(one), await cluster.connect(one)];
    const roomId = newId();
    await one.connections.seated(gone.socket, roomId);
    await one.connections.seated(back.socket, roomId);
    cluster.redis.freeze();
    let again: Listener;
    try {
      gone.raw.disconnect();
      back.raw.disconnect();
      await until('both wait', () => one.connections.pending === 2);
      again = await cluster.connect(one, back);
      expect(one.losses).toEqual([]);
      // The seat is this connection's now.
      expect(one.connections.seats()).toEqual([{ roomId, ...back.session }]);
    } finally {
      cluster.redis.thaw();
    }
    await until('nothing waits', () => one.connections.pending === 0);
    expect(one.losses).toEqual([{ roomId, ...gone.session, node: one.nodeId }]);
    expect(await whereIs(one, gone)).toEqual([]);
    expect(await whereIs(one, back)).toMatchObject([{ nodeId: one.nodeId, roomId }]);
    again.raw.disconnect();
    await until('noted', () => one.losses.length === 2);
  });

  it('RE-4 a seat of which is not known whether a join took it is noted as lost, unless the next one sits down there', async () => {
    const one = await cluster.start('one');
    const [goer, stayer] = [await cluster.connect(one), await cluster.connect(one)];
    const roomId = newId();
    await one.connections.joining(goer.socket, roomId);
    await one.connections.unsure(goer.socket, roomId);
    await until('noted', () => one.losses.length === 1);
    expect(one.losses).toEqual([{ roomId, ...goer.session, node: one.nodeId }]);
    expect(await whereIs(one, goer)).toMatchObject([{ nodeId: one.nodeId, roomId: null }]);
    cluster.redis.freeze();
    try {
      await one.connections.unsure(stayer.socket, roomId);
      await until('it waits', () => one.connections.pending > 0);
      await one.connections.joining(stayer.socket, roomId);
      await one.connections.seated(stayer.socket, roomId);
    } finally {
      cluster.redis.thaw();
    }
    await until('nothing waits', () => one.connections.pending === 0);
    expect(one.losses).toHaveLength(1);
    expect(await whereIs(one, stayer)).toMatchObject([{ nodeId: one.nodeId, roomId }]);
  });

  it('RE-3 a join that ends when the node has closed leaves no seat of which nobody notes the loss', async () => {
    const one = await cluster.start('one');
    const guest = await cluster.connect(one);
    const { socket } = guest;
    const roomId = newId();
    await one.connections.joining(socket, roomId);
    await one.connections.close();
    expect(one.losses).toEqual([]);
    await one.connections.seated(socket, roomId);
    expect(one.losses).toEqual([{ roomId, ...guest.session, node: one.nodeId }]);
  });

  it('RE-2 what another node told is late where the session is back here since', async () => {
    const [one, two] = [await cluster.start('one'), await cluster.start('two')];
    const first = await cluster.connect(one);
    const there = await cluster.connect(two, first);
    await until('closed', () => !first.raw.connected);
    const back = await cluster.connect(one, first);
    await until('closed', () => !there.raw.connected);
    await one.connections.taken(first.session, two.nodeId);
    expect(await one.connections.holds(first.session)).toBe(true);
    expect(back.all('session:closing')).toEqual([]);
    expect(await whereIs(one, first)).toMatchObject([{ nodeId: one.nodeId }]);
  });

  it('RE-4 a node that did not hear that a session has gone elsewhere does not take it back', async () => {
    const [one, two] = [await cluster.start('one'), await cluster.start('two')];
    const guest = await cluster.connect(one);
    await two.store.hold(two.nodeId, { ...guest.session, roomId: null });
    await one.connections.restate();
    await one.connections.joining(guest.socket, newId());
    expect(await whereIs(one, guest)).toMatchObject([{ nodeId: two.nodeId, roomId: null }]);
    expect(await one.connections.holds(guest.session)).toBe(false);
  });

  it('RE-4 after the store forgot them, sessions are stated anew; those that are gone are not', async () => {
    const one = await cluster.start('one');
    const guests = await Promise.all([cluster.connect(one), cluster.connect(one), cluster.connect(one)]);
    const stray = { userId: newId(), sessionId: newId(), roomId: null };
    await one.store.forget(one.nodeId);
    await one.enlist();
    await one.store.hold(one.nodeId, stray);
    await one.connections.restate();
    for (const guest of guests) expect(await whereIs(one, guest)).toMatchObject([{ nodeId: one.nodeId }]);
    expect(await one.store.sessionsOf(stray.userId)).toEqual([]);
    expect(await one.store.heldBy(one.nodeId, 10)).toHaveLength(3);
  });

  it('RQ-5 a person’s rooms are found wherever they sit, and left there', async () => {
    const [one, two] = [await cluster.start('one'), await cluster.start('two')];
    const guest = await cluster.connect(two);
    const roomId = newId();
    await two.connections.seated(guest.socket, roomId);
    const left: string[] = [];
    const presence = createPresence({
      io: one.io,
      rooms: {
        command: async (from) => {
          left.push(from);
          return { ok: false, refusal: { code: 'not_in_room' } };
        },
      },
      queries: { roleOf: async () => 'listener' },
      cluster: one.store,
      publisher: one.rooms,
    });
    expect(await presence.roomsOf(guest.person.userId)).toEqual([
      { roomId, sessionId: guest.sessionId, role: 'listener' },
    ]);
    expect(presence.isConnected(guest.session)).toBe(false);
    await presence.leaveRoom({ roomId, ...guest.session }, true);
    expect(left).toEqual([roomId]);
  });
});

describe('views after something was missed', () => {
  it('RE-1 everybody is told how far they have come, hears what their role hears, and nobody else does', async () => {
    const one = await cluster.start('one');
    const store = createMemoryRoomStore(systemClock);
    const { engine } = nodeOn(store, { clock: systemClock });
    const { roomId } = await openRoom(store, newRoom(systemClock.now()));
    const [inside, outside, late] = [
      await cluster.connect(one),
      await cluster.connect(one),
      await cluster.connect(one),
    ];
    const person = { userId: inside.person.userId, displayName: 'Somebody', kind: 'guest' } as const;
    const joined = await engine.execute(roomId, {
      type: 'join',
      person,
      sessionId: inside.sessionId,
      node: one.nodeId,
      bannedByHost: false,
    });
    expect(joined.ok).toBe(true);
    await one.connections.seated(inside.socket, roomId);
    // What put this one out was not heard here.
    await one.connections.seated(outside.socket, roomId);
    one.local.rooms.enter(roomId, { ...outside.session, role: 'host' });
    const over = newId();
    await one.connections.seated(late.socket, over);
    one.local.rooms.enter(over, { ...late.session, role: 'listener' });
    const resync = createViewResync({
      io: one.io,
      store,
      local: one.local.rooms,
      seats: one.connections.seats,
      nodeId: one.nodeId,
      endReason: async () => 'host-left',
      lost: () => undefined,
      logger: one.logger,
    });
    await Promise.all([resync.all(), resync.all()]);
    const sequences = (await store.snapshot(roomId, { most: 0, userIds: [] }))?.sequences;
    await inside.next('room:sequence', ({ view }) => view === 'self');
    expect(inside.all('room:sequence')).toContainEqual({ roomId, view: 'room', sequence: sequences?.room });
    expect(new Set(inside.all('room:sequence').map(({ view }) => view))).toEqual(new Set(['room', 'self']));
    expect(outside.all('room:sequence').map(({ view }) => view)).toContain('room');
    expect(await late.next('room:ended')).toEqual({ roomId: over, reason: 'host-left' });
    one.local.rooms.toRoom(roomId, 'room:audience', { roomId, count: 1 });
    await inside.next('room:audience');
    one.local.calls.toSession(outside.session, 'random:dequeued', { reason: 'lost' });
    await outside.next('random:dequeued');
    expect(outside.all('room:audience')).toEqual([]);
  });
});
