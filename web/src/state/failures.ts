import type { ErrorCode } from '@rostrum/shared/errors.ts';
import type { MicrophoneFailure } from '../client/types.ts';
import type { Messages } from '../i18n/index.ts';

/** What a person can do about a failure. */
export type Remedy = 'retry' | 'sign-in' | 'reload' | 'home' | 'none';

/** A failure in words, and the way out of it. */
export type Failure = {
  readonly code: FailureCode;
  readonly text: string;
  readonly remedy: Remedy;
  /** The field that the server refused. */
  readonly path?: string;
};

export type FailureCode = ErrorCode | 'network' | 'timeout' | 'unknown';

const remedies: Record<FailureCode, Remedy> = {
  invalid: 'none',
  unauthorized: 'sign-in',
  forbidden: 'none',
  kicked: 'home',
  banned: 'home',
  approval_required: 'retry',
  muted_locked: 'none',
  not_found: 'home',
  not_in_room: 'retry',
  not_on_stage: 'none',
  already: 'none',
  conflict: 'retry',
  room_full: 'retry',
  stage_full: 'retry',
  hands_full: 'retry',
  hands_closed: 'none',
  on_stage: 'none',
  in_room: 'none',
  in_call: 'none',
  stale: 'none',
  no_relay: 'none',
  blocks_full: 'none',
  rules_not_accepted: 'retry',
  age_not_confirmed: 'retry',
  room_ended: 'home',
  too_large: 'none',
  unsupported_protocol: 'reload',
  rate_limited: 'retry',
  internal: 'retry',
  unavailable: 'retry',
  feature_unavailable: 'retry',
  node_full: 'retry',
  network: 'retry',
  timeout: 'retry',
  unknown: 'reload',
};

type Wire = {
  readonly code: Exclude<FailureCode, 'unknown'>;
  readonly retryAfterMs?: unknown;
  readonly path?: unknown;
};

const isWire = (error: unknown): error is Error & Wire =>
  error instanceof Error &&
  'code' in error &&
  typeof error.code === 'string' &&
  error.code in remedies &&
  error.code !== 'unknown';

/** Puts what was thrown into words. Anything that is not a refusal of ours is a fault of the page. */
export const describeFailure = (error: unknown, messages: Messages): Failure => {
  const words = messages.failures;
  if (!isWire(error)) return { code: 'unknown', text: words.unknown, remedy: remedies.unknown };
  const { code, retryAfterMs, path } = error;
  const waits = code === 'rate_limited' && typeof retryAfterMs === 'number';
  return {
    code,
    text: waits ? words.rateLimitedFor(retryAfterMs) : words.codes[code],
    remedy: remedies[code],
    ...(typeof path === 'string' ? { path } : {}),
  };
};

/** Of a room that one wanted to enter. */
export const describeRoomFailure = (error: unknown, messages: Messages): Failure => {
  const failure = describeFailure(error, messages);
  return failure.code === 'not_found' ? { ...failure, text: messages.failures.roomNotFound } : failure;
};

export const describeMicrophone = (reason: MicrophoneFailure, messages: Messages): string =>
  messages.failures.microphone[reason];
