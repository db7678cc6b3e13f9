import { availableParallelism, networkInterfaces } from 'node:os';
import type { Limits } from '@rostrum/shared/limits.ts';
import { done, refuse } from '@rostrum/shared/result.ts';
import { setLogEventListeners } from 'mediasoup';
import { listenInfos, type PortRange, pipeListenInfo, relayListenInfo, standardPipePorts } from './listen-addresses.ts';
import { MediaCounters } from './media-counters.ts';
import type { MediaEvents, MediaPlane, PipePeers, SeatRef } from './media-plane.ts';
import { MediaRooms } from './media-rooms.ts';
import type { MediaLogger } from './media-worker.ts';
import type { IceServer } from './room-context.ts';
import type { PipeNetwork } from './room-pipes.ts';
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
  /** UDP ports for what goes between the workers of this node, on the loopback address; `standardPipePorts` when left out. */
  readonly relayPorts?: PortRange | undefined;
};

export type PipeOptions = PipePeers & {
  /** The IP address by which other nodes reach this machine (PIPE_ADDRESS). */
  readonly address: string;
  /** UDP ports for pipes, apart from the media ports (PIPE_PORTS). Each end of a pipe takes one. */
  readonly ports: PortRange;
  /** How long a pipe is served to a node that does not ask again; the same on every node. `pipeLeaseMs` when left out. */
  readonly leaseMs?: number | undefined;
};

/** Demands come every 3 s then: often enough to see that a pipe is gone, few enough for hundreds of rooms. */
const pipeLeaseMs = 15_000;

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
  const counters = new MediaCounters();
  const pool = await WorkerPool.start({
    workers: options.workers ?? availableParallelism(),
    limits,
    logger,
    workerBin: options.workerBin,
    counters,
    listenInfos: (index) =>
      listenInfos({ port: mediaPort + index, announced: mediaAddresses, interfaces: networkInterfaces() }),
  });
  const rooms = new MediaRooms({
    pool,
    limits,
    logger,
    events: guarded(events, logger),
    counters,
    mediaAddresses,
    iceServersFor: options.iceServersFor ?? (() => []),
    self: options.self,
    relays: { listenInfo: () => relayListenInfo(options.relayPorts ?? standardPipePorts) },
    pipes,
  });
  const excessTimer = setInterval(() => rooms.stopExcess(), excessIntervalMs).unref();
  return planeOf({ rooms, pool, counters, stopTimers: () => clearInterval(excessTimer) });
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

type PlaneParts = {
  readonly rooms: MediaRooms;
  readonly pool: WorkerPool;
  readonly counters: MediaCounters;
  readonly stopTimers: () => void;
};

const planeOf = ({ rooms, pool, counters, stopTimers }: PlaneParts): MediaPlane => ({
  admit: (seat) => rooms.admit(seat),
  listen: (seat, options) => rooms.open(seat, (room) => room.listen(seat, options)),
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
  figures: () => counters.figures(),
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
    mediaLost: guard('mediaLost', events.mediaLost),
    relisten: guard('relisten', events.relisten),
  };
};
