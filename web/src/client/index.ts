/**
 * The client SDK of Rostrum, without any framework. Join a room and hear it:
 *
 * ```ts
 * const url = 'https://rooms.example';
 * const { token } = await createApi({ url }).signInGuest('Ana');
 * const connection = createConnection({ url, token });
 * const room = await joinRoom(connection, roomId);
 * room.on('speaking', (people) => console.log([...people]));
 * room.on('audioBlocked', (blocked) => { playButton.hidden = !blocked; });
 * playButton.onclick = () => room.startAudio();
 * ```
 *
 * To speak, once on the stage: `await room.openMicrophone()`. To go: `await room.leave()`, then `connection.close()`.
 * To call somebody at random: `openRandomCalls(connection)`; see README.md.
 * In Node give `joinRoom` a `handlerName`, and put the WebRTC classes of `@roamhq/wrtc` on `globalThis`.
 */
export { type Api, type ApiOptions, createApi } from './api.ts';
export type * from './call-types.ts';
export { createConnection } from './connection.ts';
export {
  type AudioDevice,
  cameraPermission,
  canChooseSpeaker,
  canListen,
  canSpeak,
  listCameras,
  listMicrophones,
  listSpeakers,
  microphonePermission,
  onDevicesChanged,
} from './devices.ts';
export { RostrumError } from './errors.ts';
export { createMicrophoneTest, type MicrophoneTest, type MicrophoneTestState } from './microphone-test.ts';
export { openRandomCalls } from './random-calls.ts';
export { joinRoom } from './room.ts';
export type * from './types.ts';
