import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../media/harness.ts';
import { bringOnStage, ClusterPerson, everybodyLeaves, openRoom } from '../support/cluster-person.ts';
import { type Cluster, startCluster, stopClusters } from '../support/nodes.ts';

describe('one node by itself', { timeout: 60_000 }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster({ nodes: 1 });
  }, 60_000);
  afterEach(everybodyLeaves);
  afterAll(stopClusters);

  it('OP-4 RE-2 serves a room without Redis, and who loses the connection goes on hearing and comes back', async () => {
    const host = await ClusterPerson.arrive(cluster, 'Hanna');
    const roomId = await openRoom(host);
    await host.speak(440);
    const sam = await ClusterPerson.arrive(cluster, 'Sam');
    await sam.enter(roomId);
    await bringOnStage(host, sam);
    await sam.speak(880);
    const ana = await ClusterPerson.arrive(cluster, 'Ana');
    await ana.enter(roomId);
    const crowd = await Promise.all(
      Array.from({ length: 5 }, async (_, index) => {
        const listener = await ClusterPerson.arrive(cluster, `Listener ${index}`, { deaf: true });
        await listener.enter(roomId);
        return listener;
      }),
    );
    await until('Ana hears both', () => ana.hearsVoice(host.userId, 440) && ana.hearsVoice(sam.userId, 880));
    await until('the host hears Sam', () => host.hearsVoice(sam.userId, 880));
    await until('it is told who speaks', () => [host, sam].every(({ userId }) => ana.speaking.includes(userId)));

    ana.voices.watch();
    const since = performance.now();
    for (const person of [ana, sam, ...crowd]) person.socket.breakOff();
    await until('everybody is back', () => [ana, sam, ...crowd].every(({ backAt }) => backAt > since), 15_000);
    expect([ana.role, sam.role]).toEqual(['listener', 'speaker']);
    // RE-2: what flows is not interrupted by the loss of the socket.
    expect(ana.voices.silenceOf(host.userId)).toBeLessThan(1000);
    expect(ana.voices.silenceOf(sam.userId)).toBeLessThan(1000);
    await until('all see the same', () =>
      [sam, ana, ...crowd].every(({ view }) => JSON.stringify(view.stage) === JSON.stringify(host.view.stage)),
    );
    const before = await Promise.all(crowd.map((listener) => listener.packets()));
    await until('packets go on arriving', async () =>
      (await Promise.all(crowd.map((listener) => listener.packets()))).every(
        (packets, index) => packets > (before[index] ?? 0) + 20,
      ),
    );
    // The measure itself: a silence is seen, and as long as it was.
    sam.setVolume(0);
    await until('Sam is silent', () => (ana.voices.silenceOf(sam.userId) ?? 0) > 1000);
    sam.setVolume(0.5);
    await until('Sam is heard again', () => ana.hearsVoice(sam.userId, 880));
    expect(ana.voices.silenceOf(sam.userId)).toBeGreaterThan(1000);

    await host.socket.do('room:kick', { roomId, userId: ana.userId });
    await until('Ana is out', () => ana.outBecause === 'kicked');
    expect(await ana.socket.codeOf('room:join', { roomId })).toBe('kicked');
    await until(
      'no consumer of Ana is left',
      async () => (await cluster.node(0).metric('rostrum_worker_consumers')) === 12,
    );
    expect(sam.failures).toEqual([]);
  });

  it('OP-4 comes back after kill -9, and people find it again', async () => {
    const host = await ClusterPerson.arrive(cluster, 'Hanna');
    await openRoom(host);
    const node = cluster.node(0);
    await node.kill();
    await node.start();
    await until('the host is connected again', () => host.socket.isOnline, 20_000);
    // Live state went with the process.
    await until('the room is over', () => host.outBecause === 'room_ended', 20_000);
    expect(await node.stop()).toEqual({ code: 0, signal: null });
    await node.start();
  });
});
