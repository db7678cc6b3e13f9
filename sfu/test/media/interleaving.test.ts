import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SeatRef } from '../../src/media/media-plane.ts';
import { codeOf, microphone, type Person, pause, Rig, type TestRoom, until } from './harness.ts';

/**
 * People whose commands overlap in every way, against real workers. No packet flows: this is about who is connected to
 * whom. Each person keeps what their client would have: the last receiving transport, and the voices on it.
 */
type Client = { transportId: string | undefined; consumers: Map<string, string>; sendingId: string | undefined };

const commands = [
  'listen',
  'speak',
  'speak-uncommitted',
  'mute',
  'step-down',
  'unpublish',
  'release',
  'move',
  'sync',
  'reconcile',
  'late-state',
] as const;
type Step = { who: number; what: (typeof commands)[number]; wait: 'none' | 'a microtask' | 'a turn' | 'a while' };

const step: fc.Arbitrary<Step> = fc.record({
  who: fc.integer({ min: 0, max: 4 }),
  what: fc.constantFrom(...commands),
  wait: fc.constantFrom('none', 'none', 'none', 'a microtask', 'a turn', 'a while'),
});

const waits: { [wait in Step['wait']]: () => Promise<unknown> | undefined } = {
  none: () => undefined,
  'a microtask': () => Promise.resolve(),
  'a turn': () => nextTurn(),
  'a while': () => pause(2),
};

class Crowd {
  readonly rig: Rig;
  readonly room: TestRoom;
  readonly people: Person[];
  readonly clients = new Map<string, Client>();
  #ssrc = 1;

  constructor(rig: Rig) {
    this.rig = rig;
    this.room = rig.room();
    this.people = Array.from({ length: 5 }, () => this.room.enter());
  }

  client(seat: SeatRef): Client {
    const client = this.clients.get(seat.sessionId) ?? {
      transportId: undefined,
      consumers: new Map(),
      sendingId: undefined,
    };
    this.clients.set(seat.sessionId, client);
    return client;
  }

  async run({ who, what }: Step): Promise<void> {
    const person = this.people[who];
    if (person === undefined) return;
    const { plane } = this.rig;
    const { seat, userId } = person;
    if (what === 'listen') await this.#listen(seat);
    if (what === 'speak') await this.#speak(seat, true);
    if (what === 'speak-uncommitted') await this.#speak(seat, false);
    if (what === 'mute') await person.setMuted(!this.room.microphones.get(userId)?.muted);
    if (what === 'step-down') await person.leaveStage();
    if (what === 'unpublish') plane.unpublish(seat);
    if (what === 'release') {
      this.client(seat).transportId = undefined;
      plane.release(this.room.roomId, userId);
    }
    if (what === 'move') {
      const next = this.room.enter({ userId });
      this.people[who] = next;
      plane.release(this.room.roomId, userId, next.seat.sessionId);
    }
    if (what === 'sync') await this.#sync(seat);
    if (what === 'reconcile') await this.room.reconcile();
    if (what === 'late-state') await this.#lateState(userId);
  }

  async #listen(seat: SeatRef): Promise<void> {
    const answer = await this.rig.listen(seat);
    if (!answer.ok) return;
    const client = this.client(seat);
    client.transportId = answer.value.transport.transportId;
    client.consumers = new Map(answer.value.consumers.map(({ consumerId, producerId }) => [consumerId, producerId]));
    expect(client.consumers.size).toBe(new Set(client.consumers.values()).size);
  }

  async #speak(seat: SeatRef, commit: boolean): Promise<void> {
    const { plane } = this.rig;
    this.room.stage.set(seat.userId, { sessionId: seat.sessionId });
    const published = await plane.publish(seat);
    if (!published.ok) return;
    this.#ssrc += 1;
    const { transportId } = published.value.transport;
    const produced = await plane.produce(seat, { transportId, rtpParameters: microphone(this.#ssrc) });
    if (!produced.ok || !commit) return;
    if (this.room.stage.get(seat.userId)?.sessionId !== seat.sessionId) {
      plane.discard(seat, produced.value.producerId);
      return;
    }
    const { userId, sessionId } = seat;
    this.room.microphones.set(userId, { userId, sessionId, producerId: produced.value.producerId, muted: false });
    await this.room.reconcile();
  }

  /** A state without this microphone arrives, and right after it the one that has it. */
  async #lateState(userId: string): Promise<void> {
    const entry = this.room.microphones.get(userId);
    if (entry === undefined) return;
    this.room.microphones.delete(userId);
    const late = this.room.reconcile();
    this.room.microphones.set(userId, entry);
    await Promise.all([late, this.room.reconcile()]);
  }

  async #sync(seat: SeatRef): Promise<void> {
    const client = this.client(seat);
    const { transportId } = client;
    if (transportId === undefined) return;
    const have = { transportIds: [transportId], consumerIds: [...client.consumers.keys()] };
    const synced = await this.rig.plane.sync(seat, have);
    if (!synced.ok || client.transportId !== transportId || !synced.value.transportIds.includes(transportId)) return;
    for (const { consumerId, producerId } of synced.value.added) client.consumers.set(consumerId, producerId);
    for (const consumerId of synced.value.removed) client.consumers.delete(consumerId);
  }
}

describe('commands that overlap', () => {
  let rig: Rig;
  let crowd: Crowd;
  beforeAll(async () => {
    rig = await Rig.start({ limits: { transportsPerSeat: 10, gateVoices: 30 } });
  });
  afterAll(() => rig.close());

  /** What the server told, folded into what the clients have. */
  const listenToEvents = () => {
    const { consumersAdded, consumersRemoved } = rig.told;
    consumersAdded.push = ([{ seat, transportId, consumers }]: (typeof consumersAdded)[number]) => {
      const client = crowd.client(seat);
      if (client.transportId !== transportId) return 0;
      for (const { consumerId, producerId } of consumers) {
        expect(client.consumers.has(consumerId)).toBe(false);
        client.consumers.set(consumerId, producerId);
      }
      return 0;
    };
    consumersRemoved.push = ([seat, consumerIds]: (typeof consumersRemoved)[number]) => {
      for (const consumerId of consumerIds) crowd.client(seat).consumers.delete(consumerId);
      return 0;
    };
  };

  const check = async () => {
    await crowd.room.reconcile();
    const { plane } = rig;
    const seats = plane.seatsOf(crowd.room.roomId);
    let consumers = 0;
    for (const seat of seats) {
      const client = crowd.client(seat);
      const transportIds = client.transportId === undefined ? [] : [client.transportId];
      const synced = await plane.sync(seat, { transportIds, consumerIds: [...client.consumers.keys()] });
      if (!synced.ok || synced.value.transportIds.length === 0) continue;
      // What the client has by answers and events is what the server says it should have.
      expect(synced.value).toEqual({ transportIds, added: [], removed: [] });
      const expected = [...crowd.room.microphones.values()].filter(({ userId }) => userId !== seat.userId);
      const heard = [...client.consumers.values()].sort();
      const open = await openProducers();
      expect(heard).toEqual(
        expected
          .map(({ producerId }) => producerId)
          .filter((id) => open.has(id))
          .sort(),
      );
      consumers += heard.length;
    }
    const load = plane.load()[0];
    expect(load?.consumers).toBe(consumers);
    expect(await rig.inWorkers()).toEqual({
      routers: load?.rooms,
      transports: load?.transports,
      producers: load?.producers,
      consumers: load?.consumers,
    });
  };

  const openProducers = async (): Promise<Set<string>> => {
    const dumps = await Promise.all(rig.openRouters().map((router) => router.dump()));
    return new Set(dumps.flatMap(({ mapProducerIdConsumerIds }) => mapProducerIdConsumerIds.map(({ key }) => key)));
  };

  test('MD-1 MD-9 every listener ends up with one consumer for every microphone but their own, and nothing leaks', async () => {
    listenToEvents();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        crowd = new Crowd(rig);
        const running: Promise<void>[] = [];
        for (const each of steps) {
          running.push(crowd.run(each));
          await waits[each.wait]();
        }
        await Promise.all(running);
        await check();
        for (const { userId } of crowd.people) rig.plane.release(crowd.room.roomId, userId);
        const empty = { routers: 0, transports: 0, producers: 0, consumers: 0 };
        expect(await rig.inWorkers()).toEqual(empty);
        expect(rig.plane.load()).toMatchObject([{ rooms: 0, transports: 0, producers: 0, consumers: 0 }]);
        await until('nothing is open', () => rig.openHere() === 0, 1000);
      }),
      { numRuns: 150 },
    );
  }, 120_000);

  test('MD-1 a listener who arrives while microphones open and close misses none and has none twice', async () => {
    listenToEvents();
    crowd = new Crowd(rig);
    const listeners = Array.from({ length: 20 }, () => crowd.room.enter());
    crowd.people.push(...listeners);
    const steps: Step[] = listeners.flatMap((_, index) => [
      { who: index % 5, what: 'speak', wait: 'a microtask' },
      { who: index + 5, what: 'listen', wait: index % 3 === 0 ? 'a while' : 'none' },
    ]);
    await Promise.all(steps.map((each) => crowd.run(each)));
    await check();
    expect(crowd.clients.size).toBe(20 + 5);
    rig.plane.closeRoom(crowd.room.roomId);
    await until('the worker is empty', async () => (await rig.inWorkers()).routers === 0);
  });

  test('RM-3 a room that closes in the middle of everything leaves nothing, and nothing fails', async () => {
    for (let round = 0; round < 30; round += 1) {
      crowd = new Crowd(rig);
      const { roomId, people } = crowd.room;
      const running = people.flatMap(({ seat }) => [
        rig.listen(seat),
        crowd.run({ who: people.findIndex((person) => person.seat === seat), what: 'speak', wait: 'none' }),
        rig.listen(seat),
      ]);
      for (let turn = 0; turn < round % 6; turn += 1) await nextTurn();
      rig.plane.closeRoom(roomId);
      for (const answer of await Promise.all(running)) if (answer) expect(['ok', 'conflict']).toContain(codeOf(answer));
      rig.plane.closeRoom(roomId);
      expect(rig.plane.seatsOf(roomId)).toEqual([]);
    }
    expect(await rig.inWorkers()).toEqual({ routers: 0, transports: 0, producers: 0, consumers: 0 });
    await until('nothing is open', () => rig.openHere() === 0, 1000);
  });
});
