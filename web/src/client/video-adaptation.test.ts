import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Adaptation, adapt, type Measured, rungs, startAdaptation, videoOff } from './video-adaptation.ts';

const good: Measured = { lossPercent: 0, roundTripMs: 40, available: null };
const bad: Measured = { ...good, lossPercent: 8 };
const middling: Measured = { ...good, lossPercent: 4 };

/** After so many looks of 2 s at a path like this. */
const afterLooks = (from: Adaptation, measured: Measured, looks: number): Adaptation =>
  Array.from({ length: looks }).reduce<Adaptation>((now) => adapt(now, measured, 2000), from);

const measuredArbitrary: fc.Arbitrary<Measured> = fc.record({
  lossPercent: fc.double({ min: 0, max: 60, noNaN: true }),
  roundTripMs: fc.double({ min: 0, max: 2000, noNaN: true }),
  available: fc.option(fc.integer({ min: 10_000, max: 10_000_000 })),
});

describe('RD-11 video follows the path', () => {
  test('RD-11 starts at 640×360 and 15 frames a second', () => {
    expect(rungs[startAdaptation.level]).toMatchObject({ width: 640, height: 360, framesPerSecond: 15 });
  });

  test('RD-11 is raised to 1280×720, 30 frames a second and 2 Mb/s when the path allows for a while', () => {
    expect(afterLooks(startAdaptation, good, 1).level).toBe(startAdaptation.level);
    const best = afterLooks(startAdaptation, good, 30);
    expect(rungs[best.level]).toEqual({ width: 1280, height: 720, framesPerSecond: 30, bitrate: 2_000_000 });
  });

  test('RD-11 goes down by bitrate, then frame rate, then resolution, then altogether; and comes back step by step', () => {
    const what = (level: number) => rungs[level];
    const changed = rungs.slice(1).map((rung, index) => {
      const before = what(index);
      if (before?.height !== rung.height) return 'resolution';
      return before.framesPerSecond === rung.framesPerSecond ? 'bitrate' : 'frame rate';
    });
    expect(changed).toEqual(['bitrate', 'frame rate', 'resolution', 'bitrate', 'frame rate', 'resolution']);
    expect(afterLooks(startAdaptation, bad, 60).level).toBe(videoOff);
    const levels: number[] = [];
    let now = afterLooks(startAdaptation, bad, 60);
    for (let look = 0; look < 200; look += 1) {
      now = adapt(now, good, 2000);
      if (levels.at(-1) !== now.level) levels.push(now.level);
    }
    expect(levels).toEqual(Array.from({ length: videoOff + 1 }, (_, index) => videoOff - index));
  });

  test('RD-11 one bad look changes nothing, a heavy loss does at once', () => {
    expect(afterLooks(startAdaptation, bad, 1).level).toBe(startAdaptation.level);
    expect(afterLooks(startAdaptation, bad, 2).level).toBe(startAdaptation.level + 1);
    expect(afterLooks(startAdaptation, { ...bad, lossPercent: 30 }, 1).level).toBe(startAdaptation.level + 1);
  });

  test('RD-11 a long round trip, or a path that the browser thinks narrow, counts like loss', () => {
    expect(afterLooks(startAdaptation, { ...good, roundTripMs: 900 }, 2).level).toBe(startAdaptation.level + 1);
    expect(afterLooks(startAdaptation, { ...good, available: 100_000 }, 2).level).toBe(startAdaptation.level + 1);
    expect(afterLooks(startAdaptation, { ...good, available: 400_000 }, 60).level).toBe(startAdaptation.level);
    expect(afterLooks(startAdaptation, { ...good, roundTripMs: 400 }, 60).level).toBe(startAdaptation.level);
  });

  test('RD-11 a step up that does not hold is tried again later each time', () => {
    let now = startAdaptation;
    const waits: number[] = [];
    for (let trial = 0; trial < 6; trial += 1) {
      const { level } = now;
      let looks = 0;
      for (; now.level === level; looks += 1) now = adapt(now, good, 2000);
      waits.push(looks);
      while (now.level !== level) now = adapt(now, bad, 2000);
    }
    expect(waits).toEqual([...waits].sort((one, two) => one - two));
    expect(waits.at(-1)).toBeGreaterThan(4 * (waits[0] ?? 0));
    expect((waits.at(-1) ?? 0) * 2000).toBeLessThanOrEqual(60_000);
  });

  test('RD-11 one step at a time, within the ladder, whatever is measured', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(measuredArbitrary, fc.integer({ min: 1, max: 10_000 })), { maxLength: 100 }),
        (looks) => {
          let now = startAdaptation;
          for (const [measured, elapsedMs] of looks) {
            const next = adapt(now, measured, elapsedMs);
            expect(Math.abs(next.level - now.level)).toBeLessThanOrEqual(1);
            expect(next.level).toBeGreaterThanOrEqual(0);
            expect(next.level).toBeLessThanOrEqual(videoOff);
            // It gets better only over a good path, and worse only over a bad one.
            if (next.level < now.level) expect(measured.lossPercent).toBeLessThanOrEqual(2);
            if (next.level > now.level)
              expect(
                measured.lossPercent > 5 ||
                  measured.roundTripMs > 600 ||
                  (measured.available ?? Number.POSITIVE_INFINITY) < 800_000,
              ).toBe(true);
            now = next;
          }
        },
      ),
    );
  });

  test('RD-11 always comes back to the best over a path that stays good', () => {
    fc.assert(
      fc.property(fc.array(measuredArbitrary, { maxLength: 60 }), (looks) => {
        const troubled = looks.reduce<Adaptation>((now, measured) => adapt(now, measured, 2000), startAdaptation);
        expect(afterLooks(troubled, good, 400).level).toBe(0);
        expect(afterLooks(troubled, middling, 400).level).toBe(troubled.level);
      }),
    );
  });
});
