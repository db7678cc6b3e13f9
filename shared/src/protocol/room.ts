import * as z from 'zod/mini';
import { sizes } from '../limits.ts';
import { id, line, nothing, paragraph, timestamp } from './common.ts';
import { listeningSchema } from './listening.ts';

// ——— What a room is (RM-1) ———

export const roomTypes = ['public', 'private', 'friends-only'] as const;
export const roomCategories = ['tech', 'music', 'gaming', 'casual', 'language', 'news', 'other'] as const;
export const audioQualities = ['low', 'medium', 'high', 'music'] as const;
export const roomStatuses = ['scheduled', 'active', 'ended'] as const;
export const roles = ['host', 'moderator', 'speaker', 'listener'] as const;
export const endReasons = ['host-ended', 'host-left', 'empty', 'max-duration', 'operator', 'server-stopped'] as const;
export const leaveReasons = ['left', 'lost', 'kicked', 'banned'] as const;

export const roleSchema = z.enum(roles);
export type Role = z.output<typeof roleSchema>;
export type EndReason = (typeof endReasons)[number];
export type LeaveReason = (typeof leaveReasons)[number];

const permissions = {
  anyoneCanSpeak: z.boolean(),
  allowRecording: z.boolean(),
  allowHandRaise: z.boolean(),
};
const privacy = {
  requireApproval: z.boolean(),
  hideParticipants: z.boolean(),
  allowInvites: z.boolean(),
};

/** BCP 47 (RFC 5646): a language subtag of 2 to 8 letters, then subtags of up to 8 letters and digits. */
const language = z.string().check(z.maxLength(sizes.language), z.regex(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/));

const roomFields = {
  title: line(1, sizes.title),
  description: paragraph(sizes.description),
  type: z.enum(roomTypes),
  category: z.enum(roomCategories),
  language,
  tags: z.array(line(1, sizes.tag)).check(z.maxLength(sizes.tags)),
  maxParticipants: z.int().check(z.gte(2), z.lte(sizes.maxParticipants)),
  maxSpeakers: z.int().check(z.gte(1), z.lte(sizes.maxSpeakers)),
  audioQuality: z.enum(audioQualities),
};

/** Everything that the host decides about a room. */
export const roomSettingsSchema = z.strictObject({
  ...roomFields,
  permissions: z.strictObject(permissions),
  privacy: z.strictObject(privacy),
});
export type RoomSettings = z.output<typeof roomSettingsSchema>;

/** A new room: the title, and whatever differs from the defaults of RM-1. */
export const createRoomSchema = z.strictObject({
  title: roomFields.title,
  description: z._default(roomFields.description, ''),
  type: z._default(roomFields.type, 'public'),
  category: z._default(roomFields.category, 'other'),
  language: z._default(roomFields.language, 'en'),
  tags: z._default(roomFields.tags, []),
  maxParticipants: z._default(roomFields.maxParticipants, sizes.defaultMaxParticipants),
  maxSpeakers: z._default(roomFields.maxSpeakers, sizes.defaultMaxSpeakers),
  audioQuality: z._default(roomFields.audioQuality, 'medium'),
  permissions: z.prefault(
    z.strictObject({
      anyoneCanSpeak: z._default(permissions.anyoneCanSpeak, false),
      allowRecording: z._default(permissions.allowRecording, false),
      allowHandRaise: z._default(permissions.allowHandRaise, true),
    }),
    {},
  ),
  privacy: z.prefault(
    z.strictObject({
      requireApproval: z._default(privacy.requireApproval, false),
      hideParticipants: z._default(privacy.hideParticipants, false),
      allowInvites: z._default(privacy.allowInvites, true),
    }),
    {},
  ),
});
export type CreateRoom = z.input<typeof createRoomSchema>;

/** What the host changes while the room is live (RM-8); the type and the audio quality stay as they were made. */
export const roomChangesSchema = z.strictObject({
  title: z.optional(roomFields.title),
  description: z.optional(roomFields.description),
  category: z.optional(roomFields.category),
  language: z.optional(roomFields.language),
  tags: z.optional(roomFields.tags),
  maxParticipants: z.optional(roomFields.maxParticipants),
  maxSpeakers: z.optional(roomFields.maxSpeakers),
  permissions: z.optional(z.partial(z.strictObject(permissions))),
  privacy: z.optional(z.partial(z.strictObject(privacy))),
});
export type RoomChanges = z.output<typeof roomChangesSchema>;

/** What everybody who may know of the room is told about it. */
export const roomInfoSchema = z.strictObject({
  ...roomSettingsSchema.shape,
  roomId: id,
  status: z.enum(roomStatuses),
  hostId: id,
  /** False above 100 listeners: then the audience is a count, and pages on request (RM-10). */
  audienceListed: z.boolean(),
  createdAt: timestamp,
  scheduledFor: z.nullable(timestamp),
  startedAt: z.nullable(timestamp),
  endedAt: z.nullable(timestamp),
});
export type RoomInfo = z.output<typeof roomInfoSchema>;

// ——— Who is in it ———

/**
 * The microphone of somebody on the stage: `off` (none opened yet), `open`, `muted` by themselves, `muted-by-moderator`
 * (they may unmute), `locked` (only a moderator may unmute; MO-1). Listeners are always `off`.
 */
export const microphoneStates = ['off', 'open', 'muted', 'muted-by-moderator', 'locked'] as const;
export type MicrophoneState = (typeof microphoneStates)[number];

export const participantSchema = z.strictObject({
  userId: id,
  displayName: z.string(),
  role: roleSchema,
  joinedAt: timestamp,
  microphone: z.enum(microphoneStates),
  /** Their connection is lost and their seat is kept (RE-2). */
  away: z.boolean(),
});
export type Participant = z.output<typeof participantSchema>;

export const handSchema = z.strictObject({ userId: id, displayName: z.string(), raisedAt: timestamp });
export type Hand = z.output<typeof handSchema>;

export const openInvitationSchema = z.strictObject({
  userId: id,
  displayName: z.string(),
  byName: z.string(),
  until: timestamp,
});
export type OpenInvitation = z.output<typeof openInvitationSchema>;

export const moderationActs = [
  'mute',
  'unmute',
  'mute-all',
  'promote',
  'demote',
  'kick',
  'ban',
  'unban',
  'withdraw-hand-right',
  'restore-hand-right',
  'hand-over',
] as const;

/** One line of the moderation log (MO-4): who, whom, what, why, when. */
export const moderationEntrySchema = z.strictObject({
  entryId: id,
  at: timestamp,
  act: z.enum(moderationActs),
  byId: id,
  byName: z.string(),
  userId: z.nullable(id),
  displayName: z.nullable(z.string()),
  reason: z.nullable(z.string()),
});
export type ModerationEntry = z.output<typeof moderationEntrySchema>;

// ——— Views ———

/**
 * The views of a room: what everybody inside sees, what the stage sees besides (a hidden audience), what host and
 * moderators see besides (hands, invitations, moderation), and what concerns one person. Each has its own sequence.
 */
export const viewNames = ['room', 'stage', 'staff', 'self'] as const;
export type ViewName = (typeof viewNames)[number];

const sequence = z.int().check(z.gte(0));

const ownMuteSchema = z.strictObject({ byName: z.string(), reason: z.nullable(z.string()), locked: z.boolean() });

/** Everything that one person sees of a room: what `room:state` and `room:sync` carry, and what view events fold into. */
export const roomViewSchema = z.strictObject({
  info: roomInfoSchema,
  stage: z.array(participantSchema),
  audience: z.strictObject({
    count: z.int(),
    /** Null where the audience is not listed for this person: more than 100 listeners, or hidden. */
    members: z.nullable(z.array(participantSchema)),
  }),
  staff: z.nullable(
    z.strictObject({
      hands: z.array(handSchema),
      invitations: z.array(openInvitationSchema),
    }),
  ),
  self: z.strictObject({
    userId: id,
    role: roleSchema,
    /** Place in the queue of hands, from 1; null when no hand is raised. */
    handPosition: z.nullable(z.int()),
    mayRaiseHand: z.boolean(),
    invitation: z.nullable(z.strictObject({ byName: z.string(), until: timestamp })),
    /** Who muted this person and why, while a moderator's mute holds. */
    muted: z.nullable(ownMuteSchema),
  }),
  /** When the room will end by itself, once that was announced (RM-3). */
  endsAt: z.nullable(timestamp),
  sequence: z.strictObject({ room: sequence, stage: sequence, staff: sequence, self: sequence }),
});
export type RoomView = z.output<typeof roomViewSchema>;

const viewed = { roomId: id, view: z.enum(viewNames), sequence };
const unsequenced = { roomId: id };

/** The events that carry a view on: each has the name of its view and its place in that view's sequence. */
export const roomViewEvents = {
  'room:participant-joined': z.strictObject({ ...viewed, participant: participantSchema }),
  'room:participant-left': z.strictObject({ ...viewed, userId: id, role: roleSchema, reason: z.enum(leaveReasons) }),
  /** Somebody on the stage changed: microphone, or away and back. */
  'room:participant-changed': z.strictObject({ ...viewed, participant: participantSchema }),
  'room:role-changed': z.strictObject({ ...viewed, participant: participantSchema, previousRole: roleSchema }),
  /** In the staff view: at the end of the queue. In one's own view: `position` is one's place, from 1. */
  'room:hand-raised': z.strictObject({ ...viewed, hand: handSchema, position: z.int() }),
  'room:hand-lowered': z.strictObject({ ...viewed, userId: id }),
  'room:hands-reordered': z.strictObject({ ...viewed, userIds: z.array(id) }),
  'room:hand-right-changed': z.strictObject({ ...viewed, allowed: z.boolean() }),
  'room:invited-to-speak': z.strictObject({ ...viewed, invitation: openInvitationSchema }),
  'room:invitation-closed': z.strictObject({
    ...viewed,
    userId: id,
    outcome: z.enum(['accepted', 'declined', 'expired', 'withdrawn']),
  }),
  /** A moderator muted this person, or (`muted` null) their mute no longer holds. */
  'room:muted': z.strictObject({ ...viewed, muted: z.nullable(ownMuteSchema) }),
  'room:promoted': z.strictObject({ ...viewed, role: roleSchema, byName: z.nullable(z.string()) }),
  'room:updated': z.strictObject({ ...viewed, info: roomInfoSchema }),
  'room:ending-soon': z.strictObject({ ...viewed, endsAt: timestamp }),
  'room:moderated': z.strictObject({ ...viewed, entry: moderationEntrySchema }),
} as const;

/** Events that stand alone: whole values that replace what was there, and farewells. */
export const roomLooseEvents = {
  /** A whole view, sent to one person when their role changed. */
  'room:state': z.strictObject({ ...unsequenced, state: roomViewSchema }),
  /** The whole set of people who speak now (MD-4). */
  'room:speaking-changed': z.strictObject({ ...unsequenced, userIds: z.array(id) }),
  /** The number of the last event of a view, after events may have been lost: whoever has an earlier one missed some (RE-1). */
  'room:sequence': z.strictObject({ ...viewed }),
  /** How many listen, where they are not sent one by one (RM-10). */
  'room:audience': z.strictObject({ ...unsequenced, count: z.int() }),
  /** One's own place in the queue of hands (HD-1), after it moved. */
  'room:hand-position': z.strictObject({ ...unsequenced, position: z.int() }),
  'room:kicked': z.strictObject({
    ...unsequenced,
    banned: z.boolean(),
    byName: z.string(),
    reason: z.nullable(z.string()),
  }),
  /** Another device of the same person took this seat (ID-5). */
  'room:joined-elsewhere': z.strictObject(unsequenced),
  'room:ended': z.strictObject({ ...unsequenced, reason: z.enum(endReasons) }),
} as const;

export const roomEvents = { ...roomViewEvents, ...roomLooseEvents } as const;

export type RoomViewEventName = keyof typeof roomViewEvents;
/** A view event as a union by `name`, the form that `foldRoomView` takes. */
export type RoomViewEvent = {
  [name in RoomViewEventName]: { name: name; payload: z.output<(typeof roomViewEvents)[name]> };
}[RoomViewEventName];

// ——— Commands ———

const inRoom = { roomId: id };
const about = { roomId: id, userId: id };
const reason = z.optional(line(0, sizes.reason));

export const roomCommands = {
  /**
   * Takes a seat, or comes back to it. Answers with what this person sees; with `listen` also with the receiving transport, as
   * `media:listen` would, so that a newcomer only has to connect it. Refuses with `node_full`, and takes no seat, where there is
   * no room for one more who listens: with `retryAfterMs` where another node has some, to which this session is then told to move
   * (`session:closing`), else for good.
   */
  'room:join': {
    input: z.strictObject({ ...inRoom, listen: z.optional(z.boolean()) }),
    output: z.strictObject({
      /** With `listen`, a long list of the audience follows in `room:state`; until then `audience.members` is null. */
      state: roomViewSchema,
      /** Null where it was not asked for, or could not be opened at this moment: `media:listen` tries again. */
      listening: z.nullable(listeningSchema),
      resumed: z.boolean(),
      /** Who speaks at this moment; `room:speaking-changed` goes on from there. */
      speaking: z.array(id),
    }),
  },
  'room:leave': { input: z.strictObject(inRoom), output: nothing },
  'room:sync': { input: z.strictObject(inRoom), output: z.strictObject({ state: roomViewSchema }) },
  'room:hand-raise': { input: z.strictObject(inRoom), output: z.strictObject({ position: z.int() }) },
  'room:hand-lower': { input: z.strictObject(inRoom), output: nothing },
  /** Accepts this person's hand; without `userId` the next in the queue. */
  'room:hand-accept': { input: z.strictObject({ ...inRoom, userId: z.optional(id) }), output: nothing },
  /** Declines this person's hand; without `userId` clears the queue. */
  'room:hand-decline': { input: z.strictObject({ ...inRoom, userId: z.optional(id) }), output: nothing },
  'room:hand-to-front': { input: z.strictObject(about), output: nothing },
  /** Withdraws or gives back somebody's right to raise a hand in this room (HD-5). */
  'room:hand-allow': { input: z.strictObject({ ...about, allowed: z.boolean() }), output: nothing },
  'room:invite-to-speak': { input: z.strictObject(about), output: nothing },
  'room:speak-answer': { input: z.strictObject({ ...inRoom, accept: z.boolean() }), output: nothing },
  /** Mutes or unmutes one's own microphone. */
  'room:mute-toggle': { input: z.strictObject({ ...inRoom, muted: z.boolean() }), output: nothing },
  /**
   * Makes somebody a speaker or moderator. A listener whose hand is not raised is invited to speak instead (HD-2):
   * `outcome` says which of the two happened.
   */
  'room:promote': {
    input: z.strictObject({ ...about, role: z._default(z.enum(['speaker', 'moderator']), 'speaker') }),
    output: z.strictObject({ outcome: z.enum(['promoted', 'invited']) }),
  },
  /** Returns somebody to the audience, or makes a moderator a speaker again. One's own id steps down. */
  'room:demote': {
    input: z.strictObject({ ...about, role: z._default(z.enum(['speaker', 'listener']), 'listener') }),
    output: nothing,
  },
  /** Mutes somebody; `locked` keeps them from unmuting themselves, and false lifts an earlier lock (MO-1). */
  'room:mute': { input: z.strictObject({ ...about, locked: z._default(z.boolean(), false), reason }), output: nothing },
  'room:mute-all': {
    input: z.strictObject({ ...inRoom, locked: z._default(z.boolean(), false), reason }),
    output: nothing,
  },
  'room:kick': { input: z.strictObject({ ...about, reason }), output: nothing },
  'room:ban': { input: z.strictObject({ ...about, reason }), output: nothing },
  /** Lifts a kick from this room and a ban by its host. */
  'room:unban': { input: z.strictObject(about), output: nothing },
  'room:update': { input: z.strictObject({ ...inRoom, changes: roomChangesSchema }), output: nothing },
  'room:handover': { input: z.strictObject(about), output: nothing },
  'room:end': { input: z.strictObject(inRoom), output: nothing },
} as const;
