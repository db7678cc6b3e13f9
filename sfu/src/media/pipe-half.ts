import type { types } from 'mediasoup';
import type { PipeEnd } from './media-plane.ts';
import type { RoomContext } from './room-context.ts';

/** How this node's ends of pipes are made. Addresses are asked for at every opening, as those of a laptop change. */
export type PipeSettings = {
  readonly listenInfo: () => types.TransportListenInfo;
  /** The serving end closes when it was not asked again for this long; see `PipeDemand`. */
  readonly leaseMs: number;
};

/**
 * This side's end of a pipe: a PipeTransport on a router of the room. A pipe is a pair of our own and not mediasoup's
 * `pipeToRouter`: that wants both routers in one process, and mirrors every pause to each consumer.
 */
export class PipeHalf {
  readonly #context: RoomContext;
  readonly #transport: types.PipeTransport;
  #remote: PipeEnd | undefined;

  /**
   * Encrypted, as machines may lie between the ends, but where `srtp` is off. Rejects when the worker does not do it (no port is
   * free), or the router was closed meanwhile.
   */
  static async open(
    context: RoomContext,
    { listenInfo, srtp = true }: Pick<PipeSettings, 'listenInfo'> & { readonly srtp?: boolean },
  ): Promise<PipeHalf> {
    const router = await context.router();
    const transport = await context.worker.createPipe(router, listenInfo(), { srtp });
    if (router.closed) {
      transport.close();
      throw new Error('the router was closed while a pipe opened');
    }
    return new PipeHalf(context, transport);
  }

  private constructor(context: RoomContext, transport: types.PipeTransport) {
    this.#context = context;
    this.#transport = transport;
  }

  /** What the other side connects to. */
  get local(): PipeEnd {
    const { tuple, srtpParameters } = this.#transport;
    // mediasoup gives a PipeTransport no other suite, and a key whenever SRTP is on.
    const keyBase64 = srtpParameters?.keyBase64 ?? '';
    return {
      ip: tuple.localAddress,
      port: tuple.localPort,
      srtpParameters: { cryptoSuite: 'AEAD_AES_256_GCM', keyBase64 },
    };
  }

  /** The other side's end, once this one is connected to it. */
  get remote(): PipeEnd | undefined {
    return this.#remote;
  }

  /** Once only: a PipeTransport cannot be connected again. */
  async connect(remote: PipeEnd): Promise<void> {
    const { ip, port, srtpParameters } = remote;
    await this.#context.worker.ask(() => this.#transport.connect({ ip, port, srtpParameters }));
    this.#remote = remote;
  }

  /** The same where both ends are in this process, and nothing is encrypted. */
  async connectTo(other: PipeHalf): Promise<void> {
    const { ip, port } = other.local;
    await this.#context.worker.ask(() => this.#transport.connect({ ip, port }));
  }

  /** Sends the packets of a producer of this router to the other side. */
  consume(producerId: string): Promise<types.Consumer> {
    return this.#context.worker.ask(() => this.#transport.consume({ producerId }));
  }

  /** Takes a microphone's packets from the other side: a producer on this router, with an id of its own. */
  produce(rtpParameters: types.RtpParameters, paused = true): Promise<types.Producer> {
    return this.#context.worker.ask(() => this.#transport.produce({ kind: 'audio', rtpParameters, paused }));
  }

  /** Closes the transport, and what is on it with it. */
  close(): void {
    this.#transport.close();
  }
}

export const isSameEnd = (one: PipeEnd, other: PipeEnd): boolean =>
  one.ip === other.ip && one.port === other.port && one.srtpParameters.keyBase64 === other.srtpParameters.keyBase64;
