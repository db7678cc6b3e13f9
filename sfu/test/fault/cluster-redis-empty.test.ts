import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../media/harness.ts';
import { Caller } from '../support/caller.ts';
import { bringOnStage, ClusterPerson, everybodyLeaves, openRoom } from '../support/cluster-person.ts';
import { contentsOf } from '../support/cluster-redis.ts';
import { type Cluster, startCluster, stopClusters, untilReady } from '../support/nodes.ts';

/** Until the nodes have written back what they hold: a few rounds of their heartbeats. In milliseconds. */
const patience = 30_000;

describe('Redis comes back empty', { timeout: 150_000 }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster();
  }, 90_000);
  afterEach(everybodyLeaves);
  afterAll(stopClusters);

  it('RE-4 MO-2 SF-4 a room, a call and a search go on; who was kicked, banned or blocked stays so', async () => {
    const { redis } = cluster;
    if (redis === undefined) throw new Error('there is no Redis');
    const host = await ClusterPerson.arrive(cluster, 'Hanna', { at: 0 });
    const roomId = await openRoom(host);
    await host.speak(440);
    const enter = async (name: string, at: number): Promise<ClusterPerson> => {
      const person = await ClusterPerson.arrive(cluster, name, { at });
      await person.enter(roomId);
      return person;
    };
    const sam = await enter('Sam', 1);
    await bringOnStage(host, sam);
    await sam.speak(660);
    const ana = await enter('Ana', 2);
    const ben = await enter('Ben', 1);
    await ben.socket.do('room:hand-raise', { roomId });
    const kicked = await enter('Kicked', 2);
    const banned = await enter('Banned', 1);
    await host.socket.do('room:kick', { roomId, userId: kicked.userId });
    await host.socket.do('room:ban', { roomId, userId: banned.userId });
    await until('both are out', () => [kicked, banned].every(({ outBecause }) => outBecause === 'kicked'));
    const caller = (name: string, at: number) => Caller.arrive(cluster.node(at).server, name);
    const [ann, bob, eve] = [await caller('Ann', 0), await caller('Bob', 2), await caller('Eve', 1)];
    await ann.search();
    await bob.search();
    const { sessionId } = await ann.match(bob);
    await bob.match(ann);
    for (const person of [ann, bob]) await person.connected(sessionId);
    await bob.socket.next('random:connected');
    await eve.search({ mode: 'video' });
    await until('both are heard', () => ana.hearsVoice(host.userId, 440) && ana.hearsVoice(sam.userId, 660), 20_000);

    ana.voices.watch();
    await redis.restart();
    await until(
      'the room takes commands again',
      async () => (await host.socket.codeOf('room:update', { roomId, changes: { title: 'Goes on' } })) === 'ok',
      patience,
    );
    await until(
      'everybody sees it',
      () => [sam, ana, ben].every(({ view }) => view.info.title === 'Goes on'),
      patience,
    );
    await untilReady(cluster);
    for (const speaker of [host, sam]) expect(ana.voices.silenceOf(speaker.userId)).toBeLessThan(1000);
    expect([sam.role, ana.role, ben.role]).toEqual(['speaker', 'listener', 'listener']);
    expect((await ben.socket.do('room:sync', { roomId })).state.self.handPosition).toBe(1);
    for (const person of [host, sam, ana, ben]) {
      const { state } = await person.socket.do('room:sync', { roomId });
      expect(state.stage.map(({ userId }) => userId).toSorted()).toEqual([host.userId, sam.userId].toSorted());
      expect(state.audience.members?.map(({ userId }) => userId).toSorted()).toEqual(
        [ana.userId, ben.userId].toSorted(),
      );
    }

    expect(await kicked.socket.codeOf('room:join', { roomId })).toBe('kicked');
    expect(await banned.socket.codeOf('room:join', { roomId })).toBe('banned');
    // New commands, across nodes.
    await host.socket.do('room:hand-accept', { roomId });
    await until('Ben is on the stage', () => ben.role === 'speaker', patience);
    await ben.speak(880);
    await until('Ana hears Ben', () => ana.hearsVoice(ben.userId, 880), patience);
    const late = await enter('Late', 0);
    await until('the newcomer hears all', () => late.hears().size === 3, patience);

    expect(await ann.state()).toMatchObject({ state: 'call', phase: 'connected' });
    await ann.socket.do('random:chat', { sessionId, text: 'still there?' });
    expect(await bob.socket.next('random:chat')).toMatchObject({ message: { text: 'still there?' } });
    expect(await eve.state()).toMatchObject({ state: 'queued' });
    const fay = await caller('Fay', 0);
    await fay.search({ mode: 'video' });
    await eve.match(fay);
    await bob.socket.do('random:end_call', { sessionId });
    await ann.socket.next('random:call_ended');
    for (const person of [ann, bob, eve, fay]) person.socket.close();
    expect((await contentsOf(redis.url, cluster.prefix)).size).toBeGreaterThan(0);
    for (const node of cluster.nodes) expect(node.exited).toBeUndefined();
  });
});
