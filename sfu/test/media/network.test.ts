import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import type { PeerOptions } from '../support/wrtc-peer.ts';
import { type Person, pause, Rig, until, valueFrom } from './harness.ts';

/** Both ends of a conversation use this pair in the end: sooner, libwebrtc may still be choosing. */
const bothGoOver = (route: string, { ann, ben }: { ann: Person; ben: Person }) =>
  until(route, async () => (await ann.peer.route('sending')) === route && (await ben.peer.route()) === route);

describe('ways through the network', () => {
  let rig: Rig;
  afterEach(() => rig.close());

  /** A speaker and a listener who use these candidates only; answers when the one is heard. */
  const conversation = async (options: PeerOptions = {}) => {
    const room = rig.room();
    const [ann, ben] = [room.enter({ speaker: true, ...options }), room.enter(options)];
    await ben.listen();
    await ann.speak(440);
    await ben.hearsExactly([[ann, 440]]);
    return { room, ann, ben };
  };

  test('MD-7 goes over UDP where it can', async () => {
    rig = await Rig.start();
    await bothGoOver('udp 127.0.0.1', await conversation());
  });

  test('MD-7 goes over TCP where UDP does not pass', async () => {
    rig = await Rig.start();
    await bothGoOver('tcp 127.0.0.1', await conversation({ candidates: ({ protocol }) => protocol === 'tcp' }));
  });

  test.each(['udp', 'tcp'])('MD-7 goes over IPv6 with %s', async (protocol) => {
    rig = await Rig.start({ mediaAddresses: ['127.0.0.1', '::1'] });
    const candidates: PeerOptions['candidates'] = (candidate) =>
      candidate.address === '::1' && candidate.protocol === protocol;
    await bothGoOver(`${protocol} ::1`, await conversation({ candidates }));
  });

  test('MD-7 OP-4 works without any address configured, on each address of the machine', async () => {
    rig = await Rig.start({ mediaAddresses: [] });
    await conversation();
    const own = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
    const [lan] = own.filter(({ internal, family }) => !internal && family === 'IPv4');
    await conversation({ candidates: ({ address }) => address === (lan?.address ?? '127.0.0.1') });
  });

  test('MD-7 each worker has its own port', async () => {
    rig = await Rig.start({ workers: 2 });
    const ports = new Set<unknown>();
    for (let count = 0; count < 2; count += 1) {
      const { transport } = valueFrom(await rig.listen(rig.room().enter().seat));
      for (const { port } of transport.iceCandidates) ports.add(port);
    }
    expect([...ports].sort()).toEqual([rig.port, rig.port + 1]);
  });

  test('MD-7 an ICE restart keeps the audio, on both sides', async () => {
    rig = await Rig.start();
    const { ann, ben } = await conversation();
    const restart = async (person: typeof ann, side: 'sending' | 'receiving') => {
      const transportId = (side === 'sending' ? person.peer.sendingId : person.peer.receivingId) ?? '';
      const { iceParameters } = valueFrom(await rig.plane.restartIce(person.seat, transportId));
      await person.peer.restartIce(side, iceParameters);
      return iceParameters['usernameFragment'];
    };
    const fragments = [await restart(ann, 'sending'), await restart(ben, 'receiving'), await restart(ben, 'receiving')];
    expect(new Set(fragments).size).toBe(3);
    const before = await ben.peer.received();
    await pause(200);
    await ben.hearsExactly([[ann, 440]]);
    await until('packets flow', async () => (await ben.peer.received()).packets > before.packets + 10);
  });

  test('RE-2 after the connection came back, only what is missing is told', async () => {
    rig = await Rig.start();
    const { room, ann, ben } = await conversation();
    const [transportId, annsVoice] = [ben.peer.receivingId ?? '', ben.peer.consumerIds[0] ?? ''];
    const dan = room.enter({ speaker: true });
    await dan.speak(1000);
    const sync = async (transportIds: string[], consumerIds: string[]) =>
      valueFrom(await rig.plane.sync(ben.seat, { transportIds, consumerIds }));

    const { added, ...rest } = await sync([transportId, 'gone'], [annsVoice, 'gone']);
    expect(rest).toEqual({ transportIds: [transportId], removed: ['gone'] });
    expect(added.map(({ userId }) => userId)).toEqual([dan.userId]);
    const all = [annsVoice, ...added.map(({ consumerId }) => consumerId)];
    expect(await sync([transportId], all)).toEqual({ transportIds: [transportId], added: [], removed: [] });
    // Without its receiving transport a client has to listen anew: nothing that it holds is good for anything.
    expect(await sync([], all)).toEqual({ transportIds: [], added: [], removed: all });
    rig.plane.release(room.roomId, ben.userId);
    expect(await sync([transportId], all)).toEqual({ transportIds: [], added: [], removed: all });
    rig.plane.closeRoom(room.roomId);
    expect(await sync([transportId], all)).toEqual({ transportIds: [], added: [], removed: all });
    expect(ann.peer.sendingId).toBeDefined();
  });
});
