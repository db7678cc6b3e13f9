import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CallMonitor, type CallMonitorOptions } from './call-monitor.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

type Spoken = 'aloud' | 'silent' | 'untold';

/** A call whose statistics the test plays: 50 packets of 100 bytes a second each way. */
const setUp = () => {
  const call = { spoken: 'silent' as Spoken, ownLevel: 0, muted: false, broken: false, lostPerSecond: 0, sentLoss: 0 };
  const reported: Parameters<CallMonitorOptions['report']>[0][] = [];
  const measured: Parameters<CallMonitorOptions['measured']>[] = [];
  let seconds = 0;
  let energy = 0;
  let lost = 0;
  const entries = () => [
    {
      type: 'inbound-rtp',
      packetsReceived: 50 * seconds,
      packetsLost: lost,
      bytesReceived: 5000 * seconds,
      jitter: 0.02,
    },
    { type: 'outbound-rtp', bytesSent: 5000 * seconds },
    { type: 'remote-inbound-rtp', fractionLost: call.sentLoss, roundTripTime: 0.1 },
    ...(call.spoken === 'untold'
      ? []
      : [{ type: 'media-source', kind: 'audio', totalAudioEnergy: energy, totalSamplesDuration: seconds }]),
  ];
  const monitor = new CallMonitor({
    reports: async () => {
      seconds += 2;
      lost += 2 * call.lostPerSecond;
      if (call.spoken === 'aloud') energy += 2 * 0.1 ** 2;
      return [new Map(entries().map((entry, index) => [String(index), { id: String(index), ...entry }]))] as never;
    },
    route: () => 'p2p_udp',
    broken: () => call.broken,
    ownLevel: () => call.ownLevel,
    muted: () => call.muted,
    changed: () => undefined,
    measured: (...what) => measured.push(what),
    report: (report) => reported.push(report),
  });
  return { call, monitor, reported, measured };
};

test('RD-13 looks every 2 s, and knows loss, jitter, round trip, bitrate and route', async () => {
  const { monitor, measured } = setUp();
  await vi.advanceTimersByTimeAsync(4100);
  expect(monitor.quality).toEqual({
    grade: 'good',
    lossPercent: 0,
    jitterMs: 20,
    roundTripMs: 100,
    bitrate: 80_000,
    route: 'p2p_udp',
  });
  expect(measured).toEqual([[{ lossPercent: 0, roundTripMs: 100, available: null }, 2000]]);
  monitor.close();
});

test('RD-11 what is lost of what is sent is handed to the adaptation, not what is lost of what is heard', async () => {
  const { call, monitor, measured } = setUp();
  call.lostPerSecond = 50;
  call.sentLoss = 0.08;
  await vi.advanceTimersByTimeAsync(4100);
  expect(measured[0]?.[0].lossPercent).toBeCloseTo(8);
  expect(monitor.quality).toMatchObject({ grade: 'poor', lossPercent: 50 });
  call.broken = true;
  await vi.advanceTimersByTimeAsync(2000);
  expect(measured).toHaveLength(1);
  expect(monitor.quality.grade).toBe('lost');
  monitor.close();
});

test('RD-7 DC-6 the server is told every 10 s, and whether this person spoke', async () => {
  const { call, monitor, reported } = setUp();
  await vi.advanceTimersByTimeAsync(9000);
  expect(reported).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(1100);
  expect(reported).toHaveLength(1);
  expect(reported[0]).toMatchObject({ lossPercent: 0, spoke: false });
  call.spoken = 'aloud';
  await vi.advanceTimersByTimeAsync(10_000);
  expect(reported[1]).toMatchObject({ roundTripMs: 100, bitrate: 80_000, spoke: true });
  call.muted = true;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(reported[2]?.spoke).toBe(false);
  monitor.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(reported).toHaveLength(3);
  expect(vi.getTimerCount()).toBe(0);
});

test('RD-7 where the statistics do not tell, the microphone is measured here', async () => {
  const { call, monitor, reported } = setUp();
  call.spoken = 'untold';
  call.ownLevel = 0.05;
  await vi.advanceTimersByTimeAsync(10_100);
  expect(reported[0]?.spoke).toBe(false);
  call.ownLevel = 0.4;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(reported[1]?.spoke).toBe(true);
  monitor.close();
});
