import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { codeOf, microphone, pause, Rig, until, valueFrom } from './harness.ts';

const fingerprint = { algorithm: 'sha-256' as const, value: Array.from({ length: 32 }, () => 'AB').join(':') };

describe('what a seat may do', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.close());

  const speaker = async () => {
    const room = rig.room();
    const ann = room.enter({ speaker: true });
    const { transport } = valueFrom(await rig.plane.publish(ann.seat));
    return { room, ann, transportId: transport.transportId };
  };

  test('MD-9 refuses a second microphone', async () => {
    const { ann, transportId } = await speaker();
    const produce = (ssrc: number) => rig.plane.produce(ann.seat, { transportId, rtpParameters: microphone(ssrc) });
    const [first, second] = await Promise.all([produce(1), produce(2)]);
    expect([codeOf(first), codeOf(second)]).toEqual(['ok', 'already']);
    expect(codeOf(await produce(3))).toBe('already');
    rig.plane.discard(ann.seat, valueFrom(first).producerId);
    expect(codeOf(await produce(4))).toBe('ok');
    expect(await rig.inWorkers()).toMatchObject({ transports: 1, producers: 1 });
  });

  test('MD-9 SE-6 a transport of somebody else, or of another session of mine, is not found', async () => {
    const { room, ann, transportId } = await speaker();
    const { transport: heard } = valueFrom(await rig.listen(ann.seat));
    const others = [room.enter({ speaker: true }), room.enter({ userId: ann.userId }), rig.room().enter()];
    for (const { seat } of others) {
      await rig.listen(seat);
      await rig.plane.publish(seat);
      const refused = [
        await rig.plane.connect(seat, transportId, { fingerprints: [fingerprint] }),
        await rig.plane.restartIce(seat, heard.transportId),
        await rig.plane.produce(seat, { transportId, rtpParameters: microphone(1) }),
      ];
      expect(refused.map(codeOf)).toEqual(['not_found', 'not_found', 'not_found']);
    }
    const nobody = { ...ann.seat, roomId: rig.room().roomId };
    expect(codeOf(await rig.plane.connect(nobody, transportId, { fingerprints: [fingerprint] }))).toBe('not_found');
    expect(codeOf(await rig.plane.restartIce(nobody, transportId))).toBe('not_found');
  });

  test('MD-9 nobody produces on a receiving transport', async () => {
    const listener = rig.room().enter();
    const { transport } = valueFrom(await rig.listen(listener.seat));
    const produced = await rig.plane.produce(listener.seat, {
      transportId: transport.transportId,
      rtpParameters: microphone(1),
    });
    expect(codeOf(produced)).toBe('not_found');
  });

  test('MD-9 a discard of what is not mine does nothing', async () => {
    const { room, ann, transportId } = await speaker();
    const rtpParameters = microphone(1);
    const { producerId } = valueFrom(await rig.plane.produce(ann.seat, { transportId, rtpParameters }));
    rig.plane.discard(room.enter().seat, producerId);
    rig.plane.discard({ ...ann.seat, sessionId: room.enter().seat.sessionId }, producerId);
    rig.plane.discard(ann.seat, 'another');
    expect(await rig.inWorkers()).toMatchObject({ producers: 1 });
  });

  test('MD-9 a person off the stage loses the sending transport, and cannot produce on it', async () => {
    const { room, ann, transportId } = await speaker();
    await ann.leaveStage();
    const produced = await rig.plane.produce(ann.seat, { transportId, rtpParameters: microphone(1) });
    expect(codeOf(produced)).toBe('not_found');
    expect(rig.told.unpublished).toEqual([[ann.seat, undefined]]);
    expect(rig.plane.seatsOf(room.roomId)).toEqual([]);
    expect(await rig.inWorkers()).toMatchObject({ routers: 0 });
  });

  test('MD-9 a person who is taken off the stage while their transport opens does not get it', async () => {
    const room = rig.room();
    const ann = room.enter({ speaker: true });
    const publishing = rig.plane.publish(ann.seat);
    await pause(0);
    await ann.leaveStage();
    expect(codeOf(await publishing)).toBe('conflict');
    expect(await rig.inWorkers()).toMatchObject({ routers: 0, transports: 0 });
  });

  test('SE-6 connecting twice, or with parameters that mediasoup refuses, changes nothing', async () => {
    const { ann, transportId } = await speaker();
    const connect = (value: string) =>
      rig.plane.connect(ann.seat, transportId, { role: 'client', fingerprints: [{ ...fingerprint, value }] });
    expect(codeOf(await rig.plane.connect(ann.seat, transportId, { fingerprints: [] }))).toBe('invalid');
    expect((await Promise.all([connect(fingerprint.value), connect(fingerprint.value)])).map(codeOf)).toEqual([
      'ok',
      'already',
    ]);
    expect(codeOf(await connect(fingerprint.value))).toBe('already');
  });

  test('SE-6 RTP parameters that mediasoup refuses are invalid, and nothing is open', async () => {
    const { ann, transportId } = await speaker();
    const twice = { ...microphone(1), encodings: [{ ssrc: 1 }, { ssrc: 1 }] };
    const produced = await rig.plane.produce(ann.seat, { transportId, rtpParameters: twice });
    expect(produced).toEqual({ ok: false, refusal: { code: 'invalid' } });
    expect(await rig.inWorkers()).toMatchObject({ producers: 0 });
  });

  test('MD-7 each transport offers UDP before TCP on the one port, and the TURN servers of its person', async () => {
    await rig.close();
    rig = await Rig.start({ iceServersFor: ({ userId }) => [{ urls: ['turn:turn.example.org'], username: userId }] });
    const { seat } = rig.room().enter();
    const { transport, consumers } = valueFrom(await rig.listen(seat));
    expect(consumers).toEqual([]);
    const candidates = transport.iceCandidates.map(({ protocol, address, port }) => [protocol, address, port]);
    expect(candidates).toEqual([
      ['udp', '127.0.0.1', rig.port],
      ['tcp', '127.0.0.1', rig.port],
    ]);
    const [udp, tcp] = transport.iceCandidates.map(({ priority }) => Number(priority));
    expect(udp).toBeGreaterThan(tcp ?? 0);
    expect(transport.iceServers).toEqual([{ urls: ['turn:turn.example.org'], username: seat.userId }]);
  });
});

describe('media that nobody uses', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start({ limits: { mediaIdleMs: 300, transportsPerSeat: 3 } });
  });
  afterEach(() => rig.close());

  test('RE-5 a sending transport that never connects closes, and its person is told', async () => {
    const ann = rig.room().enter({ speaker: true });
    valueFrom(await rig.plane.publish(ann.seat));
    await until('it is closed', () => rig.told.unpublished.length > 0, 1000);
    expect(rig.told.unpublished).toEqual([[ann.seat, undefined]]);
    expect(await rig.inWorkers()).toMatchObject({ routers: 0 });
  });

  test('RE-5 a receiving transport closes when it has a voice and never connects, and waits as long as it has none', async () => {
    const room = rig.room();
    const [ann, ben] = [room.enter({ speaker: true }), room.enter()];
    valueFrom(await rig.listen(ben.seat));
    valueFrom(await rig.listen(ann.seat));
    await pause(400);
    expect(rig.plane.load()).toMatchObject([{ transports: 2 }]);
    // A voice that goes again before the time is over is no reason to connect.
    const cat = room.enter({ speaker: true });
    await cat.speak(1000);
    await cat.leaveStage();
    await pause(400);
    expect(rig.plane.load()).toMatchObject([{ transports: 2 }]);

    rig.told.consumersAdded.length = 0;
    await ann.speak(440);
    expect(rig.told.consumersAdded.map(([{ seat }]) => seat)).toEqual([ben.seat]);
    await until('it is closed', () => rig.plane.load()[0]?.transports === 2, 1000);
    // Ann's has no voice to receive, and still waits.
    expect(rig.plane.seatsOf(room.roomId)).toEqual([ann.seat]);
  });

  test('RE-5 a microphone that the state never comes to have is heard by nobody, outlives reconciliation, and ends', async () => {
    const room = rig.room();
    const [ann, ben] = [room.enter({ speaker: true }), room.enter()];
    await ben.listen();
    await ann.openMicrophone(440);
    await room.reconcile();
    expect(await rig.inWorkers()).toMatchObject({ producers: 1, consumers: 0 });
    await until('it is closed', async () => (await rig.inWorkers()).producers === 0, 1000);
    expect(rig.told.consumersAdded).toEqual([]);
    expect(rig.told.unpublished).toEqual([]);
  });

  test('RE-5 a state that is late takes a microphone from the listeners, and the next one gives it back', async () => {
    const room = rig.room();
    const [ann, ben] = [room.enter({ speaker: true }), room.enter()];
    await ben.listen();
    const producerId = await ann.speak(440);
    await ben.hearsExactly([[ann, 440]]);
    room.microphones.delete(ann.userId);
    await room.reconcile();
    expect(rig.producers().map(({ paused }) => paused)).toEqual([true]);
    await ben.hearsExactly([]);
    await ann.commit(producerId, false);
    await ben.hearsExactly([[ann, 440]]);
    await pause(400);
    await ben.hearsExactly([[ann, 440]]);
  });

  test('RE-5 a client that closes its connection leaves no transport behind', async () => {
    const room = rig.room();
    const [ann, ben] = [room.enter({ speaker: true }), room.enter()];
    await ben.listen();
    const producerId = await ann.speak(440);
    await ben.hearsExactly([[ann, 440]]);
    ann.peer.close();
    ben.peer.close();
    await until('the room is empty', () => rig.plane.seatsOf(room.roomId).length === 0, 2000);
    expect(rig.told.unpublished).toEqual([[ann.seat, producerId]]);
    expect(await rig.inWorkers()).toMatchObject({ routers: 0 });
  });

  test('RE-2 a seat that is released while it opens and asks again at once has what it asked for last', async () => {
    const room = rig.room();
    const [{ seat: other }, { seat }] = [room.enter(), room.enter()];
    valueFrom(await rig.listen(other));
    const first = rig.listen(seat);
    rig.plane.release(room.roomId, seat.userId);
    expect(rig.plane.seatsOf(room.roomId)).toEqual([other]);
    const second = rig.listen(seat);
    rig.plane.release(room.roomId, seat.userId, seat.sessionId);
    expect([codeOf(await first), codeOf(await second)]).toEqual(['conflict', 'ok']);
    expect(rig.plane.seatsOf(room.roomId)).toEqual([other, seat]);
    expect(await rig.inWorkers()).toMatchObject({ routers: 1, transports: 2 });
  });

  test('RE-2 a seat that is released before its room has a worker gets nothing', async () => {
    const room = rig.room();
    const [ann, ben, cat] = [room.enter({ speaker: true }), room.enter(), room.enter()];
    const answers = Promise.all([rig.plane.publish(ann.seat), rig.listen(ben.seat), rig.listen(cat.seat)]);
    rig.plane.release(room.roomId, ann.userId);
    rig.plane.release(room.roomId, ben.userId, 'another session');
    rig.plane.release(room.roomId, cat.userId, cat.seat.sessionId);
    expect((await answers).map(codeOf)).toEqual(['conflict', 'conflict', 'ok']);
    expect(rig.plane.seatsOf(room.roomId)).toEqual([cat.seat]);
    const other = rig.room();
    const late = rig.listen(other.enter().seat);
    rig.plane.closeRoom(other.roomId);
    expect(codeOf(await late)).toBe('conflict');
    expect(await rig.inWorkers()).toMatchObject({ routers: 1, transports: 1 });
  });

  test('SE-6 a seat has one transport for each direction, however often it asks', async () => {
    const ann = rig.room().enter({ speaker: true });
    const asked = await Promise.all(Array.from({ length: 20 }, () => rig.listen(ann.seat)));
    expect(new Set(asked.map(codeOf))).toEqual(new Set(['ok', 'conflict', 'rate_limited']));
    expect(asked.filter(({ ok }) => ok)).toHaveLength(1);
    for (let round = 0; round < 5; round += 1) {
      valueFrom(await rig.listen(ann.seat));
      valueFrom(await rig.plane.publish(ann.seat));
    }
    expect(await rig.inWorkers()).toMatchObject({ routers: 1, transports: 2 });
  });
});
