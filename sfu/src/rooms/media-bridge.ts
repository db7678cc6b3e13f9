import type { MediaEvents } from '../media/media-plane.ts';
import type { Logger } from '../runtime/logger.ts';
import { type MediaOwner, MediaOwners } from './media-owners.ts';
import type { RoomPublisher } from './ports.ts';

export type MediaBridge = {
  readonly events: MediaEvents;
  readonly owners: MediaOwners;
  /** Who speaks in this room now, as media told it last. */
  speakingIn(roomId: string): readonly string[];
};

type Parts = {
  /**
   * Of the sockets of this node alone. What media tells concerns sessions that are connected here, and who speaks every node
   * learns from its own media.
   */
  readonly publisher: Pick<RoomPublisher, 'toSession' | 'toRoom'>;
  readonly logger: Logger;
};

/** What media tells by itself: to the people concerned, and to the state where it is about a microphone. */
export const createMediaBridge = ({ publisher, logger }: Parts): MediaBridge => {
  const owners = new MediaOwners();
  /** Rooms in which somebody speaks; media says when nobody does any more. */
  const speaking = new Map<string, readonly string[]>();

  const tellOwners = (roomId: string, tell: (owner: MediaOwner) => Promise<unknown>): void => {
    owners.tell(tell).catch((error: unknown) => logger.error({ err: error, roomId }, 'lost media could not be noted'));
  };

  return {
    owners,
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
