import { expect, test } from 'vitest';
import { StageGate } from '../../src/media/stage-gate.ts';
import { GateWorld, ruleOf, steady, talk, turning } from '../property/gate-talk.ts';

test('MD-6 with no more microphones than places everybody is let through, whatever they sound like', () => {
  const told: [string, boolean][] = [];
  const gate = new StageGate(ruleOf(2), (id, isOpen) => told.push([id, isOpen]));
  gate.follow(new Set(['ann']));
  gate.follow(new Set(['ann', 'ben']));
  for (let ms = 0; ms < 10_000; ms += 20) gate.heard('ann', -127, ms);
  expect(told).toEqual([
    ['ann', true],
    ['ben', true],
  ]);
});

test('MD-6 a microphone too many waits until it is heard, and what it replaces is closed after it', () => {
  const told: [string, boolean][] = [];
  const gate = new StageGate(ruleOf(2), (id, isOpen) => told.push([id, isOpen]));
  gate.follow(new Set(['ann', 'ben', 'cat']));
  told.length = 0;
  // All three are silent, and send what Opus sends of silence.
  for (let ms = 0; ms < 1200; ms += 400) for (const id of ['ann', 'ben', 'cat']) gate.heard(id, -90, ms);
  gate.heard('cat', -60, 1200);
  expect(gate.isOpen('cat')).toBe(false);
  gate.heard('cat', -50, 1220);
  expect(told).toEqual([
    ['cat', true],
    ['ann', false],
  ]);
  expect(['ann', 'ben', 'cat'].map((id) => gate.isOpen(id))).toEqual([false, true, true]);
});

test('MD-6 whoever mutes gives their place away, and comes back as somebody who waits', () => {
  const gate = new StageGate(ruleOf(1), () => undefined);
  gate.follow(new Set(['ann', 'ben']));
  gate.follow(new Set(['ben']));
  gate.follow(new Set(['ann', 'ben']));
  expect([gate.isOpen('ann'), gate.isOpen('ben')]).toEqual([false, true]);
});

test('MD-6 of two who talk and wait the louder one gets the place that comes free', () => {
  for (const [louder, softer] of [
    ['ben', 'cat'],
    ['cat', 'ben'],
  ] as const) {
    const world = new GateWorld(1);
    world.follow(['ann', 'ben', 'cat']);
    const people = [
      { id: 'ann', packetMs: 20, sound: talk(-18) },
      { id: louder, packetMs: 20, sound: talk(-21) },
      { id: softer, packetMs: 60, sound: talk(-24) },
    ];
    world.run(people, 4000);
    expect([...world.open]).toEqual(['ann']);
    world.follow(['ben', 'cat']);
    expect([...world.open]).toEqual([louder]);
  }
});

test('MD-6 once a loud fan is off, a soft voice is let in with its first packet again', () => {
  const world = new GateWorld(1);
  world.follow(['ann', 'ben']);
  const ben = { id: 'ben', packetMs: 20, sound: turning(steady(-35), 8000, steady(-75)) };
  world.run([ben], 9000);
  const ann = { id: 'ann', packetMs: 20, sound: talk(-25) };
  // Somebody else talks for a moment and stops, so the place is theirs.
  world.run([ann, ben], 400);
  world.run([{ ...ann, sound: steady(-80) }, ben], 2000);
  expect([...world.open]).toEqual(['ann']);
  world.heard('ben', -48);
  expect([...world.open]).toEqual(['ben']);
});

test('MD-6 packets of 20 and of 60 ms count by the time that they stand for', () => {
  const contest = (packetMs: number): number => {
    const world = new GateWorld(1);
    world.follow(['ann', 'ben']);
    const people = [
      { id: 'ann', packetMs: 20, sound: talk(-40) },
      { id: 'ben', packetMs, sound: turning(steady(-80), 3000, talk(-20, 120)) },
    ];
    world.run(people, 6000);
    return world.changes.find(({ id, isOpen, at }) => id === 'ben' && isOpen && at > 0)?.at ?? Number.NaN;
  };
  expect(contest(60) - contest(20)).toBeLessThanOrEqual(60);
  expect(contest(60) - contest(20)).toBeGreaterThanOrEqual(-60);
});

test('MD-6 when everything stood still for a moment, whoever talks is not taken for silent', () => {
  const world = new GateWorld(2);
  const people = ['ann', 'ben', 'cat'].map((id) => ({ id, packetMs: 20, sound: talk(-25) }));
  world.follow(people.map(({ id }) => id));
  world.run(people, 5000);
  const before = [...world.open];
  const waits = people.find(({ id }) => !world.open.has(id))?.id ?? '';
  world.now += 900;
  world.heard(waits, -25);
  expect([...world.open]).toEqual(before);
  world.run(people, 1000);
  expect([...world.open]).toEqual(before);
});

test('MD-6 whoever talks when the gate begins to choose keeps their place, also when it has chosen before', () => {
  const world = new GateWorld(2);
  const talkers = ['ann', 'ben'].map((id) => ({ id, packetMs: 20, sound: talk(-25) }));
  for (let time = 0; time < 2; time += 1) {
    // Nobody listens while there are places enough.
    world.follow(['ann', 'ben']);
    world.now += 60_000;
    world.follow(['ann', 'ben', 'cat']);
    world.heard('cat', -20);
    world.run([...talkers, { id: 'cat', packetMs: 20, sound: talk(-24, 100) }], 5000);
    expect([...world.open]).toEqual(['ann', 'ben']);
    // Both are silent when the gate ceases to choose, and talk again when it begins.
    world.run(
      ['ann', 'ben', 'cat'].map((id) => ({ id, packetMs: 20, sound: steady(-80) })),
      2000,
    );
  }
});

test('MD-6 somebody who coughed makes room for who talks, however short they have had the place', () => {
  const world = new GateWorld(1);
  world.follow(['ann', 'ben', 'cat']);
  const silent = ['ann', 'ben', 'cat'].map((id) => ({ id, packetMs: 20, sound: steady(-80) }));
  world.run(silent, 1000);
  world.heard('ben', -30);
  expect([...world.open]).toEqual(['ben']);
  world.run(silent, 400);
  world.heard('cat', -30);
  expect([...world.open]).toEqual(['cat']);
});
