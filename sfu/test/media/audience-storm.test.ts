import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { SeatRef } from '../../src/media/media-plane.ts';
import { microphone, type Person, pause, Rig, type TestRoom, until } from './harness.ts';

/**
 * People of a room that is split and becomes small again all the time, whose commands overlap in every way, while workers die. No packet
 * flows: this is about who is connected to whom. Each keeps what their client would have, and does what it is told, sooner or later.
 */
type Client = {
  transportId: string | undefined;
  consumers: Map<string, string>;
  /** Whether it was told to listen anew, and has not yet. */
  isTold: boolean;
};

const commands = [
  'listen',
  'listen',
  'listen',
  'connect',
  'connect',
  'obey',
  'hang-up',
  'speak',
  'promote',
  'mute',
  'step-down',
  'unpublish',
  'release',
  'move',
  'sync',
  'reconcile',
] as const;
type Step = {
  readonly who: number;
  readonly what: (typeof commands)[number] | 'kill';
  readonly wait: 'none' | 'a turn' | 'a while';
};

const stepOf = (what: fc.Arbitrary<Step['what']>): fc.Arbitrary<Step> =>
  fc.record({
    who: fc.integer({ min: 0, max: 7 }),
    what,
    wait: fc.constantFrom('none', 'none', 'a turn', 'a while'),
  });
const step = stepOf(fc.constantFrom(...commands));
const kill = stepOf(fc.constant('kill'));

const waits: { [wait in Step['wait']]: () => Promise<unknown> | undefined } = {
  none: () => undefined,
  'a turn': () => nextTurn(),
  'a while': () => pause(3),
};

/** So small that eight people split a room, and so short that routers close and old transports end in the middle of it. */
const limits = {
  directListeners: 1,
  gateVoices: 2,
  audienceIdleMs: 15,
  movedMediaMs: 20,
  transportsPerSeat: 10,
};

const nothing = { routers: 0, transports: 0, producers: 0, consumers: 0 };

class Crowd {
  readonly rig: Rig;
  readonly room: TestRoom;
  readonly people: Person[];
  readonly clients = new Map<string, Client>();
  readonly #killed = new Set<number>();
  #ssrc = 1;

  constructor(rig: Rig) {
    this.rig = rig;
    this.room = rig.room();
    this.people = Array.from({ length: 8 }, () => this.#enter());
    this.room.lost = ({ seats, microphones }) => {
      if (microphones) this.room.microphones.clear();
      for (const { seat, receiving } of seats) if (receiving) this.client(seat).isTold = true;
      void this.room.reconcile();
    };
  }

  #enter(userId?: string): Person {
    const person = this.room.enter(userId === undefined ? {} : { userId });
    person.obeys = false;
    return person;
  }

  client(seat: SeatRef): Client {
    const client = this.clients.get(seat.sessionId) ?? { transportId: undefined, consumers: new Map(), isTold: false };
    this.clients.set(seat.sessionId, client);
    return client;
  }

  async run({ who, what }: Step): Promise<void> {
    const person = this.people[who];
    if (person === undefined) return;
    const { seat, userId } = person;
    const { plane } = this.rig;
    const client = this.client(seat);
    const { roomId, stage, microphones } = this.room;
    const steps: { [step in Step['what']]: () => unknown } = {
      listen: () => this.listen(seat),
      obey: () => client.isTold && this.listen(seat),
      connect: () => this.rig.pretend(client.transportId, 'connected'),
      'hang-up': () => this.rig.pretend(client.transportId, 'closed'),
      speak: () => this.#speak(seat),
      promote: () => {
        stage.set(userId, { sessionId: seat.sessionId });
        return this.room.reconcile();
      },
      mute: () => person.setMuted(!microphones.get(userId)?.muted),
      'step-down': () => person.leaveStage(),
      unpublish: () => plane.unpublish(seat),
      release: () => plane.release(roomId, userId),
      move: () => {
        const next = this.#enter(userId);
        this.people[who] = next;
        plane.release(roomId, userId, next.seat.sessionId);
      },
      sync: () => this.sync(seat),
      reconcile: () => this.room.reconcile(),
      kill: () => this.#kill(who),
    };
    await steps[what]();
  }

  #kill(who: number): void {
    const running = this.rig.plane.load();
    const victim = running[who % Math.max(running.length, 1)];
    if (victim === undefined || this.#killed.has(victim.pid)) return;
    this.#killed.add(victim.pid);
    process.kill(victim.pid, 'SIGKILL');
  }

  async listen(seat: SeatRef): Promise<void> {
    const client = this.client(seat);
    client.isTold = false;
    const answer = await this.rig.listen(seat);
    if (!answer.ok) {
      // As long as something that it asked for later is not answered, that counts.
      expect(['conflict', 'unavailable', 'rate_limited']).toContain(answer.refusal.code);
      client.isTold = true;
      return;
    }
    client.transportId = answer.value.transport.transportId;
    client.consumers = new Map(answer.value.consumers.map(({ consumerId, producerId }) => [consumerId, producerId]));
    expect(client.consumers.size).toBe(new Set(client.consumers.values()).size);
  }

  async #speak(seat: SeatRef): Promise<void> {
    const { plane } = this.rig;
    const { stage, microphones } = this.room;
    const { userId, sessionId } = seat;
    stage.set(userId, { sessionId });
    const published = await plane.publish(seat);
    if (!published.ok) return;
    this.#ssrc += 1;
    const { transportId } = published.value.transport;
    const produced = await plane.produce(seat, { transportId, rtpParameters: microphone(this.#ssrc) });
    if (!produced.ok) return;
    const { producerId } = produced.value;
    if (stage.get(userId)?.sessionId !== sessionId) {
      plane.discard(seat, producerId);
      return;
    }
    microphones.set(userId, { userId, sessionId, producerId, muted: false });
    await this.room.reconcile();
  }

  /** Answers whether everything was right. */
  async sync(seat: SeatRef): Promise<boolean> {
    const client = this.client(seat);
    const { transportId } = client;
    if (transportId === undefined) return false;
    const have = { transportIds: [transportId], consumerIds: [...client.consumers.keys()] };
    const synced = await this.rig.plane.sync(seat, have);
    if (!synced.ok || client.transportId !== transportId) return false;
    const { transportIds, added, removed } = synced.value;
    if (transportIds.includes(transportId)) {
      for (const { consumerId, producerId } of added) client.consumers.set(consumerId, producerId);
      for (const consumerId of removed) client.consumers.delete(consumerId);
    } else client.isTold = true;
    return transportIds.includes(transportId) && added.length + removed.length === 0;
  }

  /** What the server told, folded into what the clients have. */
  hear(): void {
    const { consumersAdded, consumersRemoved, relisten } = this.rig.told;
    consumersAdded.push = ([{ seat, transportId, consumers }]: (typeof consumersAdded)[number]) => {
      const client = this.client(seat);
      if (client.transportId !== transportId) return 0;
      for (const { consumerId, producerId } of consumers) {
        expect(client.consumers.has(consumerId)).toBe(false);
        client.consumers.set(consumerId, producerId);
      }
      return 0;
    };
    consumersRemoved.push = ([seat, consumerIds]: (typeof consumersRemoved)[number]) => {
      for (const consumerId of consumerIds) this.client(seat).consumers.delete(consumerId);
      return 0;
    };
    relisten.push = ([seat]: (typeof relisten)[number]) => {
      this.client(seat).isTold = true;
      return 0;
    };
  }

  /** Whoever was told to listen does; then everybody hears whom the state has, once, at the right router, and nothing else is open. */
  async check(): Promise<void> {
    const { rig, room } = this;
    await until('every worker that died was replaced', () => rig.plane.figures().workerDeaths === this.#killed.size);
    await until('every worker runs', () => rig.plane.load().length === 3, 20_000);
    await room.reconcile();
    const seats = rig.plane.seatsOf(room.roomId);
    const listening = seats.filter((seat) => this.client(seat).transportId !== undefined);
    for (const seat of listening) await this.#wasTold(seat);
    let why = '';
    const settled = async () => {
      for (const seat of listening) {
        if (this.client(seat).isTold) await this.listen(seat);
        why = (await this.sync(seat)) ? this.#wrongFor(seat) : `${seat.userId} lacks something`;
        if (why !== '') return false;
      }
      const load = rig.plane.load();
      const sum = (of: 'transports' | 'producers' | 'consumers') =>
        load.reduce((total, worker) => total + worker[of], 0);
      const known = { transports: sum('transports'), producers: sum('producers'), consumers: sum('consumers') };
      const there = await rig.inWorkers();
      why = `in the workers are ${JSON.stringify(there)}, and known ${JSON.stringify(known)}`;
      const isKnown = (Object.keys(known) as (keyof typeof known)[]).every((of) => known[of] === there[of]);
      return isKnown && there.routers <= 1 + rig.plane.figures().audienceRouters;
    };
    await until('all is as it should be', settled, 5000).catch((error: Error) => {
      throw new Error(`${error.message}, but ${why}`);
    });
  }

  /** Whoever is at the wrong router knows it before asking. */
  async #wasTold(seat: SeatRef): Promise<void> {
    const client = this.client(seat);
    if (client.isTold) return;
    await this.sync(seat);
    const isMisplaced = client.isTold && this.rig.transportIds().includes(client.transportId ?? '');
    if (isMisplaced) throw new Error(`${seat.userId} is at the wrong router, and was not told`);
  }

  #wrongFor({ sessionId, userId }: SeatRef): string {
    const open = new Set(this.rig.producers().map(({ id }) => id));
    const expected = [...this.room.microphones.values()]
      .filter((voice) => voice.userId !== userId && open.has(voice.producerId))
      .map(({ producerId }) => producerId);
    const heard = [...(this.clients.get(sessionId)?.consumers.values() ?? [])];
    const isRight = heard.length === expected.length && expected.every((producerId) => heard.includes(producerId));
    return isRight ? '' : `${userId} hears ${heard} in place of ${expected}`;
  }

  async end(): Promise<void> {
    const { rig, room } = this;
    for (const { seat } of room.people) rig.plane.release(room.roomId, seat.userId);
    await until('nothing is in the workers', async () => (await rig.inWorkers()).routers === 0);
    expect(await rig.inWorkers()).toEqual(nothing);
    expect(rig.plane.load().map(({ rooms, transports, reserved }) => [rooms, transports, reserved])).toEqual(
      Array.from({ length: 3 }, () => [0, 0, 0]),
    );
    expect(rig.plane.figures().audienceRouters).toBe(0);
    await until('nothing is open', () => rig.openHere() === 0, 2000);
  }
}

describe('a crowd on several workers', () => {
  let rig: Rig;
  afterEach(() => rig.close());

  const through = async (steps: readonly Step[]): Promise<void> => {
    const crowd = new Crowd(rig);
    crowd.hear();
    const running: Promise<void>[] = [];
    for (const each of steps) {
      running.push(crowd.run(each));
      await waits[each.wait]();
    }
    await Promise.all(running);
    await crowd.check();
    await crowd.end();
  };

  test('MD-2 RO-3 RE-1 whoever listens ends up at the right router with every voice once, and nothing leaks', async () => {
    rig = await Rig.start({ workers: 3, limits });
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 100 }), through), { numRuns: 60 });
  }, 120_000);

  test('MD-8 MD-2 RE-5 the same while workers die', async () => {
    const withDeaths = fc
      .tuple(
        fc.array(step, { minLength: 10, maxLength: 60 }),
        kill,
        fc.array(step, { minLength: 0, maxLength: 30 }),
        fc.option(kill, { nil: undefined }),
        fc.array(step, { minLength: 0, maxLength: 30 }),
      )
      .map(([before, first, between, second, after]) => [
        ...before,
        first,
        ...between,
        ...(second === undefined ? [] : [second]),
        ...after,
      ]);
    await fc.assert(
      fc.asyncProperty(withDeaths, async (steps) => {
        rig = await Rig.start({ workers: 3, limits });
        await through(steps);
        await rig.close();
      }),
      { numRuns: 25 },
    );
  }, 180_000);
});
