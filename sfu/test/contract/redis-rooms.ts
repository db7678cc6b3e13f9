import { defaultLimits, type Limits } from '@rostrum/shared/limits.ts';
import type { OutgoingViewEvent } from '../../src/rooms/ports.ts';
import { createRoomEngine, type RoomEngine } from '../../src/rooms/room-engine.ts';
import { deadlinesOf } from '../../src/rules/room/deadlines.ts';
import { openedRoom } from '../../src/rules/room/evolve.ts';
import { type RoomControl, type RoomState, standingKeys } from '../../src/rules/room/state.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { newId } from '../../src/runtime/ids.ts';
import { KeyedQueue } from '../../src/runtime/keyed-queue.ts';
import type { RoomStore } from '../../src/state/room-store.ts';
import { people, smallLimits } from '../property/people.ts';
import { settingsWith } from '../rules/support.ts';

/** Small rooms, and many tries: many nodes are in each other's way on purpose. Nothing is late by a clock that is not Redis'. */
const limits: Limits = {
  ...smallLimits,
  unavailableMs: 60_000,
  commitAttempts: 4 * defaultLimits.commitAttempts,
};
export const userIds = people.map(({ userId }) => userId);
const standings = [...new Set(people.flatMap((person) => standingKeys({ ...person, kind: 'guest' })))];

export type RoomNode = { readonly store: RoomStore; readonly engine: RoomEngine };

type NodeOptions = {
  readonly clock: Clock;
  readonly ids?: () => string;
  /** What it would tell people. */
  readonly tells?: (events: readonly OutgoingViewEvent[]) => void;
};

/** The engine of a node on this store. */
export const nodeOn = (store: RoomStore, { clock, ids = newId, tells = () => undefined }: NodeOptions): RoomNode => {
  const follow = async ({ viewEvents }: { viewEvents: readonly OutgoingViewEvent[] }): Promise<void> =>
    tells(viewEvents);
  const queue = new KeyedQueue(limits.commandsWaitingPerRoom);
  return { store, engine: createRoomEngine({ store, queue, clock, limits, newId: ids, follow }) };
};

export const newRoom = (at: number): RoomState => {
  const settings = settingsWith({ maxParticipants: 8, maxSpeakers: 3 });
  const hostId = userIds[0] ?? '';
  return openedRoom({ type: 'opened', at, roomId: newId(), hostId, settings, endsAt: at + limits.roomLifetimeMs });
};

export const openRoom = async (store: RoomStore, room: RoomState): Promise<RoomControl> => {
  await store.create(room, deadlinesOf(room, limits));
  return room.control;
};

/** A room with everything that is kept about these people. */
export const wholeRoom = async (store: RoomStore, roomId: string): Promise<RoomState> => {
  const loaded = await store.load(roomId, () => ({ users: userIds, standings }));
  if (!loaded) throw new Error('the room is there');
  return loaded.state;
};
