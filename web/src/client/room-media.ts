import type { ListeningOffer } from '@rostrum/shared/protocol/listening.ts';
import type { RoomView } from '@rostrum/shared/protocol/room.ts';
import { browserGetUserMedia } from './capture.ts';
import { Hearing } from './hearing.ts';
import { TrackLevel, VoiceLevels } from './levels.ts';
import type { MediaDevice } from './media-device.ts';
import { RoomMicrophone } from './microphone.ts';
import { Playback } from './playback.ts';
import { QualityMonitor } from './quality.ts';
import { Receiver, type Voice } from './receiver.ts';
import { Sender } from './sender.ts';
import type { Connection, LocalMicrophone, Quality, RoomOptions } from './types.ts';

export type RoomMediaOptions = {
  readonly connection: Connection;
  readonly roomId: string;
  readonly device: MediaDevice;
  readonly room: RoomOptions;
  readonly view: () => RoomView;
  /** What the join opened for listening, once it is answered. */
  readonly opened: Promise<ListeningOffer | null>;
  readonly microphoneChanged: (microphone: LocalMicrophone) => void;
  readonly qualityChanged: (quality: Quality) => void;
  readonly blockedChanged: (blocked: boolean) => void;
  /** The server does not know this seat any more: it is to be taken again. */
  readonly seatLost: () => void;
};

/**
 * All media of one room: what is heard, what is sent, and what keeps both going. Made before the seat is taken, as what is heard comes
 * with that; `begin` follows.
 */
export class RoomMedia {
  readonly playback: Playback;
  readonly microphone: RoomMicrophone;
  readonly #options: RoomMediaOptions;
  readonly #receiver: Receiver;
  readonly #sender: Sender;
  readonly #voices: VoiceLevels;
  readonly #own = new TrackLevel();
  readonly #monitor: QualityMonitor;
  readonly #hearing: Hearing;
  #stop: () => void = () => undefined;
  #disposed = false;

  constructor(options: RoomMediaOptions) {
    const { connection, roomId, device, room } = options;
    this.#options = options;
    const link = { connection, roomId, device };
    const pathChanged = (): void => this.#monitor.pathChanged();
    this.playback = new Playback({ playVoice: room.playVoice, blockedChanged: options.blockedChanged });
    this.#receiver = new Receiver({
      ...link,
      pathChanged,
      voiceAdded: (voice) => this.#voiceAdded(voice),
      voiceRemoved: (userId) => this.#voiceRemoved(userId),
      broken: () => this.#hearing.refresh(),
    });
    this.#sender = new Sender({ ...link, pathChanged, broken: () => this.microphone.lost() });
    this.#voices = new VoiceLevels(() => this.#receiver.stats());
    this.microphone = new RoomMicrophone({
      connection,
      roomId,
      sender: this.#sender,
      getUserMedia: room.getUserMedia ?? browserGetUserMedia,
      view: options.view,
      changed: options.microphoneChanged,
    });
    this.#monitor = new QualityMonitor({
      reports: () => this.#reports(),
      broken: () => [this.#receiver, this.#sender].some(({ transport }) => isDown(transport?.connectionState)),
      changed: options.qualityChanged,
    });
    this.#hearing = new Hearing({
      connection,
      roomId,
      receiver: this.#receiver,
      opened: options.opened,
      sendingId: () => this.#sender.transport?.id,
      synced: (transportIds, moved) => this.microphone.resume(transportIds, moved),
      lost: () => this.microphone.lost(),
      seatLost: options.seatLost,
    });
  }

  get quality(): Quality {
    return this.#monitor.quality;
  }

  /** The seat is taken. */
  begin(): void {
    const { connection, roomId, view } = this.#options;
    this.follow(view());
    this.microphone.resume([], false);
    // No sooner: what was sent before is withdrawn here in any case.
    this.#stop = connection.onEvent('media:unpublished', (payload) => {
      if (payload.roomId === roomId) this.microphone.unpublished(payload.producerId);
    });
  }

  follow(view: RoomView): void {
    this.microphone.follow(view);
  }

  /** The seat is held again after the connection was away: what still flows goes on, the rest is opened anew. */
  resume(): void {
    this.#hearing.resume();
  }

  levelOf(userId: string): number {
    if (userId !== this.#options.view().self.userId) return this.#voices.levelOf(userId);
    const { state, track } = this.microphone;
    this.#own.set(track);
    return state.state === 'live' && !state.muted ? this.#own.level() : 0;
  }

  dispose(): void {
    this.#disposed = true;
    this.#stop();
    this.#hearing.close();
    this.#monitor.close();
    this.microphone.dispose();
    this.#own.set(undefined);
    this.#receiver.close();
    this.playback.close();
  }

  #voiceAdded({ userId, track, receiver }: Voice): void {
    if (this.#disposed) return;
    this.playback.play(userId, track);
    this.#voices.set(userId, { track, receiver });
  }

  #voiceRemoved(userId: string): void {
    this.playback.stop(userId);
    this.#voices.delete(userId);
  }

  async #reports(): Promise<RTCStatsReport[]> {
    const reports = await Promise.all([this.#receiver.stats(), this.#sender.stats()]);
    return reports.filter((report) => report !== undefined);
  }
}

const isDown = (state: string | undefined): boolean => state === 'disconnected' || state === 'failed';
