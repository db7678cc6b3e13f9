import { refuse } from '@rostrum/shared/result.ts';
import type { RoomCommand, RoomContext } from '../commands.ts';
import { type RoomState, seatOf, standingOf } from '../state.ts';
import { actingSeat, allowed, bringToStage, type Decision, Draft } from './draft.ts';

type Command<Type extends RoomCommand['type']> = Extract<RoomCommand, { type: Type }>;

/** HD-1: once each, in order of time. */
export const raiseHand = (state: RoomState, command: Command<'raise-hand'>, context: RoomContext): Decision => {
  const draft = new Draft(state, context);
  const { control } = state;
  const permission = allowed(draft, command.by, 'raise-hand');
  if (!permission.ok) return permission;
  const { seat } = permission;
  if (!control.settings.permissions.allowHandRaise || standingOf(state, seat.userId).handRightWithdrawn)
    return refuse('hands_closed');
  if (control.hands.some((hand) => hand.userId === seat.userId)) return refuse('already');
  if (control.hands.length >= context.limits.handsPerRoom) return refuse('hands_full');
  draft.add({
    type: 'hand-raised',
    hand: { userId: seat.userId, displayName: seat.displayName, raisedAt: context.now },
  });
  return draft.done();
};

export const lowerHand = (state: RoomState, command: Command<'lower-hand'>, context: RoomContext): Decision => {
  const draft = new Draft(state, context);
  const seat = actingSeat(state, command.by);
  if (!seat) return refuse('not_in_room');
  if (!state.control.hands.some((hand) => hand.userId === seat.userId)) return refuse('already');
  draft.add({ type: 'hand-lowered', userId: seat.userId });
  return draft.done();
};

/** HD-2: they asked, so accepting promotes at once. Without a person it takes the next in the queue (HD-3). */
export const acceptHand = (state: RoomState, command: Command<'accept-hand'>, context: RoomContext): Decision => {
  const draft = new Draft(state, context);
  const permission = allowed(draft, command.by, 'manage-hands');
  if (!permission.ok) return permission;
  const hand =
    command.userId === undefined
      ? state.control.hands[0]
      : state.control.hands.find(({ userId }) => userId === command.userId);
  const target = hand && seatOf(state, hand.userId);
  if (!target) return refuse('not_found', { path: 'userId' });
  const refusal = bringToStage(draft, target, permission.seat.displayName);
  if (refusal) return refusal;
  draft.log('promote', permission.seat, target);
  return draft.done();
};

/** HD-3: declines one hand, or without a person clears the queue. */
export const declineHand = (state: RoomState, command: Command<'decline-hand'>, context: RoomContext): Decision => {
  const draft = new Draft(state, context);
  const permission = allowed(draft, command.by, 'manage-hands');
  if (!permission.ok) return permission;
  const declined = state.control.hands.filter(
    ({ userId }) => command.userId === undefined || userId === command.userId,
  );
  if (declined.length === 0 && command.userId !== undefined) return refuse('not_found', { path: 'userId' });
  for (const { userId } of declined) draft.add({ type: 'hand-lowered', userId });
  return draft.done();
};

export const moveHandToFront = (
  state: RoomState,
  command: Command<'move-hand-to-front'>,
  context: RoomContext,
): Decision => {
  const draft = new Draft(state, context);
  const permission = allowed(draft, command.by, 'manage-hands');
  if (!permission.ok) return permission;
  const place = state.control.hands.findIndex((hand) => hand.userId === command.userId);
  if (place < 0) return refuse('not_found', { path: 'userId' });
  if (place > 0) draft.add({ type: 'hand-moved-to-front', userId: command.userId });
  return draft.done();
};

/** HD-5: withdraws somebody's right to raise a hand in this room, or gives it back. */
export const allowHand = (state: RoomState, command: Command<'allow-hand'>, context: RoomContext): Decision => {
  const draft = new Draft(state, context);
  const { subject } = command;
  const permission = allowed(draft, command.by, 'withdraw-hand-right', subject.userId);
  if (!permission.ok) return permission;
  const has = standingOf(state, subject.userId).handRightWithdrawn !== true;
  if (has === command.allowed) return refuse('already');
  draft.add({ type: 'hand-right-changed', userId: subject.userId, allowed: command.allowed });
  const raised = state.control.hands.some((hand) => hand.userId === subject.userId);
  if (!command.allowed && raised) draft.add({ type: 'hand-lowered', userId: subject.userId });
  draft.log(command.allowed ? 'restore-hand-right' : 'withdraw-hand-right', permission.seat, subject);
  return draft.done();
};
