import type { types } from 'mediasoup';

/** A voice on one router of a room: what those who listen there are given. */
export type RoutedVoice = {
  readonly userId: string;
  /** The id by which the room's state and the clients know the microphone. */
  readonly producerId: string;
  /** The id by which mediasoup knows it on this router. One that came here from another router has its own, as ids are unique in a worker. */
  readonly routedId: string;
  readonly closed: boolean;
};

/** A voice on the router of a room's stage: the microphone of somebody here, or one that came here over a pipe from another node. */
export type RoomVoice = RoutedVoice & {
  readonly producer: types.Producer;
  /** Milliseconds of sound in one of its packets. */
  readonly packetMs: number;
  /** Whether its packets are held back, as the state has it muted, or does not have it. */
  readonly muted: boolean;
  /** Whether the person sends it to this node; else it came over a pipe. */
  readonly isMicrophone: boolean;
  /** Forwards it as the state says; what the state does not have is not forwarded. Resolves when the worker did it. */
  follow(state: { readonly muted: boolean } | undefined): Promise<void>;
  /** Resolves with the first packet that is forwarded from now on, when it closes, or after so many milliseconds. Never rejects. */
  firstPacket(withinMs: number): Promise<void>;
};
