import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TransportOffer } from '@rostrum/shared/protocol/listening.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ForeignAddress, MediaAddresses } from '../bench/lib/media-addresses.ts';
import { Refused } from '../bench/lib/refused.ts';
import type { CrowdFigures } from '../bench/load/crowd.ts';
import { TimeHistogram } from '../bench/load/histogram.ts';
import { hintsFor } from '../bench/load/load-hints.ts';
import { type LoadOptions, parseLoadOptions } from '../bench/load/load-options.ts';
import { reportOf } from '../bench/load/load-report.ts';
import { type Measured, resultOf } from '../bench/load/load-result.ts';
import { findServer } from '../bench/load/load-server.ts';
import { ServerMetrics } from '../bench/load/server-metrics.ts';
import { Tally } from '../bench/load/tally.ts';

const problemsOf = (...args: string[]): readonly string[] => {
  const parsed = parseLoadOptions(args);
  return parsed.kind === 'wrong' ? parsed.problems : [];
};

const optionsOf = (...args: string[]): LoadOptions => {
  const parsed = parseLoadOptions(['--server', 'https://rooms.example', ...args]);
  if (parsed.kind !== 'run') throw new Error(JSON.stringify(parsed));
  return parsed.options;
};

describe('the command line of a load', () => {
  it('OP-5 loads no server that is not named', () => {
    expect(problemsOf()).toEqual([expect.stringContaining('--server is missing')]);
    expect(problemsOf('--listeners', '5')).toHaveLength(1);
    expect(problemsOf('--server', 'rooms.example')).toEqual([expect.stringContaining('takes a URL')]);
    expect(problemsOf('--server', 'ftp://rooms.example')).toHaveLength(1);
  });

  it('OP-5 says everything that is wrong at once', () => {
    const wrong = ['--rooms', '0', '--media-address', '10.0.0.1,elsewhere', '--room', 'short', '--max-loss', 'x'];
    expect(problemsOf(...wrong)).toHaveLength(5);
    expect(problemsOf('--unheard-of')).toHaveLength(1);
    expect(problemsOf('--server', 'http://localhost', '--talking', '9')).toEqual([
      expect.stringContaining('--talking'),
    ]);
    expect(problemsOf('--server', 'http://localhost', '--speakers', '0')).toHaveLength(1);
  });

  it('OP-5 runs away with nothing: people, sockets and time are bounded', () => {
    expect(problemsOf('--server', 'http://localhost', '--rooms', '10', '--listeners', '2001')).toHaveLength(1);
    expect(problemsOf('--server', 'http://localhost', '--listeners', '10000')).toHaveLength(1);
    expect(problemsOf('--server', 'http://localhost', '--duration', '43201')).toHaveLength(1);
    expect(
      problemsOf('--server', 'http://localhost', '--rooms', '1000', '--listeners', '20', '--speakers', '10'),
    ).toHaveLength(1);
    for (const name of [
      'rooms',
      'listeners',
      'speakers',
      'probes',
      'callers',
      'processes',
      'joins-per-second',
      'duration',
    ])
      fc.assert(
        fc.property(
          fc.oneof(
            fc.integer({ min: 100_000 }),
            fc.integer({ max: -1 }),
            fc.double({ min: 1.1, max: 1.9, noNaN: true }),
          ),
          (value) => {
            expect(problemsOf('--server', 'http://localhost', `--${name}=${value}`)).not.toHaveLength(0);
          },
        ),
        { numRuns: 20 },
      );
  });

  it('OP-5 explains itself', () => {
    const parsed = parseLoadOptions(['--help']);
    expect(parsed).toMatchObject({ kind: 'help', text: expect.stringContaining('--media-address') });
  });
});

/** What a server says of where it takes media. */
const offerOf = (...candidates: (readonly [protocol: string, address: string])[]): TransportOffer => ({
  transportId: 't',
  iceParameters: {},
  iceCandidates: candidates.map(([protocol, address]) => ({ protocol, address, port: 40_000 })),
  dtlsParameters: {},
  iceServers: [{ urls: ['turn:elsewhere.example'] }],
});

describe('where a load sends media', () => {
  const addresses = new MediaAddresses(['192.0.2.1', '2001:db8::1']);

  it('OP-5 only goes where it may, however that is written', () => {
    for (const allowed of ['192.0.2.1', '2001:db8::1', '2001:0db8:0:0:0:0:0:1', '::ffff:192.0.2.1'])
      expect(addresses.includes(allowed), allowed).toBe(true);
    for (const foreign of [
      '192.0.2.2',
      '2001:db8::2',
      'rooms.example',
      'localhost',
      '192.0.2.1.example',
      '',
      '0xC0000201',
    ])
      expect(addresses.includes(foreign), foreign).toBe(false);
    expect(addresses.udp(offerOf(['udp', '203.0.113.9'], ['tcp', '192.0.2.1'], ['udp', '192.0.2.1']))).toEqual({
      host: '192.0.2.1',
      port: 40_000,
    });
  });

  it('OP-5 refuses a server that takes media elsewhere, and names the place', () => {
    expect(() => addresses.udp(offerOf(['udp', '203.0.113.9'], ['tcp', '192.0.2.1']))).toThrow(ForeignAddress);
    expect(() => addresses.udp(offerOf(['udp', '203.0.113.9']))).toThrow('203.0.113.9');
    expect(() => addresses.udp(offerOf())).toThrow(ForeignAddress);
    expect(() => addresses.allowedOf(offerOf(['udp', '203.0.113.9']))).toThrow(ForeignAddress);
  });

  it('OP-5 leaves of an offer what may be used: no other candidate, and no STUN or TURN server', () => {
    const left = addresses.allowedOf(offerOf(['udp', '192.0.2.1'], ['udp', '203.0.113.9'], ['tcp', '203.0.113.9']));
    expect(left.iceCandidates.map(({ address }) => address)).toEqual(['192.0.2.1']);
    expect(left.iceServers).toEqual([]);
  });

  it('OP-5 knows a server by the addresses of its name, and one on this machine by all of the machine', async () => {
    const named = await findServer('http://192.0.2.7:3000/', { mediaAddresses: ['198.51.100.4'] });
    expect(named.url).toBe('http://192.0.2.7:3000');
    expect([...named.addresses.all].sort()).toEqual(['192.0.2.7', '198.51.100.4']);
    const here = await findServer('http://127.0.0.1:3000');
    expect(here.addresses.includes('127.0.0.1')).toBe(true);
    expect(here.addresses.includes('192.0.2.7')).toBe(false);
    await expect(findServer('http://nobody.invalid')).rejects.toThrow();
  });
});

type Facts = {
  readonly options?: LoadOptions;
  readonly people?: number;
  readonly refused?: number;
  readonly lost?: number;
  readonly joinMs?: number;
  readonly generator?: Partial<CrowdFigures['generator']>;
  readonly use?: Measured['use'];
  readonly interrupted?: boolean;
};

/** What a load measured in which so many people came in and heard a hundred packets each. */
const measured = (facts: Facts = {}): Measured => {
  const {
    options = optionsOf(),
    people = 10,
    refused = 0,
    lost = 0,
    joinMs = 5,
    use = null,
    interrupted = false,
  } = facts;
  const audience = new Tally();
  for (let person = 0; person < people; person += 1) {
    for (const name of ['asked', 'joined', 'heard'] as const) audience.count(name);
    audience.times.join.record(joinMs);
    audience.left({ received: 100 - lost, expected: 100, lost });
  }
  for (let person = 0; person < refused; person += 1) {
    for (const name of ['asked', 'refused'] as const) audience.count(name);
    audience.failed('room:join', new Refused('room:join', 'node_full'));
  }
  const empty = new Tally().figures();
  const generator = {
    cpu: 0.2,
    rssMb: 100,
    delayP50: 0,
    delayP99: 2,
    delayMax: 5,
    droppedDatagrams: 0,
    late: new TimeHistogram().figures(),
    ...facts.generator,
  };
  const figures: CrowdFigures = {
    audience: audience.figures(),
    probes: empty,
    stage: empty,
    calls: empty,
    packetsSent: 100,
    packetMs: { 20: 4 },
    heldBack: 0,
    generator,
  };
  return {
    options,
    interrupted,
    steadySeconds: 60,
    processes: [{ name: 'load process 1', figures }],
    use,
    machine: { cores: 2, loadAverage: 0.5 },
    problems: [],
  };
};

describe('what the server says of itself', () => {
  it('OP-5 is read of its metrics, and left out where they cannot be reached', async () => {
    const shares = [0.1, 0.3];
    const server = createServer((_, response) => {
      const share = shares.shift() ?? 0;
      response.end(
        `# HELP rostrum_worker_cpu x\nrostrum_worker_cpu{worker="0"} ${share}\nrostrum_worker_cpu{worker="1"} 0.5\n` +
          'process_resident_memory_bytes 104857600\nprocess_cpu_seconds_total 3\n',
      );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
    const metrics = new ServerMetrics(url);
    expect(metrics.use).toBeNull();
    await metrics.look();
    await metrics.look();
    server.close();
    await metrics.look();
    expect(metrics.use).toEqual({
      workers: [
        { worker: '0', cpuMean: 0.2, cpuMax: 0.3 },
        { worker: '1', cpuMean: 0.5, cpuMax: 0.5 },
      ],
      node: 0,
      rssMb: 100,
    });
    const nobody = new ServerMetrics(url);
    await nobody.look();
    expect(nobody.use).toBeNull();
  });
});

describe('what a load says', () => {
  it('OP-5 keeps to its thresholds, or says by its exit code that it did not', () => {
    const strict = optionsOf('--max-loss', '0.5', '--max-join-p95', '50', '--max-failures', '10');
    expect(resultOf(measured()).exitCode).toBe(0);
    expect(resultOf(measured({ options: strict })).exitCode).toBe(0);
    expect(resultOf(measured({ options: strict, lost: 1 })).exitCode).toBe(1);
    expect(resultOf(measured({ options: strict, joinMs: 60 })).exitCode).toBe(1);
    expect(resultOf(measured({ options: strict, refused: 2 })).exitCode).toBe(1);
    expect(resultOf(measured({ options: strict, refused: 1 })).exitCode).toBe(0);
    // Latency was not measured here, so it was not kept.
    expect(resultOf(measured({ options: optionsOf('--max-latency-p95', '100') })).exitCode).toBe(1);
    expect(resultOf(measured({ people: 0, refused: 5 })).exitCode).toBe(3);
    expect(resultOf(measured({ interrupted: true })).exitCode).toBe(130);
  });

  it('OP-5 says when the load itself was the limit, and judges no server by that', () => {
    const strict = optionsOf('--max-loss', '0.5');
    for (const generator of [{ cpu: 0.95 }, { delayP99: 80 }, { droppedDatagrams: 3 }]) {
      const result = resultOf(measured({ options: strict, lost: 1, generator }));
      expect(result.generatorWasLimit).toHaveLength(1);
      expect(result.exitCode).toBe(4);
      expect(reportOf(result)).toContain('THE LOAD WAS THE LIMIT');
    }
    expect(resultOf(measured({ options: strict, generator: { cpu: 0.95 } })).exitCode).toBe(0);
  });

  it('OP-5 says what that means for the size of a machine, where the server tells what it used', () => {
    const use = { workers: [{ worker: '0', cpuMean: 0.17, cpuMax: 0.2 }], node: 0.1, rssMb: 300 };
    const result = resultOf(measured({ people: 100, use }));
    expect(result.listenersPerCore).toBe(500);
    expect(reportOf(result)).toContain('about 500 listeners');
    expect(reportOf(resultOf(measured()))).toContain('not known');
    const idle = { ...use, workers: [{ worker: '0', cpuMean: 0.001, cpuMax: 0.001 }] };
    expect(resultOf(measured({ people: 100, use: idle })).listenersPerCore).toBeNull();
  });

  it('OP-5 says what a failure means, and prints it by its code', () => {
    const result = resultOf(measured({ refused: 3 }));
    expect(result.failures).toEqual({ 'room:join node_full': 3 });
    expect(reportOf(result)).toContain('3 × room:join node_full');
    expect(reportOf(result)).toContain('LIMIT_PACKETS_PER_WORKER');
    expect(hintsFor(['sign-in rate_limited'])).toEqual([expect.stringContaining('--forwarded')]);
    expect(hintsFor(['room:join internal'])).toEqual([]);
  });

  it('OP-5 prints everything as JSON, and the same figures again', () => {
    const result = resultOf(measured({ lost: 2 }));
    expect(JSON.parse(JSON.stringify(result))).toMatchObject({
      listeners: {
        counters: { asked: 10, joined: 10, heard: 10, refused: 0 },
        times: { join: { count: 10, p50: 5, p95: 5, p99: 5, max: 5 } },
        media: { expected: 1000, received: 980, lost: 20, lostPercent: 2, listenersWithLoss: 10 },
      },
      exitCode: 0,
    });
  });
});
