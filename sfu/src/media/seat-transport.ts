import type { TransportOffer } from '@rostrum/shared/protocol/listening.ts';
import type { ClientDtlsParameters } from '@rostrum/shared/protocol/media.ts';
import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import type { types } from 'mediasoup';
import { withFurtherAddresses } from './listen-addresses.ts';
import type { SeatRef } from './media-plane.ts';
import { failure, type RoomContext } from './room-context.ts';

/** What a transport tells whoever it is part of. */
export type TransportHooks = {
  /** The client is connected: packets flow. */
  readonly connected?: () => void;
  /** It closed without anybody here asking for it. */
  readonly ended: () => void;
};

/**
 * One WebRtcTransport of a seat. It is claimed at once and opened after, so that a later command sees it while mediasoup
 * is still at work; one that was closed meanwhile closes what mediasoup made, as mediasoup would keep it in the router.
 */
export class SeatTransport {
  readonly #seat: SeatRef;
  readonly #context: RoomContext;
  readonly #hooks: TransportHooks;
  #transport: types.WebRtcTransport | undefined;
  #connect: 'none' | 'asked' | 'connected' = 'none';
  #closed = false;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(seat: SeatRef, context: RoomContext, hooks: TransportHooks) {
    this.#seat = seat;
    this.#context = context;
    this.#hooks = hooks;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether the client is connected to it. */
  get isConnected(): boolean {
    return !this.#closed && this.#connect === 'connected';
  }

  /** mediasoup's transport, as soon as it is open and for as long. */
  get open(): types.WebRtcTransport | undefined {
    return this.#closed ? undefined : this.#transport;
  }

  /** Opens it; undefined when it was closed meanwhile. Rejects when the worker does not do it. */
  async start(): Promise<types.WebRtcTransport | undefined> {
    const router = await this.#context.router();
    if (this.#closed) return undefined;
    const transport = await this.#context.worker.createTransport(router);
    if (this.#closed || router.closed) {
      transport.close();
      return undefined;
    }
    this.#transport = transport;
    transport.on('dtlsstatechange', (state) => {
      if (state === 'connected') {
        this.#connect = 'connected';
        clearTimeout(this.#idleTimer);
        this.#hooks.connected?.();
      }
      // A client that closes its connection says so by DTLS; mediasoup leaves the transport to us.
      if (state === 'failed' || state === 'closed') this.#end(`DTLS ${state}`);
    });
    return transport;
  }

  /** What the client makes its own side from. Only for an open transport. */
  offer(transport: types.WebRtcTransport): TransportOffer {
    return {
      transportId: transport.id,
      iceParameters: transport.iceParameters,
      iceCandidates: withFurtherAddresses(transport.iceCandidates, this.#context.announcedAddresses),
      dtlsParameters: transport.dtlsParameters,
      iceServers: [...this.#context.iceServersFor(this.#seat)],
    };
  }

  /**
   * From now on the client has a reason to connect; unless it does within `mediaIdleMs` the transport ends, but for one that
   * `spares` says is not needed any more. A receiving transport without a voice to carry may wait for hours.
   */
  expectConnection(spares: () => boolean = () => false): void {
    if (this.#connect === 'connected' || this.#idleTimer !== undefined || this.#closed) return;
    this.#idleTimer = setTimeout(() => {
      this.#idleTimer = undefined;
      if (!spares()) this.#end('never connected');
    }, this.#context.limits.mediaIdleMs).unref();
  }

  /** Refuses with `already` for a second time, `invalid` for parameters that mediasoup refuses. */
  async connect(dtlsParameters: ClientDtlsParameters): Promise<Result<void>> {
    const transport = this.open;
    if (transport === undefined) return refuse('not_found');
    if (this.#connect !== 'none') return refuse('already');
    this.#connect = 'asked';
    const { role, fingerprints } = dtlsParameters;
    try {
      await this.#context.worker.ask(() =>
        transport.connect({ dtlsParameters: { fingerprints, ...(role === undefined ? {} : { role }) } }),
      );
      return done(undefined);
    } catch (error) {
      if (this.#connect === 'asked') this.#connect = 'none';
      return failure(this.#context, { error, doing: 'connecting a transport', closed: this.#closed, code: 'invalid' });
    }
  }

  async restartIce(): Promise<Result<{ iceParameters: Record<string, unknown> }>> {
    const transport = this.open;
    if (transport === undefined) return refuse('not_found');
    try {
      return done({ iceParameters: await this.#context.worker.ask(() => transport.restartIce()) });
    } catch (error) {
      return failure(this.#context, { error, doing: 'restarting ICE', closed: this.#closed, code: 'unavailable' });
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#idleTimer);
    this.#transport?.close();
  }

  #end(reason: string): void {
    if (this.#closed) return;
    this.#context.logger.debug(
      { roomId: this.#context.roomId, transportId: this.#transport?.id, reason },
      'a transport ended',
    );
    this.close();
    this.#hooks.ended();
  }
}
