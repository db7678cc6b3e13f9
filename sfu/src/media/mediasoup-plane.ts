import { availableParallelism, networkInterfaces } from 'node:os';
import type { Limits } from '@rostrum/shared/limits.ts';
import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import { setLogEventListeners } from 'mediasoup';
import { listenInfos, pipeListenInfo } from './listen-addresses.ts';
import type { MediaEvents, MediaPlane, PipePeers, RoomMediaState, SeatRef } from './media-plane.ts';
import type { MediaLogger, MediaWorker } from './media-worker.ts';
import type { IceServer } from './room-context.ts';
import { RoomMedia } from './room-media.ts';
import { microphonesElsewhere, type PipeNetwork } from './room-pipes.ts';
import { WorkerPool } from './worker-pool.ts';

export type MediaPlaneOptions = {
  readonly limits: Limits;
  readonly logger: MediaLogger;
  /** How many workers run; one for each core of the machine when left out (MD-1). */
  readonly workers?: number | undefined;
  /** The port of the first worker, over UDP and TCP; the others have the ports after it (MD-7). */
  readonly mediaPort: number;
  /** The addresses by which clients reach this machine; empty: those of its interfaces. See `listenInfos`. */
  readonly mediaAddresses: readonly string[];
  /** The worker's executable; when left out, what mediasoup finds: MEDIASOUP_WORKER_BIN, or its own. */
  readonly workerBin?: string | undefined;
  /** The TURN and STUN servers for somebody's transport; none when left out. Called anew for every transport. */
  readonly iceServersFor?: ((seat: SeatRef) => readonly IceServer[]) | undefined;
  /** The name of this node among the others; a single node needs none. */
  readonly self?: string | undefined;
  /** The way to the other nodes. Without it nothing is heard of microphones there, and nothing is given to them. */
  readonly pipes?: PipeOptions | undefined;
};

export type PipeOptions = PipePeers & {
  /** The IP address by which other nodes reach this machine (PIPE_ADDRESS). */
  readonly address: string;
  /** UDP ports for pipes, apart from the media ports (PIPE_PORTS). Each end of a pipe takes one. */
  readonly ports: { readonly min: number; readonly max: number };
  /** How long a pipe is served to a node that does not ask again; the same on every node. `pipeLeaseMs` when left out. */
  readonly leaseMs?: number | undefined;
};

/** Demands come every 3 s then: often enough to see that a pipe is gone, few enough for hundreds of rooms. */
const pipeLeaseMs = 15_000;

/** RE-5: rooms that go on at other nodes, of which nobody has media here. The one that was heard of longest ago is forgotten. */
const statesKept = 1000;

/** How often it is looked for microphones that send far more than they may. */
const excessIntervalMs = 10_000;

/** Starts the media of this node. Rejects when a worker does not start or a port is taken; then nothing is left running. */
export const createMediaPlane = async (options: MediaPlaneOptions, events: MediaEvents): Promise<MediaPlane> => {
  const { limits, logger, mediaPort, mediaAddresses } = options;
  const pipes = options.pipes && pipeNetwork(options.self ?? 'this node', options.pipes);
  // For the process as a whole, since that is how mediasoup logs. A worker's last words come this way; that it ends when
  // it is told to is one of them.
  setLogEventListeners({
    onwarn: (source, message) => logger.debug({ source }, message),
    onerror: (source, message, error) => {
      const level = message.includes('channel remotely closed') ? 'debug' : 'warn';
      logger[level]({ source, ...(error === undefined ? {} : { err: error }) }, message);
    },
  });
  const pool = await WorkerPool.start({
    workers: options.workers ?? availableParallelism(),
    limits,
    logger,
    workerBin: options.workerBin,
    listenInfos: (index) =>
      listenInfos({ port: mediaPort + index, announced: mediaAddresses, interfaces: networkInterfaces() }),
  });
  const rooms = new Rooms(pool, { ...options, pipes }, guarded(events, logger));
  const excessTimer = setInterval(() => rooms.stopExcess(), excessIntervalMs).unref();
  return planeOf(rooms, pool, () => clearInterval(excessTimer));
};

/** Throws when the address or the ports cannot be used. */
const pipeNetwork = (self: string, options: PipeOptions): PipeNetwork => {
  const { address, ports, leaseMs = pipeLeaseMs } = options;
  const listenInfo = () => pipeListenInfo({ address, ports, interfaces: networkInterfaces() });
  listenInfo();
  // By the clock, so that they grow over a restart; but never back with it.
  let latest = 0;
  const nextSequence = () => {
    latest = Math.max(latest + 1, Date.now());
    return latest;
  };
  return { self, peers: options, listenInfo, leaseMs, nextSequence };
};

type RoomsOptions = Omit<MediaPlaneOptions, 'pipes'> & { readonly pipes: PipeNetwork | undefined };

/** A seat whose room has no worker yet. */
type Waiting = { readonly seat: SeatRef; released: boolean };

/** The rooms that have media on this node. */
class Rooms {
  readonly #pool: WorkerPool;
  readonly #options: RoomsOptions;
  readonly #events: MediaEvents;
  readonly #rooms = new Map<string, RoomMedia>();
  /** By room, the latest state of those with microphones at other nodes: who comes first here has to hear them too. */
  readonly #states = new Map<string, RoomMediaState>();
  readonly #waiting = new Set<Waiting>();

  constructor(pool: WorkerPool, options: RoomsOptions, events: MediaEvents) {
    this.#pool = pool;
    this.#options = options;
    this.#events = events;
  }

  ids(): string[] {
    return [...this.#rooms.keys()];
  }

  get(roomId: string): RoomMedia | undefined {
    return this.#rooms.get(roomId);
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
    const placed = await this.#pool.place();
    this.#waiting.delete(waiting);
    if (!placed.ok) return placed;
    if (waiting.released) return refuse('conflict');
    // Nothing may wait between this and `act`: a room that nobody uses closes itself.
    return act(this.#rooms.get(seat.roomId) ?? this.#create(seat.roomId, placed.value));
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
    const { limits, logger, mediaAddresses, iceServersFor, pipes } = this.#options;
    const room = new RoomMedia({
      roomId,
      worker,
      limits,
      logger,
      events: this.#events,
      announcedAddresses: mediaAddresses,
      iceServersFor: iceServersFor ?? (() => []),
      pipes,
      self: this.#options.self,
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

const planeOf = (rooms: Rooms, pool: WorkerPool, stopTimers: () => void): MediaPlane => ({
  listen: (seat) => rooms.open(seat, (room) => room.listen(seat)),
  publish: (seat) => rooms.open(seat, (room) => room.publish(seat)),
  async connect(seat, transportId, dtlsParameters) {
    return (await rooms.get(seat.roomId)?.transport(seat, transportId)?.connect(dtlsParameters)) ?? refuse('not_found');
  },
  async produce(seat, { transportId, rtpParameters }) {
    return (await rooms.get(seat.roomId)?.produce(seat, transportId, rtpParameters)) ?? refuse('not_found');
  },
  discard: (seat, producerId) => rooms.get(seat.roomId)?.discard(seat, producerId),
  unpublish: (seat) => rooms.get(seat.roomId)?.unpublish(seat),
  async restartIce(seat, transportId) {
    return (await rooms.get(seat.roomId)?.transport(seat, transportId)?.restartIce()) ?? refuse('not_found');
  },
  async sync(seat, have) {
    const room = rooms.get(seat.roomId);
    return done(
      room === undefined
        ? { transportIds: [], added: [], removed: [...have.consumerIds] }
        : await room.sync(seat, have),
    );
  },
  reconcile: (state) => rooms.reconcile(state),
  async servePipe(from, demand) {
    return (await rooms.get(demand.roomId)?.servePipe(from, demand)) ?? refuse('not_found');
  },
  nodeGone: (node) => rooms.nodeGone(node),
  release: (roomId, userId, exceptSessionId) => rooms.release(roomId, userId, exceptSessionId),
  closeRoom: (roomId) => rooms.closeRoom(roomId),
  roomIds: () => rooms.ids(),
  seatsOf: (roomId) => rooms.get(roomId)?.seats() ?? [],
  load: () => pool.load(),
  ready: () => pool.ready(),
  async close() {
    stopTimers();
    rooms.close();
    await pool.close();
  },
});

/** The same events, but a handler that throws does not reach what told it: that is in the middle of changing a room. */
const guarded = (events: MediaEvents, logger: MediaLogger): MediaEvents => {
  const guard =
    <Arguments extends unknown[]>(name: keyof MediaEvents, handler: (...args: Arguments) => void) =>
    (...args: Arguments): void => {
      try {
        handler(...args);
      } catch (error) {
        logger.error({ event: name, err: error }, 'a handler of a media event failed');
      }
    };
  return {
    consumersAdded: guard('consumersAdded', events.consumersAdded),
    consumersRemoved: guard('consumersRemoved', events.consumersRemoved),
    unpublished: guard('unpublished', events.unpublished),
    speakingChanged: guard('speakingChanged', events.speakingChanged),
    roomLost: guard('roomLost', events.roomLost),
  };
};
