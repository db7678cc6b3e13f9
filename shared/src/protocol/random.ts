import * as z from 'zod/mini';
import { sizes } from '../limits.ts';
import {
  callEndReasonSchema,
  callModeSchema,
  callRouteSchema,
  candidateFields,
  chatMessageSchema,
  chatText,
  descriptionFields,
  interestSchema,
  languageSchema,
  linkFields,
  partnerSchema,
  qualityFields,
  ratingFields,
  reportFields,
} from './call.ts';
import { id, nothing, timestamp } from './common.ts';

// ——— Looking for somebody ———

/** RQ-3: what an operator can let people filter by. */
export const matchFilters = ['reputation', 'gender', 'age'] as const;
export type MatchFilter = (typeof matchFilters)[number];

export const genders = ['female', 'male', 'other'] as const;
export type Gender = (typeof genders)[number];
/** Ages as people give them for matching: never exact, never shown (ID-7). */
export const ageRanges = ['18-24', '25-34', '35-44', '45-54', '55+'] as const;
export type AgeRange = (typeof ageRanges)[number];

/** Who somebody wants to talk to, and what is known of them for that. */
export const searchSchema = z.strictObject({
  mode: callModeSchema,
  /** Languages that this person speaks (BCP 47), the best first. */
  languages: z._default(z.array(languageSchema).check(z.maxLength(sizes.languages)), []),
  /** RQ-2: prefer somebody who shares a language, in the order given. */
  preferLanguages: z._default(z.boolean(), false),
  interests: z._default(z.array(interestSchema).check(z.maxLength(sizes.interests)), []),
  region: z._default(z.nullable(z.string().check(z.regex(/^[A-Z]{2}$/))), null),
  about: z.prefault(
    z.strictObject({
      gender: z._default(z.nullable(z.enum(genders)), null),
      ageRange: z._default(z.nullable(z.enum(ageRanges)), null),
    }),
    {},
  ),
  /** RQ-3: only those that the operator has enabled. */
  filters: z.prefault(
    z.strictObject({
      minReputation: z._default(z.nullable(z.int().check(z.gte(0), z.lte(100))), null),
      genders: z._default(z.nullable(z.array(z.enum(genders)).check(z.minLength(1))), null),
      ageRanges: z._default(z.nullable(z.array(z.enum(ageRanges)).check(z.minLength(1))), null),
    }),
    {},
  ),
  /** RD-12 */
  hideAddress: z._default(z.boolean(), false),
});
export type Search = z.output<typeof searchSchema>;

const queuedSchema = z.strictObject({
  /** One's place, from 1. */
  position: z.int(),
  /** How many wait in this mode, oneself included. */
  waiting: z.int(),
  mode: callModeSchema,
  since: timestamp,
  /** Filters that were relaxed since then (RQ-3). */
  relaxed: z.array(z.enum(matchFilters)),
  /** Until when somebody who shares a language is waited for (RQ-2); null when anybody will do. */
  languageUntil: z.nullable(timestamp),
});
export type Queued = z.output<typeof queuedSchema>;

export const dequeuedReasons = ['cancelled', 'timeout', 'elsewhere', 'room', 'lost', 'server-stopped'] as const;
export type DequeuedReason = (typeof dequeuedReasons)[number];

// ——— The call ———

const inCall = { sessionId: id };

const matchFields = {
  ...inCall,
  mode: callModeSchema,
  partner: partnerSchema,
  /** Languages that both speak, in this person's order. */
  languages: z.array(languageSchema),
  ...linkFields,
  /** When the attempt to connect is given up (RD-3). */
  connectBy: timestamp,
};
const matchSchema = z.strictObject(matchFields);
export type Match = z.output<typeof matchSchema>;

const extensionFields = {
  /** When the call ends by itself; null where its time is not limited (RD-8). */
  endsAt: z.nullable(timestamp),
  /** Who asked for more time; with both, the call is extended. */
  asked: z.boolean(),
  partnerAsked: z.boolean(),
};

/** Where a session stands; what `random:sync` answers with. */
export const randomStateSchema = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('idle') }),
  z.strictObject({ state: z.literal('queued'), queued: queuedSchema }),
  z.strictObject({
    state: z.literal('call'),
    match: matchSchema,
    phase: z.enum(['connecting', 'connected', 'reconnecting']),
    /** When it was first connected. */
    connectedAt: z.nullable(timestamp),
    /** While a side is lost: until when the call can be resumed (RD-5). */
    resumeUntil: z.nullable(timestamp),
    partnerAway: z.boolean(),
    /** While it is asked whether anybody is there: until when to answer (RD-7). */
    answerUntil: z.nullable(timestamp),
    ...extensionFields,
    /** The SFU carries it (RD-4). */
    throughSfu: z.boolean(),
    chat: z.array(chatMessageSchema),
  }),
]);
export type RandomState = z.output<typeof randomStateSchema>;

/** RQ-7 */
export const randomStatsFields = { totalActive: z.int(), inQueue: z.int(), activeCalls: z.int() };

/** What the page has to know before anybody searches. */
export const randomServiceSchema = z.strictObject({
  /** Whether this person can search now; false while the operator has switched it off (RQ-8). */
  available: z.boolean(),
  reason: z.nullable(z.string()),
  until: z.nullable(timestamp),
  /** ID-8 */
  minimumAge: z.int(),
  filters: z.array(z.enum(matchFilters)),
  /** Whether one's address can be hidden, and whether it always is (RD-12). */
  relay: z.enum(['none', 'optional', 'always']),
  stats: z.strictObject(randomStatsFields),
});
export type RandomService = z.output<typeof randomServiceSchema>;

export const randomCommands = {
  /** Begins or stops hearing `random:stats_update`, and tells what the page has to know. */
  'random:watch': { input: z.strictObject({ watching: z.boolean() }), output: randomServiceSchema },
  /**
   * After the page or its connection came back: where this session stands. Takes up its place in the queue or its side of
   * the call again; a call or place that another device of this person holds stays there.
   */
  'random:sync': { input: nothing, output: z.strictObject({ state: randomStateSchema }) },
  /**
   * Searches. Who is in the audience of a room is refused with `in_room`, unless `leaveRoom` says to leave it first; who is on a
   * stage with `on_stage`. Where another device of this person waits or talks, that moves here (ID-5).
   */
  'random:start_queue': {
    input: z.strictObject({ ...searchSchema.shape, leaveRoom: z._default(z.boolean(), false) }),
    output: z.strictObject({ state: randomStateSchema }),
  },
  'random:cancel_queue': { input: nothing, output: nothing },
  'random:offer': { input: z.strictObject({ ...inCall, ...descriptionFields }), output: nothing },
  'random:answer': { input: z.strictObject({ ...inCall, ...descriptionFields }), output: nothing },
  'random:ice_candidate': { input: z.strictObject({ ...inCall, ...candidateFields }), output: nothing },
  /** Media flows, and over which route. Also after it had been lost. */
  'random:connected': { input: z.strictObject({ ...inCall, route: callRouteSchema }), output: nothing },
  /** Media was lost while the connection to the server stands; a new path is being looked for (RD-5). */
  'random:reconnecting': { input: z.strictObject(inCall), output: nothing },
  /** No path was found: asks for the SFU to carry the call, where that is allowed (RD-4). */
  'random:use_sfu': { input: z.strictObject(inCall), output: nothing },
  'random:quality': { input: z.strictObject({ ...inCall, ...qualityFields }), output: nothing },
  'random:chat': {
    input: z.strictObject({ ...inCall, text: chatText }),
    output: z.strictObject({ message: chatMessageSchema }),
  },
  'random:still_here': { input: z.strictObject(inCall), output: nothing },
  /** Asks for more time, or agrees to it (RD-8). */
  'random:extend': { input: z.strictObject(inCall), output: nothing },
  /** Ends the call and queues at once, with the same search (RD-6). */
  'random:next_partner': {
    input: z.strictObject(inCall),
    output: z.strictObject({ state: randomStateSchema }),
  },
  /** Ends the call; during it or within a day after it, rates it (RD-9). A later rating takes the place of an earlier one. */
  'random:end_call': { input: z.strictObject({ ...inCall, ...ratingFields }), output: nothing },
  /** During the call, or as long as it is kept. A second report adds to the first (SF-1). */
  'random:report_user': { input: z.strictObject({ ...inCall, ...reportFields }), output: nothing },
  /** During the call (which it ends), or as long as it is kept (SF-4). */
  'random:block_user': { input: z.strictObject(inCall), output: nothing },
} as const;

export const randomEvents = {
  /** One's place in the queue, whenever it changes. */
  'random:queued': queuedSchema,
  'random:dequeued': z.strictObject({ reason: z.enum(dequeuedReasons) }),
  'random:match_instant': matchSchema,
  'random:offer': z.strictObject({ ...inCall, ...descriptionFields }),
  'random:answer': z.strictObject({ ...inCall, ...descriptionFields }),
  'random:ice_candidate': z.strictObject({ ...inCall, ...candidateFields }),
  /** Both sides said that media flows. `connectedAt` is of the first time. */
  'random:connected': z.strictObject({ ...inCall, connectedAt: timestamp, ...extensionFields }),
  'random:chat': z.strictObject({ ...inCall, message: chatMessageSchema }),
  'random:stats_update': z.strictObject(randomStatsFields),
  /** A side is lost; the call can be resumed until then (RD-5). */
  'random:partner_disconnected': z.strictObject({ ...inCall, resumeUntil: timestamp }),
  'random:partner_returned': z.strictObject(inCall),
  /**
   * Not connected in time (RD-3). `failuresInARow` are those of this person; from the third on they are connected through
   * the relay, which `relayFromNow` says. `requeued`: they wait at the front again.
   */
  'random:connection_timeout': z.strictObject({
    ...inCall,
    requeued: z.boolean(),
    failuresInARow: z.int(),
    relayFromNow: z.boolean(),
  }),
  /** Is anybody there (RD-7)? Null: somebody is. */
  'random:idle_check': z.strictObject({ ...inCall, answerUntil: z.nullable(timestamp) }),
  'random:time_warning': z.strictObject({ ...inCall, ...extensionFields }),
  /** From now on the SFU carries the call (RD-4): its media is that of the room with the call's id. */
  'random:sfu': z.strictObject(inCall),
  'random:call_ended': z.strictObject({
    ...inCall,
    reason: callEndReasonSchema,
    /** Whether it was this person who ended it. */
    byYou: z.boolean(),
    /** One waits for the next person already. */
    requeued: z.boolean(),
  }),
  /** Another device of this person took the call over (ID-5). */
  'random:joined_elsewhere': z.strictObject(inCall),
  /** The operator switched it off: the search is over, calls go on (RQ-8). */
  'random:feature_unavailable': z.strictObject({ reason: z.nullable(z.string()), until: z.nullable(timestamp) }),
} as const;
