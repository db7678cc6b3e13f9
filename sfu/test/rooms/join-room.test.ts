import { done } from '@rostrum/shared/result.ts';
import { expect, test } from 'vitest';
import { type JoinDependencies, joinRoom } from '../../src/rooms/join-room.ts';
import type { Committed, Turn } from '../../src/rooms/room-engine.ts';
import type { RoomState } from '../../src/rules/room/state.ts';
import { emptyRoom, idOf } from '../rules/support.ts';

/** What ana is answered who joins, where `snapshot` is what is read just after her seat was committed in `after`. */
const joins = async (after: RoomState, snapshot: RoomState) => {
  const listed = [...snapshot.audience.values()];
  const dependencies = {
    engine: {
      executeThen: <Value>(_: string, __: unknown, { task }: Turn<Value>) =>
        task({ after, version: 1, events: [] } as unknown as Committed),
    },
    store: {
      load: async () => ({ state: after, version: 1 }),
      snapshot: async (_: string, { most }: { most: number }) => ({
        state: snapshot,
        listed: listed.slice(0, most),
        sequences: { room: 1, stage: 1, staff: 1, self: new Map() },
      }),
    },
    records: { bans: { find: async () => undefined } },
    publisher: { enter: () => undefined },
    clock: { now: () => 0 },
    limits: { audienceListedMax: 100 },
    nodeId: 'node a',
  } as unknown as JoinDependencies;
  const person = { userId: idOf('ana'), displayName: 'ana', kind: 'guest' } as const;
  const arrival = { roomId: idOf('room'), sessionId: 'one' };
  const listens = { admit: () => done(undefined), begin: () => undefined };
  const members = async (options: Parameters<typeof joinRoom>[2]) => {
    const joined = await joinRoom(dependencies, person, options);
    return joined.ok ? joined.value.state.audience.members?.length : joined.refusal.code;
  };
  return {
    plain: await members({ ...arrival, listens: undefined }),
    listening: await members({ ...arrival, listens }),
  };
};

const people = (count: number): RoomState => {
  const names = ['ana', ...Array.from({ length: count - 1 }, (_, index) => `guest ${index}`)];
  return emptyRoom().joinAll(...names).state;
};

test('RM-10 a list is in the answer where it is whole, and short for whoever listens', async () => {
  const [short, long] = [people(20), people(21)];
  expect(await joins(short, short)).toEqual({ plain: 20, listening: 20 });
  expect(await joins(long, long)).toEqual({ plain: 21, listening: undefined });
});

test('RM-10 RE-1 a list that another node began to show in this moment is not taken for an empty one', async () => {
  const state = people(90);
  const unlisted = { ...state, control: { ...state.control, audienceListed: false } };
  expect(await joins(unlisted, state)).toEqual({ plain: undefined, listening: undefined });
});
