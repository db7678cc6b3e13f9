import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { levelIn } from '../../src/media/rtp-level.ts';
import { pause, until } from './harness.ts';
import { LevelsStage, rtpPacket } from './levels-stage.ts';

describe('the level in a packet', () => {
  const packet = { ssrc: 7, sequence: 1, timestamp: 960 };

  test('MD-6 is read from the header extension, whatever stands before it', () => {
    for (const dBov of [0, -1, -55, -127]) expect(levelIn(rtpPacket({ ...packet, dBov }), 3)).toBe(dBov);
    const plain = rtpPacket(packet);
    const withBlock = (profile: number, ...block: number[]) => {
      const head = Buffer.from(plain.subarray(0, 12));
      head[0] = 0x90;
      const words = Buffer.from([profile >> 8, profile & 0xff, 0, Math.ceil(block.length / 4)]);
      const padded = Buffer.concat([Buffer.from(block)], 4 * Math.ceil(block.length / 4));
      return Buffer.concat([head, words, padded, Buffer.alloc(20)]);
    };
    // One-byte headers (RFC 8285 section 4.2): padding, another element, then ours with the bit that says "voice".
    expect(levelIn(withBlock(0xbede, 0, 0, 0x11, 9, 9, 0x30, 0x80 | 42), 3)).toBe(-42);
    // Two-byte headers (section 4.3), with bits for the application.
    expect(levelIn(withBlock(0x1005, 1, 2, 9, 9, 0, 3, 1, 42), 3)).toBe(-42);
    // Id 15 ends the one-byte form; an element without a value says nothing.
    expect(levelIn(withBlock(0xbede, 0xf0, 1, 0x30, 42), 3)).toBeUndefined();
    expect(levelIn(withBlock(0x1000, 3, 0, 0, 0), 3)).toBeUndefined();
  });

  test('MD-6 is not there where the packet says none, or under another id', () => {
    expect(levelIn(rtpPacket(packet), 3)).toBeUndefined();
    expect(levelIn(rtpPacket({ ...packet, dBov: -40 }), 4)).toBeUndefined();
    expect(levelIn(rtpPacket({ ...packet, dBov: -40 }), 0)).toBeUndefined();
  });

  test('SE-1 whatever the bytes are, reading them ends, does not throw, and finds a level or none', () => {
    const bytes = fc.uint8Array({ maxLength: 80 });
    const torn = fc.record({ dBov: fc.integer({ min: -127, max: 0 }), length: fc.nat({ max: 60 }), bytes });
    const isLevel = (level: number | undefined) => level === undefined || (level <= 0 && level >= -127);
    fc.assert(
      fc.property(bytes, fc.nat({ max: 20 }), (any, id) => isLevel(levelIn(Buffer.from(any), id))),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(torn, ({ dBov, length, bytes: noise }) => {
        const whole = rtpPacket({ ...packet, dBov });
        const broken = Buffer.concat([whole.subarray(0, length), Buffer.from(noise)]);
        return isLevel(levelIn(broken, 3)) && isLevel(levelIn(whole.subarray(0, length), 3));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the levels of a stage', () => {
  let stage: LevelsStage;
  beforeEach(async () => {
    stage = await LevelsStage.start();
  });
  afterEach(() => stage.close());

  test('MD-4 packets of 20 ms are measured by the worker, and this process gets none of them', async () => {
    const ann = await stage.microphone();
    await stage.levels.follow([ann], false);
    ann.speak(-30);
    await until('ann is heard', () => stage.levelOf(ann) === -30);
    ann.hush();
    await until('silence is told', () => stage.measured.at(-1)?.size === 0);
    expect(stage.open).toEqual({ observers: 1, transports: 0, meters: 0 });
    expect(stage.heard).toEqual([]);
  });

  test('MD-4 packets of 60 ms are measured too, of which the worker would tell nothing', async () => {
    const ann = await stage.microphone({ packetMs: 60 });
    const ben = await stage.microphone();
    await stage.levels.follow([ann, ben], false);
    expect(stage.open).toEqual({ observers: 0, transports: 1, meters: 2 });
    ann.speak(-30);
    ben.speak(-40);
    await until('both are heard', () => stage.levelOf(ann) === -30 && stage.levelOf(ben) === -40);
    ann.hush();
    ben.speak(-90);
    await until('silence is told', () => stage.measured.at(-1)?.size === 0);
    const told = stage.measured.length;
    await pause(600);
    expect(stage.measured.length, 'silence is told once').toBe(told);
    expect(stage.heard, 'there is nothing to choose').toEqual([]);
  });

  test('MD-6 while the gate has to choose, every packet is told with its level', async () => {
    const ann = await stage.microphone();
    const ben = await stage.microphone({ saysLevel: false });
    await stage.levels.follow([ann, ben], true);
    for (const dBov of [-20, -30, -127]) ann.send(dBov);
    ben.send();
    await until('all are heard', () => stage.heard.length === 4);
    const of = (producerId: string) =>
      stage.heard.filter((one) => one.producerId === producerId).map(({ dBov }) => dBov);
    expect(of(ann.producerId)).toEqual([-20, -30, -127]);
    expect(of(ben.producerId), 'a packet that says no level').toEqual([undefined]);
  });

  test('RE-5 what it takes is opened when it is needed, and closed when it is not', async () => {
    const ann = await stage.microphone();
    const ben = await stage.microphone();
    expect(stage.open).toEqual({ observers: 0, transports: 0, meters: 0 });
    await stage.levels.follow([ann, ben], false);
    expect(stage.open).toEqual({ observers: 1, transports: 0, meters: 0 });
    await stage.levels.follow([ann, ben], true);
    expect(stage.open).toEqual({ observers: 0, transports: 1, meters: 2 });
    await stage.levels.follow([ben], true);
    expect(stage.open).toEqual({ observers: 0, transports: 1, meters: 1 });
    ben.producer.close();
    await stage.levels.follow([ben, ann], true);
    expect(stage.open).toEqual({ observers: 0, transports: 1, meters: 1 });
    // The last of many calls counts, however they overlap.
    void stage.levels.follow([ann], false);
    void stage.levels.follow([], false);
    void stage.levels.follow([ann], true);
    await stage.levels.follow([ann], false);
    expect(stage.open).toEqual({ observers: 1, transports: 0, meters: 0 });
    ann.speak(-30);
    await until('ann is heard', () => stage.levelOf(ann) === -30);
    await stage.levels.follow([], false);
    expect(stage.open).toEqual({ observers: 0, transports: 0, meters: 0 });
  });

  test('MO-1 of somebody who is muted nothing is told any more', async () => {
    const ann = await stage.microphone();
    await stage.levels.follow([ann], true);
    ann.speak(-30);
    await until('ann is heard', () => stage.levelOf(ann) === -30);
    // The state says so before the worker does it: packets still come.
    ann.muted = true;
    const { length: heard } = stage.heard;
    const { length: told } = stage.measured;
    await until('silence is told', () => stage.measured.slice(told).some(({ size }) => size === 0));
    expect(stage.heard.length).toBe(heard);
    expect(stage.measured.slice(told).every((levels) => levels.size === 0)).toBe(true);
    ann.muted = false;
    await until('ann is heard again', () => stage.levelOf(ann) === -30);
  });

  test('SE-2 a client that sends thousands of packets a second costs no more than one that sends a hundred', async () => {
    const flood = await stage.microphone();
    const ann = await stage.microphone();
    await stage.levels.follow([flood, ann], true);
    ann.speak(-30);
    let messages = 0;
    stage.meters.find(({ producerId }) => producerId === flood.routedId)?.on('rtp', () => (messages += 1));
    const sendMany = setInterval(() => {
      for (let count = 0; count < 25; count += 1) flood.send(-10);
    }, 5);
    const heardOf = (producerId: string) => stage.heard.filter((one) => one.producerId === producerId).length;
    try {
      await until('it is not listened to', () => heardOf(flood.producerId) >= 500);
      await pause(1000);
      const { length: before } = stage.heard;
      const inAll = messages;
      // What was on its way when the worker was asked to stop; 5,000 more are sent in this second.
      await pause(1000);
      expect(heardOf(flood.producerId)).toBeLessThan(1000);
      expect(messages).toBe(inAll);
      expect(messages).toBeLessThan(2500);
      expect(stage.heard.length, 'others are heard').toBeGreaterThan(before);
    } finally {
      clearInterval(sendMany);
    }
    flood.speak(-20);
    await until('it is heard again when it sends as others do', () => stage.heard.at(-1)?.dBov === -20);
  });

  test('RE-5 a router that closes takes everything with it, and nothing is opened after it', async () => {
    const ann = await stage.microphone();
    const ben = await stage.microphone();
    await stage.levels.follow([ann], true);
    const following = stage.levels.follow([ann, ben], true);
    stage.router.close();
    stage.levels.close();
    await following;
    await stage.levels.follow([ann], true);
    await stage.levels.follow([ann], false);
    expect(stage.open).toEqual({ observers: 0, transports: 0, meters: 0 });
  });
});
