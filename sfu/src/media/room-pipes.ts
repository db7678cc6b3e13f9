import { type Result, refuse } from '@rostrum/shared/result.ts';
import { IncomingPipe } from './incoming-pipe.ts';
import type { MicrophoneState, PipeDemand, PipeOffer, PipePeers } from './media-plane.ts';
import { OutgoingPipe } from './outgoing-pipe.ts';
import type { PipeSettings } from './pipe-half.ts';
import type { RoomContext } from './room-context.ts';
import type { RoomVoice } from './room-voice.ts';
import type { StageVoices } from './stage-voices.ts';
import type { FollowedState } from './voice-handover.ts';

/** The pipes between this node and the others, as all rooms share them. */
export type PipeNetwork = PipeSettings & {
  readonly self: string;
  readonly peers: PipePeers;
  /** Larger than any that was given before, also by an earlier life of this node. */
  readonly nextSequence: () => number;
};

/** RE-5: nodes that one room has pipes from, and to. In total they are bounded by their ports, of which each end has one. */
const nodesPerRoom = 64;

/** Microphones by the node at which their media ends, then by producer id; none of this node's. */
type Elsewhere = ReadonlyMap<string, ReadonlyMap<string, MicrophoneState>>;

/** Those of these microphones that end at other nodes. Pure. */
export const microphonesElsewhere = (microphones: Iterable<MicrophoneState>, self: string): Elsewhere => {
  const elsewhere = new Map<string, Map<string, MicrophoneState>>();
  for (const microphone of microphones) {
    const { node, producerId } = microphone;
    if (node === undefined || node === self) continue;
    const there = elsewhere.get(node) ?? new Map<string, MicrophoneState>();
    elsewhere.set(node, there.set(producerId, microphone));
  }
  return elsewhere;
};

/**
 * The pipes of one room on this node: one from each node that has microphones of it, one to each node that asked for
 * microphones here. They live as long as the room has media here.
 */
export class RoomPipes {
  readonly #context: RoomContext;
  readonly #network: PipeNetwork;
  readonly #voices: StageVoices;
  /** By node. */
  readonly #incoming = new Map<string, IncomingPipe>();
  readonly #outgoing = new Map<string, OutgoingPipe>();
  #closed = false;

  constructor(context: RoomContext, network: PipeNetwork, voices: StageVoices) {
    this.#context = context;
    this.#network = network;
    this.#voices = voices;
  }

  /** Asks for the microphones that this state has at other nodes. Resolves when the worker has followed; not when they are here. */
  async follow({ microphones: present, leaving }: FollowedState): Promise<void> {
    if (this.#closed) return;
    const wanted = [...present.values(), ...[...leaving.values()].map(({ microphone }) => microphone)];
    const elsewhere = microphonesElsewhere(wanted, this.#network.self);
    for (const [node, pipe] of this.#incoming) {
      if (elsewhere.has(node)) continue;
      this.#incoming.delete(node);
      pipe.close();
    }
    await Promise.all([...elsewhere].map(([node, microphones]) => this.#from(node)?.want(microphones)));
  }

  /** `here` are those of the microphones asked for that this node has and the state too. */
  async serve(from: string, demand: PipeDemand, here: readonly RoomVoice[]): Promise<Result<PipeOffer>> {
    const known = this.#outgoing.get(from);
    if (known !== undefined && demand.sequence < known.sequence) return refuse('stale');
    if (here.length === 0) {
      known?.close();
      return refuse('not_found');
    }
    if (known?.leadsTo(demand.transport)) return known.serve(demand, here);
    known?.close();
    if (this.#outgoing.size >= nodesPerRoom) return refuse('node_full');
    const pipe: OutgoingPipe = new OutgoingPipe(this.#context, this.#network, demand.transport, () => {
      if (this.#outgoing.get(from) === pipe) this.#outgoing.delete(from);
    });
    this.#outgoing.set(from, pipe);
    return pipe.serve(demand, here);
  }

  nodeGone(node: string): void {
    this.#outgoing.get(node)?.close();
    this.#incoming.get(node)?.restart();
  }

  /** Microphones that are piped here, or about to be. */
  microphones(): number {
    let count = 0;
    for (const pipe of this.#incoming.values()) count += pipe.wantedCount;
    return count;
  }

  /** Those of them that are here. */
  producers(): number {
    let count = 0;
    for (const pipe of this.#incoming.values()) count += pipe.streamCount;
    return count;
  }

  /** Streams that are sent to other nodes. */
  streams(): number {
    let count = 0;
    for (const pipe of this.#outgoing.values()) count += pipe.streamCount;
    return count;
  }

  /** How many nodes are sent this microphone. */
  sends(producerId: string): number {
    let count = 0;
    for (const pipe of this.#outgoing.values()) if (pipe.has(producerId)) count += 1;
    return count;
  }

  transports(): number {
    return this.#outgoing.size + [...this.#incoming.values()].filter(({ isOpen }) => isOpen).length;
  }

  close(): void {
    this.#closed = true;
    for (const pipe of [...this.#incoming.values(), ...this.#outgoing.values()]) pipe.close();
    this.#incoming.clear();
  }

  #from(node: string): IncomingPipe | undefined {
    const known = this.#incoming.get(node);
    if (known !== undefined || this.#incoming.size >= nodesPerRoom) return known;
    const { peers, nextSequence } = this.#network;
    const pipe = new IncomingPipe({
      context: this.#context,
      settings: this.#network,
      from: node,
      ask: (demand) => peers.request(node, demand),
      nextSequence,
      voices: this.#voices,
    });
    this.#incoming.set(node, pipe);
    pipe.start();
    return pipe;
  }
}
