import type { CallEndReason, CallMode, CallRoute } from '@rostrum/shared/protocol/call.ts';
import type { Ticket } from '../matching/ticket.ts';

/** One side of a call. */
export type CallSide = {
  readonly userId: string;
  /** The device that holds it (ID-5). */
  readonly sessionId: string;
  /** The node to which that device is connected, or was when its connection was lost. */
  readonly node: string;
  readonly displayName: string;
  /** Makes the first offer: who waited shorter (RD-1). */
  readonly offers: boolean;
  /** Their connection to the server is lost since then (RD-5). */
  readonly awaySince: number | null;
  /** Said that media flows, and has not said since that it was lost. */
  readonly linked: boolean;
  readonly route: CallRoute | null;
  readonly quality: QualitySummary;
  /** Asks for more time (RD-8). */
  readonly asksExtension: boolean;
  /** The microphone that the SFU carries (RD-4); null while it carries none. */
  readonly producerId: string | null;
  /** The node at which that microphone's media ends; after a move it may be another one than the side's, for a while. */
  readonly producerNode: string | null;
};

/** What one side measured, all reports together (RD-13). */
export type QualitySummary = {
  readonly reports: number;
  readonly lossPercent: { readonly sum: number; readonly worst: number };
  readonly jitterMs: { readonly sum: number; readonly worst: number };
  readonly roundTripMs: { readonly sum: number; readonly worst: number };
};

/**
 * How a call began. Random and direct calls differ in this alone, and in what follows from it: who waits again when a call did
 * not come about, and what is remembered of it.
 */
export type CallOrigin = { readonly kind: 'random'; readonly tickets: readonly [Ticket, Ticket] };

export type CallPhase = 'connecting' | 'connected' | 'reconnecting' | 'ended';

/** A call between two people. */
export type CallState = {
  readonly callId: string;
  readonly origin: CallOrigin;
  readonly mode: CallMode;
  /** Languages that both speak, in the order of the first side. */
  readonly languages: readonly string[];
  /** In the order of the tickets: who waited longer is first. */
  readonly sides: readonly [CallSide, CallSide];
  readonly phase: CallPhase;
  readonly matchedAt: number;
  /** When the attempt to connect is given up (RD-3). */
  readonly connectBy: number;
  /** When media flowed on both sides for the first time. */
  readonly connectedAt: number | null;
  /** While a side is lost, its connection or its media: until when the call can be resumed (RD-5). */
  readonly resumeUntil: number | null;
  /** When somebody last spoke, wrote or said that they are there (RD-7). */
  readonly activeAt: number;
  /** While it is asked whether anybody is there: until when to answer. */
  readonly answerUntil: number | null;
  /** When the time of the plan is over; null without plans (RD-8). */
  readonly endsAt: number | null;
  readonly warned: boolean;
  /** The SFU carries it (RD-4). */
  readonly throughSfu: boolean;
  readonly ended: CallEnd | null;
};

export type CallEnd = {
  readonly at: number;
  readonly reason: CallEndReason;
  /** Who ended it; null where it ended by itself. */
  readonly by: string | null;
};

export const sideOf = (call: CallState, userId: string): CallSide | undefined =>
  call.sides.find((side) => side.userId === userId);

export const partnerOf = (call: CallState, userId: string): CallSide | undefined =>
  sideOf(call, userId) && call.sides.find((side) => side.userId !== userId);

/** Whether both sides are there and have media. */
export const isWhole = ({ sides }: CallState): boolean =>
  sides.every(({ awaySince, linked }) => awaySince === null && linked);

/** Whether both sides have their connection to the server. */
export const isPresent = ({ sides }: CallState): boolean => sides.every(({ awaySince }) => awaySince === null);

/** Whether media flows on both sides, whatever became of their connections to the server. */
export const isLinked = ({ sides }: CallState): boolean => sides.every(({ linked }) => linked);

/** The side across from this one. */
export const otherSide = ({ sides: [first, second] }: CallState, side: CallSide): CallSide =>
  first.userId === side.userId ? second : first;

/** The ticket with which this side came into the call. */
export const ticketOf = ({ origin }: CallState, side: CallSide): Ticket => {
  const [first, second] = origin.tickets;
  return first.seeker.userId === side.userId ? first : second;
};

export type CallDeadlineKey = 'connect' | 'resume' | 'idle' | 'idle-answer' | 'warning' | 'end' | 'max-duration';
