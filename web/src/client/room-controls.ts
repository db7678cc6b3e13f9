import { errorTable } from '@rostrum/shared/errors.ts';
import { causedBy, RostrumError } from './errors.ts';
import { noQuality } from './quality.ts';
import { RoomCommands } from './room-commands.ts';
import type { RoomMedia } from './room-media.ts';
import type { LocalMicrophone, MicrophoneOptions, Quality } from './types.ts';

/** The part of a room session that only hands on to its media: what is heard, and one's own microphone. */
export abstract class RoomControls extends RoomCommands {
  /** The media of the room; undefined before the seat is taken and after it is given up. */
  protected media: RoomMedia | undefined;

  get microphone(): LocalMicrophone {
    return this.media?.microphone.state ?? { state: 'off' };
  }

  get quality(): Quality {
    return this.media?.quality ?? noQuality;
  }

  get audioBlocked(): boolean {
    return this.media?.playback.blocked ?? false;
  }

  async openMicrophone(options: MicrophoneOptions = {}): Promise<void> {
    await this.#present().microphone.open(options);
  }

  async setMuted(muted: boolean): Promise<void> {
    await this.#present().microphone.setMuted(muted);
  }

  async closeMicrophone(): Promise<void> {
    await this.#present().microphone.close();
  }

  async startAudio(): Promise<void> {
    await this.media?.playback.start();
  }

  async setSpeaker(deviceId: string): Promise<void> {
    const { playback } = this.#present();
    try {
      await playback.setSpeaker(deviceId);
    } catch (error) {
      throw causedBy(error, 'not_found', 'This loudspeaker is not there any more.');
    }
  }

  setVolume(userId: string, volume: number): void {
    this.media?.playback.setVolume(userId, volume);
  }

  volumeOf(userId: string): number {
    return this.media?.playback.volumeOf(userId) ?? 1;
  }

  levelOf(userId: string): number {
    return this.media?.levelOf(userId) ?? 0;
  }

  #present(): RoomMedia {
    if (this.media === undefined) throw new RostrumError('not_in_room', errorTable.not_in_room.message);
    return this.media;
  }
}
