import type { CallPath } from './call-path.ts';
import { RostrumError, unreachable } from './errors.ts';
import { IceRecovery } from './ice-recovery.ts';
import { LinkEnd, type LinkMedia, type MediaKind, type Said } from './link-end.ts';
import { type Answered, type Described, judge, type LinkMessage, roundOf, type Trickled } from './negotiation.ts';
import { emptyEvidence, type GatheringEvidence } from './network-finding.ts';
import { TaskQueue } from './task-queue.ts';

export type P2pLinkOptions = {
  /** Gives way when both sides offer at once; the side that is told to begin does not (RD-1). */
  readonly polite: boolean;
  readonly iceServers: readonly RTCIceServer[];
  /** Only relayed candidates (RD-12). */
  readonly relayOnly: boolean;
  readonly createPeer: (configuration: RTCConfiguration) => RTCPeerConnection;
  readonly media: LinkMedia;
  /** Tells the other side. What is lost on the way is said again by `resume`. */
  readonly send: (message: LinkMessage) => void;
  /** Whether the server can be reached now. */
  readonly reachable: () => boolean;
  /** The path broke, and another is looked for. */
  readonly broken: () => void;
  readonly changed: (state: RTCPeerConnectionState) => void;
  readonly heard: (kind: MediaKind, track: MediaStreamTrack, receiver: RTCRtpReceiver) => void;
};

/** Messages and changes that wait for their turn (RE-5): a side tells about 20 candidates, and both may begin anew. */
const queueMax = 200;
/** Candidates that came before the description that they belong to (RE-5). */
const keptMax = 64;
/** Earlier peer connections of either side that are remembered (RE-5): those of messages that may still be on their way. */
const pastMax = 16;

/**
 * Audio and video between two browsers (RD-2): one bundled transport, perfect negotiation, trickle ICE, ICE restarts. When a
 * side begins anew, as a page does that was reloaded, the other builds a new peer connection too.
 */
export class P2pLink implements CallPath {
  readonly #options: P2pLinkOptions;
  readonly #queue = new TaskQueue(queueMax);
  #iceServers: readonly RTCIceServer[];
  #end: LinkEnd | undefined;
  #recovery: IceRecovery | undefined;
  #remote: string | null = null;
  #past: readonly string[] = [];
  #former: readonly string[] = [];
  #kept: readonly Trickled[] = [];
  #answered: Answered | null = null;
  /** A negotiation is wanted as soon as the present one is over. */
  #owed = false;
  #closed = false;

  constructor(options: P2pLinkOptions) {
    this.#options = options;
    this.#iceServers = options.iceServers;
    this.#build();
  }

  get state(): RTCPeerConnectionState {
    return this.#end?.pc.connectionState ?? 'closed';
  }

  /** The fingerprints of both certificates are in these; undefined before both are known. */
  get descriptions(): { readonly local: string; readonly remote: string } | undefined {
    const { currentLocalDescription: local, currentRemoteDescription: remote } = this.#end?.pc ?? {};
    return local && remote ? { local: local.sdp, remote: remote.sdp } : undefined;
  }

  get evidence(): GatheringEvidence {
    return this.#end?.evidence ?? emptyEvidence();
  }

  /** Begins: makes the first offer. */
  begin(): void {
    this.#run((end) => end.offer({ restart: false }));
  }

  /** A message of the other side. */
  take(message: LinkMessage): void {
    this.#run((end) => this.#take(end, message));
  }

  /**
   * The connection of either side to the server was away, and what was told meanwhile may be lost: says it again, and looks
   * for another path where there is none, or (`moved`) where this machine changed its network.
   */
  resume({ iceServers, moved }: { iceServers: readonly RTCIceServer[]; moved: boolean }): void {
    this.#iceServers = iceServers;
    this.#run(async (end) => {
      this.#reconfigure(end);
      if (end.signaling === 'have-local-offer') end.sayAgain();
      // Two that were never connected may each have agreed with a peer connection that is gone at the other side.
      else if (!end.wasConnected && end.established) await this.#beginAnew();
      else if (this.state === 'new' || this.state === 'connecting') await end.offer({ restart: end.established });
      if (end.wasConnected) this.#recovery?.check(moved);
    });
  }

  /** What is sent of this kind has changed. */
  replaceTrack(kind: MediaKind): void {
    this.#run((end) => end.replaceTrack(kind));
  }

  /** The directions have changed (`LinkMedia.directionOf`). */
  redirect(): void {
    this.#run(async (end) => {
      if (end.redirect()) await this.#renegotiate(end);
    });
  }

  senderOf(kind: MediaKind): RTCRtpSender | undefined {
    return this.#end?.senderOf(kind);
  }

  async reports(): Promise<readonly RTCStatsReport[]> {
    return this.#end === undefined ? [] : [await this.#end.pc.getStats()];
  }

  close(): void {
    this.#closed = true;
    this.#queue.close();
    this.#drop();
  }

  /** One step after the other: nothing is decided in the middle of a negotiation. */
  #run(step: (end: LinkEnd) => Promise<void>): void {
    this.#queue
      .run(async () => {
        if (this.#end !== undefined) await step(this.#end);
        if (this.#owed && this.#end?.signaling === 'stable' && this.#end.established)
          await this.#renegotiate(this.#end);
      })
      // What the browser cannot take does no harm: a link that does not come about is given up in time (RD-3).
      .catch(() => undefined);
  }

  async #renegotiate(end: LinkEnd): Promise<void> {
    this.#owed = end.signaling !== 'stable';
    if (!this.#owed) await end.offer({ restart: false });
  }

  async #take(end: LinkEnd, message: LinkMessage): Promise<void> {
    const verdict = judge(
      {
        local: end.id,
        former: this.#former,
        remote: this.#remote,
        past: this.#past,
        polite: this.#options.polite,
        signaling: end.signaling,
        offered: end.offered,
        takenBack: end.takenBack,
        established: end.established,
        answered: this.#answered,
      },
      message,
    );
    if (verdict === 'drop') return;
    if (message.kind === 'candidate') {
      if (verdict === 'apply') await end.add(message);
      else this.#kept = [...this.#kept, message].slice(-keptMax);
      return;
    }
    if (verdict === 'say-again') end.sayAgain();
    else if (verdict === 'insist') end.insist();
    else if (verdict === 'offer-again') await end.offer({ restart: true });
    else if (verdict === 'begin-anew') await this.#beginAnew();
    else {
      if (verdict === 'yield') await end.rollBack();
      await this.#agree(verdict === 'renew' ? this.#build() : end, message);
    }
  }

  /** Takes a description; whoever it is from is the other end from now on. */
  async #agree(end: LinkEnd, { kind, from, sdp }: Described): Promise<void> {
    if (this.#remote !== null && this.#remote !== from) this.#past = [...this.#past, this.#remote].slice(-pastMax);
    this.#remote = from;
    if (kind === 'offer') {
      const round = roundOf(sdp);
      this.#answered = round === null ? null : { by: end.id, from, round };
      await end.answer(sdp);
    } else await end.settle(sdp);
    const due = this.#kept.filter((candidate) => candidate.from === from);
    this.#kept = this.#kept.filter((candidate) => candidate.from !== from);
    for (const candidate of due) await end.add(candidate);
  }

  /** A new peer connection, in the place of the one before. */
  #build(): LinkEnd {
    if (this.#end !== undefined) this.#former = [...this.#former, this.#end.id].slice(-pastMax);
    this.#drop();
    const { createPeer, media, relayOnly, changed, heard } = this.#options;
    const end: LinkEnd = new LinkEnd({
      pc: createPeer(this.#configuration()),
      media,
      relayOnly,
      say: (said) => this.#say(end, said),
      changed: (state) => {
        recovery.changed(state);
        changed(state);
      },
      heard,
    });
    const recovery = this.#recoveryOf(end);
    this.#end = end;
    this.#recovery = recovery;
    return end;
  }

  #recoveryOf(end: LinkEnd): IceRecovery {
    const { broken, reachable } = this.#options;
    return new IceRecovery({
      state: () => end.pc.connectionState,
      restart: async () => {
        broken();
        // It goes on with `resume`, once the server is back.
        if (!reachable()) throw unreachable();
        await this.#restart(end);
      },
      replace: () => this.#run((present) => (present === end ? this.#beginAnew() : Promise.resolve())),
    });
  }

  /** @throws RostrumError where too much is waiting */
  #restart(end: LinkEnd): Promise<void> {
    return this.#queue.run(async () => {
      if (this.#end !== end) throw new RostrumError('stale', 'This peer connection was replaced.');
      if (end.signaling === 'have-local-offer') end.sayAgain();
      else await end.offer({ restart: end.established });
    });
  }

  /** With a new peer connection, of which the other side knows nothing yet. */
  async #beginAnew(): Promise<void> {
    this.#remote = null;
    await this.#build().offer({ restart: false });
  }

  #say(end: LinkEnd, said: Said): void {
    if (this.#closed || this.#end !== end) return;
    this.#options.send({ ...said, from: end.id, to: this.#remote });
  }

  /** TURN credentials last an hour (SE-3): those of the beginning may be over. */
  #reconfigure(end: LinkEnd): void {
    try {
      end.pc.setConfiguration(this.#configuration());
    } catch {
      // A browser that does not take them goes on with those it has; a direct path needs none.
    }
  }

  #configuration(): RTCConfiguration {
    return {
      iceServers: [...this.#iceServers],
      iceTransportPolicy: this.#options.relayOnly ? 'relay' : 'all',
      bundlePolicy: 'max-bundle',
      rtcpMuxPolicy: 'require',
    };
  }

  #drop(): void {
    this.#recovery?.close();
    this.#recovery = undefined;
    this.#end?.close();
    this.#end = undefined;
  }
}
