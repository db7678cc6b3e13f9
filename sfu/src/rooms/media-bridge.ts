import type { Result } from '@rostrum/shared/result.ts';
import type { MediaEvents, SeatRef } from '../media/media-plane.ts';
import type { Logger } from '../runtime/logger.ts';
import type { RoomPublisher } from './ports.ts';
import type { RoomEngine } from './room-engine.ts';

/** Whose state media belongs to: rooms, and calls that the SFU carries. One that does not know an id leaves it alone. */
export type MediaOwner = {
  /** A microphone was closed by media itself. */
  microphoneClosed(seat: SeatRef, producerId: string): Promise<Result<unknown>>;
  /** All media of this room, or call, is gone. */
  mediaLost(roomId: string): Promise<Result<unknown>>;
};

export type MediaBridge = {
  readonly events: MediaEvents;
  /** Names an owner, which is made after media is. */
  connect(owner: MediaOwner): void;
  /** Who speaks in this room now, as media told it last. */
  speakingIn(roomId: string): readonly string[];
};

/** Rooms as owners of media. */
export const roomMediaOwner = (engine: RoomEngine): MediaOwner => ({
  microphoneClosed: ({ roomId, userId }, producerId) =>
    engine.execute(roomId, { type: 'close-microphone', userId, producerId }),
  mediaLost: (roomId) => engine.execute(roomId, { type: 'lose-media' }),
});

/** What media tells by itself: to the people concerned, and to the state where it is about a microphone. */
export const createMediaBridge = ({ publisher, logger }: { publisher: RoomPublisher; logger: Logger }): MediaBridge => {
  const owners: MediaOwner[] = [];
  /** Rooms in which somebody speaks; media says when nobody does any more. */
  const speaking = new Map<string, readonly string[]>();

  const tellOwners = (roomId: string, tell: (owner: MediaOwner) => Promise<unknown>): void => {
    for (const owner of owners)
      tell(owner).catch((error: unknown) => logger.error({ err: error, roomId }, 'lost media could not be noted'));
  };

  return {
    connect: (owner) => owners.push(owner),
    speakingIn: (roomId) => speaking.get(roomId) ?? [],
    events: {
      // Media is a session's: another device that holds the seat meanwhile must not hear of it.
      consumersAdded: ({ seat, transportId, consumers }) =>
        publisher.toSession(seat, 'media:consumers-added', {
          roomId: seat.roomId,
          transportId,
          consumers: [...consumers],
        }),
      consumersRemoved: (seat, consumerIds) =>
        publisher.toSession(seat, 'media:consumers-removed', { roomId: seat.roomId, consumerIds: [...consumerIds] }),
      unpublished: (seat, producerId) => {
        publisher.toSession(seat, 'media:unpublished', { roomId: seat.roomId, producerId: producerId ?? null });
        if (producerId === undefined) return;
        tellOwners(seat.roomId, (owner) => owner.microphoneClosed(seat, producerId));
      },
      speakingChanged: (roomId, userIds) => {
        if (userIds.length > 0) speaking.set(roomId, userIds);
        else speaking.delete(roomId);
        publisher.toRoom(roomId, 'room:speaking-changed', { roomId, userIds: [...userIds] });
      },
      roomLost: (roomId, seats) => {
        for (const seat of seats) publisher.toSession(seat, 'media:lost', { roomId });
        tellOwners(roomId, (owner) => owner.mediaLost(roomId));
      },
    },
  };
};
