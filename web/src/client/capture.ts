import type { RoomSettings } from '@rostrum/shared/protocol/room.ts';
import { audioSettings } from '@rostrum/shared/room/audio-quality.ts';
import type { MicrophoneFailure, MicrophoneOptions } from './types.ts';

type AudioQuality = RoomSettings['audioQuality'];
export type GetUserMedia = (constraints: MediaStreamConstraints) => Promise<MediaStream>;

/** A microphone that could not be opened, and why. */
class CaptureError extends Error {
  readonly reason: MicrophoneFailure;

  constructor(reason: MicrophoneFailure, options: ErrorOptions = {}) {
    super(`The microphone could not be opened (${reason}).`, options);
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

/** Why a microphone could not be opened, by the error of `getUserMedia`. */
export const failureOf = (error: unknown): MicrophoneFailure => {
  if (error instanceof CaptureError) return error.reason;
  const name = typeof error === 'object' && error !== null && 'name' in error ? String(error.name) : '';
  return reasons[name] ?? 'unsupported';
};

/** What to ask the browser for, by the room's quality (MD-5) and what the person chose. */
export const constraintsFor = (options: MicrophoneOptions, quality: AudioQuality): MediaTrackConstraints => {
  const { stereo, voiceProcessing } = audioSettings[quality];
  const processing = options.processing ?? voiceProcessing;
  return {
    ...(options.deviceId === undefined || options.deviceId === '' ? {} : { deviceId: { exact: options.deviceId } }),
    echoCancellation: processing,
    noiseSuppression: options.noiseSuppression ?? processing,
    autoGainControl: processing,
    channelCount: stereo ? 2 : 1,
  };
};

/** An open microphone. `fellBack`: the device that was asked for is gone, and this is the standard one. */
export type Captured = { readonly track: MediaStreamTrack; readonly fellBack: boolean };

/** `getUserMedia` of this browser. It is missing on pages that did not come over HTTPS. */
export const browserGetUserMedia: GetUserMedia = async (constraints) => {
  if (typeof navigator === 'undefined' || !('mediaDevices' in navigator)) throw new CaptureError('unsupported');
  return navigator.mediaDevices.getUserMedia(constraints);
};

/** Opens a microphone; the standard one where the chosen one is gone. @throws CaptureError */
export const capture = async (
  getUserMedia: GetUserMedia,
  options: MicrophoneOptions,
  quality: AudioQuality,
): Promise<Captured> => {
  const audio = constraintsFor(options, quality);
  try {
    return { track: await open(getUserMedia, audio, quality), fellBack: false };
  } catch (error) {
    const reason = failureOf(error);
    if (reason !== 'missing' || audio.deviceId === undefined) throw new CaptureError(reason, { cause: error });
  }
  try {
    const { deviceId: _, ...anyDevice } = audio;
    return { track: await open(getUserMedia, anyDevice, quality), fellBack: true };
  } catch (error) {
    throw new CaptureError(failureOf(error), { cause: error });
  }
};

const open = async (
  getUserMedia: GetUserMedia,
  audio: MediaTrackConstraints,
  quality: AudioQuality,
): Promise<MediaStreamTrack> => {
  const stream = await getUserMedia({ audio, video: false });
  const [track, ...others] = stream.getTracks().filter((candidate) => candidate.kind === 'audio');
  if (track === undefined) throw new CaptureError('missing');
  for (const other of others) other.stop();
  // Says to the encoder what it carries; browsers that do not know the property ignore it.
  track.contentHint = quality === 'music' ? 'music' : 'speech';
  return track;
};

/** The device of a track; empty where the browser does not tell (Node). */
export const deviceOf = (track: MediaStreamTrack): { deviceId: string; label: string } => ({
  deviceId: (typeof track.getSettings === 'function' ? track.getSettings().deviceId : undefined) ?? '',
  label: track.label ?? '',
});
