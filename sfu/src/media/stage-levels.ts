import type { Limits } from '@rostrum/shared/limits.ts';
import { packetTimes } from '@rostrum/shared/room/audio-quality.ts';
import type { LevelContext } from './level-meter.ts';
import { MeteredLevels } from './metered-levels.ts';
import { ObservedLevels } from './observed-levels.ts';
import type { RoomVoice } from './room-voice.ts';

export type StageLevelsOptions = {
  readonly context: LevelContext;
  readonly limits: Limits;
  /** Levels by `routedId`, in dBov, about every `speakingIntervalMs` while there is sound; none once when it stops. For who speaks (MD-4). */
  readonly measured: (levels: ReadonlyMap<string, number>) => void;
  /**
   * One packet of this voice, by `producerId`, had this level, undefined when it says none: for the gate (MD-6), and only while it has
   * to choose.
   */
  readonly heard: (producerId: string, dBov: number | undefined, now: number) => void;
};

type Wanted = { readonly voices: readonly RoomVoice[]; readonly isGated: boolean };

/**
 * How loud the voices of a room are: all that are on the router of its stage. The worker measures them as long as that is enough;
 * this process does, packet by packet, where the gate has to choose, or where packets are too long for the worker's way.
 */
export class StageLevels {
  readonly #options: StageLevelsOptions;
  readonly #observed: ObservedLevels;
  readonly #metered: MeteredLevels;
  #wanted: Wanted = { voices: [], isGated: false };
  #isChanged = false;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(options: StageLevelsOptions) {
    const { context, limits, measured, heard } = options;
    this.#options = options;
    this.#observed = new ObservedLevels({ context, limits, measured });
    this.#metered = new MeteredLevels({
      context,
      limits,
      measured,
      heard: (producerId, dBov, now) => {
        if (this.#wanted.isGated) heard(producerId, dBov, now);
      },
    });
  }

  /**
   * Measures these voices and no others. `isGated`: there are more of them than the gate has places, so each packet counts. Resolves
   * when it is so. Never rejects; what the worker did not do is tried again with the next call.
   */
  async follow(voices: readonly RoomVoice[], isGated: boolean): Promise<void> {
    this.#wanted = { voices, isGated };
    this.#isChanged = true;
    this.#running ??= this.#run();
    await this.#running;
  }

  /** The router is closed, and with it everything here. */
  close(): void {
    this.#closed = true;
    this.#observed.close();
    this.#metered.close();
  }

  async #run(): Promise<void> {
    while (this.#isChanged && !this.#closed) {
      this.#isChanged = false;
      await this.#measure(this.#wanted);
    }
    this.#running = undefined;
  }

  async #measure({ voices, isGated }: Wanted): Promise<void> {
    const { context } = this.#options;
    const byPacket = isGated || voices.some(({ packetMs }) => packetMs !== packetTimes.usual);
    try {
      await this.#observed.measure(byPacket ? [] : voices);
      await this.#metered.measure(byPacket ? voices : []);
    } catch (error) {
      context.logger.debug({ roomId: context.roomId, err: error }, 'a voice could not be measured');
    }
    // What was opened while the room closed is closed with its router, and forgotten here.
    if (this.#closed) this.close();
  }
}
