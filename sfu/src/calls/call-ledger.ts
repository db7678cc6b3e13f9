import { setTimeout } from 'node:timers/promises';
import type { CallChatMessage, CallRoute } from '@rostrum/shared/protocol/call.ts';
import type { Records } from '../records/records.ts';
import { outcomeOf, recordOf } from '../rules/call/record.ts';
import type { CallState } from '../rules/call/state.ts';
import { KeyedQueue } from '../runtime/keyed-queue.ts';
import type { Logger } from '../runtime/logger.ts';

/** Writes of one call that may wait for each other (RE-5): its begin, its end, and its chat at the pace that people write. */
const mostWaiting = 1000;
/** A write that fails is tried again so often, so many milliseconds apart: ten minutes, as long as an outage of records lasts. */
const attempts = 200;
const retryMs = 3000;
/** Calls of which something is tried again at a time; what is more is given up and logged (RE-5). */
const mostRetrying = 5000;
/** Longest that a reader waits for what is being written, in milliseconds: a write takes a few, and RE-4 leaves a second in all. */
const settleMs = 200;

/** How often, in milliseconds, it is said that writes were given up. */
const complainMs = 60_000;

export type CallLedger = {
  begun(call: CallState): void;
  /** It is connected, for the first time. */
  connected(call: CallState, connected: { at: number; route: CallRoute | null }): void;
  ended(call: CallState): void;
  wrote(callId: string, message: CallChatMessage): void;
  /** Resolves once what was noted of this call so far is written, or after a moment: records that are away keep nobody waiting. */
  settled(callId: string): Promise<void>;
};

export type CallLedgerDependencies = {
  readonly records: Pick<Records, 'calls' | 'callMessages'>;
  readonly logger: Logger;
};

/**
 * Writes what is kept of calls (RD-13, RD-10), in order for each call and behind its back: no call waits for the records.
 */
export const createCallLedger = ({ records, logger }: CallLedgerDependencies): CallLedger => {
  const queue = new KeyedQueue(mostWaiting);
  /** The last write of each call that has one on the way. */
  const latest = new Map<string, Promise<void>>();
  let retrying = 0;
  let givenUp = 0;
  let complainedAt = 0;

  /** Says what was lost, at most once a minute: where the records cannot follow there is something to lose all the time. */
  const complain = (error: unknown): void => {
    givenUp += 1;
    if (complainedAt !== 0 && performance.now() - complainedAt < complainMs) return;
    complainedAt = performance.now();
    logger.error({ err: error, givenUp }, 'what is kept of calls could not be written');
    givenUp = 0;
  };

  const persist = async (write: () => Promise<void>): Promise<void> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await write();
      } catch (error) {
        if (attempt >= attempts || retrying >= mostRetrying) throw error;
      }
      retrying += 1;
      await setTimeout(retryMs, undefined, { ref: false });
      retrying -= 1;
    }
  };

  const note = (callId: string, write: () => Promise<void>): void => {
    const written = queue
      .run(callId, () => persist(write))
      .catch(complain)
      .finally(() => {
        if (latest.get(callId) === written) latest.delete(callId);
      });
    latest.set(callId, written);
  };

  const begin = (call: CallState) => records.calls.begin({ ...recordOf(call), outcome: null });
  return {
    begun: (call) => note(call.callId, () => begin(call)),
    connected: (call, connected) => note(call.callId, () => records.calls.connect(call.callId, connected)),
    ended: (call) =>
      note(call.callId, async () => {
        // Again, and for nothing where it is there: its beginning may have been given up.
        await begin(call);
        await records.calls.end(call.callId, outcomeOf(call));
      }),
    wrote: (callId, message) => note(callId, () => records.callMessages.append(callId, message)),
    settled: async (callId) => {
      const writing = latest.get(callId);
      if (writing !== undefined) await Promise.race([writing, setTimeout(settleMs, undefined, { ref: false })]);
    },
  };
};
