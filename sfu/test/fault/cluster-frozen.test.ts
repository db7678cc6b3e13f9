import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { pause, until } from '../media/harness.ts';
import { bringOnStage, ClusterPerson, everybodyLeaves, openRoom } from '../support/cluster-person.ts';
import { contentsOf, runsIn } from '../support/cluster-redis.ts';
import { type Cluster, startCluster, stopClusters } from '../support/nodes.ts';

describe('a node that stands still', { timeout: 150_000 }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    // People notice a silent node within 3 s instead of 14.
    cluster = await startCluster({ env: { LIMIT_PING_INTERVAL_MS: '1000', LIMIT_PING_TIMEOUT_MS: '2000' } });
  }, 90_000);
  afterEach(everybodyLeaves);
  afterAll(stopClusters);

  it('RE-3 kill -STOP: its people are well elsewhere, and when it goes on it begins anew and harms nobody', async () => {
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
    const ben = await enter('Ben', 1);
    const cem = await enter('Cem', 2);
    const hearBoth = () =>
      until(
        'both are heard',
        () => [ben, cem].every((person) => person.hearsVoice(host.userId, 440) && person.hearsVoice(sam.userId, 660)),
        30_000,
      );
    await hearBoth();
    const { url } = cluster.redis ?? { url: '' };
    const runs = async (): Promise<Set<string>> => runsIn(await contentsOf(url, cluster.prefix), 'node-1');
    const [before] = await runs();
    expect(before).toBeDefined();
    const node = cluster.node(1);
    const { pid } = node;

    cem.voices.watch();
    const since = performance.now();
    node.freeze();
    await until('its people are back elsewhere', () => [sam, ben].every(({ backAt }) => backAt > since), 30_000);
    expect([sam.role, ben.role]).toEqual(['speaker', 'listener']);
    await hearBoth();
    expect(cem.voices.silenceOf(host.userId)).toBeLessThan(1000);
    // What it was is given up before it goes on.
    await until(
      'it was swept',
      async () => performance.now() - since > 7000 && (await heldBy(url, before ?? '')) === 0,
      30_000,
    );

    for (const person of [host, cem, ben, sam]) person.socket.forget();
    node.thaw();
    await until(
      'it began anew',
      async () => {
        const now = await runs();
        return (await node.readiness()).ready && now.size > 0 && !now.has(before ?? '');
      },
      30_000,
    );
    expect(node.pid).toBe(pid);
    expect(node.exited).toBeUndefined();
    await pause(3000);
    for (const person of [host, cem, ben, sam]) {
      expect(person.outBecause, person.name).toBeUndefined();
      expect(person.socket.all('room:participant-left'), person.name).toEqual([]);
    }
    const { state } = await host.socket.do('room:sync', { roomId });
    expect(state.stage.map(({ userId, away }) => ({ userId, away }))).toEqual([
      { userId: host.userId, away: false },
      { userId: sam.userId, away: false },
    ]);
    await hearBoth();
    // It takes people again.
    const late = await enter('Late', 1);
    await until(
      'a newcomer of that node hears both',
      () => late.hearsVoice(host.userId, 440) && late.hearsVoice(sam.userId, 660),
      30_000,
    );
  });

  /** How many keys but the register of nodes name this run. */
  const heldBy = async (url: string, run: string): Promise<number> =>
    [...(await contentsOf(url, cluster.prefix))].filter(([key, value]) => /room/.test(key) && value.includes(run))
      .length;
});
