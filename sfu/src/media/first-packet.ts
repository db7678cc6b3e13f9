import type { types } from 'mediasoup';
import type { RoomContext } from './room-context.ts';

/**
 * Resolves with the first packet that a producer lets through from now on, when it closes, or after `withinMs`. Never rejects. mediasoup
 * tells of packets one by one ("trace" events); it is asked to for no longer than this waits.
 */
export const firstPacket = async (
  producer: types.Producer,
  { worker }: Pick<RoomContext, 'worker'>,
  withinMs: number,
): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const came = () => resolve();
  const timer = setTimeout(came, withinMs).unref();
  producer.on('trace', came);
  producer.observer.once('close', came);
  try {
    await worker.ask(() => producer.enableTraceEvent(['rtp']));
    await promise;
    if (!producer.closed) await worker.ask(() => producer.enableTraceEvent([]));
  } catch {
    // The worker died, or the producer closed this moment: there is nothing to wait for.
  } finally {
    clearTimeout(timer);
    producer.off('trace', came);
    producer.observer.off('close', came);
  }
};
