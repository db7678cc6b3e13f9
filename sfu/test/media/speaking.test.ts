import { defaultLimits } from '@rostrum/shared/limits.ts';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SpeakerMonitor } from '../../src/media/speaker-monitor.ts';
import { nextSpeaking, type Speaking } from '../../src/media/speaking.ts';

const rule = { onDbov: -50, offDbov: -60, holdMs: 750 };

describe('who speaks', () => {
  /** Levels of one person, one every 250 ms; undefined is not heard at all. Answers whether they speak, each time. */
  const course = (...levels: (number | undefined)[]): boolean[] => {
    let speaking: Speaking = new Map();
    return levels.map((level, index) => {
      speaking = nextSpeaking(speaking, new Map(level === undefined ? [] : [['ann', level]]), index * 250, rule);
      return speaking.has('ann');
    });
  };

  test('MD-4 starts at the upper level, not below it', () => {
    expect(course(-51, -50)).toEqual([false, true]);
  });

  test('MD-4 goes on at the lower level, for as long as it is reached', () => {
    expect(course(-50, -60, -60, -60, -60, -60)).toEqual([true, true, true, true, true, true]);
  });

  test('MD-4 a pause shorter than the hold is no end, a longer one is', () => {
    expect(course(-40, undefined, undefined, -40)).toEqual([true, true, true, true]);
    expect(course(-40, undefined, -61, undefined, -61)).toEqual([true, true, true, false, false]);
  });

  test('MD-4 never flickers faster than the hold, whatever the levels are', () => {
    const step = fc.record({
      afterMs: fc.integer({ min: 1, max: 1000 }),
      level: fc.option(fc.integer({ min: -127, max: 0 })),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let now = 0;
        let speaking: Speaking = new Map();
        let startedAt = 0;
        for (const { afterMs, level } of steps) {
          now += afterMs;
          const spoke = speaking.has('ann');
          speaking = nextSpeaking(speaking, new Map(level === null ? [] : [['ann', level]]), now, rule);
          const change = Number(speaking.has('ann')) - Number(spoke);
          if (change > 0) {
            expect(level).toBeGreaterThanOrEqual(rule.onDbov);
            startedAt = now;
          } else if (change < 0) {
            expect(now - startedAt).toBeGreaterThanOrEqual(rule.holdMs);
          }
        }
      }),
    );
  });
});

describe('what is told of it', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const monitor = () => {
    const told: { at: number; who: readonly string[] }[] = [];
    const start = performance.now();
    const watching = new SpeakerMonitor(defaultLimits, (who) => told.push({ at: performance.now() - start, who }));
    return {
      told,
      watching,
      loud: (...who: string[]) => watching.measured(new Map(who.map((userId) => [userId, -20]))),
    };
  };

  test('MD-4 tells the whole set when it changes, and nothing when it does not', () => {
    const { told, loud } = monitor();
    loud('ben');
    vi.advanceTimersByTime(250);
    loud('ben');
    vi.advanceTimersByTime(250);
    loud('ben', 'ann');
    expect(told).toEqual([
      { at: 0, who: ['ben'] },
      { at: 500, who: ['ann', 'ben'] },
    ]);
  });

  test('MD-4 tells the end by itself when the hold is over, as mediasoup reports silence only once', () => {
    const { told, watching, loud } = monitor();
    loud('ann');
    vi.advanceTimersByTime(250);
    watching.measured(new Map());
    vi.advanceTimersByTime(5000);
    expect(told).toEqual([
      { at: 0, who: ['ann'] },
      { at: 750, who: [] },
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('MD-4 tells at most once in an interval, and then the latest', () => {
    const { told, watching, loud } = monitor();
    loud('ann');
    vi.advanceTimersByTime(100);
    loud('ann', 'ben');
    vi.advanceTimersByTime(100);
    watching.stopped('ann');
    vi.advanceTimersByTime(5000);
    expect(told.map(({ who }) => who)).toEqual([['ann'], ['ben'], []]);
    expect(told[1]?.at).toBe(250);
    for (const [index, { at }] of told.entries())
      if (index > 0) expect(at - (told[index - 1]?.at ?? 0)).toBeGreaterThanOrEqual(250);
  });

  test('MD-4 somebody who is muted stops at once, without the hold', () => {
    const { told, watching, loud } = monitor();
    loud('ann');
    vi.advanceTimersByTime(300);
    watching.stopped('ann');
    expect(told.at(-1)).toEqual({ at: 300, who: [] });
  });

  test('MD-4 a room whose media is gone is silent, and says so once', () => {
    const { told, watching, loud } = monitor();
    loud('ann');
    watching.silence();
    watching.silence();
    vi.advanceTimersByTime(5000);
    expect(told.map(({ who }) => who)).toEqual([['ann'], []]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
