import { createMemoryClusterStore } from '../../src/state/memory/memory-cluster-store.ts';
import { clusterStoreContract } from './cluster-store.contract.ts';
import { movedClock } from './suite-clock.ts';

clusterStoreContract('memory', async () => {
  const clock = movedClock(1_750_000_000_000);
  return { stores: [createMemoryClusterStore(clock)], clock, close: async () => undefined };
});
