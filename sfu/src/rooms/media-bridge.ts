import type { EventName, EventPayload } from '@rostrum/shared/protocol/index.ts';
import type { MediaEvents, SeatRef } from '../media/media-plane.ts';
import type { Logger } from '../runtime/logger.ts';
import { type MediaOwner, MediaOwners } from './media-owners.ts';
import type { RoomPublisher } from './ports.ts';

export type MediaBridge = {
  readonly events: MediaEvents;
  readonly owners: MediaOwners;
  /** Who speaks in this room now, as media told it last. */
  speakingIn(roomId: string): readonly string[];
  /**
   * Keeps what media tells of this seat until the returned function is called: while an answer is on its way to the session that
   * names the transport which all of it is about, nothing may overtake that.
   */
  hold(seat: SeatRef): () => void;
};

type Parts = {
  /**
   * Of the sockets of this node alone. What media tells concerns sessions that are connected here, and who speaks every node
   * learns from its own media.
   */
  readonly publisher: Pick<RoomPublisher, 'toSession' | 'toRoom'>;
  readonly logger: Logger;
};

/**
 * RE-5: events that are kept for one seat; a stage has 30 voices, and an answer takes no longer than each of them needs to come and
 * go a few times. Past it they go out, and a client that lost its place asks `media:sync`.
 */
const mostHeld = 200;

/** Seats to which an answer is on its way, with what they are to be told after it. */
type Held = { answers: number; readonly told: (() => void)[] };

/** What media tells by itself: to the people concerned, and to the state where it is about a microphone. */
export const createMediaBridge = ({ publisher, logger }: Parts): MediaBridge => {
  const owners = new MediaOwners();
  /** Rooms in which somebody speaks; media says when nobody does any more. */
  const speaking = new Map<string, readonly string[]>();
  const held = new Map<string, Held>();

  const tellOwners = (roomId: string, tell: (owner: MediaOwner) => Promise<unknown>): void => {
    owners.tell(tell).catch((error: unknown) => logger.error({ err: error, roomId }, 'lost media could not be noted'));
  };
  // Media is a session's: another device that holds the seat meanwhile must not hear of it.
  const tell = <Name extends EventName>(seat: SeatRef, name: Name, payload: EventPayload<Name>): void => {
    const waiting = held.get(keyOf(seat));
    const now = (): void => publisher.toSession(seat, name, payload);
    if (waiting === undefined) now();
    else if (waiting.told.push(now) > mostHeld) letGo(waiting);
  };

  return {
    owners,
    speakingIn: (roomId) => speaking.get(roomId) ?? [],
    hold: (seat) => {
      const key = keyOf(seat);
      const waiting = held.get(key) ?? { answers: 0, told: [] };
      held.set(key, waiting);
      waiting.answers += 1;
      return () => {
        waiting.answers -= 1;
        if (waiting.answers > 0) return;
        held.delete(key);
        letGo(waiting);
      };
    },
    events: {
      consumersAdded: ({ seat, transportId, consumers }) =>
        tell(seat, 'media:consumers-added', { roomId: seat.roomId, transportId, consumers: [...consumers] }),
      consumersRemoved: (seat, consumerIds) =>
        tell(seat, 'media:consumers-removed', { roomId: seat.roomId, consumerIds: [...consumerIds] }),
      unpublished: (seat, producerId) => {
        tell(seat, 'media:unpublished', { roomId: seat.roomId, producerId: producerId ?? null });
        if (producerId === undefined) return;
        tellOwners(seat.roomId, (owner) => owner.microphoneClosed(seat, producerId));
      },
      speakingChanged: (roomId, userIds) => {
        if (userIds.length > 0) speaking.set(roomId, userIds);
        else speaking.delete(roomId);
        publisher.toRoom(roomId, 'room:speaking-changed', { roomId, userIds: [...userIds] });
      },
      mediaLost: (roomId, { seats, microphones, withinMs }) => {
        for (const { seat, receiving, sending } of seats)
          tell(seat, 'media:lost', { roomId, receiving, sending, withinMs });
        if (microphones) tellOwners(roomId, (owner) => owner.mediaLost(roomId));
      },
      relisten: (seat, withinMs) => tell(seat, 'media:relisten', { roomId: seat.roomId, withinMs }),
    },
  };
};

const letGo = ({ told }: Held): void => {
  for (const now of told.splice(0)) now();
};

const keyOf = ({ roomId, userId, sessionId }: SeatRef): string => JSON.stringify([roomId, userId, sessionId]);
