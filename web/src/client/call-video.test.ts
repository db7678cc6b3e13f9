import { expect, test } from 'vitest';
import { CallVideo, prefer } from './call-video.ts';
import type { Measured } from './video-adaptation.ts';

/** A sender as a browser has one; that of Node takes no parameters. */
const senderOf = (height: number) => {
  const asked: MediaTrackConstraints[] = [];
  const set: RTCRtpSendParameters[] = [];
  const track = {
    getSettings: () => ({ height }),
    applyConstraints: async (constraints: MediaTrackConstraints) => void asked.push(constraints),
  };
  const sender = {
    track: track as unknown as MediaStreamTrack,
    getParameters: () => ({ encodings: [{ active: true }] }) as unknown as RTCRtpSendParameters,
    setParameters: async (parameters: RTCRtpSendParameters) => void set.push(parameters),
  };
  return { sender, asked, set };
};

const camera = {} as MediaStreamTrack;
const good: Measured = { lossPercent: 0, roundTripMs: 10, available: null };
const heavy: Measured = { ...good, lossPercent: 40 };

const videoWith = (preview: { camera: MediaStreamTrack | undefined; cameraOff: boolean }, audioOnly = false) => {
  let changes = 0;
  const video = new CallVideo({
    mode: 'video',
    preview,
    audioOnly,
    changed: () => {
      changes += 1;
    },
  });
  return { video, changes: () => changes };
};

test('RD-11 a rung is applied to the sender and to the camera', async () => {
  const { video } = videoWith({ camera, cameraOff: false });
  const { sender, asked, set } = senderOf(720);
  await video.apply(sender);
  expect(asked).toEqual([{ width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 15 } }]);
  expect(set[0]?.encodings).toEqual([
    { active: true, maxBitrate: 600_000, maxFramerate: 15, scaleResolutionDownBy: 2 },
  ]);
  // A camera that gives less is not blown up.
  const small = senderOf(240);
  await video.apply(small.sender);
  expect(small.set[0]?.encodings[0]?.scaleResolutionDownBy).toBe(1);
});

test('RD-11 a browser that takes no parameters is left to its own congestion control', async () => {
  const { video } = videoWith({ camera, cameraOff: false });
  const { sender } = senderOf(720);
  sender.setParameters = () => Promise.reject(new Error('InvalidStateError'));
  await video.apply(sender);
  await prefer(sender);
  await video.apply(undefined);
});

test('RD-11 the voice has priority', async () => {
  const { sender, set } = senderOf(0);
  await prefer(sender);
  expect(set[0]?.encodings).toEqual([{ active: true, priority: 'high', networkPriority: 'high' }]);
});

test('RD-11 over a path that carries no video none is sent, until it does', () => {
  const { video, changes } = videoWith({ camera, cameraOff: false });
  expect(video.stateOn(true)).toEqual({ state: 'on', width: 640, height: 360, framesPerSecond: 15 });
  for (let look = 0; look < 20; look += 1) video.measured(heavy, 2000);
  expect(video.stateOn(true)).toEqual({ state: 'off', why: 'path' });
  expect(video.track).toBeNull();
  expect(changes()).toBe(4);
  for (let look = 0; look < 40; look += 1) video.measured(good, 2000);
  expect(video.stateOn(true)).toMatchObject({ state: 'on', width: 1280, framesPerSecond: 30 });
  expect(video.track).toBe(camera);
});

test('RD-11 says why there is none', () => {
  const { video } = videoWith({ camera, cameraOff: false });
  expect(video.stateOn(false)).toEqual({ state: 'off', why: 'path' });
  video.audioOnly = true;
  expect(video.stateOn(true)).toEqual({ state: 'off', why: 'audio-only' });
  expect(video.track).toBeNull();
  expect(videoWith({ camera: undefined, cameraOff: true }).video.stateOn(true)).toMatchObject({ why: 'switched-off' });
  expect(videoWith({ camera: undefined, cameraOff: false }).video.stateOn(true)).toMatchObject({ why: 'no-camera' });
});

test('RD-11 what is measured while there is no video to send is not held against it', () => {
  const { video, changes } = videoWith({ camera, cameraOff: false }, true);
  for (let look = 0; look < 20; look += 1) video.measured(heavy, 2000);
  expect(changes()).toBe(0);
});
