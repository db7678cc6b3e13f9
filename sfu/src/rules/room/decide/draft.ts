import type { LeaveReason, ModerationEntry, Role } from '@rostrum/shared/protocol/room.ts';
import { type Result, refuse } from '@rostrum/shared/result.ts';
import { mayAct, type RoomAction } from '@rostrum/shared/room/permissions.ts';
import type { Actor, RoomContext } from '../commands.ts';
import type { RoomEvent } from '../events.ts';
import { evolve } from '../evolve.ts';
import { type RoomState, returningHost, roleOf, type Seat, seatOf, speakerCount, standingOf } from '../state.ts';

/** What a rule decides: the events that happen, or a refusal that changes nothing. */
export type Decision = Result<readonly RoomEvent[]>;

type Unstamped<Event> = Event extends RoomEvent ? Omit<Event, 'at'> : never;

/**
 * A decision in the making: events are added one by one, and the state that they have led to so far is in `state`, so
 * that a later part of a rule (such as who succeeds a host who was just removed) sees the earlier part.
 */
export class Draft {
  readonly context: RoomContext;
  readonly events: RoomEvent[] = [];
  state: RoomState;

  constructor(state: RoomState, context: RoomContext) {
    this.state = state;
    this.context = context;
  }

  add(event: Unstamped<RoomEvent>): void {
    const stamped: RoomEvent = { ...event, at: this.context.now };
    this.events.push(stamped);
    this.state = evolve(this.state, stamped);
  }

  /** Writes a line of the moderation log (MO-4). */
  log(
    act: ModerationEntry['act'],
    by: { userId: string; displayName: string },
    about: { userId: string; displayName: string } | null,
    reason: string | null = null,
  ): void {
    this.add({
      type: 'moderated',
      entry: {
        entryId: this.context.entryId,
        at: this.context.now,
        act,
        byId: by.userId,
        byName: by.displayName,
        userId: about?.userId ?? null,
        displayName: about?.displayName || null,
        reason,
      },
    });
  }

  done(): Decision {
    return { ok: true, value: this.events };
  }
}

/** The seat of whoever acts: over the socket it must be held by the session that speaks. */
export const actingSeat = (state: RoomState, by: Actor): Seat | undefined => {
  const seat = seatOf(state, by.userId);
  return seat && (by.sessionId === undefined || by.sessionId === seat.sessionId) ? seat : undefined;
};

/**
 * Checks that `by` sits in the room and that their role may do this, upon `userId` where it is done upon somebody.
 * Somebody outside counts by their appointment, else as a listener (MO-5).
 */
export const allowed = (
  draft: Draft,
  by: Actor,
  action: RoomAction,
  userId?: string,
): { ok: true; seat: Seat } | ReturnType<typeof refuse> => {
  const seat = actingSeat(draft.state, by);
  if (!seat) return refuse('not_in_room');
  const target = userId === undefined ? undefined : roleOfSubject(draft, userId);
  if (userId === by.userId && userId !== undefined) return refuse('forbidden');
  return mayAct(action, seat.role, target) ? { ok: true, seat } : refuse('forbidden');
};

/** The role that decides what may be done to somebody: a former host who will get the room back counts as its host (MO-3). */
export const roleOfSubject = ({ state, context }: Draft, userId: string): Role =>
  returningHost(state.control, context.now)?.userId === userId ? 'host' : (roleOf(state, userId) ?? 'listener');

/** Takes somebody's hand and open invitation away, as every change of place in the room does (HD-3). */
const clearRequests = (draft: Draft, userId: string, outcome: 'accepted' | 'withdrawn' = 'withdrawn'): void => {
  if (draft.state.control.hands.some((hand) => hand.userId === userId)) draft.add({ type: 'hand-lowered', userId });
  if (draft.state.control.invitations.some((open) => open.userId === userId)) {
    draft.add({ type: 'invitation-closed', userId, outcome });
  }
};

/** Takes somebody out of the room, and passes the room on where that was its host and others are there (RM-7). */
export const removeSeat = (draft: Draft, userId: string, reason: LeaveReason): void => {
  const seat = seatOf(draft.state, userId);
  if (!seat) return;
  clearRequests(draft, userId);
  draft.add({ type: 'left', userId, role: seat.role, reason });
  const { control, audienceSize } = draft.state;
  if (seat.role === 'host' && (reason === 'lost' || control.stage.length + audienceSize > 0)) succeedHost(draft);
};

/**
 * Passes the room to the longest-standing moderator, else to the longest-standing speaker; with neither, it ends (RM-7).
 * People whose connection is lost at the moment come after those who are there.
 */
export const succeedHost = (draft: Draft): void => {
  const { control, audienceSize } = draft.state;
  const order = (seat: Seat): number => {
    const appointed = control.moderators.indexOf(seat.userId);
    const rank =
      seat.role === 'moderator' && appointed >= 0 ? appointed : control.moderators.length + control.stage.indexOf(seat);
    return rank + (seat.awaySince === null ? 0 : control.moderators.length + control.stage.length);
  };
  const successor = control.stage
    .filter((seat) => seat.userId !== control.hostId)
    .reduce<Seat | undefined>(
      (best, seat) => (best === undefined || order(seat) < order(best) ? seat : best),
      undefined,
    );
  if (!successor) {
    draft.add({ type: 'ended', reason: control.stage.length + audienceSize > 0 ? 'host-left' : 'empty' });
    return;
  }
  const { now, limits } = draft.context;
  const formerHost = returningHost(control, now) ?? { userId: control.hostId, until: now + limits.formerHostReturnMs };
  draft.add({ type: 'host-changed', to: successor.userId, formerHost });
  changeRole(draft, successor, 'host', null);
};

/** Changes the role of somebody inside, and takes away what does not outlast it. */
export const changeRole = (draft: Draft, seat: Seat, to: Role, byName: string | null): void => {
  if (seat.role === to) return;
  clearRequests(draft, seat.userId, 'accepted');
  draft.add({ type: 'role-changed', userId: seat.userId, from: seat.role, to, byName });
  if (seat.role === 'listener' && standingOf(draft.state, seat.userId).returnedToAudience) {
    draft.add({ type: 'returned-to-audience', userId: seat.userId, holds: false });
  }
};

/** Puts a listener on the stage as a speaker; `stage_full` where there is no place. */
export const bringToStage = (
  draft: Draft,
  seat: Seat,
  byName: string | null,
): ReturnType<typeof refuse> | undefined => {
  if (seat.role !== 'listener') return refuse('already');
  const { control } = draft.state;
  if (speakerCount(control) >= control.settings.maxSpeakers) return refuse('stage_full');
  changeRole(draft, seat, 'speaker', byName);
  return undefined;
};

/** The role of somebody who ceases to be host and stays: what they were before, where there is a place for it. */
export const standDown = (draft: Draft, seat: Seat): void => {
  const { control } = draft.state;
  const appointed = control.moderators.includes(seat.userId);
  const speaker = !appointed && speakerCount(control) < control.settings.maxSpeakers;
  // With the speakers' places taken they stay on as a moderator, for whom there is always a place.
  if (!(appointed || speaker)) draft.add({ type: 'moderator-appointed', userId: seat.userId });
  changeRole(draft, seat, speaker ? 'speaker' : 'moderator', null);
};
