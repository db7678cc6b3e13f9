import { isDeepStrictEqual } from 'node:util';
import type { ErrorCode } from '@rostrum/shared/errors.ts';
import { defaultLimits, type Limits } from '@rostrum/shared/limits.ts';
import type { CallMode, CallRoute } from '@rostrum/shared/protocol/call.ts';
import { beginning } from '../../../src/rules/call/begin.ts';
import { type Closing, closingOf } from '../../../src/rules/call/closing.ts';
import type { CallCommand, Caller, QualityReport } from '../../../src/rules/call/commands.ts';
import { callDeadlinesOf } from '../../../src/rules/call/deadlines.ts';
import { type CallContext, decide } from '../../../src/rules/call/decide.ts';
import type { CallEvent, CallEventOf } from '../../../src/rules/call/events.ts';
import { evolve } from '../../../src/rules/call/evolve.ts';
import { type OutgoingCallEvent, projectCall } from '../../../src/rules/call/project.ts';
import { type CallDeadlineKey, type CallSide, type CallState, sideOf } from '../../../src/rules/call/state.ts';
import type { Ticket } from '../../../src/rules/matching/ticket.ts';
import { type AboutTicket, ticketFor } from '../matching/support.ts';
import { homeNode, idOf, nameOf, start } from '../support.ts';

export type AboutCall = {
  readonly mode?: CallMode;
  readonly plans?: boolean;
  readonly sfuAllowed?: boolean;
  readonly limits?: Partial<Limits>;
  /** The two people: `ann` has waited 3 s, `ben` has just come. */
  readonly ann?: AboutTicket;
  readonly ben?: AboutTicket;
};

/** Thrown by a scenario's steps where the call refuses; `refusal` catches it. */
class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: ErrorCode;
  constructor(code: ErrorCode, command: CallCommand) {
    super(`${command.type} was refused: ${code}`);
    this.code = code;
  }
}

export const callerOf = (name: string, session = `${name}'s phone`): Caller => ({
  userId: idOf(name),
  sessionId: session,
});

const silent: QualityReport = { lossPercent: 1, jitterMs: 10, roundTripMs: 100, spoke: false };

/**
 * A call between `ann`, who waited longer, and `ben`, with a clock that only moves when told. Each step must succeed and
 * answers with the scenario; people go by their names, and speak from their phones unless another session is named.
 */
export class CallScenario {
  readonly #context: Omit<CallContext, 'now'>;
  readonly events: CallEvent[] = [];
  readonly #heard: OutgoingCallEvent[] = [];
  #tickets = 0;
  now = start;
  state: CallState;
  closing: Closing = { histories: new Map(), requeue: [] };

  constructor({ mode = 'voice', plans = false, sfuAllowed = false, limits = {}, ann, ben }: AboutCall = {}) {
    this.#context = { limits: { ...defaultLimits, ...limits }, plans, sfuAllowed };
    const tickets: [Ticket, Ticket] = [
      ticketFor('ben', { ...ben, search: { ...ben?.search, mode } }),
      ticketFor('ann', { waited: 3000, ...ann, search: { ...ann?.search, mode } }),
    ];
    this.state = beginning(tickets, { callId: idOf('call'), now: start, limits: this.limits, plans });
  }

  get limits(): Limits {
    return this.#context.limits;
  }

  // ——— Steps ———

  do(command: CallCommand): this {
    const before = this.state;
    const decision = decide(before, command, { ...this.#context, now: this.now });
    if (!decision.ok) throw new Refused(decision.refusal.code, command);
    const after = decision.value.reduce(evolve, before);
    const closing = closingOf(before, after, { now: this.now, limits: this.limits, newId: () => this.#newId() });
    if (after.ended !== null) this.closing = closing;
    const requeued = new Map(closing.requeue.map(({ ticket }) => [ticket.seeker.userId, ticket]));
    this.#heard.push(...projectCall(before, after, decision.value, requeued));
    this.events.push(...decision.value);
    this.state = after;
    return this;
  }

  #newId(): string {
    this.#tickets += 1;
    return `ticket ${this.#tickets}`;
  }

  /** The code that the step is refused with, or undefined where it succeeds. A refused step has changed nothing. */
  refusal(step: (call: this) => unknown): ErrorCode | undefined {
    const before = structuredClone(this.state);
    try {
      step(this);
      return undefined;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (!isDeepStrictEqual(before, this.state)) throw new Error('A refusal changed the state', { cause: error });
      return error.code;
    }
  }

  connected(name: string, route: CallRoute = 'p2p_udp', session?: string): this {
    return this.do({ type: 'connected', by: callerOf(name, session), route });
  }

  /** Both sides have media. */
  bothConnected(route?: CallRoute): this {
    return this.connected('ann', route).connected('ben', route);
  }

  loseMedia(name: string, session?: string): this {
    return this.do({ type: 'lose-media', by: callerOf(name, session) });
  }

  lose(name: string, session?: string, node = homeNode): this {
    return this.do({ type: 'lose-connection', by: callerOf(name, session), node });
  }

  comeBack(name: string, session?: string, node = homeNode): this {
    return this.do({ type: 'return', by: callerOf(name, session), node });
  }

  report(name: string, report: Partial<QualityReport> = {}): this {
    return this.do({ type: 'report-quality', by: callerOf(name), report: { ...silent, ...report } });
  }

  chat(name: string): this {
    return this.do({ type: 'chat', by: callerOf(name) });
  }

  stillHere(name: string): this {
    return this.do({ type: 'still-here', by: callerOf(name) });
  }

  extend(name: string): this {
    return this.do({ type: 'extend', by: callerOf(name) });
  }

  useSfu(name: string): this {
    return this.do({ type: 'use-sfu', by: callerOf(name) });
  }

  next(name: string): this {
    return this.do({ type: 'next', by: callerOf(name) });
  }

  end(name: string, reason: 'hung-up' | 'left-for-room' = 'hung-up'): this {
    return this.do({ type: 'end', by: callerOf(name), reason });
  }

  block(name: string, blocked: string): this {
    return this.do({ type: 'block', userId: idOf(name), blockedId: idOf(blocked) });
  }

  stop(reason: 'operator' | 'server-stopped' = 'server-stopped'): this {
    return this.do({ type: 'stop', reason });
  }

  // ——— Time ———

  /** Moves the clock, and nothing else: whoever looks after deadlines is late. */
  wait(ms: number): this {
    this.now += ms;
    return this;
  }

  elapse(deadline: CallDeadlineKey): this {
    return this.do({ type: 'elapse', deadline });
  }

  /** Moves the clock, and has every deadline on the way carried out at its time. */
  pass(ms: number): this {
    const until = this.now + ms;
    for (let next = this.#earliest(); next && next.at <= until; next = this.#earliest()) {
      this.now = Math.max(this.now, next.at);
      this.elapse(next.key);
      if (this.deadlines.get(next.key) === next.at) throw new Error(`${next.key} is due for ever`);
    }
    this.now = until;
    return this;
  }

  #earliest(): { key: CallDeadlineKey; at: number } | undefined {
    return [...this.deadlines].map(([key, at]) => ({ key, at })).toSorted((one, other) => one.at - other.at)[0];
  }

  // ——— What is there ———

  get deadlines(): ReadonlyMap<CallDeadlineKey, number> {
    return callDeadlinesOf(this.state, this.limits);
  }

  /** When each deadline is due, in milliseconds from now. */
  get due(): Partial<Record<CallDeadlineKey, number>> {
    return Object.fromEntries([...this.deadlines].map(([key, at]) => [key, at - this.now]));
  }

  side(name: string): CallSide {
    const side = sideOf(this.state, idOf(name));
    if (!side) throw new Error(`${name} is no side of this call.`);
    return side;
  }

  get endReason(): string | undefined {
    return this.state.ended?.reason;
  }

  all<Type extends CallEvent['type']>(type: Type): CallEventOf<Type>[] {
    return this.events.filter((event): event is CallEventOf<Type> => event.type === type);
  }

  /** What this person's session was told since it was asked last; the others are not forgotten. */
  heard(name: string, session = `${name}'s phone`): [OutgoingCallEvent['name'], Record<string, unknown>][] {
    const own = this.#heard.filter((event) => event.userId === idOf(name) && event.sessionId === session);
    for (const event of own) this.#heard.splice(this.#heard.indexOf(event), 1);
    return own.map(({ name: event, payload: { sessionId, ...payload } }) => {
      if (sessionId !== this.state.callId) throw new Error('It names another call.');
      return [event, payload];
    });
  }

  /** Forgets what was told so far. */
  quiet(): this {
    this.#heard.length = 0;
    return this;
  }

  /** Who waits again, where, and since when they are away. */
  get waiting(): Record<string, 'front' | 'back'> {
    return Object.fromEntries(
      this.closing.requeue.map(({ ticket }) => [nameOf(ticket.seeker.userId), ticket.front ? 'front' : 'back']),
    );
  }
}

export const scenario = (about?: AboutCall): CallScenario => new CallScenario(about);
/** A call that is connected. */
export const talking = (about?: AboutCall): CallScenario => scenario(about).bothConnected().quiet();
