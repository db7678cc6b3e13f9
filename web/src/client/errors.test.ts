import { errorTable } from '@rostrum/shared/errors.ts';
import { describe, expect, test } from 'vitest';
import { backoffMs, connectionBackoff } from './backoff.ts';
import { failureOf } from './capture.ts';
import { fromWire, isPassing, RostrumError, unanswered, unreachable, waitOf } from './errors.ts';
import { phaseOfClose, phaseOfRefusal } from './room-phase.ts';

const refused = (code: keyof typeof errorTable): RostrumError => new RostrumError(code, errorTable[code].message);

describe('errors', () => {
  test('carry code, words, wait and path of what the server answered', () => {
    const error = fromWire({ code: 'rate_limited', message: 'Wait.', retryAfterMs: 700, path: 'title' });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ code: 'rate_limited', message: 'Wait.', retryAfterMs: 700, path: 'title' });
    expect(Object.keys(fromWire({ code: 'forbidden', message: '' }))).not.toContain('retryAfterMs');
  });

  test('are worth another attempt only where it may help', () => {
    for (const error of [
      unreachable(),
      unanswered(),
      refused('unavailable'),
      refused('rate_limited'),
      refused('node_full'),
    ]) {
      expect(isPassing(error), error.code).toBe(true);
    }
    for (const code of ['forbidden', 'kicked', 'room_ended', 'not_in_room', 'unauthorized', 'invalid'] as const) {
      expect(isPassing(refused(code)), code).toBe(false);
    }
    expect(isPassing(new Error('anything'))).toBe(false);
  });

  test('RE-5 make nobody wait longer than five minutes', () => {
    const waiting = (retryAfterMs: number) => new RostrumError('rate_limited', '', { retryAfterMs });
    expect(waitOf(waiting(5000), 100)).toBe(5000);
    expect(waitOf(waiting(50), 100)).toBe(100);
    expect(waitOf(waiting(1e9), 100)).toBe(300_000);
    expect(waitOf(new Error('anything'), 100)).toBe(100);
  });
});

describe('RE-2 after the connection came back', () => {
  test('RE-2 a seat that is refused ends the session in words that fit', () => {
    expect(phaseOfRefusal(refused('kicked'))).toEqual({ phase: 'removed', banned: false, byName: '', reason: null });
    expect(phaseOfRefusal(refused('banned'))).toMatchObject({ phase: 'removed', banned: true });
    expect(phaseOfRefusal(refused('room_ended'))).toEqual({ phase: 'ended', reason: 'unknown' });
    expect(phaseOfRefusal(refused('not_found'))).toEqual({ phase: 'ended', reason: 'unknown' });
    expect(phaseOfRefusal(refused('room_full'))).toMatchObject({ phase: 'refused', error: { code: 'room_full' } });
    expect(phaseOfRefusal(new TypeError('bug'))).toMatchObject({ phase: 'refused', error: { code: 'internal' } });
  });

  test('ID-5 a session that another page took over is elsewhere', () => {
    expect(phaseOfClose('replaced')).toEqual({ phase: 'elsewhere' });
    expect(phaseOfClose('by-client')).toEqual({ phase: 'left' });
    expect(phaseOfClose('unauthorized')).toMatchObject({ phase: 'refused', error: { code: 'unauthorized' } });
  });
});

describe('RE-2 back-off', () => {
  const steps = Array.from({ length: 30 }, (_, attempt) => attempt);

  test('RE-2 begins soon, grows, and stays under its limit for ever', () => {
    for (const random of [() => 0, () => 0.5, () => 0.999]) {
      const waits = steps.map((attempt) => backoffMs(attempt, connectionBackoff, random));
      expect(waits[0]).toBeLessThanOrEqual(500);
      expect(Math.max(...waits)).toBeLessThanOrEqual(8000);
      expect(waits).toEqual([...waits].sort((one, other) => one - other));
    }
    expect(backoffMs(1e9, connectionBackoff, () => 1)).toBe(8000);
  });

  test('RE-2 has several attempts within the grace of a seat', () => {
    let passed = 0;
    let attempts = 0;
    while (passed < 15_000) {
      passed += backoffMs(attempts, connectionBackoff, () => 1);
      attempts += 1;
    }
    expect(attempts).toBeGreaterThanOrEqual(5);
  });

  test('RE-3 spreads the people of a node that died', () => {
    const first = Array.from({ length: 200 }, () => backoffMs(0, connectionBackoff));
    expect(Math.max(...first) - Math.min(...first)).toBeGreaterThan(150);
  });
});

test('WB-3 why a microphone cannot be opened, by the error of the browser', () => {
  const named = (name: string) => new DOMException('', name);
  expect(failureOf(named('NotAllowedError'))).toBe('denied');
  expect(failureOf(named('NotFoundError'))).toBe('missing');
  expect(failureOf(named('NotReadableError'))).toBe('busy');
  expect(failureOf(named('OverconstrainedError'))).toBe('missing');
  expect(failureOf(new TypeError('getUserMedia is not a function'))).toBe('unsupported');
  expect(failureOf(undefined)).toBe('unsupported');
});
