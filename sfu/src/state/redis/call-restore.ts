import type { CallDeadlineKey } from '../../rules/call/state.ts';
import type { TicketDeadlineKey } from '../../rules/matching/ticket.ts';
import { newId } from '../../runtime/ids.ts';
import { type Held, yieldsToCall, yieldsToTicket } from '../call-places.ts';
import type { LoadedCall, RestoreOptions, StoredTicket } from '../call-store.ts';
import { StateUnavailable } from '../room-store.ts';
import { readCall, readTicket } from './call-values.ts';
import { beginCall, dropCall, dropTicket, guardTicket, putTicket } from './call-writes.ts';
import type { RedisConnection } from './connection.ts';
import { readCount } from './json.ts';
import type { Keys } from './keys.ts';
import { restoredMs } from './room-restore.ts';
import { Transaction } from './transaction.ts';

/** Looks at people whose places change between them: only other nodes that write back the same people are in the way. */
const mostLooks = 8;

type Refused = 'known' | 'changed';
/** Where these people are. */
type Places = ReadonlyMap<string, Held>;

/** CallStore.restoreCall */
export const restoreCall = async (
  redis: RedisConnection,
  loaded: LoadedCall,
  options: RestoreOptions<CallDeadlineKey>,
): Promise<void> => {
  const { sides, phase } = loaded.call;
  const userIds = sides.map(({ userId }) => userId);
  await untilUnchanged(async () => {
    const places = await placesOf(redis, userIds);
    const gives = (held: Held): boolean => (options.late ? held.at === 'nowhere' : yieldsToCall(held, loaded));
    if (phase !== 'ended' && ![...places.values()].every(gives)) return true;
    return (await redis.write(writeCall(redis.keys, { loaded, places, options }))).code !== 'changed';
  });
};

/** CallStore.restoreTicket */
export const restoreTicket = async (
  redis: RedisConnection,
  stored: StoredTicket,
  { deadlines, late }: RestoreOptions<TicketDeadlineKey>,
): Promise<void> => {
  const { ticket, version } = stored;
  const { userId } = ticket.seeker;
  await untilUnchanged(async () => {
    const places = await placesOf(redis, [userId]);
    const held = places.get(userId) ?? { at: 'nowhere' };
    if (late ? held.at !== 'nowhere' : !yieldsToTicket(held, stored)) return true;
    const transaction = new Transaction<Refused>();
    guardPlaces(transaction, redis.keys, places);
    leavePlaces(transaction, redis.keys, places);
    putTicket(transaction, redis.keys, { entry: { ticket, deadlines }, version, newStamp: newId });
    return (await redis.write(transaction)).code !== 'changed';
  });
};

const untilUnchanged = async (attempt: () => Promise<boolean>): Promise<void> => {
  for (let looks = 0; looks < mostLooks; looks += 1) if (await attempt()) return;
  throw new StateUnavailable('somebody was elsewhere at every look');
};

const writeCall = (
  keys: Keys,
  { loaded, places, options }: { loaded: LoadedCall; places: Places; options: RestoreOptions<CallDeadlineKey> },
): Transaction<Refused> => {
  const { call, version } = loaded;
  const { callId } = call;
  const transaction = new Transaction<Refused>();
  if (options.late) transaction.guard('known', 'absent', keys.restoredCalls, callId);
  else transaction.guard('known', 'older', keys.restoredCalls, callId, version);
  // Of one that is over only its own people are moved.
  const isOver = call.phase === 'ended';
  const moved = isOver ? new Map([...places].filter(([, held]) => isIn(held, callId))) : places;
  guardPlaces(transaction, keys, moved);
  leavePlaces(transaction, keys, moved);
  if (!isOver) beginCall(transaction, keys, { ...loaded, deadlines: options.deadlines });
  transaction.step('HSET', keys.restoredCalls, callId, version);
  transaction.step('PEXPIRE', keys.restoredCalls, restoredMs);
  return transaction;
};

const isIn = (held: Held, callId: string): boolean => held.at === 'call' && held.call.callId === callId;

const placesOf = async (redis: RedisConnection, userIds: readonly string[]): Promise<Places> => {
  const { keys } = redis;
  const transaction = new Transaction();
  const steps = userIds.map((userId) =>
    transaction.step('HMGET', keys.person(userId), 'at', 'id', 'version', 'ticket'),
  );
  const results = await redis.read(transaction);
  const places = new Map<string, Held>();
  for (const [index, userId] of userIds.entries()) {
    const [at = null, id = null, version = null, ticket = null] = results.texts(steps[index] ?? 0);
    const where = keys.person(userId).name;
    if (at === 'queue' && ticket !== null)
      places.set(userId, { at, stored: { ticket: readTicket(ticket, where), version: readCount(version, where) } });
    else if (at === 'call' && id !== null) places.set(userId, await callPlace(redis, id));
    else places.set(userId, { at: 'nowhere' });
  }
  return places;
};

const callPlace = async (redis: RedisConnection, callId: string): Promise<Held> => {
  const transaction = new Transaction();
  const key = redis.keys.call(callId);
  const step = transaction.step('HGET', key, 'call');
  const text = (await redis.read(transaction)).text(step);
  return text === null ? { at: 'nowhere' } : { at: 'call', call: readCall(text, key.name) };
};

/** These people are where they were seen, and so are those with whom they are in a call. */
const guardPlaces = (transaction: Transaction<Refused>, keys: Keys, places: Places): void => {
  for (const [userId, held] of places) {
    if (held.at === 'nowhere') transaction.guard('changed', 'missing', keys.person(userId));
    else if (held.at === 'queue') guardTicket(transaction, keys, { stored: held.stored, code: 'changed' });
    else
      for (const side of held.call.sides)
        transaction.guard('changed', 'equals', keys.person(side.userId), 'id', held.call.callId);
  }
};

/** Takes these people out of the queue, and their calls away with both sides. */
const leavePlaces = (transaction: Transaction<Refused>, keys: Keys, places: Places): void => {
  for (const [userId, held] of places) {
    if (held.at === 'queue') {
      dropTicket(transaction, keys, held.stored.ticket);
      transaction.step('DEL', keys.person(userId));
    } else if (held.at === 'call') {
      dropCall(transaction, keys, held.call.callId);
      for (const side of held.call.sides) transaction.step('DEL', keys.person(side.userId));
    }
  }
};
