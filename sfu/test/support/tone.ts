import wrtc from '@roamhq/wrtc';

const sampleRate = 48_000;
const framesPerTick = sampleRate / 100;
const fullScale = 0x7fff;

type Track = ReturnType<InstanceType<typeof wrtc.nonstandard.RTCAudioSource>['createTrack']>;

/** A microphone that hears a tone. */
export class ToneSource {
  readonly track: Track;
  readonly #source = new wrtc.nonstandard.RTCAudioSource();
  readonly #hertz: number;
  readonly #timer: NodeJS.Timeout;
  #volume = 0.5;
  #phase = 0;
  #next = performance.now();

  constructor(hertz: number) {
    this.#hertz = hertz;
    this.track = this.#source.createTrack();
    this.#timer = setInterval(() => this.#tick(), 10);
  }

  /** 1 is full scale, 0 silence. */
  setVolume(volume: number): void {
    this.#volume = volume;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.track.stop();
  }

  /** Makes the 10 ms that are due, or several where the timer was late, so that the tone has no gaps. */
  #tick(): void {
    const now = performance.now();
    if (now - this.#next > 100) this.#next = now - 100;
    for (; this.#next <= now; this.#next += 10) {
      const samples = new Int16Array(framesPerTick);
      for (let index = 0; index < framesPerTick; index += 1) {
        samples[index] = Math.round(Math.sin(this.#phase) * this.#volume * fullScale);
        this.#phase = (this.#phase + (2 * Math.PI * this.#hertz) / sampleRate) % (2 * Math.PI);
      }
      this.#source.onData({ samples, sampleRate, bitsPerSample: 16, channelCount: 1, numberOfFrames: framesPerTick });
    }
  }
}

/** The last 200 ms that came out of a track, decoded. */
export class HeardAudio {
  readonly #sink: InstanceType<typeof wrtc.nonstandard.RTCAudioSink>;
  #frames: { samples: Int16Array; sampleRate: number; channelCount: number; at: number }[] = [];

  constructor(track: Track) {
    this.#sink = new wrtc.nonstandard.RTCAudioSink(track);
    this.#sink.ondata = (data: { samples: Int16Array; sampleRate: number; channelCount: number }) => {
      const at = performance.now();
      this.#frames = [
        ...this.#frames.filter((frame) => at - frame.at < 200),
        { ...data, samples: data.samples.slice(), at },
      ];
    };
  }

  stop(): void {
    this.#sink.stop();
  }

  /** The tone, by counting how often the wave rises through zero; undefined for silence. */
  hertz(): number | undefined {
    const now = performance.now();
    const recent = this.#frames.filter((frame) => now - frame.at < 200);
    const wave = recent.flatMap(({ samples, channelCount }) =>
      [...samples].filter((_, index) => index % channelCount === 0),
    );
    const rate = recent[0]?.sampleRate;
    if (rate === undefined || wave.length < rate / 20) return undefined;
    const power = wave.reduce((sum, sample) => sum + sample ** 2, 0) / wave.length;
    if (Math.sqrt(power) < 0.01 * fullScale) return undefined;
    let rises = 0;
    for (let index = 1; index < wave.length; index += 1)
      if ((wave[index - 1] ?? 0) < 0 && (wave[index] ?? 0) >= 0) rises += 1;
    return (rises * rate) / wave.length;
  }
}
