/** Loudness from 0 to 1 for an amplitude from 0 to 1: linear in decibels from -60 dBov up, as ears are. */
export const levelOfAmplitude = (amplitude: number): number =>
  amplitude <= 0 ? 0 : Math.min(1, Math.max(0, (20 * Math.log10(amplitude) + 60) / 60));

/** A packet is as good as silence when no other has followed it for this long: a speaker with DTX sends none. */
const staleMs = 300;
/** Statistics are asked for this often at most, and only while somebody asks for a level. */
const statsMs = 200;

type Heard = { readonly track: MediaStreamTrack; readonly receiver: RTCRtpReceiver | undefined };
type Source = { readonly timestamp: number; readonly seenAt: number };

/**
 * Momentary loudness of the voices that are heard: from the last packet where the browser tells, else from statistics
 * that are fetched now and then while somebody asks.
 */
export class VoiceLevels {
  readonly #stats: () => Promise<RTCStatsReport | undefined>;
  readonly #voices = new Map<string, Heard>();
  readonly #sources = new Map<string, Source>();
  #amplitudes: ReadonlyMap<string, number> = new Map();
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking = false;

  /** `stats` fetches the statistics of the receiving peer connection. */
  constructor(stats: () => Promise<RTCStatsReport | undefined>) {
    this.#stats = stats;
  }

  set(userId: string, voice: Heard): void {
    this.#voices.set(userId, voice);
  }

  delete(userId: string): void {
    this.#voices.delete(userId);
    this.#sources.delete(userId);
  }

  levelOf(userId: string): number {
    const voice = this.#voices.get(userId);
    if (voice === undefined) return 0;
    const source = lastSource(voice.receiver);
    if (source?.audioLevel !== undefined)
      return this.#isFresh(userId, source.timestamp) ? levelOfAmplitude(source.audioLevel) : 0;
    void this.#refresh();
    return levelOfAmplitude(this.#amplitudes.get(voice.track.id) ?? 0);
  }

  /** Browsers differ in the clock of `timestamp`, so only its changes count. */
  #isFresh(userId: string, timestamp: number): boolean {
    const now = performance.now();
    const last = this.#sources.get(userId);
    if (last === undefined || last.timestamp !== timestamp) {
      this.#sources.set(userId, { timestamp, seenAt: now });
      return true;
    }
    return now - last.seenAt < staleMs;
  }

  async #refresh(): Promise<void> {
    const now = performance.now();
    if (this.#asking || now - this.#askedAt < statsMs) return;
    this.#asking = true;
    this.#askedAt = now;
    try {
      const report = await this.#stats();
      this.#amplitudes = amplitudesIn(report);
    } catch {
      // The peer connection was closed meanwhile.
      this.#amplitudes = new Map();
    } finally {
      this.#asking = false;
    }
  }
}

const lastSource = (receiver: RTCRtpReceiver | undefined): RTCRtpSynchronizationSource | undefined =>
  receiver !== undefined && typeof receiver.getSynchronizationSources === 'function'
    ? receiver.getSynchronizationSources()[0]
    : undefined;

const amplitudesIn = (report: RTCStatsReport | undefined): ReadonlyMap<string, number> => {
  const amplitudes = new Map<string, number>();
  report?.forEach((entry: RTCStats & Partial<RTCInboundRtpStreamStats>) => {
    if (entry.type === 'inbound-rtp' && entry.trackIdentifier !== undefined) {
      amplitudes.set(entry.trackIdentifier, entry.audioLevel ?? 0);
    }
  });
  return amplitudes;
};

/** Loudness of a local track, by an analyser; 0 where there is no Web Audio. Opens the analyser when first asked. */
export class TrackLevel {
  #context: AudioContext | undefined;
  #analyser: AnalyserNode | undefined;
  #source: MediaStreamAudioSourceNode | undefined;
  #track: MediaStreamTrack | undefined;
  #samples = new Float32Array(new ArrayBuffer(0));

  /** Measures this track from now on; none with undefined. */
  set(track: MediaStreamTrack | undefined): void {
    if (track === this.#track) return;
    this.#track = track;
    this.#source?.disconnect();
    this.#source = undefined;
    if (track === undefined) this.close();
  }

  level(): number {
    const analyser = this.#open();
    if (analyser === undefined) return 0;
    analyser.getFloatTimeDomainData(this.#samples);
    let sum = 0;
    for (const sample of this.#samples) sum += sample * sample;
    return levelOfAmplitude(Math.sqrt(sum / this.#samples.length));
  }

  close(): void {
    this.#source?.disconnect();
    this.#source = undefined;
    this.#analyser = undefined;
    // Closing a context that is closed already rejects, and there is nothing to do about it.
    this.#context?.close().catch(() => undefined);
    this.#context = undefined;
  }

  #open(): AnalyserNode | undefined {
    if (this.#track === undefined || typeof AudioContext === 'undefined') return undefined;
    this.#context ??= new AudioContext();
    if (this.#context.state === 'suspended') void this.#context.resume().catch(() => undefined);
    if (this.#analyser === undefined) {
      this.#analyser = this.#context.createAnalyser();
      this.#analyser.fftSize = 1024;
      this.#samples = new Float32Array(this.#analyser.fftSize);
    }
    if (this.#source === undefined) {
      this.#source = this.#context.createMediaStreamSource(new MediaStream([this.#track]));
      this.#source.connect(this.#analyser);
    }
    return this.#analyser;
  }
}
