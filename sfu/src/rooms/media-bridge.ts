import type { MediaEvents } from '../media/media-plane.ts';
import type { RoomCommand } from '../rules/room/commands.ts';
import type { Logger } from '../runtime/logger.ts';
import type { RoomPublisher } from './ports.ts';
import type { RoomEngine } from './room-engine.ts';

export type MediaBridge = {
  readonly events: MediaEvents;
  /** Names the engine, which is made after media is. */
  connect(engine: RoomEngine): void;
  /** Who speaks in this room now, as media told it last. */
  speakingIn(roomId: string): readonly string[];
};

/** What media tells by itself: to the people concerned, and to the state where it is about a microphone. */
export const createMediaBridge = ({ publisher, logger }: { publisher: RoomPublisher; logger: Logger }): MediaBridge => {
  let engine: RoomEngine | undefined;
  /** Rooms in which somebody speaks; media says when nobody does any more. */
  const speaking = new Map<string, readonly string[]>();

  const execute = (roomId: string, command: RoomCommand): void => {
    engine
      ?.execute(roomId, command)
      .catch((error: unknown) => logger.error({ err: error, roomId }, 'lost media could not be noted'));
  };

  return {
    connect: (connected) => {
      engine = connected;
    },
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
        execute(seat.roomId, { type: 'close-microphone', userId: seat.userId, producerId });
      },
      speakingChanged: (roomId, userIds) => {
        if (userIds.length > 0) speaking.set(roomId, userIds);
        else speaking.delete(roomId);
        publisher.toRoom(roomId, 'room:speaking-changed', { roomId, userIds: [...userIds] });
      },
      roomLost: (roomId, seats) => {
        for (const seat of seats) publisher.toSession(seat, 'media:lost', { roomId });
        execute(roomId, { type: 'lose-media' });
      },
    },
  };
};
