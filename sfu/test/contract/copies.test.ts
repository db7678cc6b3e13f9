import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { CallCopies, type CallCopyMessage } from '../../src/calls/call-copies.ts';
import { RoomCopies, type RoomCopyMessage } from '../../src/rooms/room-copies.ts';
import type { Caller } from '../../src/rules/call/commands.ts';
import type { RoomCommand } from '../../src/rules/room/commands.ts';
import { newId } from '../../src/runtime/ids.ts';
import { createMemoryCallStore } from '../../src/state/memory/memory-call-store.ts';
import { createMemoryRoomStore } from '../../src/state/memory/memory-room-store.ts';
import { StateUnavailable } from '../../src/state/room-store.ts';
import { people } from '../property/people.ts';
import { callOf, claimOf, commitOf, endedCall, entry, plenty, start, ticket } from './call-store.support.ts';
import { newRoom, nodeOn, openRoom } from './redis-rooms.ts';
import { given } from './redis-support.ts';
import { inTime, movedClock } from './suite-clock.ts';

const logger = pino({ level: 'silent' });

/** Two nodes on one store; what one tells arrives at the other when it is said. */
const twoNodes = () => {
  const clock = movedClock(start);
  const store = createMemoryRoomStore(clock);
  const underway: (() => void)[] = [];
  const nodes: RoomCopies[] = [];
  for (const nodeId of ['a', 'b']) {
    const tell = (message: RoomCopyMessage): void => {
      underway.push(() => nodes.find((node) => node !== copies)?.told(structuredClone(message)));
    };
    const copies = new RoomCopies({ store, nodeId, tell, clock, logger });
    nodes.push(copies);
  }
  const engines = nodes.map((node) => nodeOn(node.watched, { clock }).engine);
  const room = newRoom(start);
  const { roomId } = room.control;
  return {
    clock,
    store,
    roomId,
    nodes: [given(nodes), given(nodes, 1)] as const,
    open: () => openRoom(given(nodes).watched, room),
    execute: async (node: 0 | 1, command: RoomCommand) =>
      expect(await given(engines, node).execute(roomId, command)).toMatchObject({ ok: true }),
    join: async (node: 0 | 1, index: number) =>
      expect(
        await given(engines, node).execute(roomId, {
          type: 'join',
          person: given(people, index),
          sessionId: newId(),
          node: ['a', 'b'][node] ?? '',
          bannedByHost: false,
        }),
      ).toMatchObject({ ok: true }),
    /** All that was told arrives, and what is read is read. */
    arrive: async () => {
      for (const message of underway.splice(0)) message();
      await new Promise(setImmediate);
    },
    /** It never arrives. */
    lose: () => underway.splice(0),
  };
};

const idOf = (index: number): string => given(people, index).userId;

describe('copies of rooms', () => {
  it('RE-5 are of rooms in which somebody of this node sits, and of those where nobody does', async () => {
    const { nodes, open, join, execute, arrive, roomId } = twoNodes();
    const [a, b] = nodes;
    await open();
    expect(a.all().map((copy) => copy.control.roomId)).toEqual([roomId]);
    await join(1, 1);
    await arrive();
    expect([a.all().length, b.all().length]).toEqual([0, 1]);
    await join(0, 2);
    await arrive();
    expect([...given(a.all()).audience.keys()]).toEqual([idOf(2)]);
    expect([...given(b.all()).audience.keys()]).toEqual([idOf(1)]);
    await execute(0, { type: 'leave', by: { userId: idOf(2) } });
    await arrive();
    expect(a.all()).toEqual([]);
    await execute(1, { type: 'leave', by: { userId: idOf(1) } });
    expect(given(b.all()).control.emptySince).not.toBeNull();
  });

  it('RE-4 MO-2 know of kicks from before anybody of this node came', async () => {
    const { nodes, open, join, execute, arrive } = twoNodes();
    await open();
    await join(0, 0);
    const by = { userId: idOf(0) };
    await execute(0, { type: 'exclude', by, subject: given(people, 3), ban: false, reason: null });
    await arrive();
    await join(1, 1);
    await arrive();
    expect([...given(nodes[1].all()).standings.keys()]).toEqual([`user:${idOf(3)}`]);
    await execute(0, { type: 'unban', by, subject: given(people, 3) });
    await arrive();
    const values = [...given(nodes[1].all()).standings.values()].map(({ value }) => value);
    expect(values.filter((value) => value !== null)).toEqual([]);
  });

  it('RE-4 hold for a while what this node did to others, until they have heard', async () => {
    const { nodes, clock, open, join, execute, lose } = twoNodes();
    const [a] = nodes;
    await open();
    await join(0, 0);
    await join(1, 1);
    lose();
    const by = { userId: idOf(0) };
    await execute(0, { type: 'promote', by, userId: idOf(1), role: 'moderator' });
    expect(given(a.all()).audience.get(idOf(1))).toMatchObject({ value: null });
    await execute(0, { type: 'demote', by, userId: idOf(1), role: 'listener' });
    expect(given(a.all()).audience.get(idOf(1))?.value).toMatchObject({ role: 'listener', node: 'b' });
    await clock.until(clock.now() + 10_000);
    await execute(0, { type: 'mute-self', by, muted: true });
    expect(given(a.all()).audience.size).toBe(0);
  });

  it('RE-4 bring nobody back who left at their own node, where nobody holds the room any more', async () => {
    const { nodes, open, join, execute, arrive } = twoNodes();
    const [a, b] = nodes;
    await open();
    await join(0, 0);
    await join(1, 1);
    const by = { userId: idOf(0) };
    await execute(0, { type: 'promote', by, userId: idOf(1), role: 'moderator' });
    await execute(0, { type: 'demote', by, userId: idOf(1), role: 'listener' });
    await arrive();
    await execute(1, { type: 'leave', by: { userId: idOf(1) } });
    await arrive();
    expect(b.all()).toEqual([]);
    expect(given(a.all()).audience.get(idOf(1))?.value ?? null).toBeNull();
  });

  it('RE-4 remember that a room ended, and drop what is not there when they are read anew', async () => {
    const { nodes, store, open, join, execute, arrive, lose, roomId } = twoNodes();
    const [a, b] = nodes;
    await open();
    await join(0, 0);
    await join(1, 1);
    await arrive();
    await execute(0, { type: 'end', by: { userId: idOf(0) } });
    lose();
    expect(a.all().map(({ control }) => control.status)).toEqual(['ended']);
    expect(b.all().map(({ control }) => control.status)).toEqual(['active']);
    await store.remove(roomId);
    await b.reload();
    expect(b.all()).toEqual([]);
  });

  it('RE-4 are kept when the store cannot be read', async () => {
    const { nodes, store, open, join } = twoNodes();
    await open();
    await join(0, 0);
    store.copy = () => Promise.reject(new StateUnavailable('it is away'));
    await expect(nodes[0].reload()).rejects.toThrow(StateUnavailable);
    expect(nodes[0].all()).toHaveLength(1);
  });
});

describe('copies of calls', () => {
  const oneNode = () => {
    const clock = movedClock(start);
    const store = createMemoryCallStore(clock);
    const told: CallCopyMessage[] = [];
    const displaced: Caller[] = [];
    const copies = new CallCopies({
      ...{ store, nodeId: 'a', clock },
      tell: (message) => told.push(message),
      displaced: (caller) => displaced.push(caller),
    });
    const at = (node: string) => {
      const of = ticket();
      return { ...of, seeker: { ...of.seeker, node } };
    };
    const enqueue = async (node: string) => {
      const of = at(node);
      await copies.watched.enqueue(entry(of), { most: plenty, expiresAt: inTime });
      return given([await store.ticketOf(of.seeker.userId)]);
    };
    const claim = async (one: string, other: string) => {
      const tickets = [await enqueue(one), await enqueue(other)] as const;
      const [first, second] = tickets.map(({ ticket: of }) => of);
      const made = callOf(given([first]), given([second]));
      const [left, right] = made.sides;
      const call = {
        ...made,
        sides: [
          { ...left, node: one },
          { ...right, node: other },
        ] as const,
      };
      await copies.watched.claim(claimOf(...tickets, { call }));
      return call;
    };
    return { clock, store, told, displaced, copies, enqueue, claim };
  };

  it('RE-4 hold the tickets and calls of this node, and those of others for a while', async () => {
    const { clock, told, copies, claim, enqueue } = oneNode();
    const [mine, theirs] = [await claim('a', 'b'), await claim('b', 'c')];
    expect(copies.tickets()).toEqual([]);
    expect(copies.calls().map(({ call }) => call.callId)).toEqual([mine.callId, theirs.callId]);
    expect(told.filter(({ kind }) => kind === 'call-copy')).toHaveLength(2);
    await clock.until(clock.now() + 10_000);
    const { ticket: waiting } = await enqueue('a');
    expect(copies.calls().map(({ call }) => call.callId)).toEqual([mine.callId]);
    expect(copies.tickets().map((stored) => stored.ticket)).toEqual([waiting]);
  });

  it('RE-4 follow what others tell: matches, ends, and who was taken out of the queue', async () => {
    const { copies, enqueue } = oneNode();
    const [one, other] = [await enqueue('a'), await enqueue('a')];
    copies.told({ kind: 'ticket-gone', userId: other.ticket.seeker.userId, ticketId: other.ticket.ticketId });
    expect(copies.tickets()).toEqual([one]);
    const made = callOf(one.ticket, ticket());
    const call = { ...made, sides: [{ ...made.sides[0], node: 'a' }, made.sides[1]] as const };
    copies.told({ kind: 'call-copy', call, version: 1, tickets: [] });
    expect([copies.tickets().length, copies.calls().length]).toEqual([0, 1]);
    expect(copies.present().map(({ side }) => side.userId)).toEqual(call.sides.map(({ userId }) => userId));
    const again = { ticket: { ...one.ticket, ticketId: newId(), queuedAt: start + 5 }, version: 1 };
    copies.told({ kind: 'call-copy', call: endedCall(call), version: 2, tickets: [again] });
    copies.told({ kind: 'call-copy', call, version: 1, tickets: [] });
    expect(copies.calls()).toEqual([{ call: endedCall(call), version: 2 }]);
    expect(copies.present()).toEqual([]);
    expect(copies.tickets()).toEqual([again]);
  });

  it('RE-2 say who lost their place at this node by what another one did, and nobody else', async () => {
    const { copies, displaced, claim, enqueue } = oneNode();
    const call = await claim('a', 'b');
    const [mine, theirs] = call.sides;
    const told = (version: number, one: object, other: object) =>
      copies.told({
        ...{ kind: 'call-copy', version, tickets: [] },
        call: {
          ...call,
          sides: [
            { ...mine, ...one },
            { ...theirs, ...other },
          ],
        },
      });
    told(2, {}, { node: 'c', awaySince: start });
    expect(displaced).toEqual([]);
    told(3, { awaySince: start }, {});
    expect(displaced).toEqual([{ userId: mine.userId, sessionId: mine.sessionId }]);
    // It is known by now, and another device may have it.
    told(4, { node: 'c', awaySince: start }, {});
    told(5, {}, {});
    told(6, { sessionId: newId(), node: 'c' }, {});
    expect(displaced).toHaveLength(1);
    const stored = await enqueue('a');
    const { seeker } = stored.ticket;
    copies.told({
      kind: 'ticket-copy',
      stored: { ticket: { ...stored.ticket, seeker: { ...seeker, node: 'b' } }, version: 2 },
    });
    expect(displaced.at(-1)).toEqual({ userId: seeker.userId, sessionId: seeker.sessionId });
  });

  it('RE-4 drop what is not there when they are read anew', async () => {
    const { copies, store, claim, enqueue } = oneNode();
    const call = await claim('a', 'b');
    const waiting = await enqueue('a');
    await store.commit(commitOf({ call, version: 1 }, { after: endedCall(call), histories: new Map() }));
    await store.removeTicket(waiting.ticket.seeker.userId, waiting.ticket.ticketId);
    const still = await enqueue('a');
    await copies.reload();
    expect(copies.calls()).toEqual([]);
    expect(copies.tickets()).toEqual([still]);
  });
});
