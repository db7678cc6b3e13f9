import * as z from 'zod/mini';
import { isCandidate, isSessionDescription } from '../call/sdp.ts';
import { sizes } from '../limits.ts';
import { id, line, paragraph, timestamp } from './common.ts';
import { iceServer } from './listening.ts';

// ——— What every 1:1 call has, however it began ———

export const callModes = ['voice', 'video', 'text'] as const;
export type CallMode = (typeof callModes)[number];

/**
 * The way that media takes (RD-4, RD-13): directly, through a TURN server and how that is reached, or through the SFU. In
 * the order of preference. A text call has none.
 */
export const callRoutes = ['p2p_udp', 'p2p_tcp', 'turn_relay_udp', 'turn_relay_tcp', 'turn_relay_tls', 'sfu'] as const;
export type CallRoute = (typeof callRoutes)[number];

/** Why a call ended: one closed list for random and direct calls (DC-8). */
export const callEndReasons = [
  /** One side hung up. */
  'hung-up',
  /** One side went on to the next person (RD-6). */
  'next',
  /** One side blocked the other. The other is told `hung-up`. */
  'blocked',
  /** Not connected in time (RD-3). */
  'connect-timeout',
  /** A side was lost and did not come back in time (RD-5). */
  'lost',
  /** Nobody said anything, and nobody answered (RD-7). */
  'idle',
  /** The time of the plan is over (RD-8). */
  'time-limit',
  /** The longest time of any call is over (DC-8). */
  'max-duration',
  /** One side left for a room. */
  'left-for-room',
  'declined',
  'busy',
  'missed',
  'no-answer',
  'cancelled',
  'answered-elsewhere',
  'operator',
  'server-stopped',
] as const;
export type CallEndReason = (typeof callEndReasons)[number];

export const callModeSchema = z.enum(callModes);
export const callRouteSchema = z.enum(callRoutes);
export const callEndReasonSchema = z.enum(callEndReasons);

// ——— What is relayed (SE-5) ———

/**
 * Ids of the peer connections at the two ends. A page that came back builds a new one: a message `to` another one than the
 * present is of the past, and one `from` a new one says that the other side began anew. `to` is null as long as the other
 * end is not known.
 */
const between = { from: id, to: z.nullable(id) };

export const descriptionFields = {
  ...between,
  sdp: z.string().check(z.maxLength(sizes.sdp), z.refine(isSessionDescription)),
};

/** RTCIceCandidateInit of W3C WebRTC; an empty `candidate` says that there are no more. */
export const candidateFields = {
  ...between,
  candidate: z.string().check(z.maxLength(sizes.candidate), z.refine(isCandidate)),
  sdpMid: z.nullable(z.string().check(z.maxLength(16), z.regex(/^[\w-]*$/))),
  sdpMLineIndex: z.nullable(z.int().check(z.gte(0), z.lte(15))),
  /** RFC 8839 section 5.4: ice-ufrag has 4 to 256 characters. */
  usernameFragment: z.nullable(z.string().check(z.maxLength(256), z.regex(/^[\w+/-]*$/))),
};

// ——— What is said about a call ———

const figure = (max: number) => z.number().check(z.gte(0), z.lte(max));

/** What one side measured over the last interval (W3C webrtc-stats), and whether its person spoke in it (RD-7). */
export const qualityFields = {
  lossPercent: figure(100),
  jitterMs: figure(60_000),
  roundTripMs: figure(60_000),
  /** Both directions together, in bits a second. */
  bitrate: figure(1e9),
  spoke: z.boolean(),
};

export const chatText = paragraph(sizes.callMessage).check(z.minLength(1));
export const chatMessageSchema = z.strictObject({ messageId: id, byId: id, text: z.string(), at: timestamp });
export type CallChatMessage = z.output<typeof chatMessageSchema>;

/** RD-9 */
export const ratingFields = {
  rating: z.optional(z.int().check(z.gte(1), z.lte(5))),
  comment: z.optional(paragraph(sizes.comment)),
};

/** SF-1, in the order in which they are looked at (SF-2). */
export const reportTypes = ['minor', 'threat', 'sexual', 'harassment', 'hate', 'spam', 'other'] as const;
export type ReportType = (typeof reportTypes)[number];
export const reportFields = {
  type: z.enum(reportTypes),
  text: z._default(paragraph(sizes.reportText), ''),
};

export const partnerSchema = z.strictObject({
  id,
  displayName: z.string(),
  /** Null: initials are drawn of the name. */
  avatarUrl: z.nullable(z.string()),
});
export type Partner = z.output<typeof partnerSchema>;

/** What a client needs to connect to the other side of a call. */
export const linkFields = {
  /** This side makes the first offer, and is impolite in perfect negotiation (W3C WebRTC section 10.7). */
  initiateConnection: z.boolean(),
  iceServers: z.array(iceServer),
  /** Only relayed candidates, so that no address is told (RD-12, RD-3). */
  relayOnly: z.boolean(),
  /** When nothing else connects, the SFU may carry the call (RD-4). */
  sfuAllowed: z.boolean(),
};

export const languageSchema = z
  .string()
  .check(z.maxLength(sizes.language), z.regex(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/));
export const interestSchema = line(1, sizes.interest);
