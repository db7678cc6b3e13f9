import { type ErrorCode, errorTable } from '@rostrum/shared/errors.ts';
import type { protocolVersion } from '@rostrum/shared/protocol/index.ts';
import type { Handshake } from '@rostrum/shared/protocol/session.ts';

/**
 * The protocol that this client speaks. Importing the value would bring every schema, and zod, into the page; by its
 * type the compiler refuses this line as soon as the version changes.
 */
export const clientProtocol: typeof protocolVersion = 1;

/** What the handshake carries (Socket.IO's `auth`). */
export const handshakeOf = (token: string, sessionId: string | undefined): Handshake => ({
  token,
  protocol: clientProtocol,
  ...(sessionId === undefined ? {} : { sessionId }),
});

export type HandshakeRefusal = { readonly code: ErrorCode; readonly retryAfterMs: number };

/** What the server refused the handshake with, or undefined when it was not reached: Socket.IO puts our error in `data`. */
export const refusalOf = (error: Error): HandshakeRefusal | undefined => {
  const data: unknown = 'data' in error ? error.data : undefined;
  if (typeof data !== 'object' || data === null || !('code' in data)) return undefined;
  const code = codeFrom(data.code);
  if (code === undefined) return undefined;
  const retryAfterMs = 'retryAfterMs' in data && typeof data.retryAfterMs === 'number' ? data.retryAfterMs : 0;
  return { code, retryAfterMs };
};

const codeFrom = (value: unknown): ErrorCode | undefined =>
  typeof value === 'string' && Object.hasOwn(errorTable, value) ? (value as ErrorCode) : undefined;
