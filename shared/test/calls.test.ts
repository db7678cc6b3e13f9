import { describe, expect, test } from 'vitest';
import type { ZodMiniType } from 'zod/mini';
import { sizes } from '../src/limits.ts';
import { callEndReasons, callModes, callRoutes, languageSchema, reportTypes } from '../src/protocol/call.ts';
import { type CommandName, commands, type EventName, events } from '../src/protocol/index.ts';
import { randomServiceSchema, randomStateSchema, searchSchema } from '../src/protocol/random.ts';
import { consentsSchema, giveConsentSchema, reportPersonSchema, switchRandomSchema } from '../src/protocol/rest.ts';
import { goodEvents, goodInput, goodStates, otherId, randomService, recordedSdp, search, someId } from './samples.ts';

const accepts = (schema: ZodMiniType, input: unknown): boolean => schema.safeParse(input).success;
const letters = (count: number): string => 'x'.repeat(count);
/** Whether the command is taken with these fields changed. */
const takes = (name: CommandName, change: object): boolean =>
  accepts(commands[name].input, { ...goodInput[name], ...change });

const randomCommandNames = (Object.keys(commands) as CommandName[]).filter((name) => name.startsWith('random:'));
const randomEventNames = (Object.keys(events) as EventName[]).filter((name) => name.startsWith('random:'));
/** What has to do with no call. */
const outsideCalls = ['random:watch', 'random:sync', 'random:start_queue', 'random:cancel_queue'];
const eventsOutsideCalls = ['random:queued', 'random:dequeued', 'random:stats_update', 'random:feature_unavailable'];

describe('A message inside a call', () => {
  test.each(randomCommandNames.filter((name) => !outsideCalls.includes(name)))('RD-14 %s names its session', (name) => {
    for (const sessionId of [undefined, null, '', 'x', `${someId}x`]) expect(takes(name, { sessionId })).toBe(false);
    expect(takes(name, { sessionId: otherId })).toBe(true);
  });

  test.each(randomEventNames.filter((name) => !eventsOutsideCalls.includes(name)))(
    'RD-14 %s tells its session',
    (name) => {
      const good = goodEvents[name];
      expect(accepts(events[name], good)).toBe(true);
      expect(accepts(events[name], { ...good, sessionId: undefined })).toBe(false);
    },
  );

  test.each(eventsOutsideCalls)('RQ-1 RQ-7 RQ-8 %s is of no call', (name) => {
    expect(accepts(events[name as EventName], goodEvents[name as EventName])).toBe(true);
  });
});

describe('What is relayed', () => {
  test('RD-2 SE-5 names the peer connections at both ends, or does not know the other one yet', () => {
    for (const name of ['random:offer', 'random:answer', 'random:ice_candidate'] as const) {
      expect([takes(name, { to: null }), takes(name, { to: otherId }), takes(name, { to: 'x' })]).toEqual([
        true,
        true,
        false,
      ]);
      expect([takes(name, { from: null }), takes(name, { from: 'x' })]).toEqual([false, false]);
      expect(takes(name, { type: 'rollback' })).toBe(false);
    }
  });

  test('SE-5 is a description or a candidate of at most its size', () => {
    const line = 'a=x\r\n';
    const longer = recordedSdp('chromium-offer') + line.repeat(sizes.sdp / line.length);
    expect(['', 'v=0', longer, letters(sizes.sdp)].map((sdp) => takes('random:offer', { sdp }))).toEqual([
      false,
      false,
      false,
      false,
    ]);
    const candidates = ['', 'candidate:', 'hello', letters(sizes.candidate), letters(100_000)];
    expect(candidates.map((candidate) => takes('random:ice_candidate', { candidate }))).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  test('SE-5 says where a candidate belongs, and nothing else', () => {
    const candidate = (change: object) => takes('random:ice_candidate', change);
    expect(
      ['0', 'audio', '', letters(16), letters(17), 'a b', '0\r\n', '<b>'].map((sdpMid) => candidate({ sdpMid })),
    ).toEqual([true, true, true, true, false, false, false, false]);
    expect([0, 15, 16, -1, 0.5, '0'].map((sdpMLineIndex) => candidate({ sdpMLineIndex }))).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    expect(
      ['8DfD', 'a+/b', letters(256), letters(257), 'a b', 'a\n'].map((usernameFragment) =>
        candidate({ usernameFragment }),
      ),
    ).toEqual([true, true, true, false, false, false]);
  });
});

describe('A search', () => {
  test('RQ-1 RQ-2 one word is enough, and nothing is preferred by default', () => {
    expect(searchSchema.parse({ mode: 'voice' })).toEqual({
      mode: 'voice',
      languages: [],
      preferLanguages: false,
      interests: [],
      region: null,
      about: { gender: null, ageRange: null },
      filters: { minReputation: null, genders: null, ageRanges: null },
      hideAddress: false,
    });
    expect(commands['random:start_queue'].input.parse({ mode: 'text' }).leaveRoom).toBe(false);
  });

  test('RQ-9 the modes are voice, video and text', () => {
    expect(callModes).toEqual(['voice', 'video', 'text']);
    expect([...callModes, 'audio', '', undefined].map((mode) => accepts(searchSchema, { mode }))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  test('RQ-2 ID-7 languages, interests and region are bounded', () => {
    const searching = (change: object) => accepts(searchSchema, { ...search, ...change });
    const languages = (count: number) => Array.from({ length: count }, () => 'en');
    expect(
      [sizes.languages, sizes.languages + 1, 10_000].map((count) => searching({ languages: languages(count) })),
    ).toEqual([true, false, false]);
    const interests = (count: number) => Array.from({ length: count }, (_, index) => `interest ${index}`);
    expect([10, 11, 10_000].map((count) => searching({ interests: interests(count) }))).toEqual([true, false, false]);
    expect(
      ['x', letters(24), letters(25), '', '  ', 'a\nb', '<b>'].map((interest) => searching({ interests: [interest] })),
    ).toEqual([true, true, false, false, false, false, true]);
    expect(['DE', 'de', 'DEU', 'D', '', 'D\n'].map((region) => searching({ region }))).toEqual([
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  test('RQ-2 a language is a BCP 47 tag of at most 35 characters', () => {
    const tags = ['en', 'pt-BR', 'zh-Hant-TW', 'e', 'en_US', 'en-', '', 'en\n', `en${'-abcd'.repeat(6)}`];
    expect(tags.map((tag) => accepts(languageSchema, tag))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
      false,
      false,
      true,
    ]);
    expect(accepts(languageSchema, `en${'-abcd'.repeat(7)}`)).toBe(false);
  });

  test('RQ-3 a filter names somebody, or is none', () => {
    const filtering = (filters: object) => accepts(searchSchema, { mode: 'voice', filters });
    expect([
      filtering({ genders: ['male'] }),
      filtering({ genders: [] }),
      filtering({ genders: ['any'] }),
      filtering({ ageRanges: ['25-34', '55+'] }),
      filtering({ ageRanges: ['25'] }),
      filtering({ unknown: true }),
    ]).toEqual([true, false, false, true, false, false]);
    expect([0, 100, -1, 101, 50.5].map((minReputation) => filtering({ minReputation }))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('What is said in and about a call', () => {
  test('RD-10 a message has 1 to 1,000 characters', () => {
    expect(
      ['x', letters(1000), letters(1001), '', ' \n ', 'a\nb', 'a\u0007', 'a\u202Eb'].map((text) =>
        takes('random:chat', { text }),
      ),
    ).toEqual([true, true, false, false, false, true, false, false]);
  });

  test('RD-9 a rating is from 1 to 5, and its comment has at most 500 characters', () => {
    expect([1, 5, 0, 6, 4.5, '5'].map((rating) => takes('random:end_call', { rating }))).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    expect([letters(500), letters(501)].map((comment) => takes('random:end_call', { comment }))).toEqual([true, false]);
    expect(accepts(commands['random:end_call'].input, { sessionId: someId })).toBe(true);
  });

  test('SF-1 SF-2 a report has a type of the closed list, the gravest first, and a text with a bound', () => {
    expect(reportTypes).toEqual(['minor', 'threat', 'sexual', 'harassment', 'hate', 'spam', 'other']);
    for (const type of reportTypes) expect(takes('random:report_user', { type })).toBe(true);
    expect([takes('random:report_user', { type: 'rude' }), takes('random:report_user', { type: '' })]).toEqual([
      false,
      false,
    ]);
    const texts = [letters(sizes.reportText), letters(sizes.reportText + 1)];
    expect(texts.map((text) => takes('random:report_user', { text }))).toEqual([true, false]);
    expect(texts.map((text) => accepts(reportPersonSchema, { userId: otherId, type: 'spam', text }))).toEqual([
      true,
      false,
    ]);
  });

  test('RD-13 figures of quality are finite, and within what can be', () => {
    const bounds = { lossPercent: 100, jitterMs: 60_000, roundTripMs: 60_000, bitrate: 1e9 };
    for (const [field, most] of Object.entries(bounds)) {
      const values = [0, 0.25, most, most * 1.01, -0.01, Number.NaN, Number.POSITIVE_INFINITY, '1'];
      expect(
        values.map((value) => takes('random:quality', { [field]: value })),
        field,
      ).toEqual([true, true, true, false, false, false, false, false]);
    }
  });

  test('RD-4 the routes stand in the order in which they are preferred', () => {
    expect(callRoutes).toEqual(['p2p_udp', 'p2p_tcp', 'turn_relay_udp', 'turn_relay_tcp', 'turn_relay_tls', 'sfu']);
    for (const route of callRoutes) expect(takes('random:connected', { route })).toBe(true);
    expect([takes('random:connected', { route: 'turn_relay' }), takes('random:connected', { route: '' })]).toEqual([
      false,
      false,
    ]);
  });

  test('DC-8 the reasons for an end are one closed list', () => {
    expect(new Set(callEndReasons).size).toBe(callEndReasons.length);
    const ended = goodEvents['random:call_ended'];
    for (const reason of callEndReasons) expect(accepts(events['random:call_ended'], { ...ended, reason })).toBe(true);
    expect(accepts(events['random:call_ended'], { ...ended, reason: 'bored' })).toBe(false);
  });

  test('SE-5 an offer of the largest size fits in one message, and so does a search', () => {
    const offer = { ...goodInput['random:offer'], sdp: letters(sizes.sdp) };
    expect(Buffer.byteLength(JSON.stringify(offer))).toBeLessThan(sizes.message);
    const longest = {
      ...search,
      languages: Array.from({ length: sizes.languages }, () => letters(sizes.language)),
      interests: Array.from({ length: sizes.interests }, () => '語'.repeat(sizes.interest)),
    };
    expect(Buffer.byteLength(JSON.stringify(longest))).toBeLessThan(sizes.message);
  });
});

describe('Where a session stands', () => {
  test.each(goodStates)('RE-2 $state is told whole, and nothing more', (state) => {
    expect(randomStateSchema.safeParse(state)).toMatchObject({ success: true });
    expect(accepts(randomStateSchema, { ...state, isAdmin: true })).toBe(false);
    for (const field of Object.keys(state)) {
      expect(accepts(randomStateSchema, { ...state, [field]: undefined }), field).toBe(false);
    }
    for (const name of ['random:sync', 'random:start_queue', 'random:next_partner'] as const) {
      expect(accepts(commands[name].output, { state })).toBe(true);
    }
  });

  test('ID-7 a partner is an id, a name and a picture; nothing that only matching knows', () => {
    const match = goodEvents['random:match_instant'];
    for (const field of ['gender', 'ageRange', 'region', 'reputation', 'interests', 'plan']) {
      const partner = { id: otherId, displayName: 'Ana', avatarUrl: null, [field]: 'x' };
      expect(accepts(events['random:match_instant'], { ...match, partner }), field).toBe(false);
    }
  });

  test('RQ-7 RQ-8 ID-8 what the page has to know is told whole', () => {
    expect(randomServiceSchema.safeParse(randomService)).toMatchObject({ success: true });
    for (const field of Object.keys(randomService)) {
      expect(accepts(randomServiceSchema, { ...randomService, [field]: undefined }), field).toBe(false);
    }
    expect(accepts(commands['random:watch'].output, randomService)).toBe(true);
  });
});

describe('Over HTTP', () => {
  test('ID-8 a consent is given and never taken back, and an age is one that people have', () => {
    expect(
      [
        {},
        { houseRules: true },
        { houseRules: false },
        { minimumAge: 18 },
        { minimumAge: -1 },
        { minimumAge: 121 },
      ].map((given) => accepts(giveConsentSchema, given)),
    ).toEqual([true, true, false, true, false, false]);
    expect([
      accepts(consentsSchema, { houseRules: false, minimumAge: null }),
      accepts(consentsSchema, { houseRules: true }),
    ]).toEqual([true, false]);
  });

  test('RQ-8 the switch is for a share of people, with a reason of one line', () => {
    expect(switchRandomSchema.parse({ enabled: true })).toEqual({
      enabled: true,
      reason: null,
      until: null,
      sharePercent: 100,
    });
    const switching = (change: object) => accepts(switchRandomSchema, { enabled: false, ...change });
    expect([0, 100, -1, 101, 0.5].map((sharePercent) => switching({ sharePercent }))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(
      [letters(sizes.featureReason), letters(sizes.featureReason + 1), 'a\nb'].map((reason) => switching({ reason })),
    ).toEqual([true, false, false]);
  });
});
