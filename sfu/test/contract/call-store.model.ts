import { isDeepStrictEqual } from 'node:util';
import { type CallMode, callModes } from '@rostrum/shared/protocol/call.ts';
import fc from 'fast-check';
import type { CallState } from '../../src/rules/call/state.ts';
import type { History, Ticket } from '../../src/rules/matching/ticket.ts';
import type {
  CallCounts,
  CallStore,
  DueCallDeadline,
  LoadedCall,
  Place,
  QueuePosition,
  StoredTicket,
  TicketEntry,
} from '../../src/state/call-store.ts';
import {
  type CallStoreUnderTest,
  callOf,
  claimOf,
  commitOf,
  endedCall,
  historyWith,
  plenty,
  start,
  ticket,
} from './call-store.support.ts';

/**
 * The simplest store of calls that there can be: maps that are copied on every write. A ticket or call is its own version: one
 * that was written since is another object.
 */
type Model = {
  readonly tickets: ReadonlyMap<string, Ticket>;
  readonly calls: ReadonlyMap<string, CallState>;
  readonly histories: ReadonlyMap<string, { readonly history: History; readonly until: number }>;
  readonly deadlines: readonly DueCallDeadline[];
};

const emptyModel: Model = { tickets: new Map(), calls: new Map(), histories: new Map(), deadlines: [] };

/** A command with all that it carries, for the store and for the model. */
type Operation = {
  readonly says: string;
  run(store: CallStore): Promise<string>;
  apply(model: Model): { readonly outcome: string; readonly model: Model };
};

const without = <Value>(map: ReadonlyMap<string, Value>, keys: readonly string[]): Map<string, Value> =>
  new Map([...map].filter(([key]) => !keys.includes(key)));

const ownerOf = (due: DueCallDeadline): string => (due.of === 'ticket' ? due.ticketId : due.callId);

const withDeadlines = (model: Model, owner: string, deadlines: readonly DueCallDeadline[]): Model => ({
  ...model,
  deadlines: [...model.deadlines.filter((due) => ownerOf(due) !== owner), ...deadlines],
});

const withTicket = (model: Model, { ticket: added, deadlines }: TicketEntry): Model => {
  const { ticketId, seeker } = added;
  const due = [...deadlines].map(([key, at]) => ({ of: 'ticket' as const, userId: seeker.userId, ticketId, key, at }));
  return withDeadlines({ ...model, tickets: new Map(model.tickets).set(seeker.userId, added) }, ticketId, due);
};

const withoutTicket = (model: Model, gone: Ticket): Model =>
  withDeadlines({ ...model, tickets: without(model.tickets, [gone.seeker.userId]) }, gone.ticketId, []);

const callWith = (model: Model, userId: string): CallState | undefined =>
  [...model.calls.values()].find((call) => call.sides.some((side) => side.userId === userId));

/** Of a call: when to look at it again, of which these tests know but two kinds. */
type CallDeadlines = ReadonlyMap<'connect' | 'idle', number>;

const withCall = (model: Model, call: CallState, deadlines: CallDeadlines): Model => {
  const { callId } = call;
  const due = [...deadlines].map(([key, at]) => ({ of: 'call' as const, callId, key, at }));
  return withDeadlines({ ...model, calls: new Map(model.calls).set(callId, call) }, callId, due);
};

type Ending = {
  readonly requeue: readonly TicketEntry[];
  readonly histories: ReadonlyMap<string, History>;
  readonly historyUntil: number;
};

const withoutCall = (model: Model, callId: string, { requeue, histories, historyUntil }: Ending): Model => {
  const remembered = new Map(model.histories);
  for (const [userId, history] of histories) remembered.set(userId, { history, until: historyUntil });
  const ended = withDeadlines({ ...model, calls: without(model.calls, [callId]), histories: remembered }, callId, []);
  return requeue.reduce(withTicket, ended);
};

// ——— What one can see ———

const users = ['ana', 'ben', 'eve', 'joe', 'kim'] as const;

type Observation = {
  readonly people: readonly { place: Place; ticket: Ticket | undefined; history: History | undefined }[];
  readonly waiting: readonly ({ ticketId: string } & Partial<QueuePosition>)[][];
  readonly calls: readonly (CallState | undefined)[];
  readonly counts: CallCounts;
  readonly due: readonly DueCallDeadline[];
};

const byTimeAndName = (one: DueCallDeadline, other: DueCallDeadline): number =>
  one.at - other.at || (ownerOf(one) < ownerOf(other) ? -1 : Number(ownerOf(one) > ownerOf(other)));

const observedInStore = async (store: CallStore): Promise<Observation> => {
  const pages = await Promise.all(callModes.map((mode) => store.waiting(mode, { most: plenty })));
  const callIds = (await store.callIds()).toSorted();
  return {
    people: await Promise.all(
      users.map(async (userId) => ({
        place: await store.placeOf(userId),
        ticket: (await store.ticketOf(userId))?.ticket,
        history: await store.historyOf(userId),
      })),
    ),
    waiting: await Promise.all(
      pages.map((page) =>
        Promise.all(page.map(async (it) => ({ ticketId: it.ticket.ticketId, ...(await store.positionOf(it.ticket)) }))),
      ),
    ),
    calls: await Promise.all(callIds.map(async (callId) => (await store.load(callId))?.call)),
    counts: await store.counts(),
    due: (await store.due(Number.MAX_SAFE_INTEGER, plenty)).toSorted(byTimeAndName),
  };
};

const placeIn = (model: Model, userId: string): Place => {
  const call = callWith(model, userId);
  if (call) return { at: 'call', callId: call.callId };
  const waiting = model.tickets.get(userId);
  return waiting ? { at: 'queue', ticketId: waiting.ticketId } : { at: 'nowhere' };
};

/** Between which times something was observed. */
type Moments = { readonly from: number; readonly to: number };

/** What one could see of the model. A history that expires while one looks may be there or not: then it is as it was `seen`. */
const observedInModel = (model: Model, { from, to }: Moments, seen: Observation): Observation => ({
  people: users.map((userId, index) => {
    const remembered = model.histories.get(userId);
    const isThere = remembered && (remembered.until > to || (remembered.until > from && seen.people[index]?.history));
    return {
      place: placeIn(model, userId),
      ticket: model.tickets.get(userId),
      history: isThere ? remembered.history : undefined,
    };
  }),
  waiting: callModes.map((mode) => {
    const line = [...model.tickets.values()]
      .filter((it) => it.search.mode === mode)
      .toSorted((one, other) => Number(other.front) - Number(one.front) || one.queuedAt - other.queuedAt);
    return line.flatMap(({ ticketId, awaySince }, index) =>
      awaySince === null ? [{ ticketId, position: index + 1, waiting: line.length }] : [],
    );
  }),
  calls: [...model.calls.keys()].toSorted().map((callId) => model.calls.get(callId)),
  counts: { waiting: model.tickets.size, calls: model.calls.size },
  due: model.deadlines.toSorted(byTimeAndName),
});

// ——— What people do ———

const user = fc.constantFrom(...users);
/** Goes by what is there now, and not by what was seen earlier. */
const fresh = fc.integer({ min: 0, max: 4 }).map((value) => value > 0);
/** Comes too late to be written. */
const late = fc.integer({ min: 0, max: 19 }).map((value) => value === 0);

const enqueueStep = fc.record({
  type: fc.constant('enqueue' as const),
  user,
  mode: fc.constantFrom('voice' as const, 'text' as const),
  front: fc.boolean(),
  most: fc.constantFrom(2, plenty, plenty),
  late,
});
const updateStep = fc.record({ type: fc.constant('update' as const), user, fresh, away: fc.boolean(), late });
const removeStep = fc.record({ type: fc.constant('remove' as const), user, fresh });
const claimStep = fc.record({
  type: fc.constant('claim' as const),
  pair: fc.tuple(user, user).filter(([one, other]) => one !== other),
  fresh,
  most: fc.constantFrom(1, plenty),
  late,
});
const changeStep = fc.record({ type: fc.constant('change' as const), user, fresh, late });
const endStep = fc.record({
  type: fc.constant('end' as const),
  user,
  fresh,
  again: fc.tuple(fc.boolean(), fc.boolean()),
  late,
});
const clearStep = fc.record({ type: fc.constant('clear' as const), which: fc.nat(5) });
const step = fc.oneof(
  { weight: 10, arbitrary: enqueueStep },
  { weight: 2, arbitrary: updateStep },
  { weight: 1, arbitrary: removeStep },
  { weight: 6, arbitrary: claimStep },
  { weight: 2, arbitrary: changeStep },
  { weight: 2, arbitrary: endStep },
  { weight: 1, arbitrary: clearStep },
);

type ValueOf<Arbitrary> = Arbitrary extends fc.Arbitrary<infer Value> ? Value : never;
type Step = ValueOf<typeof step>;

/** What happens at once, and how many milliseconds pass after it. */
const batches = fc.array(fc.record({ steps: fc.array(step, { minLength: 1, maxLength: 4 }), passes: fc.nat(400) }), {
  minLength: 15,
  maxLength: 30,
});

type SeenTicket = { readonly stored: StoredTicket; readonly known: Ticket };
type SeenCall = { readonly loaded: LoadedCall; readonly known: CallState };

/** Plays steps against a store and the model. What was seen is from moments at which both were still. */
class Play {
  readonly #under: CallStoreUnderTest;
  #model = emptyModel;
  #now: number;
  #count = 0;
  readonly #tickets = new Map<string, SeenTicket>();
  readonly #calls = new Map<string, SeenCall>();

  constructor(under: CallStoreUnderTest) {
    this.#under = under;
    this.#now = under.clock.earliest();
  }

  /** Sends what happens at once, and finds an order in which the model answers the same and ends the same. */
  async batch(steps: readonly Step[], passes: number): Promise<void> {
    const { store, clock } = this.#under;
    const operations: Operation[] = [];
    for (const taken of steps) {
      const operation = await this.#operationOf(taken);
      if (operation) operations.push(operation);
    }
    const outcomes = await Promise.all(operations.map((operation) => operation.run(store)));
    const from = clock.earliest();
    const observed = await observedInStore(store);
    const moments = { from, to: clock.latest() };
    const answered = operations.map((operation, index) => ({ operation, outcome: outcomes[index] ?? '' }));
    const ends = ordersOf(answered).flatMap((order) => endOf(this.#model, order));
    const end = ends.find((model) => isDeepStrictEqual(observedInModel(model, moments, observed), observed));
    if (!end) {
      const said = answered.map(({ operation, outcome }) => `${operation.says}: ${outcome}`).join('; ');
      throw new Error(`no order explains ${said}, and then ${JSON.stringify(observed)}`);
    }
    this.#model = end;
    await clock.until(clock.latest() + Math.ceil(passes * clock.pace));
    this.#now = clock.earliest();
  }

  async #operationOf(taken: Step): Promise<Operation | undefined> {
    switch (taken.type) {
      case 'enqueue':
        return this.#enqueue(taken);
      case 'update':
        return this.#update(taken);
      case 'remove':
        return this.#remove(taken);
      case 'claim':
        return this.#claim(taken);
      case 'change':
        return this.#change(taken);
      case 'end':
        return this.#end(taken);
      case 'clear':
        return this.#clear(taken);
    }
  }

  #enqueue({ user: userId, mode, front, most, late: isLate }: ValueOf<typeof enqueueStep>): Operation {
    const added = this.#newTicket(userId, mode, front);
    const expiresAt = this.#expiry(isLate);
    return {
      says: `enqueue ${userId}`,
      run: async (store) => (await store.enqueue(added, { most, expiresAt })).outcome,
      apply: (model) => {
        if (isLate) return { outcome: 'expired', model };
        if (placeIn(model, userId).at !== 'nowhere') return { outcome: 'taken', model };
        if (model.tickets.size >= most) return { outcome: 'full', model };
        return { outcome: 'enqueued', model: withTicket(model, added) };
      },
    };
  }

  async #update(taken: ValueOf<typeof updateStep>): Promise<Operation | undefined> {
    const seen = await this.#ticket(taken.user, taken.fresh);
    if (!seen) return undefined;
    const after: TicketEntry = {
      ticket: { ...seen.known, awaySince: taken.away ? this.#now : null },
      deadlines: new Map([taken.away ? (['grace', this.#now + 300] as const) : (['relax', this.#now + 500] as const)]),
    };
    const expiresAt = this.#expiry(taken.late);
    return {
      says: `update ${taken.user}`,
      run: (store) => store.updateTicket(seen.stored, after, { expiresAt }),
      apply: (model) => {
        if (taken.late) return { outcome: 'expired', model };
        if (model.tickets.get(taken.user) !== seen.known) return { outcome: 'conflict', model };
        return { outcome: 'updated', model: withTicket(model, after) };
      },
    };
  }

  async #remove(taken: ValueOf<typeof removeStep>): Promise<Operation | undefined> {
    const seen = await this.#ticket(taken.user, taken.fresh);
    if (!seen) return undefined;
    const { ticketId } = seen.known;
    return {
      says: `remove ${taken.user}`,
      run: async (store) => String(await store.removeTicket(taken.user, ticketId)),
      apply: (model) => {
        const present = model.tickets.get(taken.user);
        if (present?.ticketId !== ticketId) return { outcome: 'false', model };
        return { outcome: 'true', model: withoutTicket(model, present) };
      },
    };
  }

  async #claim(taken: ValueOf<typeof claimStep>): Promise<Operation | undefined> {
    const one = await this.#ticket(taken.pair[0], taken.fresh);
    const other = await this.#ticket(taken.pair[1], taken.fresh);
    if (!one || !other) return undefined;
    const call = callOf(one.known, other.known, this.#id('call'));
    const deadlines = new Map([['connect', this.#now + 500] as const]);
    const expiresAt = this.#expiry(taken.late);
    const canBeTaken = (model: Model): boolean =>
      [one.known, other.known].every((it) => model.tickets.get(it.seeker.userId) === it && it.awaySince === null);
    return {
      says: `claim ${taken.pair.join(' and ')}`,
      run: (store) => store.claim(claimOf(one.stored, other.stored, { call, deadlines, most: taken.most, expiresAt })),
      apply: (model) => {
        if (taken.late) return { outcome: 'expired', model };
        if (!canBeTaken(model)) return { outcome: 'lost', model };
        if (model.calls.size >= taken.most) return { outcome: 'full', model };
        const taking = [one.known, other.known].reduce(withoutTicket, model);
        return { outcome: 'claimed', model: withCall(taking, call, deadlines) };
      },
    };
  }

  async #change(taken: ValueOf<typeof changeStep>): Promise<Operation | undefined> {
    const seen = await this.#call(taken.user, taken.fresh);
    if (!seen) return undefined;
    const after: CallState = { ...seen.known, activeAt: this.#now };
    const deadlines = new Map([['idle', this.#now + 700] as const]);
    const commit = commitOf(seen.loaded, { after, deadlines, expiresAt: this.#expiry(taken.late) });
    return {
      says: `change the call of ${taken.user}`,
      run: async (store) => (await store.commit(commit)).outcome,
      apply: (model) => {
        const refusal = refusalOf(model, seen, taken.late);
        return { outcome: refusal ?? 'committed', model: refusal ? model : withCall(model, after, deadlines) };
      },
    };
  }

  async #end(taken: ValueOf<typeof endStep>): Promise<Operation | undefined> {
    const seen = await this.#call(taken.user, taken.fresh);
    if (!seen) return undefined;
    const { callId, sides } = seen.known;
    const ending: Ending = {
      requeue: sides
        .filter((_, index) => taken.again[index])
        .map(({ userId }, index) => this.#newTicket(userId, 'text', index === 0)),
      histories: new Map(sides.map(({ userId }) => [userId, historyWith(callId)])),
      historyUntil: this.#now + Math.ceil(900 * this.#under.clock.pace),
    };
    const expiresAt = this.#expiry(taken.late);
    const commit = commitOf(seen.loaded, { after: endedCall(seen.known), ...ending, expiresAt });
    return {
      says: `end the call of ${taken.user}`,
      run: async (store) => (await store.commit(commit)).outcome,
      apply: (model) => {
        const refusal = refusalOf(model, seen, taken.late);
        return { outcome: refusal ?? 'committed', model: refusal ? model : withoutCall(model, callId, ending) };
      },
    };
  }

  #clear({ which }: ValueOf<typeof clearStep>): Operation | undefined {
    const due = this.#model.deadlines[which];
    if (!due) return undefined;
    return {
      says: `clear ${due.key}`,
      run: async (store) => {
        await store.clearDeadline(due);
        return 'cleared';
      },
      apply: (model) => ({
        outcome: 'cleared',
        model: { ...model, deadlines: model.deadlines.filter((it) => !isDeepStrictEqual(it, due)) },
      }),
    };
  }

  /** The ticket as it is now, or as it was when it was seen last. */
  async #ticket(userId: string, isFresh: boolean): Promise<SeenTicket | undefined> {
    const known = this.#model.tickets.get(userId);
    const stored = isFresh && known ? await this.#under.store.ticketOf(userId) : undefined;
    if (stored && known) this.#tickets.set(userId, { stored, known });
    return this.#tickets.get(userId);
  }

  async #call(userId: string, isFresh: boolean): Promise<SeenCall | undefined> {
    const known = callWith(this.#model, userId);
    const loaded = isFresh && known ? await this.#under.store.load(known.callId) : undefined;
    if (loaded && known) this.#calls.set(userId, { loaded, known });
    return this.#calls.get(userId);
  }

  #newTicket(userId: string, mode: CallMode, front: boolean): TicketEntry {
    const ticketId = this.#id('ticket');
    return {
      ticket: ticket({ userId, mode, front, ticketId, queuedAt: start + this.#count }),
      deadlines: new Map([['wait', this.#now + 600]]),
    };
  }

  /** Ids that are the same in every run, so that a failing one can be made smaller. */
  #id(of: string): string {
    this.#count += 1;
    return `${of}-${this.#count}`.padEnd(22, '-');
  }

  #expiry(isLate: boolean): number {
    return isLate ? this.#now - 1 : this.#now + this.#under.clock.slackMs;
  }
}

const refusalOf = (model: Model, { known }: SeenCall, isLate: boolean): string | undefined => {
  if (isLate) return 'expired';
  const present = model.calls.get(known.callId);
  if (!present) return 'gone';
  return present === known ? undefined : 'conflict';
};

type Answered = { readonly operation: Operation; readonly outcome: string };

/** Where the model ends in this order; nowhere if it would have answered something else. */
const endOf = (model: Model, [first, ...rest]: readonly Answered[]): Model[] => {
  if (!first) return [model];
  const applied = first.operation.apply(model);
  return applied.outcome === first.outcome ? endOf(applied.model, rest) : [];
};

const ordersOf = <Value>(values: readonly Value[]): Value[][] =>
  values.length === 0
    ? [[]]
    : values.flatMap((value, index) => ordersOf(values.toSpliced(index, 1)).map((order) => [value, ...order]));

/**
 * Commands that meet have the answers and the result that they would have had one after the other, in some order (Herlihy and
 * Wing, Linearizability, 1990). With a model in which a person has one place by construction, nobody is in two and nobody is lost.
 */
export const linearizable = async (open: () => Promise<CallStoreUnderTest>, runs: number): Promise<void> => {
  await fc.assert(
    fc.asyncProperty(batches, async (taken) => {
      const under = await open();
      try {
        const play = new Play(under);
        for (const { steps, passes } of taken) await play.batch(steps, passes);
      } finally {
        await under.close();
      }
    }),
    { numRuns: runs },
  );
};
