import { createMemoryRoomStore } from '../../src/state/memory/memory-room-store.ts';
import { roomStoreContract, start } from './room-store.contract.ts';
import { movedClock } from './suite-clock.ts';

roomStoreContract('memory', async () => {
  const clock = movedClock(start);
  return { store: createMemoryRoomStore(clock), clock, close: async () => undefined };
});
