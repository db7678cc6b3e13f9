/** A voice on this room's router: the microphone of somebody here, or one that came here over a pipe. */
export type RoomVoice = {
  readonly userId: string;
  /** The id by which the room's state and the clients know the microphone. */
  readonly producerId: string;
  /** The id by which mediasoup knows it on this router. A piped one has its own, as ids are unique in a worker. */
  readonly routedId: string;
  readonly closed: boolean;
  /** Forwards it as the state says; what the state does not have is not forwarded. Resolves when the worker did it. */
  follow(state: { readonly muted: boolean } | undefined): Promise<void>;
  /** Resolves with the first packet that is forwarded from now on, when it closes, or after so many milliseconds. Never rejects. */
  firstPacket(withinMs: number): Promise<void>;
};
