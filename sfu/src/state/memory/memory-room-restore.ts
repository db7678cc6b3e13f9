import type { DeadlineKey } from '../../rules/room/deadlines.ts';
import type { RoomControl, Seat, Standing } from '../../rules/room/state.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type Copied, type RoomCopy, type RoomRestoreOptions, sequenceJump } from '../room-store.ts';
import { ExpiringMap } from './expiring-map.ts';

/** What this store keeps of a room. */
export type RoomEntry = {
  version: number;
  commits: number;
  control: RoomControl;
  readonly audience: Map<string, Seat>;
  readonly standings: Map<string, Standing>;
  readonly sequences: { room: number; stage: number; staff: number; self: Map<string, number> };
};

/** What was written back of a room: its version, and when each seat and standing was as it was written. */
type Restored = { version: number; readonly places: Map<string, number> };

/** As long as in Redis (room-restore.ts), for as many rooms as a node hosts ten times over. */
const restoredMs = 3_600_000;
const restoredRooms = 1000;

/** A copy of a room with these seats of its audience. */
export const copyOf = (entry: RoomEntry, audience: ReadonlyMap<string, Seat>): RoomCopy => {
  const { control, version, sequences } = entry;
  const at = entry.commits;
  const copied = <Value>(values: ReadonlyMap<string, Value>): Map<string, Copied<Value>> =>
    new Map([...values].map(([key, value]) => [key, { value, at }]));
  const own = [...sequences.self].filter(([userId]) => audience.has(userId));
  return {
    control,
    version,
    place: at,
    sequences: { ...sequences, self: new Map(own) },
    audience: copied(audience),
    standings: copied(entry.standings),
  };
};

/** Rooms that were written back into a store, and what of them holds against what others write back. */
export class RestoredRooms {
  readonly #clock: Clock;
  readonly #rooms = new ExpiringMap<Restored>(restoredRooms);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Writes back; answers with the deadlines to set. */
  restore(
    rooms: Map<string, RoomEntry>,
    copy: RoomCopy,
    { deadlines, late }: RoomRestoreOptions,
  ): ReadonlyMap<DeadlineKey, number> {
    const { control, version } = copy;
    const { roomId } = control;
    const now = this.#clock.now();
    const known = this.#rooms.get(roomId, now);
    const isNew = late ? !(known || rooms.has(roomId)) : (known?.version ?? 0) < version;
    const restored = known ?? { version, places: new Map<string, number>() };
    this.#rooms.set(roomId, restored, now + restoredMs);
    if (isNew) {
      restored.version = version;
      if (control.status === 'ended') rooms.delete(roomId);
      else putRecord(rooms, copy);
    }
    const entry = rooms.get(roomId);
    if (!entry || control.status === 'ended' || entry.control.status === 'ended') return new Map();
    raise(entry, copy);
    const put = { places: restored.places, late };
    putEntries(entry.standings, copy.standings, { ...put, kind: 'standing' });
    const onStage = new Set(late ? entry.control.stage.map(({ userId }) => userId) : []);
    const seats = new Map([...copy.audience].filter(([userId]) => !onStage.has(userId)));
    putEntries(entry.audience, seats, { ...put, kind: 'seat' });
    inOrderOfArrival(entry.audience);
    const holding = [...seats].filter(([userId, { value }]) => value !== null && entry.audience.get(userId) === value);
    const ofSeats = new Set(holding.map(([userId]) => `seat:${userId}`));
    const ofStage = new Set(control.stage.map(({ userId }) => `seat:${userId}`));
    const isOfRecord = (key: DeadlineKey): boolean => !key.startsWith('seat:') || ofStage.has(key);
    return new Map([...deadlines].filter(([key]) => (isOfRecord(key) ? isNew : ofSeats.has(key))));
  }
}

const putRecord = (rooms: Map<string, RoomEntry>, { control, version }: RoomCopy): void => {
  const { roomId } = control;
  const entry = rooms.get(roomId);
  if (entry) Object.assign(entry, { control, version });
  else
    rooms.set(roomId, {
      control,
      version,
      commits: 0,
      audience: new Map(),
      standings: new Map(),
      sequences: { room: 0, stage: 0, staff: 0, self: new Map() },
    });
};

const raise = (entry: RoomEntry, copy: RoomCopy): void => {
  const { sequences } = entry;
  entry.commits = Math.max(entry.commits, copy.place + sequenceJump);
  for (const view of ['room', 'stage', 'staff'] as const)
    sequences[view] = Math.max(sequences[view], copy.sequences[view] + sequenceJump);
  for (const [userId, sequence] of copy.sequences.self)
    sequences.self.set(userId, Math.max(sequences.self.get(userId) ?? 0, sequence + sequenceJump));
};

/** Several nodes write it back, each of them its own people. */
const inOrderOfArrival = (audience: Map<string, Seat>): void => {
  const seats = [...audience.values()].toSorted((one, other) => one.joinedAt - other.joinedAt);
  audience.clear();
  for (const seat of seats) audience.set(seat.userId, seat);
};

type Put = { readonly kind: 'seat' | 'standing'; readonly places: Map<string, number>; readonly late: boolean };

const putEntries = <Value>(
  target: Map<string, Value>,
  copied: ReadonlyMap<string, Copied<Value>>,
  { kind, places, late }: Put,
): void => {
  for (const [key, { value, at }] of copied) {
    const place = places.get(`${kind} ${key}`);
    const holds = late ? place === undefined && !target.has(key) : (place ?? at) <= at;
    if (!holds) continue;
    places.set(`${kind} ${key}`, at);
    if (value === null) target.delete(key);
    else target.set(key, value);
  }
};
