/**
 * A process with mediasoup and nothing around it: one worker, one router for each room, and for every call what mediasoup's own
 * documentation does. What Rostrum is measured against: the same codec, header extensions, feedback and kind of transport.
 */
import type { TransportOffer } from '@rostrum/shared/protocol/listening.ts';
import type { ClientDtlsParameters, MicrophoneRtpParameters } from '@rostrum/shared/protocol/media.ts';
import { createWorker, type types } from 'mediasoup';
import { listenerCapabilities, microphoneParameters, opusCodec } from '../../src/media/opus.ts';
import { serveParent } from './child.ts';
import { Gauge } from './gauge.ts';
import { measuredMethods } from './measured.ts';

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
const transports = new Map<string, types.WebRtcTransport>();

/** A router, and the voices on it. */
type Room = { readonly router: types.Router; readonly producers: Map<string, types.Producer> };
const rooms = new Map<number, Promise<Room>>();

const roomOf = (number: number): Promise<Room> => {
  const room = rooms.get(number) ?? openRoom();
  rooms.set(number, room);
  return room;
};

const openRoom = async (): Promise<Room> => ({
  router: await worker.createRouter({ mediaCodecs: [opusCodec] }),
  producers: new Map(),
});

type InRoom = { readonly room: number };

const openTransport = async (router: types.Router): Promise<types.WebRtcTransport> => {
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

/** Nobody hears themselves. */
const listen = async ({ room, own }: InRoom & { readonly own?: string }) => {
  const { router, producers } = await roomOf(room);
  const transport = await openTransport(router);
  const capabilities = listenerCapabilities(router.rtpCapabilities);
  const consumers = await Promise.all(
    [...producers.keys()]
      .filter((producerId) => producerId !== own)
      .map((producerId) => transport.consume({ producerId, rtpCapabilities: capabilities })),
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

const publish = async ({ room }: InRoom) => {
  const { router } = await roomOf(room);
  return { rtpCapabilities: router.rtpCapabilities, transport: offer(await openTransport(router)) };
};

type Produce = InRoom & { transportId: string; rtpParameters: MicrophoneRtpParameters };

const produce = async ({ room, transportId, rtpParameters }: Produce) => {
  const { producers } = await roomOf(room);
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
    ...measuredMethods(gauge),
    listen,
    publish,
    connect: ({ transportId, dtlsParameters }: { transportId: string; dtlsParameters: ClientDtlsParameters }) =>
      transportOf(transportId).connect({
        dtlsParameters: { role: dtlsParameters.role ?? 'auto', fingerprints: dtlsParameters.fingerprints },
      }),
    produce,
    leave: ({ transportId }: { transportId: string }) => transports.get(transportId)?.close(),
  },
  async () => worker.close(),
);
