import { afterEach, expect, it } from 'vitest';
import { startNginx } from '../../sfu/test/support/nginx.ts';
import { startCluster, stopClusters } from '../../sfu/test/support/nodes.ts';
import { Person } from './people.ts';
import { until } from './until.ts';
import { commandsOf } from './workers.ts';

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** Two nodes with room for a handful each, behind one address. */
const serve = async () => {
  const limits = { LIMIT_PACKETS_PER_WORKER: '200', LIMIT_GATE_VOICES: '1', LIMIT_DIRECT_LISTENERS: '1000' };
  cleanUps.push(stopClusters);
  const cluster = await startCluster({ nodes: 2, env: limits });
  const nginx = await startNginx(cluster.nodes.map(({ url }) => Number(new URL(url).port)));
  cleanUps.push(nginx.stop);
  // Until each has heard of the other, which it does within a second.
  await new Promise((resolve) => setTimeout(resolve, 2000));
  return { cluster, url: nginx.url };
};

const come = async (url: string, name: string, hertz: number): Promise<Person> => {
  const person = await Person.signIn(url, name, hertz);
  cleanUps.push(() => person.close());
  return person;
};

/** More than both nodes have room for together. */
const crowd = 40;

it('MD-3 WB-4 a page whose node is full comes to another one by itself, and is told where none has room', async () => {
  const { cluster, url } = await serve();
  const ana = await come(url, 'Ana', 440);
  const { roomId } = await ana.api.createRoom({ title: 'A full house' });
  const hosting = await ana.join(roomId);
  await hosting.openMicrophone();
  // The same key leads all of them to one node, as long as that takes them.
  const early = await come(url, 'Early', 550);
  await until('both are connected', () => early.connection.status === 'online');
  const other = await (async () => {
    const counts = await Promise.all(cluster.nodes.map((node) => node.metric('rostrum_sockets')));
    return cluster.node(counts.indexOf(0));
  })();
  const inside: Person[] = [];
  let refusal: unknown;
  for (let index = 0; refusal === undefined && index < crowd; index += 1) {
    const before = await other.metric('rostrum_sockets');
    const guest = await come(url, `Guest ${index}`, 660);
    const joined = await guest.join(roomId).catch((error: unknown) => {
      refusal = error;
    });
    if (joined === undefined) break;
    inside.push(guest);
    if (before > 0 || (await other.metric('rostrum_sockets')) === 0) continue;
    // Just now the first node was full: whoever was connected to it already is brought to the other one too.
    const told: string[] = [];
    early.connection.on('status', (status) => told.push(status));
    const room = await early.join(roomId);
    expect([room.phase.phase, told]).toEqual(['live', []]);
    expect((await commandsOf(other)).get('room:join')).toBeGreaterThan(1);
    inside.push(early);
  }
  expect(inside).toContain(early);
  for (const person of inside) await until('Ana is heard', () => person.hears(ana));
  expect(refusal).toMatchObject({ code: 'node_full' });
  expect(refusal).not.toHaveProperty('retryAfterMs');
}, 120_000);
