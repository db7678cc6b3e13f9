import type { Role } from '@rostrum/shared/protocol/room.ts';
import type { Presence } from '../../calls/ports.ts';
import type { RoomPublisher } from '../../rooms/ports.ts';
import type { RoomQueries } from '../../rooms/room-queries.ts';
import type { Rooms } from '../../rooms/rooms.ts';
import type { ClusterStore } from '../../state/cluster-store.ts';
import { channels, isHeard, type RostrumServer } from './types.ts';

type Parts = {
  readonly io: RostrumServer;
  readonly rooms: Pick<Rooms, 'command'>;
  readonly queries: Pick<RoomQueries, 'roleOf'>;
  readonly cluster: Pick<ClusterStore, 'sessionsOf'>;
  readonly publisher: Pick<RoomPublisher, 'toSession'>;
};

/** Where people are: whether here, by the sockets of this node; in which rooms, by the sessions that all nodes hold. */
export const createPresence = ({ io, rooms, queries, cluster, publisher }: Parts): Presence => ({
  isConnected: (caller) => isHeard(io, channels.session(caller)),
  roomsOf: async (userId) => {
    const found: { roomId: string; sessionId: string; role: Role }[] = [];
    for (const { roomId, sessionId } of await cluster.sessionsOf(userId)) {
      const role = roomId === null ? undefined : await queries.roleOf(roomId, userId);
      if (roomId !== null && role !== undefined) found.push({ roomId, sessionId, role });
    }
    return found;
  },
  leaveRoom: async ({ roomId, userId, sessionId }, tell) => {
    const left = await rooms.command(roomId, { type: 'leave', by: { userId, sessionId, operator: false } });
    if (left.ok && tell) publisher.toSession({ userId, sessionId }, 'room:joined-elsewhere', { roomId });
    return left;
  },
});
