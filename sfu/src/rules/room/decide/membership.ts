import type { Role } from '@rostrum/shared/protocol/room.ts';
import { refuse } from '@rostrum/shared/result.ts';
import { onStage } from '@rostrum/shared/room/permissions.ts';
import type { RoomCommand, RoomContext } from '../commands.ts';
import {
  type Person,
  peopleCount,
  type RoomState,
  returningHost,
  roleOf,
  type Seat,
  seatOf,
  stageIsFull,
  standingKeys,
  standingOf,
  userKey,
} from '../state.ts';
import { actingSeat, type Decision, Draft, removeSeat, standDown } from './draft.ts';

type Command<Type extends RoomCommand['type']> = Extract<RoomCommand, { type: Type }>;

/** RM-1, RM-5 to RM-7, RO-4, MO-2, ID-5: takes a seat, or comes back to the one that is kept. */
export const join = (state: RoomState, command: Command<'join'>, context: RoomContext): Decision => {
  const draft = new Draft(state, context);
  const { person, sessionId, node } = command;
  const seat = seatOf(state, person.userId);
  if (seat) return comeBack(draft, seat, { sessionId, node });
  const admission = admit(state, command, context);
  if (!admission.ok) return admission;
  const { role } = admission;
  if (role === 'host' && state.control.hostId !== person.userId) takeRoomBack(draft, person.userId);
  draft.add({ type: 'joined', seat: newSeat(draft.state, person, { role, sessionId, node, now: context.now }) });
  return draft.done();
};

/**
 * Whether somebody without a seat may join, and as what. It decides for `join`, and answers the same question over HTTP
 * without taking a seat.
 */
export const admit = (
  state: RoomState,
  command: Pick<Command<'join'>, 'person' | 'bannedByHost'>,
  context: RoomContext,
): { ok: true; role: Role } | ReturnType<typeof refuse> => {
  const { control } = state;
  const { person } = command;
  const role = roleAtJoin(state, person.userId, context.now);
  if (role === 'host') return { ok: true, role };
  // Banned from another room of this host: that covers this one too, whatever they were appointed to here.
  if (role === 'moderator') return command.bannedByHost ? refuse('banned') : { ok: true, role };
  const operator = person.kind === 'admin';
  // A person who may not know that the room exists is not told so (SE-8). Invitations and friends come on top of this.
  if (control.settings.type !== 'public' && !operator) return refuse('not_found');
  if (excludedBy(state, person, context.now) === 'kick') return refuse('kicked');
  if (command.bannedByHost || excludedBy(state, person, context.now) === 'ban') return refuse('banned');
  if (control.settings.privacy.requireApproval && !operator) return refuse('approval_required');
  return peopleCount(state) < control.settings.maxParticipants ? { ok: true, role } : refuse('room_full');
};

const roleAtJoin = (state: RoomState, userId: string, now: number): Role => {
  const { control } = state;
  const standing = roleOf(state, userId);
  const returns = returningHost(control, now)?.userId === userId;
  if (returns || standing === 'host') return 'host';
  if (standing === 'moderator') return 'moderator';
  const speaks = control.settings.permissions.anyoneCanSpeak && !standingOf(state, userId).returnedToAudience;
  return speaks && !stageIsFull(control) ? 'speaker' : 'listener';
};

/** A kick or ban that covers the person: by id, or for guests by address or device while that holds. */
const excludedBy = (state: RoomState, person: Person, now: number): 'kick' | 'ban' | undefined => {
  for (const key of standingKeys(person)) {
    const excluded = state.standings.get(key)?.excluded;
    // Of the person themselves the id alone tells: traces of before may remain when that was lifted.
    if (excluded?.userId === person.userId && key !== userKey(person.userId)) continue;
    const holds = excluded && (excluded.until === null || excluded.until > now);
    if (holds) return excluded.banned ? 'ban' : 'kick';
  }
  return undefined;
};

const newSeat = (
  state: RoomState,
  person: Person,
  more: { role: Role; sessionId: string; node: string; now: number },
): Seat => ({
  userId: person.userId,
  displayName: person.displayName,
  kind: person.kind,
  role: more.role,
  joinedAt: more.now,
  sessionId: more.sessionId,
  node: more.node,
  awaySince: null,
  stageSince: onStage(more.role) ? more.now : null,
  producerId: null,
  producerNode: null,
  mute: onStage(more.role) ? (state.standings.get(userKey(person.userId))?.lockedMute ?? null) : null,
});

/** ID-5, RE-2: on another device, at another node, or where they were. */
const comeBack = (draft: Draft, seat: Seat, { sessionId, node }: Pick<Seat, 'sessionId' | 'node'>): Decision => {
  const { userId } = seat;
  if (seat.sessionId !== sessionId)
    draft.add({ type: 'seat-moved', userId, from: seat.sessionId, to: sessionId, node });
  else if (seat.node !== node) draft.add({ type: 'seat-relocated', userId, from: seat.node, to: node });
  else if (seat.awaySince !== null) draft.add({ type: 'seat-resumed', userId });
  return draft.done();
};

/** The former host returns within the hour (RM-7). */
const takeRoomBack = (draft: Draft, userId: string): void => {
  const acting = seatOf(draft.state, draft.state.control.hostId);
  draft.add({ type: 'host-changed', to: userId, formerHost: null });
  if (acting) standDown(draft, acting);
};

export const leave = (state: RoomState, command: Command<'leave'>, context: RoomContext): Decision => {
  const draft = new Draft(state, context);
  const seat = actingSeat(state, command.by);
  if (!seat) return refuse('not_in_room');
  removeSeat(draft, seat.userId, 'left');
  return draft.done();
};

/**
 * RE-2: the seat is kept. A session that no longer holds the seat changes nothing, and neither does a node which that session
 * has left: it may tell of the loss long after the session is back at another one.
 */
export const loseConnection = (
  state: RoomState,
  command: Command<'lose-connection'>,
  context: RoomContext,
): Decision => {
  const draft = new Draft(state, context);
  const { userId, sessionId, node } = command;
  const seat = seatOf(state, userId);
  if (seat && seat.sessionId === sessionId && seat.node === node && seat.awaySince === null) {
    draft.add({ type: 'seat-lost', userId: seat.userId });
  }
  return draft.done();
};

/** RM-10: settles whether the audience is listed, after anything that may have changed how many listen. */
export const settleListing = (draft: Draft): void => {
  const { control, audienceSize } = draft.state;
  const { audienceListedMax, audienceListedAgain } = draft.context.limits;
  if (control.audienceListed && audienceSize > audienceListedMax)
    draft.add({ type: 'audience-listing-changed', listed: false });
  if (!control.audienceListed && audienceSize < Math.min(audienceListedAgain, audienceListedMax))
    draft.add({ type: 'audience-listing-changed', listed: true });
};

/** Whether this person may know that the room exists (SE-8): who has a seat or an appointment, or was its host, does. */
export const mayKnow = (state: RoomState, person: Pick<Person, 'userId' | 'kind'>): boolean =>
  state.control.settings.type === 'public' ||
  person.kind === 'admin' ||
  state.control.formerHost?.userId === person.userId ||
  roleOf(state, person.userId) !== undefined;
