import { setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { Cluster, type ClusterNode, type ClusterOptions } from './cluster.ts';
import { type Person, pause, type TestRoom, until } from './harness.ts';

describe('a room over several nodes', () => {
  let cluster: Cluster;
  let a: ClusterNode;
  let b: ClusterNode;
  let c: ClusterNode;
  let room: TestRoom;
  afterEach(() => cluster.close());

  const start = async (options: ClusterOptions = {}): Promise<void> => {
    cluster = await Cluster.start(['a', 'b', 'c'], options);
    [a, b, c] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode];
    room = cluster.room();
  };

  const speaker = (node: ClusterNode): Person => room.enter({ speaker: true, at: node.rig });

  const listenersAt = async (...nodes: ClusterNode[]): Promise<Person[]> => {
    const people = nodes.map((node) => room.enter({ at: node.rig }));
    await Promise.all(people.map((person) => person.listen()));
    return people;
  };

  const all = (people: readonly Person[], voices: readonly (readonly [Person, number])[]) =>
    Promise.all(people.map((person) => person.hearsExactly(voices)));

  /** One person speaks at the first node, and one listens at each of the others. */
  const lecture = async (...nodes: ClusterNode[]): Promise<{ ann: Person; listeners: Person[] }> => {
    const ann = speaker(a);
    const listeners = await listenersAt(...nodes);
    await ann.speak(440);
    await all(listeners, [[ann, 440]]);
    return { ann, listeners };
  };

  const none = { ends: 0, incoming: 0, outgoing: 0 };

  test('MD-2 a speaker on one node is heard on all of them, over one pipe to each and one stream in it', async () => {
    await start();
    const ann = speaker(a);
    const listeners = await listenersAt(a, a, b, b, c, c);
    await ann.speak(440);
    await all(listeners, [[ann, 440]]);
    expect([a, b, c].map((node) => node.pipes())).toEqual([
      { ends: 2, incoming: 0, outgoing: 2 },
      { ends: 1, incoming: 1, outgoing: 0 },
      { ends: 1, incoming: 1, outgoing: 0 },
    ]);
    // One demand was enough for it.
    expect([a, b, c].map(({ demands }) => demands.length)).toEqual([0, 1, 1]);
    for (const { rig, ports } of [a, b, c])
      for (const { tuple } of rig.pipes()) {
        expect(tuple.localPort).toBeGreaterThanOrEqual(ports.min);
        expect(tuple.localPort).toBeLessThanOrEqual(ports.max);
      }
    // What the workers themselves have, and what the planes say of their load: people's transports and the pipes.
    const counts = [
      { routers: 1, transports: 5, producers: 1, consumers: 4 },
      { routers: 1, transports: 3, producers: 1, consumers: 2 },
      { routers: 1, transports: 3, producers: 1, consumers: 2 },
    ];
    expect(await Promise.all([a, b, c].map(({ rig }) => rig.inWorkers()))).toEqual(counts);
    expect([a, b, c].map(({ rig }) => rig.plane.load())).toMatchObject(
      counts.map(({ routers, ...load }) => [{ rooms: routers, ...load }]),
    );
    for (const person of room.people) await person.leave();
    await cluster.withoutPipes();
    expect(await b.rig.inWorkers()).toEqual({ routers: 0, transports: 0, producers: 0, consumers: 0 });
  });

  test('MD-2 speakers on all nodes hear each other, and each is piped once however many listen', async () => {
    await start();
    const people = [speaker(a), speaker(b), speaker(c)] as const;
    const [ann, ben, cat] = people;
    await Promise.all(people.map((person) => person.listen()));
    const listeners = await listenersAt(a, b, b, c);
    await Promise.all([ann.speak(440), ben.speak(660), cat.speak(1000)]);
    await all(listeners, [
      [ann, 440],
      [ben, 660],
      [cat, 1000],
    ]);
    await ann.hearsExactly([
      [ben, 660],
      [cat, 1000],
    ]);
    await cat.hearsExactly([
      [ann, 440],
      [ben, 660],
    ]);
    // To each of the two others an end that asks and one that serves.
    expect([a, b, c].map((node) => node.pipes())).toEqual([a, b, c].map(() => ({ ends: 4, incoming: 2, outgoing: 2 })));
  });

  test('MD-2 MD-7 pipes go over IPv6 too', async () => {
    await start({ address: '::1' });
    await lecture(b);
    expect(b.rig.pipes().map(({ tuple }) => tuple)).toMatchObject([{ localAddress: '::1' }]);
  });

  test('MD-2 two speakers at one node come over one pipe, and the second needs no new one', async () => {
    await start();
    const { ann, listeners } = await lecture(b);
    const [end] = b.rig.pipes();
    const ben = speaker(a);
    await ben.speak(1000);
    await all(listeners, [
      [ann, 440],
      [ben, 1000],
    ]);
    expect(b.pipes()).toEqual({ ends: 1, incoming: 2, outgoing: 0 });
    expect(b.rig.pipes()).toEqual([end]);
    await ann.leaveStage();
    await all(listeners, [[ben, 1000]]);
    expect(b.rig.pipes()).toEqual([end]);
    await until('the stream is closed at both ends', () => a.pipes().outgoing === 1 && b.pipes().incoming === 1);
  });

  test('MD-2 who comes first to a node hears the voices of the others, though nothing is said to it meanwhile', async () => {
    await start();
    const ann = speaker(a);
    await ann.speak(440);
    expect(b.pipes()).toEqual(none);
    const [ben] = await listenersAt(b);
    await ben?.hearsExactly([[ann, 440]]);
    await ben?.leave();
    await cluster.withoutPipes();
    const [cat] = await listenersAt(b);
    await cat?.hearsExactly([[ann, 440]]);
  });

  test('RE-1 who comes as the last one leaves hears everybody: the last word of a pipe does not end the next', async () => {
    await start();
    const ann = speaker(a);
    await ann.speak(440);
    for (let round = 0; round < 30; round += 1) {
      const visitor = room.enter({ at: b.rig });
      const listening = b.rig.listen(visitor.seat);
      // The demand of this round is on its way for longer or shorter when the next one begins.
      for (let turn = 0; turn < round; turn += 1) await nextTurn();
      await listening;
      b.rig.plane.release(room.roomId, visitor.userId);
    }
    const [ben] = await listenersAt(b);
    await ben?.hearsExactly([[ann, 440]]);
    await until('one pipe is left', () => a.pipes().ends === 1 && b.pipes().ends === 1);
  });

  test('MO-1 whoever is muted sends nothing over the pipe, and is heard again when they are not', async () => {
    await start();
    const { ann, listeners } = await lecture(b, c);
    await ann.setMuted(true);
    await all(listeners, []);
    expect(a.rig.pipeConsumers().map(({ producerPaused }) => producerPaused)).toEqual([true, true]);
    expect([b, c].flatMap(({ rig }) => rig.pipedProducers().map(({ paused }) => paused))).toEqual([true, true]);
    const bytes = async () => (await Promise.all(b.rig.pipedProducers().map((it) => it.getStats())))[0]?.[0]?.byteCount;
    const before = await bytes();
    await pause(300);
    expect(await bytes()).toBe(before);
    await ann.setMuted(false);
    await all(listeners, [[ann, 440]]);
    expect(b.rig.told.consumersRemoved).toEqual([]);
  });

  test('MO-1 a microphone that opens muted is piped and not heard; a node that hears late of a mute changes nothing', async () => {
    await start();
    const ann = speaker(a);
    const [ben] = await listenersAt(b);
    const producerId = await ann.speak(440, { muted: true });
    await until('it is piped', () => b.pipes().incoming === 1);
    expect(b.rig.pipedProducers().map(({ paused }) => paused)).toEqual([true]);
    await ann.setMuted(false);
    await ben?.hearsExactly([[ann, 440]]);
    // The node of the microphone follows first.
    room.microphones.set(ann.userId, { ...ann.seat, producerId, muted: true, node: 'a' });
    await room.reconcileAt(a.rig);
    await ben?.hearsExactly([]);
    expect(b.rig.pipedProducers().map(({ paused }) => paused)).toEqual([false]);
  });

  test('MD-4 every node says who speaks, wherever they are', async () => {
    await start({ limits: { speakingHoldMs: 600_000 } });
    const { ann } = await lecture(b);
    const speakingAt = (node: ClusterNode) => node.rig.told.speakingChanged.at(-1)?.[1];
    for (const node of [a, b]) await until(`${node.name} says so`, () => speakingAt(node)?.[0] === ann.userId);
    await ann.setMuted(true);
    for (const node of [a, b]) await until(`${node.name} says so`, () => speakingAt(node)?.length === 0);
  });

  test('MD-2 a microphone that closes is gone everywhere, and its pipes with it; the next one is heard', async () => {
    await start();
    const { ann, listeners } = await lecture(b, c);
    await ann.leaveStage();
    await all(listeners, []);
    await cluster.withoutPipes();
    expect(b.rig.told.consumersRemoved).toHaveLength(1);
    room.stage.set(ann.userId, { sessionId: ann.seat.sessionId });
    await ann.speak(600);
    await all(listeners, [[ann, 600]]);
  });

  test('MD-2 the pipe to a node closes with its last listener, and the other nodes hear on', async () => {
    await start();
    const { ann, listeners } = await lecture(b, c);
    const [ben, cat] = listeners;
    await ben?.leave();
    await until('no pipe is left there', () => b.pipes().ends === 0 && a.pipes().ends === 1);
    expect(await b.rig.inWorkers()).toEqual({ routers: 0, transports: 0, producers: 0, consumers: 0 });
    await cat?.hearsExactly([[ann, 440]]);
    // The end of the room on a node is the same.
    c.rig.plane.closeRoom(room.roomId);
    await cluster.withoutPipes();
  });

  test('RE-3 nobody is sent their own voice back when they listen at another node', async () => {
    await start();
    const { ann } = await lecture(b);
    const elsewhere = room.enter({ at: b.rig, userId: ann.userId });
    await elsewhere.listen();
    expect(elsewhere.peer.consumerIds).toEqual([]);
    expect(b.pipes().incoming).toBe(1);
  });

  test('MD-2 RE-1 a state that is late at the node of the microphone is made good, with others over the same pipe or not', async () => {
    await start({ leaseMs: 5000 });
    const { ann, listeners } = await lecture(b);
    const late = async (rest: readonly (readonly [Person, number])[]) => {
      const entry = room.microphones.get(ann.userId);
      if (entry === undefined) throw new Error('no microphone');
      room.microphones.delete(ann.userId);
      await room.reconcileAt(a.rig);
      await all(listeners, rest);
      // The other node still wants it, and asks meanwhile.
      const asked = b.demands.length;
      await until('it asks again', () => b.demands.length > asked + 1);
      room.microphones.set(ann.userId, entry);
      await room.reconcileAt(a.rig);
      await all(listeners, [[ann, 440], ...rest]);
    };
    await late([]);
    const ben = speaker(a);
    await ben.speak(1000);
    await all(listeners, [
      [ann, 440],
      [ben, 1000],
    ]);
    await late([[ben, 1000]]);
  });

  test('MD-8 the worker of the speaker is killed: the pipes go, and the next microphone is heard on every node', async () => {
    await start();
    const { ann, listeners } = await lecture(b, c);
    room.lost = () => {
      room.microphones.delete(ann.userId);
      void room.reconcile();
    };
    a.killWorker();
    await until('the loss is told', () => a.rig.told.mediaLost.length === 1);
    await ann.speak(600);
    await all(listeners, [[ann, 600]]);
    expect([b, c].flatMap(({ rig }) => rig.told.mediaLost)).toEqual([]);
    expect(b.pipes()).toEqual({ ends: 1, incoming: 1, outgoing: 0 });
  });

  test('MD-8 the worker of the listeners is killed: who listens again hears over a new pipe, others notice nothing', async () => {
    await start();
    const { ann, listeners } = await lecture(b, c);
    const [ben, cat] = listeners;
    b.killWorker();
    await until('the loss is told', () => b.rig.told.mediaLost.length === 1);
    await ben?.listen();
    await ben?.hearsExactly([[ann, 440]]);
    await cat?.hearsExactly([[ann, 440]]);
    expect(c.rig.told.consumersRemoved).toEqual([]);
    await until('the old end is closed', () => a.pipes().ends === 2);
  });

  test('RE-3 a pipe that cannot be asked for is tried until it can, and the rest of the room does not wait for it', async () => {
    await start();
    const ann = speaker(a);
    const bob = speaker(b);
    await a.cutOff();
    const [ben, cat] = await listenersAt(b, c);
    await Promise.all([ann.speak(440), bob.speak(1000)]);
    await all(
      [ben, cat].flatMap((person) => person ?? []),
      [[bob, 1000]],
    );
    await until('it is tried again', () => b.demands.filter(({ node }) => node === 'a').length > 3);
    expect(b.pipes().incoming).toBe(0);
    await a.answer();
    await all(
      [ben, cat].flatMap((person) => person ?? []),
      [
        [ann, 440],
        [bob, 1000],
      ],
    );
  });

  test('RE-3 a short break between the nodes changes nothing: audio flows over the same pipe', async () => {
    await start({ leaseMs: 60_000 });
    const { ann, listeners } = await lecture(b);
    const [end] = b.rig.pipes();
    await a.cutOff();
    const asked = b.demands.length;
    // Something to ask for, as the lease alone would be renewed only in a while.
    const ben = speaker(a);
    await ben.speak(1000);
    await until('it asks in vain', () => b.demands.length > asked + 2);
    await all(listeners, [[ann, 440]]);
    await a.answer();
    await all(listeners, [
      [ann, 440],
      [ben, 1000],
    ]);
    expect(b.rig.pipes()).toEqual([end]);
    expect(b.rig.told.consumersRemoved).toEqual([]);
  });

  test('RE-3 a break that outlasts the lease ends the pipe on both sides, and it comes back by itself', async () => {
    await start({ leaseMs: 1000 });
    const { ann, listeners } = await lecture(b);
    await a.cutOff();
    await cluster.withoutPipes();
    await all(listeners, []);
    await a.answer();
    await all(listeners, [[ann, 440]]);
    expect([a, b].map((node) => node.pipes().ends)).toEqual([1, 1]);
  });

  test('RE-3 RE-5 a node that vanishes leaves nothing behind on the others, once its lease is over', async () => {
    await start({ leaseMs: 1000 });
    const { ann, listeners } = await lecture(b, c);
    const [ben] = listeners;
    const cat = speaker(c);
    await cat.speak(1000);
    await ben?.hearsExactly([
      [ann, 440],
      [cat, 1000],
    ]);
    await c.vanish();
    // The others' states still have the microphone there.
    await until('only what is between the living is left', () => a.pipes().ends === 1 && b.pipes().incoming === 1);
    await ben?.hearsExactly([[ann, 440]]);
    await cat.leaveStage();
    await until('and nothing is asked for', () => b.pipes().ends === 1);
    await b.rig.inWorkers();
  });

  test('RE-3 what is known to be gone is closed at once', async () => {
    await start({ leaseMs: 600_000 });
    const { ann, listeners } = await lecture(b, c);
    const [ben, cat] = listeners;
    const bob = speaker(b);
    await bob.speak(1000);
    await cat?.hearsExactly([
      [ann, 440],
      [bob, 1000],
    ]);
    await c.vanish();
    for (const { rig } of [a, b]) rig.plane.nodeGone('c');
    // Both have people, and a microphone each.
    const rest = { ends: 2, incoming: 1, outgoing: 1 };
    for (const node of [a, b]) await until('one pipe each way', () => isDeepStrictEqual(node.pipes(), rest));
    await ben?.hearsExactly([
      [ann, 440],
      [bob, 1000],
    ]);
    await bob.listen();
    await bob.hearsExactly([[ann, 440]]);
    // One that was thought to be gone and is not, is asked again.
    b.rig.plane.nodeGone('a');
    expect(b.pipes().incoming).toBe(0);
    await ann.leaveStage();
    const dan = speaker(a);
    await dan.speak(600);
    await bob.hearsExactly([[dan, 600]]);
  });
});
