import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ZodMiniType } from 'zod/mini';
import { sizes } from '../src/limits.ts';
import { id, line, paragraph } from '../src/protocol/common.ts';
import { type CommandName, commands, events } from '../src/protocol/index.ts';
import {
  claimAdminSchema,
  giveConsentSchema,
  participantsQuerySchema,
  refreshSchema,
  reportPersonSchema,
  roomListQuerySchema,
  signInGuestSchema,
  switchRandomSchema,
} from '../src/protocol/rest.ts';
import { createRoomSchema, roomChangesSchema } from '../src/protocol/room.ts';
import { handshakeSchema } from '../src/protocol/session.ts';
import { goodEvents, goodInput, nullableFields, optionalFields, rtpParameters, someId } from './samples.ts';

const accepts = (schema: ZodMiniType, input: unknown): boolean => schema.safeParse(input).success;
const letters = (count: number): string => 'x'.repeat(count);
const commandNames = Object.keys(commands) as CommandName[];
/** Made from text, as it comes from outside: there `__proto__` is a key like any other. */
const withKey = (object: unknown, key: string): unknown =>
  JSON.parse(JSON.stringify(object).replace(/^\{/, `{"${key}":{"isAdmin":true},`).replace(/,\}$/, '}'));

/** Everything that comes from outside and is no command. */
const bodies: [string, ZodMiniType, Record<string, unknown>][] = [
  ['signing in', signInGuestSchema, { displayName: 'Ana' }],
  ['renewing a token', refreshSchema, { token: 'a.b.c' }],
  ['claiming the administrator', claimAdminSchema, { code: someId, displayName: 'Ana' }],
  ['the handshake', handshakeSchema, { token: 'a.b.c', protocol: 1, sessionId: someId }],
  ['a new room', createRoomSchema, { title: 'A room' }],
  ['the query of rooms', roomListQuerySchema, { cursor: '1.a', limit: '20' }],
  ['the query of participants', participantsQuerySchema, { page: '1', limit: '20', query: 'an' }],
  ['a consent', giveConsentSchema, { houseRules: true, minimumAge: 18 }],
  ['a report', reportPersonSchema, { userId: someId, type: 'spam', text: 'Sells watches' }],
  [
    'the switch of random calls',
    switchRandomSchema,
    { enabled: false, reason: 'Maintenance', until: 7, sharePercent: 50 },
  ],
];

const incoming: [string, ZodMiniType, Record<string, unknown>][] = [
  ...commandNames.map((name): [string, ZodMiniType, Record<string, unknown>] => [
    name,
    commands[name].input,
    goodInput[name],
  ]),
  ...bodies,
];

describe('What comes in', () => {
  test.each(incoming)('SE-1 %s is taken as it should be', (_name, schema, good) => {
    expect(schema.safeParse(good)).toMatchObject({ success: true });
  });

  test.each(incoming)('SE-1 %s with an unknown field is refused', (_name, schema, good) => {
    expect(accepts(schema, { ...good, isAdmin: true })).toBe(false);
    for (const key of ['__proto__', 'constructor', 'prototype', 'toString', '']) {
      expect(accepts(schema, withKey(good, key)), key).toBe(false);
    }
    expect(Object.hasOwn(Object.prototype, 'isAdmin')).toBe(false);
  });

  test.each(incoming)('SE-1 %s is an object and nothing else', (_name, schema, good) => {
    const others = [undefined, null, 0, '', true, [], [good], JSON.stringify(good), () => good];
    for (const other of others) expect(accepts(schema, other), String(other)).toBe(false);
  });

  test.each(commandNames)('SE-1 %s with a field of the wrong type, or without it, is refused', (name) => {
    const { input } = commands[name];
    const good = goodInput[name];
    for (const field of Object.keys(good)) {
      for (const wrong of [null, Number.NaN, [], {}, [letters(22)], letters(100_000), Symbol('s'), 10n, new Date(0)]) {
        if (!isMeant(name, field, wrong))
          expect(accepts(input, { ...good, [field]: wrong }), `${field}: ${String(wrong)}`).toBe(false);
      }
      const { [field]: _, ...without } = good;
      expect(accepts(input, without), `without ${field}`).toBe(optionalFields[name]?.includes(field) ?? false);
    }
  });

  test('SE-1 no input whatever makes a schema throw', () => {
    const anything = fc.oneof(
      fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true }),
      fc.jsonValue(),
    );
    const schemas = incoming.map(([, schema]) => schema);
    fc.assert(
      fc.property(anything, fc.constantFrom(...schemas), (input, schema) => {
        schema.safeParse(input);
      }),
      { numRuns: 500 },
    );
  });

  test('SE-1 nothing of another kind is taken deep inside', () => {
    const paths = pathsOf(goodInput['media:produce']);
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.anything(), (path, wrong) => {
        const input = structuredClone(goodInput['media:produce']);
        const parent = path
          .slice(0, -1)
          .reduce<Record<string, unknown>>((at, key) => at[key] as Record<string, unknown>, input);
        const key = path.at(-1) ?? '';
        const before = parent[key];
        parent[key] = wrong;
        const parsed = commands['media:produce'].input.safeParse(input);
        // Where it is taken it is of the same kind as what was there.
        if (parsed.success && wrong !== undefined)
          expect(typeof wrong === typeof before || typeof before === 'number').toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

/** Whether what is wrong for nearly every field is just what this one may hold. */
const isMeant = (name: CommandName, field: string, value: unknown): boolean => {
  if (value === null) return nullableFields[name]?.includes(field) ?? false;
  if (Array.isArray(value))
    return /Ids$/.test(field) || field === 'interests' || (field === 'languages' && value.length === 0);
  const isEmpty = typeof value === 'object' && Object.keys(value ?? {}).length === 0;
  return isEmpty && ['changes', 'about', 'filters'].includes(field);
};

const pathsOf = (value: unknown, path: string[] = []): string[][] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => [[...path, key], ...pathsOf(inner, [...path, key])])
    : [];

describe('What people write', () => {
  const sizesOf: [string, (text: string) => boolean, number, number][] = [
    ['ID-1 a display name', (displayName) => accepts(signInGuestSchema, { displayName }), 1, sizes.displayName],
    ['RM-1 a title', (title) => accepts(createRoomSchema, { title }), 1, sizes.title],
    ['RM-8 a changed title', (title) => accepts(roomChangesSchema, { title }), 1, sizes.title],
    [
      'RM-1 a description',
      (description) => accepts(createRoomSchema, { title: 'A', description }),
      0,
      sizes.description,
    ],
    ['RM-1 a tag', (tag) => accepts(createRoomSchema, { title: 'A', tags: [tag] }), 1, sizes.tag],
    [
      'MO-2 a reason',
      (reason) => accepts(commands['room:kick'].input, { ...goodInput['room:kick'], reason }),
      0,
      sizes.reason,
    ],
    ['RM-10 a search', (query) => accepts(participantsQuerySchema, { query }), 0, sizes.query],
  ];

  test.each(sizesOf)('%s has the size it may have, without the space around it', (_name, takes, min, max) => {
    expect([takes(letters(min)), takes(letters(max)), takes(letters(max + 1)), takes(letters(200_000))]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(takes(` \n\t${letters(max)}\u00A0 `)).toBe(true);
    expect(takes('   ')).toBe(min === 0);
  });

  test('ID-1 what is kept is trimmed', () => {
    expect(signInGuestSchema.parse({ displayName: '  Ana  B. ' })).toEqual({ displayName: 'Ana  B.' });
    expect(createRoomSchema.parse({ title: ' A ', tags: [' b '] })).toMatchObject({ title: 'A', tags: ['b'] });
  });

  const unwanted = [
    '\u0000',
    '\u0007',
    '\u001B',
    '\u007F',
    '\u0085',
    '\u2028',
    '\u2029',
    '\u202A',
    '\u202E',
    '\u2066',
    '\u2069',
    '\t',
    '\r',
  ];

  test.each(unwanted.map((character) => [`U+${character.charCodeAt(0).toString(16).padStart(4, '0')}`, character]))(
    'ID-1 SE-4 %s is in no line and in no paragraph',
    (_name, character) => {
      expect(accepts(line(0, 10), `a${character}b`)).toBe(false);
      expect(accepts(paragraph(10), `a${character}b`)).toBe(false);
    },
  );

  test('SE-4 line breaks are for paragraphs alone; words of every language, marks and emoji are for both', () => {
    expect([accepts(line(0, 10), 'a\nb'), accepts(paragraph(10), 'a\nb')]).toEqual([false, true]);
    for (const text of [
      'Nguyễn Văn Á',
      'שלום',
      'مرحبا',
      '日本語',
      '👩‍👩‍👧 family',
      'naïve – “quoted”',
      '<b>&amp;</b>',
    ]) {
      expect([accepts(line(1, 40), text), accepts(paragraph(40), text)]).toEqual([true, true]);
    }
  });
});

describe('Numbers, lists and codes', () => {
  const room = (changes: object) => accepts(createRoomSchema, { title: 'A', ...changes });

  test('RM-1 limits of a room are whole numbers within their bounds', () => {
    const takes = (name: string, values: unknown[]) => values.map((value) => room({ [name]: value }));
    expect(takes('maxParticipants', [1, 2, 10_000, 10_001, 2.5, '10', Number.POSITIVE_INFINITY, -5])).toEqual([
      false,
      true,
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
    expect(takes('maxSpeakers', [0, 1, 30, 31, 1e30])).toEqual([false, true, true, false, false]);
  });

  test('RM-1 a room has up to 5 tags, and a huge list is refused', () => {
    const tags = (count: number) => Array.from({ length: count }, (_, index) => `tag ${index}`);
    expect([0, 5, 6, 100_000].map((count) => room({ tags: tags(count) }))).toEqual([true, true, false, false]);
  });

  test('RM-1 a new room has the defaults', () => {
    expect(createRoomSchema.parse({ title: 'A', permissions: { anyoneCanSpeak: true } })).toEqual({
      title: 'A',
      description: '',
      type: 'public',
      category: 'other',
      language: 'en',
      tags: [],
      maxParticipants: 500,
      maxSpeakers: 10,
      audioQuality: 'medium',
      permissions: { anyoneCanSpeak: true, allowRecording: false, allowHandRaise: true },
      privacy: { requireApproval: false, hideParticipants: false, allowInvites: true },
    });
  });

  test('RM-8 type and audio quality stay as they were made', () => {
    expect([
      accepts(roomChangesSchema, { type: 'private' }),
      accepts(roomChangesSchema, { audioQuality: 'low' }),
    ]).toEqual([false, false]);
    expect(roomChangesSchema.parse({})).toEqual({});
  });

  test('RM-1 a language is a BCP 47 tag', () => {
    const languages = [
      'en',
      'vi',
      'pt-BR',
      'zh-Hant-TW',
      'sl-rozaj-biske',
      'e',
      'en_US',
      'en-',
      'en US',
      '',
      'en-abcdefghi',
      `en${'-abcd'.repeat(8)}`,
    ];
    expect(languages.filter((language) => room({ language }))).toEqual([
      'en',
      'vi',
      'pt-BR',
      'zh-Hant-TW',
      'sl-rozaj-biske',
    ]);
  });

  test('SE-7 an id is 22 characters of base64url', () => {
    expect(
      [
        someId,
        letters(21),
        letters(23),
        `${letters(21)}=`,
        `${letters(21)}é`,
        `${letters(22)}\n`,
        '',
        ' '.repeat(22),
      ].map((one) => accepts(id, one)),
    ).toEqual([true, false, false, false, false, false, false, false]);
  });

  test('SE-2 pages of a list have a bound, and a query says numbers in text', () => {
    const pages = ['1', '100', '101', '0', '-1', '1.5', 'x', '1e9', ['1', '2']].map((limit) =>
      accepts(roomListQuerySchema, { limit }),
    );
    expect(pages).toEqual([true, true, false, false, false, false, false, false, false]);
    expect(roomListQuerySchema.parse({})).toEqual({ limit: sizes.page });
    expect(
      [letters(64), letters(65), 'a b', '../x', "1' or"].map((cursor) => accepts(roomListQuerySchema, { cursor })),
    ).toEqual([true, false, false, false, false]);
  });

  test('SE-1 a token has a bound', () => {
    expect(
      [1, sizes.token, sizes.token + 1, 0].map((count) => accepts(refreshSchema, { token: letters(count) })),
    ).toEqual([true, true, false, false]);
  });
});

describe('Media', () => {
  const produce = (change: object) =>
    accepts(commands['media:produce'].input, {
      ...goodInput['media:produce'],
      rtpParameters: { ...rtpParameters, ...change },
    });
  const codec = (change: object) => produce({ codecs: [{ ...rtpParameters.codecs[0], ...change }] });
  const encoding = (change: object) => produce({ encodings: [{ ...rtpParameters.encodings[0], ...change }] });

  test('SE-6 a microphone is one Opus stream', () => {
    expect([produce({}), codec({ mimeType: 'audio/OPUS' })]).toEqual([true, true]);
    expect([
      codec({ mimeType: 'video/VP8' }),
      codec({ mimeType: 'audio/opus; x' }),
      codec({ clockRate: 8000 }),
      codec({ channels: 1 }),
    ]).toEqual([false, false, false, false]);
    expect([produce({ codecs: [] }), produce({ codecs: [rtpParameters.codecs[0], rtpParameters.codecs[0]] })]).toEqual([
      false,
      false,
    ]);
    expect([produce({ encodings: [] }), produce({ encodings: [{ ssrc: 1 }, { ssrc: 2 }] })]).toEqual([false, false]);
  });

  test('SE-6 payload types, SSRCs, bitrates and extensions are what a client can send', () => {
    expect([96, 127, 95, 128].map((payloadType) => codec({ payloadType }))).toEqual([true, true, false, false]);
    expect([1, 0xffffffff, 0, 0x100000000, -1].map((ssrc) => encoding({ ssrc }))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect([6000, 510_000, 5999, 510_001].map((maxBitrate) => encoding({ maxBitrate }))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect([encoding({ rid: 'a' }), encoding({ scalabilityMode: 'L1T3' }), encoding({ rtx: { ssrc: 2 } })]).toEqual([
      false,
      false,
      false,
    ]);
    const extension = (change: object) =>
      produce({ headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 1, ...change }] });
    expect([
      extension({}),
      extension({ id: 15 }),
      extension({ uri: 'urn:3gpp:video-orientation' }),
      extension({ encrypt: true }),
    ]).toEqual([true, false, false, false]);
    expect(
      produce({
        headerExtensions: Array.from({ length: 6 }, () => ({ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 1 })),
      }),
    ).toBe(false);
  });

  test('SE-6 format parameters are those of Opus, and no key of theirs reaches a prototype', () => {
    expect([
      codec({ parameters: { usedtx: 1, stereo: '1' } }),
      codec({ parameters: { apt: 96 } }),
      codec({ parameters: { ptime: letters(17) } }),
    ]).toEqual([true, false, false]);
    const input = JSON.parse(
      JSON.stringify(goodInput['media:produce']).replace(
        '"parameters":{',
        '"parameters":{"__proto__":{"isAdmin":true},',
      ),
    );
    const parsed = commands['media:produce'].input.safeParse(input);
    const parameters: Record<string, unknown> = parsed.data?.rtpParameters.codecs[0]?.parameters ?? {};
    expect(parameters['isAdmin']).toBeUndefined();
    expect(Object.hasOwn(Object.prototype, 'isAdmin')).toBe(false);
  });

  test('SE-6 one to three fingerprints with known algorithms', () => {
    const value = Array.from({ length: 32 }, () => '0f').join(':');
    const connect = (fingerprints: unknown[]) =>
      accepts(commands['media:connect'].input, { ...goodInput['media:connect'], dtlsParameters: { fingerprints } });
    const good = { algorithm: 'sha-256', value };
    expect(
      [[good], [good, good, good], [], [good, good, good, good], Array.from({ length: 10_000 }, () => good)].map(
        connect,
      ),
    ).toEqual([true, true, false, false, false]);
    expect(
      [
        { ...good, algorithm: 'md5' },
        { ...good, value: 'zz' },
        { ...good, value: `${value}:` },
        { ...good, value: value.slice(0, 50) },
      ].map((one) => connect([one])),
    ).toEqual([false, false, false, false]);
  });

  test('RE-5 lists of ids are bounded', () => {
    const sync = (transports: number, consumers: number) =>
      accepts(commands['media:sync'].input, {
        roomId: someId,
        transportIds: Array.from({ length: transports }, (_, index) => `t${index}`),
        consumerIds: Array.from({ length: consumers }, (_, index) => `c${index}`),
      });
    expect([sync(8, 128), sync(9, 0), sync(0, 129), sync(100_000, 100_000)]).toEqual([true, false, false, false]);
  });
});

describe('What goes out', () => {
  test.each(Object.entries(goodEvents))('RE-1 %s is what its schema says, and nothing more', (name, good) => {
    const schema = events[name as keyof typeof events];
    expect(schema.safeParse(good)).toMatchObject({ success: true });
    expect(accepts(schema, { ...good, isAdmin: true })).toBe(false);
  });
});
