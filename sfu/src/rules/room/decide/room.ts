import type { RoomChanges, RoomSettings } from '@rostrum/shared/protocol/room.ts';
import { refuse } from '@rostrum/shared/result.ts';
import { mayAct } from '@rostrum/shared/room/permissions.ts';
import type { Actor, RoomCommand, RoomContext } from '../commands.ts';
import { deadlinesOf, deadlineUser } from '../deadlines.ts';
import { type RoomState, returningHost, roleOf, seatOf } from '../state.ts';
import { allowed, changeRole, type Decision, Draft, removeSeat, succeedHost } from './draft.ts';

type Command<Type extends RoomCommand['type']> = Extract<RoomCommand, { type: Type }>;

/** What the table says of somebody inside or outside: a room is changed and ended from its page and over HTTP alike. */
const refusalOf = (state: RoomState, by: Actor, action: 'update' | 'end'): ReturnType<typeof refuse> | undefined => {
  const role = roleOf(state, by.userId);
  if (role !== undefined && mayAct(action, role)) return undefined;
  return refuse(seatOf(state, by.userId) ? 'forbidden' : 'not_in_room');
};

/** RM-8: what the host changes is seen at once, and throws nobody out. */
export const update = (state: RoomState, command: Command<'update'>, context: RoomContext): Decision => {
  const draft = new Draft(state, context);
  const refusal = refusalOf(state, command.by, 'update');
  if (refusal) return refusal;
  const { maxParticipants = 0, maxSpeakers = 0 } = command.changes;
  if (maxParticipants > context.limits.roomMaxParticipants)
    return refuse('invalid', { path: 'changes.maxParticipants' });
  if (maxSpeakers > context.limits.roomMaxSpeakers) return refuse('invalid', { path: 'changes.maxSpeakers' });
  draft.add({ type: 'updated', settings: changed(state.control.settings, command.changes) });
  return draft.done();
};

const changed = (settings: RoomSettings, changes: RoomChanges): RoomSettings => {
  const { permissions, privacy, ...fields } = changes;
  return {
    ...settings,
    ...defined(fields),
    permissions: { ...settings.permissions, ...defined(permissions ?? {}) },
    privacy: { ...settings.privacy, ...defined(privacy ?? {}) },
  };
};

/** The fields that are set. A field that is there but undefined means no change. */
const defined = <Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]?: Exclude<Fields[Name], undefined>;
  };

/** RM-7: the host hands the room over to somebody on the stage, and stays as a moderator. */
export const handOver = (state: RoomState, command: Command<'hand-over'>, context: RoomContext): Decision => {
  const draft = new Draft(state, context);
  const permission = allowed(draft, command.by, 'hand-over', command.userId);
  const target = seatOf(state, command.userId);
  if (!permission.ok) return permission;
  if (!target) return refuse('not_on_stage');
  if (target.awaySince !== null) return refuse('conflict');
  const appointed = state.control.moderators.includes(permission.seat.userId);
  if (!appointed && state.control.moderators.length >= context.limits.moderatorsPerRoom) return refuse('stage_full');
  // Whoever hands over gives the room away. The host whom they only stand in for still gets it back on return.
  draft.add({ type: 'host-changed', to: target.userId, formerHost: returningHost(state.control, context.now) });
  // Who was a moderator before keeps that place among them.
  if (!appointed) draft.add({ type: 'moderator-appointed', userId: permission.seat.userId });
  changeRole(draft, permission.seat, 'moderator', null);
  changeRole(draft, target, 'host', permission.seat.displayName);
  draft.log('hand-over', permission.seat, target);
  return draft.done();
};

/** RM-3: the host ends the room, from inside or outside; so does an operator. */
export const end = (state: RoomState, command: Command<'end'>, context: RoomContext): Decision => {
  const draft = new Draft(state, context);
  const { by } = command;
  if (by.operator) {
    draft.add({ type: 'ended', reason: 'operator' });
    return draft.done();
  }
  const refusal = refusalOf(state, by, 'end');
  if (refusal) return refusal;
  draft.add({ type: 'ended', reason: 'host-ended' });
  return draft.done();
};

/** The server stops: everybody is told, instead of waiting for a room that is gone. */
export const stop = (state: RoomState, context: RoomContext): Decision => {
  const draft = new Draft(state, context);
  draft.add({ type: 'ended', reason: 'server-stopped' });
  return draft.done();
};

/**
 * A deadline is due. Whoever saw it sends this, so it may come twice, or after its cause is gone: what is not due by the
 * state itself changes nothing.
 */
export const elapse = (state: RoomState, command: Command<'elapse'>, context: RoomContext): Decision => {
  const draft = new Draft(state, context);
  const { deadline } = command;
  const due = deadlinesOf(state, context.limits).get(deadline);
  if (due === undefined || due > context.now) return draft.done();
  const userId = deadlineUser(deadline);
  if (userId !== undefined) {
    if (deadline.startsWith('seat:')) removeSeat(draft, userId, 'lost');
    else draft.add({ type: 'invitation-closed', userId, outcome: 'expired' });
    return draft.done();
  }
  if (deadline === 'end-warning') draft.add({ type: 'end-announced', endsAt: state.control.endsAt });
  if (deadline === 'end') draft.add({ type: 'ended', reason: 'max-duration' });
  if (deadline === 'empty') draft.add({ type: 'ended', reason: 'empty' });
  if (deadline === 'host-absence') loseHost(draft);
  return draft.done();
};

/** RM-7: a host who is lost for 60 s leaves the room to others; one who never came does so too. */
const loseHost = (draft: Draft): void => {
  const { hostId } = draft.state.control;
  if (seatOf(draft.state, hostId)) removeSeat(draft, hostId, 'lost');
  else succeedHost(draft);
};
