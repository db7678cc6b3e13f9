import type { Limits } from '@rostrum/shared/limits.ts';
import { afterEach, describe, expect, test } from 'vitest';
import type { SeatRef } from '../../src/media/media-plane.ts';
import { seatOf } from '../../src/rules/room/state.ts';
import { newId } from '../../src/runtime/ids.ts';
import { Cluster } from './cluster.ts';
import { codeOf, pause, until } from './harness.ts';
import { type Desk, House, type Visit } from './house.ts';

describe('people who move between nodes', () => {
  let cluster: Cluster;
  let house: House;
  let a: Desk;
  let b: Desk;
  let c: Desk;
  let roomId: string;
  let ann: SeatRef;
  afterEach(async () => {
    await house.close();
    await cluster.close();
  });

  const start = async (limits: Partial<Limits> = {}): Promise<void> => {
    cluster = await Cluster.start(['a', 'b', 'c'], { limits });
    house = new House(cluster.nodes, limits);
    [a, b, c] = house.desks as [Desk, Desk, Desk];
    const host = newId();
    // Somebody has to listen from the audience where there is to be a router for it.
    roomId = await house.open(host, a, limits.directListeners !== 0);
    ann = { roomId, userId: host, sessionId: newId() };
  };

  const somebody = (): SeatRef => ({ roomId, userId: newId(), sessionId: newId() });

  const listener = async (desk: Desk, seat = somebody()): Promise<Visit> => {
    const visit = await house.visit(seat, desk);
    await visit.listen();
    return visit;
  };

  const seatNow = async ({ userId }: SeatRef) => {
    const loaded = await house.store.load(roomId, () => ({ users: [userId], standings: [] }));
    return loaded && seatOf(loaded.state, userId);
  };

  const hasMedia = ({ node }: Desk, { userId }: SeatRef) =>
    node.rig.plane.seatsOf(roomId).some((seat) => seat.userId === userId);

  /** Ann speaks at the first node and one person listens at each. */
  const lecture = async (): Promise<{ speaking: Visit; listeners: Visit[] }> => {
    const speaking = await house.visit(ann, a);
    await speaking.speak(440);
    const listeners = await Promise.all([a, b, c].map((desk) => listener(desk)));
    await Promise.all(listeners.map((visit) => visit.hears([ann.userId, 440])));
    return { speaking, listeners };
  };

  test('MD-2 who listens first at a node is given what speaks at others, though the node was told nothing', async () => {
    await start();
    house.arrives = () => false;
    await lecture();
  });

  test('RE-2 OP-2 a listener moves, and hears every packet at the node before until the new one is heard', async () => {
    await start({ movedMediaMs: 1500 });
    const { listeners } = await lecture();
    const seat = somebody();
    const before = await listener(b, seat);
    await before.hears([ann.userId, 440]);
    const { received } = await before.peer.lossOf();
    const after = await listener(c, seat);
    expect(await seatNow(seat)).toMatchObject({ node: 'c', awaySince: null });
    await after.hears([ann.userId, 440]);
    await before.hears([ann.userId, 440]);
    const { received: then, lost } = await before.peer.lossOf();
    expect([then > received, lost, before.story]).toEqual([true, 0, []]);
    // It never said that it is done with the node before, which waits no longer than this.
    await until('the node before lets go', () => !hasMedia(b, seat));
    await after.hears([ann.userId, 440]);
    await Promise.all(listeners.map((visit) => visit.hears([ann.userId, 440])));
  });

  test('RE-2 a listener who is back before the media there ends keeps it', async () => {
    await start({ movedMediaMs: 600 });
    await lecture();
    const seat = somebody();
    const first = await listener(b, seat);
    const second = await listener(c, seat);
    const third = await house.visit(seat, b);
    await first.hears([ann.userId, 440]);
    await until('the other node lets go', () => !hasMedia(c, seat));
    expect(hasMedia(b, seat)).toBe(true);
    await first.hears([ann.userId, 440]);
    second.peer.close();
    third.peer.close();
  });

  test.each<[string, Partial<Limits>]>([
    ['', {}],
    [', at routers for the audience too', { directListeners: 0 }],
  ])(
    'RE-2 MD-2 a speaker moves: everywhere the old voice goes only after the new one has come%s',
    async (_, limits) => {
      await start(limits);
      const { listeners } = await lecture();
      expect(c.node.rig.relayedProducers()).toHaveLength(limits.directListeners === 0 ? 1 : 0);
      const old = (await seatNow(ann))?.producerId;
      const moved = await house.visit(ann, b);
      // While there is no other microphone, the one at the node before is heard.
      await Promise.all(listeners.map((visit) => visit.hears([ann.userId, 440])));
      expect(await seatNow(ann)).toMatchObject({ node: 'b', producerId: old, producerNode: 'a' });
      for (const { story } of listeners) story.length = 0;
      const producerId = await moved.speak(660);
      expect(await seatNow(ann)).toMatchObject({ producerId, producerNode: 'b' });
      await Promise.all(listeners.map((visit) => visit.hears([ann.userId, 660])));
      for (const { story } of listeners) {
        await until('the old one is gone', () => story.includes('-'));
        expect(story).toEqual([`+${producerId}`, '-']);
      }
      await until('nothing comes from the node before', () => b.node.pipes().incoming === 0);
      expect(c.node.pipes()).toMatchObject({ incoming: 1 });
    },
  );

  test('RE-2 MD-2 a speaker moves: a slow router of an audience has the old voice until it has the new one', async () => {
    await start({ directListeners: 0 });
    const { listeners } = await lecture();
    const far = listeners[2] as Visit;
    const released = Promise.withResolvers<void>();
    expect(c.node.rig.relayedProducers()).toHaveLength(1);
    for (const end of c.node.rig.relays()) {
      const produce = end.produce.bind(end);
      end.produce = async (options) => {
        await released.promise;
        return produce(options);
      };
    }
    const moved = await house.visit(ann, b);
    far.story.length = 0;
    const producerId = await moved.speak(660);
    await until('the new voice is at the node', () => c.node.pipes().incoming === 2);
    await until('everybody else has it alone', () =>
      listeners.every((visit) => visit === far || visit.story.at(-1) === '-'),
    );
    // Longer than it waits for a packet of it where everybody was given it.
    await pause(2000);
    expect(far.story).toEqual([]);
    await far.hears([ann.userId, 440]);
    released.resolve();
    await far.hears([ann.userId, 660]);
    await until('the old one is gone', () => far.story.includes('-'));
    expect(far.story).toEqual([`+${producerId}`, '-']);
  });

  test('RE-2 a speaker who moves is heard from the node before for as long as the new one is not there', async () => {
    await start();
    const { listeners } = await lecture();
    const [, , far] = listeners;
    const moved = await house.visit(ann, b);
    await b.node.cutOff();
    const asked = c.node.demands.length;
    await moved.speak(660);
    await until('the new voice is asked for in vain', () => c.node.demands.length > asked + 2);
    await far?.hears([ann.userId, 440]);
    await b.node.answer();
    await far?.hears([ann.userId, 660]);
  });

  test('RE-2 RE-5 a speaker who moves and never speaks there is silent once the media at the node before ends', async () => {
    await start({ movedMediaMs: 700 });
    const { speaking, listeners } = await lecture();
    await house.visit(ann, b);
    await Promise.all(listeners.map((visit) => visit.hears()));
    await until('the state knows', async () => (await seatNow(ann))?.producerId === null);
    expect(hasMedia(a, ann)).toBe(false);
    speaking.peer.close();
    await cluster.withoutPipes();
  });

  test('MO-1 a speaker who is muted while they move is silent everywhere at once, the old voice too', async () => {
    await start();
    const { listeners } = await lecture();
    const moved = await house.visit(ann, b);
    await c.engine.execute(roomId, { type: 'mute-self', by: ann, muted: true });
    await Promise.all(listeners.map((visit) => visit.hears()));
    await moved.speak(660);
    await Promise.all(listeners.map(({ story }) => until('the old voice is gone', () => story.includes('-'))));
    await c.engine.execute(roomId, { type: 'mute-self', by: ann, muted: false });
    await Promise.all(listeners.map((visit) => visit.hears([ann.userId, 660])));
  });

  test('RE-1 a state that a node hears of after a later one is not followed, nor one of a room that is over', async () => {
    await start();
    const { listeners } = await lecture();
    const states = house.told.filter(({ kind }) => kind === 'media-state');
    await c.engine.execute(roomId, { type: 'close-microphone', userId: ann.userId });
    await Promise.all(listeners.map((visit) => visit.hears()));
    for (const message of states) for (const { control } of [b, c]) control.taken(message);
    const again = await house.visit(ann, a);
    const producerId = await again.speak(1000);
    await Promise.all(listeners.map((visit) => visit.hears([ann.userId, 1000])));
    // Had one of them been followed in between, the microphone of then had been asked for.
    const wanted = [b, c].flatMap(({ node }) => node.demands.at(-1)?.demand.producerIds ?? []);
    expect(new Set(wanted)).toEqual(new Set([producerId]));
    await a.engine.execute(roomId, { type: 'end', by: ann });
    await cluster.withoutPipes();
    const asked = b.node.demands.length;
    for (const message of house.told.filter(({ kind }) => kind === 'media-state')) b.control.taken(message);
    expect(codeOf(await b.roomMedia.listen(somebody()))).toBe('not_found');
    await b.node.rig.listen(somebody());
    await cluster.withoutPipes();
    expect(b.node.demands.length).toBe(asked);
  });

  test('MO-2 who is kicked at one node is silent, and hears nothing, at the others', async () => {
    await start();
    await lecture();
    const seat = somebody();
    const bob = await listener(b, seat);
    await bob.hears([ann.userId, 440]);
    await bob.speak(1000);
    const far = await listener(c);
    await far.hears([ann.userId, 440], [seat.userId, 1000]);
    const subject = { userId: seat.userId, displayName: 'Bob', kind: 'guest' } as const;
    await a.engine.execute(roomId, { type: 'exclude', by: ann, subject, ban: false, reason: null });
    await until('no media is left of them', () => !hasMedia(b, seat));
    await far.hears([ann.userId, 440]);
  });

  test('MO-2 RE-2 a release that is told late does not end what somebody has there since they came back', async () => {
    await start();
    await lecture();
    const seat = somebody();
    await listener(b, seat);
    house.arrives = ({ kind }) => kind !== 'media-release';
    await a.engine.execute(roomId, { type: 'leave', by: seat });
    const back = await listener(b, seat);
    const late = house.told.findLast(({ kind }) => kind === 'media-release');
    if (late) b.control.taken(late);
    await back.hears([ann.userId, 440]);
    expect([late?.kind, hasMedia(b, seat)]).toEqual(['media-release', true]);
  });

  test('RE-4 after nodes did not hear each other, each mends its media by what is stored', async () => {
    await start({ movedMediaMs: 500 });
    const { listeners } = await lecture();
    const gone = somebody();
    await listener(b, gone);
    house.arrives = () => false;
    await c.engine.execute(roomId, { type: 'mute-self', by: ann, muted: true });
    await c.engine.execute(roomId, { type: 'leave', by: gone });
    await Promise.all(house.desks.map(({ control }) => control.mend()));
    await Promise.all(listeners.map((visit) => visit.hears()));
    await until('who left has no media', () => !hasMedia(b, gone));
    await a.engine.execute(roomId, { type: 'end', by: ann });
    for (const { control } of [b, c]) await control.mend();
    await cluster.withoutPipes();
    expect([b, c].flatMap(({ node }) => node.rig.plane.roomIds())).toEqual([]);
  });

  test('MD-8 RE-3 a node whose worker dies loses its own microphones in the state, and no others', async () => {
    await start();
    const { listeners } = await lecture();
    const seat = somebody();
    const bob = await house.visit(seat, b);
    await bob.speak(1000);
    const [, , far] = listeners;
    await far?.hears([ann.userId, 440], [seat.userId, 1000]);
    b.node.killWorker();
    await until('the state knows', async () => (await seatNow(seat))?.producerId === null);
    expect(await seatNow(ann)).toMatchObject({ producerNode: 'a' });
    await far?.hears([ann.userId, 440]);
    // Another node tells of the media of one that is gone altogether.
    await c.rooms.loseNode(roomId, 'a');
    expect((await seatNow(ann))?.producerId).toBeNull();
    await far?.hears();
  });
});
