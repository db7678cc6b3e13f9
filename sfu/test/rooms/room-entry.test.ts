import { defaultLimits as limits } from '@rostrum/shared/limits.ts';
import { done } from '@rostrum/shared/result.ts';
import { expect, test } from 'vitest';
import type { Records } from '../../src/records/records.ts';
import { joinRoom } from '../../src/rooms/join-room.ts';
import { createRoomEngine } from '../../src/rooms/room-engine.ts';
import { enterListening } from '../../src/rooms/room-entry.ts';
import { systemClock as clock } from '../../src/runtime/clock.ts';
import { newId } from '../../src/runtime/ids.ts';
import { KeyedQueue } from '../../src/runtime/keyed-queue.ts';
import { createMemoryRoomStore } from '../../src/state/memory/memory-room-store.ts';
import { keepingLogger } from '../cluster/logged.ts';
import { emptyRoom, idOf } from '../rules/support.ts';

const roomId = idOf('room');

test('RE-4 MD-8 a room goes on while the media of a newcomer hangs', async () => {
  const { state } = emptyRoom().joinAll('ana');
  const store = createMemoryRoomStore(clock);
  await store.create(state, new Map());
  const follow = async () => undefined;
  const engine = createRoomEngine({ store, queue: new KeyedQueue(10), clock, limits, newId, follow });
  const records = { bans: { find: async () => undefined } } as unknown as Records;
  const parts = { engine, store, records, clock, limits, nodeId: 'node a', publisher: { enter: () => undefined } };
  const began = Promise.withResolvers<void>();
  const hanging = enterListening(
    {
      rooms: {
        join: (person, _, sessionId, listens) =>
          joinRoom(parts as unknown as Parameters<typeof joinRoom>[0], person, { roomId, sessionId, listens }),
        command: (_, command) => engine.execute(roomId, command),
      },
      media: {
        admit: () => done(undefined),
        listenSeated: () => {
          began.resolve();
          return new Promise(() => undefined);
        },
      },
      logger: keepingLogger().logger,
    },
    { userId: idOf('ben'), displayName: 'ben', kind: 'guest' },
    { roomId, userId: idOf('ben'), sessionId: 'one' },
  );
  await began.promise;
  const sessionId = state.audience.get(idOf('ana'))?.sessionId ?? '';
  const by = { userId: idOf('ana'), sessionId, operator: false };
  expect(await engine.execute(roomId, { type: 'raise-hand', by })).toMatchObject({ ok: true });
  // And so can the newcomer be taken out of it.
  const out = await engine.execute(roomId, { type: 'leave', by: { ...by, userId: idOf('ben'), sessionId: 'one' } });
  expect(out).toMatchObject({ ok: true });
  expect(await Promise.race([hanging, 'hangs'])).toBe('hangs');
});
