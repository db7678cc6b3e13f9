import type { Limits } from '@rostrum/shared/limits.ts';
import { type Result, refuse } from '@rostrum/shared/result.ts';
import { closingOf } from '../rules/call/closing.ts';
import type { CallCommand } from '../rules/call/commands.ts';
import { callDeadlinesOf } from '../rules/call/deadlines.ts';
import { decide } from '../rules/call/decide.ts';
import type { CallEvent } from '../rules/call/events.ts';
import { evolve } from '../rules/call/evolve.ts';
import type { CallState } from '../rules/call/state.ts';
import type { Clock } from '../runtime/clock.ts';
import { type KeyedQueue, QueueFull } from '../runtime/keyed-queue.ts';
import type { CallCommit, CallStore, TicketEntry } from '../state/call-store.ts';
import { StateUnavailable } from '../state/room-store.ts';

/** A command that was carried out. Without events nothing changed, and nothing was committed. */
export type CallCommitted = {
  readonly before: CallState;
  readonly after: CallState;
  /** Of the record of `after`. */
  readonly version: number;
  readonly events: readonly CallEvent[];
  /** Who waits again, now that the call is over. */
  readonly requeued: readonly TicketEntry[];
};

export type CallEngineDependencies = {
  readonly store: CallStore;
  readonly queue: KeyedQueue;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly newId: () => string;
  /** RD-8: whether plans limit the time of calls. */
  readonly plans: boolean;
  /** RD-4: whether the SFU may carry a call. */
  readonly sfuAllowed: boolean;
  /** What follows a commit, before the next command of the call. */
  readonly follow: (committed: CallCommitted) => void;
};

export type CallEngine = {
  /** Carries a command out: load, decide, commit, follow, one after the other for each call. A call that is over is `stale`. */
  execute(callId: string, command: CallCommand): Promise<Result<CallCommitted>>;
  /** Runs `task` between the commands of a call. */
  between<Value>(callId: string, task: () => Promise<Value>): Promise<Value>;
};

/** The one way in which anything in a call changes. */
export const createCallEngine = (dependencies: CallEngineDependencies): CallEngine => {
  const { queue } = dependencies;
  return {
    between: (callId, task) => queue.run(callId, task),
    execute: async (callId, command) => {
      try {
        return await queue.run(callId, async () => {
          const result = await attempt(dependencies, callId, command);
          if (result.ok && result.value.events.length > 0) dependencies.follow(result.value);
          return result;
        });
      } catch (error) {
        if (error instanceof QueueFull || error instanceof StateUnavailable) return refuse('unavailable');
        throw error;
      }
    },
  };
};

const attempt = async (
  dependencies: CallEngineDependencies,
  callId: string,
  command: CallCommand,
): Promise<Result<CallCommitted>> => {
  const { store, clock, limits, plans, sfuAllowed } = dependencies;
  const expiresAt = clock.now() + limits.unavailableMs;
  for (let tries = 0; tries < limits.commitAttempts; tries += 1) {
    const loaded = await store.load(callId);
    if (!loaded) return refuse('stale');
    const before = loaded.call;
    const decision = decide(before, command, { now: clock.now(), limits, plans, sfuAllowed });
    if (!decision.ok) return decision;
    const events = decision.value;
    const { version } = loaded;
    if (events.length === 0) return { ok: true, value: { before, after: before, version, events, requeued: [] } };
    const after = events.reduce(evolve, before);
    const commit = commitOf(dependencies, { before, after, version, expiresAt });
    const result = await store.commit(commit);
    if (result.outcome === 'committed')
      return { ok: true, value: { before, after, version: result.version, events, requeued: commit.requeue } };
    if (result.outcome === 'gone') return refuse('stale');
    if (result.outcome === 'expired') break;
    // After a conflict the rule looks at the new state and says what it comes to.
  }
  return refuse('unavailable');
};

type Step = {
  readonly before: CallState;
  readonly after: CallState;
  readonly version: number;
  readonly expiresAt: number;
};

const commitOf = (
  { clock, limits, newId }: CallEngineDependencies,
  { before, after, version, expiresAt }: Step,
): CallCommit => {
  const now = clock.now();
  return {
    callId: after.callId,
    version,
    after,
    deadlines: callDeadlinesOf(after, limits),
    ...closingOf(before, after, { now, limits, newId }),
    // Nothing in a history holds longer than the longer of these (RQ-4, RD-3).
    historyUntil: now + Math.max(limits.repeatPairMs, limits.failedPairMs),
    expiresAt,
  };
};
