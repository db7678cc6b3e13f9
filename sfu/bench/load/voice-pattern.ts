import type { RoomSettings } from '@rostrum/shared/protocol/room.ts';
import { audioSettings } from '@rostrum/shared/room/audio-quality.ts';

/**
 * What libopus does in DTX (RFC 6716 section 2.1.9): it goes on for 200 ms after the last word, and in silence sends one
 * packet every 400 ms, from which comfort noise is made.
 */
const hangoverMs = 200;
const comfortMs = 400;
const comfortBytes = 20;

/** Levels as RFC 6464 counts them: 0 is as loud as can be, 127 is silence; each is so many dB under full scale. */
const voiceLevel = { loudest: 20, softest: 34 };
const noiseLevel = { loudest: 72, softest: 90 };
const silentLevel = 127;
/** Syllables: about four to five in a second, with so many dB between the vowel and what is around it. */
const syllableMs = 220;
const syllableDb = 12;
/** The bytes of a packet follow what is said: so much more or less. */
const bytesVary = 0.3;

/** What a microphone sends of one piece of sound. */
export type VoicePacket = {
  /** RFC 6464: 0 to 127, in dB under full scale. */
  readonly level: number;
  readonly voice: boolean;
  /** Of Opus. */
  readonly bytes: number;
};

export type VoiceOptions = {
  readonly packetMs: number;
  readonly quality: RoomSettings['audioQuality'];
  /** Whether next to nothing is sent in silence; as the quality has it where it is left out. */
  readonly dtx?: boolean | undefined;
};

/** Which packets somebody's microphone sends while they talk and while they do not. */
export class VoicePattern {
  readonly #random: () => number;
  readonly #dtx: boolean;
  readonly #bytes: number;
  readonly #base: number;
  readonly #noise: number;
  readonly #rhythm: number;
  #lastVoice = Number.NEGATIVE_INFINITY;
  #lastSent = Number.NEGATIVE_INFINITY;

  constructor({ packetMs, quality, dtx }: VoiceOptions, random: () => number = Math.random) {
    const settings = audioSettings[quality];
    this.#random = random;
    this.#dtx = dtx ?? settings.dtx;
    this.#bytes = (settings.maxBitrate / 8) * (packetMs / 1000);
    this.#base = this.#between(voiceLevel.loudest, voiceLevel.softest);
    this.#noise = this.#between(noiseLevel.loudest, noiseLevel.softest);
    this.#rhythm = syllableMs * this.#between(0.85, 1.15);
  }

  /** What is sent of the sound that ends at `ms`; undefined when nothing is. */
  next(ms: number, talks: boolean): VoicePacket | undefined {
    if (talks) this.#lastVoice = ms;
    const silent = this.#dtx && ms - this.#lastVoice > hangoverMs;
    if (silent && ms - this.#lastSent < comfortMs) return undefined;
    this.#lastSent = ms;
    if (silent) return { level: this.#levelOf(this.#noise), voice: false, bytes: comfortBytes };
    const bytes = Math.round(this.#bytes * this.#between(1 - bytesVary, 1 + bytesVary));
    if (!talks) return { level: this.#levelOf(this.#noise), voice: false, bytes };
    const syllable = (1 - Math.cos((2 * Math.PI * ms) / this.#rhythm)) / 2;
    return { level: this.#levelOf(this.#base + syllableDb * syllable), voice: true, bytes };
  }

  #levelOf(level: number): number {
    return Math.round(Math.min(silentLevel, Math.max(0, level + this.#between(-2, 2))));
  }

  #between(from: number, to: number): number {
    return from + (to - from) * this.#random();
  }
}
