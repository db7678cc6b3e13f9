import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GateWorld, type Microphone, type Sound, steady, talk, turning, typing } from './gate-talk.ts';
import { check } from './world.ts';

const runs = { numRuns: 200 };
const packetMs = fc.constantFrom(20, 60);
const idOf = (index: number): string => `voice ${index}`;

/** Microphones from the sounds that they hear, each with packets of its own length. */
const microphonesOf = (sounds: readonly Sound[], times: readonly number[]): Microphone[] =>
  sounds.map((sound, index) => ({ id: idOf(index), packetMs: times[index % times.length] ?? 20, sound }));

const manyTimes = fc.array(packetMs, { minLength: 1, maxLength: 8 });
const phase = fc.nat({ max: 480 });

type Step =
  | { readonly type: 'present'; readonly ids: readonly number[] }
  | { readonly type: 'heard'; readonly id: number; readonly dBov: number | undefined; readonly afterMs: number };

const level = fc.oneof(fc.integer({ min: -127, max: 0 }), fc.constant(undefined));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ type: fc.constant('present'), ids: fc.uniqueArray(fc.nat({ max: 11 })) }) },
  {
    weight: 12,
    arbitrary: fc.record({
      type: fc.constant('heard'),
      id: fc.nat({ max: 11 }),
      dBov: level,
      afterMs: fc.oneof(fc.constant(0), fc.nat({ max: 20 }), fc.nat({ max: 3000 })),
    }),
  },
);

test('MD-6 as many are let through as there are places, whoever comes, goes, mutes or is loud', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 200 }), (voices, steps) => {
      const world = new GateWorld(voices);
      for (const one of steps) {
        if (one.type === 'present') world.follow(one.ids.map(idOf));
        else {
          world.now += one.afterMs;
          // What comes of somebody who is not there any more changes nothing; the world checks it all.
          world.heard(idOf(one.id), one.dBov);
        }
      }
    }),
    runs,
  );
});

test('MD-6 a person who begins to speak is let in with their first loud packet while a place is free of speech', () => {
  const scene = fc.record({
    voices: fc.integer({ min: 2, max: 5 }),
    silent: fc.integer({ min: 1, max: 6 }),
    times: manyTimes,
    phases: fc.array(phase, { minLength: 5, maxLength: 5 }),
    noise: fc.integer({ min: -90, max: -45 }),
    voice: fc.integer({ min: -30, max: -10 }),
    beginsAt: fc.integer({ min: 8000, max: 12_000 }),
  });
  fc.assert(
    fc.property(scene, ({ voices, silent, times, phases, noise, voice, beginsAt }) => {
      // All places but one are held by people who talk; the rest are silent, the last of whom will speak.
      const talkers = Array.from({ length: voices - 1 }, (_, index) => talk(-25, phases[index]));
      const others = Array.from({ length: silent }, () => steady(noise));
      const microphones = microphonesOf([...talkers, ...others, steady(noise)], times);
      const world = new GateWorld(voices);
      world.follow(microphones.map(({ id }) => id).reverse());
      world.run(microphones, beginsAt);
      const last = microphones.at(-1)?.id ?? '';
      world.heard(last, voice);
      check(world.open.has(last), 'is let in', [...world.open]);
      for (let index = 0; index < voices - 1; index += 1)
        check(world.open.has(idOf(index)), 'whoever talks stays', [...world.open]);
    }),
    runs,
  );
});

test('MD-6 the loudest of steady talkers are let through after a few seconds, and stay', () => {
  const scene = fc.record({
    voices: fc.integer({ min: 1, max: 4 }),
    louder: fc.shuffledSubarray([-10, -17, -24, -31, -38], { minLength: 2 }),
    times: manyTimes,
    phases: fc.array(phase, { minLength: 5, maxLength: 5 }),
  });
  fc.assert(
    fc.property(scene, ({ voices, louder, times, phases }) => {
      const microphones = microphonesOf(
        louder.map((dBov, index) => talk(dBov, phases[index])),
        times,
      );
      const world = new GateWorld(voices);
      world.follow(microphones.map(({ id }) => id));
      world.run(microphones, 8000);
      const loudest = louder.map((dBov, index) => ({ id: idOf(index), dBov })).sort((a, b) => b.dBov - a.dBov);
      const expected = loudest.slice(0, voices).map(({ id }) => id);
      expect([...world.open].sort()).toEqual(expected.sort());
      const settled = world.now;
      world.run(microphones, 10_000);
      expect(world.switchesSince(settled)).toBe(0);
    }),
    runs,
  );
});

test('MD-6 however somebody plays with their level, a place changes hands at most so often', () => {
  const scene = fc.record({
    voices: fc.integer({ min: 1, max: 4 }),
    levels: fc.array(fc.array(fc.integer({ min: -127, max: 0 }), { minLength: 1, maxLength: 40 }), {
      minLength: 2,
      maxLength: 10,
    }),
    lengthMs: fc.integer({ min: 20, max: 1000 }),
    times: manyTimes,
  });
  fc.assert(
    fc.property(scene, ({ voices, levels, lengthMs, times }) => {
      const sounds = levels.map(
        (course): Sound =>
          (ms) =>
            course[Math.floor(ms / lengthMs) % course.length],
      );
      const world = new GateWorld(voices);
      const microphones = microphonesOf(sounds, times);
      world.follow(microphones.map(({ id }) => id));
      const from = world.now;
      world.run(microphones, 20_000);
      // A place is kept for 800 ms by whoever talks: 75 changes a minute at most. Besides, everybody may be taken for talking
      // once in ten seconds who then does not.
      const most = voices * (20_000 / 800 + 1) + levels.length * (20_000 / 10_000 + 1);
      check(world.switchesSince(from) <= most, 'is bounded', world.switchesSince(from));
    }),
    { numRuns: 100 },
  );
});

test('MD-6 a fan and a keyboard hold no place against people who talk, and do not take turns with each other', () => {
  const scene = fc.record({
    talkers: fc.integer({ min: 1, max: 4 }),
    noises: fc.array(fc.constantFrom('fan', 'keys'), { minLength: 4, maxLength: 6 }),
    fan: fc.integer({ min: -54, max: -30 }),
    keys: fc.integer({ min: -50, max: -32 }),
    times: manyTimes,
    phases: fc.array(phase, { minLength: 10, maxLength: 10 }),
  });
  fc.assert(
    fc.property(scene, ({ talkers, noises, fan, keys, times, phases }) => {
      const noisy = noises.map((noise, index) => (noise === 'fan' ? steady(fan) : typing(keys, phases[index])));
      const speakers = Array.from({ length: talkers }, (_, index) =>
        turning(steady(-80), 19_000 + 500 * index, talk(-22, phases[4 + index])),
      );
      // A key that falls on two packets of 60 ms is as long as a word.
      const microphones = microphonesOf([...noisy, ...speakers], times).map((one, index) =>
        noises[index] === 'keys' ? { ...one, packetMs: 20 } : one,
      );
      const world = new GateWorld(4);
      world.follow(microphones.map(({ id }) => id));
      world.run(microphones, 14_000);
      const noticed = world.now;
      world.run(microphones, 4500);
      // Each place may go from one noise to another once in five seconds.
      check(world.switchesSince(noticed) <= 4, 'noises are not switched to and fro', world.switchesSince(noticed));
      world.run(microphones, 4000);
      for (let index = 0; index < talkers; index += 1)
        check(world.open.has(idOf(noises.length + index)), 'whoever talks is heard', [...world.open]);
    }),
    runs,
  );
});

test('MD-6 a voice keeps its place through pauses while nobody else talks', () => {
  const scene = fc.record({
    pauseMs: fc.integer({ min: 100, max: 3000 }),
    others: fc.integer({ min: 4, max: 8 }),
    times: manyTimes,
  });
  fc.assert(
    fc.property(scene, ({ pauseMs, others, times }) => {
      const paused = turning(talk(-22), 5000, turning(steady(-80), 5000 + pauseMs, talk(-22)));
      const microphones = microphonesOf([paused, ...Array.from({ length: others }, () => steady(-75))], times);
      const world = new GateWorld(4);
      world.follow(microphones.map(({ id }) => id).reverse());
      world.run(microphones, 4900);
      const before = world.now;
      world.run(microphones, pauseMs + 1000);
      check(world.open.has(idOf(0)), 'is open');
      check(world.switchesSince(before) === 0, 'nothing was switched', world.changes);
    }),
    runs,
  );
});

test('MD-6 a voice keeps its place through a pause while others type, and gives it to who talks', () => {
  const scene = fc.record({
    pauseMs: fc.integer({ min: 400, max: 1400 }),
    keys: fc.integer({ min: -50, max: -20 }),
    phases: fc.array(phase, { minLength: 3, maxLength: 3 }),
    times: manyTimes,
  });
  fc.assert(
    fc.property(scene, ({ pauseMs, keys, phases, times }) => {
      const paused = turning(talk(-22), 6000, steady(-80));
      const typists = phases.map((one) => typing(keys, one));
      const microphones = microphonesOf([paused, ...typists], [20]);
      const world = new GateWorld(1);
      world.follow(microphones.map(({ id }) => id));
      world.run(microphones, 6000 + pauseMs);
      check(world.open.has(idOf(0)), 'is open', world.changes);
      const talker = { id: 'talker', packetMs: times[0] ?? 20, sound: talk(-25) };
      world.follow([...world.present, 'talker']);
      world.run([...microphones, talker], 400);
      check(world.open.has('talker'), 'gives it', world.changes);
    }),
    runs,
  );
});

test('MD-6 the place of who goes is given to whoever talks and waits', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      manyTimes,
      fc.array(phase, { minLength: 7 }),
      (voices, times, phases) => {
        // One talker more than places, and people who are silent.
        const talkers = Array.from({ length: voices + 1 }, (_, index) => talk(-25, phases[index]));
        const microphones = microphonesOf([...talkers, steady(-80), steady(-80)], times);
        const world = new GateWorld(voices);
        world.follow(microphones.map(({ id }) => id).reverse());
        world.run(microphones, 6000);
        const waits = microphones.slice(0, voices + 1).find(({ id }) => !world.open.has(id))?.id ?? '';
        const [goes] = world.open;
        world.follow([...world.present].filter((id) => id !== goes));
        check(world.open.has(waits), 'it is given to who waits', waits, [...world.open]);
      },
    ),
    runs,
  );
});

test('MD-6 a voice whose packets say no level is let in while others are silent, and yields to who is louder', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      manyTimes,
      fc.array(phase, { minLength: 4 }),
      (voices, times, phases) => {
        const world = new GateWorld(voices);
        const silent = microphonesOf(
          Array.from({ length: voices }, () => steady(-80)),
          times,
        );
        world.follow([...silent.map(({ id }) => id), 'unknown']);
        world.run(silent, 3000);
        const unknown = { id: 'unknown', packetMs: 20, sound: steady(-30), saysLevel: false };
        world.run([unknown], 25);
        check(world.open.has('unknown'), 'is let in');
        const talkers = silent.map((one, index): Microphone => ({ ...one, sound: talk(-25, phases[index]) }));
        world.run([unknown, ...talkers], 6000);
        check(!world.open.has('unknown'), 'yields', [...world.open]);
      },
    ),
    { numRuns: 50 },
  );
});
