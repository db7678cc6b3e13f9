import * as z from 'zod/mini';
import { errorCodes } from '../errors.ts';
import { sizes } from '../limits.ts';
import { reportFields } from './call.ts';
import { id, line, timestamp } from './common.ts';
import { randomServiceSchema } from './random.ts';
import { moderationEntrySchema, participantSchema, roleSchema, roomInfoSchema } from './room.ts';
import { tokenSchema } from './session.ts';

/** Every error over HTTP (and, as `error`, in the acknowledgement of a socket command). */
export const errorBodySchema = z.strictObject({
  error: z.strictObject({
    code: z.enum(errorCodes),
    message: z.string(),
    retryAfterMs: z.optional(z.int()),
    path: z.optional(z.string()),
  }),
});

export const userKinds = ['guest', 'member', 'admin'] as const;
export type UserKind = (typeof userKinds)[number];

/** PL-1 */
export const plans = ['free', 'premium'] as const;
export type Plan = (typeof plans)[number];

export const signInGuestSchema = z.strictObject({ displayName: line(1, sizes.displayName) });
export const refreshSchema = z.strictObject({ token: tokenSchema });
/** OP-7: the code of the one-time link, and the name of the first administrator. */
export const claimAdminSchema = z.strictObject({ code: id, displayName: line(1, sizes.displayName) });

export const signedInSchema = z.strictObject({
  token: z.string(),
  expiresAt: timestamp,
  user: z.strictObject({ userId: id, displayName: z.string(), kind: z.enum(userKinds) }),
});
export type SignedIn = z.output<typeof signedInSchema>;

/** A room's card in a list. */
export const roomCardSchema = z.strictObject({
  ...roomInfoSchema.shape,
  /** Who is on the stage: up to 5 (ui: Home). */
  faces: z.array(z.strictObject({ userId: id, displayName: z.string() })),
  stageCount: z.int(),
  listenerCount: z.int(),
});
export type RoomCard = z.output<typeof roomCardSchema>;

const pageLimit = z._default(z.coerce.number().check(z.int(), z.gte(1), z.lte(sizes.pageMax)), sizes.page);

export const roomListQuerySchema = z.strictObject({
  /** `nextCursor` of the page before. */
  cursor: z.optional(z.string().check(z.maxLength(64), z.regex(/^[\w.-]+$/))),
  limit: pageLimit,
});
export const roomListSchema = z.strictObject({ rooms: z.array(roomCardSchema), nextCursor: z.nullable(z.string()) });
export type RoomList = z.output<typeof roomListSchema>;

export const participantsQuerySchema = z.strictObject({
  page: z._default(z.coerce.number().check(z.int(), z.gte(1), z.lte(10_000)), 1),
  limit: pageLimit,
  query: z.optional(line(0, sizes.query)),
  /** Only the audience: the stage is in everybody's view already. */
  role: z.optional(z.literal('listener')),
});
export const participantsSchema = z.strictObject({
  participants: z.array(participantSchema),
  /** How many there are in all pages. */
  total: z.int(),
  page: z.int(),
});

/** Whether and how this person may join, without taking a seat. */
export const joinAnswerSchema = z.strictObject({
  /** Where to connect the socket, and the room to name in `room:join`. */
  socketUrl: z.string(),
  roomId: id,
  /** The role that joining gives now. */
  role: roleSchema,
});

/** ID-8: what a person has accepted; only the answer is stored. */
export const consentsSchema = z.strictObject({
  houseRules: z.boolean(),
  /** The age that they confirmed to have at least; null: none yet. */
  minimumAge: z.nullable(z.int().check(z.gte(0), z.lte(120))),
});
export type Consents = z.output<typeof consentsSchema>;
/** Adds to what was accepted. */
export const giveConsentSchema = z.strictObject({
  houseRules: z.optional(z.literal(true)),
  minimumAge: z.optional(z.int().check(z.gte(0), z.lte(120))),
});

/** People whom this person has blocked (SF-4), the latest first. */
export const blocksSchema = z.strictObject({
  blocks: z.array(z.strictObject({ userId: id, displayName: z.string(), at: timestamp })),
});
export type Blocks = z.output<typeof blocksSchema>;

/** SF-1: reports somebody in a room; the log of its moderation goes along as evidence. */
export const reportPersonSchema = z.strictObject({ userId: id, ...reportFields });

/** What the home page shows of random calls, before anybody is connected. */
export const randomServiceBodySchema = randomServiceSchema;

/** RQ-8: switches random calls while running. `sharePercent`: for how many of a hundred people they are on. */
export const switchRandomSchema = z.strictObject({
  enabled: z.boolean(),
  reason: z._default(z.nullable(line(0, sizes.featureReason)), null),
  until: z._default(z.nullable(timestamp), null),
  sharePercent: z._default(z.int().check(z.gte(0), z.lte(100)), 100),
});
export type RandomSwitch = z.output<typeof switchRandomSchema>;

export const moderationLogSchema = z.strictObject({ entries: z.array(moderationEntrySchema) });
