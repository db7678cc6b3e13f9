import { userKinds } from '@rostrum/shared/protocol/rest.ts';
import {
  endReasons,
  handSchema,
  openInvitationSchema,
  roleSchema,
  roomSettingsSchema,
} from '@rostrum/shared/protocol/room.ts';
import * as z from 'zod/mini';
import type { RoomControl, Seat, Standing } from '../rules/room/state.ts';

/**
 * What is read back of rooms: from Redis, or from another node. Fields that are not known here are kept: a node of the next version may have written them, and
 * while a cluster is restarted one after the other they serve the same rooms.
 */
const time = z.nullable(z.int());

const moderatorsMute = z.looseObject({
  by: z.literal('moderator'),
  byName: z.string(),
  reason: z.nullable(z.string()),
  locked: z.boolean(),
});
const mute = z.discriminatedUnion('by', [z.looseObject({ by: z.literal('self') }), moderatorsMute]);

const seat = z.looseObject({
  userId: z.string(),
  displayName: z.string(),
  kind: z.enum(userKinds),
  role: roleSchema,
  joinedAt: z.int(),
  sessionId: z.string(),
  node: z.string(),
  awaySince: time,
  stageSince: time,
  producerId: z.nullable(z.string()),
  producerNode: z.nullable(z.string()),
  mute: z.nullable(mute),
});

const standing = z.looseObject({
  excluded: z.exactOptional(z.looseObject({ userId: z.string(), banned: z.boolean(), until: time })),
  handRightWithdrawn: z.exactOptional(z.literal(true)),
  lockedMute: z.exactOptional(moderatorsMute),
  returnedToAudience: z.exactOptional(z.literal(true)),
});

const control = z.looseObject({
  roomId: z.string(),
  settings: z.looseObject(roomSettingsSchema.shape),
  status: z.enum(['active', 'ended']),
  createdAt: z.int(),
  startedAt: z.int(),
  endedAt: time,
  endReason: z.nullable(z.enum(endReasons)),
  endsAt: z.int(),
  endAnnounced: z.boolean(),
  hostId: z.string(),
  formerHost: z.nullable(z.looseObject({ userId: z.string(), until: z.int() })),
  hostAbsentSince: time,
  emptySince: time,
  moderators: z.array(z.string()),
  stage: z.array(seat),
  hands: z.array(z.looseObject(handSchema.shape)),
  invitations: z.array(z.looseObject(openInvitationSchema.shape)),
  audienceListed: z.boolean(),
});

export const roomControlValue: z.ZodMiniType<RoomControl> = control;
export const seatValue: z.ZodMiniType<Seat> = seat;
export const standingValue: z.ZodMiniType<Standing> = standing;
