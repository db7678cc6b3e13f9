/**
 * A process with mediasoup and nothing around it: one worker, one router, and for every call what mediasoup's own
 * documentation does. What Rostrum is measured against: the same codec, header extensions, feedback and kind of transport.
 */
import type { ClientDtlsParameters, MicrophoneRtpParameters, TransportOffer } from '@rostrum/shared/protocol/media.ts';
import { createWorker, type types } from 'mediasoup';
import { listenerCapabilities, microphoneParameters, opusCodec } from '../../src/media/opus.ts';
import { serveParent } from './child.ts';
import { Gauge } from './gauge.ts';

const gauge = new Gauge();
const port = Number(process.env['MEDIA_PORT']);
const worker = await createWorker({ logLevel: 'error' });
const server = await worker.createWebRtcServer({
  listenInfos: (['udp', 'tcp'] as const).map((protocol) => ({
    protocol,
    ip: '0.0.0.0',
    announcedAddress: '127.0.0.1',
    port,
  })),
});
const router = await worker.createRouter({ mediaCodecs: [opusCodec] });
const capabilities = listenerCapabilities(router.rtpCapabilities);
const transports = new Map<string, types.WebRtcTransport>();
const producers = new Map<string, types.Producer>();

const openTransport = async (): Promise<types.WebRtcTransport> => {
  const transport = await router.createWebRtcTransport({
    webRtcServer: server,
    enableUdp: true,
    enableTcp: true,
    preferUdp: true,
    enableSctp: false,
  });
  transports.set(transport.id, transport);
  transport.observer.once('close', () => transports.delete(transport.id));
  return transport;
};

const offer = ({ id, iceParameters, iceCandidates, dtlsParameters }: types.WebRtcTransport): TransportOffer => ({
  transportId: id,
  iceParameters: { ...iceParameters },
  iceCandidates: iceCandidates.map((candidate) => ({ ...candidate })),
  dtlsParameters: { ...dtlsParameters },
  iceServers: [],
});

const transportOf = (transportId: string): types.WebRtcTransport => {
  const transport = transports.get(transportId);
  if (transport === undefined) throw new Error('there is no such transport');
  return transport;
};

const listen = async () => {
  const transport = await openTransport();
  const consumers = await Promise.all(
    [...producers.keys()].map((producerId) => transport.consume({ producerId, rtpCapabilities: capabilities })),
  );
  return {
    rtpCapabilities: router.rtpCapabilities,
    transport: offer(transport),
    consumers: consumers.map(({ id, producerId, rtpParameters }) => ({
      consumerId: id,
      producerId,
      userId: producerId,
      rtpParameters,
    })),
  };
};

type Produce = { transportId: string; rtpParameters: MicrophoneRtpParameters };

const produce = async ({ transportId, rtpParameters }: Produce) => {
  const producer = await transportOf(transportId).produce({
    kind: 'audio',
    rtpParameters: microphoneParameters(rtpParameters, 'medium'),
  });
  producers.set(producer.id, producer);
  producer.observer.once('close', () => producers.delete(producer.id));
  return { producerId: producer.id };
};

serveParent(
  { port },
  {
    usage: () => gauge.usage(),
    packetsSent: () => gauge.packetsSent(),
    transports: () => gauge.transports,
    listen,
    publish: async () => ({ rtpCapabilities: router.rtpCapabilities, transport: offer(await openTransport()) }),
    connect: ({ transportId, dtlsParameters }: { transportId: string; dtlsParameters: ClientDtlsParameters }) =>
      transportOf(transportId).connect({
        dtlsParameters: { role: dtlsParameters.role ?? 'auto', fingerprints: dtlsParameters.fingerprints },
      }),
    produce,
    leave: ({ transportId }: { transportId: string }) => transports.get(transportId)?.close(),
  },
  async () => worker.close(),
);
