import type { TransportOffer } from '@rostrum/shared/protocol/listening.ts';
import { Child } from './child.ts';
import { type Cores, keepOn } from './cores.ts';
import type { TellServer } from './light-peer.ts';
import { udpSocketsOf } from './proc.ts';

/** Longest that the sinks may sleep, in milliseconds: mediasoup closes a transport whose client shows no consent for 30 s. */
const longestSleepMs = 15_000;

/**
 * Listeners by the thousand: see `sink-process.ts`. They are counted by what the system says of their sockets, and that counts every
 * datagram: what the server reports about its streams (RTCP) is among them.
 */
export class Sinks {
  readonly #child: Child;

  static async start(cores: Cores | undefined): Promise<Sinks> {
    const [child] = await Child.start(new URL('./sink-process.ts', import.meta.url));
    if (cores) await keepOn(child.pid, cores.rest);
    return new Sinks(child);
  }

  private constructor(child: Child) {
    this.#child = child;
  }

  /** Connects one more listener. */
  async connect(offer: TransportOffer, tellServer: TellServer): Promise<void> {
    await tellServer(await this.#child.call('open', { offer }));
    await this.#child.call('connect', { transportId: offer.transportId });
  }

  /** Who is gone by now is gone either way. */
  close(transportId: string): void {
    this.#child.call('close', { transportId }).catch(() => undefined);
  }

  /** Stops reading for so long. Resolves when they read again. */
  async sleep(ms: number): Promise<void> {
    if (ms > longestSleepMs) throw new Error('the sinks may not sleep for so long');
    await this.#child.call('sleep', { ms });
  }

  /** Datagrams that came so far; right while nothing comes. */
  async datagrams(): Promise<number> {
    const read = await this.#child.call<number>('read');
    const sockets = await udpSocketsOf(this.#child.pid);
    return sockets.reduce((total, { lost }) => total + lost, read);
  }

  /** CPU time that they took so far, in milliseconds. */
  usedMs(): Promise<number> {
    return this.#child.call('usedMs');
  }

  end(): Promise<void> {
    return this.#child.close();
  }
}
