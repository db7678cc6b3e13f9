import { createMemoryCallStore } from '../../src/state/memory/memory-call-store.ts';
import { createMemoryRoomStore } from '../../src/state/memory/memory-room-store.ts';
import { start } from './call-store.support.ts';
import { restoreContract } from './restore.contract.ts';
import { movedClock } from './suite-clock.ts';

restoreContract('memory', async () => {
  const clock = movedClock(start);
  return { rooms: createMemoryRoomStore(clock), calls: createMemoryCallStore(clock), close: async () => undefined };
});
