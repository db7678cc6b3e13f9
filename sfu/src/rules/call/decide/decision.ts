import type { Limits } from '@rostrum/shared/limits.ts';
import type { Result } from '@rostrum/shared/result.ts';
import type { CallCommand, Caller } from '../commands.ts';
import type { CallEvent } from '../events.ts';
import { type CallSide, type CallState, sideOf } from '../state.ts';

export type CallContext = {
  readonly now: number;
  readonly limits: Limits;
  /** RD-8: plans limit the time of calls. */
  readonly plans: boolean;
  /** RD-4: the SFU may carry a call as the last resort. */
  readonly sfuAllowed: boolean;
};

/** What a rule decides: the events that happen, or a refusal that changes nothing. */
export type CallDecision = Result<readonly CallEvent[]>;

export type Command<Type extends CallCommand['type']> = Extract<CallCommand, { type: Type }>;

/** The side of whoever speaks: it must be held by the device that they speak from (ID-5, RD-14). */
export const heldSide = (call: CallState, by: Caller): CallSide | undefined => {
  const side = sideOf(call, by.userId);
  return side?.sessionId === by.sessionId ? side : undefined;
};
