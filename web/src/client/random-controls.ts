import type { CallMode } from '@rostrum/shared/protocol/call.ts';
import type { CallMedia } from './call-media.ts';
import type { PreviewState, RandomEvents, RandomOptions } from './call-types.ts';
import { browserGetUserMedia } from './capture.ts';
import { Emitter } from './emitter.ts';
import { causedBy } from './errors.ts';
import { Playback } from './playback.ts';
import { type Device, Preview } from './preview.ts';
import type { Subscribe } from './types.ts';

/** The part of random calls that is this page's own devices: what is sent, and how the partner is played. */
export abstract class RandomControls {
  protected readonly events = new Emitter<RandomEvents>();
  readonly on: Subscribe<RandomEvents> = this.events.on;
  protected readonly devices: Preview;
  /** One for all calls: it keeps the loudspeaker that was chosen. */
  protected readonly playback: Playback;
  /** The media of the present call; undefined where there is none. */
  protected media: CallMedia | undefined;
  protected audioOnly = false;
  protected closed = false;

  constructor({ getUserMedia = browserGetUserMedia }: RandomOptions) {
    this.devices = new Preview({
      getUserMedia,
      changed: (state) => {
        this.events.emit('preview', state);
        this.changed();
      },
      replaced: (device) => this.media?.replaced(device),
    });
    this.playback = new Playback({ blockedChanged: () => this.changed() });
  }

  /** Something that a call shows has changed. */
  protected abstract changed(): void;

  get preview(): PreviewState {
    return this.devices.state;
  }

  get remoteStream(): MediaStream | null {
    return this.media?.remoteStream ?? null;
  }

  async openPreview(mode: CallMode, devices: { microphoneId?: string; cameraId?: string } = {}): Promise<void> {
    if (!this.closed) await this.devices.open(mode, devices);
  }

  closePreview(): void {
    this.devices.close();
  }

  setMuted(muted: boolean): void {
    this.devices.setMuted(muted);
    this.media?.muteChanged();
    this.changed();
  }

  async setCamera(on: boolean): Promise<void> {
    await this.#with('camera', () => this.devices.setCamera(on));
  }

  setAudioOnly(on: boolean): void {
    this.audioOnly = on;
    this.media?.setAudioOnly(on);
    this.changed();
  }

  async useMicrophone(deviceId: string): Promise<void> {
    await this.#with('microphone', () => this.devices.use('microphone', deviceId));
  }

  async useCamera(deviceId: string): Promise<void> {
    await this.#with('camera', () => this.devices.use('camera', deviceId));
  }

  async setSpeaker(deviceId: string): Promise<void> {
    try {
      await this.playback.setSpeaker(deviceId);
    } catch (error) {
      throw causedBy(error, 'not_found', 'This loudspeaker is not there any more.');
    }
  }

  async startAudio(): Promise<void> {
    await this.playback.start();
  }

  levelOf(who: 'partner' | 'me'): number {
    return who === 'me' ? this.devices.level() : (this.media?.partnerLevel() ?? 0);
  }

  protected releaseDevices(): void {
    this.closed = true;
    this.media?.close();
    this.media = undefined;
    this.devices.close();
    this.playback.close();
    this.events.close();
  }

  async #with(device: Device, change: () => Promise<void>): Promise<void> {
    if (this.closed) return;
    try {
      await change();
    } catch (error) {
      throw causedBy(error, 'not_found', `This ${device} cannot be opened. Choose another one.`);
    }
    this.changed();
  }
}
