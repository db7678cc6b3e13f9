import type { MediaKind } from './link-end.ts';
import type { LinkMessage } from './negotiation.ts';

/** A way on which the media of a call goes: directly between two browsers, or (RD-4) through the SFU. */
export interface CallPath {
  readonly state: RTCPeerConnectionState;
  /** A message of the other side; none comes where the server is the other side. */
  take?(message: LinkMessage): void;
  /** The connection to the server is back. `moved`: this machine changed its network. */
  resume(after: { readonly iceServers: readonly RTCIceServer[]; readonly moved: boolean }): void;
  /** What is sent of this kind has changed. */
  replaceTrack(kind: MediaKind): void;
  /** Whether video goes to and fro has changed; where there is video at all. */
  redirect?(): void;
  /** One's own microphone was muted or unmuted; where that is not enough to be silent. */
  muteChanged?(): void;
  senderOf?(kind: MediaKind): RTCRtpSender | undefined;
  reports(): Promise<readonly RTCStatsReport[]>;
  close(): void;
}
