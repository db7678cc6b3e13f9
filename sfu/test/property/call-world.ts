import { isDeepStrictEqual } from 'node:util';
import { defaultLimits, type Limits } from '@rostrum/shared/limits.ts';
import type { CallMode } from '@rostrum/shared/protocol/call.ts';
import fc from 'fast-check';
import { beginning } from '../../src/rules/call/begin.ts';
import { type Closing, closingOf } from '../../src/rules/call/closing.ts';
import type { CallCommand } from '../../src/rules/call/commands.ts';
import { callDeadlinesOf } from '../../src/rules/call/deadlines.ts';
import { decide } from '../../src/rules/call/decide.ts';
import type { CallEvent } from '../../src/rules/call/events.ts';
import { evolve } from '../../src/rules/call/evolve.ts';
import { type OutgoingCallEvent, projectCall } from '../../src/rules/call/project.ts';
import type { CallDeadlineKey, CallState } from '../../src/rules/call/state.ts';
import { ticketFor } from '../rules/matching/support.ts';
import { idOf, start } from '../rules/support.ts';
import { type CallStep, callCommandOf, mode, sessionOf } from './call-steps.ts';
import { check } from './world.ts';

/** How a random call begins. */
export type CallBeginning = {
  readonly mode: CallMode;
  readonly plans: boolean;
  readonly premium: boolean;
  readonly sfuAllowed: boolean;
  readonly failures: number;
  readonly queueGraceMs: number;
  /** Both have media before the first step. */
  readonly connected: boolean;
};

export const callBeginning: fc.Arbitrary<CallBeginning> = fc.record({
  mode,
  plans: fc.boolean(),
  premium: fc.boolean(),
  sfuAllowed: fc.boolean(),
  failures: fc.nat({ max: 4 }),
  queueGraceMs: fc.constantFrom(5000, 15_000),
  connected: fc.constantFrom(true, true, false),
});

/** What one command came to. */
export type CallOutcome = {
  readonly command: CallCommand;
  readonly now: number;
  readonly limits: Limits;
  readonly before: CallState;
  readonly after: CallState;
  readonly refused: string | null;
  readonly events: readonly CallEvent[];
  readonly closing: Closing;
  readonly told: readonly OutgoingCallEvent[];
};

/** A call as a store keeps it, with the deadlines of its state, and a clock that only moves when told. */
export class CallWorld {
  readonly limits: Limits;
  readonly begun: CallState;
  readonly history: CallEvent[] = [];
  readonly #options: CallBeginning;
  #tickets = 0;
  now = start;
  state: CallState;

  constructor(options: CallBeginning) {
    this.#options = options;
    this.limits = { ...defaultLimits, queueGraceMs: options.queueGraceMs };
    const search = { mode: options.mode };
    const ann = ticketFor('ann', { waited: 2000, session: sessionOf('ann', 0), search });
    const ben = ticketFor('ben', {
      session: sessionOf('ben', 0),
      search,
      plan: options.premium ? 'premium' : 'free',
      history: { failuresInARow: options.failures },
    });
    const { plans } = options;
    this.begun = beginning([ann, ben], { callId: idOf('call'), now: start, limits: this.limits, plans });
    this.state = this.begun;
    const linking = options.connected && options.mode !== 'text' ? this.begun.sides : [];
    for (const by of linking) this.execute({ type: 'connected', by, route: 'p2p_udp' });
  }

  get ended(): boolean {
    return this.state.phase === 'ended';
  }

  get deadlines(): Map<CallDeadlineKey, number> {
    return callDeadlinesOf(this.state, this.limits);
  }

  /** Lets time pass and then has the step happen. Answers with everything that happened, deadlines included. */
  take(step: CallStep): CallOutcome[] {
    const outcomes = step.punctual ? this.passTo(this.now + step.after) : [];
    this.now += step.punctual ? 0 : step.after;
    return [...outcomes, this.execute(callCommandOf(step, this.state))];
  }

  /** Carries out what is due on the way, each at its time or, if that is over, now. */
  passTo(until: number): CallOutcome[] {
    const outcomes: CallOutcome[] = [];
    for (let next = this.#earliest(); next && next.at <= until; next = this.#earliest()) {
      this.now = Math.max(this.now, next.at);
      outcomes.push(this.execute({ type: 'elapse', deadline: next.key }));
      check(this.deadlines.get(next.key) !== next.at, 'a deadline that was carried out is gone', next);
    }
    this.now = until;
    return outcomes;
  }

  #earliest(): { key: CallDeadlineKey; at: number } | undefined {
    return [...this.deadlines].map(([key, at]) => ({ key, at })).toSorted((one, other) => one.at - other.at)[0];
  }

  /** What the command would come to now. */
  decide(command: CallCommand): ReturnType<typeof decide> {
    const { now, limits } = this;
    const { plans, sfuAllowed } = this.#options;
    return decide(this.state, command, { now, limits, plans, sfuAllowed });
  }

  execute(command: CallCommand): CallOutcome {
    const { now, limits, state: before } = this;
    const frozen = structuredClone(before);
    const decision = this.decide(command);
    check(isDeepStrictEqual(this.decide(command), decision), 'the same command decides the same', command);
    const events = decision.ok ? decision.value : [];
    const after = events.reduce(evolve, before);
    const closing = closingOf(before, after, { now, limits, newId: () => this.#newId() });
    const requeued = new Map(closing.requeue.map(({ ticket }) => [ticket.seeker.userId, ticket]));
    const told = projectCall(before, after, events, requeued);
    check(isDeepStrictEqual(before, frozen), 'nothing of it changes a state that was', command);
    this.state = after;
    this.history.push(...events);
    const refused = decision.ok ? null : decision.refusal.code;
    return { command, now, limits, before, after, refused, events, closing, told };
  }

  #newId(): string {
    this.#tickets += 1;
    return `ticket ${this.#tickets}`;
  }
}

/** Plays the steps, also past the end of the call, and calls `each` after everything that happened. */
export const playCall = (world: CallWorld, steps: readonly CallStep[], each: (outcome: CallOutcome) => void): void => {
  for (const step of steps) for (const outcome of world.take(step)) each(outcome);
};
