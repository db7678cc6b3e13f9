import type { Limits } from '@rostrum/shared/limits.ts';
import type { TransportOffer } from '@rostrum/shared/protocol/listening.ts';
import { refuse } from '@rostrum/shared/result.ts';
import type { types } from 'mediasoup';
import type { MediaCounters } from './media-counters.ts';
import type { MediaEvents, SeatRef } from './media-plane.ts';
import type { MediaLogger, MediaWorker } from './media-worker.ts';

export type IceServer = TransportOffer['iceServers'][number];

/** What everything in the media of one room shares, on whatever router it is. */
export type SharedContext = {
  readonly roomId: string;
  readonly limits: Limits;
  readonly logger: MediaLogger;
  readonly events: MediaEvents;
  readonly counters: MediaCounters;
  readonly announcedAddresses: readonly string[];
  readonly iceServersFor: (seat: SeatRef) => readonly IceServer[];
};

/** The same for what is on one router of a room. */
export type RoomContext = SharedContext & {
  readonly worker: MediaWorker;
  /** The router; rejects when the worker died or the router was closed first. */
  readonly router: () => Promise<types.Router>;
};

/** The answer to a command that came too late for what it was about: replaced, closed, or lost with its worker. */
export const superseded = (context: RoomContext): ReturnType<typeof refuse> =>
  refuse(context.worker.closed ? 'unavailable' : 'conflict');

/**
 * The answer to a command that mediasoup failed at. What mediasoup said stays in the log, with ids and nothing else of
 * anybody. `closed` says that what the command was about is gone, which explains the failure.
 */
export const failure = (
  context: RoomContext,
  failed: {
    readonly error: unknown;
    readonly doing: string;
    readonly closed: boolean;
    readonly code: 'invalid' | 'unavailable';
  },
): ReturnType<typeof refuse> => {
  if (failed.closed || context.worker.closed) return superseded(context);
  context.logger.warn({ roomId: context.roomId, err: failed.error }, `mediasoup failed at ${failed.doing}`);
  return refuse(failed.code);
};
