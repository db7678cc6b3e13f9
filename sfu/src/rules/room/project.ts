import type { EventPayload } from '@rostrum/shared/protocol/index.ts';
import type {
  MicrophoneState,
  Participant,
  RoomInfo,
  RoomView,
  RoomViewEventName,
  ViewName,
} from '@rostrum/shared/protocol/room.ts';
import { isStaff, onStage, seesAudience } from '@rostrum/shared/room/permissions.ts';
import type { RoomEvent, RoomEventOf } from './events.ts';
import { evolve } from './evolve.ts';
import { isLocked, type RoomControl, type RoomState, type Seat, seatOf, standingOf } from './state.ts';

/** A view event before the commit gave it its place: who sees it (`userId` for the view `self`), and what it says. */
export type Projected = {
  readonly name: RoomViewEventName;
  readonly view: ViewName;
  readonly userId: string | null;
  readonly data: Readonly<Record<string, unknown>>;
};

type Plain<Name extends RoomViewEventName> = Omit<EventPayload<Name>, 'roomId' | 'view' | 'sequence'>;

const toView = <Name extends RoomViewEventName>(
  view: Exclude<ViewName, 'self'>,
  name: Name,
  data: Plain<Name>,
): Projected => ({ name, view, userId: null, data });

const toSelf = <Name extends RoomViewEventName>(userId: string, name: Name, data: Plain<Name>): Projected => ({
  name,
  view: 'self',
  userId,
  data,
});

/** What people see of events that led on from `before`: view events in order, each for one of the views. Pure. */
export const project = (before: RoomState, events: readonly RoomEvent[]): Projected[] => {
  const projected: Projected[] = [];
  let state = before;
  for (const event of events) {
    const after = evolve(state, event);
    projected.push(...projectOne(state, event, after));
    state = after;
  }
  return projected;
};

const projectOne = (before: RoomState, event: RoomEvent, after: RoomState): Projected[] => {
  switch (event.type) {
    case 'joined':
      return inAudienceOrStage(after, event.seat, 'room:participant-joined', {
        participant: participantOf(event.seat),
      });
    case 'left': {
      const seat = seatOf(before, event.userId);
      const data = { userId: event.userId, role: event.role, reason: event.reason };
      return seat ? inAudienceOrStage(before, seat, 'room:participant-left', data) : [];
    }
    case 'seat-relocated':
      // Where somebody is connected is nobody's business; that they are back is.
      return seatOf(before, event.userId)?.awaySince === null ? [] : stageChange(after, event.userId);
    case 'seat-moved':
    case 'seat-resumed':
    case 'seat-lost':
    case 'microphone-opened':
    case 'microphone-closed':
      return stageChange(after, event.userId);
    case 'mute-changed':
      return [...stageChange(after, event.userId), ...ownMuteChange(before, event, after)];
    case 'role-changed':
      return roleChange(event, after);
    case 'hand-raised':
    case 'hand-lowered':
    case 'hand-moved-to-front':
      return handChange(event, after);
    case 'hand-right-changed':
      return [toSelf(event.userId, 'room:hand-right-changed', { allowed: event.allowed })];
    case 'invited': {
      const { invitation } = event;
      return [
        toView('staff', 'room:invited-to-speak', { invitation }),
        toSelf(invitation.userId, 'room:invited-to-speak', { invitation }),
      ];
    }
    case 'invitation-closed': {
      const data = { userId: event.userId, outcome: event.outcome };
      return [toView('staff', 'room:invitation-closed', data), toSelf(event.userId, 'room:invitation-closed', data)];
    }
    case 'host-changed':
    case 'updated':
    case 'audience-listing-changed':
      return [toView('room', 'room:updated', { info: infoOf(after.control) })];
    case 'end-announced':
      return [toView('room', 'room:ending-soon', { endsAt: event.endsAt })];
    case 'moderated':
      return [toView('staff', 'room:moderated', { entry: event.entry })];
    case 'opened':
    case 'excluded':
    case 'readmitted':
    case 'returned-to-audience':
    case 'moderator-appointed':
    case 'moderator-dismissed':
    case 'ended':
      // Nobody's view holds these. The end, and the farewell to whoever was removed, are told outside the views.
      return [];
    default:
      return event satisfies never;
  }
};

/** The stage is for everybody; the audience only while it is listed, and to the stage alone where it is hidden (RM-6, RM-10). */
const inAudienceOrStage = <Name extends 'room:participant-joined' | 'room:participant-left'>(
  state: RoomState,
  seat: Seat,
  name: Name,
  data: Plain<Name>,
): Projected[] => {
  if (onStage(seat.role)) return [toView('room', name, data)];
  if (!state.control.audienceListed) return [];
  return [toView(state.control.settings.privacy.hideParticipants ? 'stage' : 'room', name, data)];
};

const stageChange = (state: RoomState, userId: string): Projected[] => {
  const seat = seatOf(state, userId);
  return seat && onStage(seat.role)
    ? [toView('room', 'room:participant-changed', { participant: participantOf(seat) })]
    : [];
};

/** The person learns who muted them and why; everybody else only that they are muted (MO-1). */
const ownMuteChange = (before: RoomState, event: RoomEventOf<'mute-changed'>, after: RoomState): Projected[] => {
  const seat = seatOf(after, event.userId);
  const moderated = event.mute?.by === 'moderator' || seatOf(before, event.userId)?.mute?.by === 'moderator';
  return seat && moderated ? [toSelf(event.userId, 'room:muted', { muted: ownMute(seat) })] : [];
};

const ownMute = (seat: Seat): RoomView['self']['muted'] =>
  seat.mute?.by === 'moderator' ? { byName: seat.mute.byName, reason: seat.mute.reason, locked: isLocked(seat) } : null;

const roleChange = (event: RoomEventOf<'role-changed'>, after: RoomState): Projected[] => {
  const seat = seatOf(after, event.userId);
  if (!seat) return [];
  const change = toView('room', 'room:role-changed', { participant: participantOf(seat), previousRole: event.from });
  return onStage(event.to)
    ? [change, toSelf(event.userId, 'room:promoted', { role: event.to, byName: event.byName })]
    : [change];
};

const handChange = (
  event: RoomEventOf<'hand-raised' | 'hand-lowered' | 'hand-moved-to-front'>,
  after: RoomState,
): Projected[] => {
  const { hands } = after.control;
  if (event.type === 'hand-moved-to-front') {
    return [toView('staff', 'room:hands-reordered', { userIds: hands.map((hand) => hand.userId) })];
  }
  if (event.type === 'hand-lowered') {
    const data = { userId: event.userId };
    return [toView('staff', 'room:hand-lowered', data), toSelf(event.userId, 'room:hand-lowered', data)];
  }
  const data = { hand: event.hand, position: hands.length };
  return [toView('staff', 'room:hand-raised', data), toSelf(event.hand.userId, 'room:hand-raised', data)];
};

/** People whose place in the queue of hands is another now, with that place (HD-1). */
export const movedHands = (before: RoomControl, after: RoomControl): { userId: string; position: number }[] => {
  if (before.hands === after.hands) return [];
  const earlier = new Map(before.hands.map((hand, index) => [hand.userId, index + 1]));
  return after.hands
    .map((hand, index) => ({ userId: hand.userId, position: index + 1 }))
    .filter(({ userId, position }) => earlier.has(userId) && earlier.get(userId) !== position);
};

const microphoneOf = (seat: Seat): MicrophoneState => {
  if (seat.mute?.by === 'moderator') return isLocked(seat) ? 'locked' : 'muted-by-moderator';
  if (seat.producerId === null) return 'off';
  return seat.mute === null ? 'open' : 'muted';
};

export const participantOf = (seat: Seat): Participant => ({
  userId: seat.userId,
  displayName: seat.displayName,
  role: seat.role,
  joinedAt: seat.joinedAt,
  microphone: microphoneOf(seat),
  away: onStage(seat.role) && seat.awaySince !== null,
});

export const infoOf = (control: RoomControl): RoomInfo => ({
  ...control.settings,
  roomId: control.roomId,
  status: control.status,
  hostId: control.hostId,
  audienceListed: control.audienceListed,
  createdAt: control.createdAt,
  scheduledFor: null,
  startedAt: control.startedAt,
  endedAt: control.endedAt,
});

/** Where each view of a room stands; `self` by user. */
export type Sequences = {
  readonly room: number;
  readonly stage: number;
  readonly staff: number;
  readonly self: ReadonlyMap<string, number>;
};

/** Everything that the person of `seat` sees. `listed` are the seats of the audience, as far as it is listed. */
export const viewOf = (state: RoomState, seat: Seat, listed: readonly Seat[], sequences: Sequences): RoomView => {
  const { control, audienceSize } = state;
  const place = control.hands.findIndex((hand) => hand.userId === seat.userId);
  const invitation = control.invitations.find((open) => open.userId === seat.userId);
  const shows = control.audienceListed && seesAudience(seat.role, control.settings);
  return {
    info: infoOf(control),
    stage: control.stage.map(participantOf),
    audience: { count: audienceSize, members: shows ? listed.map(participantOf) : null },
    staff: isStaff(seat.role) ? { hands: [...control.hands], invitations: [...control.invitations] } : null,
    self: {
      userId: seat.userId,
      role: seat.role,
      handPosition: place < 0 ? null : place + 1,
      mayRaiseHand: standingOf(state, seat.userId).handRightWithdrawn !== true,
      invitation: invitation ? { byName: invitation.byName, until: invitation.until } : null,
      muted: ownMute(seat),
    },
    endsAt: control.endAnnounced ? control.endsAt : null,
    // Views that are not this person's do not count for them: how much happens there is not theirs to know either.
    sequence: {
      room: sequences.room,
      stage: onStage(seat.role) ? sequences.stage : 0,
      staff: isStaff(seat.role) ? sequences.staff : 0,
      self: sequences.self.get(seat.userId) ?? 0,
    },
  };
};
