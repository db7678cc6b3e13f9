import { onStage } from '@rostrum/shared/room/permissions.ts';
import type { RoomEvent, RoomEventOf } from './events.ts';
import {
  type Person,
  type RoomControl,
  type RoomState,
  type Seat,
  type Standing,
  standingKeys,
  userKey,
} from './state.ts';

/** The state of a room that has just been opened. */
export const openedRoom = (event: RoomEventOf<'opened'>): RoomState => ({
  control: {
    roomId: event.roomId,
    settings: event.settings,
    status: 'active',
    createdAt: event.at,
    startedAt: event.at,
    endedAt: null,
    endReason: null,
    endsAt: event.endsAt,
    endAnnounced: false,
    hostId: event.hostId,
    formerHost: null,
    hostAbsentSince: event.at,
    emptySince: event.at,
    moderators: [],
    stage: [],
    hands: [],
    invitations: [],
    audienceListed: true,
  },
  audience: new Map(),
  audienceSize: 0,
  standings: new Map(),
});

/** Folds one event into the state. Pure and total: it takes every event that `decide` makes, and decides nothing. */
export const evolve = (state: RoomState, event: RoomEvent): RoomState => withAbsences(apply(state, event), event.at);

const apply = (state: RoomState, event: RoomEvent): RoomState => {
  switch (event.type) {
    case 'opened':
      return openedRoom(event);
    case 'joined':
      return withSeat(state, event.seat);
    case 'seat-moved':
      return withSeatChange(state, event.userId, {
        sessionId: event.to,
        node: event.node,
        awaySince: null,
        ...noMicrophone,
      });
    case 'seat-relocated':
      return withSeatChange(state, event.userId, { node: event.to, awaySince: null });
    case 'seat-resumed':
      return withSeatChange(state, event.userId, { awaySince: null });
    case 'seat-lost':
      return withSeatChange(state, event.userId, { awaySince: event.at });
    case 'left':
      return withoutSeat(state, event.userId);
    case 'role-changed':
      return withRole(state, event);
    case 'hand-raised':
    case 'hand-lowered':
    case 'hand-moved-to-front':
      return withControl(state, { hands: hands(state.control.hands, event) });
    case 'mute-changed':
      return withMute(state, event);
    case 'microphone-opened':
      return withSeatChange(state, event.userId, { producerId: event.producerId, producerNode: event.node });
    case 'microphone-closed':
      return withSeatChange(state, event.userId, noMicrophone);
    case 'hand-right-changed':
    case 'returned-to-audience':
    case 'excluded':
    case 'readmitted':
      return withStandings(state, event);
    case 'moderated':
      return state;
    default:
      return withControl(state, controlChange(state.control, event));
  }
};

const noMicrophone = { producerId: null, producerNode: null } as const;

/** Events that change nothing but fields of the control record. */
type ControlEvent = RoomEventOf<
  | 'moderator-appointed'
  | 'moderator-dismissed'
  | 'host-changed'
  | 'invited'
  | 'invitation-closed'
  | 'updated'
  | 'audience-listing-changed'
  | 'end-announced'
  | 'ended'
>;

const controlChange = (control: RoomControl, event: ControlEvent): Partial<RoomControl> => {
  switch (event.type) {
    case 'moderator-appointed':
      return { moderators: [...without(control.moderators, event.userId), event.userId] };
    case 'moderator-dismissed':
      return { moderators: without(control.moderators, event.userId) };
    case 'host-changed':
      return { hostId: event.to, formerHost: event.formerHost };
    case 'invited':
      return { invitations: [...withoutUser(control.invitations, event.invitation.userId), event.invitation] };
    case 'invitation-closed':
      return { invitations: withoutUser(control.invitations, event.userId) };
    case 'updated':
      return { settings: event.settings };
    case 'audience-listing-changed':
      return { audienceListed: event.listed };
    case 'end-announced':
      return { endAnnounced: true, endsAt: event.endsAt };
    case 'ended':
      return { status: 'ended', endedAt: event.at, endReason: event.reason, hands: [], invitations: [] };
    default:
      return event satisfies never;
  }
};

const withControl = (state: RoomState, change: Partial<RoomControl>): RoomState => ({
  ...state,
  control: { ...state.control, ...change },
});

const without = (userIds: readonly string[], userId: string): string[] => userIds.filter((other) => other !== userId);

const withoutUser = <Entry extends { readonly userId: string }>(entries: readonly Entry[], userId: string): Entry[] =>
  entries.filter((entry) => entry.userId !== userId);

const hands = (
  queue: RoomControl['hands'],
  event: RoomEventOf<'hand-raised' | 'hand-lowered' | 'hand-moved-to-front'>,
): RoomControl['hands'] => {
  if (event.type === 'hand-raised') return [...withoutUser(queue, event.hand.userId), event.hand];
  const others = withoutUser(queue, event.userId);
  if (event.type === 'hand-lowered') return others;
  return [...queue.filter((hand) => hand.userId === event.userId), ...others];
};

const withSeat = (state: RoomState, seat: Seat): RoomState => {
  if (onStage(seat.role)) return withControl(state, { stage: [...state.control.stage, seat] });
  return { ...state, audience: new Map(state.audience).set(seat.userId, seat), audienceSize: state.audienceSize + 1 };
};

const withoutSeat = (state: RoomState, userId: string): RoomState => {
  if (!state.audience.has(userId)) return withControl(state, { stage: withoutUser(state.control.stage, userId) });
  const audience = new Map(state.audience);
  audience.delete(userId);
  return { ...state, audience, audienceSize: state.audienceSize - 1 };
};

const withSeatChange = (state: RoomState, userId: string, change: Partial<Seat>): RoomState => {
  const listener = state.audience.get(userId);
  if (listener) return { ...state, audience: new Map(state.audience).set(userId, { ...listener, ...change }) };
  const stage = state.control.stage.map((seat) => (seat.userId === userId ? { ...seat, ...change } : seat));
  return withControl(state, { stage });
};

/** A change within the stage keeps the place on it; a change between stage and audience moves the seat. */
const withRole = (state: RoomState, event: RoomEventOf<'role-changed'>): RoomState => {
  if (onStage(event.from) && onStage(event.to)) return withSeatChange(state, event.userId, { role: event.to });
  const seat = state.audience.get(event.userId) ?? state.control.stage.find((other) => other.userId === event.userId);
  if (!seat) return state;
  const promoted = onStage(event.to);
  return withSeat(withoutSeat(state, event.userId), {
    ...seat,
    role: event.to,
    stageSince: promoted ? event.at : null,
    ...noMicrophone,
    mute: promoted ? (state.standings.get(userKey(event.userId))?.lockedMute ?? null) : null,
  });
};

const withMute = (state: RoomState, event: RoomEventOf<'mute-changed'>): RoomState => {
  const { userId, mute } = event;
  const lock = mute?.by === 'moderator' && mute.locked ? { lockedMute: mute } : {};
  return withStanding(withSeatChange(state, userId, { mute }), userKey(userId), ({ lockedMute: _, ...rest }) => ({
    ...rest,
    ...lock,
  }));
};

const withStandings = (
  state: RoomState,
  event: RoomEventOf<'hand-right-changed' | 'returned-to-audience' | 'excluded' | 'readmitted'>,
): RoomState => {
  switch (event.type) {
    case 'hand-right-changed':
      return withStanding(state, userKey(event.userId), ({ handRightWithdrawn: _, ...rest }) =>
        event.allowed ? rest : { ...rest, handRightWithdrawn: true },
      );
    case 'returned-to-audience':
      return withStanding(state, userKey(event.userId), ({ returnedToAudience: _, ...rest }) =>
        event.holds ? { ...rest, returnedToAudience: true } : rest,
      );
    case 'excluded':
      return excludedKeys(event.subject, event.tracesUntil).reduce(
        (next, { key, until }) =>
          withStanding(next, key, (standing) => ({
            ...standing,
            excluded: { userId: event.subject.userId, banned: event.banned, until },
          })),
        state,
      );
    case 'readmitted':
      return excludedKeys(event.subject, null).reduce(
        (next, { key }) =>
          withStanding(next, key, ({ excluded, ...rest }) =>
            excluded && excluded.userId !== event.subject.userId ? { ...rest, excluded } : rest,
          ),
        state,
      );
    default:
      return event satisfies never;
  }
};

/** The id for as long as the room lasts; the traces, which only a guest has, until then. */
const excludedKeys = (subject: Person, tracesUntil: number | null): { key: string; until: number | null }[] =>
  standingKeys(subject).map((key) => ({ key, until: key === userKey(subject.userId) ? null : tracesUntil }));

/** Changes one standing; one that says nothing any more is dropped. */
const withStanding = (state: RoomState, key: string, change: (standing: Standing) => Standing): RoomState => {
  const standings = new Map(state.standings);
  const next = change(standings.get(key) ?? {});
  if (Object.keys(next).length === 0) standings.delete(key);
  else standings.set(key, next);
  return { ...state, standings };
};

/** Keeps since when the room is empty and since when its host is absent (RM-3, RM-7). */
const withAbsences = (state: RoomState, at: number): RoomState => {
  const { control } = state;
  const empty = control.stage.length === 0 && state.audienceSize === 0;
  const emptySince = empty ? (control.emptySince ?? at) : null;
  const host = control.stage.find((seat) => seat.userId === control.hostId);
  const hostAbsentSince = host ? host.awaySince : (control.hostAbsentSince ?? at);
  if (emptySince === control.emptySince && hostAbsentSince === control.hostAbsentSince) return state;
  return withControl(state, { emptySince, hostAbsentSince });
};
