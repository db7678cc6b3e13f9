import { avoiding } from '../matching/queue.ts';
import type { CallEvent, CallEventOf } from './events.ts';
import {
  type CallOrigin,
  type CallPhase,
  type CallSide,
  type CallState,
  isWhole,
  type QualitySummary,
} from './state.ts';

/** Folds one event into the state. Pure and total: it takes every event that `decide` makes, and decides nothing. */
export const evolve = (call: CallState, event: CallEvent): CallState => {
  switch (event.type) {
    case 'linked':
      return withSide(call, event.userId, () => ({ linked: true, route: event.route }));
    case 'lost':
      return broken(withSide(call, event.userId, () => lossOf(event)));
    case 'returned':
      return healed(withSide(call, event.userId, () => ({ awaySince: null })));
    case 'relocated':
      return healed(withSide(call, event.userId, () => ({ node: event.to, awaySince: null })));
    case 'moved':
      return hiding(moved(call, event), event);
    case 'measured':
      return withSide(call, event.userId, ({ quality }) => ({ quality: withReport(quality, event.report) }));
    case 'extension-asked':
      return withSide(call, event.userId, () => ({ asksExtension: true }));
    case 'extended':
      return withSides({ ...call, endsAt: event.endsAt, warned: false }, () => ({ asksExtension: false }));
    case 'sfu-chosen':
      // Nobody has the new way yet, whatever the one before carried.
      return broken(
        withSides({ ...call, throughSfu: true, connectBy: event.connectBy }, () => ({ linked: false, route: null })),
      );
    case 'microphone-opened':
      return withSide(call, event.userId, () => ({ producerId: event.producerId, producerNode: event.node }));
    case 'microphone-closed':
      return withSide(call, event.userId, () => noMicrophone);
    case 'avoided':
      return { ...call, origin: withTicket(call.origin, event.userId, (ticket) => avoiding(ticket, event.avoidedId)) };
    default:
      return { ...call, ...change(call, event) };
  }
};

const noMicrophone = { producerId: null, producerNode: null } as const;

/** Events that change nothing but fields of the call itself. */
type OwnEvent = CallEventOf<'connected' | 'window-opened' | 'active' | 'idle-asked' | 'warned' | 'ended'>;

const change = (call: CallState, event: OwnEvent): Partial<CallState> => {
  switch (event.type) {
    case 'connected':
      return {
        phase: 'connected',
        connectedAt: call.connectedAt ?? event.at,
        endsAt: event.endsAt,
        resumeUntil: null,
        activeAt: event.at,
        answerUntil: null,
      };
    case 'window-opened':
      return { resumeUntil: event.until };
    case 'active':
      return { activeAt: event.at, answerUntil: null };
    case 'idle-asked':
      return { answerUntil: event.until };
    case 'warned':
      return { warned: true };
    case 'ended':
      return { phase: 'ended', ended: event.end, resumeUntil: null, answerUntil: null };
    default:
      return event satisfies never;
  }
};

const withSides = (call: CallState, changed: (side: CallSide) => Partial<CallSide>): CallState => {
  const [first, second] = call.sides;
  return {
    ...call,
    sides: [
      { ...first, ...changed(first) },
      { ...second, ...changed(second) },
    ],
  };
};

const withSide = (call: CallState, userId: string, changed: (side: CallSide) => Partial<CallSide>): CallState =>
  withSides(call, (side) => (side.userId === userId ? changed(side) : {}));

const lossOf = ({ what, at }: CallEventOf<'lost'>): Partial<CallSide> =>
  what === 'connection' ? { awaySince: at } : { linked: false };

/** A new page has no media yet. A text call has none to wait for. */
const moved = (call: CallState, { userId, to, node }: CallEventOf<'moved'>): CallState =>
  healed(
    broken(
      withSide(call, userId, () => ({
        sessionId: to,
        node,
        awaySince: null,
        linked: call.mode === 'text',
        ...noMicrophone,
      })),
    ),
  );

/** What a device asks for holds for the call from then on; what the one before asked for holds, too. */
const hiding = (call: CallState, { userId, hideAddress }: CallEventOf<'moved'>): CallState => {
  const hidden = (ticket: CallOrigin['tickets'][number]) => ({
    ...ticket,
    search: { ...ticket.search, hideAddress: true },
  });
  return hideAddress ? { ...call, origin: withTicket(call.origin, userId, hidden) } : call;
};

/** A call that was connected, and is so no more on both sides, looks for a way again (RD-5). */
const broken = (call: CallState): CallState => ({ ...call, phase: isWhole(call) ? call.phase : brokenPhase(call) });

const brokenPhase = ({ connectedAt }: CallState): CallPhase => (connectedAt === null ? 'connecting' : 'reconnecting');

/** While a call connects for the first time, its window is about connections to the server alone: `connectBy` is about media. */
const healed = (call: CallState): CallState => {
  const isOver = call.connectedAt === null && call.sides.every(({ awaySince }) => awaySince === null);
  return isOver ? { ...call, resumeUntil: null } : call;
};

const withReport = (quality: QualitySummary, report: CallEventOf<'measured'>['report']): QualitySummary => ({
  reports: quality.reports + 1,
  lossPercent: withFigure(quality.lossPercent, report.lossPercent),
  jitterMs: withFigure(quality.jitterMs, report.jitterMs),
  roundTripMs: withFigure(quality.roundTripMs, report.roundTripMs),
});

const withFigure = (figure: QualitySummary['jitterMs'], value: number): QualitySummary['jitterMs'] => ({
  sum: figure.sum + value,
  worst: Math.max(figure.worst, value),
});

const withTicket = (
  { kind, tickets: [first, second] }: CallOrigin,
  userId: string,
  changed: (ticket: CallOrigin['tickets'][number]) => CallOrigin['tickets'][number],
): CallOrigin => {
  const ticketAfter = (ticket: CallOrigin['tickets'][number]) =>
    ticket.seeker.userId === userId ? changed(ticket) : ticket;
  return { kind, tickets: [ticketAfter(first), ticketAfter(second)] };
};
