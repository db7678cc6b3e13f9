import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import type { Listening, SeatRef } from '../media/media-plane.ts';
import type { Person } from '../rules/room/state.ts';
import type { Logger } from '../runtime/logger.ts';
import { StateUnavailable } from '../state/room-store.ts';
import type { Joined } from './join-room.ts';
import type { RoomMedia } from './room-media.ts';
import type { Rooms } from './rooms.ts';

/** What somebody is answered who came in. */
export type Entered = Omit<Joined, 'isNew'> & { readonly listening: Listening | null };

type Parts = {
  readonly rooms: Pick<Rooms, 'join' | 'command'>;
  readonly media: Pick<RoomMedia, 'admit' | 'listenSeated'>;
  readonly logger: Pick<Logger, 'error'>;
};

/** Takes a seat, or comes back to it. */
export const enter = async ({ rooms }: Pick<Parts, 'rooms'>, person: Person, seat: SeatRef): Promise<Result<Entered>> =>
  entered(await rooms.join(person, seat.roomId, seat.sessionId), null);

/**
 * The same, and opens what is heard there in the same breath. Somebody new for whom there is no room gets `node_full` before they sit.
 * `listening` is null where media could not be opened now, though the seat stands: `media:listen` tries it again.
 */
export const enterListening = async (
  { rooms, media, logger }: Parts,
  person: Person,
  seat: SeatRef,
): Promise<Result<Entered>> => {
  const { roomId, userId, sessionId } = seat;
  const begun: { listening?: Promise<Result<Listening>> } = {};
  const joined = await rooms.join(person, roomId, sessionId, {
    admit: () => media.admit(seat),
    begin: (seated) => {
      begun.listening = media.listenSeated(seat, seated);
    },
  });
  // Whatever happened to media, the seat stands by what was committed, and what is heard can be opened again.
  const opened = await begun.listening?.catch((error: unknown) => {
    if (!(error instanceof StateUnavailable)) logger.error({ err: error, roomId }, 'a newcomer could not listen');
  });
  if (joined.ok && joined.value.isNew && opened?.ok === false && opened.refusal.code === 'node_full') {
    // The last place went to another room in the same moment.
    const left = await rooms.command(roomId, { type: 'leave', by: { userId, sessionId, operator: false } });
    // Whether they sit there is not known then, and whoever asked has to see to that.
    return refuse(!left.ok && left.refusal.code === 'unavailable' ? 'unavailable' : 'node_full');
  }
  return entered(joined, opened?.ok ? opened.value : null);
};

const entered = (joined: Result<Joined>, listening: Listening | null): Result<Entered> => {
  if (!joined.ok) return joined;
  const { isNew: _, ...seen } = joined.value;
  return done({ ...seen, listening });
};
