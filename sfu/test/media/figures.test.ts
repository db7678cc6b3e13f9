import { afterEach, describe, expect, test } from 'vitest';
import type { Person } from './harness.ts';
import { microphone, Rig, until, valueFrom } from './harness.ts';

describe('what media counts of itself', () => {
  let rig: Rig;
  afterEach(() => rig.close());

  const received = async (people: readonly Person[]): Promise<number> => {
    const counts = await Promise.all(people.map(({ peer }) => peer.received()));
    return counts.reduce((sum, { packets }) => sum + packets, 0);
  };

  test('OP-1 packets that come and go are counted, and what listeners report, over relays too', async () => {
    rig = await Rig.start({ workers: 2, limits: { directListeners: 0 } });
    const room = rig.room();
    const ann = room.enter({ speaker: true });
    const people = [ann, room.enter(), room.enter()];
    for (const person of people) await person.listen();
    await ann.speak(440);
    for (const person of people.slice(1)) await person.hearsExactly([[ann, 440]]);
    const { packets: sent } = await ann.peer.sent();
    await until('the microphone is counted', () => rig.plane.figures().packetsReceived > sent + 50, 20_000);
    // Each packet goes over a relay, or straight, and from there to two people.
    await until('what went out is counted', () => rig.plane.figures().packetsForwarded > 2 * sent, 20_000);
    await until('somebody has reported', () => rig.plane.figures().listenerJitter > 0, 20_000);
    const figures = rig.plane.figures();
    expect(figures).toMatchObject({ packetsLost: 0, listenerLoss: 0, audienceRouters: 1, workerDeaths: 0 });
    expect(figures.listenerJitter).toBeLessThan(0.5);
    expect(figures.packetsReceived).toBeLessThanOrEqual((await ann.peer.sent()).packets);

    await ann.setMuted(true);
    ann.peer.mute();
    // A look a second: what came before is counted a moment later.
    let before = -1;
    await until(
      'nothing is counted any more',
      async () => {
        const counted = rig.plane.figures().packetsReceived;
        const isQuiet = counted === before;
        before = counted;
        await new Promise((resolve) => setTimeout(resolve, 1500));
        return isQuiet;
      },
      20_000,
    );
    const { packetsReceived, packetsForwarded } = rig.plane.figures();
    const heard = await received(people.slice(1));
    // Over the relay, and to both; what came while somebody was still coming in was not for all.
    expect(packetsForwarded).toBeGreaterThan(0.8 * (heard + packetsReceived));
    expect(packetsForwarded).toBeLessThan(1.2 * (heard + packetsReceived));
  });

  test('RE-5 OP-1 however many microphones there are, only some are asked at a time, each in its turn', async () => {
    rig = await Rig.start();
    const room = rig.room();
    for (let count = 1; count <= 45; count += 1) {
      const { seat } = room.enter({ speaker: true });
      const { transport } = valueFrom(await rig.plane.publish(seat));
      const options = { transportId: transport.transportId, rtpParameters: microphone(count) };
      valueFrom(await rig.plane.produce(seat, options));
    }
    const asked = new Map(rig.producers().map(({ id }) => [id, 0]));
    const together: number[] = [];
    let now = 0;
    for (const producer of rig.producers()) {
      const getStats = producer.getStats.bind(producer);
      producer.getStats = () => {
        asked.set(producer.id, (asked.get(producer.id) ?? 0) + 1);
        now += 1;
        if (now === 1)
          setImmediate(() => {
            together.push(now);
            now = 0;
          });
        return getStats();
      };
    }
    await until('each was asked', () => [...asked.values()].every((times) => times > 0));
    expect(asked.size).toBe(45);
    expect(Math.max(...together)).toBe(20);
    expect(Math.max(...asked.values()) - Math.min(...asked.values())).toBeLessThanOrEqual(1);
  });
});
