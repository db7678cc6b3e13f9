import type { EventName } from '@rostrum/shared/protocol/index.ts';
import { isStaff, onStage } from '@rostrum/shared/room/permissions.ts';
import type { RoomPublisher } from '../../rooms/ports.ts';
import { channels, emitTo, type RostrumServer } from './types.ts';

/** Events of rooms, over the sockets of this node alone. */
export const createRoomPublisher = (io: RostrumServer): RoomPublisher => {
  const emit = (channel: string, name: EventName, payload: object): void => emitTo(io, channel, name, payload);

  return {
    publish: (roomId, events) => {
      for (const { name, view, userId, payload } of events) {
        emit(view === 'self' ? channels.seat(roomId, userId ?? '') : channels.view(roomId, view), name, payload);
      }
    },
    toRoom: (roomId, name, payload) => emit(channels.view(roomId, 'room'), name, payload),
    toSeat: (roomId, userId, name, payload) => emit(channels.seat(roomId, userId), name, payload),
    toSession: (seat, name, payload) => emit(channels.session(seat), name, payload),
    enter: (roomId, { userId, sessionId, role }) => {
      const sockets = io.local.in(channels.session({ userId, sessionId }));
      sockets.socketsJoin([channels.view(roomId, 'room'), channels.seat(roomId, userId)]);
      const stage = channels.view(roomId, 'stage');
      const staff = channels.view(roomId, 'staff');
      if (onStage(role)) sockets.socketsJoin(stage);
      else sockets.socketsLeave(stage);
      if (isStaff(role)) sockets.socketsJoin(staff);
      else sockets.socketsLeave(staff);
    },
    expel: (roomId, seat, farewell) => expelHere(io, roomId, seat, farewell),
    close: (roomId) => io.local.in(channels.view(roomId, 'room')).socketsLeave(views(roomId)),
  };
};

/** Makes a session of this node (or whichever holds the seat) hear nothing more of this room, after a farewell. */
export const expelHere = (
  io: RostrumServer,
  roomId: string,
  { userId, sessionId }: { readonly userId: string; readonly sessionId?: string },
  farewell?: { readonly name: EventName; readonly payload: object },
): void => {
  const channel = sessionId === undefined ? channels.seat(roomId, userId) : channels.session({ userId, sessionId });
  if (farewell) emitTo(io, channel, farewell.name, farewell.payload);
  io.local.in(channel).socketsLeave([...views(roomId), channels.seat(roomId, userId)]);
};

const views = (roomId: string): string[] =>
  (['room', 'stage', 'staff'] as const).map((view) => channels.view(roomId, view));
