import type { CallMode } from '@rostrum/shared/protocol/call.ts';
import type { PreviewState } from './call-types.ts';
import { captureBoth, captureCamera, type DeviceIds } from './camera.ts';
import { type Captured, capture, deviceOf, failureOf, type GetUserMedia } from './capture.ts';
import { microphonePermission } from './devices.ts';
import { TrackLevel } from './levels.ts';
import { TaskQueue } from './task-queue.ts';
import type { MicrophoneFailure } from './types.ts';

export type Device = 'microphone' | 'camera';

/** Changes that wait for the person to answer the browser's question (RE-5). */
const queueMax = 16;

export type PreviewOptions = {
  readonly getUserMedia: GetUserMedia;
  readonly changed: (state: PreviewState) => void;
  /** Another track, or none, is to be sent of this device from now on. */
  readonly replaced: (device: Device) => void;
};

/**
 * Microphone and camera for calls (RQ-10): opened once, before anybody is searched, and used for one call after the other. A
 * device that disappears is replaced by the standard one, once.
 */
export class Preview {
  readonly #options: PreviewOptions;
  readonly #open: { [device in Device]: Captured | undefined } = {
    microphone: undefined,
    camera: undefined,
  };
  readonly #meter = new TrackLevel();
  #state: PreviewState = { state: 'off' };
  #mode: CallMode = 'text';
  #chosen: DeviceIds = {};
  #muted = false;
  #cameraOff = false;
  /** One change after the other; those of before a close are let go of. */
  #queue = new TaskQueue(queueMax);

  constructor(options: PreviewOptions) {
    this.#options = options;
  }

  get state(): PreviewState {
    return this.#state;
  }

  get microphone(): MediaStreamTrack | undefined {
    return this.#open.microphone?.track;
  }

  get camera(): MediaStreamTrack | undefined {
    return this.#open.camera?.track;
  }

  get muted(): boolean {
    return this.#muted;
  }

  /** The person has switched the camera off. */
  get cameraOff(): boolean {
    return this.#cameraOff;
  }

  /** Opens what this mode needs, and nothing for text. What is open stays, unless another device is asked for. */
  open(mode: CallMode, devices: DeviceIds): Promise<void> {
    if (mode === 'text') {
      this.close();
      return Promise.resolve();
    }
    return this.#change(async (wanted) => {
      this.#mode = mode;
      this.#cameraOff = false;
      this.#chosen = { ...this.#chosen, ...devices };
      if (mode !== 'video') this.#letGo('camera');
      await this.#openMissing(devices, wanted);
      if (wanted() && this.#state.state !== 'failed') this.#ready();
    });
  }

  /** Another microphone, or another camera; the one before stays where that fails, and why is thrown. @throws CaptureError */
  use(device: Device, deviceId: string): Promise<void> {
    return this.#change(async (wanted) => {
      this.#choose(device, deviceId);
      if (this.#open[device] === undefined) return;
      this.#take(device, await this.#capture(device), wanted);
      if (wanted()) this.#ready();
    });
  }

  /** Switches the camera off, so that its light goes off, or on again. @throws CaptureError */
  setCamera(on: boolean): Promise<void> {
    if (!on) {
      this.#cameraOff = true;
      this.#letGo('camera');
    }
    return this.#change(async (wanted) => {
      this.#cameraOff = !on;
      if (!on) this.#letGo('camera');
      else if (this.camera === undefined) await this.#switchOn(wanted);
      if (wanted()) this.#ready();
    });
  }

  setMuted(muted: boolean): void {
    this.#muted = muted;
    if (this.microphone !== undefined) this.microphone.enabled = !muted;
  }

  /** Momentary loudness of one's own microphone, from 0 to 1. */
  level(): number {
    this.#meter.set(this.microphone);
    return this.#muted || this.microphone === undefined ? 0 : this.#meter.level();
  }

  /** Lets go of both, so that their lights go off. */
  close(): void {
    this.#queue.close();
    this.#queue = new TaskQueue(queueMax);
    this.#letGo('microphone');
    this.#letGo('camera');
    this.#meter.set(undefined);
    this.#become({ state: 'off' });
  }

  /** `wanted` is false once it was closed meanwhile: what a device brings late is let go of. */
  async #change(task: (wanted: () => boolean) => Promise<void>): Promise<void> {
    const queue = this.#queue;
    const wanted = (): boolean => queue === this.#queue;
    try {
      await queue.run(() => task(wanted));
    } catch (error) {
      if (wanted()) throw error;
    }
  }

  #choose(device: Device, deviceId: string | undefined): void {
    this.#chosen = { ...this.#chosen, [device === 'microphone' ? 'microphoneId' : 'cameraId']: deviceId };
  }

  /** What is to be opened: what is not open, and what another one was asked for. */
  #missing(devices: DeviceIds): Device[] {
    const wanted: Device[] = this.#mode === 'video' && !this.#cameraOff ? ['microphone', 'camera'] : ['microphone'];
    const asked = { microphone: devices.microphoneId, camera: devices.cameraId };
    return wanted.filter((device) => {
      const open = this.#open[device];
      return open === undefined || (asked[device] !== undefined && asked[device] !== deviceOf(open.track).deviceId);
    });
  }

  async #openMissing(devices: DeviceIds, wanted: () => boolean): Promise<void> {
    const missing = this.#missing(devices);
    if (missing.length > 0) this.#become({ state: 'asking' });
    if (missing.length === 2) await this.#openBoth(wanted);
    for (const device of this.#missing(devices)) {
      if (wanted() && this.#state.state === 'asking') await this.#openOne(device, wanted);
    }
  }

  /** With one question; where that opens neither without a refusal, one by one will show what is wrong. */
  async #openBoth(wanted: () => boolean): Promise<void> {
    try {
      const pair = await captureBoth(this.#options.getUserMedia, this.#chosen);
      if (pair === undefined) return;
      this.#take('microphone', { track: pair.microphone, fellBack: false }, wanted);
      this.#take('camera', { track: pair.camera, fellBack: false }, wanted);
    } catch (error) {
      // A refusal does not say of which of the two; where the microphone is allowed, it was the camera.
      const device = (await microphonePermission()) === 'granted' ? 'camera' : 'microphone';
      if (wanted()) this.#failed(device, failureOf(error));
    }
  }

  async #openOne(device: Device, wanted: () => boolean): Promise<void> {
    try {
      this.#take(device, await this.#capture(device), wanted);
    } catch (error) {
      if (wanted()) this.#failed(device, failureOf(error));
    }
  }

  async #switchOn(wanted: () => boolean): Promise<void> {
    try {
      this.#take('camera', await this.#capture('camera'), wanted);
    } catch (error) {
      this.#cameraOff = true;
      throw error;
    }
  }

  #capture(device: Device): Promise<Captured> {
    const { getUserMedia } = this.#options;
    const { microphoneId, cameraId } = this.#chosen;
    if (device === 'camera') return captureCamera(getUserMedia, cameraId);
    // Voice as in a room of medium quality: echo cancellation, noise suppression and gain control are on (MD-5).
    return capture(getUserMedia, microphoneId === undefined ? {} : { deviceId: microphoneId }, 'medium');
  }

  #take(device: Device, { track, fellBack }: Captured, wanted: () => boolean): void {
    if (!wanted()) {
      track.stop();
      return;
    }
    const before = this.#open[device]?.track;
    this.#open[device] = { track, fellBack };
    if (device === 'microphone') track.enabled = !this.#muted;
    track.addEventListener('ended', () => {
      if (this.#open[device]?.track === track) void this.#fallBack(device, fellBack);
    });
    this.#options.replaced(device);
    before?.stop();
  }

  /** The device disappeared: the standard one takes its place, once. */
  async #fallBack(device: Device, fellBack: boolean): Promise<void> {
    this.#letGo(device);
    this.#choose(device, undefined);
    await this.#change(async (wanted) => {
      try {
        if (!fellBack) this.#take(device, { ...(await this.#capture(device)), fellBack: true }, wanted);
      } catch {
        // There is no other one.
      }
      if (!wanted()) return;
      // Without a camera a call goes on as voice; without a microphone nobody is heard, which has to be said.
      if (this.microphone === undefined) this.#failed('microphone', 'lost');
      else this.#ready();
    }).catch(() => undefined);
  }

  #failed(device: Device, reason: MicrophoneFailure): void {
    this.#letGo('microphone');
    this.#letGo('camera');
    this.#become({ state: 'failed', device, reason });
  }

  #letGo(device: Device): void {
    const track = this.#open[device]?.track;
    if (track === undefined) return;
    this.#open[device] = undefined;
    this.#options.replaced(device);
    track.stop();
  }

  #ready(): void {
    const { microphone, camera } = this;
    if (microphone === undefined) return;
    this.#become({
      state: 'ready',
      stream: new MediaStream(camera === undefined ? [microphone] : [microphone, camera]),
      microphone: deviceOf(microphone),
      camera: camera === undefined ? null : deviceOf(camera),
    });
  }

  #become(state: PreviewState): void {
    if (state.state === 'off' && this.#state.state === 'off') return;
    this.#state = state;
    this.#options.changed(state);
  }
}
