import { ListenerStats, type MediaCounts, type MediaTimes } from '../load/listener-stats.ts';
import { LightPeer, type TellServer } from './light-peer.ts';
import type { Voices } from './side.ts';

/** A listener who reads the headers of what comes, among many of whom the system only counts what comes to them. */
export class Probe {
  readonly #peer: LightPeer;
  readonly #ssrcs: readonly number[];
  #stats: ListenerStats | undefined;
  #reportsBefore = 0;

  constructor({ transport, consumers }: Voices) {
    this.#ssrcs = consumers.map(({ rtpParameters }) => ssrcIn(rtpParameters));
    this.#peer = new LightPeer(transport, { received: (packet) => this.#stats?.take(packet) });
  }

  async connect(tellServer: TellServer): Promise<void> {
    await this.#peer.connect(tellServer);
  }

  /** Counts anew from now on; times go where they are told. */
  begin(times: MediaTimes): void {
    this.#stats = new ListenerStats(times);
    this.#reportsBefore = this.#peer.reports;
    for (const ssrc of this.#ssrcs) this.#stats.follow(ssrc, true);
  }

  get counts(): MediaCounts {
    return this.#stats?.counts ?? { received: 0, expected: 0, lost: 0 };
  }

  /** RTCP packets since it began. */
  get reports(): number {
    return this.#peer.reports - this.#reportsBefore;
  }

  close(): void {
    this.#peer.close();
  }
}

/** mediasoup sends each consumer under an SSRC of its own, which it says there. */
const ssrcIn = (rtpParameters: Record<string, unknown>): number => {
  const { encodings } = rtpParameters as { encodings?: readonly { readonly ssrc?: number }[] };
  return encodings?.[0]?.ssrc ?? 0;
};
