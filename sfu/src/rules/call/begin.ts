import type { Limits } from '@rostrum/shared/limits.ts';
import { sharedLanguages } from '../matching/choose-partner.ts';
import type { Ticket } from '../matching/ticket.ts';
import { planEnd } from './plan.ts';
import type { CallSide, CallState, QualitySummary } from './state.ts';

const nothingMeasured: QualitySummary = {
  reports: 0,
  lossPercent: { sum: 0, worst: 0 },
  jitterMs: { sum: 0, worst: 0 },
  roundTripMs: { sum: 0, worst: 0 },
};

/**
 * The call of two people who were matched just now. Who waited longer is first and answers, the other offers (RD-1). A text
 * call is connected from its beginning: there is no media to negotiate.
 */
export const beginning = (
  tickets: readonly [Ticket, Ticket],
  context: { readonly callId: string; readonly now: number; readonly limits: Limits; readonly plans: boolean },
): CallState => {
  const { callId, now, limits, plans } = context;
  const [first, second] = byWait(tickets);
  const { mode } = first.search;
  const isText = mode === 'text';
  const origin: CallState['origin'] = { kind: 'random', tickets: [first, second] };
  return {
    callId,
    origin,
    mode,
    languages: sharedLanguages(first.search.languages, second.search.languages),
    sides: [sideFor(first, { offers: false, linked: isText }), sideFor(second, { offers: true, linked: isText })],
    phase: isText ? 'connected' : 'connecting',
    matchedAt: now,
    connectBy: now + limits.connectMs,
    connectedAt: isText ? now : null,
    resumeUntil: null,
    activeAt: now,
    answerUntil: null,
    endsAt: isText && plans ? planEnd(origin, now, limits) : null,
    warned: false,
    throughSfu: false,
    ended: null,
  };
};

const byWait = ([one, other]: readonly [Ticket, Ticket]): readonly [Ticket, Ticket] => {
  const isFirst = one.queuedAt === other.queuedAt ? one.ticketId < other.ticketId : one.queuedAt < other.queuedAt;
  return isFirst ? [one, other] : [other, one];
};

const sideFor = ({ seeker }: Ticket, { offers, linked }: Pick<CallSide, 'offers' | 'linked'>): CallSide => ({
  userId: seeker.userId,
  sessionId: seeker.sessionId,
  node: seeker.node,
  displayName: seeker.displayName,
  offers,
  awaySince: null,
  linked,
  route: null,
  quality: nothingMeasured,
  asksExtension: false,
  producerId: null,
  producerNode: null,
});
