import type { EventPayload } from '@rostrum/shared/protocol/index.ts';
import type { Ticket } from '../matching/ticket.ts';
import type { CallEvent, CallEventOf } from './events.ts';
import { type CallEnd, type CallSide, type CallState, otherSide, sideOf, ticketOf } from './state.ts';
import { extensionOf } from './view.ts';

type CallEventName =
  | 'random:connected'
  | 'random:partner_disconnected'
  | 'random:partner_returned'
  | 'random:idle_check'
  | 'random:time_warning'
  | 'random:sfu'
  | 'random:joined_elsewhere'
  | 'random:connection_timeout'
  | 'random:call_ended';

/** What one session of one side is told. */
type Outgoing<Name extends CallEventName> = {
  readonly userId: string;
  readonly sessionId: string;
  readonly name: Name;
  readonly payload: EventPayload<Name>;
};
export type OutgoingCallEvent = { [Name in CallEventName]: Outgoing<Name> }[CallEventName];

/** A command's way from one state to another, and who waits again after it. */
type Change = {
  readonly before: CallState;
  readonly after: CallState;
  readonly events: readonly CallEvent[];
  readonly requeued: ReadonlyMap<string, Ticket>;
};

/**
 * What each side is told of the events of one command, which led from `before` to `after`; `requeued` are the tickets of those
 * who wait again, by user. It says how things stand after all of them. Pure.
 */
export const projectCall = (
  before: CallState,
  after: CallState,
  events: readonly CallEvent[],
  requeued: ReadonlyMap<string, Ticket>,
): OutgoingCallEvent[] => events.flatMap((event) => projectOne(event, { before, after, events, requeued }));

const projectOne = (event: CallEvent, change: Change): OutgoingCallEvent[] => {
  const { after } = change;
  switch (event.type) {
    case 'connected':
      return [...connected(after, event), ...answered(change)];
    case 'lost':
      return lossOf(event, change);
    case 'returned':
      return backAgain(event.userId, change);
    case 'relocated':
      // Where somebody is connected is nobody's business; that they are back is.
      return sideOf(change.before, event.userId)?.awaySince === null ? [] : backAgain(event.userId, change);
    case 'moved':
      return moved(event, change);
    case 'active':
      return answered(change);
    case 'idle-asked':
      return idleCheck(after, event.until);
    case 'extension-asked':
      // With both, the extension itself says it.
      return change.events.some(({ type }) => type === 'extended') ? [] : timeLeft(after);
    case 'extended':
    case 'warned':
      return timeLeft(after);
    case 'sfu-chosen':
      return both(after, 'random:sfu', () => ({ sessionId: after.callId }));
    case 'ended':
      return farewell(event.end, change);
    case 'linked':
    case 'window-opened':
    case 'measured':
    case 'avoided':
    case 'microphone-opened':
    case 'microphone-closed':
      // Nobody's business, or told with the event that it follows from.
      return [];
    default:
      return event satisfies never;
  }
};

const to = <Name extends CallEventName>(
  { userId, sessionId }: Pick<CallSide, 'userId' | 'sessionId'>,
  name: Name,
  payload: EventPayload<Name>,
): Outgoing<Name> => ({ userId, sessionId, name, payload });

const both = <Name extends CallEventName>(
  { sides }: CallState,
  name: Name,
  payloadFor: (side: CallSide) => EventPayload<Name>,
): Outgoing<Name>[] => sides.map((side) => to(side, name, payloadFor(side)));

const connected = (call: CallState, { at }: CallEventOf<'connected'>): OutgoingCallEvent[] =>
  both(call, 'random:connected', (side) => ({
    sessionId: call.callId,
    connectedAt: call.connectedAt ?? at,
    ...extensionOf(call, side),
  }));

const idleCheck = (call: CallState, answerUntil: number | null): OutgoingCallEvent[] =>
  both(call, 'random:idle_check', () => ({ sessionId: call.callId, answerUntil }));

/** RD-7: whoever was asked is told that it is over. */
const answered = ({ before, after }: Change): OutgoingCallEvent[] =>
  before.answerUntil === null ? [] : idleCheck(after, null);

const timeLeft = (call: CallState): OutgoingCallEvent[] =>
  both(call, 'random:time_warning', (side) => ({ sessionId: call.callId, ...extensionOf(call, side) }));

/** RD-5: this side waits for the other one, or for a new way, until then. */
const disconnected = ({ callId, resumeUntil }: CallState, side: CallSide): OutgoingCallEvent[] =>
  resumeUntil === null ? [] : [to(side, 'random:partner_disconnected', { sessionId: callId, resumeUntil })];

/**
 * The other side learns of a lost connection; of lost media both do, since both have to look for a way. Once: while a call
 * reconnects already, more of its media that is lost is no news.
 */
const lossOf = (event: CallEventOf<'lost'>, { before, after, events }: Change): OutgoingCallEvent[] => {
  if (event.what === 'connection') {
    return after.sides.filter(({ userId }) => userId !== event.userId).flatMap((side) => disconnected(after, side));
  }
  const isNews = before.phase === 'connected' && events.find(({ type }) => type === 'lost') === event;
  return isNews ? after.sides.flatMap((side) => disconnected(after, side)) : [];
};

/** The other side learns that somebody is back; who is back, that the other has a window of their own now. */
const backAgain = (userId: string, { before, after }: Change): OutgoingCallEvent[] =>
  after.sides.flatMap((side): OutgoingCallEvent[] => {
    if (side.userId !== userId) return [to(side, 'random:partner_returned', { sessionId: after.callId })];
    const isLater = otherSide(after, side).awaySince !== null && after.resumeUntil !== before.resumeUntil;
    return isLater ? disconnected(after, side) : [];
  });

/** ID-5: the device before learns that it holds the call no more. To the other side the new one may look like a loss. */
const moved = (event: CallEventOf<'moved'>, change: Change): OutgoingCallEvent[] => {
  const { before, after } = change;
  const { userId, from } = event;
  const farewellThere = to({ userId, sessionId: from }, 'random:joined_elsewhere', { sessionId: after.callId });
  if (sideOf(before, userId)?.awaySince !== null) return [farewellThere, ...backAgain(userId, change)];
  if (before.phase !== 'connected') return [farewellThere];
  const others = after.sides.filter((side) => side.userId !== userId);
  return [farewellThere, ...others.flatMap((side) => disconnected(after, side))];
};

const farewell = ({ reason, by }: CallEnd, { after, requeued }: Change): OutgoingCallEvent[] => {
  const sessionId = after.callId;
  if (reason === 'connect-timeout')
    return both(after, 'random:connection_timeout', (side) => timeout(after, side, requeued));
  return both(after, 'random:call_ended', ({ userId }) => ({
    sessionId,
    // SF-4: who was blocked is not told so.
    reason: reason === 'blocked' && by !== userId ? 'hung-up' : reason,
    byYou: by === userId,
    requeued: requeued.has(userId),
  }));
};

/** RD-3: what failed, as far as it concerns this person. Who does not wait again has this failure still to come in theirs. */
const timeout = (
  call: CallState,
  side: CallSide,
  requeued: ReadonlyMap<string, Ticket>,
): EventPayload<'random:connection_timeout'> => {
  const waiting = requeued.get(side.userId);
  const { failuresInARow, relay } = (waiting ?? ticketOf(call, side)).history;
  return {
    sessionId: call.callId,
    requeued: waiting !== undefined,
    failuresInARow: waiting ? failuresInARow : failuresInARow + 1,
    relayFromNow: relay === true,
  };
};
