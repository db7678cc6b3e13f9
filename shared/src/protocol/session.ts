import * as z from 'zod/mini';
import { sizes } from '../limits.ts';
import { id, timestamp } from './common.ts';

/** A JSON Web Token in compact form (RFC 7519). */
export const tokenSchema = z.string().check(z.minLength(1), z.maxLength(sizes.token));

/** What the client sends in Socket.IO's `auth` at the handshake. */
export const handshakeSchema = z.strictObject({
  token: tokenSchema,
  /** `protocolVersion` of the client. */
  protocol: z.int(),
  /** The session that this connection continues; absent on a first one. */
  sessionId: z.optional(id),
});
export type Handshake = z.output<typeof handshakeSchema>;

export const sessionCommands = {
  /** Goes on under a renewed token of the same user (ID-4). */
  'session:renew': { input: z.strictObject({ token: tokenSchema }), output: z.strictObject({ expiresAt: timestamp }) },
} as const;

export const sessionEvents = {
  /** The connection stands. `sessionId` is to be sent at the next handshake, so that the seat is found again. */
  'session:ready': z.strictObject({ sessionId: id, userId: id, serverTime: timestamp, expiresAt: timestamp }),
  /** The token expires at `expiresAt`; renew it, or this socket closes (ID-4). */
  'session:expiring': z.strictObject({ expiresAt: timestamp }),
  /**
   * The server is about to close this socket, and why. `moving`: this node takes its leave (OP-2), or has no room for what this
   * session asked for (MD-3); the client connects anew, to another node, and what it hears goes on meanwhile. `stopping`: the
   * service does.
   */
  'session:closing': z.strictObject({
    code: z.enum(['unauthorized', 'rate_limited', 'replaced', 'moving', 'stopping']),
  }),
} as const;
