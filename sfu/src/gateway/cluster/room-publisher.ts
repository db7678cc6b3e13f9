import type { EventName } from '@rostrum/shared/protocol/index.ts';
import type { Bus } from '../../cluster/bus.ts';
import type { RoomPublisher } from '../../rooms/ports.ts';
import { channels, isHeard, type RostrumServer } from '../socket/types.ts';

/** Who is connected to this node. */
export type Here = {
  /** Whether this session is. */
  session(session: { readonly userId: string; readonly sessionId: string }): boolean;
  /** Whether the session is that holds this person's seat. */
  seat(roomId: string, userId: string): boolean;
};

export const createHere = (io: RostrumServer): Here => ({
  session: (session) => isHeard(io, channels.session(session)),
  seat: (roomId, userId) => isHeard(io, channels.seat(roomId, userId)),
});

/** A connection at another node may hear of this event. Who speaks, every node hears from its own media (MD-4). */
const crosses = (name: EventName): boolean => name !== 'room:speaking-changed';

/**
 * Events of rooms, for the sockets of this node at once and for those of others over the bus. What concerns one person who is
 * connected here is not told to others.
 */
export const clusterRoomPublisher = (local: RoomPublisher, bus: Pick<Bus, 'tell'>, here: Here): RoomPublisher => ({
  publish: (roomId, events) => {
    const others = events.filter(
      ({ view, userId }) => view !== 'self' || userId === null || !here.seat(roomId, userId),
    );
    local.publish(roomId, events);
    if (others.length > 0) bus.tell({ kind: 'room-views', roomId, events: others });
  },
  toRoom: (roomId, name, payload) => {
    local.toRoom(roomId, name, payload);
    if (crosses(name)) bus.tell({ kind: 'to-room', roomId, name, payload });
  },
  toSeat: (roomId, userId, name, payload) => {
    local.toSeat(roomId, userId, name, payload);
    if (!here.seat(roomId, userId)) bus.tell({ kind: 'to-seat', roomId, userId, name, payload });
  },
  toSession: (session, name, payload) => {
    local.toSession(session, name, payload);
    if (!here.session(session)) bus.tell({ kind: 'to-session', session: nameOf(session), name, payload });
  },
  enter: (roomId, seat) => {
    local.enter(roomId, seat);
    if (!here.session(seat)) bus.tell({ kind: 'enter', roomId, seat: { ...nameOf(seat), role: seat.role } });
  },
  // Also where the session is here: what is left of it at the node that it came from must hear nothing more either.
  expel: (roomId, { userId, sessionId }, farewell) => {
    local.expel(roomId, { userId, ...(sessionId === undefined ? {} : { sessionId }) }, farewell);
    bus.tell({
      kind: 'expel',
      roomId,
      seat: { userId, ...(sessionId === undefined ? {} : { sessionId }) },
      ...(farewell ? { farewell } : {}),
    });
  },
  close: (roomId) => {
    local.close(roomId);
    bus.tell({ kind: 'close-room', roomId });
  },
});

/** Seats and sides of calls name their session, and more: what is told names nothing else. */
const nameOf = ({ userId, sessionId }: { userId: string; sessionId: string }) => ({ userId, sessionId });
