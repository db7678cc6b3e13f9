import type { Participant, RoomView, RoomViewEvent } from '../protocol/room.ts';
import { isStaff, onStage } from './permissions.ts';

/** What folding an event into a view came to. With a gap the view is as it was, and the client asks `room:sync`. */
export type Folded = { readonly kind: 'folded' | 'old'; readonly view: RoomView } | { readonly kind: 'gap' };

/**
 * Folds one view event into what a person sees of a room. Pure. An event that the view has already seen (`old`) changes
 * nothing; one that does not follow on the last of its view is a `gap` (RE-1).
 */
export const foldRoomView = (view: RoomView, event: RoomViewEvent): Folded => {
  const { view: name, sequence } = event.payload;
  if (sequence <= view.sequence[name]) return { kind: 'old', view };
  if (sequence !== view.sequence[name] + 1) return { kind: 'gap' };
  const folded = apply(view, event);
  return { kind: 'folded', view: { ...folded, sequence: { ...folded.sequence, [name]: sequence } } };
};

/**
 * Sets how many listen, where they are not sent one by one (RM-10). Who sees each of them counts by that: a count has no number,
 * and may have been overtaken by an arrival or a departure.
 */
export const withAudienceCount = (view: RoomView, count: number): RoomView =>
  view.audience.members === null ? { ...view, audience: { ...view.audience, count } } : view;

/** Sets one's own place in the queue of hands (HD-1). */
export const withHandPosition = (view: RoomView, position: number): RoomView => ({
  ...view,
  self: { ...view.self, handPosition: view.self.handPosition === null ? null : position },
});

const apply = (view: RoomView, event: RoomViewEvent): RoomView => {
  const own = event.payload.view === 'self';
  switch (event.name) {
    case 'room:participant-joined':
      return withParticipant(view, event.payload.participant);
    case 'room:participant-left':
      return withoutParticipant(view, event.payload.userId, event.payload.role === 'listener');
    case 'room:participant-changed':
      return withChanged(view, event.payload.participant);
    case 'room:role-changed': {
      const { participant, previousRole } = event.payload;
      // Within the stage a face keeps its place.
      if (onStage(previousRole) && onStage(participant.role)) return withChanged(view, participant);
      return withParticipant(withoutParticipant(view, participant.userId, previousRole === 'listener'), participant);
    }
    case 'room:hand-raised':
      return own ? withSelf(view, { handPosition: event.payload.position }) : withHand(view, event.payload.hand);
    case 'room:hand-lowered':
      return own ? withSelf(view, { handPosition: null }) : withoutHand(view, event.payload.userId);
    case 'room:hands-reordered':
      return withHandOrder(view, event.payload.userIds);
    case 'room:hand-right-changed':
      return withSelf(view, { mayRaiseHand: event.payload.allowed });
    case 'room:invited-to-speak': {
      const { invitation } = event.payload;
      if (own) return withSelf(view, { invitation: { byName: invitation.byName, until: invitation.until } });
      return withInvitations(view, (open) => [
        ...open.filter((other) => other.userId !== invitation.userId),
        invitation,
      ]);
    }
    case 'room:invitation-closed': {
      const { userId } = event.payload;
      if (own) return withSelf(view, { invitation: null });
      return withInvitations(view, (open) => open.filter((other) => other.userId !== userId));
    }
    case 'room:muted':
      return withSelf(view, { muted: event.payload.muted });
    case 'room:promoted':
      return withSelf(view, { role: event.payload.role });
    case 'room:updated':
      return withInfo(view, event.payload.info);
    case 'room:ending-soon':
      return { ...view, endsAt: event.payload.endsAt };
    case 'room:moderated':
      return view;
    default:
      return event satisfies never;
  }
};

const withParticipant = (view: RoomView, participant: Participant): RoomView => {
  const others = (list: readonly Participant[]) => list.filter((other) => other.userId !== participant.userId);
  if (onStage(participant.role)) return { ...view, stage: [...others(view.stage), participant] };
  const { count, members } = view.audience;
  return { ...view, audience: { count: count + 1, members: members && [...others(members), participant] } };
};

const withoutParticipant = (view: RoomView, userId: string, listener: boolean): RoomView => {
  const others = (list: readonly Participant[]) => list.filter((other) => other.userId !== userId);
  if (!listener) return { ...view, stage: others(view.stage) };
  const { count, members } = view.audience;
  return { ...view, audience: { count: Math.max(0, count - 1), members: members && others(members) } };
};

/** Replaces somebody where they stand, so that faces keep their place. */
const withChanged = (view: RoomView, participant: Participant): RoomView => {
  const replace = (list: readonly Participant[]) =>
    list.map((other) => (other.userId === participant.userId ? participant : other));
  if (onStage(participant.role)) return { ...view, stage: replace(view.stage) };
  return { ...view, audience: { ...view.audience, members: view.audience.members && replace(view.audience.members) } };
};

const withSelf = (view: RoomView, change: Partial<RoomView['self']>): RoomView => ({
  ...view,
  self: { ...view.self, ...change },
});

type Staff = NonNullable<RoomView['staff']>;

const withStaff = (view: RoomView, change: (staff: Staff) => Partial<Staff>): RoomView =>
  view.staff === null ? view : { ...view, staff: { ...view.staff, ...change(view.staff) } };

const withHand = (view: RoomView, hand: Staff['hands'][number]): RoomView =>
  withStaff(view, ({ hands }) => ({ hands: [...hands.filter((other) => other.userId !== hand.userId), hand] }));

const withoutHand = (view: RoomView, userId: string): RoomView =>
  withStaff(view, ({ hands }) => ({ hands: hands.filter((hand) => hand.userId !== userId) }));

const withHandOrder = (view: RoomView, userIds: readonly string[]): RoomView =>
  withStaff(view, ({ hands }) => ({
    hands: userIds.flatMap((userId) => hands.filter((hand) => hand.userId === userId)),
  }));

const withInvitations = (view: RoomView, change: (open: Staff['invitations']) => Staff['invitations']): RoomView =>
  withStaff(view, ({ invitations }) => ({ invitations: change(invitations) }));

const withInfo = (view: RoomView, info: RoomView['info']): RoomView => {
  const listed = info.audienceListed && (!info.privacy.hideParticipants || onStage(view.self.role));
  return { ...view, info, audience: { ...view.audience, members: listed ? view.audience.members : null } };
};

/**
 * Whether this view lacks a list that its person may see: the audience became listed, or was shown again. The client
 * then asks `room:sync`.
 */
export const lacksAudience = (view: RoomView): boolean =>
  view.audience.members === null &&
  view.info.audienceListed &&
  (!view.info.privacy.hideParticipants || onStage(view.self.role));

/** Whether this view should have the staff's part but lacks it, or the other way round. */
export const staffMismatch = (view: RoomView): boolean => isStaff(view.self.role) !== (view.staff !== null);
