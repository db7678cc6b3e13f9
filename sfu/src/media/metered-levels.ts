import type { Limits } from '@rostrum/shared/limits.ts';
import type { types } from 'mediasoup';
import { type LevelContext, LevelMeter } from './level-meter.ts';
import type { RoomVoice } from './room-voice.ts';

export type MeteredLevelsOptions = {
  readonly context: LevelContext;
  readonly limits: Pick<Limits, 'speakingIntervalMs' | 'speakingOffDbov'>;
  /** Average levels by `routedId`, in dBov: every `speakingIntervalMs` while there is sound, and none once when it stops. */
  readonly measured: (levels: ReadonlyMap<string, number>) => void;
  /** Every packet, by `producerId`. */
  readonly heard: (producerId: string, dBov: number | undefined, now: number) => void;
};

/** Of less sound than this in an interval, in ms, nothing is said: it is what follows a pause (DTX), or a click. */
const leastSoundMs = 100;

type Total = { readonly voice: RoomVoice; readonly sum: number; readonly packets: number };

/**
 * Measures voices packet by packet in this process: some 50 messages a second from the worker for each that talks. It costs a
 * DirectTransport on the router, which is there only while there are voices to measure.
 */
export class MeteredLevels {
  readonly #options: MeteredLevelsOptions;
  readonly #meters = new Map<string, LevelMeter>();
  readonly #totals = new Map<string, Total>();
  #transport: types.DirectTransport | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isSilent = true;

  constructor(options: MeteredLevelsOptions) {
    this.#options = options;
  }

  /** Measures these voices and no others. Rejects with the first thing that the worker did not do, when the rest is done. Not to be called again meanwhile. */
  async measure(voices: readonly RoomVoice[]): Promise<void> {
    const wanted = new Map(voices.filter(({ closed }) => !closed).map((voice) => [voice.routedId, voice]));
    for (const [routedId, meter] of this.#meters) {
      if (!meter.closed && wanted.has(routedId)) continue;
      meter.close();
      this.#meters.delete(routedId);
    }
    if (wanted.size === 0) {
      this.close();
      return;
    }
    const { context } = this.#options;
    const router = await context.router();
    this.#transport ??= await context.worker.ask(() => router.createDirectTransport());
    const transport = this.#transport;
    const lacking = [...wanted.values()].filter(({ routedId }) => !this.#meters.has(routedId));
    const outcomes = await Promise.allSettled(lacking.map((voice) => this.#open(voice, transport)));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /** Ends all meters, with their transport. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#totals.clear();
    this.#meters.clear();
    this.#transport?.close();
    this.#transport = undefined;
    this.#isSilent = true;
  }

  async #open(voice: RoomVoice, transport: types.DirectTransport): Promise<void> {
    const { context, heard } = this.#options;
    const meter = await LevelMeter.open(voice, transport, {
      context,
      heard: (dBov, now) => {
        heard(voice.producerId, dBov, now);
        if (dBov !== undefined) this.#add(voice, dBov);
      },
    });
    this.#meters.set(voice.routedId, meter);
  }

  #add(voice: RoomVoice, dBov: number): void {
    const { routedId } = voice;
    const { sum, packets } = this.#totals.get(routedId) ?? { sum: 0, packets: 0 };
    this.#totals.set(routedId, { voice, sum: sum + dBov, packets: packets + 1 });
    this.#expectEnd();
  }

  #expectEnd(): void {
    this.#timer ??= setTimeout(() => this.#tell(), this.#options.limits.speakingIntervalMs).unref();
  }

  #tell(): void {
    const { limits, measured } = this.#options;
    this.#timer = undefined;
    const levels = new Map<string, number>();
    for (const [routedId, { voice, sum, packets }] of this.#totals) {
      const level = sum / packets;
      const isSound = packets * voice.packetMs >= leastSoundMs && level >= limits.speakingOffDbov;
      if (isSound && !voice.muted && !voice.closed) levels.set(routedId, level);
    }
    this.#totals.clear();
    if (levels.size > 0 || !this.#isSilent) measured(levels);
    this.#isSilent = levels.size === 0;
    // Who stops sending (DTX) begins no other interval: that there is silence is told at the end of this one.
    if (!this.#isSilent) this.#expectEnd();
  }
}
