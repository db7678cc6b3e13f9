import type { RoomState } from '../../rules/room/state.ts';
import type { DeadlineChanges, RoomCommit } from '../room-store.ts';
import { roomMember } from './deadline-members.ts';
import { canonical } from './json.ts';
import type { Key, Keys, RoomKeys } from './keys.ts';
import { type Step, Transaction } from './transaction.ts';

/**
 * How long a room that ended stays, in milliseconds, where nobody removes it: whoever ended it does so at once, unless they died in
 * between.
 */
const endedRoomMs = 3_600_000;

export type RefusedCommit = 'gone' | 'conflict' | 'guard';

/** The steps whose results a commit answers with. */
export type CommitSteps = {
  readonly version: Step;
  readonly place: Step;
  readonly room: Step;
  readonly stage: Step;
  readonly staff: Step;
  readonly self: ReadonlyMap<string, Step>;
  readonly audienceSize: Step;
};

/** What a commit of a room compares and writes. `stamp` is for the control record, where that changes. */
export const commitRoom = (
  keys: Keys,
  commit: RoomCommit,
  stamp: string,
): { transaction: Transaction<RefusedCommit>; steps: CommitSteps } => {
  const transaction = new Transaction<RefusedCommit>();
  const room = keys.room(commit.roomId);
  const { before, after, advance } = commit;
  const audience = changesOf(before.audience, after.audience);
  const standings = changesOf(before.standings, after.standings);

  transaction.guard('gone', 'exists', room.head);
  transaction.guard('conflict', 'equals', room.head, 'version', commit.version);
  guardEntries(transaction, room.audience, audience);
  guardEntries(transaction, room.standings, standings);
  guardSizes(transaction, room, commit);

  const changed = before.control !== after.control;
  const counts = {
    version: transaction.step('HINCRBY', room.head, 'version', changed ? 1 : 0),
    place: transaction.step('HINCRBY', room.head, 'commits', 1),
    room: transaction.step('HINCRBY', room.head, 'room', advance.room),
    stage: transaction.step('HINCRBY', room.head, 'stage', advance.stage),
    staff: transaction.step('HINCRBY', room.head, 'staff', advance.staff),
    self: new Map(
      [...advance.self].map(([userId, by]) => [userId, transaction.step('HINCRBY', room.self, userId, by)]),
    ),
  };
  if (changed) transaction.step('HSET', room.head, 'control', JSON.stringify(after.control), 'stamp', stamp);
  writeEntries(transaction, room.audience, audience);
  for (const { key, was, is } of audience) {
    if (is === undefined) transaction.step('ZREM', room.arrivals, key);
    else if (was === undefined) transaction.step('append', room.arrivals, key);
  }
  writeEntries(transaction, room.standings, standings);
  const departed = departedIn(commit);
  if (departed.length > 0) transaction.step('HDEL', room.self, ...departed);
  changeDeadlines(transaction, keys, commit.roomId, commit.deadlines);
  if (after.control.status === 'ended') closeRoom(transaction, keys, commit.roomId);
  return { transaction, steps: { ...counts, audienceSize: transaction.step('HLEN', room.audience) } };
};

/** Writes a new room, over whatever there was of it. */
export const createRoom = (
  keys: Keys,
  { room: state, deadlines, stamp }: { room: RoomState; deadlines: DeadlineChanges['set']; stamp: string },
): Transaction => {
  const { control, audience, standings } = state;
  const room = keys.room(control.roomId);
  const transaction = removeRoom(keys, control.roomId);
  const head = { version: 1, control: JSON.stringify(control), stamp, commits: 0, room: 0, stage: 0, staff: 0 };
  transaction.step('HSET', room.head, ...Object.entries(head).flat());
  const nothing = new Map<string, never>();
  writeEntries(transaction, room.audience, changesOf(nothing, audience));
  for (const userId of audience.keys()) transaction.step('append', room.arrivals, userId);
  writeEntries(transaction, room.standings, changesOf(nothing, standings));
  if (control.status === 'active') transaction.step('ZADD', keys.rooms, control.createdAt, control.roomId);
  changeDeadlines(transaction, keys, control.roomId, { set: deadlines, clear: [] });
  return transaction;
};

/** Removes a room with everything beside it. */
export const removeRoom = (keys: Keys, roomId: string): Transaction => {
  const transaction = new Transaction();
  dropRoom(transaction, keys, roomId);
  return transaction;
};

export const dropRoom = <Code extends string>(transaction: Transaction<Code>, keys: Keys, roomId: string): void => {
  const room = keys.room(roomId);
  transaction.step('ZREM', keys.rooms, roomId);
  transaction.step('forget', keys.roomDeadlines, room.deadlines);
  for (const key of Object.values(room)) transaction.step('UNLINK', key);
};

/** A room that ended is listed no more, and nothing becomes due in it. */
const closeRoom = (transaction: Transaction<RefusedCommit>, keys: Keys, roomId: string): void => {
  const room = keys.room(roomId);
  transaction.step('ZREM', keys.rooms, roomId);
  transaction.step('forget', keys.roomDeadlines, room.deadlines);
  transaction.step('UNLINK', room.deadlines);
  for (const key of Object.values(room)) transaction.step('PEXPIRE', key, endedRoomMs);
};

/** What one key of a map was and is, as text; undefined where there is nothing. */
type Change = { readonly key: string; readonly was: string | undefined; readonly is: string | undefined };

const changesOf = <Value extends object>(
  before: ReadonlyMap<string, Value>,
  after: ReadonlyMap<string, Value>,
): Change[] => {
  if (before === after) return [];
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys]
    .filter((key) => before.get(key) !== after.get(key))
    .map((key) => ({ key, was: textOf(before.get(key)), is: textOf(after.get(key)) }));
};

const textOf = (value: object | undefined): string | undefined => (value === undefined ? undefined : canonical(value));

const guardEntries = (transaction: Transaction<RefusedCommit>, hash: Key<'hash'>, changes: readonly Change[]): void => {
  for (const { key, was } of changes) {
    if (was === undefined) transaction.guard('conflict', 'absent', hash, key);
    else transaction.guard('conflict', 'equals', hash, key, was);
  }
};

const writeEntries = <Code extends string>(
  transaction: Transaction<Code>,
  hash: Key<'hash'>,
  changes: readonly Change[],
): void => {
  for (const { key, is } of changes) {
    if (is === undefined) transaction.step('HDEL', hash, key);
    else transaction.step('HSET', hash, key, is);
  }
};

const guardSizes = (transaction: Transaction<RefusedCommit>, room: RoomKeys, { guards }: RoomCommit): void => {
  const { audienceBelow, audienceExactly, standingsBelow } = guards;
  if (audienceBelow !== undefined) transaction.guard('guard', 'below', audienceBelow, room.audience);
  if (audienceExactly !== undefined) transaction.guard('guard', 'exactly', audienceExactly, room.audience);
  if (standingsBelow !== undefined) transaction.guard('guard', 'below', standingsBelow, room.standings);
};

export const changeDeadlines = <Code extends string>(
  transaction: Transaction<Code>,
  keys: Keys,
  roomId: string,
  { set, clear }: DeadlineChanges,
): void => {
  const { deadlines } = keys.room(roomId);
  const cleared = clear.map((key) => roomMember(roomId, key));
  if (cleared.length > 0) {
    transaction.step('ZREM', keys.roomDeadlines, ...cleared);
    transaction.step('SREM', deadlines, ...cleared);
  }
  if (set.size === 0) return;
  const members = [...set].map(([key, at]) => ({ member: roomMember(roomId, key), at }));
  transaction.step('ZADD', keys.roomDeadlines, ...members.flatMap(({ member, at }) => [at, member]));
  transaction.step('SADD', deadlines, ...members.map(({ member }) => member));
};

/** A person's own sequence ends with their seat; the next one starts from a fresh view. */
const departedIn = ({ before, after }: RoomCommit): string[] => {
  const candidates = new Set([...before.audience.keys(), ...before.control.stage.map((seat) => seat.userId)]);
  const inside = new Set([...after.audience.keys(), ...after.control.stage.map((seat) => seat.userId)]);
  return [...candidates].filter((userId) => !inside.has(userId));
};
