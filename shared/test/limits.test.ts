import { describe, expect, test } from 'vitest';
import { defaultLimits, type LimitDefinition, limitTable, sizes } from '../src/limits.ts';
import { matchFilters } from '../src/protocol/random.ts';

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
    expect(unit === 'percent').toBe(name.endsWith('Percent'));
    expect(unit === 'years').toBe(name.endsWith('Age'));
    expect(unit === 'days').toBe(name.endsWith('Days'));
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
      queueWaitMs: 60_000,
      queueGraceMs: 15_000,
      languageHoldMs: 0,
      repeatPairMs: 600_000,
      filterRelaxMs: 15_000,
      priorityWaitMs: 10_000,
      statsIntervalMs: 2000,
      successWindowMs: 900_000,
      successPercent: 95,
      connectMs: 8000,
      failedPairTimes: 2,
      failedPairMs: 3_600_000,
      relayAfterFailures: 3,
      resumeMs: 10_000,
      idleMs: 90_000,
      idleAnswerMs: 30_000,
      freeCallMs: 600_000,
      premiumCallMs: 1_800_000,
      callExtensionMs: 300_000,
      callWarningMs: 60_000,
      callMaxMs: 14_400_000,
      callMessagesKeptMs: 86_400_000,
      guestCallsKeptMs: 86_400_000,
      memberCallsKeptDays: 90,
      minimumAge: 18,
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
      sdp: 32_768,
      candidate: 2048,
      callMessage: 1000,
      comment: 500,
      interests: 10,
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
    expect(one.languageHoldMs).toBeLessThan(one.queueWaitMs);
    expect(one.repeatHoldMs).toBeLessThan(one.queueWaitMs);
    expect(one.filterRelaxMs).toBeLessThan(one.queueWaitMs);
    expect(one.unavailableMs).toBeLessThan(one.connectMs);
    expect(one.unavailableMs).toBeLessThan(one.resumeMs);
    expect(one.idleMs + one.idleAnswerMs).toBeLessThan(one.callMaxMs);
    expect(one.callWarningMs).toBeLessThan(one.callExtensionMs);
    expect(one.callWarningMs).toBeLessThan(one.freeCallMs);
    expect(one.freeCallMs).toBeLessThan(one.premiumCallMs);
    expect(one.premiumCallMs).toBeLessThan(one.callMaxMs);
    expect(one.callMessagesPerSecond).toBeLessThanOrEqual(one.callMessageBurst);
    expect(one.callMessagesKeptMs).toBeLessThanOrEqual(one.guestCallsKeptMs);
    expect(sizes.interest).toBe(sizes.tag);
  });

  test('RQ-2 no preference keeps two people apart for longer than 5 s', () => {
    expect(limitTable.languageHoldMs.max).toBeLessThanOrEqual(5000);
    expect(defaultLimits.repeatHoldMs).toBeLessThanOrEqual(5000);
  });

  test('RQ-3 each filter is relaxed before the search is over', () => {
    expect(matchFilters.length * defaultLimits.filterRelaxMs).toBeLessThan(defaultLimits.queueWaitMs);
  });

  test('RE-5 what is remembered of a person reaches back as far as the same pair is kept apart', () => {
    const matches = defaultLimits.repeatPairMs / 12_000;
    expect(defaultLimits.rememberedPartners).toBeGreaterThanOrEqual(matches);
  });

  test('SE-5 an offer of the longest kind fits in one message', () => {
    expect(sizes.sdp + sizes.candidate).toBeLessThan(sizes.message);
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
