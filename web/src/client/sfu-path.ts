import type { CallPath } from './call-path.ts';
import { Hearing } from './hearing.ts';
import type { LinkMedia, MediaKind } from './link-end.ts';
import { MediaDevice } from './media-device.ts';
import { Publishing } from './publishing.ts';
import { Receiver } from './receiver.ts';
import { Sender } from './sender.ts';
import type { Connection, RoomOptions } from './types.ts';

export type SfuPathOptions = {
  readonly connection: Connection;
  /** The call, whose media is that of the room with its id. */
  readonly sessionId: string;
  readonly handlerName: RoomOptions['handlerName'];
  readonly media: LinkMedia;
  readonly muted: () => boolean;
  readonly changed: (state: RTCPeerConnectionState) => void;
  readonly heard: (kind: MediaKind, track: MediaStreamTrack, receiver: RTCRtpReceiver | undefined) => void;
  /** The server does not know this call any more. */
  readonly lost: () => void;
};

/** The last resort of RD-4: the SFU carries the voices of a call, as it does those of a room. */
export class SfuPath implements CallPath {
  readonly #options: SfuPathOptions;
  readonly #receiver: Receiver;
  readonly #sender: Sender;
  readonly #publishing: Publishing;
  readonly #hearing: Hearing;
  readonly #stop: () => void;
  #state: RTCPeerConnectionState = 'connecting';

  constructor(options: SfuPathOptions) {
    const { connection, sessionId: roomId, handlerName, heard, lost } = options;
    this.#options = options;
    const link = { connection, roomId, device: new MediaDevice(handlerName), pathChanged: () => this.#pathChanged() };
    this.#receiver = new Receiver({
      ...link,
      voiceAdded: ({ track, receiver }) => heard('audio', track, receiver),
      voiceRemoved: () => undefined,
      broken: () => this.#hearing.refresh(),
    });
    this.#sender = new Sender({ ...link, broken: () => this.#sendAgain() });
    this.#publishing = new Publishing({
      connection,
      roomId,
      sender: this.#sender,
      track: () => this.#track,
      silent: options.muted,
      align: async () => undefined,
      wanted: () => this.#track !== undefined,
      settled: () => this.muteChanged(),
      refused: lost,
    });
    this.#hearing = new Hearing({
      connection,
      roomId,
      receiver: this.#receiver,
      sendingId: () => this.#sender.transport?.id,
      synced: (transportIds, moved) => this.#synced(transportIds, moved),
      lost: () => this.#sendAgain(),
      seatLost: lost,
    });
    this.#stop = connection.onEvent('media:unpublished', (payload) => {
      if (payload.roomId === roomId) this.#sendAgain();
    });
    void this.#publishing.again();
  }

  get state(): RTCPeerConnectionState {
    return this.#state;
  }

  resume(): void {
    this.#hearing.resume();
  }

  replaceTrack(kind: MediaKind): void {
    const track = this.#track;
    if (kind !== 'audio') return;
    if (track !== undefined) this.#publishing.send(track).catch(() => this.#sendAgain());
    else this.#sender.close();
  }

  muteChanged(): void {
    this.#sender.setPaused(this.#options.muted());
  }

  async reports(): Promise<readonly RTCStatsReport[]> {
    const reports = await Promise.all([this.#receiver.stats(), this.#sender.stats()]);
    return reports.filter((report) => report !== undefined);
  }

  close(): void {
    this.#stop();
    this.#hearing.close();
    this.#publishing.close();
    this.#sender.close();
    this.#receiver.close();
  }

  get #track(): MediaStreamTrack | undefined {
    return this.#options.media.trackOf('audio') ?? undefined;
  }

  #synced(transportIds: readonly string[], moved: boolean): void {
    const { transport } = this.#sender;
    if (transport !== undefined && transportIds.includes(transport.id)) this.#sender.check(moved);
    else {
      this.#sender.outlive();
      void this.#publishing.again();
    }
  }

  #sendAgain(): void {
    this.#sender.close();
    void this.#publishing.again();
  }

  /** It stands when both ways do: one's own voice, and the partner's. */
  #pathChanged(): void {
    const states = [this.#receiver.state, this.#sender.state];
    const broken = states.find((state) => state === 'failed' || state === 'disconnected');
    const whole = states.every((state) => state === 'connected') ? 'connected' : 'connecting';
    const state = broken ?? whole;
    if (state === this.#state) return;
    this.#state = state;
    this.#options.changed(state);
  }
}
