import { describe, expect, test } from 'vitest';
import { amplitudeBetween, bitrateBetween, countedIn } from './call-figures.ts';
import { hideAddresses } from './hide-address.ts';
import { emptyEvidence, findingOf, type GatheringEvidence } from './network-finding.ts';
import { routeOf } from './route.ts';

const report = (...entries: Record<string, unknown>[]): RTCStatsReport =>
  new Map(
    entries.map((entry, index) => {
      const id = String(entry['id'] ?? index);
      return [id, { timestamp: 0, ...entry, id }];
    }),
  ) as unknown as RTCStatsReport;

const pathOf = (local: Record<string, unknown>, remote: Record<string, unknown> = { candidateType: 'host' }) =>
  report(
    { id: 'transport', type: 'transport', selectedCandidatePairId: 'chosen' },
    {
      id: 'idle',
      type: 'candidate-pair',
      state: 'succeeded',
      nominated: true,
      localCandidateId: 'x',
      remoteCandidateId: 'x',
    },
    { id: 'chosen', type: 'candidate-pair', localCandidateId: 'local', remoteCandidateId: 'remote' },
    { id: 'local', type: 'local-candidate', ...local },
    { id: 'remote', type: 'remote-candidate', ...remote },
  );

describe('RD-4 RD-13 the route that media takes', () => {
  test('RD-13 is told by the selected pair', () => {
    expect(routeOf(pathOf({ candidateType: 'host', protocol: 'udp' }))).toBe('p2p_udp');
    expect(routeOf(pathOf({ candidateType: 'srflx', protocol: 'udp' }))).toBe('p2p_udp');
    expect(routeOf(pathOf({ candidateType: 'host', protocol: 'tcp' }))).toBe('p2p_tcp');
    expect(routeOf(report({ type: 'inbound-rtp' }))).toBeNull();
  });

  test('RD-13 through TURN, by how the server is reached', () => {
    const relay = { candidateType: 'relay', protocol: 'udp' };
    expect(routeOf(pathOf({ ...relay, relayProtocol: 'udp' }))).toBe('turn_relay_udp');
    expect(routeOf(pathOf({ ...relay, relayProtocol: 'tcp' }))).toBe('turn_relay_tcp');
    expect(routeOf(pathOf({ ...relay, relayProtocol: 'tls' }))).toBe('turn_relay_tls');
    expect(routeOf(pathOf({ ...relay, url: 'turn:turn.example:3478?transport=tcp' }))).toBe('turn_relay_tcp');
    expect(routeOf(pathOf({ ...relay, url: 'turns:turn.example:443?transport=tcp' }))).toBe('turn_relay_tls');
    expect(routeOf(pathOf({ candidateType: 'host', protocol: 'udp' }, { candidateType: 'relay' }))).toBe(
      'turn_relay_udp',
    );
  });

  test('RD-13 also where a browser marks the pair instead of naming it', () => {
    const marked = report(
      { id: 'pair', type: 'candidate-pair', selected: true, localCandidateId: 'local', remoteCandidateId: 'remote' },
      { id: 'local', type: 'local-candidate', candidateType: 'host', protocol: 'udp' },
    );
    expect(routeOf(marked)).toBe('p2p_udp');
  });
});

describe('RD-3 what is wrong with a network', () => {
  const servers = [{ urls: ['stun:stun.example'] }];
  const path = { iceServers: servers, relayOnly: false, online: true };
  const gathered = (more: Partial<GatheringEvidence>): GatheringEvidence => ({ ...emptyEvidence(), ...more });

  test('RD-3 nothing gathered, or offline: no network', () => {
    expect(findingOf(gathered({}), path)).toBe('no-network');
    expect(findingOf(gathered({ local: new Set(['host']) }), { ...path, online: false })).toBe('no-network');
  });

  test('RD-3 servers that never answered: UDP is blocked', () => {
    const host = { local: new Set(['host']), remote: new Set(['host']) };
    expect(findingOf(gathered({ ...host, gathering: 'gathering' }), path)).toBe('udp-blocked');
    expect(findingOf(gathered({ ...host, gathering: 'complete', errors: new Set([701]) }), path)).toBe('udp-blocked');
    expect(findingOf(gathered({ gathering: 'gathering' }), { ...path, relayOnly: true })).toBe('udp-blocked');
  });

  test('RD-3 addresses on both sides, and nothing passes: a strict network', () => {
    const both = { local: new Set(['host', 'srflx']), remote: new Set(['srflx']), gathering: 'complete' } as const;
    expect(findingOf(gathered(both), path)).toBe('strict-network');
    expect(findingOf(gathered({ ...both, local: new Set(['host']) }), path)).toBe('strict-network');
  });

  test('RD-3 the other side told nothing: not known', () => {
    expect(findingOf(gathered({ local: new Set(['srflx']), gathering: 'complete' }), path)).toBe('unknown');
    expect(findingOf(gathered({ local: new Set(['host']) }), { ...path, iceServers: [] })).toBe('unknown');
  });
});

describe('RD-12 what is told hides the address', () => {
  test('RD-12 only relayed candidates, and of them not who asked for them', () => {
    const relay = 'candidate:1 1 udp 41885695 203.0.113.9 50000 typ relay raddr 198.51.100.7 rport 60000 generation 0';
    expect(hideAddresses(relay)).toContain('raddr 0.0.0.0 rport 0');
    expect(hideAddresses(relay)).not.toContain('198.51.100.7');
    expect(hideAddresses('candidate:1 1 udp 2122265343 192.0.2.2 60516 typ host generation 0')).toBe('');
    const sdp = [
      'v=0',
      'm=audio 9 UDP/TLS/RTP/SAVPF 111',
      `a=${relay}`,
      'a=candidate:2 1 udp 1 192.0.2.2 6 typ host',
      '',
    ];
    const hidden = hideAddresses(sdp.join('\r\n'));
    expect(hidden).not.toContain('192.0.2.2');
    expect(hidden).toContain('203.0.113.9');
    expect(hidden.endsWith('\r\n')).toBe(true);
  });
});

describe('RD-7 RD-13 what the statistics count', () => {
  test('RD-13 bits a second in both directions, also over a stream that began anew', () => {
    const before = countedIn([report({ id: 'in', type: 'inbound-rtp', bytesReceived: 1000 })], 0);
    const after = countedIn(
      [
        report(
          { id: 'in', type: 'inbound-rtp', bytesReceived: 3000 },
          { id: 'out', type: 'outbound-rtp', bytesSent: 500 },
          { id: 'remote', type: 'remote-inbound-rtp', bytesSent: 99_999 },
        ),
      ],
      2000,
    );
    expect(bitrateBetween(before, after)).toBe(10_000);
    expect(bitrateBetween(undefined, after)).toBe(0);
    expect(
      bitrateBetween(after, countedIn([report({ id: 'in', type: 'inbound-rtp', bytesReceived: 100 })], 4000)),
    ).toBe(0);
  });

  test('RD-7 how loud the microphone was, where the browser tells', () => {
    const source = (energy: number, seconds: number) =>
      countedIn(
        [report({ type: 'media-source', kind: 'audio', totalAudioEnergy: energy, totalSamplesDuration: seconds })],
        0,
      );
    expect(amplitudeBetween(source(1, 10), source(1.5, 12))).toBeCloseTo(0.5);
    expect(amplitudeBetween(source(1, 10), source(1, 12))).toBe(0);
    expect(amplitudeBetween(countedIn([], 0), countedIn([], 2000))).toBeUndefined();
  });
});
