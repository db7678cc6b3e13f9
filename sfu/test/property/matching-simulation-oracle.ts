import type { Limits } from '@rostrum/shared/limits.ts';
import { type CallMode, callModes } from '@rostrum/shared/protocol/call.ts';
import type { Match } from '@rostrum/shared/protocol/random.ts';
import type { CallState } from '../../src/rules/call/state.ts';
import type { Ticket } from '../../src/rules/matching/ticket.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { CallCommit, CallStore, Claim, TicketEntry } from '../../src/state/call-store.ts';

const pairOf = (one: string, other: string): string => (one < other ? `${one} ${other}` : `${other} ${one}`);
const idOf = ({ seeker }: Ticket): string => seeker.userId;

/** The longest step of time, in milliseconds: what is due is seen at the next one. */
const momentMs = 200;

/** What is kept of what happened to somebody: enough for some calls. */
const storyLines = 40;

/** How often each thing happened that a check is about: a simulation in which it never does shows nothing. */
export type Counted =
  | 'claims'
  | 'claims lost'
  | 'choices'
  | 'choices of somebody who waited shorter'
  | 'pairs again'
  | 'calls that failed to connect'
  | 'pairs kept apart';

/**
 * What is true, kept apart from the store and from what is being tested: who waits, who talks, who met whom, who blocked whom.
 * It sees each write in the order in which the store carried it out, and says where one breaks a rule.
 */
export class Oracle {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly counted = new Map<Counted, number>();
  /** What did not hold, with what there was. Kept, since what is being tested may catch what is thrown in it. */
  readonly broken: string[] = [];
  readonly #stories = new Map<string, string[]>();
  readonly tickets = new Map<string, Ticket>();
  readonly calls = new Map<string, CallState>();
  readonly #callOf = new Map<string, string>();
  /** When the last call of two people ended. */
  readonly #met = new Map<string, number>();
  readonly #failures = new Map<string, { times: number; last: number }>();
  readonly #blocks = new Set<string>();
  /** Who stood still in the queue when everything was quiet last: what concurrent commands can be judged by. */
  /** Since when two who met lately wait at the same time, by their tickets. */
  #alone: ReadonlyMap<string, number> = new Map();
  #steady: ReadonlyMap<CallMode, readonly Ticket[]> = new Map();
  /** Sessions that the server knows to be connected: now, and at any moment since everything was quiet. */
  readonly #connected: ReadonlySet<string>;
  #wereConnected = new Set<string>();

  constructor({ clock, limits, connected }: { clock: Clock; limits: Limits; connected: ReadonlySet<string> }) {
    this.#clock = clock;
    this.#limits = limits;
    this.#connected = connected;
  }

  check(holds: boolean, what: string, details: () => unknown): void {
    if (holds || this.broken.length > 0) return;
    const said = JSON.stringify(details());
    const stories = [...this.#stories].filter(([userId]) => said.includes(userId));
    const told = stories.map(([userId, story]) => [`${userId}:`, ...story].join('\n  '));
    this.broken.push([what, said, ...told].join('\n'));
  }

  /** What happened to somebody, for whoever has to find out how it came to what does not hold. */
  story(userId: string, what: string): void {
    const story = this.#stories.get(userId) ?? [];
    story.push(`${this.#clock.now()} ${what}`);
    this.#stories.set(userId, story.slice(-storyLines));
  }

  count(what: Counted): void {
    this.counted.set(what, (this.counted.get(what) ?? 0) + 1);
  }

  callWith(userId: string): string | undefined {
    return this.#callOf.get(userId);
  }

  /** A block that is kept: from now on these two are never matched. */
  blocked(byId: string, userId: string): void {
    this.#blocks.add(pairOf(byId, userId));
  }

  /** A session is connected, for however short a time. */
  appeared(sessionId: string): void {
    this.#wereConnected.add(sessionId);
  }

  // ——— What the store did ———

  entered({ ticket }: TicketEntry): void {
    const userId = idOf(ticket);
    this.check(!this.tickets.has(userId), 'RQ-5: somebody is in the queue twice', () => ticket);
    this.check(!this.#callOf.has(userId), 'RQ-5: somebody is in the queue and in a call', () => ticket);
    this.tickets.set(userId, ticket);
    this.story(userId, `waits with ${ticket.ticketId}${ticket.front ? ', at the front' : ''}${awayWords(ticket)}`);
  }

  changed({ ticket }: TicketEntry): void {
    this.check(this.tickets.has(idOf(ticket)), 'a ticket changed that was not there', () => ticket);
    this.tickets.set(idOf(ticket), ticket);
    this.story(idOf(ticket), `has ${ticket.ticketId} changed${awayWords(ticket)}`);
  }

  left(userId: string): void {
    this.story(userId, 'is out of the queue');
    this.tickets.delete(userId);
  }

  claimed({ tickets: [one, other], call }: Claim): void {
    this.count('claims');
    for (const { ticket } of [one, other]) {
      this.check(
        this.tickets.get(idOf(ticket)) === ticket,
        'RQ-5: a ticket was claimed that is not the present one',
        () => ticket,
      );
      this.check(ticket.awaySince === null, 'RQ-5: somebody was matched while away', () => ticket);
      this.check(this.#isReachable(ticket), 'RQ-5: somebody was matched who is not connected', () => ticket);
      this.check(!this.#callOf.has(idOf(ticket)), 'RQ-5: somebody is in two calls', () => ticket);
    }
    this.#judge(one.ticket, other.ticket);
    for (const { ticket } of [one, other]) {
      this.tickets.delete(idOf(ticket));
      this.#callOf.set(idOf(ticket), call.callId);
      this.story(idOf(ticket), `is in ${call.callId}`);
    }
    this.calls.set(call.callId, call);
  }

  /** RD-1: both are told, and who waited longer answers. */
  told(userId: string, { sessionId, partner, initiateConnection }: Match): void {
    const call = this.calls.get(sessionId);
    const [one, other] = call?.origin.tickets ?? [];
    const [me, them] = one && idOf(one) === userId ? [one, other] : [other, one];
    const isTheirs = me !== undefined && them !== undefined && idOf(me) === userId && idOf(them) === partner.id;
    this.check(isTheirs, 'RD-1: told of a match that is not theirs', () => ({ userId, sessionId, partner, call }));
    if (!me || !them || me.queuedAt === them.queuedAt) return;
    const isRight = initiateConnection === me.queuedAt > them.queuedAt;
    this.check(isRight, 'RD-1: who waited longer does not answer', () => ({ me, them, initiateConnection }));
  }

  committed({ after, requeue }: CallCommit): void {
    this.check(this.calls.has(after.callId), 'a call changed that is over', () => after);
    for (const { userId, awaySince } of after.sides)
      this.story(
        userId,
        `${after.callId} is ${after.ended?.reason ?? after.phase}, they ${awaySince === null ? 'here' : 'away'}`,
      );
    if (after.ended === null) {
      this.calls.set(after.callId, after);
      return;
    }
    const [one, other] = after.sides;
    const pair = pairOf(one.userId, other.userId);
    this.calls.delete(after.callId);
    for (const { userId } of after.sides) this.#callOf.delete(userId);
    this.#met.set(pair, after.ended.at);
    // Who was away at the time says nothing about the way between the two.
    if (after.ended.reason === 'connect-timeout' && after.sides.every(({ awaySince }) => awaySince === null))
      this.#failed(pair, after.ended.at);
    for (const entry of requeue) this.entered(entry);
  }

  #failed(pair: string, at: number): void {
    const times = (this.#failures.get(pair)?.times ?? 0) + 1;
    this.#failures.set(pair, { times, last: at });
    this.count('calls that failed to connect');
    if (times === this.#limits.failedPairTimes) this.count('pairs kept apart');
  }

  // ——— What holds when everything is quiet ———

  /** Nothing runs: what is so now was so before whatever comes next. */
  quiet(): void {
    this.#wereConnected = new Set(this.#connected);
    this.#steady = new Map(callModes.map((mode) => [mode, this.#present(mode)]));
    for (const ticket of this.tickets.values()) this.#endsInTime(ticket);
    for (const call of this.calls.values()) this.#callEndsInTime(call);
    const alone = new Map<string, number>();
    for (const waiting of this.#steady.values())
      for (const [index, one] of waiting.entries())
        for (const other of waiting.slice(index + 1)) if (this.#suit(one, other)) this.#mustNotWait(one, other, alone);
    this.#alone = alone;
  }

  /** RQ-5: told and taken out after 60 s, or 15 s after the connection was lost, which is known of each ticket. */
  #endsInTime(ticket: Ticket): void {
    const now = this.#clock.now();
    const { queueWaitMs, queueGraceMs } = this.#limits;
    const { awaySince, queuedAt, seeker } = ticket;
    this.check(now < queuedAt + queueWaitMs, 'RQ-5: waits for longer than 60 s', () => ticket);
    this.check(awaySince === null || now < awaySince + queueGraceMs, 'RQ-5: away for longer than 15 s', () => ticket);
    const isKnown = awaySince !== null || this.#connected.has(seeker.sessionId);
    this.check(isKnown, 'RQ-5: waits without a connection', () => ticket);
  }

  /** RD-3, RD-5 */
  #callEndsInTime(call: CallState): void {
    const now = this.#clock.now();
    const isLate = call.phase === 'connecting' && now >= call.connectBy && !call.sides.every(({ linked }) => linked);
    this.check(!isLate, 'RD-3: connects for longer than 8 s', () => call);
    this.check(now < (call.resumeUntil ?? Number.POSITIVE_INFINITY), 'RD-5: lost for longer than 10 s', () => call);
    const isKnown = call.sides.every(
      ({ awaySince, sessionId }) => awaySince !== null || this.#connected.has(sessionId),
    );
    this.check(isKnown, 'RD-5: a side of a call has no connection', () => call);
  }

  #present(mode: CallMode): Ticket[] {
    return [...this.tickets.values()].filter(({ search, awaySince }) => search.mode === mode && awaySince === null);
  }

  /**
   * RQ-1: a partner is found at once if anybody suitable waits. Two who met just now meet again some seconds after there is nobody
   * else for them, since no preference keeps two people apart for longer (RQ-2).
   */
  #mustNotWait(one: Ticket, other: Ticket, alone: Map<string, number>): void {
    const pair = `${one.ticketId} ${other.ticketId}`;
    const now = this.#clock.now();
    const hold = this.#metLately(one, other) ? this.#limits.repeatHoldMs : 0;
    const since = Math.max(this.#alone.get(pair) ?? now, one.queuedAt, other.queuedAt);
    alone.set(pair, since);
    this.check(hold > 0 && now <= since + hold + momentMs, 'RQ-1: two who suit go on waiting', () => ({
      one,
      other,
      since,
    }));
  }

  /** Whether they were connected at one moment since everything was quiet. */
  #isReachable({ seeker }: Ticket): boolean {
    return this.#wereConnected.has(seeker.sessionId);
  }

  // ——— The rules of matching, in words of their own ———

  #judge(me: Ticket, partner: Ticket): void {
    this.check(this.#suit(me, partner), 'RQ-4: a pair that must not be', () => ({ me, partner }));
    const others = (this.#steady.get(me.search.mode) ?? []).filter(
      (it) => this.tickets.get(idOf(it)) === it && it !== me && it !== partner,
    );
    const isNewTo = (one: Ticket) => (it: Ticket) => this.#suit(one, it) && !this.#metLately(one, it);
    if (this.#metLately(me, partner)) {
      this.count('pairs again');
      const better = others.find((it) => isNewTo(me)(it) || isNewTo(partner)(it));
      this.check(better === undefined, 'RQ-4: the same pair again, while somebody else waits', () => ({
        me,
        partner,
        better,
      }));
    }
    const passedOver = others.filter((it) => isNewTo(me)(it));
    if (passedOver.length > 0) this.count('choices');
    for (const it of passedOver) {
      const isShorter = this.#waited(it) >= this.#waited(partner) + 1000;
      if (isShorter) this.count('choices of somebody who waited shorter');
      this.check(!isShorter || this.#comesFirst(me, partner, it), 'RQ-1: passed over who waited longer', () => ({
        me,
        partner,
        passedOver: it,
        now: this.#clock.now(),
      }));
    }
  }

  /** Whether there is a reason to take the first before the second, who has waited longer. */
  #comesFirst(me: Ticket, first: Ticket, second: Ticket): boolean {
    const { preferLanguages, languages } = me.search;
    const rank = ({ search }: Ticket): number => {
      const found = languages.findIndex((language) => search.languages.includes(language));
      return found < 0 ? languages.length : found;
    };
    if (preferLanguages && rank(first) !== rank(second)) return rank(first) < rank(second);
    if (first.front !== second.front) return first.front;
    const waited = this.#waited(first);
    const hasPriority = first.seeker.plan === 'premium' && waited < this.#limits.priorityWaitMs;
    // RQ-6: nobody waits more than twice as long because of it; waiting times are compared by the second.
    return hasPriority && this.#waited(second) < 2 * waited + 1000;
  }

  /** Whether nothing keeps these two apart, but that they may have met just now. */
  #suit(one: Ticket, other: Ticket): boolean {
    const pair = pairOf(idOf(one), idOf(other));
    const failure = this.#failures.get(pair);
    const { failedPairTimes, failedPairMs } = this.#limits;
    const isApart =
      failure !== undefined && failure.times >= failedPairTimes && this.#clock.now() < failure.last + failedPairMs;
    const shareLanguage = one.search.languages.some((language) => other.search.languages.includes(language));
    return (
      idOf(one) !== idOf(other) &&
      one.search.mode === other.search.mode &&
      !this.#blocks.has(pair) &&
      !one.blocked.includes(idOf(other)) &&
      !other.blocked.includes(idOf(one)) &&
      !isApart &&
      accepts(one, other) &&
      accepts(other, one) &&
      (shareLanguage || Math.max(one.languageUntil, other.languageUntil) <= this.#clock.now())
    );
  }

  #metLately(one: Ticket, other: Ticket): boolean {
    const ended = this.#met.get(pairOf(idOf(one), idOf(other)));
    return ended !== undefined && this.#clock.now() < ended + this.#limits.repeatPairMs;
  }

  #waited({ queuedAt }: Ticket): number {
    return this.#clock.now() - queuedAt;
  }
}

const awayWords = ({ awaySince }: Ticket): string => (awaySince === null ? '' : ', away');

/** RQ-3 */
const accepts = ({ search: { filters }, relaxed }: Ticket, { search: { about }, seeker }: Ticket): boolean => {
  const isIn = <Value>(wanted: readonly Value[] | null, value: Value | null): boolean =>
    wanted === null || (value !== null && wanted.includes(value));
  return (
    (relaxed.includes('reputation') || seeker.reputation >= (filters.minReputation ?? 0)) &&
    (relaxed.includes('gender') || isIn(filters.genders, about.gender)) &&
    (relaxed.includes('age') || isIn(filters.ageRanges, about.ageRange))
  );
};

/**
 * The store as it is over a network: every question takes some turns, so that what different people do runs into each other, and
 * answers come in the order in which it was carried out. So does what the oracle is told, since a store in memory does at once
 * what it is called for.
 */
export const watchedStore = (store: CallStore, oracle: Oracle, turnsOf: () => number): CallStore => {
  const turns = async (): Promise<void> => {
    for (let left = turnsOf(); left > 0; left -= 1) await undefined;
  };
  const noted = async <Value>(run: () => Promise<Value>, note: (value: Value) => void): Promise<Value> => {
    await turns();
    const value = await run();
    note(value);
    return value;
  };
  const late = <Value>(run: () => Promise<Value>): Promise<Value> => noted(run, () => undefined);
  /** A round sends its claims side by side, in the order of its choices; a connection keeps it. */
  let claims: Promise<unknown> = Promise.resolve();
  return {
    placeOf: (userId) => late(() => store.placeOf(userId)),
    historyOf: (userId) => late(() => store.historyOf(userId)),
    enqueue: (entry, options) =>
      noted(
        () => store.enqueue(entry, options),
        ({ outcome }) => outcome === 'enqueued' && oracle.entered(entry),
      ),
    ticketOf: (userId) => late(() => store.ticketOf(userId)),
    updateTicket: (stored, after, options) =>
      noted(
        () => store.updateTicket(stored, after, options),
        (outcome) => outcome === 'updated' && oracle.changed(after),
      ),
    removeTicket: (userId, ticketId) =>
      noted(
        () => store.removeTicket(userId, ticketId),
        (removed) => removed && oracle.left(userId),
      ),
    waiting: (mode, options) => late(() => store.waiting(mode, options)),
    positionOf: (ticket) => late(() => store.positionOf(ticket)),
    claim: (claim) => {
      const before = claims;
      const claimed = noted(
        () => before.then(() => store.claim(claim)),
        (outcome) => (outcome === 'claimed' ? oracle.claimed(claim) : oracle.count('claims lost')),
      );
      claims = claimed.catch(() => undefined);
      return claimed;
    },
    load: (callId) => late(() => store.load(callId)),
    commit: (commit) =>
      noted(
        () => store.commit(commit),
        ({ outcome }) => outcome === 'committed' && oracle.committed(commit),
      ),
    restoreCall: (...call) => late(() => store.restoreCall(...call)),
    restoreTicket: (...ticket) => late(() => store.restoreTicket(...ticket)),
    callIds: () => late(() => store.callIds()),
    counts: () => late(() => store.counts()),
    due: (now, most) => late(() => store.due(now, most)),
    clearDeadline: (due) => late(() => store.clearDeadline(due)),
  };
};
