import { defaultLimits, type Limits } from '@rostrum/shared/limits.ts';
import type { Search } from '@rostrum/shared/protocol/random.ts';
import fc from 'fast-check';
import { choosePartner } from '../../src/rules/matching/choose-partner.ts';
import { remembering } from '../../src/rules/matching/history.ts';
import { arriving, avoiding, cameBack, elapsed, ticketDeadlinesOf, wentAway } from '../../src/rules/matching/queue.ts';
import {
  type History,
  type Moment,
  noHistory,
  type Ticket,
  type TicketDeadlineKey,
} from '../../src/rules/matching/ticket.ts';
import { searchWith, ticketFor } from '../rules/matching/support.ts';
import { idOf, start } from '../rules/support.ts';
import { names } from './matching-tickets.ts';

const second = 1000;

export type QueueStep = {
  readonly type: 'arrive' | 'leave' | 'away' | 'back' | 'block';
  readonly who: number;
  readonly whom: number;
  readonly search: Partial<Search>;
  /** How a call between them ends that begins with this step. */
  readonly outcome: 'connected' | 'failed' | 'skipped';
  readonly after: number;
};

const searches: fc.Arbitrary<Partial<Search>> = fc.record({
  languages: fc.subarray(['de', 'fr']),
  preferLanguages: fc.boolean(),
  about: fc.record({ gender: fc.constantFrom('female', 'male', null), ageRange: fc.constant(null) }),
  filters: fc.record({
    minReputation: fc.constantFrom(null, null, 60),
    genders: fc.constantFrom(null, null, ['female' as const]),
    ageRanges: fc.constant(null),
  }),
});

const one = fc.nat({ max: names.length - 1 });
const step: fc.Arbitrary<QueueStep> = fc.record({
  type: fc.constantFrom('arrive', 'arrive', 'arrive', 'arrive', 'away', 'back', 'back', 'leave', 'block'),
  who: one,
  whom: one,
  search: searches,
  outcome: fc.constantFrom('connected', 'failed', 'skipped'),
  after: fc.constantFrom(0, 0, 0, 300, second, 2 * second, 4 * second, 9 * second, 16 * second),
});

export const queueSteps = fc.array(step, { minLength: 20, maxLength: 60, size: 'max' });

/** A pair as it was made: the tickets of both, and all that waited. */
export type Pairing = {
  readonly me: Ticket;
  readonly partner: Ticket;
  readonly waiting: readonly Ticket[];
  readonly now: number;
  readonly outcome: QueueStep['outcome'];
};

/**
 * A queue as a store keeps it, in which partners are looked for on arrival, on return and on deadlines, and never in between.
 * Calls last no time: who is paired can come again at once, and remembers it.
 */
export class QueueWorld {
  readonly limits: Limits = { ...defaultLimits, languageHoldMs: 5 * second };
  readonly waiting = new Map<string, Ticket>();
  readonly pairings: Pairing[] = [];
  readonly #deadlines = new Map<string, Map<TicketDeadlineKey, number>>();
  readonly #histories = new Map<string, History>();
  readonly #blocked = new Map<string, string[]>();
  #tickets = 0;
  #outcome: QueueStep['outcome'] = 'connected';
  now = start;

  get at(): Moment {
    return { now: this.now, limits: this.limits };
  }

  get tickets(): Ticket[] {
    return [...this.waiting.values()];
  }

  take(step: QueueStep): void {
    this.passTo(this.now + step.after);
    this.#outcome = step.outcome;
    const userId = idOf(names[step.who] ?? '');
    const ticket = this.waiting.get(userId);
    if (step.type === 'arrive' && !ticket) this.#arrive(step);
    if (step.type === 'block') this.#block(userId, idOf(names[step.whom] ?? ''));
    if (!ticket) return;
    if (step.type === 'leave') this.#remove(userId);
    if (step.type === 'away') this.#put(wentAway(ticket, this.now));
    if (step.type === 'back' && ticket.awaySince !== null) {
      this.#put(cameBack(ticket, { sessionId: 'another session', node: 'another node' }));
      this.#look(userId);
    }
  }

  #block(userId: string, blockedId: string): void {
    this.#blocked.set(userId, [...(this.#blocked.get(userId) ?? []), blockedId]);
    const ticket = this.waiting.get(userId);
    if (ticket) this.#put(avoiding(ticket, blockedId));
  }

  /** Carries out what is due on the way, each at its time. */
  passTo(until: number): void {
    for (let next = this.#earliest(); next && next.at <= until; next = this.#earliest()) {
      this.now = Math.max(this.now, next.at);
      this.#elapse(next.userId, next.key);
    }
    this.now = until;
  }

  #earliest(): { userId: string; key: TicketDeadlineKey; at: number } | undefined {
    return [...this.#deadlines]
      .flatMap(([userId, deadlines]) => [...deadlines].map(([key, at]) => ({ userId, key, at })))
      .toSorted((a, b) => a.at - b.at)[0];
  }

  #elapse(userId: string, key: TicketDeadlineKey): void {
    const ticket = this.waiting.get(userId);
    if (!ticket) throw new Error('Nobody without a place has a deadline.');
    const outcome = elapsed(ticket, key, this.at);
    if (outcome.kind === 'remove') this.#remove(userId);
    else if (outcome.kind === 'change') this.#put(outcome.ticket);
    else this.#deadlines.get(userId)?.delete(key);
    if (outcome.kind !== 'nothing') this.#look(userId);
  }

  #arrive({ who, search }: QueueStep): void {
    const name = names[who] ?? '';
    const userId = idOf(name);
    this.#tickets += 1;
    const { seeker } = ticketFor(name, { reputation: who % 2 === 0 ? 50 : 70 });
    const ticketId = `ticket ${this.#tickets}`;
    const history = this.#histories.get(userId) ?? noHistory;
    const blocked = this.#blocked.get(userId) ?? [];
    this.#put(arriving(seeker, searchWith(search), { ...this.at, ticketId, history, blocked }));
    this.#look(userId);
  }

  #put(ticket: Ticket): void {
    this.waiting.set(ticket.seeker.userId, ticket);
    this.#deadlines.set(ticket.seeker.userId, ticketDeadlinesOf(ticket, this.limits));
  }

  #remove(userId: string): void {
    this.waiting.delete(userId);
    this.#deadlines.delete(userId);
  }

  #look(userId: string): void {
    const me = this.waiting.get(userId);
    const partner = me && choosePartner(me, this.tickets, this.at);
    if (!me || !partner) return;
    this.pairings.push({ me, partner, waiting: this.tickets, now: this.now, outcome: this.#outcome });
    for (const [ticket, other] of [
      [me, partner],
      [partner, me],
    ] as const) {
      this.#remove(ticket.seeker.userId);
      const history = remembering(ticket.history, other.seeker.userId, this.#outcome, this.at);
      this.#histories.set(ticket.seeker.userId, history);
    }
  }
}
