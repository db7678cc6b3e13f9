import type { Sequences } from '../../rules/room/project.ts';
import { type RoomControl, type RoomState, type Seat, type Standing, userKey } from '../../rules/room/state.ts';
import type { Touched } from '../../rules/room/touches.ts';
import type { Copied, RoomCopy } from '../room-store.ts';
import { type Member, readMembers } from './deadline-members.ts';
import { readCount } from './json.ts';
import type { Key, Keys } from './keys.ts';
import { readControl, readSeat, readStanding } from './room-values.ts';
import { type Results, type Step, Transaction } from './transaction.ts';

/** A control record as it was read or written, with the stamp by which it is known. */
export type KnownControl = { readonly stamp: string; readonly version: number; readonly control: RoomControl };

/** A transaction that only reads, and how to read what it answers. */
export type Reading<Value> = {
  readonly transaction: Transaction;
  readonly read: (results: Results) => Value;
};

type Entries = Pick<RoomState, 'audience' | 'audienceSize' | 'standings'>;

const controlFields = ['stamp', 'version', 'control'];

/** The control record of a room; undefined where there is none. */
export const readHead = (keys: Keys, roomId: string): Reading<KnownControl | undefined> => {
  const transaction = new Transaction();
  const { head } = keys.room(roomId);
  const fields = transaction.step('HMGET', head, ...controlFields);
  return { transaction, read: (results) => controlFrom(results.texts(fields), head) };
};

/**
 * These entries of a room, and its control record, which is sent only where it is not the one that is `known`. All of one moment;
 * undefined where there is no such room.
 */
export const readEntries = (
  keys: Keys,
  known: KnownControl,
  { users, standings }: Touched,
): Reading<{ known: KnownControl; entries: Entries } | undefined> => {
  const transaction = new Transaction();
  const room = keys.room(known.control.roomId);
  const changed = transaction.step('unless', room.head, 'stamp', known.stamp, ...controlFields);
  const size = transaction.step('HLEN', room.audience);
  const seats = pickStep(transaction, room.audience, users);
  const kept = pickStep(transaction, room.standings, standings);
  return {
    transaction,
    read: (results) => {
      const texts = results.texts(changed);
      const present = texts.length === 0 ? known : controlFrom(texts, room.head);
      if (!present) return undefined;
      const entries: Entries = {
        audienceSize: results.count(size),
        audience: picked(results, seats, readSeat),
        standings: picked(results, kept, readStanding),
      };
      return { known: present, entries };
    },
  };
};

/** A room with all its standings and with the seats of these people of the audience, all of one moment. */
export const readCopy = (
  keys: Keys,
  roomId: string,
  userIds: readonly string[],
): Reading<{ known: KnownControl; copy: RoomCopy } | undefined> => {
  const transaction = new Transaction();
  const room = keys.room(roomId);
  const fields = transaction.step('HMGET', room.head, ...headFields);
  const all = transaction.step('HGETALL', room.standings);
  const seats = pickStep(transaction, room.audience, userIds);
  const own = pickStep(transaction, room.self, userIds);
  return {
    transaction,
    read: (results) => {
      const head = headFrom(results.texts(fields), room.head);
      if (!head) return undefined;
      const sequences = { ...head.sequences, self: picked(results, own, readCount) };
      const at = head.place;
      const copied = <Value>(values: ReadonlyMap<string, Value>): Map<string, Copied<Value>> =>
        new Map([...values].map(([key, value]) => [key, { value, at }]));
      const { control, version } = head.known;
      const audience = copied(picked(results, seats, readSeat));
      const standings = copied(standingsFrom(results.texts(all), room.standings));
      return { known: head.known, copy: { control, version, place: at, sequences, audience, standings } };
    },
  };
};

export type SnapshotOptions = { readonly most: number; readonly userIds: readonly string[] };
export type Snapshot = {
  readonly known: KnownControl;
  readonly entries: Entries;
  readonly listed: Seat[];
  readonly sequences: Sequences;
};

/** A room with the numbers of its views, all of one moment. */
export const readSnapshot = (
  keys: Keys,
  roomId: string,
  { most, userIds }: SnapshotOptions,
): Reading<Snapshot | undefined> => {
  const transaction = new Transaction();
  const room = keys.room(roomId);
  const fields = transaction.step('HMGET', room.head, ...headFields);
  const size = transaction.step('HLEN', room.audience);
  const first = most > 0 ? transaction.step('entries', room.arrivals, room.audience, 0, most - 1) : undefined;
  const seats = pickStep(transaction, room.audience, userIds);
  const kept = pickStep(transaction, room.standings, userIds.map(userKey));
  const own = pickStep(transaction, room.self, userIds);
  return {
    transaction,
    read: (results) => {
      const head = headFrom(results.texts(fields), room.head);
      if (!head) return undefined;
      return {
        known: head.known,
        entries: {
          audienceSize: results.count(size),
          audience: picked(results, seats, readSeat),
          standings: picked(results, kept, readStanding),
        },
        listed: first === undefined ? [] : seatsFrom(results.texts(first), room.audience),
        sequences: { ...head.sequences, self: picked(results, own, readCount) },
      };
    },
  };
};

/** The next users of the audience behind this place in the order of arrival, with their own places. */
export const readArrivals = (
  keys: Keys,
  roomId: string,
  { behind, most }: { behind: number; most: number },
): Reading<Member[]> => {
  const transaction = new Transaction();
  const { arrivals } = keys.room(roomId);
  const words = [`(${behind}`, '+inf', 'WITHSCORES', 'LIMIT', 0, most];
  const step = transaction.step('ZRANGEBYSCORE', arrivals, ...words);
  return { transaction, read: (results) => readMembers(results.texts(step)) };
};

/** These seats of the audience, as far as they are still there. */
export const readSeats = (keys: Keys, roomId: string, userIds: readonly string[]): Reading<Seat[]> => {
  const transaction = new Transaction();
  const { audience } = keys.room(roomId);
  const seats = pickStep(transaction, audience, userIds);
  return { transaction, read: (results) => [...picked(results, seats, readSeat).values()] };
};

/** Seats of the audience from one rank to another in order of arrival, and how many there are in all. */
export const readAudience = (
  keys: Keys,
  roomId: string,
  { from, to }: { from: number; to: number },
): Reading<{ seats: Seat[]; total: number }> => {
  const transaction = new Transaction();
  const { arrivals, audience } = keys.room(roomId);
  const size = transaction.step('HLEN', audience);
  const page = to < from ? undefined : transaction.step('entries', arrivals, audience, from, to);
  return {
    transaction,
    read: (results) => ({
      total: results.count(size),
      seats: page === undefined ? [] : seatsFrom(results.texts(page), audience),
    }),
  };
};

const controlFrom = (
  [stamp = null, version = null, control = null]: readonly (string | null)[],
  head: Key<'hash'>,
): KnownControl | undefined => {
  if (stamp === null || control === null) return undefined;
  return { stamp, version: readCount(version, head.name), control: readControl(control, head.name) };
};

const headFields = [...controlFields, 'room', 'stage', 'staff', 'commits'];

/** The values of `headFields`; undefined where there is no room. */
const headFrom = (
  texts: readonly (string | null)[],
  head: Key<'hash'>,
): { known: KnownControl; sequences: Omit<Sequences, 'self'>; place: number } | undefined => {
  const known = controlFrom(texts, head);
  if (!known) return undefined;
  const [room = 0, stage = 0, staff = 0, place = 0] = texts.slice(3).map((text) => readCount(text, head.name));
  return { known, sequences: { room, stage, staff }, place };
};

/** Fields and values of a hash, as Redis answers. */
const standingsFrom = (texts: readonly (string | null)[], { name }: Key<'hash'>): Map<string, Standing> => {
  const standings = new Map<string, Standing>();
  for (let index = 0; index + 1 < texts.length; index += 2) {
    const [key, text] = [texts[index], texts[index + 1]];
    if (typeof key === 'string' && typeof text === 'string') standings.set(key, readStanding(text, name));
  }
  return standings;
};

const seatsFrom = (texts: readonly (string | null)[], audience: Key<'hash'>): Seat[] =>
  texts.flatMap((text) => (text === null ? [] : [readSeat(text, audience.name)]));

/** Fields that are read of a hash, where there are any to read. */
type Picked = { readonly hash: Key<'hash'>; readonly fields: readonly string[]; readonly step: Step | undefined };

const pickStep = <Code extends string>(
  transaction: Transaction<Code>,
  hash: Key<'hash'>,
  fields: readonly string[],
): Picked => ({ hash, fields, step: fields.length > 0 ? transaction.step('HMGET', hash, ...fields) : undefined });

const picked = <Value>(
  results: Results,
  { hash, fields, step }: Picked,
  read: (text: string, where: string) => Value,
): Map<string, Value> => {
  const values = new Map<string, Value>();
  if (step === undefined) return values;
  const texts = results.texts(step);
  for (const [index, field] of fields.entries()) {
    const text = texts[index] ?? null;
    if (text !== null) values.set(field, read(text, hash.name));
  }
  return values;
};
