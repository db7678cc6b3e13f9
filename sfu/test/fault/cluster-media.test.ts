import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../media/harness.ts';
import { bringOnStage, ClusterPerson, everybodyLeaves, openRoom } from '../support/cluster-person.ts';
import { type Cluster, startCluster, stopClusters } from '../support/nodes.ts';

/** A pipe is asked for, connected and heard; on a busy machine it takes its time. In milliseconds. */
const patience = 20_000;

describe('one room over three nodes', { timeout: 90_000 }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster();
  }, 90_000);
  afterEach(everybodyLeaves);
  afterAll(stopClusters);

  const enter = async (name: string, at: number, roomId: string): Promise<ClusterPerson> => {
    const person = await ClusterPerson.arrive(cluster, name, { at });
    await person.enter(roomId);
    return person;
  };

  /** A host on the first node, and a speaker and a listener on each of the others; everybody hears everybody who speaks. */
  const conversation = async () => {
    const host = await ClusterPerson.arrive(cluster, 'Hanna', { at: 0 });
    const roomId = await openRoom(host);
    await host.speak(440);
    const sam = await enter('Sam', 1, roomId);
    const tom = await enter('Tom', 2, roomId);
    for (const speaker of [sam, tom]) await bringOnStage(host, speaker);
    await sam.speak(660);
    await tom.speak(880);
    const listeners = [await enter('Ana', 0, roomId), await enter('Ben', 1, roomId), await enter('Cem', 2, roomId)];
    const everybody = [host, sam, tom, ...listeners];
    const voices: readonly (readonly [ClusterPerson, number])[] = [
      [host, 440],
      [sam, 660],
      [tom, 880],
    ];
    await hearEachOther(everybody, voices);
    return { host, sam, tom, listeners, everybody, voices, roomId };
  };

  const hearEachOther = (
    everybody: readonly ClusterPerson[],
    voices: readonly (readonly [ClusterPerson, number])[],
  ): Promise<unknown> =>
    until(
      'everybody hears everybody who speaks',
      () =>
        everybody.every((listener) =>
          voices.every(([speaker, hertz]) => speaker === listener || listener.hearsVoice(speaker.userId, hertz)),
        ),
      patience,
    );

  it('MD-2 speakers of one node are heard on all three, each node is sent each of them once, and lets go of them', async () => {
    const host = await ClusterPerson.arrive(cluster, 'Hanna', { at: 0 });
    const roomId = await openRoom(host);
    await host.speak(440);
    const sam = await enter('Sam', 0, roomId);
    await bringOnStage(host, sam);
    await sam.speak(660);
    const listeners = await Promise.all([0, 1, 2, 0, 1, 2].map((at, index) => enter(`Listener ${index}`, at, roomId)));
    await hearEachOther(listeners, [
      [host, 440],
      [sam, 660],
    ]);
    // Two voices over a pipe, however many listen there.
    for (const at of [1, 2]) expect(await cluster.node(at).metric('rostrum_worker_producers')).toBe(2);
    for (const listener of listeners.filter((_, index) => index % 3 === 1)) await listener.leave();
    const second = cluster.node(1);
    await until(
      'the pipe is gone with its last listener',
      async () =>
        (await second.metric('rostrum_worker_producers')) + (await second.metric('rostrum_worker_transports')) === 0,
      patience,
    );
    expect(await cluster.node(2).metric('rostrum_worker_producers')).toBe(2);
    // Who comes later to a node without a pipe hears them too.
    const late = await enter('Late', 1, roomId);
    await hearEachOther(
      [late],
      [
        [host, 440],
        [sam, 660],
      ],
    );
  });

  it('MD-2 MD-4 speakers on every node hear each other and are heard on all, and every node tells who speaks', async () => {
    const { everybody, voices } = await conversation();
    await until(
      'everybody is told who speaks',
      () => everybody.every(({ speaking }) => voices.every(([{ userId }]) => speaking.includes(userId))),
      patience,
    );
    const [, [sam]] = voices as [unknown, readonly [ClusterPerson, number]];
    sam.setVolume(0);
    await until(
      'everybody is told that Sam does not',
      () => everybody.every(({ speaking }) => !speaking.includes(sam.userId) && speaking.length === 2),
      patience,
    );
  });

  it('MO-1 a mute holds on every node, whoever gives it, and is lifted on every node', async () => {
    const { host, sam, tom, everybody, voices, roomId } = await conversation();
    const others = (speaker: ClusterPerson) => everybody.filter((person) => person !== speaker);
    const silent = (speaker: ClusterPerson) =>
      until(
        `nobody hears ${speaker.name}`,
        () => others(speaker).every((listener) => !listener.hearsVoice(speaker.userId)),
        patience,
      );
    await host.socket.do('room:mute', { roomId, userId: tom.userId, locked: true, reason: 'echo' });
    await silent(tom);
    expect(await tom.socket.codeOf('room:mute-toggle', { roomId, muted: false })).toBe('muted_locked');
    expect((await tom.socket.next('room:muted')).muted).toEqual({ byName: 'Hanna', reason: 'echo', locked: true });
    // A moderator on another node gives it back.
    await host.socket.do('room:promote', { roomId, userId: sam.userId, role: 'moderator' });
    await until('Sam is a moderator', () => sam.role === 'moderator');
    await sam.socket.do('room:mute', { roomId, userId: tom.userId, locked: false });
    await tom.socket.do('room:mute-toggle', { roomId, muted: false });
    await hearEachOther(everybody, voices);
    await sam.socket.do('room:mute-all', { roomId, locked: false });
    await silent(tom);
    expect(host.hearsVoice(sam.userId, 660)).toBe(true);
  });

  it('MO-2 RO-3 a kick and a change of role reach the person on another node, and what they say and hear', async () => {
    const { host, sam, tom, listeners, everybody, roomId } = await conversation();
    const [ana, ben, cem] = listeners as [ClusterPerson, ClusterPerson, ClusterPerson];
    for (const person of [ana, ben, cem]) person.voices.watch();
    await host.socket.do('room:demote', { roomId, userId: sam.userId, role: 'listener' });
    await until('Sam listens', () => sam.role === 'listener');
    await until('nobody hears Sam', () => everybody.every((listener) => !listener.hearsVoice(sam.userId)), patience);
    expect(await sam.socket.codeOf('media:publish', { roomId })).toBe('forbidden');
    expect(sam.hearsVoice(host.userId, 440)).toBe(true);

    // HD-1, HD-2: a hand of one node, seen and taken on another.
    await ben.socket.do('room:hand-raise', { roomId });
    await until('the host sees the hand', () => host.view.staff?.hands.some(({ userId }) => userId === ben.userId));
    await host.socket.do('room:hand-accept', { roomId });
    await until('Ben is on the stage', () => ben.role === 'speaker');
    await ben.speak(1200);
    await until(
      'Ben is heard on every node',
      () => [host, tom, ana, cem].every((listener) => listener.hearsVoice(ben.userId, 1200)),
      patience,
    );
    // RO-3: nothing of this cost anybody what they heard already.
    for (const listener of [ana, ben, cem]) expect(listener.voices.silenceOf(host.userId)).toBeLessThan(1000);

    await host.socket.do('room:kick', { roomId, userId: tom.userId, reason: 'rude' });
    expect(await tom.socket.next('room:kicked')).toMatchObject({ byName: 'Hanna', reason: 'rude' });
    await until(
      'nobody hears Tom',
      () => [host, sam, ...listeners].every((listener) => !listener.hearsVoice(tom.userId)),
      patience,
    );
    for (const at of [0, 1, 2]) {
      const again = await ClusterPerson.arrive(cluster, 'Tom', { at, person: tom.person });
      expect(await again.socket.codeOf('room:join', { roomId })).toBe('kicked');
    }
  });

  it('ID-5 a seat that is taken on a device at another node moves there, and the first one is told', async () => {
    const { host, tom, roomId } = await conversation();
    const elsewhere = await ClusterPerson.arrive(cluster, 'Tom', { at: 0, person: tom.person });
    await elsewhere.enter(roomId);
    await until('the first device is told', () => tom.outBecause === 'joined-elsewhere');
    expect(elsewhere.role).toBe('speaker');
    await elsewhere.speak(990);
    await until('the host hears the other device', () => host.hearsVoice(tom.userId, 990), patience);
  });
});
