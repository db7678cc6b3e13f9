import { callEndReasonSchema, callModeSchema, callRouteSchema } from '@rostrum/shared/protocol/call.ts';
import { matchFilters, searchSchema } from '@rostrum/shared/protocol/random.ts';
import { plans, userKinds } from '@rostrum/shared/protocol/rest.ts';
import * as z from 'zod/mini';
import type { CallState } from '../rules/call/state.ts';
import type { History, Ticket } from '../rules/matching/ticket.ts';

/** What is read back of calls and the queue. Fields that are not known here are kept (room-values.ts). */
const time = z.nullable(z.int());

const history = z.looseObject({
  recent: z.array(z.looseObject({ userId: z.string(), until: z.int() })),
  failed: z.array(z.looseObject({ userId: z.string(), times: z.int(), until: z.int() })),
  failuresInARow: z.int(),
  relay: z.exactOptional(z.literal(true)),
});

const ticket = z.looseObject({
  ticketId: z.string(),
  seeker: z.looseObject({
    userId: z.string(),
    sessionId: z.string(),
    node: z.string(),
    displayName: z.string(),
    kind: z.enum(userKinds),
    plan: z.enum(plans),
    reputation: z.number(),
  }),
  search: z.looseObject(searchSchema.shape),
  queuedAt: z.int(),
  front: z.boolean(),
  languageUntil: z.int(),
  relaxed: z.array(z.enum(matchFilters)),
  awaySince: time,
  history,
  blocked: z.array(z.string()),
});

const measured = z.looseObject({ sum: z.number(), worst: z.number() });

const side = z.looseObject({
  userId: z.string(),
  sessionId: z.string(),
  node: z.string(),
  displayName: z.string(),
  offers: z.boolean(),
  awaySince: time,
  linked: z.boolean(),
  route: z.nullable(callRouteSchema),
  quality: z.looseObject({ reports: z.int(), lossPercent: measured, jitterMs: measured, roundTripMs: measured }),
  asksExtension: z.boolean(),
  producerId: z.nullable(z.string()),
  producerNode: z.nullable(z.string()),
});

const call = z.looseObject({
  callId: z.string(),
  origin: z.looseObject({ kind: z.literal('random'), tickets: z.tuple([ticket, ticket]) }),
  mode: callModeSchema,
  languages: z.array(z.string()),
  sides: z.tuple([side, side]),
  phase: z.enum(['connecting', 'connected', 'reconnecting', 'ended']),
  matchedAt: z.int(),
  connectBy: z.int(),
  connectedAt: time,
  resumeUntil: time,
  activeAt: z.int(),
  answerUntil: time,
  endsAt: time,
  warned: z.boolean(),
  throughSfu: z.boolean(),
  ended: z.nullable(z.looseObject({ at: z.int(), reason: callEndReasonSchema, by: z.nullable(z.string()) })),
});

export const ticketValue: z.ZodMiniType<Ticket> = ticket;
export const callValue: z.ZodMiniType<CallState> = call;
export const historyValue: z.ZodMiniType<History> = history;
