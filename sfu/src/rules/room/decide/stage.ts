import { refuse } from '@rostrum/shared/result.ts';
import { mayAct, onStage } from '@rostrum/shared/room/permissions.ts';
import type { Actor, RoomCommand, RoomContext } from '../commands.ts';
import { isLocked, type RoomState, type Seat, seatOf, stageIsFull } from '../state.ts';
import { actingSeat, allowed, bringToStage, changeRole, type Decision, Draft } from './draft.ts';

type Command<Type extends RoomCommand['type']> = Extract<RoomCommand, { type: Type }>;

/**
 * RO-1, HD-2: makes somebody a speaker or moderator. To become a speaker they must have asked, by a raised hand;
 * otherwise they are invited, and answer for themselves.
 */
export const promote = (state: RoomState, command: Command<'promote'>, context: RoomContext): Decision => {
  const draft = new Draft(state, context);
  if (command.role === 'moderator') return appoint(draft, command);
  const target = seatOf(state, command.userId);
  const asked = state.control.hands.some((hand) => hand.userId === command.userId);
  if (target && onStage(target.role) && command.userId !== command.by.userId) {
    const permission = allowed(draft, command.by, 'manage-hands');
    return permission.ok ? refuse('already') : permission;
  }
  if (!asked) return invite(draft, command);
  const permission = allowed(draft, command.by, 'manage-hands');
  if (!permission.ok) return permission;
  if (!target) return refuse('not_in_room');
  const refusal = bringToStage(draft, target, permission.seat.displayName);
  if (refusal) return refusal;
  draft.log('promote', permission.seat, target);
  return draft.done();
};

const appoint = (draft: Draft, command: Command<'promote'>): Decision => {
  const permission = allowed(draft, command.by, 'appoint-moderator', command.userId);
  const target = seatOf(draft.state, command.userId);
  // Whoever may dismiss them is told that they are a moderator already, anybody else that it is not theirs to do.
  if (!permission.ok)
    return allowed(draft, command.by, 'dismiss-moderator', command.userId).ok ? refuse('already') : permission;
  if (!target) return refuse('not_found', { path: 'userId' });
  if (draft.state.control.moderators.length >= draft.context.limits.moderatorsPerRoom) return refuse('stage_full');
  draft.add({ type: 'moderator-appointed', userId: target.userId });
  changeRole(draft, target, 'moderator', permission.seat.displayName);
  draft.log('promote', permission.seat, target);
  return draft.done();
};

export const inviteToSpeak = (state: RoomState, command: Command<'invite-to-speak'>, context: RoomContext): Decision =>
  invite(new Draft(state, context), command);

/** HD-2: asks somebody onto the stage, who has 30 s to answer. */
const invite = (draft: Draft, command: { by: Actor; userId: string }): Decision => {
  const permission = allowed(draft, command.by, 'invite-to-speak', command.userId);
  const target = seatOf(draft.state, command.userId);
  if (!permission.ok) return permission;
  if (!target) return refuse('not_found', { path: 'userId' });
  const { control } = draft.state;
  const { limits, now } = draft.context;
  if (control.invitations.some((open) => open.userId === target.userId)) return refuse('already');
  if (stageIsFull(control)) return refuse('stage_full');
  if (control.invitations.length >= limits.invitationsPerRoom) return refuse('conflict');
  draft.add({
    type: 'invited',
    invitation: {
      userId: target.userId,
      displayName: target.displayName,
      byName: permission.seat.displayName,
      until: now + limits.invitationMs,
    },
  });
  return draft.done();
};

export const answerInvitation = (
  state: RoomState,
  command: Command<'answer-invitation'>,
  context: RoomContext,
): Decision => {
  const draft = new Draft(state, context);
  const permission = allowed(draft, command.by, 'answer-invitation');
  if (!permission.ok) return permission;
  const { seat } = permission;
  const invitation = state.control.invitations.find((open) => open.userId === seat.userId && open.until > context.now);
  if (!invitation) return refuse('conflict');
  if (!command.accept) {
    draft.add({ type: 'invitation-closed', userId: seat.userId, outcome: 'declined' });
    return draft.done();
  }
  return bringToStage(draft, seat, invitation.byName) ?? draft.done();
};

/** RO-1, RO-5: returns somebody to the audience or a moderator to the speakers; with one's own id, steps down. */
export const demote = (state: RoomState, command: Command<'demote'>, context: RoomContext): Decision => {
  const draft = new Draft(state, context);
  const own = command.userId === command.by.userId;
  const permission = own
    ? allowed(draft, command.by, 'step-down')
    : allowed(draft, command.by, 'demote', command.userId);
  const target = seatOf(state, command.userId);
  if (!permission.ok) return permission;
  if (!target) return dismissAbsent(draft, command, permission.seat);
  if (target.role === command.role || (command.role === 'speaker' && target.role !== 'moderator'))
    return refuse('already');
  if (command.role === 'speaker' && stageIsFull(state.control)) return refuse('stage_full');
  if (target.role === 'moderator') draft.add({ type: 'moderator-dismissed', userId: target.userId });
  changeRole(draft, target, command.role, own ? null : permission.seat.displayName);
  if (own) return draft.done();
  if (command.role === 'listener') draft.add({ type: 'returned-to-audience', userId: target.userId, holds: true });
  draft.log('demote', permission.seat, target);
  return draft.done();
};

/** A moderator who is outside at the moment can be dismissed too; their appointment would bring them back as one. */
const dismissAbsent = (draft: Draft, command: Command<'demote'>, by: Seat): Decision => {
  if (!draft.state.control.moderators.includes(command.userId)) return refuse('not_on_stage');
  draft.add({ type: 'moderator-dismissed', userId: command.userId });
  if (command.role === 'listener') draft.add({ type: 'returned-to-audience', userId: command.userId, holds: true });
  draft.log('demote', by, { userId: command.userId, displayName: '' });
  return draft.done();
};

/**
 * MD-1, MD-9: one microphone a person, for people on the stage. It ends at the node to which they are connected; one that they
 * have at the node before is replaced, so that they are heard from there until this one stands (RE-2).
 */
export const openMicrophone = (
  state: RoomState,
  command: Command<'open-microphone'>,
  context: RoomContext,
): Decision => {
  const draft = new Draft(state, context);
  const permission = allowed(draft, command.by, 'open-microphone');
  if (!permission.ok) return permission;
  const { seat } = permission;
  const { producerId, node } = command;
  // Opened before they went to another node, and told after.
  if (seat.node !== node) return refuse('conflict');
  if (seat.producerId !== null && seat.producerNode === node) return refuse('already');
  draft.add({ type: 'microphone-opened', userId: seat.userId, producerId, node });
  return draft.done();
};

export const closeMicrophone = (
  state: RoomState,
  command: Command<'close-microphone'>,
  context: RoomContext,
): Decision => {
  const draft = new Draft(state, context);
  const producerId = seatOf(state, command.userId)?.producerId ?? null;
  if (producerId !== null && (command.producerId === undefined || command.producerId === producerId)) {
    draft.add({ type: 'microphone-closed', userId: command.userId, producerId });
  }
  return draft.done();
};

/** MD-8: the media behind the room is gone at a node; people whose microphones ended there open them again. */
export const loseMedia = (state: RoomState, { node }: Command<'lose-media'>, context: RoomContext): Decision => {
  const draft = new Draft(state, context);
  for (const { userId, producerId, producerNode } of state.control.stage) {
    if (producerId !== null && producerNode === node) draft.add({ type: 'microphone-closed', userId, producerId });
  }
  return draft.done();
};

/** MO-1: people mute and unmute themselves, but for a locked mute. */
export const muteSelf = (state: RoomState, command: Command<'mute-self'>, context: RoomContext): Decision => {
  const draft = new Draft(state, context);
  const seat = actingSeat(state, command.by);
  if (!seat) return refuse('not_in_room');
  if (!mayAct('mute-self', seat.role)) return refuse('forbidden');
  if (command.muted) {
    if (seat.mute === null) draft.add({ type: 'mute-changed', userId: seat.userId, mute: { by: 'self' } });
    return draft.done();
  }
  if (isLocked(seat)) return refuse('muted_locked');
  if (seat.mute !== null) draft.add({ type: 'mute-changed', userId: seat.userId, mute: null });
  return draft.done();
};
