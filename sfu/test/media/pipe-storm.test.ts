import { setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SeatRef } from '../../src/media/media-plane.ts';
import { Cluster, type ClusterNode } from './cluster.ts';
import { codeOf, microphone, type Person, pause, type Rig, type TestRoom, until } from './harness.ts';

/**
 * People on three nodes whose commands overlap in every way, while nodes hear of the state late, in another order, or
 * lose each other. No packet flows: this is about who is connected to whom in the end. Each person keeps what their
 * client would have.
 */
type Client = { transportId: string | undefined; readonly voices: Map<string, string> };

const commands = [
  'listen',
  'listen',
  'speak',
  'speak',
  'mute',
  'step-down',
  'release',
  'move',
  'relocate',
  'relocate',
  'reconcile',
  'reconcile-here',
  'late-state-here',
  'node-gone',
  'break',
] as const;
type Step = { who: number; node: number; what: (typeof commands)[number]; wait: 'none' | 'a turn' | 'a while' };

const step: fc.Arbitrary<Step> = fc.record({
  who: fc.integer({ min: 0, max: 5 }),
  node: fc.integer({ min: 0, max: 2 }),
  what: fc.constantFrom(...commands),
  wait: fc.constantFrom('none', 'none', 'a turn', 'a while'),
});

const waits: { [wait in Step['wait']]: () => Promise<unknown> | undefined } = {
  none: () => undefined,
  'a turn': () => nextTurn(),
  'a while': () => pause(5),
};

let ssrc = 1;

class Crowd {
  readonly cluster: Cluster;
  readonly room: TestRoom;
  readonly people: Person[];
  readonly clients = new Map<string, Client>();

  constructor(cluster: Cluster) {
    this.cluster = cluster;
    this.room = cluster.room();
    this.people = Array.from({ length: 6 }, (_, index) => this.room.enter({ at: this.node(index % 3).rig }));
  }

  node(index: number): ClusterNode {
    const node = this.cluster.nodes[index];
    if (node === undefined) throw new Error(`no node ${index}`);
    return node;
  }

  /** What the client of this seat has of this node: for the moment in which it moves it has media of two. */
  client({ sessionId }: SeatRef, { node }: Rig): Client {
    const key = `${sessionId} ${node}`;
    const client = this.clients.get(key) ?? { transportId: undefined, voices: new Map() };
    this.clients.set(key, client);
    return client;
  }

  async run({ who, node, what }: Step): Promise<void> {
    const person = this.people[who];
    if (person === undefined) return;
    const { room } = this;
    const { rig, name } = this.node(node);
    if (what === 'listen') await this.#listen(person);
    if (what === 'speak') await this.#speak(person);
    if (what === 'mute') await person.setMuted(!room.microphones.get(person.userId)?.muted);
    if (what === 'step-down') await person.leaveStage();
    if (what === 'release') await this.#release(person);
    if (what === 'move') await this.#move(who, rig);
    if (what === 'relocate') await this.#relocate(who, rig);
    if (what === 'reconcile') await room.reconcile();
    if (what === 'reconcile-here') await room.reconcileAt(rig);
    if (what === 'late-state-here') await this.#lateState(person, rig);
    if (what === 'node-gone') person.node.plane.nodeGone(name);
    if (what === 'break') await this.#break(name);
  }

  async #listen({ node, seat }: Person): Promise<void> {
    const answer = await node.listen(seat);
    if (!answer.ok) return;
    const client = this.client(seat, node);
    client.transportId = answer.value.transport.transportId;
    client.voices.clear();
    for (const { consumerId, producerId } of answer.value.consumers) client.voices.set(consumerId, producerId);
  }

  async #speak({ node, seat }: Person): Promise<void> {
    const { stage, microphones } = this.room;
    const { userId, sessionId } = seat;
    stage.set(userId, { sessionId });
    const published = await node.plane.publish(seat);
    if (!published.ok) return;
    ssrc += 1;
    const options = { transportId: published.value.transport.transportId, rtpParameters: microphone(ssrc) };
    const produced = await node.plane.produce(seat, options);
    if (!produced.ok) return;
    if (stage.get(userId)?.sessionId !== sessionId) {
      node.plane.discard(seat, produced.value.producerId);
      return;
    }
    microphones.set(userId, {
      userId,
      sessionId,
      producerId: produced.value.producerId,
      muted: false,
      node: node.node,
    });
    await this.room.reconcile();
  }

  async #release(person: Person): Promise<void> {
    this.client(person.seat, person.node).transportId = undefined;
    person.node.plane.release(this.room.roomId, person.userId);
    await person.leaveStage();
  }

  /** The person comes back at another node, under another session. */
  async #move(who: number, rig: Rig): Promise<void> {
    const person = this.people[who];
    if (person === undefined) return;
    const next = this.room.enter({ userId: person.userId, at: rig });
    this.people[who] = next;
    this.client(person.seat, person.node).transportId = undefined;
    for (const node of this.room.nodes) node.plane.release(this.room.roomId, person.userId, next.seat.sessionId);
    await next.leaveStage();
    await this.#listen(next);
  }

  /** The same session comes to another node, speaks there if it spoke before, and lets go of the node before a moment later. */
  async #relocate(who: number, rig: Rig): Promise<void> {
    const person = this.people[who];
    if (person === undefined || person.node === rig) return;
    const next = this.room.enter({ ...person.seat, at: rig });
    this.people[who] = next;
    await this.#listen(next);
    if (this.room.microphones.has(person.userId)) await this.#speak(next);
    await pause(5);
    if (this.people[who]?.node === person.node) return;
    this.client(person.seat, person.node).transportId = undefined;
    person.node.plane.release(this.room.roomId, person.userId);
  }

  /** This node hears of a state without the microphone, and right after it of the one that has it. */
  async #lateState({ userId }: Person, rig: Rig): Promise<void> {
    const entry = this.room.microphones.get(userId);
    if (entry === undefined) return;
    this.room.microphones.delete(userId);
    const late = this.room.reconcileAt(rig);
    this.room.microphones.set(userId, entry);
    await Promise.all([late, this.room.reconcileAt(rig)]);
  }

  /** This node and the others do not reach each other for a moment. */
  async #break(name: string): Promise<void> {
    const { cut } = this.cluster.network;
    cut.add(name);
    await pause(30);
    cut.delete(name);
  }
}

describe('commands on several nodes that overlap', () => {
  let cluster: Cluster;
  let crowd: Crowd;
  beforeAll(async () => {
    cluster = await Cluster.start(['a', 'b', 'c'], { limits: { transportsPerSeat: 10 }, leaseMs: 1000 });
    for (const { rig } of cluster.nodes) listenToEvents(rig);
  });
  afterAll(() => cluster.close());

  /** What the servers told, folded into what the clients have. */
  const listenToEvents = (rig: Rig) => {
    const { consumersAdded, consumersRemoved } = rig.told;
    consumersAdded.push = ([{ seat, transportId, consumers }]: (typeof consumersAdded)[number]) => {
      const client = crowd.client(seat, rig);
      if (client.transportId !== transportId) return 0;
      for (const { consumerId, producerId } of consumers) {
        expect(client.voices.has(consumerId)).toBe(false);
        client.voices.set(consumerId, producerId);
      }
      return 0;
    };
    consumersRemoved.push = ([seat, consumerIds]: (typeof consumersRemoved)[number]) => {
      for (const consumerId of consumerIds) crowd.client(seat, rig).voices.delete(consumerId);
      return 0;
    };
  };

  /** The microphones of the state that are open where it says. */
  const openMicrophones = () => {
    const open = new Set(cluster.nodes.flatMap(({ rig }) => rig.producers().map(({ id }) => id)));
    return [...crowd.room.microphones.values()].filter(({ producerId }) => open.has(producerId));
  };

  /** How each node should be, by what the state says and who is where. */
  const expected = () => {
    const { roomId } = crowd.room;
    const present = cluster.nodes.filter(({ rig }) => rig.plane.seatsOf(roomId).length > 0);
    const open = openMicrophones();
    const at = (name: string) => open.filter(({ node }) => node === name).length;
    return cluster.nodes.map((node) => {
      if (!present.includes(node)) return { name: node.name, ends: 0, incoming: 0, outgoing: 0 };
      const others = cluster.nodes.filter((other) => other !== node);
      const asks = others.filter(({ name }) => at(name) > 0);
      const serves = at(node.name) > 0 ? others.filter((other) => present.includes(other)) : [];
      return {
        name: node.name,
        ends: asks.length + serves.length,
        incoming: asks.reduce((sum, { name }) => sum + at(name), 0),
        outgoing: serves.length * at(node.name),
      };
    });
  };

  /** Everybody who listens has every voice but their own once, by what they were told. */
  const wrongListeners = () => {
    const open = openMicrophones();
    return cluster.nodes.flatMap(({ rig }) =>
      rig.plane.seatsOf(crowd.room.roomId).flatMap((seat) => {
        const { transportId, voices } = crowd.client(seat, rig);
        if (transportId === undefined) return [];
        const heard = [...voices.values()].sort();
        const should = open.flatMap(({ userId, producerId }) => (userId === seat.userId ? [] : [producerId])).sort();
        return JSON.stringify(heard) === JSON.stringify(should) ? [] : [{ heard, should }];
      }),
    );
  };

  /** What the plane counts is what its worker has; as soon as it is, since what was just made is counted a moment later. */
  const asItsWorkerSays = async (rig: Rig) => {
    const counted = () => {
      const [load] = rig.plane.load();
      return {
        routers: load?.rooms,
        transports: load?.transports,
        producers: load?.producers,
        consumers: load?.consumers,
      };
    };
    const same = async () => isDeepStrictEqual(await rig.inWorkers(), counted());
    await until('the worker has what the plane counts', same).catch(async () => {
      expect(await rig.inWorkers()).toEqual(counted());
    });
  };

  /** What is received over pipes is what is sent over them. */
  const streamsMeet = () => {
    const ssrcs = (things: { rtpParameters: { encodings?: { ssrc?: number }[] } }[]) =>
      things.flatMap(({ rtpParameters }) => rtpParameters.encodings?.map(({ ssrc }) => ssrc)).sort();
    const sent = ssrcs(cluster.nodes.flatMap(({ rig }) => rig.pipeConsumers()));
    return isDeepStrictEqual(sent, ssrcs(cluster.nodes.flatMap(({ rig }) => rig.pipedProducers())));
  };

  const check = async () => {
    await crowd.room.reconcile();
    const actual = () => cluster.nodes.map((node) => ({ name: node.name, ...node.pipes() }));
    const settled = () => isDeepStrictEqual(actual(), expected()) && wrongListeners().length === 0 && streamsMeet();
    await until('everything is as the state says', settled, 15_000).catch(() => {
      expect(actual()).toEqual(expected());
      expect(wrongListeners()).toEqual([]);
      expect(streamsMeet()).toBe(true);
    });
    for (const { rig } of cluster.nodes) await asItsWorkerSays(rig);
    for (const person of crowd.people) {
      const { transportId, voices } = crowd.client(person.seat, person.node);
      if (transportId === undefined) continue;
      const have = { transportIds: [transportId], consumerIds: [...voices.keys()] };
      const synced = await person.node.plane.sync(person.seat, have);
      expect(codeOf(synced)).toBe('ok');
      if (synced.ok && synced.value.transportIds.length > 0)
        expect(synced.value).toEqual({ transportIds: [transportId], added: [], removed: [] });
    }
  };

  test('MD-2 RE-1 every node ends up with each microphone of the others once, every listener too, and nothing leaks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        crowd = new Crowd(cluster);
        const running: Promise<void>[] = [];
        for (const each of steps) {
          running.push(crowd.run(each));
          await waits[each.wait]();
        }
        await Promise.all(running);
        await check();
        for (const { rig } of cluster.nodes)
          for (const { userId } of crowd.people) rig.plane.release(crowd.room.roomId, userId);
        await cluster.withoutPipes();
        const empty = { routers: 0, transports: 0, producers: 0, consumers: 0 };
        for (const { rig } of cluster.nodes) expect(await rig.inWorkers()).toEqual(empty);
      }),
      { numRuns: 25, endOnFailure: true },
    );
  }, 120_000);
});
