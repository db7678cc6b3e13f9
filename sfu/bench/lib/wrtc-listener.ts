import type { ClientDtlsParameters } from '@rostrum/shared/protocol/media.ts';
import { Device, type types } from 'mediasoup-client';
import '../../test/support/wrtc.ts';
import type { TellServer } from './light-peer.ts';
import type { Listener } from './listener.ts';
import { packetMs } from './rtp.ts';
import type { Voices } from './side.ts';

/** libwebrtc makes its statistics anew at most this often, in milliseconds; asking more often only costs. */
const statsMs = 50;
/** Longest that a listener waits for its connection and its first packet, in milliseconds. */
const patienceMs = 60_000;

/** A browser's WebRTC, by libwebrtc and mediasoup-client: what a real client is, and what it costs. */
export const wrtcListener = (voices: Voices): Listener => {
  let transport: types.Transport | undefined;
  return {
    hear: async (tellServer) => {
      const device = await Device.factory({ handlerName: 'Chrome111' });
      await device.load({ routerRtpCapabilities: voices.rtpCapabilities });
      transport = receiving(device, voices, tellServer);
      const connected = connection(transport);
      // Whoever waits for it sees the rejection, also when it comes before that.
      connected.catch(() => undefined);
      await consume(transport, voices);
      await connected;
      return firstPacket(transport);
    },
    close: () => transport?.close(),
  };
};

const receiving = (device: Device, { transport }: Voices, tellServer: TellServer): types.Transport => {
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

const consume = async (transport: types.Transport, { consumers }: Voices): Promise<void> => {
  await Promise.all(
    consumers.map(({ consumerId, producerId, rtpParameters }) =>
      transport.consume({
        id: consumerId,
        producerId,
        kind: 'audio',
        rtpParameters: rtpParameters as types.RtpParameters,
      }),
    ),
  );
};

/** Resolves when ICE and DTLS are done. */
const connection = (transport: types.Transport): Promise<void> =>
  new Promise((resolve, reject) => {
    const patience = setTimeout(() => reject(new Error('libwebrtc did not connect')), patienceMs);
    transport.on('connectionstatechange', (state) => {
      if (state !== 'connected' && state !== 'failed' && state !== 'closed') return;
      clearTimeout(patience);
      if (state === 'connected') resolve();
      else reject(new Error(`the connection of libwebrtc is ${state}`));
    });
  });

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
