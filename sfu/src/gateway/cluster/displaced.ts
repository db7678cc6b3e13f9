import type { RoomCopyMessage } from '../../rooms/room-copies.ts';
import type { Seat } from '../../rules/room/state.ts';
import type { SeatHere } from './view-resync.ts';

/**
 * The seats that another node's commit left away, or at another node than this one. One of a session that is connected here was
 * taken from it by something late: a join at the node that it came from, or the loss of an older connection.
 */
export const displacedIn = ({ roomId, control, audience }: RoomCopyMessage, nodeId: string): SeatHere[] => {
  const isDisplaced = (seat: Seat): boolean => seat.awaySince !== null || seat.node !== nodeId;
  const seats = [...(control?.stage ?? []), ...audience.flatMap(([, seat]) => seat ?? [])];
  return seats.filter(isDisplaced).map(({ userId, sessionId }) => ({ roomId, userId, sessionId }));
};
