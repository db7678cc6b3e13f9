import { candidateType } from '@rostrum/shared/call/sdp.ts';
import { hideAddresses } from './hide-address.ts';
import { type Described, inRound, roundOf, type Trickled } from './negotiation.ts';
import { emptyEvidence, type GatheringEvidence } from './network-finding.ts';

export type MediaKind = 'audio' | 'video';

/** What is sent over a link just now; asked for whenever a peer connection is built or negotiates. */
export type LinkMedia = {
  readonly kinds: readonly MediaKind[];
  /** Null: nothing now; something may follow without a negotiation. */
  readonly trackOf: (kind: MediaKind) => MediaStreamTrack | null;
  readonly directionOf: (kind: MediaKind) => 'sendrecv' | 'inactive';
};

/** What is told to the other side, before it is said who tells it to whom. */
export type Said = Pick<Described, 'kind' | 'sdp'> | Omit<Trickled, 'from' | 'to'>;

export type LinkEndOptions = {
  readonly pc: RTCPeerConnection;
  readonly media: LinkMedia;
  /** Nothing that is told may have an address in it but a relay's (RD-12). */
  readonly relayOnly: boolean;
  readonly say: (said: Said) => void;
  readonly changed: (state: RTCPeerConnectionState) => void;
  readonly heard: (kind: MediaKind, track: MediaStreamTrack, receiver: RTCRtpReceiver) => void;
};

/** Candidates of one description that are kept to be said again (RE-5); a phone with TURN and IPv6 gathers about 20. */
const saidMax = 64;

/** Rounds of one offer that are remembered (RE-5): an answer to an earlier one is as good. */
const roundsMax = 16;

const newId = (): string => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
};

const kindOf = (transceiver: RTCRtpTransceiver): MediaKind =>
  transceiver.receiver.track.kind === 'video' ? 'video' : 'audio';

/** One peer connection, from the first negotiation to its close. Its asynchronous methods are to be called one after the other. */
export class LinkEnd {
  readonly id = newId();
  readonly pc: RTCPeerConnection;
  readonly #options: LinkEndOptions;
  /** Groups what one sends, so that the other side plays picture and voice together (W3C WebRTC section 5.2, streams). */
  readonly #stream = new MediaStream();
  readonly #evidence: GatheringEvidence = emptyEvidence();
  #description: Pick<Described, 'kind' | 'sdp'> | undefined;
  #candidates: Said[] = [];
  #round = 0;
  #offered: readonly number[] = [];
  #takenBack: readonly number[] = [];
  #wasConnected = false;
  #closed = false;

  constructor(options: LinkEndOptions) {
    const { pc, changed, heard } = options;
    this.#options = options;
    this.pc = pc;
    pc.addEventListener('icecandidate', ({ candidate }) => this.#gathered(candidate));
    pc.addEventListener('icecandidateerror', ({ errorCode }) => {
      this.#evidence.errors.add(errorCode);
    });
    pc.addEventListener('connectionstatechange', () => {
      if (this.#closed) return;
      if (pc.connectionState === 'connected') this.#wasConnected = true;
      changed(pc.connectionState);
    });
    pc.addEventListener('track', ({ track, receiver, transceiver }) => {
      const kind = kindOf(transceiver);
      if (!this.#closed && this.#directionOf(transceiver) !== 'inactive') heard(kind, track, receiver);
    });
  }

  get signaling(): 'stable' | 'have-local-offer' {
    return this.pc.signalingState === 'have-local-offer' ? 'have-local-offer' : 'stable';
  }

  get established(): boolean {
    return !this.#closed && this.pc.currentRemoteDescription !== null;
  }

  /** The rounds in which the present offer was made. */
  get offered(): readonly number[] {
    return this.#offered;
  }

  /** The rounds of the last offer, where that was taken back. */
  get takenBack(): readonly number[] {
    return this.#takenBack;
  }

  get wasConnected(): boolean {
    return this.#wasConnected;
  }

  get evidence(): GatheringEvidence {
    return { ...this.#evidence, gathering: this.pc.iceGatheringState };
  }

  /** Makes an offer, and says it; with new ICE credentials where `restart`. @throws DOMException */
  async offer({ restart }: { restart: boolean }): Promise<void> {
    if (this.#closed) return;
    if (this.pc.getTransceivers().length === 0) this.#addMedia();
    if (restart) this.pc.restartIce();
    this.#takenBack = [];
    this.#offered = [this.#nextRound()];
    await this.#describe('offer', await this.pc.createOffer(), this.#round);
  }

  /** Takes their offer, and says the answer. @throws DOMException where it is not one, or does not fit */
  async answer(sdp: string): Promise<void> {
    if (this.#closed) return;
    await this.pc.setRemoteDescription({ type: 'offer', sdp });
    await this.#attachMedia();
    await this.#describe('answer', await this.pc.createAnswer(), roundOf(sdp));
  }

  /** Takes their answer. @throws DOMException where it is not one, or does not fit */
  async settle(sdp: string): Promise<void> {
    if (!this.#closed) await this.pc.setRemoteDescription({ type: 'answer', sdp });
  }

  /** Takes back the offer that was made and not answered. Said out, because not every peer does it by itself. */
  async rollBack(): Promise<void> {
    if (this.#closed) return;
    this.#takenBack = this.#offered;
    await this.pc.setLocalDescription({ type: 'rollback' });
  }

  /** Says the last description again, and its candidates: word for word, so that the other side knows them again. */
  sayAgain(): void {
    if (this.#description === undefined || this.#closed) return;
    for (const said of [this.#description, ...this.#candidates]) this.#options.say(said);
  }

  /** Makes the last offer again, as a new one: so it is not taken for a copy of what was said before. */
  insist(): void {
    if (this.#description === undefined) return;
    const { kind, sdp } = this.#description;
    this.#offered = [...this.#offered, this.#nextRound()].slice(-roundsMax);
    this.#description = { kind, sdp: inRound(sdp, this.#round) };
    this.sayAgain();
  }

  /** Takes a candidate of theirs. One that does not fit harms nothing: of an offer that was left, or not for this browser. */
  async add({ candidate, sdpMid, sdpMLineIndex, usernameFragment }: Trickled): Promise<void> {
    if (this.#closed) return;
    const type = candidateType(candidate);
    if (type !== undefined) this.#evidence.remote.add(type);
    await this.pc
      .addIceCandidate({ candidate, sdpMid, sdpMLineIndex, ...(usernameFragment ? { usernameFragment } : {}) })
      .catch(() => undefined);
  }

  senderOf(kind: MediaKind): RTCRtpSender | undefined {
    return this.#closed ? undefined : this.#transceiverOf(kind)?.sender;
  }

  /** Sends what is to be sent now, without a negotiation. @throws DOMException where the browser needs one */
  async replaceTrack(kind: MediaKind): Promise<void> {
    await this.senderOf(kind)?.replaceTrack(this.#options.media.trackOf(kind));
  }

  /** Makes the directions what they are to be. Answers whether that takes a negotiation. */
  redirect(): boolean {
    let changed = false;
    for (const transceiver of this.pc.getTransceivers()) {
      const wanted = this.#directionOf(transceiver);
      if (transceiver.direction === wanted || transceiver.direction === 'stopped') continue;
      transceiver.direction = wanted;
      changed = true;
    }
    return changed;
  }

  close(): void {
    this.#closed = true;
    this.pc.close();
  }

  /** On the side that offers first: one media section for each kind, also for what is not sent yet. */
  #addMedia(): void {
    const { kinds, trackOf, directionOf } = this.#options.media;
    for (const kind of kinds) {
      const streams = [this.#stream];
      this.pc.addTransceiver(trackOf(kind) ?? kind, { direction: directionOf(kind), streams });
    }
  }

  /** On the side that answers: the media sections are those of the offer, and are answered in both directions. */
  async #attachMedia(): Promise<void> {
    const { kinds, trackOf } = this.#options.media;
    this.redirect();
    for (const kind of kinds) {
      const sender = this.senderOf(kind);
      if (sender === undefined) continue;
      const track = trackOf(kind);
      if (sender.track !== track) await sender.replaceTrack(track);
      sender.setStreams(this.#stream);
    }
  }

  #transceiverOf(kind: MediaKind): RTCRtpTransceiver | undefined {
    return this.pc
      .getTransceivers()
      .find((transceiver) => kindOf(transceiver) === kind && transceiver.direction !== 'stopped');
  }

  /** One media section of each kind that the call has; what else the other side offers is not taken. */
  #directionOf(transceiver: RTCRtpTransceiver): RTCRtpTransceiverDirection {
    const { kinds, directionOf } = this.#options.media;
    const kind = kindOf(transceiver);
    return kinds.includes(kind) && this.#transceiverOf(kind) === transceiver ? directionOf(kind) : 'inactive';
  }

  #nextRound(): number {
    this.#round += 1;
    return this.#round;
  }

  async #describe(
    kind: 'offer' | 'answer',
    description: RTCSessionDescriptionInit,
    round: number | null,
  ): Promise<void> {
    if (this.#closed) return;
    this.#candidates = [];
    await this.pc.setLocalDescription(description);
    const described = this.pc.localDescription?.sdp ?? description.sdp ?? '';
    if (this.#closed) return;
    const sdp = this.#options.relayOnly ? hideAddresses(described) : described;
    this.#description = { kind, sdp: round === null ? sdp : inRound(sdp, round) };
    this.#options.say(this.#description);
  }

  #gathered(candidate: RTCIceCandidate | null): void {
    if (candidate === null || this.#closed) return;
    const type = candidateType(candidate.candidate);
    if (type !== undefined) this.#evidence.local.add(type);
    const text = this.#options.relayOnly ? hideAddresses(candidate.candidate) : candidate.candidate;
    if (text === '' && candidate.candidate !== '') return;
    const { sdpMid, sdpMLineIndex, usernameFragment } = candidate;
    const said: Said = { kind: 'candidate', candidate: text, sdpMid, sdpMLineIndex, usernameFragment };
    if (this.#candidates.length < saidMax) this.#candidates.push(said);
    this.#options.say(said);
  }
}
