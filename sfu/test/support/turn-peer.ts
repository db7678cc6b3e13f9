/**
 * One person of a call on another machine (see namespaces.ts): real ICE, DTLS, SRTP and Opus by libwebrtc. This runs there as a
 * child of the test, which carries the messages between the two. It speaks a tone, and tells what it hears and over what.
 */
import { HeardAudio, ToneSource } from './tone.ts';
import { PeerConnection, wrtc } from './wrtc.ts';

type Description = { readonly type: 'offer' | 'answer'; readonly sdp: string };
type Candidate = { readonly candidate: string; readonly sdpMid: string | null; readonly sdpMLineIndex: number | null };

/** What goes from one peer to the other. */
export type Signal = { readonly description: Description } | { readonly candidate: Candidate };

export type PeerStart = {
  readonly offers: boolean;
  readonly iceServers: readonly { urls: string[]; username?: string; credential?: string }[];
  readonly relayOnly: boolean;
  readonly hertz: number;
};

/** One end of the pair of candidates that is in use (W3C webrtc-stats, RTCIceCandidateStats). */
export type PeerEnd = { readonly type: string; readonly address: string; readonly relayProtocol: string | undefined };
export type PeerState = {
  readonly connection: string;
  /** The tone that it hears; undefined for silence. */
  readonly hears: number | undefined;
  readonly pair: { readonly local: PeerEnd; readonly remote: PeerEnd } | undefined;
};

/** From the test. */
export type PeerCommand =
  | { readonly kind: 'start'; readonly start: PeerStart }
  | { readonly kind: 'signal'; readonly signal: Signal }
  | { readonly kind: 'state' };
/** To the test. */
export type PeerReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'signal'; readonly signal: Signal }
  | { readonly kind: 'state'; readonly state: PeerState };

const report = (message: PeerReport): void => {
  process.send?.(message);
};

class CallPeer {
  readonly #peer: InstanceType<typeof PeerConnection>;
  readonly #early: Candidate[] = [];
  #heard: HeardAudio | undefined;

  constructor({ iceServers, relayOnly, hertz }: PeerStart) {
    this.#peer = new PeerConnection({
      iceServers: [...iceServers],
      iceTransportPolicy: relayOnly ? 'relay' : 'all',
    });
    this.#peer.onicecandidate = ({ candidate }: { candidate: Candidate | null }) => {
      if (!candidate) return;
      const { sdpMid, sdpMLineIndex } = candidate;
      report({ kind: 'signal', signal: { candidate: { candidate: candidate.candidate, sdpMid, sdpMLineIndex } } });
    };
    this.#peer.ontrack = ({ track }: { track: ConstructorParameters<typeof HeardAudio>[0] }) => {
      this.#heard = new HeardAudio(track);
    };
    this.#peer.addTrack(new ToneSource(hertz).track, new wrtc.MediaStream());
  }

  async offer(): Promise<void> {
    await this.#describe(await this.#peer.createOffer());
  }

  async take(signal: Signal): Promise<void> {
    if ('candidate' in signal) {
      if (this.#peer.remoteDescription) await this.#peer.addIceCandidate(signal.candidate);
      else this.#early.push(signal.candidate);
      return;
    }
    await this.#peer.setRemoteDescription(signal.description);
    if (signal.description.type === 'offer') await this.#describe(await this.#peer.createAnswer());
    for (const candidate of this.#early.splice(0)) await this.#peer.addIceCandidate(candidate);
  }

  async state(): Promise<PeerState> {
    const stats = [...(await this.#peer.getStats()).values()];
    const pair = stats.find(
      ({ type, state, nominated }) => type === 'candidate-pair' && state === 'succeeded' && nominated,
    );
    const end = (id: unknown): PeerEnd | undefined => {
      const found = stats.find((one) => one.id === id);
      return (
        found && { type: found.candidateType, address: found.address ?? found.ip, relayProtocol: found.relayProtocol }
      );
    };
    const [local, remote] = [end(pair?.localCandidateId), end(pair?.remoteCandidateId)];
    return {
      connection: this.#peer.connectionState,
      hears: this.#heard?.hertz(),
      pair: local && remote && { local, remote },
    };
  }

  async #describe(description: { type: string; sdp?: string }): Promise<void> {
    const { type, sdp = '' } = description;
    if (type !== 'offer' && type !== 'answer') throw new Error(`a description of type ${type}`);
    await this.#peer.setLocalDescription({ type, sdp });
    report({ kind: 'signal', signal: { description: { type, sdp } } });
  }
}

let peer: CallPeer | undefined;

const carryOut = async (command: PeerCommand): Promise<void> => {
  if (command.kind === 'start') {
    peer = new CallPeer(command.start);
    if (command.start.offers) await peer.offer();
  } else if (command.kind === 'signal') await peer?.take(command.signal);
  else if (peer) report({ kind: 'state', state: await peer.state() });
};

// One after the other, in the order in which they came; one that fails ends the process, which the test notices.
let last = Promise.resolve();
process.on('message', (command: PeerCommand) => {
  last = last.then(() => carryOut(command));
});
process.on('unhandledRejection', (error) => {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
});
// Whoever started it is gone.
process.on('disconnect', () => process.exit());
report({ kind: 'ready' });
