import type { types } from 'mediasoup-client';
import { wrtc } from './wrtc.ts';
import type { Ear } from './wrtc-peer.ts';

type Frame = { readonly samples: Int16Array; readonly sampleRate: number; readonly channelCount: number };

/** Below this share of full scale a frame is silence: a tone is at a third, and what is made up for lost packets fades. */
const loudness = 0.02 * 0x7fff;
/** Over how long a tone is counted, in milliseconds. */
const windowMs = 200;

type Voice = { heardAt: number; longestMs: number };

/**
 * What one person hears of everybody, whatever connection it comes over: above all how long a voice was silent. A frame that was
 * decoded late because this process was busy counts as long as it lasts.
 */
export class Voices {
  readonly #voices = new Map<string, Voice>();

  /** Forgets the silences so far: from now on they are measured. */
  watch(): void {
    const now = performance.now();
    for (const voice of this.#voices.values()) Object.assign(voice, { heardAt: now, longestMs: 0 });
  }

  /** The longest silence of this voice since `watch`, or since it was first heard, in milliseconds; undefined if it never was. */
  silenceOf(userId: string): number | undefined {
    const voice = this.#voices.get(userId);
    return voice && Math.max(voice.longestMs, performance.now() - voice.heardAt);
  }

  /** An ear for one track of this person's voice. */
  ear(userId: string, track: types.Consumer['track']): Ear {
    return new Meter(track, (quietMs, since) => this.#heard(userId, quietMs, since));
  }

  /** A loud frame, after so much silence on a track that there has been since then. */
  #heard(userId: string, quietMs: number, since: number): void {
    const now = performance.now();
    const voice = this.#voices.get(userId);
    if (voice === undefined) {
      this.#voices.set(userId, { heardAt: now, longestMs: 0 });
      return;
    }
    const silentMs = now - voice.heardAt;
    const measuredMs = since <= voice.heardAt ? Math.min(silentMs, quietMs) : silentMs;
    voice.longestMs = Math.max(voice.longestMs, measuredMs);
    voice.heardAt = now;
  }
}

/** Looks at each decoded frame once, and keeps no samples. */
class Meter implements Ear {
  readonly #sink: InstanceType<typeof wrtc.nonstandard.RTCAudioSink>;
  readonly #frames: { at: number; rises: number; count: number; rate: number }[] = [];
  #quietMs = 0;

  constructor(track: types.Consumer['track'], heard: (quietMs: number, since: number) => void) {
    const since = performance.now();
    this.#sink = new wrtc.nonstandard.RTCAudioSink(track);
    this.#sink.ondata = (frame: Frame) => {
      const { isLoud, rises, count } = measure(frame);
      const at = performance.now();
      if (isLoud) {
        heard(this.#quietMs, since);
        this.#quietMs = 0;
      } else this.#quietMs += (count / frame.sampleRate) * 1000;
      this.#frames.push({ at, rises: isLoud ? rises : 0, count, rate: frame.sampleRate });
      while ((this.#frames[0]?.at ?? at) < at - windowMs) this.#frames.shift();
    };
  }

  /** The tone of the last moment, by counting how often the wave rises through zero; undefined for silence. */
  hertz(): number | undefined {
    const now = performance.now();
    const recent = this.#frames.filter(({ at }) => now - at < windowMs);
    const rises = recent.reduce((sum, frame) => sum + frame.rises, 0);
    const seconds = recent.reduce((sum, { count, rate }) => sum + count / rate, 0);
    return rises === 0 || seconds < windowMs / 4000 ? undefined : rises / seconds;
  }

  stop(): void {
    this.#sink.stop();
  }
}

const measure = ({ samples, channelCount }: Frame): { isLoud: boolean; rises: number; count: number } => {
  let power = 0;
  let rises = 0;
  let before = 0;
  for (let index = 0; index < samples.length; index += channelCount) {
    const sample = samples[index] ?? 0;
    power += sample * sample;
    if (before < 0 && sample >= 0) rises += 1;
    before = sample;
  }
  const count = samples.length / channelCount;
  return { isLoud: Math.sqrt(power / count) > loudness, rises, count };
};

/** Of a crowd nobody's ears are looked at: what arrives is counted by the connection. */
export const deafEar: Ear = { hertz: () => undefined, stop: () => undefined };
