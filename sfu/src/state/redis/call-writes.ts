import { type CallMode, callModes } from '@rostrum/shared/protocol/call.ts';
import type { CallDeadlineKey, CallState } from '../../rules/call/state.ts';
import type { Ticket } from '../../rules/matching/ticket.ts';
import type { CallCommit, Claim, DueCallDeadline, QueuePosition, StoredTicket, TicketEntry } from '../call-store.ts';
import {
  callMembers,
  everyCallMember,
  everyTicketMember,
  type Member,
  memberOf,
  ticketMembers,
} from './deadline-members.ts';
import type { Keys } from './keys.ts';
import { lineEntry, placeBefore } from './line-position.ts';
import { type Results, Transaction } from './transaction.ts';

/** A fresh id for a ticket that is written in this version (recent.ts). */
export type NewStamp = (stored: StoredTicket) => string;

/** Puts somebody in the queue who is nowhere, and reads where they stand. */
export const enqueue = (
  keys: Keys,
  entry: TicketEntry,
  { most, newStamp }: { most: number; newStamp: NewStamp },
): { transaction: Transaction<'taken' | 'full'>; position: (results: Results) => QueuePosition } => {
  const transaction = new Transaction<'taken' | 'full'>();
  transaction.guard('taken', 'missing', keys.person(entry.ticket.seeker.userId));
  transaction.guard('full', 'below', most, ...callModes.map((mode) => keys.line(mode)));
  putTicket(transaction, keys, { entry, version: 1, newStamp });
  return { transaction, position: readPosition(transaction, keys, entry.ticket) };
};

/** The place of a ticket among all of its mode. */
export const readPosition = <Code extends string>(
  transaction: Transaction<Code>,
  keys: Keys,
  ticket: Ticket,
): ((results: Results) => QueuePosition) => {
  const { score, member } = placeBefore(ticket);
  const line = keys.line(ticket.search.mode);
  const before = transaction.step('ZCOUNT', line, '-inf', `(${score}`);
  const equal = transaction.step('ZRANGEBYSCORE', line, score, score);
  const all = transaction.step('ZCARD', line);
  return (results) => {
    const first = results.texts(equal).filter((other) => other !== null && other < member).length;
    return { position: results.count(before) + first + 1, waiting: results.count(all) };
  };
};

/** Puts another ticket in the place of this one. */
export const updateTicket = (
  keys: Keys,
  stored: StoredTicket,
  { after, newStamp }: { after: TicketEntry; newStamp: NewStamp },
): Transaction<'conflict'> => {
  const transaction = new Transaction<'conflict'>();
  guardTicket(transaction, keys, { stored, code: 'conflict' });
  dropTicket(transaction, keys, stored.ticket);
  putTicket(transaction, keys, { entry: after, version: stored.version + 1, newStamp });
  return transaction;
};

/** Takes somebody out of the queue, if the ticket is still this one. Nobody knows its mode, so it is taken out of each. */
export const removeTicket = (keys: Keys, userId: string, ticketId: string): Transaction<'other'> => {
  const transaction = new Transaction<'other'>();
  const person = keys.person(userId);
  transaction.guard('other', 'equals', person, 'at', 'queue');
  transaction.guard('other', 'equals', person, 'id', ticketId);
  for (const mode of callModes) leaveLines(transaction, keys, { mode, userId });
  transaction.step('ZREM', keys.callDeadlines, ...everyTicketMember({ ticketId, userId }));
  transaction.step('UNLINK', person);
  return transaction;
};

/** Takes both tickets and writes the call. */
export const claim = (keys: Keys, { tickets, call, deadlines, most }: Claim): Transaction<'lost' | 'full'> => {
  const transaction = new Transaction<'lost' | 'full'>();
  for (const stored of tickets) {
    guardTicket(transaction, keys, { stored, code: 'lost' });
    transaction.guard('lost', 'equals', keys.person(stored.ticket.seeker.userId), 'present', 1);
  }
  transaction.guard('full', 'below', most, keys.calls);
  for (const { ticket } of tickets) dropTicket(transaction, keys, ticket);
  beginCall(transaction, keys, { call, version: 1, deadlines });
  return transaction;
};

type StoredCall = {
  readonly call: CallState;
  readonly version: number;
  readonly deadlines: ReadonlyMap<CallDeadlineKey, number>;
};

/** Puts both people into the call. */
export const beginCall = <Code extends string>(
  transaction: Transaction<Code>,
  keys: Keys,
  stored: StoredCall,
): void => {
  const { callId, sides } = stored.call;
  for (const { userId } of sides) {
    transaction.step('DEL', keys.person(userId));
    transaction.step('HSET', keys.person(userId), 'at', 'call', 'id', callId);
  }
  transaction.step('SADD', keys.calls, callId);
  putCall(transaction, keys, stored);
};

/** Forgets a call with its deadlines. Its people are left to what comes then. */
export const dropCall = <Code extends string>(transaction: Transaction<Code>, keys: Keys, callId: string): void => {
  transaction.step('UNLINK', keys.call(callId));
  transaction.step('SREM', keys.calls, callId);
  transaction.step('ZREM', keys.callDeadlines, ...everyCallMember(callId));
};

/** Writes a call, or ends it: then all that follows from that too. */
export const commitCall = (keys: Keys, commit: CallCommit, newStamp: NewStamp): Transaction<'gone' | 'conflict'> => {
  const transaction = new Transaction<'gone' | 'conflict'>();
  const { callId, version, after, deadlines } = commit;
  transaction.guard('gone', 'exists', keys.call(callId));
  transaction.guard('conflict', 'equals', keys.call(callId), 'version', version);
  if (after.phase === 'ended') endCall(transaction, keys, { commit, newStamp });
  else putCall(transaction, keys, { call: after, version: version + 1, deadlines });
  return transaction;
};

export const clearDeadline = (keys: Keys, due: DueCallDeadline): Transaction<'other'> => {
  const transaction = new Transaction<'other'>();
  transaction.guard('other', 'scored', keys.callDeadlines, memberOf(due), due.at);
  transaction.step('ZREM', keys.callDeadlines, memberOf(due));
  return transaction;
};

export const guardTicket = <Code extends string>(
  transaction: Transaction<Code>,
  keys: Keys,
  { stored, code }: { stored: StoredTicket; code: Code },
): void => {
  const { ticketId, seeker } = stored.ticket;
  const person = keys.person(seeker.userId);
  transaction.guard(code, 'equals', person, 'id', ticketId);
  transaction.guard(code, 'equals', person, 'version', stored.version);
};

export const putTicket = <Code extends string>(
  transaction: Transaction<Code>,
  keys: Keys,
  { entry, version, newStamp }: { entry: TicketEntry; version: number; newStamp: NewStamp },
): void => {
  const { ticket, deadlines } = entry;
  const { ticketId, awaySince } = ticket;
  const { userId } = ticket.seeker;
  const { mode } = ticket.search;
  const { score, member } = lineEntry(ticket, newStamp({ ticket, version }));
  const present = Number(awaySince === null);
  const fields = { at: 'queue', id: ticketId, version, present, member, ticket: JSON.stringify(ticket) };
  transaction.step('HSET', keys.person(userId), ...Object.entries(fields).flat());
  transaction.step('ZADD', keys.line(mode), score, member);
  if (present) transaction.step('ZADD', keys.present(mode), score, member);
  addDeadlines(transaction, keys, ticketMembers({ ticketId, userId }, deadlines));
};

/** Takes a ticket out of its lines, with its deadlines. The person's key is left to what comes then. */
export const dropTicket = <Code extends string>(transaction: Transaction<Code>, keys: Keys, ticket: Ticket): void => {
  const { ticketId, search } = ticket;
  const { userId } = ticket.seeker;
  leaveLines(transaction, keys, { mode: search.mode, userId });
  transaction.step('ZREM', keys.callDeadlines, ...everyTicketMember({ ticketId, userId }));
};

const leaveLines = <Code extends string>(
  transaction: Transaction<Code>,
  keys: Keys,
  { mode, userId }: { mode: CallMode; userId: string },
): void => {
  transaction.step('unlist', keys.line(mode), keys.person(userId), 'member');
  transaction.step('unlist', keys.present(mode), keys.person(userId), 'member');
};

const putCall = <Code extends string>(
  transaction: Transaction<Code>,
  keys: Keys,
  { call, version, deadlines }: StoredCall,
): void => {
  transaction.step('HSET', keys.call(call.callId), 'version', version, 'call', JSON.stringify(call));
  transaction.step('ZREM', keys.callDeadlines, ...everyCallMember(call.callId));
  addDeadlines(transaction, keys, callMembers(call.callId, deadlines));
};

const endCall = <Code extends string>(
  transaction: Transaction<Code>,
  keys: Keys,
  { commit, newStamp }: { commit: CallCommit; newStamp: NewStamp },
): void => {
  const { callId, after, histories, historyUntil, requeue } = commit;
  dropCall(transaction, keys, callId);
  for (const { userId } of after.sides) transaction.step('DEL', keys.person(userId));
  for (const [userId, history] of histories) {
    // At `historyUntil` it is over; Redis drops a key in the millisecond after its time.
    transaction.step('SET', keys.history(userId), JSON.stringify(history), 'PXAT', historyUntil - 1);
  }
  for (const entry of requeue) putTicket(transaction, keys, { entry, version: 1, newStamp });
};

const addDeadlines = <Code extends string>(
  transaction: Transaction<Code>,
  keys: Keys,
  members: readonly Member[],
): void => {
  if (members.length > 0)
    transaction.step('ZADD', keys.callDeadlines, ...members.flatMap(({ member, at }) => [at, member]));
};
