import { type ErrorCode, errorCodes } from '@rostrum/shared/errors.ts';
import { limitTable, sizes } from '@rostrum/shared/limits.ts';
import { id, timestamp } from '@rostrum/shared/protocol/common.ts';
import { mediaCommands } from '@rostrum/shared/protocol/media.ts';
import * as z from 'zod/mini';
import type { PipeDemand, PipeOffer } from '../media/media-plane.ts';

/**
 * What nodes say to each other about pipes. Another node has the cluster's secret and is believed; but what it says goes
 * into mediasoup, so it is checked like a client's (SE-6): nothing but the fields that are known, each bounded.
 */

/** Whoever may be on a stage may have a microphone: speakers, moderators, the host. */
const microphonesPerRoom = sizes.maxSpeakers + limitTable.moderatorsPerRoom.max + 1;

/** mediasoup's own ids are UUIDs. */
const producerId = z.string().check(z.minLength(1), z.maxLength(64), z.regex(/^[\w-]+$/));

/** A node's name: printable, without spaces. */
const nodeName = z.string().check(z.regex(/^[\x21-\x7e]{1,128}$/));

const pipeEnd = z.strictObject({
  ip: z.union([z.ipv4(), z.ipv6()]),
  port: z.int().check(z.gte(1), z.lte(65_535)),
  srtpParameters: z.strictObject({
    cryptoSuite: z.literal('AEAD_AES_256_GCM'),
    /** RFC 7714 section 12: a key of 32 bytes and a salt of 12, in base64. */
    keyBase64: z.string().check(z.regex(/^[A-Za-z0-9+/]{59}=$/)),
  }),
});

const pipeDemand = z.strictObject({
  roomId: id,
  sequence: timestamp,
  transport: pipeEnd,
  producerIds: z.array(producerId).check(z.maxLength(microphonesPerRoom)),
}) satisfies z.ZodMiniType<PipeDemand>;

const pipeOffer = z.strictObject({
  transport: pipeEnd,
  producers: z
    .array(
      z.strictObject({
        producerId,
        // A piped microphone is told in the words of a client that sends one.
        rtpParameters: mediaCommands['media:produce'].input.shape.rtpParameters,
      }),
    )
    .check(z.maxLength(microphonesPerRoom)),
}) satisfies z.ZodMiniType<PipeOffer>;

/** A demand as it goes over the wire: who asks whom, and when by the clock of who asks. */
export type PipeRequest = {
  readonly from: string;
  readonly to: string;
  readonly at: number;
  readonly demand: PipeDemand;
};
export const pipeRequest = z.strictObject({
  from: nodeName,
  to: nodeName,
  at: timestamp,
  demand: pipeDemand,
}) satisfies z.ZodMiniType<PipeRequest>;

/** The answer to it: an offer, or the code of a refusal. */
export type PipeReply =
  | { readonly ok: true; readonly offer: PipeOffer }
  | { readonly ok: false; readonly code: ErrorCode };
export const pipeReply = z.union([
  z.strictObject({ ok: z.literal(true), offer: pipeOffer }),
  z.strictObject({ ok: z.literal(false), code: z.enum(errorCodes) }),
]) satisfies z.ZodMiniType<PipeReply>;

/** Where it is asked for. The version is part of the path: a node that speaks another one does not have it. */
export const pipePath = '/internal/v1/pipe';

/** Bytes of a sealed message. The largest demand has under 8 kB, the largest offer under 80 kB. */
export const pipeMessageBytes = { request: 16 * 1024, reply: 128 * 1024 } as const;
