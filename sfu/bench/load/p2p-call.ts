import { randomBytes } from 'node:crypto';
import type { CommandInput } from '@rostrum/shared/protocol/index.ts';
import { PeerConnection, wrtc } from '../../test/support/wrtc.ts';
import type { MediaAddresses } from '../lib/media-addresses.ts';

/** How often it is looked whether anything came, in milliseconds. */
const lookMs = 50;

type Description = Omit<CommandInput<'random:offer'>, 'sessionId'>;
type Candidate = Omit<CommandInput<'random:ice_candidate'>, 'sessionId'>;

export type P2pOptions = {
  /** This side makes the offer. */
  readonly begins: boolean;
  /** Where media may go: candidates of the other side that are elsewhere are not used. */
  readonly addresses: MediaAddresses;
  readonly track: Parameters<InstanceType<typeof PeerConnection>['addTrack']>[0];
  readonly tell: {
    offer(description: Description): Promise<void>;
    answer(description: Description): Promise<void>;
    candidate(candidate: Candidate): Promise<void>;
  };
  /** Voice of the other side arrives. */
  readonly heard: () => void;
  readonly failed: (error: unknown) => void;
};

/** One end of a call between two of this load: one offer, one answer, candidates as they are found. */
export class P2pCall {
  readonly #options: P2pOptions;
  readonly #id = randomBytes(16).toString('base64url');
  readonly #peer = new PeerConnection();
  #otherId: string | null = null;
  #turn: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: P2pOptions) {
    this.#options = options;
    this.#peer.addTrack(options.track, new wrtc.MediaStream([options.track]));
    this.#peer.onicecandidate = ({ candidate }: { candidate: FoundCandidate | null }) => {
      if (candidate) this.#tellCandidate(candidate);
    };
    this.#peer.onconnectionstatechange = () => {
      if (this.#peer.connectionState === 'connected') this.#awaitVoice();
    };
    if (options.begins) this.#run(() => this.#offer());
  }

  offered({ from, sdp }: Description): void {
    this.#run(async () => {
      this.#otherId = from;
      await this.#peer.setRemoteDescription({ type: 'offer', sdp: withoutCandidates(sdp) });
      const { sdp: answer = '' } = await this.#peer.createAnswer();
      await this.#peer.setLocalDescription({ type: 'answer', sdp: answer });
      await this.#options.tell.answer({ from: this.#id, to: from, sdp: answer });
    });
  }

  answered({ from, to, sdp }: Description): void {
    this.#run(async () => {
      if (to !== this.#id) return;
      this.#otherId = from;
      await this.#peer.setRemoteDescription({ type: 'answer', sdp: withoutCandidates(sdp) });
    });
  }

  found({ candidate, sdpMid, sdpMLineIndex }: Candidate): void {
    this.#run(async () => {
      if (!this.#options.addresses.includes(addressIn(candidate))) return;
      await this.#peer.addIceCandidate({ candidate, sdpMid, sdpMLineIndex });
    });
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#peer.close();
  }

  async #offer(): Promise<void> {
    const { sdp = '' } = await this.#peer.createOffer();
    await this.#peer.setLocalDescription({ type: 'offer', sdp });
    await this.#options.tell.offer({ from: this.#id, to: null, sdp });
  }

  #tellCandidate({ candidate, sdpMid, sdpMLineIndex, usernameFragment }: FoundCandidate): void {
    this.#options.tell
      .candidate({ from: this.#id, to: this.#otherId, candidate, sdpMid, sdpMLineIndex, usernameFragment })
      // A call that is over takes no candidates; one that lacks them is not connected, and that is counted.
      .catch(() => undefined);
  }

  /** libwebrtc tells of no packet by itself, but counts them. */
  #awaitVoice(): void {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => {
      this.#hears().then(
        (hears) => {
          if (!hears || this.#closed || this.#timer === undefined) return;
          clearInterval(this.#timer);
          this.#timer = undefined;
          this.#options.heard();
        },
        () => undefined,
      );
    }, lookMs);
  }

  async #hears(): Promise<boolean> {
    for (const [, entry] of (await this.#peer.getStats()) as unknown as Map<string, Record<string, unknown>>)
      if (entry['type'] === 'inbound-rtp' && Number(entry['packetsReceived']) > 0) return true;
    return false;
  }

  /** One step after the other: nothing is set in the middle of a negotiation. */
  #run(step: () => Promise<void>): void {
    this.#turn = this.#turn
      .then(() => (this.#closed ? undefined : step()))
      .catch((error: unknown) => {
        if (!this.#closed) this.#options.failed(error);
      });
  }
}

type FoundCandidate = Pick<Candidate, 'candidate' | 'sdpMid' | 'sdpMLineIndex' | 'usernameFragment'>;

/** RFC 8839 section 5.1: foundation, component, transport, priority, address. */
const addressIn = (candidate: string): string => candidate.split(' ')[4] ?? '';

/** Candidates come one by one and are looked at; those in a description would not be. */
const withoutCandidates = (sdp: string): string =>
  sdp
    .split('\r\n')
    .filter((line) => !line.startsWith('a=candidate:'))
    .join('\r\n');
