import { audioSettings } from '@rostrum/shared/room/audio-quality.ts';
import { expect, test } from 'vitest';
import { constraintsFor } from './capture.ts';
import { levelOfAmplitude } from './levels.ts';
import { gradeOf, lossBetween, sampleOf } from './quality.ts';
import { codecOptionsFor } from './sender.ts';

const report = (...entries: Record<string, unknown>[]): RTCStatsReport =>
  new Map(
    entries.map((entry, index) => [String(index), { id: String(index), timestamp: 0, ...entry }]),
  ) as unknown as RTCStatsReport;

const inbound = (received: number, lost: number, jitter = 0) => ({
  type: 'inbound-rtp',
  packetsReceived: received,
  packetsLost: lost,
  jitter,
});

test('WB-4 reads loss, jitter and round trip of all paths, and takes the worst', () => {
  const sample = sampleOf([
    report(inbound(100, 0, 0.01), inbound(50, 5, 0.02), {
      type: 'candidate-pair',
      nominated: true,
      state: 'succeeded',
      currentRoundTripTime: 0.08,
    }),
    report({ type: 'remote-inbound-rtp', fractionLost: 0.25, roundTripTime: 0.12 }, { type: 'codec' }),
  ]);
  expect(sample.jitterMs).toBeCloseTo(20);
  expect(sample.roundTripMs).toBeCloseTo(120);
  expect(lossBetween(undefined, sample)).toBeCloseTo(25);
});

test('WB-4 counts the loss since the last look, and none where nobody speaks', () => {
  const before = sampleOf([report(inbound(1000, 500))]);
  const after = sampleOf([report(inbound(1090, 510))]);
  expect(lossBetween(before, after)).toBeCloseTo(10);
  expect(lossBetween(after, after)).toBe(0);
  expect(lossBetween(undefined, sampleOf([]))).toBe(0);
});

test('WB-4 a voice that went away, or a packet that came late, is no loss', () => {
  const before = sampleOf([report(inbound(1000, 50), inbound(10, 9))]);
  expect(lossBetween(before, sampleOf([report(inbound(1100, 48))]))).toBe(0);
});

test('WB-4 grades what a person would hear', () => {
  const good = { lossPercent: 1, jitterMs: 10, roundTripMs: 80 };
  expect(gradeOf(good, false)).toBe('good');
  expect(gradeOf({ ...good, lossPercent: 5 }, false)).toBe('fair');
  expect(gradeOf({ ...good, roundTripMs: 300 }, false)).toBe('fair');
  expect(gradeOf({ ...good, lossPercent: 15 }, false)).toBe('poor');
  expect(gradeOf({ ...good, jitterMs: 150 }, false)).toBe('poor');
  expect(gradeOf(good, true)).toBe('lost');
});

test('WB-4 loudness grows with the amplitude, in decibels', () => {
  expect(levelOfAmplitude(0)).toBe(0);
  expect(levelOfAmplitude(1)).toBe(1);
  expect(levelOfAmplitude(0.0001)).toBe(0);
  expect(levelOfAmplitude(0.0316)).toBeCloseTo(0.5, 2);
});

test('MD-5 encodes by the quality of the room', () => {
  expect(codecOptionsFor('low')).toMatchObject({ opusMaxPlaybackRate: 16_000, opusMaxAverageBitrate: 20_000 });
  for (const quality of ['low', 'medium', 'high'] as const) {
    expect(codecOptionsFor(quality)).toMatchObject({ opusDtx: true, opusFec: true, opusStereo: false });
    expect(constraintsFor({}, quality)).toMatchObject({
      echoCancellation: true,
      noiseSuppression: true,
      channelCount: 1,
    });
  }
  expect(codecOptionsFor('music')).toMatchObject({ opusDtx: false, opusStereo: true, opusMaxAverageBitrate: 128_000 });
  expect(constraintsFor({}, 'music')).toMatchObject({
    echoCancellation: false,
    autoGainControl: false,
    channelCount: 2,
  });
  expect(audioSettings.high.maxPlaybackRate).toBe(48_000);
});

test('MD-5 processing is what the person says, and noise suppression by itself too', () => {
  expect(constraintsFor({ processing: true }, 'music').echoCancellation).toBe(true);
  const noisy = constraintsFor({ noiseSuppression: false }, 'high');
  expect(noisy).toMatchObject({ echoCancellation: true, noiseSuppression: false, autoGainControl: true });
});

test('WB-3 asks for the device that was chosen, and for any when none was', () => {
  expect(constraintsFor({ deviceId: 'usb' }, 'high').deviceId).toEqual({ exact: 'usb' });
  expect(constraintsFor({}, 'high')).not.toHaveProperty('deviceId');
  expect(constraintsFor({ deviceId: '' }, 'high')).not.toHaveProperty('deviceId');
});
