import type { RoomView } from '@rostrum/shared/protocol/room.ts';
import { backoffMs, mediaBackoff } from './backoff.ts';
import { browserGetUserMedia } from './capture.ts';
import { codeOf, RostrumError, waitOf } from './errors.ts';
import { TrackLevel, VoiceLevels } from './levels.ts';
import type { MediaDevice } from './media-device.ts';
import { RoomMicrophone } from './microphone.ts';
import { watchNetwork } from './network.ts';
import { Playback } from './playback.ts';
import { QualityMonitor } from './quality.ts';
import { isUnsupported, Receiver, type Voice } from './receiver.ts';
import { Sender } from './sender.ts';
import { TaskQueue } from './task-queue.ts';
import { Timers } from './timers.ts';
import type { Connection, LocalMicrophone, Quality, RoomOptions } from './types.ts';

export type RoomMediaOptions = {
  readonly connection: Connection;
  readonly roomId: string;
  readonly device: MediaDevice;
  readonly room: RoomOptions;
  readonly view: () => RoomView;
  readonly microphoneChanged: (microphone: LocalMicrophone) => void;
  readonly qualityChanged: (quality: Quality) => void;
  readonly blockedChanged: (blocked: boolean) => void;
  /** The server does not know this seat any more: it is to be taken again. */
  readonly seatLost: () => void;
};

/** Media events that wait for their turn (RE-5); a stage has 30 voices, and each comes and goes in one event. */
const queueMax = 200;
/** A worker's death reaches a whole room at one moment; back on air within 2 s leaves this much to spread it (MD-8). */
const lostJitterMs = 200;

/** All media of one room: what is heard, what is sent, and what keeps both going. */
export class RoomMedia {
  readonly playback: Playback;
  readonly microphone: RoomMicrophone;
  readonly #options: RoomMediaOptions;
  readonly #receiver: Receiver;
  readonly #sender: Sender;
  readonly #voices: VoiceLevels;
  readonly #own = new TrackLevel();
  readonly #monitor: QualityMonitor;
  readonly #timers = new Timers();
  readonly #queue = new TaskQueue(queueMax);
  readonly #stops: readonly (() => void)[];
  /** The next attempt to recover, when it is put off. */
  #recovery: { readonly at: number; readonly cancel: () => void } | undefined;
  #failures = 0;
  /** There is no receiving transport, or what is left of it is of no use. */
  #needsFresh = true;
  /** The connection was away: the server is to be asked what is still there. */
  #needsSync = false;
  /** This machine changed its network. */
  #moved = false;
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
      broken: () => this.#refresh(0),
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
    this.#stops = this.#listen();
    this.microphone.resume([], false);
    this.#recover(0);
  }

  get quality(): Quality {
    return this.#monitor.quality;
  }

  follow(view: RoomView): void {
    this.microphone.follow(view);
  }

  /** The seat is held again after the connection was away: what still flows goes on, the rest is opened anew. */
  resume(): void {
    this.#needsSync = true;
    this.#recover(0);
  }

  levelOf(userId: string): number {
    if (userId !== this.#options.view().self.userId) return this.#voices.levelOf(userId);
    const { state, track } = this.microphone;
    this.#own.set(track);
    return state.state === 'live' && !state.muted ? this.#own.level() : 0;
  }

  dispose(): void {
    this.#disposed = true;
    for (const stop of this.#stops) stop();
    this.#timers.close();
    this.#queue.close();
    this.#monitor.close();
    this.microphone.dispose();
    this.#own.set(undefined);
    this.#receiver.close();
    this.playback.close();
  }

  #listen(): (() => void)[] {
    const { connection, roomId } = this.#options;
    const here =
      <Payload extends { roomId: string }>(heard: (payload: Payload) => void) =>
      (payload: Payload): void => {
        if (payload.roomId === roomId) heard(payload);
      };
    return [
      connection.onEvent(
        'media:consumers-added',
        here(({ transportId, consumers }) => this.#run(() => this.#receiver.add(transportId, consumers))),
      ),
      connection.onEvent(
        'media:consumers-removed',
        here(({ consumerIds }) => this.#run(async () => this.#receiver.remove(consumerIds))),
      ),
      connection.onEvent(
        'media:unpublished',
        here(({ producerId }) => this.microphone.unpublished(producerId)),
      ),
      connection.onEvent(
        'media:lost',
        here(() => {
          this.#refresh(Math.random() * lostJitterMs);
          this.microphone.lost();
        }),
      ),
      watchNetwork(() => {
        this.#moved = true;
      }),
    ];
  }

  /** Runs a change of the receiving transport in its turn. */
  #run(change: () => Promise<void>): void {
    this.#queue.run(change).catch((error: unknown) => this.#failed(error));
  }

  /** Listens anew. */
  #refresh(inMs: number): void {
    this.#needsFresh = true;
    this.#recover(inMs);
  }

  /** Does what is needed to hear the room again, `inMs` milliseconds from now at the latest. */
  #recover(inMs: number): void {
    const at = performance.now() + inMs;
    if (this.#recovery !== undefined && this.#recovery.at <= at) return;
    this.#recovery?.cancel();
    const cancel = this.#timers.after(inMs, () => {
      this.#recovery = undefined;
      this.#run(async () => {
        if (this.#needsFresh) await this.#receiver.listen();
        this.#needsFresh = false;
        if (this.#needsSync) await this.#sync();
        this.#needsSync = false;
        this.#failures = 0;
      });
    });
    this.#recovery = { at, cancel };
  }

  async #sync(): Promise<void> {
    const { connection, roomId } = this.#options;
    const transports = [this.#receiver.transport, this.#sender.transport];
    const transportIds = transports.flatMap((transport) => (transport === undefined ? [] : [transport.id]));
    const answer = await connection.request('media:sync', {
      roomId,
      transportIds,
      consumerIds: this.#receiver.consumerIds,
    });
    const moved = this.#moved;
    this.#moved = false;
    this.microphone.resume(answer.transportIds, moved);
    await this.#receiver.resume(answer, moved);
  }

  #failed(error: unknown): void {
    const { connection, seatLost } = this.#options;
    // While the connection is away nothing helps: `resume` is called when it is back. What a browser cannot do stays so.
    if (this.#disposed || connection.status !== 'online' || isUnsupported(error)) return;
    if (codeOf(error) === 'not_in_room') {
      seatLost();
      return;
    }
    // Anything but a refusal came out of the peer connection, whose state is then unknown.
    if (!(error instanceof RostrumError)) this.#needsFresh = true;
    this.#needsSync = true;
    this.#recover(waitOf(error, backoffMs(this.#failures, mediaBackoff)));
    this.#failures += 1;
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
