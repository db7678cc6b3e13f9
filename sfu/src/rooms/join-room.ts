import { type Limits, sizes } from '@rostrum/shared/limits.ts';
import type { RoomView } from '@rostrum/shared/protocol/room.ts';
import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import type { Records } from '../records/records.ts';
import { viewOf } from '../rules/room/project.ts';
import { ownerOf, type Person, type RoomControl, type Seat, seatOf } from '../rules/room/state.ts';
import type { Clock } from '../runtime/clock.ts';
import type { RoomStore } from '../state/room-store.ts';
import type { RoomPublisher } from './ports.ts';
import type { RoomEngine } from './room-engine.ts';

export type JoinDependencies = {
  readonly engine: RoomEngine;
  readonly store: RoomStore;
  readonly records: Records;
  readonly publisher: RoomPublisher;
  readonly clock: Clock;
  readonly limits: Limits;
  /** This node: those who join here are connected to it. */
  readonly nodeId: string;
};

/** What somebody sees who came in. `isNew`: they had no seat. */
export type Joined = {
  readonly state: RoomView;
  readonly resumed: boolean;
  readonly isNew: boolean;
};

/** For somebody who listens as soon as they sit. */
export type Listens = {
  /** Whether there is room for one more who listens. Asked just before a seat is taken, of whoever has none yet. */
  readonly admit: () => Result<void>;
  /** The seat is taken: media begins, in the turn in which it was, so that the next one is admitted with this one counted. */
  readonly begin: (seated: Seated) => void;
};

/** Somebody in a room, by its record of this version. */
export type Seated = { readonly seat: Seat; readonly control: RoomControl; readonly version: number };

type Arrival = { readonly roomId: string; readonly sessionId: string; readonly listens: Listens | undefined };

/** Takes a seat, or comes back to it (see `Rooms.join`). */
export const joinRoom = async (
  dependencies: JoinDependencies,
  person: Person,
  { roomId, sessionId, listens }: Arrival,
): Promise<Result<Joined>> => {
  const { engine, records, clock, store, publisher, limits, nodeId } = dependencies;
  const { userId } = person;
  const loaded = await store.load(roomId, () => ({ users: [], standings: [] }));
  if (!loaded)
    return refuse((await records.rooms.get(roomId))?.settings.type === 'public' ? 'room_ended' : 'not_found');
  const now = clock.now();
  const traces = person.kind === 'guest' ? { traces: tracesOf(person) } : {};
  const ban = await records.bans.find(ownerOf(loaded.state.control, now), { userId, ...traces }, now);
  const command = { type: 'join', person, sessionId, node: nodeId, bannedByHost: ban !== undefined } as const;
  return engine.executeThen(roomId, command, {
    unless: (before) => (listens && !seatOf(before, userId) ? listens.admit() : done(undefined)),
    task: async ({ after, version, events }) => {
      const seat = seatOf(after, userId);
      const most = after.control.audienceListed ? mostListed(limits, listens !== undefined) : 0;
      const snapshot = await store.snapshot(roomId, { most, userIds: [userId] });
      if (!(seat && snapshot)) return refuse('unavailable');
      publisher.enter(roomId, seat);
      const view = viewOf(snapshot.state, seat, snapshot.listed, snapshot.sequences);
      // It is long, or another node began to list it in this moment.
      const isWhole = snapshot.listed.length >= snapshot.state.audienceSize;
      const isNew = events.some((event) => event.type === 'joined');
      const resumed = !isNew && !events.some((event) => event.type === 'seat-moved');
      listens?.begin({ seat, control: after.control, version });
      return done({ state: isWhole ? view : withoutList(view), resumed, isNew });
    },
  });
};

/** How many of the audience are read at most: all of them, or as many as go into the answer of somebody who listens. */
const mostListed = ({ audienceListedMax }: Limits, listens: boolean): number =>
  listens ? Math.min(sizes.audienceAtOnce, audienceListedMax) : audienceListedMax + 1;

const withoutList = (view: RoomView): RoomView => ({ ...view, audience: { ...view.audience, members: null } });

const tracesOf = ({ addressHash, deviceId }: Person) => ({
  ...(addressHash === undefined ? {} : { addressHash }),
  ...(deviceId === undefined ? {} : { deviceId }),
});
