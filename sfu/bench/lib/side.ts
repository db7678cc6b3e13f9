import type { ListeningOffer, TransportOffer } from '@rostrum/shared/protocol/listening.ts';
import type { ClientDtlsParameters, MicrophoneRtpParameters } from '@rostrum/shared/protocol/media.ts';
import type { TellServer } from './light-peer.ts';
import type { Measured } from './measured.ts';

/** What a listener begins from. */
export type Voices = ListeningOffer;

/** Somebody's place on a server: the few things that a client asks for to be heard and to hear. */
export type Seat = {
  publish(): Promise<{ readonly transport: TransportOffer; readonly packetMs?: number }>;
  produce(transportId: string, rtpParameters: MicrophoneRtpParameters): Promise<void>;
  listen(): Promise<Voices>;
  connectTransport(transportId: string, dtlsParameters: ClientDtlsParameters): Promise<void>;
  /** Gives up the place, with its media. */
  leave(): Promise<void>;
};

/** A server in a process of its own, Rostrum or a bare mediasoup, with what is measured of it. */
export type Side = Measured & {
  readonly name: string;
  /** The seat of a new person who speaks, or listens. */
  seat(as: 'speaker' | 'listener'): Promise<Seat>;
  /** Datagrams that came to the worker and found no room; undefined where the system does not say. */
  lostDatagrams(): Promise<number | undefined>;
};

/** Connects one receiving transport; a listener who is moved is given another one, and lets the one before go then. */
export type Connect = (voices: Voices, tellServer: TellServer) => Promise<void>;

/** A server where listeners can be let in by the thousand. */
export type HallSide = Side & {
  /** Lets one more listener in, and connects what they receive, now and whenever they are moved. Rejects when they are refused. */
  letIn(connect: Connect): Promise<void>;
  /** Resolves when nobody is on the move. Rejects when somebody could not be moved. */
  settled(): Promise<void>;
};
