import type { DeadlineKey } from '../../rules/room/deadlines.ts';
import type { Sequences } from '../../rules/room/project.ts';
import type { RoomState } from '../../rules/room/state.ts';
import type { Clock } from '../../runtime/clock.ts';
import type {
  CommitGuards,
  CommitResult,
  DueDeadline,
  ListedRoom,
  RoomCommit,
  RoomSnapshot,
  RoomStore,
} from '../room-store.ts';
import { DeadlineHeap } from './deadline-heap.ts';
import { copyOf, RestoredRooms, type RoomEntry } from './memory-room-restore.ts';

/**
 * The embedded store: one process, nothing to install, gone with the process. Values are immutable, so what is handed
 * out is what is kept. Rooms are bounded by `roomsPerNode`, audiences by `maxParticipants`, standings by a guard.
 */
export const createMemoryRoomStore = (clock: Clock): RoomStore => {
  const rooms = new Map<string, RoomEntry>();
  const deadlines = new DeadlineHeap<DueDeadline>((due) => due.roomId);
  const restored = new RestoredRooms(clock);

  return {
    create: async (room, roomDeadlines) => {
      rooms.set(room.control.roomId, {
        version: 1,
        commits: 0,
        control: room.control,
        audience: new Map(room.audience),
        standings: new Map(room.standings),
        sequences: { room: 0, stage: 0, staff: 0, self: new Map() },
      });
      deadlines.set(deadlinesOfRoom(room.control.roomId, roomDeadlines));
    },

    load: async (roomId, touched) => {
      const entry = rooms.get(roomId);
      if (!entry) return undefined;
      const keys = touched(entry.control);
      return { version: entry.version, state: partialState(entry, keys.users, keys.standings) };
    },

    commit: async (commit) => {
      const entry = rooms.get(commit.roomId);
      const refusal = entry ? refusalOf(entry, commit, clock.now()) : 'gone';
      if (!entry || refusal) return { outcome: refusal ?? 'gone' };
      const result = write(entry, commit);
      for (const key of commit.deadlines.clear) deadlines.remove(commit.roomId, key);
      deadlines.set(deadlinesOfRoom(commit.roomId, commit.deadlines.set));
      return result;
    },

    snapshot: async (roomId, { most, userIds }) => {
      const entry = rooms.get(roomId);
      return entry && snapshotOf(entry, most, userIds);
    },

    audiencePage: async (roomId, { offset, limit, query }) => {
      const seats = [...(rooms.get(roomId)?.audience.values() ?? [])];
      const wanted = query?.toLowerCase();
      const found = wanted ? seats.filter((seat) => seat.displayName.toLowerCase().includes(wanted)) : seats;
      return { seats: found.slice(offset, offset + limit), total: found.length };
    },

    list: async ({ limit, before, only }) => {
      const listed: ListedRoom[] = [];
      for (const { control, audience } of [...rooms.values()].toSorted(newestFirst)) {
        if (listed.length === limit) break;
        const seen = before !== undefined && comparePositions(control, before) >= 0;
        if (seen || control.status === 'ended' || !only(control)) continue;
        listed.push({ control, audienceSize: audience.size });
      }
      return listed;
    },

    count: async () => [...rooms.values()].filter((entry) => entry.control.status === 'active').length,

    remove: async (roomId) => {
      if (rooms.delete(roomId)) deadlines.removeOwner(roomId);
    },

    due: async (now, most) => deadlines.due(now, most),
    clearDeadline: async (due: DueDeadline) => deadlines.clear(due),

    copy: async (roomId, userIds) => {
      const entry = rooms.get(roomId);
      return entry && copyOf(entry, pick(entry.audience, userIds));
    },

    restore: async (copy, options) => {
      const { roomId } = copy.control;
      const set = restored.restore(rooms, copy, options);
      if (!rooms.has(roomId)) deadlines.removeOwner(roomId);
      deadlines.set(deadlinesOfRoom(roomId, set));
    },
  };
};

const deadlinesOfRoom = (roomId: string, deadlines: ReadonlyMap<DeadlineKey, number>): DueDeadline[] =>
  [...deadlines].map(([key, at]) => ({ roomId, key, at }));

const comparePositions = (
  one: { createdAt: number; roomId: string },
  other: { createdAt: number; roomId: string },
): number => one.createdAt - other.createdAt || (one.roomId < other.roomId ? -1 : Number(one.roomId > other.roomId));

const newestFirst = (one: RoomEntry, other: RoomEntry): number => comparePositions(other.control, one.control);

const pick = <Value>(map: ReadonlyMap<string, Value>, keys: readonly string[]): Map<string, Value> => {
  const picked = new Map<string, Value>();
  for (const key of keys) {
    const value = map.get(key);
    if (value !== undefined) picked.set(key, value);
  }
  return picked;
};

const partialState = (entry: RoomEntry, users: readonly string[], standings: readonly string[]): RoomState => ({
  control: entry.control,
  audience: pick(entry.audience, users),
  audienceSize: entry.audience.size,
  standings: pick(entry.standings, standings),
});

const snapshotOf = (entry: RoomEntry, most: number, userIds: readonly string[]): RoomSnapshot => ({
  state: partialState(
    entry,
    userIds,
    userIds.map((userId) => `user:${userId}`),
  ),
  listed: [...entry.audience.values()].slice(0, most),
  sequences: copySequences(entry.sequences),
});

const copySequences = ({ room, stage, staff, self }: Sequences): Sequences => ({
  room,
  stage,
  staff,
  self: new Map(self),
});

const refusalOf = (entry: RoomEntry, commit: RoomCommit, now: number): 'conflict' | 'guard' | 'expired' | undefined => {
  if (now > commit.expiresAt) return 'expired';
  const same =
    entry.version === commit.version &&
    changedKeys(commit.before.audience, commit.after.audience).every(
      (key) => entry.audience.get(key) === commit.before.audience.get(key),
    ) &&
    changedKeys(commit.before.standings, commit.after.standings).every(
      (key) => entry.standings.get(key) === commit.before.standings.get(key),
    );
  if (!same) return 'conflict';
  return guardsHold(entry, commit.guards) ? undefined : 'guard';
};

const guardsHold = (entry: RoomEntry, guards: CommitGuards): boolean =>
  (guards.audienceBelow === undefined || entry.audience.size < guards.audienceBelow) &&
  (guards.audienceExactly === undefined || entry.audience.size === guards.audienceExactly) &&
  (guards.standingsBelow === undefined || entry.standings.size < guards.standingsBelow);

/** The keys whose values differ. */
const changedKeys = <Value>(before: ReadonlyMap<string, Value>, after: ReadonlyMap<string, Value>): string[] =>
  before === after
    ? []
    : [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key));

const writeChanges = <Value>(
  target: Map<string, Value>,
  before: ReadonlyMap<string, Value>,
  after: ReadonlyMap<string, Value>,
): void => {
  for (const key of changedKeys(before, after)) {
    const value = after.get(key);
    if (value === undefined) target.delete(key);
    else target.set(key, value);
  }
};

const write = (entry: RoomEntry, commit: RoomCommit): CommitResult => {
  const { before, after, advance } = commit;
  entry.commits += 1;
  if (before.control !== after.control) {
    entry.control = after.control;
    entry.version += 1;
  }
  writeChanges(entry.audience, before.audience, after.audience);
  writeChanges(entry.standings, before.standings, after.standings);
  entry.sequences.room += advance.room;
  entry.sequences.stage += advance.stage;
  entry.sequences.staff += advance.staff;
  for (const [userId, by] of advance.self)
    entry.sequences.self.set(userId, (entry.sequences.self.get(userId) ?? 0) + by);
  const touchedSelf = new Map(
    [...advance.self.keys()].map((userId) => [userId, entry.sequences.self.get(userId) ?? 0]),
  );
  forgetDeparted(entry, commit);
  return {
    outcome: 'committed',
    version: entry.version,
    place: entry.commits,
    audienceSize: entry.audience.size,
    sequences: { ...copySequences(entry.sequences), self: touchedSelf },
  };
};

/** A person's own sequence ends with their seat; the next one starts from a fresh view. */
const forgetDeparted = (entry: RoomEntry, commit: RoomCommit): void => {
  const inside = (state: RoomState, userId: string): boolean =>
    state.audience.has(userId) || state.control.stage.some((seat) => seat.userId === userId);
  const candidates = [...commit.before.audience.keys(), ...commit.before.control.stage.map((seat) => seat.userId)];
  for (const userId of candidates) if (!inside(commit.after, userId)) entry.sequences.self.delete(userId);
};
