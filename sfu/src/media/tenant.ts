import type { types } from 'mediasoup';

/** A voice that a router sends on. */
export type ForwardedVoice = {
  readonly producer: types.Producer;
  /** Transports that its packets go out on now, those of listeners and of pipes together; none while it is muted or held back. */
  readonly streams: number;
  /** Whether a person sends it to this node, over a transport of their own; else it came over a relay or a pipe. */
  readonly isMicrophone: boolean;
};

/** One router of a room on a worker, as the worker and the pool see it. */
export type Tenant = {
  readonly roomId: string;
  load(): { readonly transports: number; readonly producers: number; readonly consumers: number };
  /** Packets a second that may come to be sent from this router (MD-3): to the listeners it has, and over relays and pipes. */
  reserved(): number;
  /** Every open producer of this router. Read once a second: some are asked how many packets came (see `TrafficSampler`). */
  forwarded(): Iterable<ForwardedVoice>;
  /** For each listener one consumer of a voice that is sent on now, if there is one. Read once a second: some are asked for reports. */
  heard(): Iterable<types.Consumer>;
  /** The worker is dead, and with it everything this router had. */
  lost(): void;
};
