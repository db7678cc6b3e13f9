import type { types } from 'mediasoup';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Person, Rig, until, valueFrom } from './harness.ts';

/** Milliseconds of sound in an Opus packet, from its first bytes (RFC 6716 sections 3.1 and 3.2). */
const opusMs = (payload: Buffer): number => {
  const toc = payload[0] ?? 0;
  const config = toc >> 3;
  const silk = [10, 20, 40, 60][config % 4] ?? 0;
  const hybrid = [10, 20][config % 2] ?? 0;
  const celt = [2.5, 5, 10, 20][config % 4] ?? 0;
  const frames = [1, 2, 2, (payload[1] ?? 0) & 0x3f][toc & 3] ?? 0;
  if (config < 12) return frames * silk;
  return frames * (config < 16 ? hybrid : celt);
};

type Packet = { readonly timestamp: number; readonly soundMs: number };

/** Listens to what of a microphone comes to the router, packet by packet. */
const packetsOf = async (router: types.Router | undefined, producerId: string): Promise<Packet[]> => {
  const packets: Packet[] = [];
  const transport = await router?.createDirectTransport();
  const { rtpCapabilities } = router ?? { rtpCapabilities: {} };
  const consumer = await transport?.consume({ producerId, rtpCapabilities });
  consumer?.on('rtp', (packet) => {
    const extensions = 12 + 4 * ((packet[0] ?? 0) & 0x0f);
    const payload = packet.subarray(extensions + 4 + 4 * packet.readUInt16BE(extensions + 2));
    packets.push({ timestamp: packet.readUInt32BE(4), soundMs: opusMs(payload) });
  });
  return packets;
};

/** Opens the microphone as a client does that was told to put so much sound into a packet. */
const speak = async (person: Person, hertz: number, packetMs: number): Promise<string> => {
  const { plane } = person.node;
  const answer = valueFrom(await plane.publish(person.seat));
  const producerId = await person.peer.speak({ ...answer, packetMs }, { hertz });
  await person.commit(producerId, false);
  return producerId;
};

describe('the packets of real microphones', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.close());

  test.each([20, 60])(
    'MD-2 with %i ms of sound in a packet are sent, and heard, and who speaks is told',
    async (packetMs) => {
      const room = rig.room();
      const ann = room.enter({ speaker: true });
      const ben = room.enter();
      await ben.listen();
      const producerId = await speak(ann, 440, packetMs);
      await ben.hearsExactly([[ann, 440]]);
      await until('it is told that ann speaks', () => rig.told.speakingChanged.at(-1)?.[1].includes(ann.userId));
      const packets = await packetsOf(rig.openRouters()[0], producerId);
      await until('packets came', () => packets.length >= 20);
      expect(packets.map(({ soundMs }) => soundMs)).toEqual(packets.map(() => packetMs));
      const steps = packets
        .slice(1)
        .map(({ timestamp }, index) => (timestamp - (packets[index]?.timestamp ?? 0)) >>> 0);
      expect(steps, 'in samples of 48,000 a second').toEqual(steps.map(() => 48 * packetMs));
      ann.peer.mute();
      await until('it is told that nobody speaks', () => rig.told.speakingChanged.at(-1)?.[1].length === 0);
    },
  );

  test.each([20, 60])('MD-5 of silence next to nothing is sent, with %i ms of sound in a packet', async (packetMs) => {
    const room = rig.room();
    const ann = room.enter({ speaker: true });
    const producerId = await speak(ann, 440, packetMs);
    const packets = await packetsOf(rig.openRouters()[0], producerId);
    await until('packets came', () => packets.length >= 5);
    ann.peer.setVolume(0);
    // The encoder has to notice, and what is left is a packet or two every 400 ms (RFC 6716 section 2.1.9).
    const gaps = () =>
      packets.slice(1).filter(({ timestamp }, index) => (timestamp - (packets[index]?.timestamp ?? 0)) >>> 0 > 9600);
    await until('packets fail to come', () => gaps().length >= 2);
    const { length: before } = packets;
    await until('two seconds more have passed', () => gaps().length >= 8);
    const [first, last] = [packets[before - 1], packets.at(-1)];
    const seconds = ((last?.timestamp ?? 0) - (first?.timestamp ?? 0)) / 48_000;
    expect((packets.length - before) / seconds).toBeLessThan(7);
    ann.peer.setVolume(0.5);
    const { length: silent } = packets;
    await until('sound is sent at once', () => packets.length > silent + 10);
  });
});
