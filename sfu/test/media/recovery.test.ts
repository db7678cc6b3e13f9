import type { Limits } from '@rostrum/shared/limits.ts';
import { afterEach, describe, expect, test } from 'vitest';
import { type Person, Rig, type TestRoom, until, valueFrom, withoutGap } from './harness.ts';

/** Nobody of the audience is at the router of the stage. */
const split: Partial<Limits> = { directListeners: 0, audienceIdleMs: 300 };

describe('a worker that dies under a large room', () => {
  let rig: Rig;
  let room: TestRoom;
  let ann: Person;
  let crowd: Person[];
  afterEach(() => rig.close());

  /** Ann speaks, and six listen at routers of their own. Whoever is told that media was lost comes back by themselves. */
  const start = async (workers: number, limits: Partial<Limits> = {}): Promise<void> => {
    rig = await Rig.start({ workers, limits: { ...split, ...limits } });
    room = rig.room();
    room.lost = ({ seats, microphones }) => {
      if (microphones) room.microphones.clear();
      void room.reconcile();
      for (const { seat, ...lostOf } of seats) void room.person(seat)?.comeBack(lostOf, 440);
    };
    ann = room.enter({ speaker: true });
    await ann.listen();
    await ann.speak(440);
    crowd = Array.from({ length: 6 }, () => room.enter());
    for (const person of crowd) await person.listen();
    await everybodyHears();
  };

  const everybodyHears = () => Promise.all(crowd.map((listener) => listener.hearsExactly([[ann, 440]])));

  const stagePid = (): number => {
    const [stage] = rig.producers().filter((producer) => !rig.relayedProducers().includes(producer));
    return rig.workerOf(stage) ?? 0;
  };

  /** The worker of some of the audience, and not of the stage. */
  const audienceWorker = (): number => {
    const served = crowd.map((listener) => rig.servedBy(listener)).filter((pid) => pid !== stagePid());
    return served[0] ?? 0;
  };

  const haveLeft = (pid: number, people: readonly Person[]) =>
    until('they are served elsewhere', () => people.every((person) => rig.servedBy(person) !== pid));

  const kill = async (pid: number): Promise<void> => {
    process.kill(pid, 'SIGKILL');
    await until('the loss is told', () => rig.told.mediaLost.length === 1);
  };

  const hasNothingLeft = async () => {
    for (const person of room.people) await person.leave();
    await until('every worker is empty', async () => (await rig.inWorkers()).routers === 0);
    expect(rig.plane.figures().audienceRouters).toBe(0);
    await until('nothing is open', () => rig.openHere() === 0, 1000);
  };

  test('MD-8 of an audience: its listeners are back by themselves, and for everybody else nothing happens', async () => {
    await start(3);
    const victim = audienceWorker();
    const others = crowd.filter((listener) => rig.servedBy(listener) !== victim);
    const hit = crowd.filter((listener) => rig.servedBy(listener) === victim);
    expect([hit.length > 0, others.length > 0]).toEqual([true, true]);
    const before = [...others, ann].map(({ peer }) => [peer.receivingId, peer.sendingId]);
    const { received } = await (others[0] as Person).peer.lossOf();
    await withoutGap(others, ann, async () => {
      await kill(victim);
      await haveLeft(victim, hit);
      await everybodyHears();
    });
    expect([...others, ann].map(({ peer }) => [peer.receivingId, peer.sendingId])).toEqual(before);
    expect(await (others[0] as Person).peer.lossOf()).toMatchObject({ lost: 0 });
    expect((await (others[0] as Person).peer.lossOf()).received).toBeGreaterThan(received);
    const [[roomId, lost]] = rig.told.mediaLost as [(typeof rig.told.mediaLost)[number]];
    expect([roomId, lost.microphones, lost.withinMs]).toEqual([room.roomId, false, hit.length]);
    expect(lost.seats).toEqual(
      expect.arrayContaining(hit.map(({ seat }) => ({ seat, receiving: true, sending: false }))),
    );
    expect(lost.seats).toHaveLength(hit.length);
    expect(rig.told.unpublished).toEqual([]);
    await hasNothingLeft();
  });

  test('MD-8 of the stage: the audience elsewhere keeps its transports, and hears as soon as the speaker is back', async () => {
    await start(3);
    const stage = stagePid();
    const elsewhere = crowd.filter((listener) => rig.servedBy(listener) !== stage);
    expect(elsewhere.length).toBeGreaterThan(0);
    const before = elsewhere.map(({ peer }) => peer.receivingId);
    await kill(stage);
    await until('it is silent', () => elsewhere.every(({ peer }) => peer.hears().size === 0));
    await everybodyHears();
    expect(elsewhere.map(({ peer }) => peer.receivingId)).toEqual(before);
    const [[, lost]] = rig.told.mediaLost as [(typeof rig.told.mediaLost)[number]];
    expect(lost.microphones).toBe(true);
    expect(lost.seats).toContainEqual({ seat: ann.seat, receiving: true, sending: true });
    expect(lost.seats.map(({ seat }) => seat)).not.toContainEqual(elsewhere[0]?.seat);
    expect(rig.plane.figures()).toMatchObject({ workerDeaths: 1, seatsLost: lost.seats.length });
    await hasNothingLeft();
  });

  test('MD-8 of everything: all are told once, and are back on the worker that comes in its place', async () => {
    await start(1);
    const dead = stagePid();
    await kill(dead);
    await haveLeft(dead, crowd);
    await everybodyHears();
    const [[, lost]] = rig.told.mediaLost as [(typeof rig.told.mediaLost)[number]];
    expect(lost.seats).toHaveLength(7);
    expect(lost.seats.filter(({ sending }) => sending).map(({ seat }) => seat)).toEqual([ann.seat]);
    expect(lost.seats.every(({ receiving }) => receiving)).toBe(true);
    await hasNothingLeft();
  });

  test('MD-8 one worker after the other, again and again: everybody hears in the end, and nothing is left over', async () => {
    await start(2);
    for (let death = 1; death <= 4; death += 1) {
      await until('every worker runs', () => rig.plane.load().length === 2);
      const [first, second] = rig.plane.load();
      const dead = (death % 2 === 0 ? second : first)?.pid ?? 0;
      process.kill(dead, 'SIGKILL');
      await until('it is noticed', () => rig.plane.figures().workerDeaths === death);
      await haveLeft(dead, crowd);
      await everybodyHears();
      expect(rig.told.mediaLost).toHaveLength(death);
    }
    await hasNothingLeft();
  });

  test('MD-8 that of the stage and one of an audience at once: everybody is told, and hears', async () => {
    await start(3);
    const dead = [stagePid(), audienceWorker()];
    for (const pid of dead) process.kill(pid, 'SIGKILL');
    await until('both are noticed', () => rig.plane.figures().workerDeaths === 2);
    await until('they are served elsewhere', () => crowd.every((person) => !dead.includes(rig.servedBy(person) ?? 0)));
    await everybodyHears();
    // The stage may have gone to the one that died next; nobody is told of more than what they had by then.
    expect(rig.told.mediaLost.length).toBeLessThanOrEqual(2);
    await hasNothingLeft();
  });

  test('RO-3 MD-8 who is on the way to a router that dies hears on where they were, and then from another', async () => {
    await start(3);
    const dan = room.enter();
    dan.obeys = false;
    room.stage.set(dan.userId, { sessionId: dan.seat.sessionId });
    await dan.listen();
    await dan.hearsExactly([[ann, 440]]);
    await withoutGap([dan], ann, async () => {
      await dan.leaveStage();
      // Somewhere in the audience, and it has not connected yet.
      const { transport } = valueFrom(await rig.listen(dan.seat));
      const victim = rig.workerOfTransport(transport.transportId) ?? 0;
      expect(victim).not.toBe(stagePid());
      await kill(victim);
      expect(rig.told.mediaLost[0]?.[1].seats).toContainEqual({ seat: dan.seat, receiving: true, sending: false });
      const before = dan.peer.receivingId;
      await until('dan is served elsewhere', () => dan.peer.receivingId !== before);
      await dan.hearsExactly([[ann, 440]]);
    });
    await hasNothingLeft();
  });

  test('MD-8 RE-5 a worker of an audience that is stopped is found, and nobody else waits for it', async () => {
    // Looked at every three seconds: long enough for what must not wait until then.
    await start(3, { workerAnswerMs: 15_000 });
    const victim = audienceWorker();
    const others = crowd.filter((listener) => rig.servedBy(listener) !== victim);
    const hit = crowd.filter((listener) => rig.servedBy(listener) === victim);
    process.kill(victim, 'SIGSTOP');
    await withoutGap(others, ann, async () => {
      // What changes on the stage does not wait for the audience that does not answer.
      const ben = room.enter({ speaker: true });
      await ben.speak(1000);
      await Promise.all(
        others.map((listener) =>
          listener.hearsExactly([
            [ann, 440],
            [ben, 1000],
          ]),
        ),
      );
      expect(rig.told.mediaLost).toEqual([]);
      await ben.leave();
      await until('the loss is told', () => rig.told.mediaLost.length === 1, 20_000);
      await haveLeft(victim, hit);
      await everybodyHears();
    });
    expect(rig.plane.figures()).toMatchObject({ workerDeaths: 1, workersKilled: 1 });
    await hasNothingLeft();
  });
});
