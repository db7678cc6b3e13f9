import type { RoomSettings } from '@rostrum/shared/protocol/room.ts';
import { audioSettings } from '@rostrum/shared/room/audio-quality.ts';
import type { MicrophoneFailure, MicrophoneOptions } from './types.ts';

type AudioQuality = RoomSettings['audioQuality'];
export type GetUserMedia = (constraints: MediaStreamConstraints) => Promise<MediaStream>;

/** A microphone or camera that could not be opened, and why. */
class CaptureError extends Error {
  readonly reason: MicrophoneFailure;

  constructor(reason: MicrophoneFailure, options: ErrorOptions = {}) {
    super(`The device could not be opened (${reason}).`, options);
    this.name = 'CaptureError';
    this.reason = reason;
  }
}

/** Names of the errors of `getUserMedia`: the ones of today's specification, then what older browsers say. */
const reasons: Readonly<Record<string, MicrophoneFailure>> = {
  NotAllowedError: 'denied',
  SecurityError: 'denied',
  PermissionDeniedError: 'denied',
  NotFoundError: 'missing',
  OverconstrainedError: 'missing',
  DevicesNotFoundError: 'missing',
  NotReadableError: 'busy',
  AbortError: 'busy',
  TrackStartError: 'busy',
  TypeError: 'unsupported',
  NotSupportedError: 'unsupported',
};

/** Why a device could not be opened, by the error of `getUserMedia`. */
export const failureOf = (error: unknown): MicrophoneFailure => {
  if (error instanceof CaptureError) return error.reason;
  const name = typeof error === 'object' && error !== null && 'name' in error ? String(error.name) : '';
  return reasons[name] ?? 'unsupported';
};

export const exactly = (deviceId: string | undefined): MediaTrackConstraints =>
  deviceId === undefined || deviceId === '' ? {} : { deviceId: { exact: deviceId } };

/** What to ask the browser for, by the room's quality (MD-5) and what the person chose. */
export const constraintsFor = (options: MicrophoneOptions, quality: AudioQuality): MediaTrackConstraints => {
  const { stereo, voiceProcessing } = audioSettings[quality];
  const processing = options.processing ?? voiceProcessing;
  return {
    ...exactly(options.deviceId),
    echoCancellation: processing,
    noiseSuppression: options.noiseSuppression ?? processing,
    autoGainControl: processing,
    channelCount: stereo ? 2 : 1,
  };
};

/** An open device. `fellBack`: the one that was asked for is gone, and this is the standard one. */
export type Captured = { readonly track: MediaStreamTrack; readonly fellBack: boolean };

/** `getUserMedia` of this browser. It is missing on pages that did not come over HTTPS. */
export const browserGetUserMedia: GetUserMedia = async (constraints) => {
  if (typeof navigator === 'undefined' || !('mediaDevices' in navigator)) throw new CaptureError('unsupported');
  return navigator.mediaDevices.getUserMedia(constraints);
};

/** Opens a microphone; the standard one where the chosen one is gone. @throws CaptureError */
export const capture = (
  getUserMedia: GetUserMedia,
  options: MicrophoneOptions,
  quality: AudioQuality,
): Promise<Captured> =>
  orStandard(constraintsFor(options, quality), (audio) => openMicrophone(getUserMedia, audio, quality));

/** Opens a device by these constraints; the standard one where the one that they name is gone. @throws CaptureError */
export const orStandard = async (
  constraints: MediaTrackConstraints,
  open: (constraints: MediaTrackConstraints) => Promise<MediaStreamTrack>,
): Promise<Captured> => {
  try {
    return { track: await open(constraints), fellBack: false };
  } catch (error) {
    const reason = failureOf(error);
    if (reason !== 'missing' || constraints.deviceId === undefined) throw new CaptureError(reason, { cause: error });
  }
  try {
    const { deviceId: _, ...anyDevice } = constraints;
    return { track: await open(anyDevice), fellBack: true };
  } catch (error) {
    throw new CaptureError(failureOf(error), { cause: error });
  }
};

const openMicrophone = async (
  getUserMedia: GetUserMedia,
  audio: MediaTrackConstraints,
  quality: AudioQuality,
): Promise<MediaStreamTrack> => asMicrophone(await getUserMedia({ audio, video: false }), quality);

/** The first track of this kind; any other one is let go of. @throws CaptureError */
export const trackOf = (stream: MediaStream, kind: 'audio' | 'video'): MediaStreamTrack => {
  const [track, ...others] = stream.getTracks().filter((candidate) => candidate.kind === kind);
  if (track === undefined) throw new CaptureError('missing');
  for (const other of others) other.stop();
  return track;
};

/** `contentHint` says to the encoder what it carries; browsers that do not know the property ignore it. */
export const asMicrophone = (stream: MediaStream, quality: AudioQuality): MediaStreamTrack => {
  const track = trackOf(stream, 'audio');
  track.contentHint = quality === 'music' ? 'music' : 'speech';
  return track;
};

/** The device of a track; empty where the browser does not tell (Node). */
export const deviceOf = (track: MediaStreamTrack): { deviceId: string; label: string } => ({
  deviceId: (typeof track.getSettings === 'function' ? track.getSettings().deviceId : undefined) ?? '',
  label: track.label ?? '',
});
