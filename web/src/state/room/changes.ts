import type { Participant, RoomView } from '@rostrum/shared/protocol/room.ts';
import { onStage } from '@rostrum/shared/room/permissions.ts';
import type { Messages } from '../../i18n/index.ts';
import type { Urgency } from '../notices.ts';

export type Sound = 'join' | 'hand' | 'live';

/** What a change of the view has to be told aloud, and the soft sound that goes with it. */
export type Change = {
  readonly text: string;
  readonly urgency: Urgency;
  readonly sound?: Sound;
  /** Also shown for a moment: the page has no other place that says it. */
  readonly shown?: boolean;
  /** A hand comes down for several reasons: what else follows from it says whether this is worth telling. */
  readonly handLowered?: boolean;
};

/** Compares two views of one person: what is new for somebody who does not see the page, or does not look. */
export const changesBetween = (before: RoomView, after: RoomView, messages: Messages): readonly Change[] => {
  if (before === after) return [];
  return [
    ...stageChanges(before, after, messages),
    ...handChanges(before, after, messages),
    ...ownChanges(before, after, messages),
    ...roomChanges(before, after, messages),
  ];
};

/** Whom a list has that another has not, oneself aside. */
const missingFrom = <Who extends Pick<Participant, 'userId' | 'displayName'>>(
  list: readonly Who[],
  other: readonly Who[],
  me: string,
) => {
  const known = new Set(other.map((who) => who.userId));
  return list.filter((who) => who.userId !== me && !known.has(who.userId)).map((who) => who.displayName);
};

const stageChanges = (before: RoomView, after: RoomView, messages: Messages): Change[] => {
  if (before.stage === after.stage) return [];
  const words = messages.room.announce;
  const me = after.self.userId;
  const joined = missingFrom(after.stage, before.stage, me);
  const left = missingFrom(before.stage, after.stage, me);
  return [
    ...(joined.length > 0 ? [{ text: words.joinedStage(joined), urgency: 'polite', sound: 'join' } as const] : []),
    ...(left.length > 0 ? [{ text: words.leftStage(left), urgency: 'polite' } as const] : []),
  ];
};

const handChanges = (before: RoomView, after: RoomView, messages: Messages): Change[] => {
  if (before.staff === null || after.staff === null) return [];
  const raised = missingFrom(after.staff.hands, before.staff.hands, after.self.userId);
  return raised.length > 0
    ? [{ text: messages.room.announce.handRaised(raised), urgency: 'polite', sound: 'hand' }]
    : [];
};

const ownChanges = (before: RoomView, after: RoomView, messages: Messages): Change[] => {
  const words = messages.room.announce;
  const [was, is] = [before.self, after.self];
  const changes: Change[] = [];
  const rises = !onStage(was.role) && onStage(is.role);
  // A rise to the stage is told by the event that carries who brought one there.
  if (was.role !== is.role && !rises)
    changes.push({ text: words.yourRole[is.role], urgency: 'assertive', shown: true });
  if (is.muted !== null && !sameMute(was.muted, is.muted)) {
    const say = is.muted.locked ? messages.microphone.lockedBy : messages.microphone.mutedBy;
    changes.push({ text: say(is.muted.byName, is.muted.reason), urgency: 'assertive' });
  }
  if (was.muted !== null && is.muted === null && onStage(is.role))
    changes.push({ text: words.unmuted, urgency: 'assertive' });
  if (was.invitation === null && is.invitation !== null) {
    changes.push({ text: messages.room.invitation.title(is.invitation.byName), urgency: 'assertive', sound: 'hand' });
  }
  if (is.handPosition !== null && was.handPosition !== is.handPosition) {
    changes.push({ text: words.handPosition(is.handPosition), urgency: 'polite' });
  }
  if (was.handPosition !== null && is.handPosition === null && !onStage(is.role)) {
    changes.push({ text: words.handLowered, urgency: 'polite', shown: true, handLowered: true });
  }
  return changes;
};

type OwnMute = RoomView['self']['muted'];
const sameMute = (a: OwnMute, b: OwnMute): boolean =>
  a?.locked === b?.locked && a?.byName === b?.byName && a?.reason === b?.reason;

const roomChanges = (before: RoomView, after: RoomView, messages: Messages): Change[] =>
  before.info.title === after.info.title
    ? []
    : [{ text: messages.room.announce.titleChanged(after.info.title), urgency: 'polite' }];
