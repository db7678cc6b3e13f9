import type { Limits } from '@rostrum/shared/limits.ts';
import type { types } from 'mediasoup';
import type { MediaWorker } from './media-worker.ts';
import { opusCodec } from './opus.ts';

/** A room's router, and the observer that measures who speaks on it. */
export type RoomRouter = { readonly router: types.Router; readonly observer: types.AudioLevelObserver };

/**
 * Opens a router on this worker. `measured` is called with the levels of the open microphones by producer id, in dBov,
 * every `speakingIntervalMs` while there is sound, and once with none when it stops. `closed` says whether the room was
 * closed meanwhile: then nothing stays open and it rejects. Rejects too when the worker does not do it.
 */
export const openRouter = async (
  worker: MediaWorker,
  limits: Limits,
  room: { readonly closed: () => boolean; readonly measured: (levels: ReadonlyMap<string, number>) => void },
): Promise<RoomRouter> => {
  const router = await worker.createRouter([opusCodec]);
  try {
    const observer = await worker.ask(() =>
      router.createAudioLevelObserver({
        maxEntries: limits.roomMaxSpeakers + limits.moderatorsPerRoom + 1,
        threshold: limits.speakingOffDbov,
        interval: limits.speakingIntervalMs,
      }),
    );
    observer.on('volumes', (volumes) =>
      room.measured(new Map(volumes.map(({ producer, volume }) => [producer.id, volume]))),
    );
    observer.on('silence', () => room.measured(new Map()));
    if (room.closed()) throw new Error('the room was closed while its router opened');
    return { router, observer };
  } catch (error) {
    router.close();
    throw error;
  }
};
