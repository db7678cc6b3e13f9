import { describe, expect, test } from 'vitest';
import { defaultLimits, type LimitDefinition, limitTable, sizes } from '../src/limits.ts';

const limits: [string, LimitDefinition][] = Object.entries(limitTable);

describe('The table of limits', () => {
  test.each(limits)(
    '%s is a whole number within what an operator may set, and says why',
    (_name, { value, min, max, reason }) => {
      expect([value, min, max].every(Number.isSafeInteger)).toBe(true);
      expect(min).toBeLessThanOrEqual(value);
      expect(value).toBeLessThanOrEqual(max);
      expect(min).toBeLessThan(max);
      expect(reason).toMatch(/^[A-Z]{2}-\d+: \S.{10,}/);
    },
  );

  test.each(limits)('%s has a unit that fits its name', (name, { unit }) => {
    expect(unit === 'ms').toBe(name.endsWith('Ms'));
    expect(unit === 'dBov').toBe(name.endsWith('Dbov'));
  });

  test('the defaults are the values of the table', () => {
    expect(Object.keys(defaultLimits)).toEqual(Object.keys(limitTable));
    for (const [name, { value }] of limits) expect(defaultLimits[name as keyof typeof limitTable]).toBe(value);
  });

  test('every limit has an environment variable of its own', () => {
    const variables = limits.map(([name]) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase());
    expect(new Set(variables).size).toBe(variables.length);
    for (const variable of variables) expect(variable).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
  });

  test('the numbers of the specification are the defaults', () => {
    expect(defaultLimits).toMatchObject({
      tokenLifetimeMs: 86_400_000,
      tokenWarningMs: 60_000,
      guestIdleMs: 86_400_000,
      roomsPerDay: 5,
      joinsPerMinute: 10,
      roomsPerNode: 100,
      roomEmptyMs: 60_000,
      roomLifetimeMs: 43_200_000,
      roomEndWarningMs: 300_000,
      hostAbsenceMs: 60_000,
      formerHostReturnMs: 3_600_000,
      seatGraceMs: 15_000,
      invitationMs: 30_000,
      roomMaxParticipants: 10_000,
      roomMaxSpeakers: 30,
      guestExclusionMs: 86_400_000,
      audienceListedMax: 100,
      audienceCountMs: 1000,
    });
    expect(sizes).toMatchObject({
      displayName: 40,
      title: 100,
      description: 1000,
      tags: 5,
      tag: 24,
      defaultMaxParticipants: 500,
      defaultMaxSpeakers: 10,
      page: 20,
      message: 65_536,
    });
  });

  test('limits that belong together fit together', () => {
    const one = defaultLimits;
    expect(one.audienceListedAgain).toBeLessThan(one.audienceListedMax);
    expect(one.speakingOffDbov).toBeLessThan(one.speakingOnDbov);
    expect(one.roomEndWarningMs).toBeLessThan(one.roomLifetimeMs);
    expect(one.tokenWarningMs).toBeLessThan(one.tokenLifetimeMs);
    expect(one.seatGraceMs).toBeLessThan(one.hostAbsenceMs);
    expect(one.commandsPerSecond).toBeLessThanOrEqual(one.commandBurst);
    expect(sizes.defaultMaxParticipants).toBeLessThanOrEqual(one.roomMaxParticipants);
    expect(sizes.defaultMaxSpeakers).toBeLessThanOrEqual(one.roomMaxSpeakers);
    expect(sizes.page).toBeLessThanOrEqual(sizes.pageMax);
  });

  test('RE-6 a lost connection is noticed within 15 s', () => {
    expect(defaultLimits.pingIntervalMs + defaultLimits.pingTimeoutMs).toBeLessThanOrEqual(15_000);
  });

  test('MD-4 speaking is told at most 5 times a second', () => {
    expect(limitTable.speakingIntervalMs.min).toBeGreaterThanOrEqual(200);
  });

  test('RM-10 the audience that is listed, with a snapshot of it, fits in one message', () => {
    const longest = {
      userId: 'x'.repeat(22),
      displayName: '😀'.repeat(20),
      role: 'listener',
      joinedAt: 2_000_000_000_000,
      microphone: 'off',
      away: false,
    };
    expect(
      Buffer.byteLength(JSON.stringify(longest)) *
        (defaultLimits.audienceListedMax + defaultLimits.roomMaxSpeakers + defaultLimits.moderatorsPerRoom),
    ).toBeLessThan(sizes.message);
  });
});
