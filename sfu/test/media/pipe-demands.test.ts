import { randomBytes } from 'node:crypto';
import { refuse } from '@rostrum/shared/result.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PipeDemand, PipeEnd } from '../../src/media/media-plane.ts';
import { newId } from '../../src/runtime/ids.ts';
import { freePort } from '../support/free-port.ts';
import { codeOf, microphone, Rig, type TestRoom, until, valueFrom } from './harness.ts';

/** An end of a pipe that nobody has: where it leads is of no concern here. */
const end = (): PipeEnd => ({
  ip: '127.0.0.1',
  port: 9,
  srtpParameters: { cryptoSuite: 'AEAD_AES_256_GCM', keyBase64: randomBytes(44).toString('base64') },
});

describe('what another node asks for', () => {
  let rig: Rig;
  let room: TestRoom;
  let ssrc = 1;

  const start = async (ports = 4) => {
    const min = await freePort(ports);
    rig = await Rig.start({
      self: 'here',
      pipes: {
        request: () => Promise.resolve(refuse('unavailable')),
        address: '127.0.0.1',
        ports: { min, max: min + ports - 1 },
        leaseMs: 600_000,
      },
    });
    room = rig.room();
  };
  beforeEach(() => start());
  afterEach(() => rig.close());

  /** Somebody's microphone, open and not in the state yet. */
  const opened = async () => {
    const person = room.enter({ speaker: true });
    const { transport } = valueFrom(await rig.plane.publish(person.seat));
    ssrc += 1;
    const options = { transportId: transport.transportId, rtpParameters: microphone(ssrc) };
    const { producerId } = valueFrom(await rig.plane.produce(person.seat, options));
    return { person, producerId };
  };

  /** Somebody's microphone that the state has. */
  const inState = async (muted = false): Promise<string> => {
    const { person, producerId } = await opened();
    await person.commit(producerId, muted);
    return producerId;
  };

  let sequence = 0;
  const demand = (producerIds: readonly string[], transport = end()): PipeDemand => {
    sequence += 1;
    return { roomId: room.roomId, sequence, transport, producerIds };
  };
  const serve = (asked: PipeDemand, from = 'there') => rig.plane.servePipe(from, asked);
  const idsIn = (served: Awaited<ReturnType<typeof serve>>) =>
    valueFrom(served).producers.map(({ producerId }) => producerId);
  const streams = () => rig.pipeConsumers().length;

  test('SE-6 gives microphones that are open here and in the state, and nothing else', async () => {
    const [one, two] = [await inState(), await inState(true)];
    const { producerId: uncommitted } = await opened();
    expect(idsIn(await serve(demand([one, newId(), uncommitted, two, one])))).toEqual([one, two]);
    expect(streams()).toBe(2);
    expect(codeOf(await serve(demand([uncommitted]), 'elsewhere'))).toBe('not_found');
    expect(codeOf(await serve({ ...demand([one]), roomId: newId() }))).toBe('not_found');
    expect(codeOf(await serve({ ...demand([one]), roomId: rig.room().roomId }))).toBe('not_found');
    expect(rig.pipes()).toHaveLength(1);
  });

  test('SE-6 tells of a microphone no more than a client that sends one would', async () => {
    const { producers } = valueFrom(await serve(demand([await inState()])));
    expect(producers[0]?.rtpParameters).toEqual({
      codecs: [
        {
          mimeType: 'audio/opus',
          payloadType: 111,
          clockRate: 48_000,
          channels: 2,
          parameters: { useinbandfec: 1, usedtx: 1 },
        },
      ],
      headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: expect.any(Number) }],
      encodings: [{ ssrc: expect.any(Number), dtx: true }],
    });
  });

  test('MD-2 the same demand has the same answer, and another set changes only what is new', async () => {
    const [one, two] = [await inState(), await inState()];
    const transport = end();
    const asked = demand([one], transport);
    const first = valueFrom(await serve(asked));
    expect(valueFrom(await serve(asked))).toEqual(first);
    const both = valueFrom(await serve(demand([one, two], transport)));
    expect(both.transport).toEqual(first.transport);
    expect(both.producers[0]).toEqual(first.producers[0]);
    expect(idsIn(await serve(demand([two], transport)))).toEqual([two]);
    expect(streams()).toBe(1);
    expect(rig.pipes()).toHaveLength(1);
  });

  test('MD-2 another end is another pipe in place of the first', async () => {
    const one = await inState();
    const first = valueFrom(await serve(demand([one])));
    const second = valueFrom(await serve(demand([one])));
    expect(second.transport).not.toEqual(first.transport);
    expect(second.transport.srtpParameters).not.toEqual(first.transport.srtpParameters);
    expect(rig.pipes()).toHaveLength(1);
    expect(streams()).toBe(1);
  });

  test('MD-2 an empty demand ends the pipe, and so does one of which nothing is here', async () => {
    const one = await inState();
    for (const last of [[], [newId()]]) {
      valueFrom(await serve(demand([one])));
      expect(codeOf(await serve(demand(last)))).toBe('not_found');
      await until('it is closed', () => rig.pipes().length === 0);
    }
  });

  test('RE-1 a demand that a later one overtook is stale', async () => {
    const one = await inState();
    const [late, later] = [demand([]), demand([one])];
    valueFrom(await serve(later));
    expect(codeOf(await serve(late))).toBe('stale');
    expect(rig.pipes()).toHaveLength(1);
  });

  test('RE-1 demands that overlap: the last one stands, and nothing is left of the others', async () => {
    const [one, two] = [await inState(), await inState()];
    const transport = end();
    const asked = [demand([one], transport), demand([two], transport), demand([one]), demand([two])];
    const codes = (await Promise.all(asked.map((each) => serve(each)))).map(codeOf);
    expect(codes.at(-1)).toBe('ok');
    for (const code of codes) expect(['ok', 'stale', 'conflict']).toContain(code);
    await until('one pipe with one stream is left', () => rig.pipes().length === 1 && streams() === 1);
    expect(rig.pipeConsumers().map(({ producerId }) => producerId)).toEqual([two]);
    await rig.inWorkers();
  });

  test('RE-1 the last of two sets that overlap on one pipe is the one that is sent', async () => {
    const [one, two] = [await inState(), await inState()];
    const transport = end();
    const running = [serve(demand([one], transport)), serve(demand([two], transport))];
    expect((await Promise.all(running)).map(codeOf)).toEqual(['stale', 'ok']);
    expect(rig.pipeConsumers().map(({ producerId }) => producerId)).toEqual([two]);
  });

  test('RE-5 a microphone that closes while it is being piped leaves no stream behind', async () => {
    const stays = await inState();
    const transport = end();
    valueFrom(await serve(demand([stays], transport)));
    for (let round = 0; round < 20; round += 1) {
      const { person, producerId } = await opened();
      await person.commit(producerId, false);
      const running = serve(demand([stays, producerId], transport));
      for (let turn = 0; turn < round % 10; turn += 1) await Promise.resolve();
      rig.plane.unpublish(person.seat);
      expect(codeOf(await running)).toBe('ok');
    }
    await until('one stream is left', () => streams() === 1);
    await until('and so it is in the worker', async () => (await rig.inWorkers()).consumers === 1);
  });

  test('MD-2 several nodes that ask at once each have a pipe of their own', async () => {
    const one = await inState();
    const nodes = ['north', 'east', 'south'];
    const offers = await Promise.all(nodes.map(async (node) => valueFrom(await serve(demand([one]), node))));
    expect(new Set(offers.map(({ transport }) => transport.port)).size).toBe(3);
    expect(streams()).toBe(3);
    rig.plane.nodeGone('east');
    await until('one is gone', () => rig.pipes().length === 2 && streams() === 2);
  });

  test('RE-5 no more pipes than ports, and one that ends makes room for the next', async () => {
    await rig.close();
    await start(1);
    const one = await inState();
    valueFrom(await serve(demand([one]), 'north'));
    expect(codeOf(await serve(demand([one]), 'south'))).toBe('unavailable');
    expect(codeOf(await serve(demand([]), 'north'))).toBe('not_found');
    await until('its port is free', () => rig.pipes().length === 0);
    valueFrom(await serve(demand([one]), 'south'));
  });

  test('MO-1 MD-9 what is muted, demoted or closed is not sent, without the other node doing anything', async () => {
    const { person, producerId } = await opened();
    await person.commit(producerId, false);
    valueFrom(await serve(demand([producerId])));
    expect(rig.pipeConsumers().map(({ producerPaused }) => producerPaused)).toEqual([false]);
    await person.setMuted(true);
    await until('it is paused', () => rig.pipeConsumers()[0]?.producerPaused);
    await person.setMuted(false);
    await until('it is not', () => rig.pipeConsumers()[0]?.producerPaused === false);
    await person.leaveStage();
    await until('its stream is closed', () => streams() === 0);
  });

  test('RM-3 a room that closes in the middle of it leaves nothing, and nothing fails', async () => {
    for (let round = 0; round < 20; round += 1) {
      room = rig.room();
      const one = await inState();
      const running = ['north', 'south'].map((node) => serve(demand([one]), node));
      for (let turn = 0; turn < round % 5; turn += 1) await Promise.resolve();
      rig.plane.closeRoom(room.roomId);
      for (const served of await Promise.all(running))
        expect(['ok', 'conflict', 'not_found']).toContain(codeOf(served));
    }
    await until('nothing is open', () => rig.openHere() === 0);
    expect(await rig.inWorkers()).toEqual({ routers: 0, transports: 0, producers: 0, consumers: 0 });
  });

  test('MD-8 whatever is asked for while the worker dies is answered', async () => {
    const one = await inState();
    const running = ['north', 'east', 'south'].map((node) => serve(demand([one]), node));
    process.kill(rig.workers[0]?.pid ?? 0, 'SIGKILL');
    for (const served of await Promise.all(running)) expect(['ok', 'unavailable']).toContain(codeOf(served));
    await until('it is replaced', () => rig.plane.ready());
    expect(codeOf(await serve(demand([one])))).toBe('not_found');
  });

  test('MD-2 an address or ports that cannot be are said at the start, and nothing stays behind', async () => {
    const request = () => Promise.resolve(refuse('unavailable'));
    const ports = { min: 30_000, max: 30_009 };
    await expect(Rig.start({ pipes: { request, address: 'node.example', ports } })).rejects.toThrow(/pipe address/);
    const none = { min: 30_009, max: 30_000 };
    await expect(Rig.start({ pipes: { request, address: '127.0.0.1', ports: none } })).rejects.toThrow(/pipe ports/);
  });

  test('MD-2 a node without a way to others gives them nothing', async () => {
    await rig.close();
    rig = await Rig.start();
    room = rig.room();
    expect(codeOf(await serve(demand([await inState()])))).toBe('not_found');
  });
});
