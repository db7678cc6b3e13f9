import type { CallEndReason, CallMode, CallRoute, Partner, ReportType } from '@rostrum/shared/protocol/call.ts';
import type { DequeuedReason, Queued, RandomService, Search } from '@rostrum/shared/protocol/random.ts';
import type { MicrophoneFailure, RostrumErrorShape, Subscribe } from './types.ts';

/** How good the call is just now, from `getStats` of the peer connection. */
export type CallQuality = {
  readonly grade: 'good' | 'fair' | 'poor' | 'lost';
  readonly lossPercent: number;
  readonly jitterMs: number;
  readonly roundTripMs: number;
  /** Both directions, in bits a second. */
  readonly bitrate: number;
  readonly route: CallRoute | null;
};

/** What video one sends just now (RD-11); `off` when there is no camera, or the path does not carry it. */
export type VideoState =
  | { readonly state: 'off'; readonly why: 'no-camera' | 'switched-off' | 'audio-only' | 'path' }
  | { readonly state: 'on'; readonly width: number; readonly height: number; readonly framesPerSecond: number };

export type ChatLine = {
  readonly messageId: string;
  readonly mine: boolean;
  readonly text: string;
  readonly at: number;
};

export type ExtensionState = {
  /** When the call ends by itself; null where its time is not limited. */
  readonly endsAt: number | null;
  readonly asked: boolean;
  readonly partnerAsked: boolean;
};

/** A call as it stands; a new object at every change. Times are milliseconds since the epoch, by the server's clock. */
export type CallSnapshot = {
  readonly sessionId: string;
  readonly mode: CallMode;
  readonly partner: Partner;
  readonly languages: readonly string[];
  /** `reconnecting`: either side is lost, and the call resumes until `resumeUntil`. */
  readonly phase: 'connecting' | 'connected' | 'reconnecting';
  readonly connectedAt: number | null;
  readonly resumeUntil: number | null;
  readonly partnerAway: boolean;
  /** Is anybody there? Until when to answer, else null. */
  readonly answerUntil: number | null;
  readonly extension: ExtensionState;
  readonly chat: readonly ChatLine[];
  readonly muted: boolean;
  readonly video: VideoState;
  readonly audioOnly: boolean;
  readonly throughSfu: boolean;
  readonly quality: CallQuality | null;
  /** Equal at both ends when nobody is in between (SE-9); null until connected. Two groups of five letters and digits. */
  readonly securityCode: string | null;
  /** The browser keeps the partner's voice from playing: call `startAudio` from a tap. */
  readonly audioBlocked: boolean;
};

/** What is known of a connection that did not come about (RD-3). */
export type NetworkFinding = 'udp-blocked' | 'strict-network' | 'no-network' | 'unknown';

/** Why one searches again, or searches no more. */
export type SearchNotice =
  | {
      readonly kind: 'not-connected';
      readonly failuresInARow: number;
      readonly relayFromNow: boolean;
      readonly finding: NetworkFinding;
    }
  /** The other went on before anything was connected. */
  | { readonly kind: 'partner-gone' };

export type RandomPhase =
  | { readonly phase: 'idle' }
  /** Asked for, and not answered yet. */
  | { readonly phase: 'starting'; readonly mode: CallMode }
  | { readonly phase: 'queued'; readonly queued: Queued; readonly notice: SearchNotice | null }
  | { readonly phase: 'call'; readonly call: CallSnapshot }
  | {
      readonly phase: 'after';
      readonly sessionId: string;
      readonly partner: Partner;
      readonly reason: CallEndReason;
      readonly byYou: boolean;
      /** How long it was connected, in milliseconds; null: it never was. */
      readonly durationMs: number | null;
    }
  /** Out of the queue without having asked for it. */
  | {
      readonly phase: 'out';
      readonly reason: Exclude<DequeuedReason, 'cancelled'> | 'unavailable' | 'joined-elsewhere';
    }
  /** It could not begin, such as `rate_limited`, `in_room`. */
  | { readonly phase: 'refused'; readonly error: RostrumErrorShape };

export type RandomEvents = {
  phase: RandomPhase;
  service: RandomService;
  preview: PreviewState;
  /** A message of the partner came; it is in the call's chat already. */
  message: ChatLine;
};

/** Microphone and camera before and during calls (RQ-10): opened once, used for one call after the other. */
export type PreviewState =
  | { readonly state: 'off' }
  | { readonly state: 'asking' }
  | {
      readonly state: 'ready';
      readonly stream: MediaStream;
      readonly microphone: { readonly deviceId: string; readonly label: string };
      readonly camera: { readonly deviceId: string; readonly label: string } | null;
    }
  | { readonly state: 'failed'; readonly device: 'microphone' | 'camera'; readonly reason: MicrophoneFailure };

export type RandomOptions = {
  /** Where microphone and camera come from; `navigator.mediaDevices` by default. */
  readonly getUserMedia?: (constraints: MediaStreamConstraints) => Promise<MediaStream>;
  /** The RTCPeerConnection to use, where there is no browser. */
  readonly createPeer?: (configuration: RTCConfiguration) => RTCPeerConnection;
  /** What to open where a page that was reloaded finds itself in a call; the standard devices by default. */
  readonly devices?: () => { microphoneId?: string; cameraId?: string };
  /** How mediasoup-client speaks WebRTC when the SFU carries the call, where it cannot tell by the browser. */
  readonly handlerName?: 'Chrome111';
};

/**
 * Random calls of one connection (`openRandomCalls`): watches the counts, searches, connects, and comes back by itself after
 * a lost socket or a lost network. Methods @throws RostrumErrorShape.
 */
export interface RandomCalls {
  readonly phase: RandomPhase;
  /** Undefined until the server has answered. */
  readonly service: RandomService | undefined;
  readonly preview: PreviewState;
  readonly on: Subscribe<RandomEvents>;

  /** Asks for microphone (and camera, for video) before anybody is searched; a failure is told in `preview`. */
  openPreview(mode: CallMode, devices?: { microphoneId?: string; cameraId?: string }): Promise<void>;
  closePreview(): void;
  /** Searches. For voice and video the preview must be ready. A refusal is thrown, and is the phase `refused`. */
  start(search: Partial<Search> & Pick<Search, 'mode'>, options?: { leaveRoom?: boolean }): Promise<void>;
  /** `cancel` and `end` hold at once, and never throw because the server cannot be told: it is told when it can be. */
  cancel(): Promise<void>;
  next(): Promise<void>;
  end(): Promise<void>;
  /** Rates the call that goes on, or one that is over. */
  rate(sessionId: string, rating: number, comment?: string): Promise<void>;
  report(sessionId: string, type: ReportType, text: string): Promise<void>;
  block(sessionId: string): Promise<void>;
  send(text: string): Promise<void>;
  stillHere(): Promise<void>;
  extend(): Promise<void>;
  /** Back from `after`, `out` or `refused` to `idle`. */
  dismiss(): void;

  setMuted(muted: boolean): void;
  setCamera(on: boolean): Promise<void>;
  /** RD-11: sends and shows no video. */
  setAudioOnly(on: boolean): void;
  useMicrophone(deviceId: string): Promise<void>;
  useCamera(deviceId: string): Promise<void>;
  setSpeaker(deviceId: string): Promise<void>;
  startAudio(): Promise<void>;
  /**
   * The partner's picture and voice; null where there is none. One for the whole call, whose tracks come and go. The voice is
   * played already: a `<video>` element of it is muted.
   */
  readonly remoteStream: MediaStream | null;
  /** Momentary loudness from 0 to 1: the partner's, and one's own. */
  levelOf(who: 'partner' | 'me'): number;

  /** Lets go of everything without a word: the call's window and the queue's grace run on. For a page that goes away. */
  dispose(): void;
}
