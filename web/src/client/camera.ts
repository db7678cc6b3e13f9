import {
  asMicrophone,
  type Captured,
  constraintsFor,
  exactly,
  failureOf,
  type GetUserMedia,
  orStandard,
  trackOf,
} from './capture.ts';

/** RD-11: the largest that a call sends; what it sends less than that, it asks of the open camera. */
const cameraConstraints = (deviceId: string | undefined): MediaTrackConstraints => ({
  ...exactly(deviceId),
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30 },
});

const asCamera = (stream: MediaStream): MediaStreamTrack => {
  const track = trackOf(stream, 'video');
  // A person who moves and talks: rather fewer details than a picture that jerks.
  track.contentHint = 'motion';
  return track;
};

/** Opens a camera; the standard one where the chosen one is gone. @throws CaptureError */
export const captureCamera = (getUserMedia: GetUserMedia, deviceId: string | undefined): Promise<Captured> =>
  orStandard(cameraConstraints(deviceId), async (video) => asCamera(await getUserMedia({ audio: false, video })));

export type DeviceIds = { readonly microphoneId?: string | undefined; readonly cameraId?: string | undefined };
export type Pair = { readonly microphone: MediaStreamTrack; readonly camera: MediaStreamTrack };

/**
 * Opens microphone and camera with one question to the person. Undefined where that does not open both for another reason
 * than the person's: asked for one by one, each says what is wrong with it. @throws CaptureError of reason `denied`
 */
export const captureBoth = async (
  getUserMedia: GetUserMedia,
  { microphoneId, cameraId }: DeviceIds,
): Promise<Pair | undefined> => {
  const audio = constraintsFor(microphoneId === undefined ? {} : { deviceId: microphoneId }, 'medium');
  let stream: MediaStream | undefined;
  try {
    stream = await getUserMedia({ audio, video: cameraConstraints(cameraId) });
    return { microphone: asMicrophone(stream, 'medium'), camera: asCamera(stream) };
  } catch (error) {
    for (const track of stream?.getTracks() ?? []) track.stop();
    if (failureOf(error) === 'denied') throw error;
    return undefined;
  }
};
