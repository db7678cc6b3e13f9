import * as z from 'zod/mini';
import { id } from './common.ts';

/** mediasoup's own ids are UUIDs. */
export const mediaId = z.string().check(z.minLength(1), z.maxLength(64), z.regex(/^[\w-]+$/));

// What the server tells. It comes from mediasoup as it is, so its inside is not spelled out again here.
export const fromMediasoup = z.record(z.string(), z.unknown());

export const iceServer = z.strictObject({
  urls: z.array(z.string()),
  username: z.optional(z.string()),
  credential: z.optional(z.string()),
});

/** What a client needs to create its side of a WebRtcTransport. */
export const transportOffer = z.strictObject({
  transportId: mediaId,
  iceParameters: fromMediasoup,
  iceCandidates: z.array(fromMediasoup),
  dtlsParameters: fromMediasoup,
  iceServers: z.array(iceServer),
});
export type TransportOffer = z.output<typeof transportOffer>;

/** One voice that a listener is sent. */
export const consumerOffer = z.strictObject({
  consumerId: mediaId,
  producerId: mediaId,
  /** Whose voice it is. */
  userId: id,
  rtpParameters: fromMediasoup,
});
export type ConsumerOffer = z.output<typeof consumerOffer>;

/** A receiving transport with one consumer, unpaused, for every voice in the room: the client negotiates once and connects. */
export const listeningSchema = z.strictObject({
  rtpCapabilities: fromMediasoup,
  transport: transportOffer,
  consumers: z.array(consumerOffer),
});
export type ListeningOffer = z.output<typeof listeningSchema>;
