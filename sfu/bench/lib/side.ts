import type {
  ClientDtlsParameters,
  ConsumerOffer,
  MicrophoneRtpParameters,
  TransportOffer,
} from '@rostrum/shared/protocol/media.ts';
import type { Usage } from './gauge.ts';

/** What a listener begins from. */
export type Voices = {
  readonly rtpCapabilities: Record<string, unknown>;
  readonly transport: TransportOffer;
  readonly consumers: readonly ConsumerOffer[];
};

/** Somebody's place on a server: the few things that a client asks for to be heard and to hear. */
export type Seat = {
  publish(): Promise<{ readonly transport: TransportOffer }>;
  produce(transportId: string, rtpParameters: MicrophoneRtpParameters): Promise<void>;
  listen(): Promise<Voices>;
  connectTransport(transportId: string, dtlsParameters: ClientDtlsParameters): Promise<void>;
  /** Gives up the place, with its media. */
  leave(): Promise<void>;
};

/** A server in a process of its own, Rostrum or a bare mediasoup, with what is measured of it. */
export type Side = {
  readonly name: string;
  /** The seat of a new person who speaks, or listens. */
  seat(as: 'speaker' | 'listener'): Promise<Seat>;
  usage(): Promise<Usage>;
  packetsSent(): Promise<number>;
  /** Datagrams that came to the worker and found no room; undefined where the system does not say. */
  lostDatagrams(): Promise<number | undefined>;
  /** Transports that are open. */
  transports(): Promise<number>;
  close(): Promise<void>;
};
