import { setTimeout } from 'node:timers/promises';
import { callModes } from '@rostrum/shared/protocol/call.ts';
import type { MatchmakerDependencies } from '../../src/calls/matchmaker.ts';
import { beginning } from '../../src/rules/call/begin.ts';
import { callDeadlinesOf } from '../../src/rules/call/deadlines.ts';
import { choosePartner } from '../../src/rules/matching/choose-partner.ts';
import type { StoredTicket } from '../../src/state/call-store.ts';
import type { Design } from './matching-parts.ts';

const pageSize = 500;

/**
 * The design that Rostrum's is compared with: whoever arrives is put in the queue, and every so many milliseconds somebody goes
 * through it and pairs those who suit, by the same rules and with the same claim.
 */
export const everySoOften =
  (everyMs: number): Design =>
  (dependencies) => {
    const stopped = new AbortController();
    const run = async (): Promise<void> => {
      // As a timer that is not overtaken: a pass that takes longer than the interval is followed by the next one at once.
      for (
        let at = performance.now() + everyMs;
        !stopped.signal.aborted;
        at = Math.max(at + everyMs, performance.now())
      ) {
        await setTimeout(Math.max(0, at - performance.now()), undefined, { signal: stopped.signal }).catch(
          () => undefined,
        );
        for (const mode of callModes) await pairAll(dependencies, await everybody(dependencies, mode));
      }
    };
    const running = run();
    return {
      matchmaker: { look: async () => undefined, freed: async () => undefined },
      stop: async () => {
        stopped.abort();
        await running;
      },
    };
  };

const everybody = async (
  { store }: MatchmakerDependencies,
  mode: (typeof callModes)[number],
): Promise<StoredTicket[]> => {
  const all: StoredTicket[] = [];
  for (;;) {
    const after = all.at(-1)?.ticket;
    const page = await store.waiting(mode, { most: pageSize, ...(after ? { after } : {}) });
    all.push(...page);
    if (page.length < pageSize) return all;
  }
};

/** Whoever has waited longest is asked first, and takes whom they suit best of those who are left. */
const pairAll = async (dependencies: MatchmakerDependencies, waiting: readonly StoredTicket[]): Promise<void> => {
  const { store, clock, limits, newId, plans, matched } = dependencies;
  const left = new Map(waiting.map((stored) => [stored.ticket.ticketId, stored]));
  for (const me of waiting) {
    if (!left.delete(me.ticket.ticketId)) continue;
    const now = clock.now();
    const others = [...left.values()].map(({ ticket }) => ticket);
    const chosen = choosePartner(me.ticket, others, { now, limits });
    const partner = chosen && left.get(chosen.ticketId);
    if (!partner) continue;
    left.delete(partner.ticket.ticketId);
    const call = beginning([me.ticket, partner.ticket], { callId: newId(), now, limits, plans });
    const outcome = await store.claim({
      tickets: [me, partner],
      call,
      deadlines: callDeadlinesOf(call, limits),
      most: limits.callsAtOnce,
      expiresAt: now + limits.unavailableMs,
    });
    if (outcome === 'claimed') matched(call);
  }
};
