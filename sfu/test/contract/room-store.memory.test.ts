import { createMemoryRoomStore } from '../../src/state/memory/memory-room-store.ts';
import { roomStoreContract } from './room-store.contract.ts';

roomStoreContract('memory', async () => {
  let now = 0;
  const clock = {
    now: () => now,
    set: (ms: number) => {
      now = ms;
    },
  };
  return { store: createMemoryRoomStore(clock), clock, close: async () => undefined };
});
