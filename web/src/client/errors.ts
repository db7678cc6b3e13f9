import type { ErrorCode, WireError } from '@rostrum/shared/errors.ts';
import type { RostrumErrorShape } from './types.ts';

type Code = ErrorCode | 'network' | 'timeout';
type More = {
  readonly retryAfterMs?: number | undefined;
  readonly path?: string | undefined;
  readonly cause?: unknown;
};

/**
 * What every call of the SDK throws. `code` is one of the server's (shared/src/errors.ts), or `network` (not reached) or
 * `timeout` (no answer in time: what was asked may have happened). `retryAfterMs` is in milliseconds.
 */
export class RostrumError extends Error implements RostrumErrorShape {
  readonly code: Code;
  declare readonly retryAfterMs?: number;
  declare readonly path?: string;

  constructor(code: Code, message: string, more: More = {}) {
    super(message, more.cause === undefined ? {} : { cause: more.cause });
    this.name = 'RostrumError';
    this.code = code;
    if (more.retryAfterMs !== undefined) this.retryAfterMs = more.retryAfterMs;
    if (more.path !== undefined) this.path = more.path;
  }
}

export const fromWire = ({ code, message, retryAfterMs, path }: WireError): RostrumError =>
  new RostrumError(code, message, { retryAfterMs, path });

export const unreachable = (cause?: unknown): RostrumError =>
  causedBy(cause, 'network', 'The server cannot be reached. Check your connection and try again.');

export const unanswered = (cause?: unknown): RostrumError =>
  causedBy(cause, 'timeout', 'The server did not answer in time. Try again.');

/** An error of the SDK for one that came from elsewhere. */
export const causedBy = (cause: unknown, code: Code, message: string): RostrumError =>
  new RostrumError(code, message, { cause });

/** The code of an error of the SDK; of anything else nothing. */
export const codeOf = (error: unknown): Code | undefined => (error instanceof RostrumError ? error.code : undefined);

const passing: ReadonlySet<Code | undefined> = new Set([
  'network',
  'timeout',
  'unavailable',
  'internal',
  'rate_limited',
  'node_full',
  'conflict',
] as const);

/** Whether the same request may well succeed a little later. */
export const isPassing = (error: unknown): boolean => passing.has(codeOf(error));

/** How long the server asks to wait, in milliseconds, or `otherwise`; never more than five minutes. */
export const waitOf = (error: unknown, otherwise: number): number => {
  const asked = error instanceof RostrumError ? (error.retryAfterMs ?? 0) : 0;
  return Math.min(Math.max(asked, otherwise), 5 * 60_000);
};
