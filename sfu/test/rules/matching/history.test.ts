import { defaultLimits } from '@rostrum/shared/limits.ts';
import { describe, expect, test } from 'vitest';
import { historyFrom, keptApart, needsRelay, remembering } from '../../../src/rules/matching/history.ts';
import { type History, noHistory } from '../../../src/rules/matching/ticket.ts';
import { hour, idOf, minute, nameOf, second, start } from '../support.ts';
import { later } from './support.ts';

const names = (entries: History['recent']): string[] => entries.map(({ userId }) => nameOf(userId));
const failing = (times: number, partner: (index: number) => string = (index) => `partner${index}`): History =>
  Array.from({ length: times }, (_, index) => index).reduce(
    (history, index) => remembering(history, idOf(partner(index)), 'failed', later(index)),
    noHistory,
  );

describe('What is remembered of calls', () => {
  test('RQ-4 every partner for 10 minutes, whatever became of the call, the latest last and each once', () => {
    let history = remembering(noHistory, idOf('ben'), 'connected', later(0));
    history = remembering(history, idOf('cem'), 'skipped', later(second));
    history = remembering(history, idOf('dan'), 'failed', later(2 * second));
    history = remembering(history, idOf('ben'), 'skipped', later(3 * second));
    expect(names(history.recent)).toEqual(['cem', 'dan', 'ben']);
    expect(history.recent.at(-1)?.until).toBe(start + 3 * second + 10 * minute);
    expect(names(remembering(history, idOf('eva'), 'connected', later(10 * minute + second)).recent)).toEqual([
      'dan',
      'ben',
      'eva',
    ]);
  });

  test('RE-5 no more than 50 of them, the latest', () => {
    const many = failing(defaultLimits.rememberedPartners + 10);
    expect(names(many.recent)).toHaveLength(50);
    expect(names(many.failed)).toHaveLength(50);
    expect(names(many.recent).at(0)).toBe('partner10');
  });

  test('RD-3 how often connecting to somebody failed, for an hour after the last time', () => {
    const once = remembering(noHistory, idOf('ben'), 'failed', later(0));
    expect(keptApart(once, idOf('ben'), later(second))).toBe(false);
    const twice = remembering(once, idOf('ben'), 'failed', later(10 * minute));
    expect(twice.failed).toEqual([{ userId: idOf('ben'), times: 2, until: start + 10 * minute + hour }]);
    expect(keptApart(twice, idOf('ben'), later(10 * minute + hour - 1))).toBe(true);
    expect(keptApart(twice, idOf('ben'), later(10 * minute + hour))).toBe(false);
    expect(keptApart(twice, idOf('cem'), later(11 * minute))).toBe(false);
  });

  test('RD-3 a failure that is longer ago than that counts no more', () => {
    const once = remembering(noHistory, idOf('ben'), 'failed', later(0));
    const again = remembering(once, idOf('ben'), 'failed', later(hour));
    expect(again.failed).toMatchObject([{ times: 1 }]);
  });

  test('RD-3 failures in a row end with a call that connects, not with one that was skipped', () => {
    const two = failing(2);
    expect(two.failuresInARow).toBe(2);
    expect(remembering(two, idOf('ben'), 'skipped', later(minute)).failuresInARow).toBe(2);
    expect(remembering(two, idOf('ben'), 'connected', later(minute)).failuresInARow).toBe(0);
  });

  test('RD-3 after three failures in a row the relay is needed, and stays so once a call has connected through it', () => {
    expect(needsRelay(failing(2), defaultLimits)).toBe(false);
    expect(needsRelay(failing(3), defaultLimits)).toBe(true);
    const relayed = remembering(failing(3), idOf('ben'), 'connected', later(minute));
    expect(relayed.failuresInARow).toBe(0);
    expect(needsRelay(relayed, defaultLimits)).toBe(true);
    const broken = remembering(failing(2), idOf('ben'), 'connected', later(minute));
    expect(needsRelay(remembering(broken, idOf('cem'), 'failed', later(minute)), defaultLimits)).toBe(false);
  });

  test('RQ-4 RD-3 a restart finds the same in the records', () => {
    const calls = [
      { partnerId: idOf('ben'), endedAt: start, connected: false, failed: true },
      { partnerId: idOf('cem'), endedAt: start + minute, connected: true, failed: false },
      { partnerId: idOf('ben'), endedAt: start + 5 * minute, connected: false, failed: true },
      { partnerId: idOf('dan'), endedAt: start + 6 * minute, connected: false, failed: false },
    ];
    const lived = calls.reduce((history, { partnerId, endedAt, connected, failed }) => {
      if (failed) return remembering(history, partnerId, 'failed', later(endedAt - start));
      return remembering(history, partnerId, connected ? 'connected' : 'skipped', later(endedAt - start));
    }, noHistory);
    expect(historyFrom(calls.toReversed(), later(6 * minute))).toEqual(lived);
    expect(lived).toMatchObject({ failuresInARow: 1, failed: [{ userId: idOf('ben'), times: 2 }] });
    expect(names(historyFrom(calls.toReversed(), later(11 * minute)).recent)).toEqual(['ben', 'dan']);
    expect(historyFrom([], later(0))).toEqual(noHistory);
  });
});
