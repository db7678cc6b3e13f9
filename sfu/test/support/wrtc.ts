import wrtc from '@roamhq/wrtc';

type Description = { readonly type: 'offer' | 'answer' | 'pranswer' | 'rollback'; readonly sdp?: string };
type Side = 'Local' | 'Remote';
type Pair = { current: Description | null; pending: Description | null };
/** What of the library's own class is used here. */
type Peer = {
  /** The native one, through whose properties the getters of the descriptions read. */
  readonly _pc: object;
  readonly signalingState: string;
  createOffer(): Promise<Description>;
  createAnswer(): Promise<Description>;
  setLocalDescription(description: Description): Promise<void>;
  setRemoteDescription(description: Description): Promise<void>;
};

/**
 * libwebrtc in Node, with descriptions that are safe to read. The library reads them in the thread of JavaScript while
 * libwebrtc's own threads still add candidates to them, and crashes every so often. Here they are what was set, as W3C webrtc
 * 4.4.1.5 moves them from pending to current; candidates are told by `icecandidate` alone.
 */
class SafePeerConnection extends (wrtc.RTCPeerConnection as unknown as new (configuration?: object) => Peer) {
  readonly #descriptions: Record<Side, Pair> = {
    Local: { current: null, pending: null },
    Remote: { current: null, pending: null },
  };

  constructor(configuration?: object) {
    super(configuration);
    const { Local, Remote } = this.#descriptions;
    Object.defineProperties(this._pc, { ...readable('Local', Local), ...readable('Remote', Remote) });
  }

  override async setLocalDescription(description?: Description): Promise<void> {
    const set = description ?? (await this.#implied());
    await super.setLocalDescription(set);
    this.#move('Local', set);
  }

  override async setRemoteDescription(description: Description): Promise<void> {
    await super.setRemoteDescription(description);
    this.#move('Remote', description);
  }

  /** What a local description is that is not given (W3C webrtc 4.4.2). */
  async #implied(): Promise<Description> {
    const answers = this.signalingState === 'have-remote-offer';
    return answers ? await super.createAnswer() : await super.createOffer();
  }

  #move(side: Side, description: Description): void {
    const own = this.#descriptions[side];
    const other = this.#descriptions[side === 'Local' ? 'Remote' : 'Local'];
    if (description.type === 'answer') {
      own.current = description;
      other.current = other.pending;
      own.pending = null;
    } else own.pending = description.type === 'rollback' ? null : description;
    // An answer settles their offer; an offer that is taken rolls one's own back.
    if (description.type !== 'pranswer') other.pending = null;
  }
}

const readable = (side: Side, pair: Pair): PropertyDescriptorMap => ({
  [`current${side}Description`]: { get: () => pair.current },
  [`pending${side}Description`]: { get: () => pair.pending },
  [`${side.toLowerCase()}Description`]: { get: () => pair.pending ?? pair.current },
});

/** In a test of the server it has no types, as the library's are those of a browser. */
export const PeerConnection = SafePeerConnection as unknown as typeof wrtc.RTCPeerConnection;

// The client code finds WebRTC where a browser has it.
Object.assign(globalThis, {
  MediaStream: wrtc.MediaStream,
  MediaStreamTrack: wrtc.MediaStreamTrack,
  RTCPeerConnection: PeerConnection,
  RTCRtpReceiver: wrtc.RTCRtpReceiver,
  RTCRtpSender: wrtc.RTCRtpSender,
  RTCRtpTransceiver: wrtc.RTCRtpTransceiver,
  RTCSessionDescription: wrtc.RTCSessionDescription,
  RTCIceCandidate: wrtc.RTCIceCandidate,
});

export { wrtc };
