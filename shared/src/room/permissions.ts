import type { Role, RoomSettings } from '../protocol/room.ts';

/**
 * Who may do what in a room (RO-2): one table, read by the server to decide and by the web client to show or hide a
 * control. `by` lists the roles that may do it; `to` lists, for acts upon somebody else, the roles that may be acted
 * upon by each of them (MO-3: nobody moderates the host, moderators do not moderate each other).
 */
type Permission = { readonly by: readonly Role[]; readonly to?: Readonly<Partial<Record<Role, readonly Role[]>>> };

const everybody = ['host', 'moderator', 'speaker', 'listener'] as const;
const stage = ['host', 'moderator', 'speaker'] as const;
const staff = ['host', 'moderator'] as const;
const below = { host: ['moderator', 'speaker', 'listener'], moderator: ['speaker', 'listener'] } as const;

export const roomPermissions = {
  listen: { by: everybody },
  'open-microphone': { by: stage },
  'mute-self': { by: stage },
  'raise-hand': { by: ['listener'] },
  'answer-invitation': { by: ['listener'] },
  'step-down': { by: ['moderator', 'speaker'] },
  'see-audience': { by: stage },
  'see-hands': { by: staff },
  'manage-hands': { by: staff },
  'withdraw-hand-right': { by: staff, to: below },
  'invite-to-speak': { by: staff, to: { host: ['listener'], moderator: ['listener'] } },
  'appoint-moderator': { by: ['host'], to: { host: ['speaker', 'listener'] } },
  'dismiss-moderator': { by: ['host'], to: { host: ['moderator'] } },
  demote: { by: staff, to: { host: ['moderator', 'speaker'], moderator: ['speaker'] } },
  mute: { by: staff, to: { host: ['moderator', 'speaker'], moderator: ['speaker'] } },
  'mute-all': { by: staff },
  kick: { by: staff, to: below },
  ban: { by: staff, to: below },
  unban: { by: staff },
  'see-moderation': { by: staff },
  update: { by: ['host'] },
  'hand-over': { by: ['host'], to: { host: ['moderator', 'speaker'] } },
  end: { by: ['host'] },
} as const satisfies Record<string, Permission>;

export type RoomAction = keyof typeof roomPermissions;

/** Whether somebody of role `by` may do `action`, upon somebody of role `to` where it is done upon somebody. */
export const mayAct = (action: RoomAction, by: Role, to?: Role): boolean => {
  const permission: Permission = roomPermissions[action];
  if (!permission.by.includes(by)) return false;
  if (permission.to === undefined || to === undefined) return permission.to === undefined;
  return permission.to[by]?.includes(to) ?? false;
};

/** Whether this role is on the stage (RO-1). */
export const onStage = (role: Role): boolean => role !== 'listener';

/** Whether this role sees hands, invitations and the moderation log. */
export const isStaff = (role: Role): boolean => role === 'host' || role === 'moderator';

/** Whether this role sees who else listens (RM-6). */
export const seesAudience = (role: Role, settings: Pick<RoomSettings, 'privacy'>): boolean =>
  !settings.privacy.hideParticipants || mayAct('see-audience', role);
