import type { ConsumerOffer, TransportOffer } from '@rostrum/shared/protocol/listening.ts';
import type { ClientDtlsParameters } from '@rostrum/shared/protocol/media.ts';
import { Device, type types } from 'mediasoup-client';
import '../../test/support/wrtc.ts';
import type { TellServer } from './light-peer.ts';
import type { Listener } from './listener.ts';
import { packetMs } from './rtp.ts';
import type { Voices } from './side.ts';

/** libwebrtc makes its statistics anew at most this often, in milliseconds; asking more often only costs. */
const statsMs = 50;
/** Longest that a listener waits for its first packet once it is connected, in milliseconds. */
const patienceMs = 60_000;

/** A browser's WebRTC, by libwebrtc and mediasoup-client: what a real client is, and what it costs. */
export const wrtcListener = (voices: Voices): Listener => {
  let receiver: WrtcReceiver | undefined;
  return {
    hear: async (tellServer) => {
      receiver = await WrtcReceiver.open(voices, tellServer);
      await receiver.add(voices.consumers);
      await receiver.connected;
      return receiver.firstPacket();
    },
    close: () => receiver?.close(),
  };
};

/** A receiving transport of libwebrtc. */
export class WrtcReceiver {
  readonly #transport: types.Transport;
  readonly #consumers = new Map<string, types.Consumer>();
  readonly #connected = Promise.withResolvers<void>();

  /** Nothing goes out before the first voice is added. */
  static async open({ rtpCapabilities, transport }: Voices, tellServer: TellServer): Promise<WrtcReceiver> {
    const device = await Device.factory({ handlerName: 'Chrome111' });
    await device.load({ routerRtpCapabilities: rtpCapabilities });
    return new WrtcReceiver(receiving(device, transport, tellServer));
  }

  private constructor(transport: types.Transport) {
    this.#transport = transport;
    const { promise, resolve, reject } = this.#connected;
    // Whoever waits for it sees the rejection, also when it comes before that.
    promise.catch(() => undefined);
    transport.on('connectionstatechange', (state) => {
      if (state === 'connected') resolve();
      else if (state === 'failed' || state === 'closed') reject(new Error(`the connection of libwebrtc is ${state}`));
    });
  }

  /** Resolves when ICE and DTLS are done, and rejects where they fail, or when it is closed before. */
  get connected(): Promise<void> {
    return this.#connected.promise;
  }

  /** When the first packet came, by `performance.now()`; to be asked once it is connected. */
  firstPacket(): Promise<number> {
    return firstPacket(this.#transport);
  }

  /** Voices to hear, in one negotiation. */
  async add(consumers: readonly ConsumerOffer[]): Promise<void> {
    await Promise.all(
      consumers.map(async ({ consumerId, producerId, rtpParameters }) => {
        const consumer = await this.#transport.consume({
          id: consumerId,
          producerId,
          kind: 'audio',
          rtpParameters: rtpParameters as types.RtpParameters,
        });
        this.#consumers.set(consumerId, consumer);
      }),
    );
  }

  remove(consumerIds: readonly string[]): void {
    for (const consumerId of consumerIds) {
      this.#consumers.get(consumerId)?.close();
      this.#consumers.delete(consumerId);
    }
  }

  /** What libwebrtc says of each stream that it receives (W3C webrtc-stats, `inbound-rtp`). */
  async inbound(): Promise<Record<string, unknown>[]> {
    const report = await this.#transport.getStats();
    return [...report.values()].filter(({ type }) => type === 'inbound-rtp');
  }

  close(): void {
    this.#connected.reject(new Error('closed before libwebrtc was connected'));
    this.#transport.close();
  }
}

const receiving = (device: Device, transport: TransportOffer, tellServer: TellServer): types.Transport => {
  const receiver = device.createRecvTransport({
    id: transport.transportId,
    // mediasoup made these, and the protocol passes them on as they are.
    iceParameters: transport.iceParameters as types.IceParameters,
    iceCandidates: transport.iceCandidates as types.IceCandidate[],
    dtlsParameters: transport.dtlsParameters as types.DtlsParameters,
  });
  receiver.on('connect', ({ dtlsParameters }, connected, failed) => {
    tellServer(dtlsParameters as ClientDtlsParameters).then(connected, failed);
  });
  return receiver;
};

/**
 * When the first packet came. libwebrtc tells of no packet by itself; but its statistics say how many there were at what
 * time, and they come every 20 ms. So this is right to 20 ms, however late it is asked.
 */
const firstPacket = async (transport: types.Transport): Promise<number> => {
  const connectedAt = performance.now();
  while (performance.now() - connectedAt < patienceMs) {
    for (const [, entry] of await transport.getStats()) {
      const { type, timestamp, packetsReceived } = entry as Record<string, unknown>;
      if (type !== 'inbound-rtp' || !(Number(packetsReceived) > 0)) continue;
      const countedAt = Number(timestamp) - performance.timeOrigin;
      return Math.max(connectedAt, countedAt - packetMs * (Number(packetsReceived) - 1));
    }
    await new Promise((resolve) => setTimeout(resolve, statsMs));
  }
  throw new Error('libwebrtc heard nothing');
};
