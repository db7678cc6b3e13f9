import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../media/harness.ts';
import { bringOnStage, ClusterPerson, everybodyLeaves, openRoom } from '../support/cluster-person.ts';
import { type Cluster, type Exit, type ServerNode, startCluster, stopClusters } from '../support/nodes.ts';

/** People go within seconds; a node that waits for its limit of 60 s has not seen them leave. In milliseconds. */
const leaveMs = 40_000;

describe('a rolling restart', { timeout: 200_000 }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster();
  }, 90_000);
  afterEach(everybodyLeaves);
  afterAll(stopClusters);

  it('OP-2 of all three nodes drops nobody from the room, and nobody who listens notices', async () => {
    const host = await ClusterPerson.arrive(cluster, 'Hanna', { at: 0 });
    const roomId = await openRoom(host);
    await host.speak(440);
    const enter = async (name: string, at: number, deaf = false): Promise<ClusterPerson> => {
      const person = await ClusterPerson.arrive(cluster, name, { at, deaf });
      await person.enter(roomId);
      return person;
    };
    const sam = await enter('Sam', 1);
    await bringOnStage(host, sam);
    await sam.speak(660);
    const listeners = [await enter('Ana', 0), await enter('Ben', 1), await enter('Cem', 2)];
    const crowd = await Promise.all(
      Array.from({ length: 9 }, (_, index) => enter(`Listener ${index}`, index % 3, true)),
    );
    const everybody = [host, sam, ...listeners, ...crowd];
    const hearBoth = () =>
      until(
        'both are heard',
        () => listeners.every((person) => person.hearsVoice(host.userId, 440) && person.hearsVoice(sam.userId, 660)),
        30_000,
      );
    await hearBoth();
    const roles = new Map(everybody.map((person) => [person, person.role]));
    for (const person of everybody) person.socket.forget();

    const restart = async (node: ServerNode, stop: () => Promise<Exit>): Promise<void> => {
      const stays = [host, sam].filter(({ socket }) => socket.node !== node);
      const moving = everybody.filter(({ socket }) => socket.node === node);
      for (const person of listeners) person.voices.watch();
      const since = performance.now();
      const exit = stop();
      await until(`${node.name} is not ready`, async () => !(await node.readiness()).ready);
      await until(
        `everybody has moved away from ${node.name}`,
        () => moving.every(({ backAt, socket }) => backAt > since && socket.node !== node && socket.isOnline),
        leaveMs,
      );
      expect(await exit).toEqual({ code: 0, signal: null });
      expect(performance.now() - since).toBeLessThan(leaveMs);
      // The voices of those who stayed never stopped, for those who moved least of all.
      for (const speaker of stays)
        for (const person of listeners)
          expect(person.voices.silenceOf(speaker.userId), `${person.name} hears ${speaker.name}`).toBeLessThan(1000);
      await hearBoth();
      await node.start();
    };
    await restart(cluster.node(0), () => cluster.node(0).stop());
    await restart(cluster.node(1), () => cluster.node(1).stop());
    // As a terminal or a process manager does it: to all processes of the group, the workers too.
    await restart(cluster.node(2), () => cluster.node(2).stopGroup());

    for (const person of everybody) {
      expect(person.outBecause, person.name).toBeUndefined();
      expect(person.role, person.name).toBe(roles.get(person));
      expect(person.socket.all('room:participant-left'), person.name).toEqual([]);
      expect(person.socket.all('room:role-changed'), person.name).toEqual([]);
    }
    const { state } = await host.socket.do('room:sync', { roomId });
    expect([...state.stage, ...(state.audience.members ?? [])].map(({ userId }) => userId).toSorted()).toEqual(
      everybody.map(({ userId }) => userId).toSorted(),
    );
    for (const node of cluster.nodes) expect(node.log()).not.toMatch(/"level":60/);
  });
});
