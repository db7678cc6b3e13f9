import type { ErrorCode } from '@rostrum/shared/errors.ts';
import type {
  CommandInput,
  CommandName,
  CommandOutput,
  EventName,
  EventPayload,
} from '@rostrum/shared/protocol/index.ts';
import type { EndReason, ModerationEntry, Role, RoomChanges, RoomView } from '@rostrum/shared/protocol/room.ts';
import type { SessionStorage } from './session-store.ts';
import type { TokenOptions } from './token-source.ts';

export type ConnectionOptions = TokenOptions & {
  /** Where the server is, such as `https://rooms.example`. By default where the page came from. */
  readonly url?: string;
  /** Where the session's id is kept, so that a refreshed page finds its seat again; `sessionStorage` in a page. */
  readonly storage?: SessionStorage;
  /**
   * The room that this person is in or about to enter, asked whenever a socket is opened: a proxy may bring the people of a
   * room to one node by it (`?room=`, see deploy/nginx). A hint, and nothing else.
   */
  readonly nearRoom?: () => string | undefined;
};

/** Thrown by every call of the SDK that the server refused or could not be reached for. */
export interface RostrumErrorShape extends Error {
  readonly code: ErrorCode | 'network' | 'timeout';
  readonly retryAfterMs?: number;
  readonly path?: string;
}

/** Listens until the returned function is called. */
export type Subscribe<Events> = <Name extends keyof Events>(
  name: Name,
  listener: (payload: Events[Name]) => void,
) => () => void;

export type ConnectionStatus = 'connecting' | 'online' | 'reconnecting' | 'closed';

/**
 * The connection stands. `resumed`: under the session of before. `moved`: it was never away, for the server asked for a move to
 * another node and the old socket stood until now.
 */
export type Online = { readonly resumed: boolean; readonly moved: boolean };

/** Why a connection was closed for good. */
export type CloseReason = 'by-client' | 'unauthorized' | 'rate_limited' | 'replaced' | 'unsupported_protocol';

/**
 * One Socket.IO connection: it signs in with a token, comes back by itself with back-off under the same session,
 * renews the token before it expires, and closes for good only with a reason.
 */
export interface Connection {
  readonly status: ConnectionStatus;
  readonly userId: string | undefined;
  readonly closeReason: CloseReason | undefined;
  /** Sends a command and waits for its acknowledgement, 10 s at most. @throws RostrumErrorShape */
  request<Name extends CommandName>(name: Name, input: CommandInput<Name>): Promise<CommandOutput<Name>>;
  onEvent<Name extends EventName>(name: Name, listener: (payload: EventPayload<Name>) => void): () => void;
  readonly on: Subscribe<{ status: ConnectionStatus; online: Online }>;
  close(): void;
}

/** How well this person's own media gets through, from `getStats` of the peer connections. */
export type Quality = {
  readonly grade: 'good' | 'fair' | 'poor' | 'lost';
  readonly lossPercent: number;
  readonly jitterMs: number;
  readonly roundTripMs: number;
};

/**
 * Why there is no microphone: `denied` by the person or the browser, `missing` (none there), `busy` (another app has
 * it), `lost` (it disappeared), `unsupported` by this browser, `refused` by the server.
 */
export type MicrophoneFailure = 'denied' | 'missing' | 'busy' | 'lost' | 'unsupported' | 'refused';

/** What happened to a microphone that is live nevertheless; it goes with the next change. */
export type MicrophoneNotice =
  /** The chosen device is gone, or disappeared: this one took its place. */
  | { readonly kind: 'fell-back' }
  /** The other device could not be opened: the one before stays. */
  | { readonly kind: 'not-switched'; readonly reason: MicrophoneFailure };

/** What the microphone is doing here, in the browser. */
export type LocalMicrophone =
  | { readonly state: 'off' }
  | { readonly state: 'asking' }
  | {
      readonly state: 'live';
      readonly muted: boolean;
      readonly deviceId: string;
      readonly label: string;
      readonly notice?: MicrophoneNotice;
    }
  | { readonly state: 'failed'; readonly reason: MicrophoneFailure };

export type RoomPhase =
  | { readonly phase: 'joining' | 'live' | 'reconnecting' }
  | { readonly phase: 'left' }
  /** `unknown` when the room was gone after the connection came back. */
  | { readonly phase: 'ended'; readonly reason: EndReason | 'unknown' }
  /** `byName` is empty when it happened while the connection was away. */
  | { readonly phase: 'removed'; readonly banned: boolean; readonly byName: string; readonly reason: string | null }
  | { readonly phase: 'elsewhere' }
  /** The seat could not be taken again (such as `room_full`), or the connection closed for good. */
  | { readonly phase: 'refused'; readonly error: RostrumErrorShape };

export type RoomSessionEvents = {
  /** The folded view changed; the new one is in `view`. */
  view: RoomView;
  phase: RoomPhase;
  /** The whole set of people who speak now. */
  speaking: ReadonlySet<string>;
  microphone: LocalMicrophone;
  quality: Quality;
  /** True while the browser keeps the audio from playing: call `startAudio` from a tap. */
  audioBlocked: boolean;
  /** One is on the stage now: offer the microphone. */
  promoted: { role: Role; byName: string | null };
  moderated: ModerationEntry;
};

export type MicrophoneOptions = {
  readonly deviceId?: string;
  /** Echo cancellation, noise suppression and gain control: by default on for voice and off for the quality `music` (MD-5). */
  readonly processing?: boolean;
  /** Noise suppression by itself; as `processing` says by default. */
  readonly noiseSuppression?: boolean;
  /** Opens it muted, such as for push-to-talk: nothing is heard before it is unmuted. */
  readonly muted?: boolean;
};

/** For embedding where there is no browser, or another audio path is wanted; a page needs none of it. */
export type RoomOptions = {
  /** How mediasoup-client speaks WebRTC, where it cannot tell by the browser (`Chrome111` for @roamhq/wrtc). */
  readonly handlerName?: 'Chrome111' | 'Chrome74' | 'Firefox120' | 'Safari12' | 'ReactNative106';
  /** Where microphones come from; `navigator.mediaDevices` by default. */
  readonly getUserMedia?: (constraints: MediaStreamConstraints) => Promise<MediaStream>;
  /** Takes a person's voice instead of an audio element of the page; null when it is gone. */
  readonly playVoice?: (userId: string, voice: MediaStreamTrack | null) => void;
};

/** A seat in a room: what one sees, what one hears, and what one may do. Methods @throws RostrumErrorShape. */
export interface RoomSession {
  readonly roomId: string;
  readonly view: RoomView;
  readonly phase: RoomPhase;
  readonly speaking: ReadonlySet<string>;
  readonly microphone: LocalMicrophone;
  readonly quality: Quality;
  readonly audioBlocked: boolean;
  readonly on: Subscribe<RoomSessionEvents>;

  raiseHand(): Promise<{ position: number }>;
  lowerHand(): Promise<void>;
  /** Without a person: the next in the queue. */
  acceptHand(userId?: string): Promise<void>;
  /** Without a person: the whole queue. */
  declineHand(userId?: string): Promise<void>;
  moveHandToFront(userId: string): Promise<void>;
  setHandAllowed(userId: string, allowed: boolean): Promise<void>;
  inviteToSpeak(userId: string): Promise<void>;
  answerInvitation(accept: boolean): Promise<void>;
  promote(userId: string, role: 'speaker' | 'moderator'): Promise<'promoted' | 'invited'>;
  demote(userId: string, role: 'speaker' | 'listener'): Promise<void>;
  stepDown(): Promise<void>;
  mute(userId: string, options?: { locked?: boolean; reason?: string }): Promise<void>;
  muteAll(options?: { locked?: boolean; reason?: string }): Promise<void>;
  kick(userId: string, reason?: string): Promise<void>;
  ban(userId: string, reason?: string): Promise<void>;
  unban(userId: string): Promise<void>;
  update(changes: RoomChanges): Promise<void>;
  handOver(userId: string): Promise<void>;
  end(): Promise<void>;
  leave(): Promise<void>;

  /**
   * Asks for the microphone and sends it; on another device when it is open already. A device that fails is not thrown
   * but told in `microphone`.
   */
  openMicrophone(options?: MicrophoneOptions): Promise<void>;
  /** Mutes or unmutes oneself; a muted microphone sends no packets (MD-10). */
  setMuted(muted: boolean): Promise<void>;
  closeMicrophone(): Promise<void>;
  /** Starts playback after the browser blocked it; call it from a tap. */
  startAudio(): Promise<void>;
  /** Volume of one person here, from 0 to 1; kept while the session lasts. */
  setVolume(userId: string, volume: number): void;
  volumeOf(userId: string): number;
  /** Plays on another loudspeaker, where the browser can choose (`canChooseSpeaker`); '' is the standard one. */
  setSpeaker(deviceId: string): Promise<void>;
  /** Momentary loudness of a person who is heard (or of oneself), from 0 to 1, for the speaking ring. */
  levelOf(userId: string): number;
  /** Lets go of everything without leaving: the seat is kept for its grace (RE-2). For a page that goes away. */
  dispose(): void;
}
