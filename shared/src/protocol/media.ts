import * as z from 'zod/mini';
import { id, nothing } from './common.ts';
import { consumerOffer, fromMediasoup, listeningSchema, mediaId, transportOffer } from './listening.ts';
import { audioQualities } from './room.ts';

/**
 * mediasoup's negotiation, narrowed to what a client of an audio room can send (SE-6): no option of mediasoup's is
 * taken from a client, only DTLS fingerprints and the RTP parameters of one Opus stream.
 * Shapes follow mediasoup's documentation of WebRtcTransport, Producer and Consumer.
 */

/** RFC 8122 section 5: `algorithm` and the digest as pairs of hexadecimal digits. */
const fingerprint = z.strictObject({
  algorithm: z.enum(['sha-1', 'sha-224', 'sha-256', 'sha-384', 'sha-512']),
  value: z.string().check(z.maxLength(191), z.regex(/^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){19,63}$/)),
});

const dtlsParameters = z.strictObject({
  role: z.optional(z.enum(['auto', 'client', 'server'])),
  fingerprints: z.array(fingerprint).check(z.minLength(1), z.maxLength(3)),
});

/** The header extensions that a browser sends with audio. */
export const audioHeaderExtensions = [
  'urn:ietf:params:rtp-hdrext:sdes:mid',
  'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time',
] as const;

const mid = z.string().check(z.maxLength(16), z.regex(/^[\w-]+$/));
const payloadType = z.int().check(z.gte(96), z.lte(127));
const rtcpFeedback = z.strictObject({
  type: z.enum(['nack', 'transport-cc', 'goog-remb', 'ccm']),
  parameter: z.optional(z.string().check(z.maxLength(16))),
});
/** RFC 7587 section 6.1, the format parameters of Opus; `ptime` as browsers write it. */
const opusParameter = z.enum([
  'minptime',
  'maxptime',
  'ptime',
  'useinbandfec',
  'usedtx',
  'stereo',
  'sprop-stereo',
  'cbr',
  'maxplaybackrate',
  'sprop-maxcapturerate',
  'maxaveragebitrate',
]);

/** The RTP parameters of a microphone: one Opus stream. */
const microphoneRtpParameters = z.strictObject({
  mid: z.optional(mid),
  codecs: z
    .array(
      z.strictObject({
        mimeType: z.string().check(z.regex(/^audio\/opus$/i)),
        payloadType,
        clockRate: z.literal(48000),
        channels: z.literal(2),
        parameters: z.optional(z.partialRecord(opusParameter, z.union([z.int(), z.string().check(z.maxLength(16))]))),
        rtcpFeedback: z.optional(z.array(rtcpFeedback).check(z.maxLength(8))),
      }),
    )
    .check(z.length(1)),
  headerExtensions: z.optional(
    z
      .array(
        z.strictObject({
          uri: z.enum(audioHeaderExtensions),
          id: z.int().check(z.gte(1), z.lte(14)),
          encrypt: z.optional(z.literal(false)),
          parameters: z.optional(nothing),
        }),
      )
      .check(z.maxLength(audioHeaderExtensions.length)),
  ),
  encodings: z
    .array(
      z.strictObject({
        ssrc: z.int().check(z.gte(1), z.lte(0xffffffff)),
        dtx: z.optional(z.boolean()),
        active: z.optional(z.boolean()),
        maxBitrate: z.optional(z.int().check(z.gte(6000), z.lte(510_000))),
      }),
    )
    .check(z.length(1)),
  rtcp: z.optional(
    z.strictObject({
      cname: z.optional(z.string().check(z.maxLength(256))),
      reducedSize: z.optional(z.boolean()),
      mux: z.optional(z.boolean()),
    }),
  ),
  msid: z.optional(z.string().check(z.maxLength(128))),
});
export type MicrophoneRtpParameters = z.output<typeof microphoneRtpParameters>;
export type ClientDtlsParameters = z.output<typeof dtlsParameters>;

const inRoom = { roomId: id };
/** Spread what is asked for over so many milliseconds, each client by chance, as a whole audience was told at one moment. */
const withinMs = z.int().check(z.gte(0), z.lte(10_000));

export const mediaCommands = {
  /**
   * Opens a receiving transport; `room:join` with `listen` has done so already. One that this session had before plays on until
   * this one is connected, so that nothing is missed, and is closed then.
   */
  'media:listen': { input: z.strictObject(inRoom), output: listeningSchema },
  /** Opens a sending transport; for people on the stage only (MD-9). */
  'media:publish': {
    input: z.strictObject(inRoom),
    output: z.strictObject({
      rtpCapabilities: fromMediasoup,
      transport: transportOffer,
      audioQuality: z.enum(audioQualities),
      /** Milliseconds of sound in a packet (`ptime`, RFC 7587 section 7): more in a large room, where packets are the cost. */
      packetMs: z.literal([20, 60]),
    }),
  },
  'media:connect': { input: z.strictObject({ ...inRoom, transportId: mediaId, dtlsParameters }), output: nothing },
  /** Opens the microphone: one Opus producer a person (MD-1, MD-9). */
  'media:produce': {
    input: z.strictObject({ ...inRoom, transportId: mediaId, rtpParameters: microphoneRtpParameters }),
    output: z.strictObject({ producerId: mediaId }),
  },
  /** Closes the microphone and its transport, and stays on the stage. */
  'media:unpublish': { input: z.strictObject(inRoom), output: nothing },
  'media:restart-ice': {
    input: z.strictObject({ ...inRoom, transportId: mediaId }),
    output: z.strictObject({ iceParameters: fromMediasoup }),
  },
  /**
   * After the connection came back: says which of one's transports still live, and the consumers to add and to drop so
   * that what one hears is what is said.
   */
  'media:sync': {
    input: z.strictObject({
      ...inRoom,
      transportIds: z.array(mediaId).check(z.maxLength(8)),
      consumerIds: z.array(mediaId).check(z.maxLength(128)),
    }),
    output: z.strictObject({
      transportIds: z.array(mediaId),
      added: z.array(consumerOffer),
      removed: z.array(mediaId),
    }),
  },
} as const;

export const mediaEvents = {
  /** Voices to add to the receiving transport, in one negotiation. */
  'media:consumers-added': z.strictObject({ ...inRoom, transportId: mediaId, consumers: z.array(consumerOffer) }),
  'media:consumers-removed': z.strictObject({ ...inRoom, consumerIds: z.array(mediaId) }),
  /** The server closed the sending transport: off the stage, or it moved. */
  'media:unpublished': z.strictObject({ ...inRoom, producerId: z.nullable(mediaId) }),
  /**
   * A media worker behind this room failed; the seat stands. What is true is gone and to be opened again, what is false flows on.
   */
  'media:lost': z.strictObject({ ...inRoom, receiving: z.boolean(), sending: z.boolean(), withinMs }),
  /** Another router serves this person now: listen again. What is heard plays on until the new transport is heard. */
  'media:relisten': z.strictObject({ ...inRoom, withinMs }),
} as const;
