import type { Participant, Role } from '@rostrum/shared/protocol/room.ts';
import { mayAct, type RoomAction } from '@rostrum/shared/room/permissions.ts';

/** What one person can do about another; each is allowed by one line of the permissions table (RO-2). */
export type PersonAct =
  | 'accept-hand'
  | 'hand-to-front'
  | 'decline-hand'
  | 'invite-to-speak'
  | 'mute'
  | 'mute-locked'
  | 'unlock'
  | 'to-audience'
  | 'appoint'
  | 'dismiss'
  | 'hand-over'
  | 'withdraw-hand'
  | 'restore-hand'
  | 'kick'
  | 'ban'
  | 'leave-stage';

/** The line of the table that allows each act. */
export const permissionOf: Record<PersonAct, RoomAction> = {
  'accept-hand': 'manage-hands',
  'hand-to-front': 'manage-hands',
  'decline-hand': 'manage-hands',
  'invite-to-speak': 'invite-to-speak',
  mute: 'mute',
  'mute-locked': 'mute',
  unlock: 'mute',
  'to-audience': 'demote',
  appoint: 'appoint-moderator',
  dismiss: 'dismiss-moderator',
  'hand-over': 'hand-over',
  'withdraw-hand': 'withdraw-hand-right',
  'restore-hand': 'withdraw-hand-right',
  kick: 'kick',
  ban: 'ban',
  'leave-stage': 'step-down',
};

/** In the order in which they are offered: what helps first, what hurts last. */
const order: readonly PersonAct[] = [
  'accept-hand',
  'hand-to-front',
  'decline-hand',
  'invite-to-speak',
  'unlock',
  'mute',
  'mute-locked',
  'leave-stage',
  'to-audience',
  'appoint',
  'dismiss',
  'hand-over',
  'withdraw-hand',
  'restore-hand',
  'kick',
  'ban',
];

export const dangerous: ReadonlySet<PersonAct> = new Set(['kick', 'ban']);

export type ActContext = {
  readonly me: { readonly userId: string; readonly role: Role };
  readonly them: Pick<Participant, 'userId' | 'role' | 'microphone'>;
  /** They are in the room now. Whoever has just left can still be kept out (MO-5). */
  readonly present: boolean;
  readonly handRaised: boolean;
  /** An invitation to speak is open for them. */
  readonly invited: boolean;
  /** Their right to raise a hand was withdrawn (HD-5). */
  readonly handWithdrawn: boolean;
};

/** Whether the table allows this act between the two roles, whatever the moment. */
export const mayDo = (act: PersonAct, by: Role, to: Role, own: boolean): boolean => {
  if (act === 'leave-stage') return own && mayAct('step-down', by);
  if (own) return false;
  const action = permissionOf[act];
  return action === 'manage-hands' ? to === 'listener' && mayAct(action, by) : mayAct(action, by, to);
};

/** Whether the act makes sense at this moment. */
const fits = (act: PersonAct, context: ActContext): boolean => {
  const { them, present, handRaised, invited, handWithdrawn } = context;
  switch (act) {
    case 'kick':
    case 'ban':
      return true;
    case 'accept-hand':
    case 'hand-to-front':
    case 'decline-hand':
      return present && handRaised;
    case 'invite-to-speak':
      return present && !handRaised && !invited;
    case 'mute':
      return present && them.microphone === 'open';
    case 'mute-locked':
    case 'unlock':
      return present && (them.microphone === 'locked') === (act === 'unlock');
    case 'withdraw-hand':
    case 'restore-hand':
      return present && them.role === 'listener' && handWithdrawn === (act === 'restore-hand');
    case 'to-audience':
    case 'appoint':
    case 'dismiss':
    case 'hand-over':
    case 'leave-stage':
      return present;
    default:
      return act satisfies never;
  }
};

/** What to offer about somebody, in order. */
export const actsOn = (context: ActContext): readonly PersonAct[] => {
  const { me, them } = context;
  const own = me.userId === them.userId;
  return order.filter((act) => mayDo(act, me.role, them.role, own) && fits(act, context));
};

/** What to offer in the menu of the room. */
export type RoomMenu = {
  readonly settings: boolean;
  readonly log: boolean;
  readonly muteAll: boolean;
  readonly end: boolean;
};

export const roomMenu = (role: Role): RoomMenu => ({
  settings: mayAct('update', role),
  log: mayAct('see-moderation', role),
  muteAll: mayAct('mute-all', role),
  end: mayAct('end', role),
});
