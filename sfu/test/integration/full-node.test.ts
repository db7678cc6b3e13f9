import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pause, until } from '../media/harness.ts';
import { ClusterPerson, everybodyLeaves, openRoom } from '../support/cluster-person.ts';
import { type Cluster, startCluster, stopClusters } from '../support/nodes.ts';
import { guest } from '../support/server.ts';

/** Room for a handful at each of two nodes, however small the cost of a packet turns out to be. */
const small = { LIMIT_PACKETS_PER_WORKER: '200', LIMIT_GATE_VOICES: '1', LIMIT_DIRECT_LISTENERS: '1000' };
/** More than both nodes have room for together. */
const crowd = 40;

let cluster: Cluster;

beforeEach(async () => {
  cluster = await startCluster({ nodes: 2, env: small });
  // Until each has heard of the other, which it does within a second.
  await pause(2000);
}, 60_000);
afterEach(async () => {
  everybodyLeaves();
  await stopClusters();
});

/** Somebody who comes to the first node and wants to hear the room; what became of that. */
const come = async (roomId: string, name: string) => {
  const person = await ClusterPerson.arrive(cluster, name, { at: 0 });
  const code = await person.enter(roomId).then(
    () => 'ok',
    (error: { code?: string }) => error.code,
  );
  return { person, code, node: person.socket.node.name };
};

describe('a cluster of which one node is full', () => {
  it('MD-3 brings people to the other one, where they hear the room, and says so at once when that is full too', async () => {
    const host = await ClusterPerson.arrive(cluster, 'Hanna', { at: 0 });
    const roomId = await openRoom(host);
    await host.speak(440);
    const inside: ClusterPerson[] = [];
    const nodes = new Set<string>();
    const refused = await (async () => {
      for (let index = 0; index < crowd; index += 1) {
        const { person, code, node } = await come(roomId, `Guest ${index}`);
        if (code !== 'ok') return { person, code };
        inside.push(person);
        nodes.add(node);
      }
      throw new Error('everybody got in');
    })();
    expect([...nodes].sort()).toEqual(['node-0', 'node-1']);
    expect(refused.code).toBe('node_full');
    for (const person of inside)
      await until(`${person.name} hears the host`, () => person.hearsVoice(host.userId, 440), 20_000);
    // Nobody has a seat but those who are inside.
    const { count } = (await host.socket.do('room:sync', { roomId })).state.audience;
    expect(count).toBe(inside.length);
  }, 120_000);

  it('MD-3 turns new sockets away while another node has room, and takes them when none has', async () => {
    const host = await ClusterPerson.arrive(cluster, 'Hanna', { at: 0, still: true });
    const roomId = await openRoom(host);
    const early = await ClusterPerson.arrive(cluster, 'Early', { at: 0 });
    const first = await come(roomId, 'First');
    let last = first;
    for (let index = 0; last.node === first.node && index < crowd; index += 1)
      last = await come(roomId, `Guest ${index}`);
    expect(last).toMatchObject({ code: 'ok', node: 'node-1' });
    // Whoever was at the full node before is told to go, and comes to the other one under the same session.
    const { sessionId } = early.socket;
    await early.enter(roomId);
    expect(early.socket.all('session:closing')).toEqual([{ code: 'moving' }]);
    expect([early.socket.node.name, early.socket.sessionId]).toEqual(['node-1', sessionId]);
    const next = await ClusterPerson.arrive(cluster, 'Next', { at: 0, still: true });
    expect(next.socket.node.name).toBe('node-1');
    // The one that takes nobody is asked by nobody but those who are there.
    expect(first.person.socket.isOnline).toBe(true);
    for (let index = 0; last.code === 'ok' && index < crowd; index += 1) last = await come(roomId, `More ${index}`);
    expect(last.code).toBe('node_full');
    const person = await guest(cluster.node(0).server, 'Late');
    await until('sockets are taken again where nobody has room', async () => {
      const late = await ClusterPerson.arrive(cluster, 'Late', { at: 0, still: true, person });
      const { name } = late.socket.node;
      late.close();
      return name === 'node-0';
    });
  }, 120_000);

  it('RE-2 MD-3 a seat at a full node is kept, and whoever comes back to it listens again', async () => {
    const host = await ClusterPerson.arrive(cluster, 'Hanna', { at: 0 });
    const roomId = await openRoom(host);
    await host.speak(440);
    const first = await come(roomId, 'First');
    let last = first;
    for (let index = 0; last.node === first.node && index < crowd; index += 1)
      last = await come(roomId, `Guest ${index}`);
    await until('the host is heard', () => first.person.hearsVoice(host.userId, 440));
    first.person.socket.breakOff();
    await until('they are away', () => !first.person.socket.isOnline);
    const since = performance.now();
    await until('they are back', () => first.person.backAt > since, 20_000);
    await until('the host is heard again', () => first.person.hearsVoice(host.userId, 440), 20_000);
    expect(first.person.outBecause).toBeUndefined();
  }, 120_000);
});
