import type { CallMode } from '@rostrum/shared/protocol/call.ts';
import type { VideoState } from './call-types.ts';
import type { Preview } from './preview.ts';
import { type Adaptation, adapt, type Measured, type Rung, rungs, startAdaptation } from './video-adaptation.ts';

/** The parts of an RTCRtpSender and of a camera's track that this needs. */
type Sender = Pick<RTCRtpSender, 'track' | 'getParameters' | 'setParameters'>;

export type CallVideoOptions = {
  readonly mode: CallMode;
  readonly preview: Pick<Preview, 'camera' | 'cameraOff'>;
  readonly audioOnly: boolean;
  /** Another rung, or whether there is one at all. */
  readonly changed: () => void;
};

/** One's own video in a call: whether it is sent, and how well, as the path allows (RD-11). */
export class CallVideo {
  readonly #options: CallVideoOptions;
  #adaptation: Adaptation = startAdaptation;
  /** RD-11: no video is wanted, by this person. */
  audioOnly: boolean;

  constructor(options: CallVideoOptions) {
    this.#options = options;
    this.audioOnly = options.audioOnly;
  }

  /** What is sent now; null for nothing. */
  get track(): MediaStreamTrack | null {
    const { camera } = this.#options.preview;
    return this.audioOnly || this.#rung === undefined ? null : (camera ?? null);
  }

  /** What is told of it. `possible`: the way that the call takes has video. */
  stateOn(possible: boolean): VideoState {
    const { mode, preview } = this.#options;
    if (this.audioOnly) return { state: 'off', why: 'audio-only' };
    if (mode === 'video' && preview.cameraOff) return { state: 'off', why: 'switched-off' };
    if (mode !== 'video' || preview.camera === undefined) return { state: 'off', why: 'no-camera' };
    if (this.#rung === undefined || !possible) return { state: 'off', why: 'path' };
    const { width, height, framesPerSecond } = this.#rung;
    return { state: 'on', width, height, framesPerSecond };
  }

  /** What was measured over the last `elapsedMs` milliseconds; it counts while there is video to be sent. */
  measured(measured: Measured, elapsedMs: number): void {
    const { mode, preview, changed } = this.#options;
    if (mode !== 'video' || this.audioOnly || preview.camera === undefined) return;
    const { level } = this.#adaptation;
    this.#adaptation = adapt(this.#adaptation, measured, elapsedMs);
    if (this.#adaptation.level !== level) changed();
  }

  /** Makes the sender send by the present rung. Where a browser does not take it, its own congestion control is left to act. */
  async apply(sender: Sender | undefined): Promise<void> {
    const rung = this.#rung;
    if (sender === undefined || rung === undefined) return;
    await shape(sender.track, rung);
    await limit(sender, rung);
  }

  get #rung(): Rung | undefined {
    return rungs[this.#adaptation.level];
  }
}

/** The camera takes no larger and no more pictures than are sent. */
const shape = async (track: MediaStreamTrack | null, { width, height, framesPerSecond }: Rung): Promise<void> => {
  if (track === null || typeof track.applyConstraints !== 'function') return;
  const wanted = { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: framesPerSecond } };
  await track.applyConstraints(wanted).catch(() => undefined);
};

/** W3C WebRTC section 5.2.1: parameters are those of the last `getParameters`, changed in place. */
const limit = async (sender: Sender, { height, framesPerSecond, bitrate }: Rung): Promise<void> => {
  const parameters = sender.getParameters();
  const captured = sender.track?.getSettings?.().height ?? height;
  for (const encoding of parameters.encodings) {
    encoding.maxBitrate = bitrate;
    encoding.maxFramerate = framesPerSecond;
    encoding.scaleResolutionDownBy = Math.max(1, captured / height);
  }
  await sender.setParameters(parameters).catch(() => undefined);
};

/** The voice goes before everything else that is sent (W3C webrtc-priority). */
export const prefer = async (sender: Sender | undefined): Promise<void> => {
  if (sender === undefined) return;
  const parameters = sender.getParameters();
  for (const encoding of parameters.encodings) {
    encoding.priority = 'high';
    encoding.networkPriority = 'high';
  }
  await sender.setParameters(parameters).catch(() => undefined);
};
