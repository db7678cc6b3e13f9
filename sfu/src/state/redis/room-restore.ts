import type { DeadlineKey } from '../../rules/room/deadlines.ts';
import type { RoomControl } from '../../rules/room/state.ts';
import { type RoomCopy, type RoomRestoreOptions, sequenceJump } from '../room-store.ts';
import { canonical } from './json.ts';
import type { Keys, RoomKeys } from './keys.ts';
import { changeDeadlines, dropRoom } from './room-commit.ts';
import { Transaction } from './transaction.ts';

/**
 * How long it is remembered what was written back, in milliseconds: a node that comes later than this finds its people gone, and
 * what it knows says nothing any more.
 */
export const restoredMs = 3_600_000;
/** Seats and standings written at a time: some hundred kilobytes, which Redis takes a few milliseconds for. */
const batch = 500;

type RecordOptions = RoomRestoreOptions & { readonly stamp: string };

/** Writes the record of a room, unless it is known in this version or a later one. */
export const restoreRecord = (keys: Keys, copy: RoomCopy, options: RecordOptions): Transaction<'known'> => {
  const { control, version } = copy;
  const { roomId } = control;
  const [room, restored] = [keys.room(roomId), keys.restoredRoom(roomId)];
  const transaction = new Transaction<'known'>();
  if (options.late) for (const key of [room.head, restored]) transaction.guard('known', 'missing', key);
  else transaction.guard('known', 'older', restored, 'version', version);
  transaction.step('HSET', restored, 'version', version);
  transaction.step('PEXPIRE', restored, restoredMs);
  if (control.status === 'ended') {
    dropRoom(transaction, keys, roomId);
    return transaction;
  }
  transaction.step('HSET', room.head, 'version', version, 'control', JSON.stringify(control), 'stamp', options.stamp);
  raiseNumbers(transaction, room, copy);
  transaction.step('ZADD', keys.rooms, control.createdAt, roomId);
  const onStage = seatKeys(control);
  const ofRecord = [...options.deadlines].filter(([key]) => !key.startsWith('seat:') || onStage.has(key));
  changeDeadlines(transaction, keys, roomId, { set: new Map(ofRecord), clear: [] });
  return transaction;
};

/** `gone`: there is no such room. `changed`: its record did. `other`: a seat whose deadline it is was written by somebody later. */
export type RefusedEntries = 'gone' | 'changed' | 'other';

/**
 * Writes the seats and standings of a room that is there. `version`: only while the record has this one; each is then written only
 * where nobody has written it yet.
 */
export const restoreEntries = (
  keys: Keys,
  copy: RoomCopy,
  { deadlines, version }: { deadlines: RoomRestoreOptions['deadlines']; version?: number },
): Transaction<RefusedEntries>[] => {
  const { roomId } = copy.control;
  const [room, restored] = [keys.room(roomId), keys.restoredRoom(roomId)];
  const begun = (): Transaction<RefusedEntries> => {
    const transaction = new Transaction<RefusedEntries>();
    transaction.guard('gone', 'exists', room.head);
    if (version !== undefined) transaction.guard('changed', 'equals', room.head, 'version', version);
    return transaction;
  };
  const step = version === undefined ? 'newest' : 'fill';

  const first = begun();
  raiseNumbers(first, room, copy);
  const transactions = [first];
  for (const entries of batches([...copy.standings])) {
    const transaction = begun();
    for (const [key, { value, at }] of entries)
      transaction.step(step, room.standings, key, restored, `standing ${key}`, at, textOf(value));
    transactions.push(transaction);
  }
  for (const entries of batches([...copy.audience])) {
    const transaction = begun();
    for (const [userId, { value, at }] of entries) {
      const listed = [room.arrivals, value?.joinedAt ?? 0] as const;
      transaction.step(step, room.audience, userId, restored, `seat ${userId}`, at, textOf(value), ...listed);
    }
    transactions.push(transaction);
  }
  const onStage = seatKeys(copy.control);
  for (const [userId, { value }] of copy.audience) {
    const key = `seat:${userId}` as const;
    const at = deadlines.get(key);
    if (value === null || at === undefined || onStage.has(key)) continue;
    const transaction = begun();
    transaction.guard('other', 'equals', room.audience, userId, textOf(value));
    changeDeadlines(transaction, keys, roomId, { set: new Map([[key, at]]), clear: [] });
    transactions.push(transaction);
  }
  return transactions;
};

/** Who has a number of their own is in the room, or it goes with the room. */
const raiseNumbers = <Code extends string>(
  transaction: Transaction<Code>,
  room: RoomKeys,
  { sequences, place }: RoomCopy,
): void => {
  transaction.step('raise', room.head, 'commits', place + sequenceJump);
  for (const view of ['room', 'stage', 'staff'] as const)
    transaction.step('raise', room.head, view, sequences[view] + sequenceJump);
  for (const [userId, sequence] of sequences.self)
    transaction.step('raise', room.self, userId, sequence + sequenceJump);
};

/** The deadlines that seats on the stage may have. */
const seatKeys = ({ stage }: RoomControl): ReadonlySet<DeadlineKey> =>
  new Set(stage.map(({ userId }): DeadlineKey => `seat:${userId}`));

const textOf = (value: object | null): string => (value === null ? '' : canonical(value));

function* batches<Value>(values: readonly Value[]): Generator<readonly Value[]> {
  for (let from = 0; from < values.length; from += batch) yield values.slice(from, from + batch);
}
