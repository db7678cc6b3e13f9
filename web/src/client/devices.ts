/** A microphone, camera or loudspeaker. Browsers leave `label` empty until a microphone was allowed once. */
export type AudioDevice = { readonly deviceId: string; readonly label: string };
export type Permission = 'granted' | 'denied' | 'prompt' | 'unknown';

const mediaDevices = (): MediaDevices | undefined =>
  typeof navigator !== 'undefined' && 'mediaDevices' in navigator ? navigator.mediaDevices : undefined;

const list = async (kind: MediaDeviceKind): Promise<AudioDevice[]> => {
  const devices = (await mediaDevices()?.enumerateDevices()) ?? [];
  return devices.filter((device) => device.kind === kind).map(({ deviceId, label }) => ({ deviceId, label }));
};

/** The microphones there are; none where the browser has no way to them. */
export const listMicrophones = (): Promise<AudioDevice[]> => list('audioinput');

/** The cameras there are. */
export const listCameras = (): Promise<AudioDevice[]> => list('videoinput');

/** The loudspeakers to choose from; none where the browser does not let choose. */
export const listSpeakers = (): Promise<AudioDevice[]> =>
  canChooseSpeaker() ? list('audiooutput') : Promise.resolve([]);

/** Whether this browser plays on another loudspeaker than the standard one. */
export const canChooseSpeaker = (): boolean =>
  typeof HTMLMediaElement !== 'undefined' && 'setSinkId' in HTMLMediaElement.prototype;

/** Whether this browser can hear a room at all. */
export const canListen = (): boolean => typeof RTCPeerConnection !== 'undefined';

/** Whether this browser can open a microphone; pages that did not come over HTTPS cannot. */
export const canSpeak = (): boolean => canListen() && mediaDevices() !== undefined;

/** Calls `changed` when a device comes or goes, until the returned function is called. */
export const onDevicesChanged = (changed: () => void): (() => void) => {
  const devices = mediaDevices();
  devices?.addEventListener('devicechange', changed);
  return () => devices?.removeEventListener('devicechange', changed);
};

/** Whether the microphone, or the camera, is allowed to this page, without asking for it. */
export const microphonePermission = (): Promise<Permission> => permissionFor('microphone');
export const cameraPermission = (): Promise<Permission> => permissionFor('camera');

const permissionFor = async (name: 'microphone' | 'camera'): Promise<Permission> => {
  try {
    const status = await navigator.permissions.query({ name });
    return status.state;
  } catch {
    // Firefox does not know this name, and Node has no permissions.
    return 'unknown';
  }
};
