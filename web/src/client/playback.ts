/** How the voices of a room are played: an audio element for each, or what an embedder does with their tracks. */
export type PlaybackOptions = {
  readonly playVoice?: ((userId: string, voice: MediaStreamTrack | null) => void) | undefined;
  readonly blockedChanged: (blocked: boolean) => void;
};

/** Volumes that are remembered (RE-5); more people than a stage sees in 12 h. */
const volumesMax = 500;

export class Playback {
  readonly #options: PlaybackOptions;
  readonly #players = new Map<string, Player>();
  readonly #volumes = new Map<string, number>();
  #blocked = false;
  #sinkId = '';

  constructor(options: PlaybackOptions) {
    this.#options = options;
  }

  get blocked(): boolean {
    return this.#blocked;
  }

  /** Plays a person's voice, in place of the one before. */
  play(userId: string, track: MediaStreamTrack): void {
    if (this.#options.playVoice !== undefined) {
      this.#options.playVoice(userId, track);
      return;
    }
    if (typeof Audio === 'undefined') return;
    const player = this.#players.get(userId) ?? new Player(() => this.#setBlocked(true));
    this.#players.set(userId, player);
    player.setVolume(this.volumeOf(userId));
    // A loudspeaker that was unplugged since: the voice then comes from the standard one.
    player.setSink(this.#sinkId).catch(() => undefined);
    player.play(track);
  }

  stop(userId: string): void {
    this.#options.playVoice?.(userId, null);
    this.#players.get(userId)?.close();
    this.#players.delete(userId);
  }

  setVolume(userId: string, volume: number): void {
    const within = Math.min(1, Math.max(0, volume));
    this.#volumes.delete(userId);
    this.#volumes.set(userId, within);
    for (const oldest of this.#volumes.keys()) {
      if (this.#volumes.size <= volumesMax) break;
      this.#volumes.delete(oldest);
    }
    this.#players.get(userId)?.setVolume(within);
  }

  volumeOf(userId: string): number {
    return this.#volumes.get(userId) ?? 1;
  }

  /** Plays everything that the browser blocked; call it from a tap. */
  async start(): Promise<void> {
    const played = await Promise.all([...this.#players.values()].map((player) => player.start()));
    this.#setBlocked(played.includes(false));
  }

  /** Plays on another loudspeaker. @throws DOMException where there is none of this id */
  async setSpeaker(deviceId: string): Promise<void> {
    await Promise.all([...this.#players.values()].map((player) => player.setSink(deviceId)));
    this.#sinkId = deviceId;
  }

  close(): void {
    for (const userId of [...this.#players.keys()]) this.stop(userId);
  }

  #setBlocked(blocked: boolean): void {
    if (blocked === this.#blocked) return;
    this.#blocked = blocked;
    this.#options.blockedChanged(blocked);
  }
}

/** One voice: an audio element. Where its volume cannot be set (iOS), the voice goes through a gain node instead. */
class Player {
  readonly #element = new Audio();
  readonly #blocked: () => void;
  #volume = 1;
  #gain: { readonly context: AudioContext; readonly node: GainNode; source: MediaStreamAudioSourceNode } | undefined;

  constructor(blocked: () => void) {
    this.#blocked = blocked;
    this.#element.autoplay = true;
  }

  play(track: MediaStreamTrack): void {
    this.#element.srcObject = new MediaStream([track]);
    this.#routeGain();
    void this.start().then((played) => {
      if (!played) this.#blocked();
    });
  }

  /** False where the browser keeps it from playing. */
  async start(): Promise<boolean> {
    try {
      await this.#gain?.context.resume();
      await this.#element.play();
      return true;
    } catch (error) {
      // Any other error says that a newer voice took the element meanwhile; that one reports for itself.
      return !(error instanceof DOMException && error.name === 'NotAllowedError');
    }
  }

  setVolume(volume: number): void {
    this.#volume = volume;
    this.#element.volume = volume;
    if (this.#gain === undefined && this.#element.volume !== volume && typeof AudioContext !== 'undefined')
      this.#useGain();
    if (this.#gain !== undefined) this.#gain.node.gain.value = volume;
    else this.#element.muted = volume === 0;
  }

  async setSink(deviceId: string): Promise<void> {
    if (!('setSinkId' in this.#element) || this.#element.sinkId === deviceId) return;
    await this.#element.setSinkId(deviceId);
  }

  close(): void {
    this.#element.pause();
    this.#element.srcObject = null;
    this.#gain?.source.disconnect();
    this.#gain?.context.close().catch(() => undefined);
    this.#gain = undefined;
  }

  #useGain(): void {
    const stream = this.#element.srcObject;
    if (!(stream instanceof MediaStream)) return;
    const context = new AudioContext();
    const node = context.createGain();
    const source = context.createMediaStreamSource(stream);
    source.connect(node).connect(context.destination);
    // The element goes on, silently: without one the browser does not decode the voice.
    this.#element.muted = true;
    this.#gain = { context, node, source };
    context.resume().catch(() => undefined);
  }

  #routeGain(): void {
    const stream = this.#element.srcObject;
    if (!(stream instanceof MediaStream)) return;
    if (this.#gain === undefined) {
      this.setVolume(this.#volume);
      return;
    }
    this.#gain.source.disconnect();
    this.#gain.source = this.#gain.context.createMediaStreamSource(stream);
    this.#gain.source.connect(this.#gain.node);
  }
}
