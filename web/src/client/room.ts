import { errorTable } from '@rostrum/shared/errors.ts';
import type { CommandInput, CommandName, CommandOutput } from '@rostrum/shared/protocol/index.ts';
import type { RoomView, RoomViewEvent } from '@rostrum/shared/protocol/room.ts';
import { onStage } from '@rostrum/shared/room/permissions.ts';
import { withAudienceCount, withHandPosition } from '@rostrum/shared/room/view.ts';
import { backoffMs, mediaBackoff } from './backoff.ts';
import { Emitter } from './emitter.ts';
import { codeOf, RostrumError, unanswered } from './errors.ts';
import { MediaDevice } from './media-device.ts';
import { keepTrying } from './retry.ts';
import { RoomControls } from './room-controls.ts';
import { listenToRoom } from './room-events.ts';
import { RoomMedia, type RoomMediaOptions } from './room-media.ts';
import { isFinal, phaseOfClose, phaseOfRefusal } from './room-phase.ts';
import { sitDown } from './sit-down.ts';
import { Timers, within } from './timers.ts';
import type {
  Connection,
  ConnectionStatus,
  RoomOptions,
  RoomPhase,
  RoomSession,
  RoomSessionEvents,
  Subscribe,
} from './types.ts';
import { ViewKeeper } from './view-keeper.ts';

/**
 * Attempts to take the seat again after the connection came back, with a back-off up to 10 s between them: about an hour. While
 * the state of the service is out of reach seats are kept, and audio goes on (RE-4).
 */
const rejoinMax = 400;
/** Leaving does not wait longer for a server that does not answer; the seat then lapses by itself (RE-2). */
const leaveMs = 3000;

/**
 * Takes a seat in a room and begins to play it. Answers as soon as the room can be shown; what is heard follows.
 * @throws RostrumError where the server refuses the seat, such as `room_full`, `kicked`, `approval_required`
 */
export const joinRoom = async (
  connection: Connection,
  roomId: string,
  options: RoomOptions = {},
): Promise<RoomSession> => {
  const session = new Session(connection, roomId, options);
  await session.join();
  return session;
};

class Session extends RoomControls implements RoomSession {
  readonly roomId: string;
  readonly #connection: Connection;
  readonly #options: RoomOptions;
  readonly #events = new Emitter<RoomSessionEvents>();
  readonly on: Subscribe<RoomSessionEvents> = this.#events.on;
  readonly #timers = new Timers();
  readonly #keeper: ViewKeeper;
  readonly #device: MediaDevice;
  #stops: (() => void)[] = [];
  #phase: RoomPhase = { phase: 'joining' };
  #speaking: ReadonlySet<string> = new Set();
  /** Who brought this person onto the stage, between being told so and seeing it. */
  #promotedBy: string | null = null;
  /** Counts the takings of the seat: only the last one's answer counts. */
  #round = 0;
  #seatLosses = 0;
  #closed = false;

  constructor(connection: Connection, roomId: string, options: RoomOptions) {
    super();
    this.roomId = roomId;
    this.#connection = connection;
    this.#options = options;
    this.#device = new MediaDevice(options.handlerName);
    this.#keeper = new ViewKeeper({
      sync: async () => (await connection.request('room:sync', { roomId })).state,
      changed: (view, before) => this.#viewChanged(view, before),
      refused: (error) => this.#syncRefused(error),
    });
    this.#listen();
  }

  get view(): RoomView {
    const { view } = this.#keeper;
    if (view === undefined) throw new RostrumError('not_in_room', errorTable.not_in_room.message);
    return view;
  }

  get phase(): RoomPhase {
    return this.#phase;
  }

  get speaking(): ReadonlySet<string> {
    return this.#speaking;
  }

  /** Takes the seat for the first time; `joinRoom` calls it, once. */
  async join(): Promise<void> {
    const joined = sitDown(this.#connection, this.roomId, this.#timers);
    this.media = this.#openMedia(joined.then(({ listening }) => listening));
    try {
      const { state, speaking } = await joined;
      this.#keeper.replace(state);
      this.#speak(speaking);
    } catch (error) {
      this.#close();
      throw error;
    }
    if (this.#closed) return;
    this.media?.begin();
    this.#become({ phase: 'live' });
    this.#stops.push(
      this.#connection.on('status', (status) => this.#statusChanged(status)),
      this.#connection.on('online', ({ moved }) => {
        this.#seatLosses = 0;
        void this.#rejoin(moved);
      }),
    );
    if (this.#connection.status !== 'online') this.#statusChanged(this.#connection.status);
  }

  #openMedia(opened: RoomMediaOptions['opened']): RoomMedia {
    return new RoomMedia({
      connection: this.#connection,
      roomId: this.roomId,
      device: this.#device,
      room: this.#options,
      view: () => this.view,
      opened,
      microphoneChanged: (microphone) => this.#events.emit('microphone', microphone),
      qualityChanged: (quality) => this.#events.emit('quality', quality),
      blockedChanged: (blocked) => this.#events.emit('audioBlocked', blocked),
      seatLost: () => this.#seatLost(),
    });
  }

  async leave(): Promise<void> {
    if (this.#closed) return;
    const left = this.#connection.request('room:leave', { roomId: this.roomId });
    this.#finish({ phase: 'left' });
    await within(leaveMs, left, unanswered).catch(() => undefined);
  }

  dispose(): void {
    this.#close();
  }

  protected async command<Name extends CommandName>(
    name: Name,
    input: CommandInput<Name>,
  ): Promise<CommandOutput<Name>> {
    if (this.#closed) throw new RostrumError('not_in_room', errorTable.not_in_room.message);
    return this.#connection.request(name, input);
  }

  #listen(): void {
    const stop = listenToRoom(this.#connection, this.roomId, {
      viewEvent: (event) => this.#take(event),
      'room:state': ({ state }) => this.#keeper.push(state),
      'room:sequence': ({ view, sequence }) => this.#keeper.known(view, sequence),
      'room:audience': ({ count }) => this.#keeper.amend((view) => withAudienceCount(view, count)),
      'room:hand-position': ({ position }) => this.#keeper.amend((view) => withHandPosition(view, position)),
      'room:speaking-changed': ({ userIds }) => this.#speak(userIds),
      'room:kicked': ({ banned, byName, reason }) => this.#finish({ phase: 'removed', banned, byName, reason }),
      'room:joined-elsewhere': () => this.#finish({ phase: 'elsewhere' }),
      'room:ended': ({ reason }) => this.#finish({ phase: 'ended', reason }),
    });
    this.#stops.push(stop);
  }

  #take(event: RoomViewEvent): void {
    if (event.name === 'room:promoted') this.#promotedBy = event.payload.byName;
    const news = this.#keeper.take(event);
    if (news && event.name === 'room:moderated') this.#events.emit('moderated', event.payload.entry);
  }

  #viewChanged(view: RoomView, before: RoomView): void {
    this.media?.follow(view);
    this.#events.emit('view', view);
    if (onStage(before.self.role) || !onStage(view.self.role)) return;
    this.#events.emit('promoted', { role: view.self.role, byName: this.#promotedBy });
    this.#promotedBy = null;
  }

  #speak(userIds: readonly string[]): void {
    if (userIds.length === 0 && this.#speaking.size === 0) return;
    this.#speaking = new Set(userIds);
    this.#events.emit('speaking', this.#speaking);
  }

  #statusChanged(status: ConnectionStatus): void {
    if (status === 'online') return;
    if (status === 'closed') {
      this.#finish(phaseOfClose(this.#connection.closeReason ?? 'by-client'));
      return;
    }
    this.#round += 1;
    this.#keeper.suspend();
    this.#become({ phase: 'reconnecting' });
    this.#speak([]);
  }

  /** Takes the seat again: kept for its grace (RE-2), or given anew. `calm`: the connection moved and was never away (OP-2). */
  async #rejoin(calm = false): Promise<void> {
    if (this.#closed) return;
    this.#round += 1;
    const round = this.#round;
    const wanted = (): boolean => round === this.#round && !this.#closed;
    this.#keeper.suspend();
    if (!calm) this.#become({ phase: 'reconnecting' });
    const outcome = await keepTrying({
      attempt: async () => {
        const { state, speaking } = await this.#join(wanted);
        if (!wanted()) return;
        this.#keeper.replace(state);
        this.#speak(speaking);
        this.#become({ phase: 'live' });
        this.media?.resume();
      },
      wanted,
      most: rejoinMax,
      timers: this.#timers,
    });
    if (outcome.kind === 'failed') this.#finish(phaseOfRefusal(outcome.error));
  }

  async #join(wanted: () => boolean): Promise<CommandOutput<'room:join'>> {
    try {
      return await this.#connection.request('room:join', { roomId: this.roomId });
    } catch (error) {
      if (wanted()) this.#become({ phase: 'reconnecting' });
      throw error;
    }
  }

  #syncRefused(error: unknown): void {
    if (codeOf(error) === 'not_in_room') this.#seatLost();
    else this.#finish(phaseOfRefusal(error));
  }

  /** The server forgot the seat while the connection stood: it is taken again, slower each time it happens. */
  #seatLost(): void {
    if (this.#phase.phase !== 'live') return;
    const wait = this.#seatLosses === 0 ? 0 : backoffMs(this.#seatLosses, mediaBackoff);
    this.#seatLosses += 1;
    this.#become({ phase: 'reconnecting' });
    this.#timers.after(wait, () => void this.#rejoin());
  }

  #become(phase: RoomPhase): void {
    if (this.#closed || phase.phase === this.#phase.phase) return;
    this.#phase = phase;
    this.#events.emit('phase', phase);
  }

  /** The session is over, and this is how. */
  #finish(phase: RoomPhase): void {
    if (this.#closed || isFinal(this.#phase)) return;
    this.#phase = phase;
    this.#release();
    this.#events.emit('phase', phase);
    this.#events.close();
  }

  #close(): void {
    this.#release();
    this.#events.close();
  }

  #release(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const stop of this.#stops) stop();
    this.#stops = [];
    this.#timers.close();
    this.#keeper.close();
    this.media?.dispose();
    this.media = undefined;
  }
}
