import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { candidateType, fingerprintsOf, hidesAddress, isCandidate, isSessionDescription } from '../src/call/sdp.ts';
import { sizes } from '../src/limits.ts';
import { recordedSdp as recorded } from './samples.ts';

const names = ['chromium-offer', 'chromium-answer', 'firefox-offer', 'safari-offer', 'node-offer'];
const chromium = recorded('chromium-offer');

const host = 'candidate:3717037035 1 udp 2122194687 192.0.2.2 33637 typ host generation 0 ufrag 8DfD network-id 1';
const candidates: [string, string, string | undefined][] = [
  ['a host, of Chromium', host, 'host'],
  ['a host, of Firefox', 'candidate:0 1 UDP 2122187007 192.0.2.7 52511 typ host', 'host'],
  ['the other component', 'candidate:0 2 UDP 2122187006 192.0.2.7 52512 typ host', 'host'],
  [
    'a host that hides its address (mDNS)',
    'candidate:1467250027 1 udp 2113937151 f47ac10b-58cc-4372-a567-0e02b2c3d479.local 57143 typ host generation 0 ufrag Xk9f network-cost 999',
    'host',
  ],
  ['IPv6', 'candidate:3674150747 1 udp 2122265343 2001:db8::2 41076 typ host generation 0 ufrag 8DfD', 'host'],
  ['IPv4 in IPv6', 'candidate:1 1 udp 2122265343 ::ffff:192.0.2.7 41076 typ host', 'host'],
  ['TCP', 'candidate:2754672067 1 tcp 1518285567 192.0.2.2 9 typ host tcptype active generation 0', 'host'],
  [
    'server reflexive',
    'candidate:842163049 1 udp 1677729535 198.51.100.7 50027 typ srflx raddr 192.0.2.2 rport 50027 generation 0 ufrag a+/b network-cost 999',
    'srflx',
  ],
  ['peer reflexive', 'candidate:8 1 udp 1845501695 198.51.100.7 50027 typ prflx raddr 0.0.0.0 rport 0', 'prflx'],
  [
    'a relay',
    'candidate:3098175849 1 udp 41885439 203.0.113.9 61497 typ relay raddr 198.51.100.7 rport 60532 generation 0 ufrag 8DfD network-id 1',
    'relay',
  ],
  ['the end of candidates', '', undefined],
];

const noCandidates: [string, string][] = [
  ['an SDP line', `a=${host}`],
  ['a space in front', ` ${host}`],
  ['a space behind', `${host} `],
  ['a line break behind', `${host}\n`],
  ['a second line', `${host}\r\na=candidate:1 1 udp 1 192.0.2.2 9 typ host`],
  ['a line separator', `${host} x\u2028y`],
  ['nothing but its name', 'candidate:'],
  ['no foundation', host.replace('3717037035', '')],
  ['a third component', host.replace(' 1 udp', ' 3 udp')],
  ['another transport', host.replace('udp', 'sctp')],
  ['a priority below zero', host.replace('2122194687', '-1')],
  ['a priority that is too long', host.replace('2122194687', '21221946871')],
  ['a path in place of an address', host.replace('192.0.2.2', '../../etc/passwd')],
  ['a URL in place of an address', host.replace('192.0.2.2', 'http://192.0.2.2/')],
  ['an address that is too long', host.replace('192.0.2.2', 'a'.repeat(254))],
  ['a port that is too long', host.replace('33637', '336371')],
  ['another type', host.replace('host', 'ghost')],
  ['no type', host.replace(' typ host', '')],
  ['markup', host.replace('8DfD', '<script>alert(1)</script>')],
  ['markup alone', '<img src=x onerror=alert(1)>'],
  ['JSON', '{"candidate":"x"}'],
  ['what is longer than 2 kB', `${host}${' network-cost 999'.repeat(150)}`],
];

describe('A candidate', () => {
  test.each(candidates)('SE-5 is taken: %s', (_name, text, type) => {
    expect([isCandidate(text), candidateType(text)]).toEqual([true, type]);
  });

  test.each(noCandidates)('SE-5 is refused: %s', (_name, text) => {
    expect(isCandidate(text)).toBe(false);
  });

  test('SE-5 has at most 2 kB', () => {
    const longest = `${host} x ${'y'.repeat(200)}`.padEnd(sizes.candidate - 2, ' zz').trimEnd();
    const filled = `${longest}${'z'.repeat(sizes.candidate - longest.length)}`;
    expect([isCandidate(filled), filled.length, isCandidate(`${filled}z`)]).toEqual([true, sizes.candidate, false]);
  });

  test('SE-5 is refused with a control character anywhere in it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...candidates.slice(0, -1)), fc.nat(), controlCharacter, ([, text], at, control) => {
        expect(isCandidate(replacedAt(text, at % text.length, control))).toBe(false);
      }),
    );
  });
});

describe('A session description', () => {
  test.each(names)('SE-5 of a browser is taken: %s', (name) => {
    const text = recorded(name);
    expect(text.length).toBeLessThan(sizes.sdp / 2);
    expect([isSessionDescription(text), isSessionDescription(text.replaceAll('\r\n', '\n'))]).toEqual([true, true]);
    expect(isSessionDescription(text.trimEnd())).toBe(true);
  });

  test('SE-5 is taken with a screen and data beside audio and video, and not with more', () => {
    const video = chromium.slice(chromium.indexOf('m=video'));
    const data = recorded('node-offer').slice(recorded('node-offer').indexOf('m=application'));
    expect([0, 1, 2].map((more) => isSessionDescription(chromium + data + video.repeat(more)))).toEqual([
      true,
      true,
      false,
    ]);
  });

  const without = (start: string): string =>
    chromium
      .split('\r\n')
      .filter((line) => !line.startsWith(start))
      .join('\r\n');
  const withLine = (line: string): string => `${chromium}${line}\r\n`;

  const refused: [string, string][] = [
    ['nothing', ''],
    ['a line break', '\r\n'],
    ['a word', 'hello'],
    ['markup', '<script>alert(1)</script>'],
    ['markup after its first lines', 'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n<script>alert(1)</script>\r\n'],
    ['JSON', JSON.stringify({ type: 'offer', sdp: chromium })],
    ['another version', chromium.replace('v=0', 'v=1')],
    ['something in front', ` ${chromium}`],
    ['an empty line', chromium.replace('\r\n', '\r\n\r\n')],
    ['an empty line at the end', `${chromium}\r\n`],
    ['a lone carriage return', chromium.replace('\r\n', '\r')],
    ['no origin', without('o=')],
    ['no media', chromium.slice(0, chromium.indexOf('m='))],
    ['no fingerprint', without('a=fingerprint:')],
    ['a fingerprint of a hash that is broken', chromium.replaceAll('sha-256', 'md5')],
    ['a fingerprint that is cut off', chromium.replaceAll(/(a=fingerprint:sha-256 (?:..:){10}..)[:0-9A-F]*/g, '$1')],
    ['a line without a letter', withLine('=x')],
    ['a line of two letters', withLine('aa=x')],
    ['a line of a capital', withLine('A=x')],
    ['a line that is no line', withLine('hello')],
    ['media of another kind', chromium.replace('m=audio', 'm=image')],
    ['text as media', withLine('m=text 9 RTP/AVP 98')],
    ['media without a port', withLine('m=audio UDP/TLS/RTP/SAVPF 111')],
    ['media without formats', withLine('m=audio 9 UDP/TLS/RTP/SAVPF')],
    ['media with markup', withLine('m=audio 9 UDP/TLS/RTP/SAVPF <b>')],
    ['a candidate that is none', withLine('a=candidate:1 1 udp 1 <b> 9 typ host')],
    ['an empty candidate', withLine('a=candidate:')],
    ['a control character', withLine('a=x\u0000y')],
    ['an escape of a terminal', withLine('a=\u001b[2J')],
    ['a control character of Latin-1', withLine('a=x\u0085y')],
  ];

  test.each(refused)('SE-5 is refused: %s', (_name, text) => {
    expect(isSessionDescription(text)).toBe(false);
  });

  test('SE-5 has at most 32 kB', () => {
    const line = 'a=x\r\n';
    const filled = chromium + line.repeat(Math.floor((sizes.sdp - chromium.length) / line.length));
    expect([isSessionDescription(filled), isSessionDescription(filled + line)]).toEqual([true, false]);
  });

  test('SE-5 is refused with a control character anywhere in it', () => {
    // A line feed alone ends a line, so it may make two good lines of one.
    const control = controlCharacter.filter((character) => character !== '\n');
    fc.assert(
      fc.property(fc.constantFrom(...names.map(recorded)), fc.nat(), control, (text, at, character) => {
        // Only a carriage return in the place of a carriage return changes nothing.
        expect(isSessionDescription(replacedAt(text, at % text.length, character))).toBe(
          text[at % text.length] === character,
        );
      }),
      { numRuns: 500 },
    );
  });

  test('SE-5 no text whatever makes it throw, and what does not begin as a line is none', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect([isSessionDescription(text), isCandidate(text) && text !== '']).toEqual([false, false]);
        hidesAddress(text);
        fingerprintsOf(text);
      }),
    );
    fc.assert(
      fc.property(fc.nat({ max: chromium.length - 1 }), fc.string({ unit: 'grapheme', minLength: 1 }), (at, text) => {
        const taken = isSessionDescription(`${chromium.slice(0, at)}\r\n${text}\r\n${chromium.slice(at)}`);
        expect(taken && !/^[a-z]=/.test(text)).toBe(false);
      }),
    );
  });

  test('RE-5 SE-5 the longest and most awkward texts are read in time that grows with their length', () => {
    // With a pattern that backtracks, one of these alone outlasts the test by years.
    const length = sizes.sdp - 200;
    const fill = (text: string): string => text.repeat(Math.ceil(length / text.length)).slice(0, length);
    const head = 'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n';
    const awkward = [
      'a',
      'a ',
      ' ',
      '\r',
      '\n',
      '\r\n',
      'a=',
      'a=\r\n',
      'm=audio 9 ',
      'AB:',
      '0:',
      '1/1 ',
      '\u00a0',
      '😀',
      '.',
      '-',
    ];
    const starts = [
      '',
      'a=',
      'm=audio 9 UDP/TLS/RTP/SAVPF ',
      'm=audio 9 ',
      'a=fingerprint:sha-256 ',
      `a=${host} `,
      'a=candidate:',
    ];
    for (const start of starts) {
      for (const part of awkward) {
        const text = `${head}${start}${fill(part)}!\u0000`;
        expect(isSessionDescription(text)).toBe(false);
        hidesAddress(text);
        fingerprintsOf(text);
        const candidate = `${start.replace('a=', '')}${fill(part)}!`;
        expect([isCandidate(candidate), isCandidate(`${candidate.slice(0, sizes.candidate - 1)}\u0000`)]).toEqual([
          false,
          false,
        ]);
        candidateType(candidate);
      }
    }
  });
});

describe('An address', () => {
  const relay = 'candidate:3098175849 1 udp 41885439 203.0.113.9 61497 typ relay';
  const hiding: [string, string, boolean][] = [
    ['of a relay that names no other', relay, true],
    ['of a relay, as Chrome writes it', `${relay} raddr 0.0.0.0 rport 0 generation 0`, true],
    ['of a relay over IPv6, as Chrome writes it', `${relay} raddr :: rport 0 generation 0`, true],
    ['of a relay, as Firefox writes it', `${relay} raddr 203.0.113.9 rport 61497`, true],
    ['behind a relay', `${relay} raddr 198.51.100.7 rport 60532`, false],
    ['behind a relay, in capitals', `${relay} RADDR 198.51.100.7 rport 60532`, false],
    ['behind a relay, the second time', `${relay} raddr 0.0.0.0 rport 0 raddr 198.51.100.7 rport 1`, false],
    ['that begins like a blank one', `${relay} raddr 0.0.0.01 rport 0`, false],
    ['of a host', host, false],
    ['of a host with a name of its own', host.replace('192.0.2.2', 'x.local'), false],
    ['that a server saw', 'candidate:8 1 udp 1677729535 198.51.100.7 50027 typ srflx raddr 0.0.0.0 rport 0', false],
    [
      'that the other side saw',
      'candidate:8 1 udp 1677729535 198.51.100.7 50027 typ prflx raddr 0.0.0.0 rport 0',
      false,
    ],
    ['in an extension that nobody knows', `${relay} x-addr 198.51.100.7`, false],
    ['of a host, in capitals', host.replace('candidate', 'Candidate'), false],
    ['of no candidate at all', '', true],
    ['of what only looks like a candidate', 'candidate:hello', false],
  ];

  test.each(hiding)('RD-12 is hidden or not: %s', (_name, candidate, hidden) => {
    expect(hidesAddress(candidate)).toBe(hidden);
    const [head = '', rest = ''] = recorded('chromium-answer').split('a=ice-ufrag', 2);
    const description = `${head}${candidate === '' ? '' : `a=${candidate}\r\n`}a=ice-ufrag${rest}`;
    expect(hidesAddress(description)).toBe(hidden);
  });

  test.each([
    ['c=IN IP4 198.51.100.7', false],
    ['c=IN IP4 203.0.113.9', true],
    ['c=IN IP4 0.0.0.0', true],
    ['a=rtcp:9 IN IP6 2001:db8::7', false],
    ['a=rtcp:9 IN IP4 0.0.0.0', true],
    ['a=remote-candidates:1 198.51.100.7 9', false],
  ])('RD-12 is told beside the candidates, too, or not: %s', (line, hidden) => {
    expect(hidesAddress(`${recorded('chromium-answer')}a=${relay}\r\n${line}\r\n`)).toBe(hidden);
  });

  test('RD-12 one candidate among many tells it', () => {
    const answer = recorded('chromium-answer');
    const many = `a=${relay}\r\n`.repeat(10);
    expect([hidesAddress(answer + many), hidesAddress(`${answer}${many}a=${host}\r\n${many}`)]).toEqual([true, false]);
    expect(names.map((name) => hidesAddress(recorded(name)))).toEqual([false, true, false, false, false]);
  });
});

describe('The fingerprints', () => {
  test('SE-9 are each named once, in one spelling and in one order', () => {
    expect(names.map((name) => fingerprintsOf(recorded(name)).length)).toEqual([1, 1, 1, 1, 1]);
    const [own = ''] = fingerprintsOf(chromium);
    expect(own).toMatch(/^sha-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    const other = `sha-512 ${Array.from({ length: 64 }, () => '0F').join(':')}`;
    const both = `a=fingerprint:${other.toLowerCase()}\r\n${chromium}`;
    expect(fingerprintsOf(both)).toEqual([own, other]);
    expect(fingerprintsOf(chromium.replace(own, own.replace('sha-256 ', 'sha-256  ')))).toEqual([own]);
    expect(fingerprintsOf('')).toEqual([]);
  });
});

const controlCharacter = fc
  .oneof(fc.integer({ min: 0, max: 0x1f }), fc.integer({ min: 0x7f, max: 0x9f }))
  .map((code) => String.fromCharCode(code));

const replacedAt = (text: string, at: number, character: string): string =>
  text.slice(0, at) + character + text.slice(at + 1);
