import type { Bus, BusMessage } from '../cluster/bus.ts';
import type { MediaPlane, RoomMediaState, SeatRef } from '../media/media-plane.ts';
import type { Logger } from '../runtime/logger.ts';
import { MediaFollower } from './media-follower.ts';
import { MovedMedia, type MovedMediaParts } from './moved-media.ts';

/**
 * How media follows state, at this node at once and at the others as soon as they are told. Nothing here waits or throws; what
 * gets lost on the way is made good by the next state, or by `mend`.
 */
export interface MediaControl {
  /** Media follows this state of a room, or of a call that the SFU carries, at every node. */
  follow(state: RoomMediaState): void;
  /** The same at this node alone: the state is as it was, and media here may not be what it says. */
  followHere(state: RoomMediaState): void;
  /** The same where this node may not have the state yet; if it followed it a moment ago, it need not do so for everybody who comes. */
  remind(state: RoomMediaState): void;
  /** Closes all media of this person but that of `exceptSessionId`. */
  release(roomId: string, userId: string, exceptSessionId?: string): void;
  /** This session is at the node `to` now. What it has at others plays on for a while. */
  moved(seat: SeatRef, to: string): void;
  /** Closes all media of a room that is over. It does not come back with a state that is told late. */
  close(roomId: string): void;
}

export type MediaControlParts = Omit<MovedMediaParts, 'media' | 'movedMediaMs' | 'logger'> & {
  readonly media: Pick<MediaPlane, 'reconcile' | 'release' | 'closeRoom' | 'seatsOf' | 'roomIds'>;
  readonly limits: { readonly movedMediaMs: number };
  readonly logger: Pick<Logger, 'warn' | 'error'>;
  /** The way to the other nodes; a single node has none. */
  readonly bus?: Pick<Bus, 'tell'> | undefined;
};

export type RunningMediaControl = MediaControl & {
  /** What another node told. What is not about media is left alone. */
  taken(message: BusMessage): void;
  /**
   * After other nodes may not have been heard for a while: media of every room that has some here follows the state as it is
   * stored, and what belongs to nobody here any more ends after `movedMediaMs`. @throws StateUnavailable
   */
  mend(): Promise<void>;
  stop(): void;
};

export const createMediaControl = (parts: MediaControlParts): RunningMediaControl => {
  const { media, owners, limits, logger, bus } = parts;
  const follower = new MediaFollower(media, logger);
  const away = new MovedMedia({ ...parts, movedMediaMs: limits.movedMediaMs });

  const closeHere = (roomId: string): void => {
    follower.end(roomId);
    media.closeRoom(roomId);
  };
  const seatsOfUser = (roomId: string, userId: string): SeatRef[] =>
    media.seatsOf(roomId).filter((seat) => seat.userId === userId);

  /** Told late, it must not end what the person has here since they came back: the state says who holds the seat. */
  const releaseAsTold = async ({ roomId, userId, exceptSessionId }: Told<'media-release'>): Promise<void> => {
    const holder = await owners.seat(roomId, userId).catch(() => undefined);
    media.release(roomId, userId, holder?.sessionId ?? exceptSessionId);
  };

  return {
    follow: (state) => {
      follower.follow(state);
      bus?.tell({ kind: 'media-state', state });
    },
    followHere: (state) => follower.follow(state),
    remind: (state) => follower.remind(state),
    release: (roomId, userId, exceptSessionId) => {
      media.release(roomId, userId, exceptSessionId);
      bus?.tell({
        kind: 'media-release',
        roomId,
        userId,
        ...(exceptSessionId === undefined ? {} : { exceptSessionId }),
      });
    },
    moved: ({ roomId, userId, sessionId }, to) =>
      bus?.tell({ kind: 'media-release', roomId, userId, exceptSessionId: sessionId, movedTo: to }),
    close: (roomId) => {
      closeHere(roomId);
      bus?.tell({ kind: 'media-close', roomId });
    },

    taken: (message) => {
      if (message.kind === 'media-state') follower.follow(message.state);
      if (message.kind === 'media-close') closeHere(message.roomId);
      if (message.kind !== 'media-release') return;
      if (message.movedTo === undefined) void releaseAsTold(message);
      else for (const seat of seatsOfUser(message.roomId, message.userId)) away.moved(seat);
    },
    mend: async () => {
      for (const roomId of media.roomIds()) {
        const state = await owners.state(roomId);
        if (state) follower.follow(state);
        else closeHere(roomId);
        for (const seat of media.seatsOf(roomId)) away.moved(seat);
      }
    },
    stop: () => away.stop(),
  };
};

type Told<Kind extends BusMessage['kind']> = Extract<BusMessage, { kind: Kind }>;
