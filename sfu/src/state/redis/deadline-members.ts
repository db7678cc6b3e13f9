import type { CallDeadlineKey } from '../../rules/call/state.ts';
import type { TicketDeadlineKey } from '../../rules/matching/ticket.ts';
import type { DeadlineKey } from '../../rules/room/deadlines.ts';
import type { DueCallDeadline } from '../call-store.ts';
import type { DueDeadline } from '../room-store.ts';
import { corrupt } from './corrupt.ts';

/*
 * Deadlines are members of a sorted set, with their time as score. A member names the owner and what is due, in words; ids have
 * no blanks in them. A deadline of a kind that is not known here is left to the nodes that know it: while a cluster is restarted
 * one after the other, some are of the next version.
 */

const ticketDeadlines: Readonly<Record<TicketDeadlineKey, true>> = {
  wait: true,
  grace: true,
  language: true,
  repeat: true,
  relax: true,
};
const callDeadlines: Readonly<Record<CallDeadlineKey, true>> = {
  connect: true,
  resume: true,
  idle: true,
  'idle-answer': true,
  warning: true,
  end: true,
  'max-duration': true,
};

const isTicketKey = (text: string): text is TicketDeadlineKey => Object.hasOwn(ticketDeadlines, text);
const isCallKey = (text: string): text is CallDeadlineKey => Object.hasOwn(callDeadlines, text);
const isRoomKey = (text: string): text is DeadlineKey =>
  /^(empty|host-absence|end-warning|end|seat:.+|invitation:.+)$/.test(text);

const ticketKeys = Object.keys(ticketDeadlines).filter(isTicketKey);
const callKeys = Object.keys(callDeadlines).filter(isCallKey);

export type Member = { readonly member: string; readonly at: number };

export const roomMember = (roomId: string, key: DeadlineKey): string => `${roomId} ${key}`;

const ticketMember = (owner: TicketOwner, key: TicketDeadlineKey): string =>
  `ticket ${owner.ticketId} ${key} ${owner.userId}`;

const callMember = (callId: string, key: CallDeadlineKey): string => `call ${callId} ${key}`;

export type TicketOwner = { readonly ticketId: string; readonly userId: string };

/** All that a ticket may have. */
export const everyTicketMember = (owner: TicketOwner): string[] => ticketKeys.map((key) => ticketMember(owner, key));

/** All that a call may have. */
export const everyCallMember = (callId: string): string[] => callKeys.map((key) => callMember(callId, key));

export const ticketMembers = (owner: TicketOwner, deadlines: ReadonlyMap<TicketDeadlineKey, number>): Member[] =>
  [...deadlines].map(([key, at]) => ({ member: ticketMember(owner, key), at }));

export const callMembers = (callId: string, deadlines: ReadonlyMap<CallDeadlineKey, number>): Member[] =>
  [...deadlines].map(([key, at]) => ({ member: callMember(callId, key), at }));

export const memberOf = (due: DueCallDeadline): string =>
  due.of === 'ticket' ? ticketMember(due, due.key) : callMember(due.callId, due.key);

/** @throws CorruptState */
export const readRoomDeadline = ({ member, at }: Member): DueDeadline | undefined => {
  const [, roomId, key] = /^([^ ]+) (.+)$/.exec(member) ?? [];
  if (roomId === undefined || key === undefined) return corrupt('a deadline of a room', 'names no room');
  return isRoomKey(key) ? { roomId, key, at } : undefined;
};

/** @throws CorruptState */
export const readCallDeadline = ({ member, at }: Member): DueCallDeadline | undefined => {
  const [of, id, key, userId] = member.split(' ');
  if (id === undefined || key === undefined) return corrupt('a deadline of a call', 'names no call');
  if (of === 'call') return isCallKey(key) ? { of, callId: id, key, at } : undefined;
  if (of !== 'ticket' || userId === undefined) return corrupt('a deadline of a call', 'names no call and no ticket');
  return isTicketKey(key) ? { of, userId, ticketId: id, key, at } : undefined;
};

/** Members with their scores, as Redis answers. @throws CorruptState */
export const readMembers = (answer: readonly (string | null)[]): Member[] => {
  const members: Member[] = [];
  for (let index = 0; index + 1 < answer.length; index += 2) {
    const member = answer[index];
    const at = Number(answer[index + 1]);
    if (typeof member !== 'string' || !Number.isSafeInteger(at)) return corrupt('a deadline', 'has no time');
    members.push({ member, at });
  }
  return members;
};
