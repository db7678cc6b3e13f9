import { errorTable } from '@rostrum/shared/errors.ts';
import type { RoomView } from '@rostrum/shared/protocol/room.ts';
import { onStage } from '@rostrum/shared/room/permissions.ts';
import { capture, deviceOf, failureOf, type GetUserMedia } from './capture.ts';
import { causedBy, codeOf, isPassing, RostrumError } from './errors.ts';
import { isMuted, ownMicrophone } from './own-microphone.ts';
import { Publishing } from './publishing.ts';
import type { Sender } from './sender.ts';
import type { Connection, LocalMicrophone, MicrophoneFailure, MicrophoneNotice, MicrophoneOptions } from './types.ts';

export type RoomMicrophoneOptions = {
  readonly connection: Pick<Connection, 'request' | 'status'>;
  readonly roomId: string;
  readonly sender: Sender;
  readonly getUserMedia: GetUserMedia;
  readonly view: () => RoomView;
  readonly changed: (microphone: LocalMicrophone) => void;
};

/**
 * One's own microphone in a room: the device, and what of it is sent. It is silent while the person wants it so or the
 * room says so; it stops, and its light goes off, as soon as the person is off the stage. `follow` comes before anything else.
 */
export class RoomMicrophone {
  readonly #options: RoomMicrophoneOptions;
  readonly #publishing: Publishing;
  #state: LocalMicrophone = { state: 'off' };
  #track: MediaStreamTrack | undefined;
  #chosen: MicrophoneOptions = {};
  #wantsMuted = false;
  #mutedThere = false;
  #seated = false;
  /** Counts openings and closings: what an earlier one brings late is let go of. */
  #round = 0;
  #muteRound = 0;
  /** The standard device stands in for the chosen one already. */
  #fellBack = false;

  constructor(options: RoomMicrophoneOptions) {
    this.#options = options;
    this.#publishing = new Publishing({
      ...options,
      track: () => this.#track,
      silent: () => this.#silent,
      align: () => this.#align(),
      wanted: () => this.#track !== undefined && this.#seated,
      settled: () => this.#apply(),
      refused: () => this.#letGo({ state: 'failed', reason: 'refused' }),
    });
  }

  get state(): LocalMicrophone {
    return this.#state;
  }

  get track(): MediaStreamTrack | undefined {
    return this.#track;
  }

  async open(chosen: MicrophoneOptions): Promise<void> {
    const { view, getUserMedia } = this.#options;
    const { self, info } = view();
    if (!onStage(self.role)) throw new RostrumError('forbidden', errorTable.forbidden.message);
    this.#round += 1;
    const round = this.#round;
    if (this.#state.state !== 'live') this.#become({ state: 'asking' });
    try {
      const { track, fellBack } = await capture(getUserMedia, chosen, info.audioQuality);
      if (round !== this.#round) {
        track.stop();
        return;
      }
      this.#chosen = chosen;
      this.#fellBack = fellBack;
      this.#wantsMuted = chosen.muted ?? (this.#state.state === 'live' && this.#wantsMuted);
      await this.#use(track, fellBack ? { kind: 'fell-back' } : undefined);
    } catch (error) {
      if (error instanceof RostrumError) throw error;
      if (round === this.#round) this.#notOpened(failureOf(error));
    }
  }

  async setMuted(muted: boolean): Promise<void> {
    const { connection, roomId } = this.#options;
    this.#muteRound += 1;
    const round = this.#muteRound;
    if (muted || this.#state.state !== 'live') {
      this.#wantsMuted = muted;
      this.#apply();
    }
    if (this.#state.state !== 'live') return;
    try {
      await connection.request('room:mute-toggle', { roomId, muted });
    } catch (error) {
      // It is silent here in any case; the room is told when the connection is back.
      const code = codeOf(error);
      if (!muted || (code !== 'network' && code !== 'timeout')) throw error;
    }
    if (muted || round !== this.#muteRound) return;
    this.#wantsMuted = false;
    this.#apply();
  }

  async close(): Promise<void> {
    if (this.#state.state === 'off') return;
    this.#letGo({ state: 'off' });
    await this.#publishing.withdraw();
  }

  /** To be called with every view: what the room says about this person's role and microphone holds at once. */
  follow(view: RoomView): void {
    const own = ownMicrophone(view);
    const seated = own !== undefined;
    if (this.#seated && !seated && this.#state.state !== 'off') this.#letGo({ state: 'off' });
    this.#seated = seated;
    this.#mutedThere = isMuted(own);
    this.#apply();
  }

  /** The server closed the sending transport: off the stage, or to be opened again. */
  unpublished(producerId: string | null): void {
    this.follow(this.#options.view());
    // Word of a microphone that was replaced meanwhile is no word of this one.
    const { producerId: current } = this.#options.sender;
    if (producerId !== null && current !== undefined && current !== producerId) return;
    this.lost();
  }

  /** The media behind the sending transport is gone: sends again on another, with back-off. */
  lost(): void {
    this.#options.sender.close();
    if (this.#track !== undefined) void this.#publishing.again();
  }

  /** After joining or coming back, with the transports that the server still has; `moved`: on another network. */
  resume(transportIds: readonly string[], moved: boolean): void {
    const { sender, connection, roomId, view } = this.#options;
    const own = ownMicrophone(view());
    if (this.#track === undefined) {
      // A microphone of this seat that nobody feeds, such as before the page was refreshed.
      if (own !== undefined && own !== 'off' && this.#state.state !== 'asking') void this.#publishing.withdraw();
      return;
    }
    const transportId = sender.transport?.id;
    if (transportId === undefined || !transportIds.includes(transportId)) {
      sender.outlive();
      void this.#publishing.again();
    } else sender.check(moved);
    if (own === 'open' && this.#wantsMuted) {
      connection.request('room:mute-toggle', { roomId, muted: true }).catch(() => undefined);
    }
  }

  dispose(): void {
    this.#publishing.close();
    this.#letGo({ state: 'off' });
  }

  /** Sends this track, in place of the one before. */
  async #use(track: MediaStreamTrack, notice: MicrophoneNotice | undefined): Promise<void> {
    const before = this.#track;
    this.#hold(track);
    try {
      await this.#publishing.send(track);
    } catch (error) {
      if (this.#track !== track) return;
      const refused = error instanceof RostrumError && !isPassing(error);
      this.#letGo(refused ? { state: 'failed', reason: 'refused' } : { state: 'off' });
      throw error instanceof RostrumError ? error : causedBy(error, 'internal', errorTable.internal.message);
    } finally {
      before?.stop();
    }
    if (this.#track !== track) return;
    const device = { muted: this.#silent, ...deviceOf(track) };
    this.#become({ state: 'live', ...device, ...(notice === undefined ? {} : { notice }) });
    this.#apply();
  }

  /** A mute of their own from before is in the room's memory; a moderator's shows in the view and is not ours to lift. */
  async #align(): Promise<void> {
    const { connection, roomId, view } = this.#options;
    if (ownMicrophone(view()) !== 'off') return;
    await connection.request('room:mute-toggle', { roomId, muted: this.#wantsMuted });
  }

  get #silent(): boolean {
    return this.#wantsMuted || this.#mutedThere;
  }

  /** Makes what is sent, and what is shown, what the person and the room want. */
  #apply(): void {
    const silent = this.#silent;
    if (this.#track !== undefined) this.#track.enabled = !silent;
    this.#options.sender.setPaused(silent);
    if (this.#state.state !== 'live' || this.#state.muted === silent) return;
    const { deviceId, label } = this.#state;
    this.#become({ state: 'live', muted: silent, deviceId, label });
  }

  #notOpened(reason: MicrophoneFailure): void {
    if (this.#state.state !== 'live') {
      this.#become({ state: 'failed', reason });
      return;
    }
    const { muted, deviceId, label } = this.#state;
    this.#become({ state: 'live', muted, deviceId, label, notice: { kind: 'not-switched', reason } });
  }

  #hold(track: MediaStreamTrack): void {
    this.#track?.removeEventListener('ended', this.#ended);
    this.#track = track;
    track.enabled = !this.#silent;
    track.addEventListener('ended', this.#ended);
  }

  /** The device disappeared: the standard one takes its place, once. */
  readonly #ended = (): void => void this.#fallBack();

  async #fallBack(): Promise<void> {
    const { getUserMedia, view } = this.#options;
    const { deviceId: _, ...chosen } = this.#chosen;
    this.#round += 1;
    const round = this.#round;
    try {
      if (this.#fellBack) throw new RostrumError('not_found', 'There is no other microphone.');
      const { track } = await capture(getUserMedia, chosen, view().info.audioQuality);
      if (round !== this.#round) {
        track.stop();
        return;
      }
      this.#fellBack = true;
      await this.#use(track, { kind: 'fell-back' });
    } catch {
      if (round !== this.#round) return;
      this.#letGo({ state: 'failed', reason: 'lost' });
      await this.#publishing.withdraw();
    }
  }

  /** Stops the device, so that its light goes off, and sends nothing any more. */
  #letGo(state: LocalMicrophone): void {
    this.#round += 1;
    const track = this.#track;
    this.#track = undefined;
    track?.removeEventListener('ended', this.#ended);
    track?.stop();
    this.#options.sender.close();
    this.#become(state);
  }

  #become(state: LocalMicrophone): void {
    if (state.state === this.#state.state && state.state === 'off') return;
    this.#state = state;
    this.#options.changed(state);
  }
}
