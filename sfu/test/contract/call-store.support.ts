import type { CallMode } from '@rostrum/shared/protocol/call.ts';
import { searchSchema } from '@rostrum/shared/protocol/random.ts';
import type { CallSide, CallState } from '../../src/rules/call/state.ts';
import { type History, noHistory, type Ticket, type TicketDeadlineKey } from '../../src/rules/matching/ticket.ts';
import { newId } from '../../src/runtime/ids.ts';
import type {
  CallCommit,
  CallStore,
  Claim,
  LoadedCall,
  StoredTicket,
  TicketEntry,
} from '../../src/state/call-store.ts';
import { inTime, type SuiteClock } from './suite-clock.ts';

/** A store to test, empty. */
export type CallStoreUnderTest = {
  readonly store: CallStore;
  readonly clock: SuiteClock;
  close(): Promise<void>;
};

/** When everything in these tests happens. A store goes by its own clock only where something expires. */
export const start = 1_750_000_000_000;
/** More than there will be. */
export const plenty = 100_000;

export const ticket = (more: Partial<Ticket> & { userId?: string; mode?: CallMode } = {}): Ticket => {
  const { userId = newId(), mode = 'voice', ...fields } = more;
  return {
    ticketId: newId(),
    seeker: {
      userId,
      sessionId: newId(),
      node: 'a node',
      displayName: `Person ${userId.slice(0, 4)}`,
      kind: 'guest',
      plan: 'free',
      reputation: 50,
    },
    search: searchSchema.parse({ mode, languages: ['en'] }),
    queuedAt: start,
    front: false,
    languageUntil: start,
    relaxed: [],
    awaySince: null,
    history: noHistory,
    blocked: [],
    ...fields,
  };
};

export const entry = (of: Ticket, deadlines: readonly [TicketDeadlineKey, number][] = []): TicketEntry => ({
  ticket: of,
  deadlines: new Map(deadlines),
});

const sideOf = ({ seeker }: Ticket, offers: boolean): CallSide => ({
  userId: seeker.userId,
  sessionId: seeker.sessionId,
  node: seeker.node,
  displayName: seeker.displayName,
  offers,
  awaySince: null,
  linked: false,
  route: null,
  quality: {
    reports: 0,
    lossPercent: { sum: 0, worst: 0 },
    jitterMs: { sum: 0, worst: 0 },
    roundTripMs: { sum: 0, worst: 0 },
  },
  asksExtension: false,
  producerId: null,
  producerNode: null,
});

export const callOf = (one: Ticket, other: Ticket, callId = newId()): CallState => ({
  callId,
  origin: { kind: 'random', tickets: [one, other] },
  mode: one.search.mode,
  languages: ['en'],
  sides: [sideOf(one, false), sideOf(other, true)],
  phase: 'connecting',
  matchedAt: start,
  connectBy: start + 8000,
  connectedAt: null,
  resumeUntil: null,
  activeAt: start,
  answerUntil: null,
  endsAt: null,
  warned: false,
  throughSfu: false,
  ended: null,
});

export const claimOf = (one: StoredTicket, other: StoredTicket, more: Partial<Claim> = {}): Claim => ({
  tickets: [one, other],
  call: callOf(one.ticket, other.ticket),
  deadlines: new Map(),
  most: plenty,
  expiresAt: inTime,
  ...more,
});

/** A commit that changes nothing but what is said. */
export const commitOf = ({ call, version }: LoadedCall, more: Partial<CallCommit> = {}): CallCommit => ({
  callId: call.callId,
  version,
  after: call,
  deadlines: new Map(),
  histories: new Map(),
  historyUntil: start,
  requeue: [],
  expiresAt: inTime,
  ...more,
});

export const endedCall = (call: CallState): CallState => ({
  ...call,
  phase: 'ended',
  ended: { at: start, reason: 'hung-up', by: call.sides[0].userId },
});

export const historyWith = (partnerId: string, until = start): History => ({
  ...noHistory,
  recent: [{ userId: partnerId, until }],
});
