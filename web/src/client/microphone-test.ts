import { browserGetUserMedia, capture, deviceOf, failureOf, type GetUserMedia } from './capture.ts';
import { Emitter } from './emitter.ts';
import { TrackLevel } from './levels.ts';
import { Timers } from './timers.ts';
import type { MicrophoneFailure, MicrophoneOptions, Subscribe } from './types.ts';

export type MicrophoneTestState =
  | { readonly state: 'off' | 'asking' }
  /** The microphone is open: `level` moves. */
  | { readonly state: 'listening' | 'recording' | 'playing'; readonly deviceId: string; readonly label: string }
  | { readonly state: 'failed'; readonly reason: MicrophoneFailure };

/** Tries a microphone without a room (WB-3): a level meter, and a recording of 5 s that is played back. */
export interface MicrophoneTest {
  readonly state: MicrophoneTestState;
  readonly on: Subscribe<{ state: MicrophoneTestState }>;
  /** Opens a microphone, in place of the one before. A device that fails is told in `state`. */
  open(options?: MicrophoneOptions): Promise<void>;
  /** Momentary loudness, from 0 to 1. */
  level(): number;
  /** Whether this browser can record at all. */
  readonly canRecord: boolean;
  /** Records 5 s and plays them back; settles when they were heard, or when it is closed. */
  recordAndPlay(): Promise<void>;
  /** Closes the microphone, so that its light goes off. */
  close(): void;
}

const recordMs = 5000;
/** Playing takes as long as recording; a browser that never says that it ended is not waited for. */
const playMs = recordMs + 3000;

export const createMicrophoneTest = (getUserMedia: GetUserMedia = browserGetUserMedia): MicrophoneTest =>
  new Test(getUserMedia);

class Test implements MicrophoneTest {
  readonly #getUserMedia: GetUserMedia;
  readonly #events = new Emitter<{ state: MicrophoneTestState }>();
  readonly on: Subscribe<{ state: MicrophoneTestState }> = this.#events.on;
  readonly #meter = new TrackLevel();
  readonly canRecord = typeof MediaRecorder !== 'undefined' && typeof Audio !== 'undefined';
  #state: MicrophoneTestState = { state: 'off' };
  #track: MediaStreamTrack | undefined;
  /** Counts openings and closings: what an earlier one brings late is let go of. */
  #round = 0;
  /** Ends the recording or the playing that goes on. */
  #stop: (() => void) | undefined;

  constructor(getUserMedia: GetUserMedia) {
    this.#getUserMedia = getUserMedia;
  }

  get state(): MicrophoneTestState {
    return this.#state;
  }

  async open(options: MicrophoneOptions = {}): Promise<void> {
    this.#letGo();
    const round = this.#round;
    this.#become({ state: 'asking' });
    try {
      const { track } = await capture(this.#getUserMedia, options, 'high');
      if (round !== this.#round) {
        track.stop();
        return;
      }
      this.#track = track;
      track.addEventListener('ended', () => {
        if (round !== this.#round) return;
        this.#letGo();
        this.#become({ state: 'failed', reason: 'lost' });
      });
      this.#meter.set(track);
      this.#become({ state: 'listening', ...deviceOf(track) });
    } catch (error) {
      if (round === this.#round) this.#become({ state: 'failed', reason: failureOf(error) });
    }
  }

  level(): number {
    return this.#track === undefined ? 0 : this.#meter.level();
  }

  async recordAndPlay(): Promise<void> {
    const track = this.#track;
    if (track === undefined || !this.canRecord || this.#state.state !== 'listening') return;
    const round = this.#round;
    const device = deviceOf(track);
    this.#become({ state: 'recording', ...device });
    const recording = await this.#record(track);
    if (round === this.#round) {
      this.#become({ state: 'playing', ...device });
      await this.#play(recording);
    }
    if (round === this.#round) this.#become({ state: 'listening', ...device });
  }

  close(): void {
    this.#letGo();
    this.#become({ state: 'off' });
  }

  #record(track: MediaStreamTrack): Promise<Blob> {
    const recorder = new MediaRecorder(new MediaStream([track]));
    const timers = new Timers();
    const parts: Blob[] = [];
    recorder.addEventListener('dataavailable', ({ data }) => parts.push(data));
    return new Promise((resolve) => {
      const finish = (): void => {
        timers.close();
        resolve(new Blob(parts, { type: recorder.mimeType }));
      };
      recorder.addEventListener('stop', finish);
      recorder.addEventListener('error', finish);
      this.#stop = () => {
        if (recorder.state !== 'inactive') recorder.stop();
      };
      timers.after(recordMs, this.#stop);
      recorder.start();
    });
  }

  async #play(recording: Blob): Promise<void> {
    const url = URL.createObjectURL(recording);
    const element = new Audio(url);
    const timers = new Timers();
    await new Promise<void>((resolve) => {
      this.#stop = resolve;
      timers.after(playMs, resolve);
      element.addEventListener('ended', () => resolve());
      element.addEventListener('error', () => resolve());
      element.play().catch(() => resolve());
    });
    timers.close();
    element.pause();
    URL.revokeObjectURL(url);
  }

  #letGo(): void {
    this.#round += 1;
    this.#stop?.();
    this.#stop = undefined;
    this.#meter.set(undefined);
    this.#track?.stop();
    this.#track = undefined;
  }

  #become(state: MicrophoneTestState): void {
    this.#state = state;
    this.#events.emit('state', state);
  }
}
