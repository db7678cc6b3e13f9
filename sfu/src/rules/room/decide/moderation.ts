import { refuse } from '@rostrum/shared/result.ts';
import type { RoomCommand, RoomContext } from '../commands.ts';
import { isLocked, type Person, type RoomState, seatOf, standingOf } from '../state.ts';
import { allowed, type Decision, Draft, removeSeat, roleOfSubject } from './draft.ts';

type Command<Type extends RoomCommand['type']> = Extract<RoomCommand, { type: Type }>;

/** MO-1, MO-3: mutes somebody on the stage; `locked` false lifts an earlier lock and leaves them muted. */
export const mute = (state: RoomState, command: Command<'mute'>, context: RoomContext): Decision => {
  const draft = new Draft(state, context);
  const permission = allowed(draft, command.by, 'mute', command.userId);
  const target = seatOf(state, command.userId);
  if (!permission.ok)
    return target?.role === 'listener' && permission.refusal.code === 'forbidden'
      ? listenerRefusal(draft, command)
      : permission;
  if (!target) return refuse('not_on_stage');
  if (target.mute?.by === 'moderator' && target.mute.locked === command.locked) return refuse('already');
  const { displayName: byName } = permission.seat;
  draft.add({
    type: 'mute-changed',
    userId: target.userId,
    mute: { by: 'moderator', byName, reason: command.reason, locked: command.locked },
  });
  draft.log(isLocked(target) && !command.locked ? 'unmute' : 'mute', permission.seat, target, command.reason);
  return draft.done();
};

/** A listener has no microphone to mute: whoever may mute is told that, and anybody else that they may not. */
const listenerRefusal = (draft: Draft, command: Command<'mute'>): Decision =>
  allowed(draft, command.by, 'mute-all').ok ? refuse('not_on_stage') : refuse('forbidden');

/** MO-1: mutes everybody but the host and the moderators. */
export const muteAll = (state: RoomState, command: Command<'mute-all'>, context: RoomContext): Decision => {
  const draft = new Draft(state, context);
  const permission = allowed(draft, command.by, 'mute-all');
  if (!permission.ok) return permission;
  const { seat } = permission;
  for (const speaker of state.control.stage) {
    const stays =
      speaker.role !== 'speaker' || isLocked(speaker) || (speaker.mute?.by === 'moderator' && !command.locked);
    if (stays) continue;
    draft.add({
      type: 'mute-changed',
      userId: speaker.userId,
      mute: { by: 'moderator', byName: seat.displayName, reason: command.reason, locked: command.locked },
    });
  }
  draft.log('mute-all', seat, null, command.reason);
  return draft.done();
};

/** MO-2, MO-3, MO-5: kick (this room) or ban (every room of the host), whether the person is still here or not. */
export const exclude = (state: RoomState, command: Command<'exclude'>, context: RoomContext): Decision => {
  const draft = new Draft(state, context);
  const { subject, ban, reason } = command;
  const permission = allowed(draft, command.by, ban ? 'ban' : 'kick', subject.userId);
  if (!permission.ok) return permission;
  const before = standingOf(state, subject.userId).excluded;
  // A ban covers what a kick does.
  if (before && (before.banned || !ban)) return refuse('already');
  removeForGood(draft, { subject, ban, reason, by: permission.seat });
  return draft.done();
};

/** MO-2: the owner of this room banned the person in another one, or lifted that; a ban covers every room of theirs. */
export const followBan = (state: RoomState, command: Command<'follow-ban'>, context: RoomContext): Decision => {
  const draft = new Draft(state, context);
  const { subject, reason, by, lifted } = command;
  const banned = standingOf(state, subject.userId).excluded?.banned === true;
  if (lifted && banned) draft.add({ type: 'readmitted', subject });
  if (!(lifted || banned || roleOfSubject(draft, subject.userId) === 'host'))
    removeForGood(draft, { subject, ban: true, reason, by });
  return draft.done();
};

type Removal = {
  readonly subject: Person;
  readonly ban: boolean;
  readonly reason: string | null;
  readonly by: { readonly userId: string; readonly displayName: string };
};

const removeForGood = (draft: Draft, { subject, ban, reason, by }: Removal): void => {
  const { now, limits } = draft.context;
  if (draft.state.control.moderators.includes(subject.userId))
    draft.add({ type: 'moderator-dismissed', userId: subject.userId });
  draft.add({
    type: 'excluded',
    subject,
    banned: ban,
    byId: by.userId,
    byName: by.displayName,
    reason,
    tracesUntil: subject.kind === 'guest' ? now + limits.guestExclusionMs : null,
  });
  removeSeat(draft, subject.userId, ban ? 'banned' : 'kicked');
  draft.log(ban ? 'ban' : 'kick', by, subject, reason);
};

/** MO-2: lifts a kick from this room; the use case lifts the host's ban with it. */
export const unban = (state: RoomState, command: Command<'unban'>, context: RoomContext): Decision => {
  const draft = new Draft(state, context);
  const permission = allowed(draft, command.by, 'unban');
  if (!permission.ok) return permission;
  draft.add({ type: 'readmitted', subject: command.subject });
  draft.log('unban', permission.seat, command.subject);
  return draft.done();
};
