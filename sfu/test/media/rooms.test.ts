import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pause, Rig, until } from './harness.ts';

describe('a room of real people', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.close());

  /** Two on the stage who speak 440 and 1,000 Hz, and a listener; everybody hears everybody else. */
  const meeting = async () => {
    const room = rig.room();
    const ann = room.enter({ speaker: true });
    const ben = room.enter({ speaker: true });
    const cat = room.enter();
    await Promise.all([ann, ben, cat].map((person) => person.listen()));
    const [producerId] = await Promise.all([ann.speak(440), ben.speak(1000)]);
    await cat.hearsExactly([
      [ann, 440],
      [ben, 1000],
    ]);
    return { room, ann, ben, cat, producerId };
  };

  test('MD-1 two speakers and several listeners all hear everybody else', async () => {
    const { room, ann, ben } = await meeting();
    const late = [room.enter(), room.enter()];
    await Promise.all(late.map((listener) => listener.listen()));
    for (const listener of late) {
      await listener.hearsExactly([
        [ann, 440],
        [ben, 1000],
      ]);
    }
    await ann.hearsExactly([[ben, 1000]]);
    await ben.hearsExactly([[ann, 440]]);
    expect(rig.plane.load()).toMatchObject([{ index: 0, rooms: 1, transports: 7, producers: 2, consumers: 8 }]);
    expect(await rig.inWorkers()).toEqual({ routers: 1, transports: 7, producers: 2, consumers: 8 });
    expect(rig.plane.seatsOf(room.roomId)).toHaveLength(5);
  });

  test('MD-1 nothing is left of a room that everybody left', async () => {
    const { room } = await meeting();
    await until('somebody speaks', () => rig.told.speakingChanged.length > 0);
    for (const person of room.people) await person.leave();
    expect(rig.told.speakingChanged.at(-1)).toEqual([room.roomId, []]);
    await until('the worker is empty', async () => (await rig.inWorkers()).routers === 0);
    expect(await rig.inWorkers()).toEqual({ routers: 0, transports: 0, producers: 0, consumers: 0 });
    expect(rig.plane.load()).toMatchObject([{ rooms: 0, transports: 0, producers: 0, consumers: 0 }]);
    expect(rig.plane.seatsOf(room.roomId)).toEqual([]);
  });

  test('MO-1 nobody hears somebody who is muted, whatever their client sends', async () => {
    const { ann, ben, cat } = await meeting();
    await ann.setMuted(true);
    await cat.hearsExactly([[ben, 1000]]);
    const before = { sent: await ann.peer.sent(), received: await ben.peer.received() };
    await pause(300);
    expect((await ann.peer.sent()).packets).toBeGreaterThan(before.sent.packets + 5);
    expect((await ben.peer.received()).packets).toBe(before.received.packets);
    await ann.setMuted(false);
    await cat.hearsExactly([
      [ann, 440],
      [ben, 1000],
    ]);
  });

  test('MO-1 somebody who opens the microphone muted is not heard for a moment', async () => {
    const { room, ann, ben, cat } = await meeting();
    const dan = room.enter({ speaker: true });
    await dan.speak(700, { muted: true });
    await until('dan sends', async () => (await dan.peer.sent()).packets > 20);
    await cat.hearsExactly([
      [ann, 440],
      [ben, 1000],
    ]);
    await dan.setMuted(false);
    await cat.hearsExactly([
      [ann, 440],
      [ben, 1000],
      [dan, 700],
    ]);
  });

  test('MD-10 a client that mutes itself sends no packet, and a listener never sends one', async () => {
    const { ann, cat } = await meeting();
    ann.peer.mute();
    await until('the last packet is out', async () => {
      const before = (await ann.peer.sent()).packets;
      await pause(100);
      return (await ann.peer.sent()).packets === before;
    });
    const before = await ann.peer.sent();
    await pause(300);
    expect(await ann.peer.sent()).toEqual(before);
    expect(cat.peer.sendingId).toBeUndefined();
    ann.peer.unmute();
    await until('packets flow again', async () => (await ann.peer.sent()).packets > before.packets);
  });

  test('MD-9 off the stage: the microphone closes, everybody is told, and the room is heard without a gap', async () => {
    const { ann, ben, cat, producerId } = await meeting();
    await ann.leaveStage();
    expect(rig.told.unpublished).toEqual([[ann.seat, producerId]]);
    await cat.hearsExactly([[ben, 1000]]);
    await ann.hearsExactly([[ben, 1000]]);
    expect(await rig.inWorkers()).toEqual({ routers: 1, transports: 4, producers: 1, consumers: 2 });
    const removed = rig.told.consumersRemoved.map(([seat]) => seat.userId);
    expect(removed.sort()).toEqual([ben.userId, cat.userId].sort());
  });

  test('RO-3 a promoted listener is heard over a microphone of their own, and goes on hearing', async () => {
    const { room, ann, ben, cat } = await meeting();
    const receiving = cat.peer.receivingId;
    room.stage.set(cat.userId, { sessionId: cat.seat.sessionId });
    await cat.speak(2000);
    await ann.hearsExactly([
      [ben, 1000],
      [cat, 2000],
    ]);
    expect(cat.peer.receivingId).toBe(receiving);
    await cat.hearsExactly([
      [ann, 440],
      [ben, 1000],
    ]);
  });

  test('ID-5 the media of a second session takes the place of the first', async () => {
    const { room, ann, ben, cat, producerId } = await meeting();
    const phone = room.enter({ userId: ann.userId, speaker: true });
    await phone.listen();
    expect(rig.plane.seatsOf(room.roomId)).toContainEqual(ann.seat);
    await phone.speak(600);
    expect(rig.told.unpublished).toEqual([[ann.seat, producerId]]);
    rig.plane.release(room.roomId, ann.userId, phone.seat.sessionId);
    await cat.hearsExactly([
      [phone, 600],
      [ben, 1000],
    ]);
    await phone.hearsExactly([[ben, 1000]]);
    expect(rig.plane.seatsOf(room.roomId)).not.toContainEqual(ann.seat);
    expect(await rig.inWorkers()).toEqual({ routers: 1, transports: 5, producers: 2, consumers: 4 });
  });

  test('MD-1 voices that are new together come to a listener in one event', async () => {
    const room = rig.room();
    const [ann, ben, cat] = [room.enter({ speaker: true }), room.enter({ speaker: true }), room.enter()];
    await cat.listen();
    for (const [person, hertz] of [
      [ann, 440],
      [ben, 1000],
    ] as const) {
      const { userId, sessionId } = person.seat;
      const producerId = await person.openMicrophone(hertz);
      room.microphones.set(userId, { userId, sessionId, producerId, muted: false });
    }
    await room.reconcile();
    expect(rig.told.consumersAdded).toHaveLength(1);
    await cat.hearsExactly([
      [ann, 440],
      [ben, 1000],
    ]);
  });

  test('MD-4 tells who speaks, from the levels of what is heard', async () => {
    const { room, ann, ben } = await meeting();
    const now = () => rig.told.speakingChanged.at(-1);
    const both = [ann.userId, ben.userId].sort();
    await until('both speak', () => now()?.[1].length === 2);
    expect(now()).toEqual([room.roomId, both]);
    ann.peer.setVolume(0);
    await until('ben alone speaks', () => now()?.[1].length === 1);
    expect(now()).toEqual([room.roomId, [ben.userId]]);
    await ben.setMuted(true);
    await until('nobody speaks', () => now()?.[1].length === 0);
  });

  test.each([
    ['medium', { useinbandfec: 1, usedtx: 1 }],
    ['music', { 'sprop-stereo': 1 }],
  ] as const)('MD-5 a %s room is encoded, and told to listeners, as its quality is', async (quality, parameters) => {
    const room = rig.room(quality);
    const [ann, ben] = [room.enter({ speaker: true }), room.enter()];
    await ben.listen();
    await ann.speak(440);
    await ben.hearsExactly([[ann, 440]]);
    const told = rig.told.consumersAdded.flatMap(([{ consumers }]) => consumers);
    expect(told.map(({ rtpParameters }) => rtpParameters['codecs'])).toEqual([
      [expect.objectContaining({ mimeType: 'audio/opus', payloadType: 111, parameters, rtcpFeedback: [] })],
    ]);
  });
});
