import type { EventName } from '@rostrum/shared/protocol/index.ts';
import { afterEach, describe, expect, it } from 'vitest';
import { pause, until } from '../media/harness.ts';
import { bringOnStage, ClusterPerson, everybodyLeaves, openRoom } from '../support/cluster-person.ts';
import { hearEachOther, isAlive, WorkerServer } from '../support/worker-server.ts';

/** Commands of one person that a test has in a second, and nobody else. */
const generous = { LIMIT_JOINS_PER_MINUTE: '1000', LIMIT_COMMAND_BURST: '1000' };
/** No listener is at the router of the stage: a small room as a large one. */
const large = { ...generous, LIMIT_DIRECT_LISTENERS: '0' };

/** What says to a person that their media is not what it was. */
const disturbing: readonly EventName[] = ['media:lost', 'media:relisten', 'media:unpublished'];

describe('a media worker that dies under a room', { timeout: 120_000 }, () => {
  let server: WorkerServer;
  afterEach(async () => {
    everybodyLeaves();
    await server.close();
  });

  const arrive = (name: string) => ClusterPerson.arrive(server.cluster, name);

  const enter = async (name: string, roomId: string): Promise<ClusterPerson> => {
    const person = await arrive(name);
    await person.enter(roomId);
    return person;
  };

  /** A room with two who speak and some who listen, all of whom hear both. */
  const conversation = async (listeners: number) => {
    const workers = [...(await server.pids()).keys()];
    const before = await Promise.all(workers.map((index) => server.ofWorker('rostrum_worker_producers', index)));
    const host = await arrive('Hanna');
    const roomId = await openRoom(host);
    await host.speak(440);
    const producers = await Promise.all(workers.map((index) => server.ofWorker('rostrum_worker_producers', index)));
    /** The worker to which microphones of this room come. */
    const stage = producers.findIndex((count, index) => count > (before[index] ?? 0));
    const sam = await enter('Sam', roomId);
    await bringOnStage(host, sam);
    await sam.speak(880);
    const audience: ClusterPerson[] = [];
    for (let index = 0; index < listeners; index += 1) audience.push(await enter(`Listener ${index}`, roomId));
    const all = [host, sam, ...audience];
    const voices = [
      [host, 440],
      [sam, 880],
    ] as const;
    const hears = (people: readonly ClusterPerson[] = all) => hearEachOther(people, voices);
    await hears();
    return { roomId, stage, host, sam, audience, all, hears };
  };

  /** Who is told from now on that their media is not what it was, and how often. */
  const watch = (people: readonly ClusterPerson[]): Map<ClusterPerson, EventName[]> => {
    const told = new Map(people.map((person) => [person, [] as EventName[]]));
    for (const person of people) {
      person.voices.watch();
      person.onEvent = (name) => {
        if (disturbing.includes(name)) told.get(person)?.push(name);
      };
    }
    return told;
  };

  const signal = async (index: number, name: NodeJS.Signals): Promise<number> => {
    const pid = await server.pid(index);
    process.kill(pid, name);
    return pid;
  };

  const isReady = () => until('the server is ready', async () => (await server.node.readiness()).ready, 30_000);

  it('MD-8 the only worker killed: everybody hears again in their seat, and nobody does anything', async () => {
    server = await WorkerServer.start(1, generous);
    const { host, sam, all, hears } = await conversation(4);
    const roles = all.map(({ role }) => role);
    const told = watch(all);
    const dead = await signal(0, 'SIGKILL');
    await until('all are told', () => all.every((person) => told.get(person)?.includes('media:lost')));
    await hears();
    expect(all.map(({ role }) => role)).toEqual(roles);
    expect(all.map(({ outBecause }) => outBecause)).toEqual(all.map(() => undefined));
    // Once each: who lost both ways is told of both at once.
    for (const names of told.values()) expect(names.filter((name) => name === 'media:lost')).toHaveLength(1);
    expect([isAlive(dead), await server.pid(0)]).not.toContain(dead);
    await isReady();
    expect(await server.node.metric('rostrum_worker_deaths_total')).toBe(1);
    expect(await server.node.metric('rostrum_media_seats_lost_total')).toBe(all.length);
    // The speakers' microphones are in the state anew, and it is told who speaks.
    await until('it is told who speaks', () =>
      all.every(({ speaking }) => [host, sam].every(({ userId }) => speaking.includes(userId))),
    );
  });

  it('MD-8 MO-1 who was muted stays muted, whatever dies', async () => {
    server = await WorkerServer.start(1, generous);
    const { roomId, host, sam, audience, all } = await conversation(2);
    await host.socket.do('room:mute', { roomId, userId: sam.userId, locked: true });
    await until('Sam is silent', () => audience.every((listener) => !listener.hearsVoice(sam.userId)));
    const told = watch(all);
    await signal(0, 'SIGKILL');
    await until('all are told', () => all.every((person) => told.get(person)?.includes('media:lost')));
    await hearEachOther([sam, ...audience], [[host, 440]]);
    // Long enough for Sam's microphone to be there again.
    await until('Sam sends again', async () => (await server.ofWorker('rostrum_worker_producers', 0)) === 2, 20_000);
    await pause(500);
    expect(audience.filter((listener) => listener.hearsVoice(sam.userId))).toEqual([]);
    await host.socket.do('room:mute-toggle', { roomId, muted: true });
    await until('nobody is heard', () => audience.every((listener) => listener.hears().size === 0));
  });

  it('MD-8 MD-2 a worker of the audience killed: those it served are back, and nothing happens to anybody else', async () => {
    server = await WorkerServer.start(2, large);
    const { stage, host, sam, all, hears } = await conversation(6);
    const told = watch(all);
    // One on each worker.
    expect(await server.node.metric('rostrum_audience_routers')).toBe(2);
    await signal(1 - stage, 'SIGKILL');
    await until('some are told', () => all.some((person) => told.get(person)?.includes('media:lost')));
    await hears();
    const hit = all.filter((person) => told.get(person)?.includes('media:lost'));
    const spared = all.filter((person) => !hit.includes(person));
    expect(spared).toEqual(expect.arrayContaining([host, sam]));
    expect(spared.length).toBeGreaterThan(2);
    expect(spared.map((person) => told.get(person))).toEqual(spared.map(() => []));
    // What flowed on was not interrupted, in whichever worker it was.
    for (const person of spared)
      for (const speaker of [host, sam])
        if (speaker !== person) expect(person.voices.silenceOf(speaker.userId), person.name).toBeLessThan(1000);
    await isReady();
  });

  it('MD-8 MD-2 the worker of the stage killed: everybody hears again, and who listens elsewhere keeps the connection', async () => {
    server = await WorkerServer.start(2, large);
    const { stage, host, sam, audience, all, hears } = await conversation(6);
    const told = watch(all);
    await signal(stage, 'SIGKILL');
    await until('the speakers are told', () => [host, sam].every((person) => told.get(person)?.includes('media:lost')));
    await hears();
    // Nobody tells them anything but which voices go and come: a client that is not told to keeps its connection.
    const elsewhere = audience.filter((listener) => told.get(listener)?.length === 0);
    expect(elsewhere.length).toBeGreaterThan(0);
    await isReady();
    await hears();
  });

  it('MD-8 RE-5 a worker that is stopped is killed, its port bound again, and its people are back', async () => {
    server = await WorkerServer.start(2, large);
    const { stage, all, hears } = await conversation(4);
    const told = watch(all);
    const stopped = await signal(stage, 'SIGSTOP');
    await until('it is killed', () => !isAlive(stopped), 20_000);
    await until('all who lost something are told', () =>
      all.some((person) => told.get(person)?.includes('media:lost')),
    );
    await hears();
    expect(await server.pid(stage)).not.toBe(stopped);
    await isReady();
    expect(server.node.log()).toContain('was stopped and is killed');
  });

  it('MD-8 a room on another worker hears nothing of it', async () => {
    server = await WorkerServer.start(2, generous);
    const one = await conversation(2);
    const other = await conversation(2);
    const told = watch([...one.all, ...other.all]);
    expect([one.stage, other.stage].toSorted()).toEqual([0, 1]);
    const before = await server.pid(other.stage);
    await signal(one.stage, 'SIGKILL');
    await until('all of the one are told', () => one.all.every((person) => told.get(person)?.includes('media:lost')));
    await one.hears();
    expect(other.all.map((person) => told.get(person))).toEqual(other.all.map(() => []));
    for (const person of other.all)
      for (const speaker of [other.host, other.sam])
        if (speaker !== person) expect(person.voices.silenceOf(speaker.userId), person.name).toBeLessThan(1000);
    expect(await server.pid(other.stage)).toBe(before);
  });
});
