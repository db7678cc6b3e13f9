import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Limits } from '@rostrum/shared/limits.ts';
import { afterEach, describe, expect, test } from 'vitest';
import { newId } from '../../src/runtime/ids.ts';
import { freePort } from '../support/free-port.ts';
import { codeOf, type Person, pause, Rig, type TestRoom, until, valueFrom, withoutGap } from './harness.ts';

/** So few that two listeners fill the router of the stage, and the gate chooses between three. */
const small: Partial<Limits> = { directListeners: 2, gateVoices: 2, audienceIdleMs: 300, movedMediaMs: 5000 };

const nothing = { routers: 0, transports: 0, producers: 0, consumers: 0 };

describe('a room that outgrows the router of its stage', () => {
  let rig: Rig;
  let room: TestRoom;
  afterEach(() => rig.close());

  const start = async (workers: number, limits: Partial<Limits> = {}): Promise<void> => {
    rig = await Rig.start({ workers, limits: { ...small, ...limits } });
    room = rig.room();
  };

  const speaker = async (hertz: number): Promise<Person> => {
    const person = room.enter({ speaker: true });
    await person.listen();
    await person.speak(hertz);
    return person;
  };

  const listeners = async (count: number): Promise<Person[]> => {
    const people = Array.from({ length: count }, () => room.enter());
    for (const person of people) await person.listen();
    return people;
  };

  const promote = ({ seat }: Person) => {
    room.stage.set(seat.userId, { sessionId: seat.sessionId });
    return room.reconcile();
  };

  const stageWorker = (): number | undefined => {
    const [stage] = rig.producers().filter((producer) => !rig.relayedProducers().includes(producer));
    return rig.workerOf(stage);
  };

  const hasNothingLeft = async () => {
    for (const person of room.people) await person.leave();
    await until('every worker is empty', async () => (await rig.inWorkers()).routers === 0);
    expect(await rig.inWorkers()).toEqual(nothing);
    for (const load of rig.plane.load()) expect(load).toMatchObject({ rooms: 0, transports: 0, reserved: 0 });
    expect(rig.plane.figures().audienceRouters).toBe(0);
    await until('nothing is open', () => rig.openHere() === 0, 1000);
  };

  test('MD-2 MD-1 a small room has one router and no pipe', async () => {
    await start(2);
    const [ann, ben] = [await speaker(440), await speaker(1000)];
    for (const listener of await listeners(2)) {
      await listener.hearsExactly([
        [ann, 440],
        [ben, 1000],
      ]);
    }
    expect([rig.openRouters().length, rig.relays().length, rig.told.relisten.length]).toEqual([1, 0, 0]);
    await hasNothingLeft();
  });

  test('MD-2 a larger one is served by every worker, each voice goes to each once, and who was there misses nothing', async () => {
    await start(3);
    const ann = await speaker(440);
    const early = await listeners(2);
    await Promise.all(early.map((listener) => listener.hearsExactly([[ann, 440]])));
    expect(rig.openRouters()).toHaveLength(1);
    const before = early.map(({ peer }) => peer.receivingId);
    const late: Person[] = [];
    await withoutGap(early, ann, async () => {
      late.push(...(await listeners(6)));
      await until('who was there has moved', () =>
        early.every(({ peer }, index) => peer.receivingId !== before[index]),
      );
      await Promise.all([...early, ...late].map((listener) => listener.hearsExactly([[ann, 440]])));
      await until(
        'the transports from before are closed',
        async () => rig.plane.load()[0]?.transports !== 0 && rig.consumers().length === 8 + rig.relayConsumers().length,
      );
    });
    const ben = await speaker(1000);
    for (const listener of [...early, ...late]) {
      await listener.hearsExactly([
        [ann, 440],
        [ben, 1000],
      ]);
    }
    const routers = rig.plane.figures().audienceRouters;
    expect(routers).toBeGreaterThanOrEqual(2);
    expect(new Set([...early, ...late].map((listener) => rig.servedBy(listener))).size).toBe(routers);
    expect([rig.relays().length, rig.relayConsumers().length, rig.relayedProducers().length]).toEqual([
      2 * routers,
      2 * routers,
      2 * routers,
    ]);
    expect(rig.told.relisten.map(([seat]) => seat)).toEqual(early.map(({ seat }) => seat));
    await hasNothingLeft();
  });

  test('MD-2 RE-5 routers that nobody listens at any more close, and the room is small again', async () => {
    await start(2);
    const ann = await speaker(440);
    const crowd = await listeners(4);
    await Promise.all(crowd.map((listener) => listener.hearsExactly([[ann, 440]])));
    await until('routers for the audience are open', () => rig.plane.figures().audienceRouters > 0);
    for (const listener of crowd) await listener.leave();
    await until('they are closed', () => rig.plane.figures().audienceRouters === 0);
    expect([rig.openRouters().length, rig.relays().length]).toEqual([1, 0]);
    const [late] = await listeners(1);
    await late?.hearsExactly([[ann, 440]]);
    expect(rig.openRouters()).toHaveLength(1);
    await hasNothingLeft();
  });

  test('MD-2 a listener who comes back before a router is closed finds it, and voices that are new since', async () => {
    await start(1, { directListeners: 0 });
    const ann = await speaker(440);
    const [first] = await listeners(1);
    await first?.hearsExactly([[ann, 440]]);
    await first?.leave();
    const ben = await speaker(1000);
    const opened = rig.openRouters();
    const [second] = await listeners(1);
    await second?.hearsExactly([
      [ann, 440],
      [ben, 1000],
    ]);
    expect(rig.openRouters()).toEqual(opened);
    await hasNothingLeft();
  });

  test('MD-2 RE-1 whoever asks to listen while the room is split is answered once, from the right router', async () => {
    await start(2);
    const ann = await speaker(440);
    const crowd = Array.from({ length: 6 }, () => room.enter());
    // All at once, so that the first are on the way to the router of the stage when the third comes.
    await Promise.all(crowd.map((person) => person.listen()));
    await Promise.all(crowd.map((listener) => listener.hearsExactly([[ann, 440]])));
    expect(rig.told.relisten).toEqual([]);
    const load = await rig.inWorkers();
    expect(load.transports).toBe(2 + 6 + rig.relays().length);
    await hasNothingLeft();
  });

  test('MD-6 RO-3 a promoted listener hears every microphone, without a gap, and the audience again after it', async () => {
    await start(2);
    const [ann, ben, cat] = [await speaker(440), await speaker(700), await speaker(1000)];
    cat.peer.setVolume(0);
    const [dan, eve] = (await listeners(3)) as [Person, Person, Person];
    const ofAudience = [
      [ann, 440],
      [ben, 700],
    ] as const;
    const toAudience = () => Promise.all([dan, eve].map((listener) => listener.hearsExactly(ofAudience)));
    await toAudience();
    // From now on there is one voice more than the gate has places, and nobody who makes room.
    cat.peer.setVolume(0.5);
    const transport = dan.peer.receivingId;
    await withoutGap([dan, eve], ann, async () => {
      await promote(dan);
      await dan.hearsExactly([...ofAudience, [cat, 1000]]);
      await dan.speak(1300);
      await ann.hearsExactly([
        [ben, 700],
        [cat, 1000],
        [dan, 1300],
      ]);
    });
    expect(rig.servedBy(dan)).toBe(stageWorker());
    expect(dan.peer.receivingId).not.toBe(transport);
    await withoutGap([dan, eve], ann, async () => {
      await dan.leaveStage();
      await toAudience();
    });
    expect(rig.told.relisten.filter(([{ userId }]) => userId === dan.userId)).toEqual([
      [dan.seat, 0],
      [dan.seat, 0],
    ]);
    await hasNothingLeft();
  });

  test('RO-3 up, down and up again while the transport from before still plays: no gap, and one transport at the end', async () => {
    await start(2);
    const ann = await speaker(440);
    const [dan] = (await listeners(4)) as [Person];
    await dan.hearsExactly([[ann, 440]]);
    await withoutGap([dan], ann, async () => {
      await promote(dan);
      await dan.leaveStage();
      await promote(dan);
      await until('dan is at the stage', () => rig.plane.seatsOf(room.roomId).length > 0 && isServedByStage(dan));
      await until('one transport is left', async () => (await transportsOf(dan)) === 1);
    });
    await dan.hearsExactly([[ann, 440]]);
    await hasNothingLeft();
  });

  test('RO-3 who is promoted and back again while their answer is on its way is told all the same of the next promotion', async () => {
    await start(2);
    await speaker(440);
    const [dan] = (await listeners(4)) as [Person];
    dan.obeys = false;
    const told = () => rig.told.relisten.filter(([{ userId }]) => userId === dan.userId).length;
    const before = told();
    await promote(dan);
    expect(told()).toBe(before + 1);
    const answer = rig.listen(dan.seat);
    await dan.leaveStage();
    const { transport } = valueFrom(await answer);
    expect(told()).toBe(before + 1);
    await promote(dan);
    expect(told()).toBe(before + 2);
    expect(rig.transportIds()).toContain(transport.transportId);
    await hasNothingLeft();
  });

  test('RO-3 MD-2 a client that does not do as it is told goes on hearing where it is, and is told again when it asks', async () => {
    await start(2);
    const ann = await speaker(440);
    const [dan] = (await listeners(2)) as [Person];
    dan.obeys = false;
    await dan.hearsExactly([[ann, 440]]);
    await listeners(2);
    const transportIds = [dan.peer.receivingId ?? ''];
    const have = { transportIds, consumerIds: dan.peer.consumerIds };
    expect(rig.told.relisten.map(([seat]) => seat)).toContainEqual(dan.seat);
    // It is to listen anew, and keeps what it hears until then.
    expect(valueFrom(await rig.plane.sync(dan.seat, have))).toEqual({ transportIds: [], added: [], removed: [] });
    await dan.hearsExactly([[ann, 440]]);
    await withoutGap([dan], ann, async () => {
      await dan.listen();
      await dan.hearsExactly([[ann, 440]]);
      await until('the transport from before is closed', async () => (await transportsOf(dan)) === 1);
    });
    const synced = { transportIds: [dan.peer.receivingId], consumerIds: dan.peer.consumerIds };
    expect(valueFrom(await rig.plane.sync(dan.seat, synced as typeof have))).toEqual({
      transportIds: synced.transportIds,
      added: [],
      removed: [],
    });
    await hasNothingLeft();
  });

  test('MO-1 MD-2 a muted speaker is silent at every router, and a request more for each audience is not needed', async () => {
    await start(2);
    const [ann, ben] = [await speaker(440), await speaker(1000)];
    const crowd = await listeners(5);
    await Promise.all(
      crowd.map((listener) =>
        listener.hearsExactly([
          [ann, 440],
          [ben, 1000],
        ]),
      ),
    );
    const turned: string[] = [];
    for (const { observer } of rig.consumers().filter(({ producerId }) => !isOfStage(producerId))) {
      observer.on('pause', () => turned.push('pause'));
      observer.on('resume', () => turned.push('resume'));
    }
    await ann.setMuted(true);
    await Promise.all(crowd.map((listener) => listener.hearsExactly([[ben, 1000]])));
    await ann.setMuted(false);
    await Promise.all(
      crowd.map((listener) =>
        listener.hearsExactly([
          [ann, 440],
          [ben, 1000],
        ]),
      ),
    );
    expect(turned).toEqual([]);
    await hasNothingLeft();
  });

  test('MD-6 who is not among the loudest is not sent to the audience, but to the stage; a switch asks once for each router', async () => {
    await start(3, { gateHoldMs: 200 });
    const [ann, ben, cat] = [await speaker(440), await speaker(700), await speaker(1000)];
    for (const { peer } of [ann, ben, cat]) peer.setVolume(0);
    const crowd = await listeners(6);
    const hearsOnly = (...voices: readonly (readonly [Person, number])[]) =>
      Promise.all(crowd.map((listener) => listener.hearsExactly(voices)));
    ann.peer.setVolume(0.5);
    ben.peer.setVolume(0.5);
    await hearsOnly([ann, 440], [ben, 700]);
    const { audienceRouters } = rig.plane.figures();
    expect(audienceRouters).toBeGreaterThan(1);
    const turned: string[] = [];
    for (const { observer, type } of rig.consumers()) {
      observer.on('pause', () => turned.push(type));
      observer.on('resume', () => turned.push(type));
    }
    const before = rig.plane.figures().gateSwitches;
    // Cat is as loud as they are, and has to wait for one of them to stop.
    cat.peer.setVolume(0.5);
    await ann.hearsExactly([
      [ben, 700],
      [cat, 1000],
    ]);
    ben.peer.setVolume(0);
    await hearsOnly([ann, 440], [cat, 1000]);
    await ben.hearsExactly([
      [ann, 440],
      [cat, 1000],
    ]);
    // At least one of them in and one out, at each router; nothing is asked for, nor told, for anybody who listens.
    const switches = rig.plane.figures().gateSwitches - before;
    expect(switches).toBeGreaterThanOrEqual(2 * audienceRouters);
    expect(switches % audienceRouters).toBe(0);
    expect(turned).toEqual(Array.from({ length: switches }, () => 'pipe'));
    await hasNothingLeft();
  });

  test('MD-6 MO-1 who is unmuted has to wait for a place like everybody else', async () => {
    await start(2);
    const [ann, ben] = [await speaker(440), await speaker(700)];
    const cat = room.enter({ speaker: true });
    await cat.speak(1000, { muted: true });
    const crowd = await listeners(4);
    const hearsBoth = () =>
      Promise.all(
        crowd.map((listener) =>
          listener.hearsExactly([
            [ann, 440],
            [ben, 700],
          ]),
        ),
      );
    await hearsBoth();
    const [{ gateSwitches }, { audienceRouters }] = [rig.plane.figures(), rig.plane.figures()];
    await cat.setMuted(false);
    await ann.hearsExactly([
      [ben, 700],
      [cat, 1000],
    ]);
    await hearsBoth();
    const heldBack = rig.relayConsumers().filter(({ paused, producerPaused }) => paused && !producerPaused);
    expect(heldBack.map(({ producerId }) => producerId)).toEqual(
      Array.from({ length: audienceRouters }, () => room.microphones.get(cat.userId)?.producerId),
    );
    // Nor is anything asked for where it is muted, or unmuted while there are places enough.
    expect(rig.plane.figures().gateSwitches - gateSwitches).toBe(audienceRouters);
    await ann.leave();
    await Promise.all(
      crowd.map((listener) =>
        listener.hearsExactly([
          [ben, 700],
          [cat, 1000],
        ]),
      ),
    );
    await cat.setMuted(true);
    await Promise.all(crowd.map((listener) => listener.hearsExactly([[ben, 700]])));
    const before = rig.plane.figures().gateSwitches;
    await cat.setMuted(false);
    await Promise.all(
      crowd.map((listener) =>
        listener.hearsExactly([
          [ben, 700],
          [cat, 1000],
        ]),
      ),
    );
    expect(rig.plane.figures().gateSwitches).toBe(before);
    await hasNothingLeft();
  });

  test('MD-6 MO-1 who is unmuted and speaks at once is heard from the first syllable, where those who have the places are silent', async () => {
    await start(2);
    const [ann, ben] = [await speaker(440), await speaker(700)];
    for (const { peer } of [ann, ben]) peer.setVolume(0);
    const cat = room.enter({ speaker: true });
    const producerId = await cat.speak(1000, { muted: true });
    const crowd = await listeners(4);
    // As long as anybody has said nothing in a room.
    await pause(1500);
    const came = await rig.packetsOf(producerId);
    const relayed = rig.relayConsumers().filter((consumer) => consumer.producerId === producerId);
    expect(relayed).toHaveLength(rig.plane.figures().audienceRouters);
    const went = await Promise.all(relayed.map(({ id }) => rig.packetsOf(id)));
    await cat.setMuted(false);
    await until('the audience is sent it', () => went.every(({ size }) => size > 10));
    // In samples, of which there are 48 in a millisecond: by what was sent, not by when.
    const first = Math.min(...came);
    for (const packets of went) expect((Math.min(...packets) - first) / 48).toBeLessThanOrEqual(150);
    await Promise.all(crowd.map((listener) => listener.hearsExactly([[cat, 1000]])));
    await hasNothingLeft();
  });

  test('MD-2 a room that was small in between tells those who are at the stage once more when it is split again', async () => {
    await start(2, { audienceIdleMs: 50 });
    const ann = await speaker(440);
    const [dan] = (await listeners(1)) as [Person];
    dan.obeys = false;
    for (let round = 1; round <= 2; round += 1) {
      await dan.listen();
      await dan.hearsExactly([[ann, 440]]);
      const crowd = await listeners(3);
      expect(rig.told.relisten.filter(([{ userId }]) => userId === dan.userId)).toHaveLength(round);
      for (const listener of crowd) await listener.leave();
      await until('it is small again', () => rig.plane.figures().audienceRouters === 0);
    }
    await hasNothingLeft();
  });

  test('MD-2 people on the stage hear each other at one router, however few voices the gate lets through', async () => {
    await start(2, { directListeners: 0, gateVoices: 1 });
    const [ann, ben] = [await speaker(440), await speaker(1000)];
    await ann.hearsExactly([[ben, 1000]]);
    await ben.hearsExactly([[ann, 440]]);
    expect([rig.openRouters().length, rig.relays().length, rig.told.relisten.length]).toEqual([1, 0, 0]);
    await hasNothingLeft();
  });

  test('MD-2 RE-5 where no port is free for the way to an audience it is tried until one is', async () => {
    const port = await freePort(2);
    // Each end takes one of two, and another program has the second.
    const taken = createSocket('udp4').bind(port + 1, '127.0.0.1');
    await once(taken, 'listening');
    rig = await Rig.start({
      workers: 2,
      limits: { ...small, directListeners: 0 },
      relayPorts: { min: port, max: port + 1 },
    });
    room = rig.room();
    const ann = await speaker(440);
    const [ben] = (await listeners(1)) as [Person];
    expect([rig.relays().length, ben.peer.hears().size]).toEqual([0, 0]);
    taken.close();
    await ben.hearsExactly([[ann, 440]]);
    expect(rig.relays().length).toBe(2);
    await hasNothingLeft();
  });

  test('MD-3 nobody more is taken than every worker together has room for, and who is inside may always listen anew', async () => {
    // A listener is taken to cost two microphones of 50 packets a second; so is what feeds a router for the audience.
    await start(2, { directListeners: 0, packetsPerWorker: 600 });
    const ann = await speaker(440);
    const crowd = Array.from({ length: 20 }, () => room.enter());
    const answers: string[] = [];
    for (const { seat } of crowd) {
      const admitted = codeOf(rig.plane.admit(seat));
      const listened = codeOf(await rig.listen(seat));
      expect(listened).toBe(admitted);
      answers.push(listened);
    }
    const full = answers.indexOf('node_full');
    expect(full).toBeGreaterThanOrEqual(6);
    expect(new Set(answers.slice(full))).toEqual(new Set(['node_full']));
    for (const { reserved, capacity } of rig.plane.load()) expect(reserved).toBeLessThanOrEqual(capacity);
    expect(rig.plane.figures().refusedFull).toBe(2 * (20 - full));
    const [first] = crowd as [Person];
    expect(codeOf(rig.plane.admit(first.seat))).toBe('ok');
    expect(codeOf(await rig.listen(first.seat))).toBe('ok');
    // Also from another device, while the one before still has its own.
    const moved = { ...first.seat, sessionId: newId() };
    expect(codeOf(rig.plane.admit(moved))).toBe('ok');
    expect(codeOf(await rig.listen(moved))).toBe('ok');
    // The stage is never full, nor is it for whoever gets there.
    const last = crowd.at(-1) as Person;
    await promote(last);
    expect(codeOf(rig.plane.admit(last.seat))).toBe('ok');
    expect(codeOf(await rig.listen(last.seat))).toBe('ok');
    expect(codeOf(await rig.plane.publish(last.seat))).toBe('ok');
    const elsewhere = rig.room().enter();
    expect(codeOf(rig.plane.admit(elsewhere.seat))).toBe('node_full');
    expect(codeOf(await rig.listen(elsewhere.seat))).toBe('node_full');
    rig.plane.release(room.roomId, first.userId);
    expect(codeOf(rig.plane.admit(elsewhere.seat))).toBe('ok');
    await ann.leave();
    rig.plane.closeRoom(room.roomId);
  });

  const isOfStage = (producerId: string): boolean =>
    rig.producers().some((producer) => producer.id === producerId && !rig.relayedProducers().includes(producer));

  const isServedByStage = (person: Person): boolean =>
    rig.consumers().some((consumer) => person.peer.consumerIds.includes(consumer.id) && isOfStage(consumer.producerId));

  const transportsOf = async ({ seat }: Person): Promise<number> => {
    const synced = await rig.plane.sync(seat, { transportIds: rig.transportIds(), consumerIds: [] });
    return valueFrom(synced).transportIds.length;
  };
});
