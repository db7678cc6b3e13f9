import type { Limits } from '@rostrum/shared/limits.ts';
import type { types } from 'mediasoup';
import type { LevelContext } from './level-meter.ts';
import type { RoomVoice } from './room-voice.ts';

export type ObservedLevelsOptions = {
  readonly context: LevelContext;
  readonly limits: Pick<Limits, 'speakingIntervalMs' | 'speakingOffDbov' | 'roomMaxSpeakers' | 'moderatorsPerRoom'>;
  /** Average levels by `routedId`, in dBov: every `speakingIntervalMs` while there is sound, and none once when it stops. */
  readonly measured: (levels: ReadonlyMap<string, number>) => void;
};

/**
 * Has the worker measure voices: mediasoup's AudioLevelObserver, which costs a message an interval for all of them. It skips a voice
 * of which fewer than 10 packets came in an interval, so it is for packets of 20 ms alone.
 */
export class ObservedLevels {
  readonly #options: ObservedLevelsOptions;
  readonly #added = new Map<string, RoomVoice>();
  #observer: types.AudioLevelObserver | undefined;

  constructor(options: ObservedLevelsOptions) {
    this.#options = options;
  }

  /** Measures these voices and no others. Rejects with the first thing that the worker did not do, when the rest is done. Not to be called again meanwhile. */
  async measure(voices: readonly RoomVoice[]): Promise<void> {
    const wanted = new Map(voices.filter(({ closed }) => !closed).map((voice) => [voice.routedId, voice]));
    if (wanted.size === 0) {
      this.close();
      return;
    }
    this.#observer ??= await this.#open();
    const observer = this.#observer;
    const superfluous = [...this.#added].filter(([producerId]) => !wanted.has(producerId));
    const lacking = [...wanted].filter(([producerId]) => !this.#added.has(producerId));
    const outcomes = await Promise.allSettled([
      ...superfluous.map(([producerId, voice]) => this.#remove(observer, producerId, voice)),
      ...lacking.map(([producerId, voice]) => this.#add(observer, producerId, voice)),
    ]);
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  close(): void {
    this.#added.clear();
    this.#observer?.close();
    this.#observer = undefined;
  }

  async #add(observer: types.AudioLevelObserver, producerId: string, voice: RoomVoice): Promise<void> {
    await this.#options.context.worker.ask(() => observer.addProducer({ producerId }));
    this.#added.set(producerId, voice);
  }

  async #remove(observer: types.AudioLevelObserver, producerId: string, voice: RoomVoice): Promise<void> {
    this.#added.delete(producerId);
    // The worker takes out by itself what was closed.
    if (!voice.closed) await this.#options.context.worker.ask(() => observer.removeProducer({ producerId }));
  }

  async #open(): Promise<types.AudioLevelObserver> {
    const { context, limits, measured } = this.#options;
    const router = await context.router();
    const observer = await context.worker.ask(() =>
      router.createAudioLevelObserver({
        maxEntries: limits.roomMaxSpeakers + limits.moderatorsPerRoom + 1,
        threshold: limits.speakingOffDbov,
        interval: limits.speakingIntervalMs,
      }),
    );
    observer.on('volumes', (volumes) =>
      measured(new Map(volumes.map(({ producer, volume }) => [producer.id, volume]))),
    );
    observer.on('silence', () => measured(new Map()));
    return observer;
  }
}
