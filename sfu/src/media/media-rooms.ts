import type { Limits } from '@rostrum/shared/limits.ts';
import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import { packetTimes } from '@rostrum/shared/room/audio-quality.ts';
import type { MediaCounters } from './media-counters.ts';
import type { MediaEvents, RoomMediaState, SeatRef } from './media-plane.ts';
import type { MediaLogger, MediaWorker } from './media-worker.ts';
import type { PipeSettings } from './pipe-half.ts';
import { listenerCost } from './reservation.ts';
import type { IceServer } from './room-context.ts';
import { RoomMedia } from './room-media.ts';
import { microphonesElsewhere, type PipeNetwork } from './room-pipes.ts';
import type { WorkerPool } from './worker-pool.ts';

export type MediaRoomsOptions = {
  readonly pool: WorkerPool;
  readonly limits: Limits;
  readonly logger: MediaLogger;
  readonly events: MediaEvents;
  readonly counters: MediaCounters;
  readonly mediaAddresses: readonly string[];
  readonly iceServersFor: (seat: SeatRef) => readonly IceServer[];
  /** The name of this node among the others. */
  readonly self: string | undefined;
  readonly relays: Pick<PipeSettings, 'listenInfo'>;
  readonly pipes: PipeNetwork | undefined;
};

/** RE-5: rooms that go on at other nodes, of which nobody has media here. The one that was heard of longest ago is forgotten. */
const statesKept = 1000;

/** A seat whose room has no worker yet. */
type Waiting = { readonly seat: SeatRef; released: boolean };

/** The rooms that have media on this node. */
export class MediaRooms {
  readonly #options: MediaRoomsOptions;
  readonly #rooms = new Map<string, RoomMedia>();
  /** By room, the latest state of those with microphones at other nodes: who comes first here has to hear them too. */
  readonly #states = new Map<string, RoomMediaState>();
  readonly #waiting = new Set<Waiting>();
  /** Packets a second that are reserved for the first who listens in a room. */
  readonly #firstListener: number;

  constructor(options: MediaRoomsOptions) {
    this.#options = options;
    this.#firstListener = listenerCost([], { voices: options.limits.gateVoices, nextPacketMs: packetTimes.usual });
  }

  ids(): string[] {
    return [...this.#rooms.keys()];
  }

  get(roomId: string): RoomMedia | undefined {
    return this.#rooms.get(roomId);
  }

  /** Whether there is room for one more who listens in this room, or for the first of a new one. */
  admit(seat: SeatRef): Result<void> {
    const known = this.#rooms.get(seat.roomId);
    if (known !== undefined) return known.admit(seat);
    const running = this.#options.pool.running();
    if (running.length === 0) return refuse('unavailable');
    if (running.some((worker) => worker.hasRoomFor(this.#firstListener))) return done(undefined);
    this.#options.counters.refusedFull();
    return refuse('node_full');
  }

  /**
   * Does something for this seat in its room, which is opened on the least loaded worker if it has no media here. A seat
   * that is released while its room still waits for a worker gets nothing.
   */
  async open<T>(seat: SeatRef, act: (room: RoomMedia) => Promise<Result<T>>): Promise<Result<T>> {
    const known = this.#rooms.get(seat.roomId);
    if (known !== undefined) return act(known);
    const waiting = { seat, released: false };
    this.#waiting.add(waiting);
    const placed = await this.#options.pool.place(this.#firstListener);
    this.#waiting.delete(waiting);
    // Another one may have opened the room meanwhile, and people inside are served by other workers too.
    const opened = this.#rooms.get(seat.roomId);
    if (waiting.released) return refuse('conflict');
    if (opened !== undefined) return act(opened);
    if (!placed.ok) {
      if (placed.refusal.code === 'node_full') this.#options.counters.refusedFull();
      return placed;
    }
    // Nothing may wait between this and `act`: a room that nobody uses closes itself.
    return act(this.#create(seat.roomId, placed.value));
  }

  async reconcile(state: RoomMediaState): Promise<void> {
    this.#keep(state);
    await this.#rooms.get(state.roomId)?.reconcile(state);
  }

  nodeGone(node: string): void {
    for (const room of this.#rooms.values()) room.nodeGone(node);
  }

  release(roomId: string, userId: string, exceptSessionId: string | undefined): void {
    this.#rooms.get(roomId)?.release(userId, exceptSessionId);
    this.#turnAway(
      ({ seat }) => seat.roomId === roomId && seat.userId === userId && seat.sessionId !== exceptSessionId,
    );
  }

  closeRoom(roomId: string): void {
    this.#states.delete(roomId);
    this.#rooms.get(roomId)?.close();
    this.#turnAway(({ seat }) => seat.roomId === roomId);
  }

  #keep(state: RoomMediaState): void {
    const { pipes } = this.#options;
    this.#states.delete(state.roomId);
    if (pipes === undefined || microphonesElsewhere(state.microphones.values(), pipes.self).size === 0) return;
    this.#states.set(state.roomId, state);
    const [longestAgo] = this.#states.keys();
    if (this.#states.size > statesKept && longestAgo !== undefined) this.#states.delete(longestAgo);
  }

  #turnAway(which: (waiting: Waiting) => boolean): void {
    for (const waiting of this.#waiting) if (which(waiting)) waiting.released = true;
  }

  #create(roomId: string, worker: MediaWorker): RoomMedia {
    const { limits, logger, events, counters, mediaAddresses, iceServersFor, ...rest } = this.#options;
    const room = new RoomMedia({
      ...rest,
      shared: { roomId, limits, logger, events, counters, announcedAddresses: mediaAddresses, iceServersFor },
      worker,
      closed: () => this.#rooms.delete(roomId),
    });
    this.#rooms.set(roomId, room);
    const state = this.#states.get(roomId);
    // Never rejects, and must not be waited for: see `open`.
    if (state !== undefined) void room.reconcile(state);
    return room;
  }

  stopExcess(): void {
    for (const room of this.#rooms.values()) void room.stopExcess();
  }

  close(): void {
    for (const room of [...this.#rooms.values()]) room.close();
  }
}
