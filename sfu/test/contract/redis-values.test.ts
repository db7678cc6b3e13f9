import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCall, readHistory, readTicket } from '../../src/state/redis/call-values.ts';
import { CorruptState } from '../../src/state/redis/corrupt.ts';
import { canonical, readCount } from '../../src/state/redis/json.ts';
import { Recent } from '../../src/state/redis/recent.ts';
import { readControl, readSeat, readStanding } from '../../src/state/redis/room-values.ts';
import { callSteps } from '../property/call-steps.ts';
import { CallWorld, callBeginning, playCall } from '../property/call-world.ts';
import { steps } from '../property/steps.ts';
import { beginning, play, World } from '../property/world.ts';
import { callOf, historyWith, ticket } from './call-store.support.ts';

type Read<Value> = (text: string, where: string) => Value;

const survives = <Value>(value: Value, read: Read<Value>): void => {
  expect(read(JSON.stringify(value), 'the key')).toStrictEqual(value);
  expect(read(canonical(value), 'the key')).toStrictEqual(value);
};

const changed = <Value>(before: ReadonlyMap<string, Value>, after: ReadonlyMap<string, Value>): Value[] =>
  [...after].flatMap(([key, value]) => (before.get(key) === value ? [] : [value]));

describe('values in Redis', () => {
  it('RE-1 gives back every state of a room that the rules can make', () => {
    fc.assert(
      fc.property(beginning, steps(60), (begun, taken) => {
        const world = new World(begun);
        survives(world.state.control, readControl);
        play(world, taken, ({ before, after }) => {
          if (after.control !== before.control) survives(after.control, readControl);
          for (const seat of changed(before.audience, after.audience)) survives(seat, readSeat);
          for (const standing of changed(before.standings, after.standings)) survives(standing, readStanding);
        });
      }),
      { numRuns: 100 },
    );
  });

  it('RE-1 gives back every state of a call that the rules can make, and what is left of it', () => {
    fc.assert(
      fc.property(callBeginning, callSteps(30), (begun, taken) => {
        const world = new CallWorld(begun);
        survives(world.state, readCall);
        playCall(world, taken, ({ before, after, closing }) => {
          if (after !== before) survives(after, readCall);
          for (const history of closing.histories.values()) survives(history, readHistory);
          for (const again of closing.requeue) survives(again.ticket, readTicket);
        });
      }),
      { numRuns: 100 },
    );
  });

  it('writes equal values as equal texts, whatever the order of their fields', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.infiniteStream(fc.nat()), (value, chance) => {
        expect(canonical(shuffled(value, chance))).toBe(canonical(value));
        expect(JSON.parse(canonical(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('keeps what a node of the next version has written', () => {
    const one = ticket();
    const next = { ...one, colour: 'red', seeker: { ...one.seeker, mood: { good: true } } };
    expect(readTicket(JSON.stringify(next), 'the key')).toEqual(next);
  });

  it.each([
    ['text that is no JSON', '{"ticketId":'],
    ['nothing', ''],
    ['a list', '[]'],
    ['another kind of value', JSON.stringify(callOf(ticket(), ticket()))],
    ['a field of another type', JSON.stringify({ ...ticket(), queuedAt: 'yesterday' })],
    ['a time that is no whole number', JSON.stringify({ ...ticket(), queuedAt: 1.5 })],
    ['a word that is not in the list', JSON.stringify({ ...ticket(), relaxed: ['height'] })],
    ['a field that is missing', JSON.stringify({ ...ticket(), history: undefined })],
  ])('SE-4 says which key holds %s, and nothing of what it holds', (_, text) => {
    const failure = thrownBy(() => readTicket(text, 'rostrum:person:ana'));
    expect(failure).toBeInstanceOf(CorruptState);
    expect(String(failure)).toContain('rostrum:person:ana');
    expect(String(failure)).not.toContain('yesterday');
  });

  it.each([null, '', '-1', '1.5', '1e3', 'ten', '9'.repeat(16)])('reads no count from %j', (text) => {
    expect(() => readCount(text, 'the key')).toThrow(CorruptState);
  });

  it('reads what is small, empty or at its limit', () => {
    survives(historyWith('ana'), readHistory);
    survives({ recent: [], failed: [], failuresInARow: 0, relay: true }, readHistory);
    survives({}, readStanding);
    expect(readCount('0', 'the key')).toBe(0);
    expect(readCount('999999999999999', 'the key')).toBe(999_999_999_999_999);
  });
});

describe('what a node remembers of Redis', () => {
  it('RE-5 is no more than it may be: what was not used for longest goes', () => {
    const recent = new Recent<{ stamp: string }>(2);
    const values = ['one', 'two', 'three'].map((stamp) => ({ stamp }));
    for (const value of values.slice(0, 2)) recent.set(value.stamp, value);
    expect(recent.get('one')).toBe(values[0]);
    for (const value of values.slice(2)) recent.set(value.stamp, value);
    expect(['one', 'two', 'three'].map((name) => recent.get(name)?.stamp)).toEqual(['one', undefined, 'three']);
    recent.delete('one');
    expect(recent.get('one')).toBeUndefined();
  });
});

const thrownBy = (task: () => unknown): unknown => {
  try {
    return task();
  } catch (error) {
    return error;
  }
};

/** The same value, with the fields of each object in another order. */
const shuffled = (value: unknown, chance: Iterator<number>): unknown => {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, chance));
  if (typeof value !== 'object' || value === null) return value;
  const weighed = Object.entries(value).map(([key, item]) => ({ key, item, weight: Number(chance.next().value) }));
  const ordered = weighed.toSorted((one, other) => one.weight - other.weight);
  return Object.fromEntries(ordered.map(({ key, item }) => [key, shuffled(item, chance)]));
};
