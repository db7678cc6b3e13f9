import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { endLost } from '../../src/app-lost.ts';
import type { LiveState } from '../../src/app-state.ts';
import { openSqliteRecords } from '../../src/records/sqlite/open.ts';
import { createPino } from '../../src/runtime/logger.ts';
import { createMemoryCallStore } from '../../src/state/memory/memory-call-store.ts';
import { createMemoryClusterStore } from '../../src/state/memory/memory-cluster-store.ts';
import { createMemoryRoomStore } from '../../src/state/memory/memory-room-store.ts';
import { newRoom } from '../contract/redis-rooms.ts';
import { movedClock } from '../contract/suite-clock.ts';

const start = 1_750_000_000_000;
const limits = { heartbeatMs: 1000, nodeSilentMs: 5000 };

describe('what records have as going on when a node starts', () => {
  let folder = '';
  const closings: (() => unknown)[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rostrum-lost-'));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(async () => {
    vi.useRealTimers();
    for (const close of closings.splice(0).reverse()) close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A node that starts when a room of an earlier run has no end in the records. */
  const starting = async (isShared: boolean) => {
    const clock = movedClock(start);
    const records = openSqliteRecords({ path: join(folder, 'rostrum.sqlite') });
    closings.push(() => records.close());
    const room = newRoom(start - 60_000);
    const { roomId, hostId, settings, createdAt } = room.control;
    const ends = { startedAt: createdAt, endedAt: null, endReason: null };
    await records.rooms.insert({ roomId, creatorId: hostId, hostId, settings, createdAt, ...ends });
    const rooms = createMemoryRoomStore(clock);
    const stores = { clock, rooms, calls: createMemoryCallStore(clock), cluster: createMemoryClusterStore(clock) };
    // That there is one says that others may hold the room; nothing of it is asked here.
    const shared = isShared ? ({} as NonNullable<LiveState['shared']>) : undefined;
    await endLost({
      ...{ records, limits, logger: createPino('silent'), state: { ...stores, shared } },
      opened: (_, part, close) => {
        closings.push(() => close(part));
        return part;
      },
    });
    const end = async () => (await records.rooms.get(roomId))?.endReason;
    return { room, rooms, end };
  };

  it('RM-3 ended at once where the node is by itself', async () => {
    const { end } = await starting(false);
    expect(await end()).toBe('server-stopped');
  });

  it('RE-4 goes on where other nodes write back what they hold to a Redis that came back empty', async () => {
    const { room, rooms, end } = await starting(true);
    expect(await end()).toBeNull();
    await rooms.create(room, new Map());
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await end()).toBeNull();
  });

  it('RM-3 ended where no node does, also when new rooms were opened meanwhile', async () => {
    const { rooms, end } = await starting(true);
    await rooms.create(newRoom(start + 1), new Map());
    await vi.advanceTimersByTimeAsync(60_000);
    await vi.waitFor(async () => expect(await end()).toBe('server-stopped'));
  });
});
