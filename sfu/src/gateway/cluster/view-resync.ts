import type { EndReason } from '@rostrum/shared/protocol/room.ts';
import { isStaff, onStage } from '@rostrum/shared/room/permissions.ts';
import type { RoomPublisher } from '../../rooms/ports.ts';
import { type RoomState, type Seat, seatOf } from '../../rules/room/state.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { RoomSnapshot, RoomStore } from '../../state/room-store.ts';
import { channels, emitTo, type RostrumServer } from '../socket/types.ts';

/** A session of this node that sat down in a room here. */
export type SeatHere = { readonly roomId: string; readonly userId: string; readonly sessionId: string };

export type ViewResyncOptions = {
  readonly io: RostrumServer;
  readonly store: Pick<RoomStore, 'snapshot'>;
  /** The publisher to the sockets of this node alone. */
  readonly local: Pick<RoomPublisher, 'enter' | 'expel' | 'close'>;
  readonly seats: () => readonly SeatHere[];
  /** Why a room is over that the store does not have any more; by the records. */
  readonly endReason: (roomId: string) => Promise<EndReason | undefined>;
  readonly nodeId: string;
  /**
   * The seat of a session that is connected here counts as lost, or as another node's: others gave it up while they did not hear of
   * this node, or a join at the node that it came from was slower than the one here.
   */
  readonly lost: (seat: SeatHere) => void;
  readonly logger: Logger;
};

export type ViewResync = {
  /**
   * After something that another node told may have been lost: makes everybody here hear the views of the role that they have by
   * the store, and tells them how far each has come (`room:sequence`), so that whoever missed something asks for it.
   */
  all(): Promise<void>;
  /** The same for one session that another node told something about. What it told may have been overtaken by another commit. */
  one(seat: SeatHere): Promise<void>;
};

/** People of a room that are looked up in one reading. */
const mostAtOnce = 500;

export const createViewResync = (options: ViewResyncOptions): ViewResync => {
  let running: Promise<void> | undefined;
  let again = false;

  const run = async (): Promise<void> => {
    do {
      again = false;
      const rooms = Map.groupBy(options.seats(), ({ roomId }) => roomId);
      for (const [roomId, seats] of rooms) await attempt(options, roomId, seats);
    } while (again);
  };

  return {
    all: () => {
      again = running !== undefined;
      running ??= run().finally(() => {
        running = undefined;
      });
      return running;
    },
    one: (seat) => attempt(options, seat.roomId, [seat]),
  };
};

/** One room that cannot be read must not keep the others from it. If the store is away, it all comes again when it is back. */
const attempt = async (options: ViewResyncOptions, roomId: string, seats: readonly SeatHere[]): Promise<void> => {
  try {
    for (let from = 0; from < seats.length; from += mostAtOnce)
      await resyncRoom(options, roomId, seats.slice(from, from + mostAtOnce));
  } catch (error) {
    options.logger.warn({ err: error }, 'people of a room could not be told how far its views have come');
  }
};

const resyncRoom = async (options: ViewResyncOptions, roomId: string, seats: readonly SeatHere[]): Promise<void> => {
  const { io, store, local } = options;
  const snapshot = await store.snapshot(roomId, { most: 0, userIds: seats.map(({ userId }) => userId) });
  if (!snapshot || snapshot.state.control.status === 'ended') return farewell(options, roomId, snapshot?.state);
  for (const here of seats) {
    const seat = heldBy(snapshot.state, here);
    if (seat) local.enter(roomId, { ...here, role: seat.role });
    if (seat && (seat.awaySince !== null || seat.node !== options.nodeId)) options.lost(here);
    // Whoever is out hears the numbers as well, asks for what they miss, and learns it.
    for (const { view, sequence } of standOf(snapshot, here.userId, seat))
      emitTo(io, channels.session(here), 'room:sequence', { roomId, view, sequence });
    if (!seat) local.expel(roomId, { userId: here.userId, sessionId: here.sessionId });
  }
};

const heldBy = (state: RoomState, { userId, sessionId }: SeatHere): Seat | undefined => {
  const seat = seatOf(state, userId);
  return seat?.sessionId === sessionId ? seat : undefined;
};

/** How far each view has come that this seat sees. Without a seat, the view of everybody. */
const standOf = ({ sequences }: RoomSnapshot, userId: string, seat: Seat | undefined) => [
  { view: 'room', sequence: sequences.room } as const,
  ...(seat && onStage(seat.role) ? [{ view: 'stage', sequence: sequences.stage } as const] : []),
  ...(seat && isStaff(seat.role) ? [{ view: 'staff', sequence: sequences.staff } as const] : []),
  ...(seat ? [{ view: 'self', sequence: sequences.self.get(userId) ?? 0 } as const] : []),
];

const farewell = async (options: ViewResyncOptions, roomId: string, state: RoomState | undefined): Promise<void> => {
  const { io, local, endReason } = options;
  const reason = state?.control.endReason ?? (await endReason(roomId)) ?? 'server-stopped';
  emitTo(io, channels.view(roomId, 'room'), 'room:ended', { roomId, reason });
  local.close(roomId);
};
