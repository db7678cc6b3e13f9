import { VoiceLevels } from './levels.ts';
import type { MediaKind } from './link-end.ts';
import type { Playback } from './playback.ts';

export type RemoteMediaOptions = {
  readonly playback: Playback;
  /** The statistics of the receiving peer connection. */
  readonly stats: () => Promise<RTCStatsReport | undefined>;
  readonly changed: () => void;
};

/** Under this name the partner's voice is played and measured: a call has one. */
const partner = 'partner';

/** What comes from the other side: their voice, which is played, and their picture, for whoever shows it. */
export class RemoteMedia {
  /** One for the whole call, whatever way it takes. */
  readonly stream = new MediaStream();
  readonly #options: RemoteMediaOptions;
  readonly #levels: VoiceLevels;
  #video: MediaStreamTrack | undefined;
  #videoShown = true;

  constructor(options: RemoteMediaOptions) {
    this.#options = options;
    this.#levels = new VoiceLevels(options.stats);
  }

  /** This track comes from now on, in the place of the one before. */
  heard(kind: MediaKind, track: MediaStreamTrack, receiver: RTCRtpReceiver | undefined): void {
    if (kind === 'video') this.#video = track;
    else {
      this.#options.playback.play(partner, track);
      this.#levels.set(partner, { track, receiver });
    }
    if (kind === 'audio' || this.#videoShown) this.#put(kind, track);
    this.#options.changed();
  }

  /** RD-11: shows no picture, even before the other side stops sending it; or shows it again. */
  showVideo(shown: boolean): void {
    this.#videoShown = shown;
    this.#put('video', shown ? this.#video : undefined);
  }

  /** Momentary loudness of the partner, from 0 to 1. */
  level(): number {
    return this.#levels.levelOf(partner);
  }

  close(): void {
    this.#options.playback.stop(partner);
    this.#levels.delete(partner);
    for (const track of this.stream.getTracks()) this.stream.removeTrack(track);
  }

  #put(kind: MediaKind, track: MediaStreamTrack | undefined): void {
    const before = this.stream.getTracks().filter((held) => held.kind === kind);
    for (const held of before) if (held !== track) this.stream.removeTrack(held);
    if (track !== undefined && !before.includes(track)) this.stream.addTrack(track);
  }
}
