import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CallSignals } from './call-signals.ts';
import { CallStanding } from './call-standing.ts';
import { RostrumError } from './errors.ts';
import type { LinkMessage } from './negotiation.ts';
import { idOf } from './test-support.ts';
import { Timers } from './timers.ts';
import type { Connection } from './types.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const sessionId = idOf('session');

/** A server that takes what it is told, or refuses it with a code. */
const setUp = () => {
  const told: unknown[][] = [];
  const server = { status: 'online', refuse: undefined as RostrumError | undefined };
  const connection = {
    get status() {
      return server.status;
    },
    request: async (...what: unknown[]) => {
      told.push(what);
      if (server.refuse !== undefined) throw server.refuse;
      return {};
    },
  } as unknown as Connection;
  return { told, server, connection, timers: new Timers() };
};

describe('RD-5 RD-13 whether media flows', () => {
  const standingOn = () => {
    const { connection, ...rest } = setUp();
    const refused: unknown[] = [];
    const standing = new CallStanding({
      connection,
      sessionId,
      timers: rest.timers,
      refused: (error) => refused.push(error),
    });
    return { ...rest, standing, refused };
  };

  test('RD-5 is told, and the loss of it only after it had flowed', async () => {
    const { told, standing } = standingOn();
    standing.lost();
    standing.connected('p2p_udp');
    standing.lost();
    standing.lost();
    expect(told.map(([name]) => name)).toEqual(['random:connected', 'random:reconnecting']);
    expect(told[0]).toEqual(['random:connected', { sessionId, route: 'p2p_udp' }]);
  });

  test('RD-5 the last word counts where the one before could not be said yet', async () => {
    const { told, server, standing } = standingOn();
    server.refuse = new RostrumError('unavailable', '');
    standing.connected('p2p_udp');
    await vi.advanceTimersByTimeAsync(0);
    server.refuse = undefined;
    standing.connected('turn_relay_udp');
    await vi.advanceTimersByTimeAsync(20_000);
    expect(told.map(([, input]) => input)).toEqual([
      { sessionId, route: 'p2p_udp' },
      { sessionId, route: 'turn_relay_udp' },
    ]);
  });

  test('RD-5 nothing is said while the connection is away, and all of it when it is back', async () => {
    const { told, server, standing } = standingOn();
    server.status = 'reconnecting';
    standing.connected('p2p_udp');
    await vi.advanceTimersByTimeAsync(20_000);
    expect(told).toEqual([]);
    server.status = 'online';
    standing.again();
    expect(told).toHaveLength(1);
    standing.reset();
    standing.again();
    expect(told).toHaveLength(1);
  });

  test('RE-5 attempts end, and a refusal is handed on', async () => {
    const { told, server, standing, refused } = standingOn();
    server.refuse = new RostrumError('unavailable', '');
    standing.connected('p2p_udp');
    await vi.advanceTimersByTimeAsync(120_000);
    expect(told).toHaveLength(5);
    server.refuse = new RostrumError('stale', '');
    standing.connected('sfu');
    await vi.advanceTimersByTimeAsync(0);
    expect(refused).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('RD-2 what the link tells', () => {
  const offer: LinkMessage = { kind: 'offer', from: idOf('a'), to: null, sdp: 'v=0' };
  const candidate: LinkMessage = {
    kind: 'candidate',
    from: idOf('a'),
    to: idOf('b'),
    candidate: '',
    sdpMid: '0',
    sdpMLineIndex: 0,
    usernameFragment: null,
  };
  const signalsOn = () => {
    const { connection, ...rest } = setUp();
    const heard: string[] = [];
    const signals = new CallSignals({
      connection,
      sessionId,
      timers: rest.timers,
      unsaid: () => heard.push('unsaid'),
      stale: () => heard.push('stale'),
    });
    return { ...rest, signals, heard };
  };

  test('RD-2 RD-14 goes to the server with the call that it belongs to', () => {
    const { told, signals } = signalsOn();
    signals.send(offer);
    signals.send({ ...offer, kind: 'answer' });
    signals.send(candidate);
    const { kind: _, ...description } = offer;
    const { kind: __, ...fields } = candidate;
    expect(told).toEqual([
      ['random:offer', { sessionId, ...description }],
      ['random:answer', { sessionId, ...description }],
      ['random:ice_candidate', { sessionId, ...fields }],
    ]);
  });

  test('RD-5 what could not be said is said again, once for all of it', async () => {
    const { server, signals, heard } = signalsOn();
    server.refuse = new RostrumError('rate_limited', '', { retryAfterMs: 3000 });
    signals.send(offer);
    signals.send(candidate);
    await vi.advanceTimersByTimeAsync(2900);
    expect(heard).toEqual([]);
    await vi.advanceTimersByTimeAsync(200);
    expect(heard).toEqual(['unsaid']);
  });

  test('RD-14 a call that the server does not know is asked about; an address that may not be told is left', async () => {
    const { server, signals, heard } = signalsOn();
    server.refuse = new RostrumError('stale', '');
    signals.send(offer);
    await vi.advanceTimersByTimeAsync(0);
    server.refuse = new RostrumError('invalid', '');
    signals.send(offer);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(heard).toEqual(['stale']);
  });

  test('RD-5 while the connection is away nothing is said', () => {
    const { told, server, signals } = signalsOn();
    server.status = 'reconnecting';
    signals.send(offer);
    expect(told).toEqual([]);
  });
});
