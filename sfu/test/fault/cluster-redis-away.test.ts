import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { pause, until } from '../media/harness.ts';
import { Caller } from '../support/caller.ts';
import { bringOnStage, ClusterPerson, everybodyLeaves, openRoom } from '../support/cluster-person.ts';
import { type Cluster, type ServerNode, startCluster, stopClusters, untilReady } from '../support/nodes.ts';

/** How long Redis is away, in milliseconds: twice as long as a node may be silent. */
const awayMs = 10_000;
/** RE-4: an answer within 1 s; half as much again for a busy machine. In milliseconds. */
const answerMs = 1500;
/** How much more memory than before a node may hold, in MiB: nothing that waits may pile up. */
const growth = 150;

type Acknowledged = { readonly ok: true } | { readonly ok: false; readonly error: { readonly code: string } };

describe('Redis is away', { timeout: 150_000 }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster();
  }, 90_000);
  afterEach(everybodyLeaves);
  afterAll(stopClusters);

  /** A room with two voices over all nodes, and a call over two of them. */
  const talk = async () => {
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
    const listeners = [await enter('Ana', 0), await enter('Ben', 1), await enter('Cem', 2)];
    const hearBoth = () =>
      until(
        'both are heard',
        () => listeners.every((person) => person.hearsVoice(host.userId, 440) && person.hearsVoice(sam.userId, 660)),
        20_000,
      );
    await hearBoth();
    const ann = await Caller.arrive(cluster.node(1).server, 'Ann');
    const bob = await Caller.arrive(cluster.node(2).server, 'Bob');
    await ann.search();
    await bob.search();
    const { sessionId } = await ann.match(bob);
    await bob.match(ann);
    for (const caller of [ann, bob]) await caller.connected(sessionId);
    await ann.socket.next('random:connected');
    return { host, sam, listeners, everybody: [host, sam, ...listeners], hearBoth, ann, bob, sessionId, roomId };
  };

  it('RE-4 kill -STOP for 10 s: talk goes on, commands are refused in time and never happen, and all is well after it', async () => {
    const { redis } = cluster;
    if (redis === undefined) throw new Error('there is no Redis');
    const { host, sam, listeners, everybody, hearBoth, ann, bob, sessionId, roomId } = await talk();
    const memory = await Promise.all(cluster.nodes.map((node) => node.megabytes()));
    for (const person of listeners) person.voices.watch();
    redis.freeze();
    const frozenAt = performance.now();
    const refusals = new Refusals();
    while (performance.now() - frozenAt < awayMs) {
      // Each would be seen afterwards, had it happened.
      await Promise.all([
        refusals.note('update', host.socket.ask('room:update', { roomId, changes: { title: 'Never' } })),
        refusals.note('mute', host.socket.ask('room:mute', { roomId, userId: sam.userId, locked: true })),
        refusals.note('kick', host.socket.ask('room:kick', { roomId, userId: listeners[2]?.userId ?? '' })),
        refusals.note('end', ann.socket.ask('random:end_call', { sessionId })),
        ...listeners.map((listener) => refusals.note('hand', listener.socket.ask('room:hand-raise', { roomId }))),
      ]);
      await pause(100);
    }
    const readiness = await Promise.all(cluster.nodes.map((node) => node.readiness()));
    redis.thaw();
    expect(refusals.asked).toBeGreaterThan(30);
    expect(refusals.done).toEqual([]);
    expect(refusals.slow).toEqual([]);
    for (const said of readiness) expect(said).toEqual({ ready: false, text: expect.stringMatching(/Redis/) });

    await untilReady(cluster);
    // Longer than a node is waited for and than a seat is kept: whoever was to be swept would be by now.
    await pause(17_000);
    for (const person of listeners) expectHeard(person, [host, sam]);
    for (const person of everybody) await expectUntouched(person, sam.userId);
    expect(await ann.state()).toMatchObject({ state: 'call', phase: 'connected' });
    expect(await bob.state()).toMatchObject({ state: 'call', phase: 'connected' });
    await expectWell(cluster.nodes, memory);

    // Everything works again, on every node and across them.
    await host.socket.do('room:update', { roomId, changes: { title: 'Again' } });
    await until('everybody sees it', () => everybody.every(({ view }) => view.info.title === 'Again'), 20_000);
    await host.socket.do('room:mute', { roomId, userId: sam.userId, locked: false });
    await until('Sam is silent', () => listeners.every((listener) => !listener.hearsVoice(sam.userId)), 20_000);
    await sam.socket.do('room:mute-toggle', { roomId, muted: false });
    await hearBoth();
    await ann.socket.do('random:end_call', { sessionId });
    await bob.socket.next('random:call_ended');
    for (const caller of [ann, bob]) caller.socket.close();
  });
});

/** What commands came to that should be refused with `unavailable`, in time. */
class Refusals {
  asked = 0;
  readonly done: string[] = [];
  readonly slow: string[] = [];

  async note(what: string, command: Promise<Acknowledged>): Promise<void> {
    const started = performance.now();
    const outcome = await command;
    const tookMs = performance.now() - started;
    this.asked += 1;
    const code = outcome.ok ? 'ok' : outcome.error.code;
    if (code !== 'unavailable') this.done.push(`${what}: ${code}`);
    if (tookMs > answerMs) this.slow.push(`${what}: ${Math.round(tookMs)} ms`);
  }
}

/** No node died of it, and none has grown. */
const expectWell = async (nodes: readonly ServerNode[], memoryBefore: readonly number[]): Promise<void> => {
  for (const [index, node] of nodes.entries()) {
    expect(node.exited, node.name).toBeUndefined();
    expect(await node.megabytes(), node.name).toBeLessThan((memoryBefore[index] ?? 0) + growth);
  }
};

/** The voices never stopped. */
const expectHeard = (person: ClusterPerson, speakers: readonly ClusterPerson[]): void => {
  for (const speaker of speakers)
    expect(person.voices.silenceOf(speaker.userId), `${person.name} hears ${speaker.name}`).toBeLessThan(1000);
};

/** Nobody was swept, and nothing happened that was refused. */
const expectUntouched = async (person: ClusterPerson, speakerId: string): Promise<void> => {
  expect(person.socket.all('room:participant-left'), person.name).toEqual([]);
  expect(person.socket.isOnline, person.name).toBe(true);
  const { state } = await person.socket.do('room:sync', { roomId: person.roomId });
  expect([...state.stage, ...(state.audience.members ?? [])].filter(({ away }) => away)).toEqual([]);
  expect(state.info.title).toBe('A room');
  expect(state.stage.find(({ userId }) => userId === speakerId)?.microphone).toBe('open');
  expect(state.audience.count).toBe(3);
  expect(state.self.handPosition).toBeNull();
};
