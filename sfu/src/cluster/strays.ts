import type { CallCopies } from '../calls/call-copies.ts';
import type { RoomCopies } from '../rooms/room-copies.ts';
import type { ClusterStore } from '../state/cluster-store.ts';
import type { SweepPorts } from './sweep.ts';

export type StrayOptions = {
  readonly cluster: Pick<ClusterStore, 'nodes'>;
  readonly rooms: Pick<RoomCopies, 'present'>;
  readonly calls: Pick<CallCopies, 'present'>;
  readonly ports: Pick<SweepPorts, 'loseSeat' | 'loseCall'>;
};

/**
 * Notes the loss of people whose node is not there any more. A node that died while the store was lost holds nothing in the new
 * one, so no sweep finds it (RE-3); but others wrote back its people's seats on stages and their sides of calls. To be
 * called when every living node has had the time to say that it is there. All of it is harmless twice.
 */
export const loseStrays = async ({ cluster, rooms, calls, ports }: StrayOptions): Promise<void> => {
  const known = new Set((await cluster.nodes()).map(({ nodeId }) => nodeId));
  for (const { roomId, seat } of rooms.present())
    if (!known.has(seat.node)) await ports.loseSeat(roomId, seat.userId, seat.sessionId, seat.node);
  for (const { side } of calls.present())
    if (!known.has(side.node)) await ports.loseCall({ userId: side.userId, sessionId: side.sessionId }, side.node);
};
