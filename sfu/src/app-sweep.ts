import type { LiveState } from './app-state.ts';
import type { Calls } from './calls/calls.ts';
import type { Searches } from './calls/searches.ts';
import type { SweepPorts } from './cluster/sweep.ts';
import type { Rooms } from './rooms/rooms.ts';
import type { Seat } from './rules/room/state.ts';
import type { ListedRoom, ListPosition } from './state/room-store.ts';
import { StateUnavailable } from './state/room-store.ts';

/** Rooms, and seats of an audience, that are looked through at a time. */
const page = 200;

type Parts = {
  readonly state: LiveState;
  readonly rooms: Pick<Rooms, 'loseConnection' | 'loseNode'>;
  readonly calls: Pick<Calls, 'lose' | 'loseNode'>;
  readonly searches: Pick<Searches, 'all'>;
};

/** What a node that is gone leaves behind: seats and sides that its people come back to, microphones that nobody hears. */
export const createSweepPorts = (parts: Parts): SweepPorts => {
  const { rooms, calls } = parts;
  return {
    loseSeat: (roomId, userId, sessionId, nodeId) => rooms.loseConnection(roomId, userId, sessionId, nodeId),
    loseCall: (session, nodeId) => calls.lose(session, nodeId),
    nodeLost: async (nodeId, roomIds) => {
      for (const roomId of roomIds) await noted(rooms.loseNode(roomId, nodeId));
    },
    // Whoever had moved on already may have left a microphone; and a store that came back empty does not know whom the node held.
    finish: async (nodeId) => {
      for await (const room of activeRooms(parts)) await finishRoom(parts, room, nodeId);
      await finishCalls(parts, nodeId);
    },
  };
};

const finishRoom = async (parts: Parts, { control }: ListedRoom, nodeId: string): Promise<void> => {
  const { state, rooms } = parts;
  const { roomId, stage } = control;
  if (stage.some(({ producerNode }) => producerNode === nodeId)) await noted(rooms.loseNode(roomId, nodeId));
  const lose = async (seats: readonly Seat[]): Promise<void> => {
    for (const { userId, sessionId, node, awaySince } of seats)
      if (node === nodeId && awaySince === null) await noted(rooms.loseConnection(roomId, userId, sessionId, nodeId));
  };
  await lose(stage);
  for (let offset = 0; ; offset += page) {
    const { seats } = await state.rooms.audiencePage(roomId, { offset, limit: page });
    await lose(seats);
    if (seats.length < page) return;
  }
};

const finishCalls = async ({ state, calls, searches }: Parts, nodeId: string): Promise<void> => {
  for (const callId of await state.calls.callIds()) {
    const loaded = await state.calls.load(callId);
    if (!loaded) continue;
    const { sides, throughSfu } = loaded.call;
    if (throughSfu && sides.some(({ producerNode }) => producerNode === nodeId))
      await noted(calls.loseNode(callId, nodeId));
    for (const { userId, sessionId, node } of sides)
      if (node === nodeId) await calls.lose({ userId, sessionId }, nodeId);
  }
  for await (const { seeker } of searches.all()) if (seeker.node === nodeId) await calls.lose(seeker, nodeId);
};

async function* activeRooms({ state }: Parts): AsyncGenerator<ListedRoom> {
  let before: ListPosition | undefined;
  for (;;) {
    const listed = await state.rooms.list({ limit: page, ...(before ? { before } : {}), only: () => true });
    yield* listed;
    const last = listed.at(-1)?.control;
    if (last === undefined || listed.length < page) return;
    before = { createdAt: last.createdAt, roomId: last.roomId };
  }
}

/** What could not be noted now is tried again with the whole sweep. */
const noted = async (result: ReturnType<Rooms['loseNode']>): Promise<void> => {
  if (!(await result).ok) throw new StateUnavailable('what a node that is gone left behind could not be noted');
};
