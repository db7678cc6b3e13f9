import type { ConsumerOffer, ListeningOffer } from '@rostrum/shared/protocol/listening.ts';
import { LightPeer, type TellServer } from '../lib/light-peer.ts';
import type { LoadContext } from './context.ts';
import { ListenerStats, type MediaCounts } from './listener-stats.ts';

/** The client's end of one receiving transport. */
export type Ear = {
  readonly transportId: string;
  readonly consumerIds: readonly string[];
  /** When the first packet came, by `performance.now()`. Rejects when it is closed before. */
  readonly firstPacketAt: Promise<number>;
  /** Resolves when ICE and DTLS are done. */
  connect(tellServer: TellServer): Promise<void>;
  add(consumers: readonly ConsumerOffer[]): void;
  remove(consumerIds: readonly string[]): void;
  close(): void;
};

/** How one listener hears: one ear after the other, as the server moves them, and what all of them received. */
export type Ears = {
  /** @throws ForeignAddress when the server takes media where it may not be sent */
  open(listening: ListeningOffer): Ear;
  readonly counts: MediaCounts;
  /** To be waited for before `counts` is read. */
  settle(): Promise<void>;
};

type LightEarsContext = Pick<LoadContext, 'server' | 'drops' | 'isOurs' | 'tally'>;

/** Ears that read the headers of what comes, and decode nothing: thousands of them fit into one process. */
export class LightEars implements Ears {
  readonly #context: LightEarsContext;
  readonly stats: ListenerStats;

  constructor(context: LightEarsContext) {
    this.#context = context;
    this.stats = new ListenerStats(context.tally.times);
  }

  open(listening: ListeningOffer): LightEar {
    return new LightEar(listening, this.stats, this.#context);
  }

  get counts(): MediaCounts {
    return this.stats.counts;
  }

  async settle(): Promise<void> {
    // Everything is counted as it comes.
  }
}

class LightEar implements Ear {
  readonly #peer: LightPeer;
  readonly #stats: ListenerStats;
  readonly #context: LightEarsContext;
  readonly #ssrcs = new Map<string, number>();

  constructor({ transport, consumers }: ListeningOffer, stats: ListenerStats, context: LightEarsContext) {
    this.#stats = stats;
    this.#context = context;
    const { addresses } = context.server;
    this.#peer = new LightPeer(transport, { addresses, received: (packet) => stats.take(packet) });
    this.add(consumers);
  }

  get transportId(): string {
    return this.#peer.transportId;
  }

  get consumerIds(): readonly string[] {
    return [...this.#ssrcs.keys()];
  }

  get firstPacketAt(): Promise<number> {
    return this.#peer.firstPacketAt;
  }

  async connect(tellServer: TellServer): Promise<void> {
    await this.#peer.connect(tellServer);
    if (this.#peer.localPort !== undefined) this.#context.drops.open(this.#peer.localPort);
  }

  add(consumers: readonly ConsumerOffer[]): void {
    for (const { consumerId, userId, rtpParameters } of consumers) {
      const ssrc = ssrcIn(rtpParameters);
      if (ssrc === undefined) continue;
      this.#ssrcs.set(consumerId, ssrc);
      this.#stats.follow(ssrc, this.#context.isOurs(userId));
    }
  }

  remove(consumerIds: readonly string[]): void {
    for (const consumerId of consumerIds) {
      const ssrc = this.#ssrcs.get(consumerId);
      if (ssrc !== undefined) this.#stats.unfollow(ssrc);
      this.#ssrcs.delete(consumerId);
    }
  }

  close(): void {
    this.remove(this.consumerIds);
    if (this.#peer.localPort !== undefined) this.#context.drops.close(this.#peer.localPort);
    this.#peer.close();
  }
}

/** mediasoup sends each consumer under an SSRC of its own. */
const ssrcIn = (rtpParameters: Record<string, unknown>): number | undefined => {
  const { encodings } = rtpParameters as { encodings?: readonly { readonly ssrc?: number }[] };
  return encodings?.[0]?.ssrc;
};
