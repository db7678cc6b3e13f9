import type { Presence } from '../../calls/ports.ts';
import type { RoomQueries } from '../../rooms/room-queries.ts';
import type { Rooms } from '../../rooms/rooms.ts';
import { channels, emitTo, type RostrumServer } from './types.ts';

type Parts = {
  readonly io: RostrumServer;
  readonly rooms: Pick<Rooms, 'command'>;
  readonly queries: Pick<RoomQueries, 'roleOf'>;
};

/** Where people are, by the sockets of this node and the seats that those hold. */
export const createPresence = ({ io, rooms, queries }: Parts): Presence => ({
  isConnected: (caller) => (io.of('/').adapter.rooms.get(channels.session(caller))?.size ?? 0) > 0,
  roomsOf: async (userId) => {
    const found: {
      roomId: string;
      sessionId: string;
      role: NonNullable<Awaited<ReturnType<RoomQueries['roleOf']>>>;
    }[] = [];
    for (const { data } of await io.local.in(channels.user(userId)).fetchSockets()) {
      const { roomId, sessionId } = data;
      const role = roomId === undefined ? undefined : await queries.roleOf(roomId, userId);
      if (roomId !== undefined && role !== undefined) found.push({ roomId, sessionId, role });
    }
    return found;
  },
  leaveRoom: async ({ roomId, userId, sessionId }, tell) => {
    const left = await rooms.command(roomId, { type: 'leave', by: { userId, sessionId, operator: false } });
    if (left.ok && tell) emitTo(io, channels.session({ userId, sessionId }), 'room:joined-elsewhere', { roomId });
    return left;
  },
});
