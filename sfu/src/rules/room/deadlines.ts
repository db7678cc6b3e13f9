import type { Limits } from '@rostrum/shared/limits.ts';
import type { RoomState, Seat } from './state.ts';

/** What can become due in a room: by itself, or about one person. */
export type DeadlineKey = 'empty' | 'host-absence' | 'end-warning' | 'end' | `seat:${string}` | `invitation:${string}`;

/**
 * The deadlines that a state has, as times by key. They are a projection of the state and nothing else: a commit
 * compares those of before and after, so a deadline can neither be forgotten nor outlive its cause. Of the audience only
 * the entries that the command touched are seen, before and after alike.
 */
export const deadlinesOf = (state: RoomState, limits: Limits): Map<DeadlineKey, number> => {
  const { control } = state;
  const deadlines = new Map<DeadlineKey, number>();
  if (control.status === 'ended') return deadlines;
  deadlines.set('end', control.endsAt);
  if (!control.endAnnounced) deadlines.set('end-warning', control.endsAt - limits.roomEndWarningMs);
  if (control.emptySince !== null) deadlines.set('empty', control.emptySince + limits.roomEmptyMs);
  // With nobody inside there is nobody to pass the room to: the empty room ends when its own time is over (RM-3).
  if (control.hostAbsentSince !== null && control.emptySince === null) {
    deadlines.set('host-absence', control.hostAbsentSince + limits.hostAbsenceMs);
  }
  for (const seat of [...control.stage, ...state.audience.values()]) {
    const at = seatDeadline(seat, limits);
    if (at !== null) deadlines.set(`seat:${seat.userId}`, at);
  }
  for (const { userId, until } of control.invitations) deadlines.set(`invitation:${userId}`, until);
  return deadlines;
};

/** When a seat whose connection is lost is given up (RE-2). The host's waits for `host-absence` (RM-7). */
const seatDeadline = (seat: Seat, limits: Limits): number | null =>
  seat.awaySince === null || seat.role === 'host' ? null : seat.awaySince + limits.seatGraceMs;

/** Whose seat or invitation a deadline is about. */
export const deadlineUser = (key: DeadlineKey): string | undefined => {
  const colon = key.indexOf(':');
  return colon < 0 ? undefined : key.slice(colon + 1);
};
