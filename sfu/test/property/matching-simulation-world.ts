import { defaultLimits, type Limits } from '@rostrum/shared/limits.ts';
import type { EventName, EventPayload } from '@rostrum/shared/protocol/index.ts';
import { matchFilters } from '@rostrum/shared/protocol/random.ts';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createCallAftermath } from '../../src/calls/call-aftermath.ts';
import { createCallEffects, type RoutePolicy } from '../../src/calls/call-effects.ts';
import { createCallEngine } from '../../src/calls/call-engine.ts';
import { createCallLedger } from '../../src/calls/call-ledger.ts';
import { createCalls } from '../../src/calls/calls.ts';
import { createMatchmaker } from '../../src/calls/matchmaker.ts';
import type { CallPublisher, Presence } from '../../src/calls/ports.ts';
import { createRandomCalls } from '../../src/calls/random-calls.ts';
import { openRandomSwitch } from '../../src/calls/random-switch.ts';
import { createSearches } from '../../src/calls/searches.ts';
import { StatsTicker } from '../../src/calls/stats-ticker.ts';
import { createSuccessMonitor } from '../../src/calls/success-monitor.ts';
import { createConsents } from '../../src/people/consents.ts';
import { openSqliteRecords } from '../../src/records/sqlite/open.ts';
import { createRoomQueries } from '../../src/rooms/room-queries.ts';
import { createCallMetrics } from '../../src/runtime/call-metrics.ts';
import { DeadlineRunner } from '../../src/runtime/deadline-runner.ts';
import { KeyedQueue } from '../../src/runtime/keyed-queue.ts';
import { createBlocks } from '../../src/safety/blocks.ts';
import { createRatings } from '../../src/safety/ratings.ts';
import { createReports } from '../../src/safety/reports.ts';
import type { DueCallDeadline } from '../../src/state/call-store.ts';
import { createMemoryCallStore } from '../../src/state/memory/memory-call-store.ts';
import { createMemoryRoomStore } from '../../src/state/memory/memory-room-store.ts';
import { Chance } from './matching-simulation-chance.ts';
import { Oracle, watchedStore } from './matching-simulation-oracle.ts';

export const start = 1_750_000_000_000;

type WorldOptions = {
  readonly seed: number;
  readonly limits: Partial<Limits>;
  /** The share of pairs who find a way to each other. */
  readonly connectShare: number;
  /** Turns that a question to the store may take, at most; with none, all go at the same pace. */
  readonly mostTurns: number;
};

/** An event that a session is told. */
export type Told = { [Name in EventName]: { readonly name: Name; readonly payload: EventPayload<Name> } }[EventName];

/**
 * The use cases as the server has them, over the memory store and records in memory, with a clock that is moved by hand, ids from
 * the seed and a store whose answers take their turns.
 */
export class World {
  readonly chance: Chance;
  readonly clock = { at: start, now: (): number => this.clock.at };
  readonly limits: Limits;
  readonly oracle: Oracle;
  readonly store = createMemoryCallStore(this.clock);
  readonly records = openSqliteRecords({ path: ':memory:' });
  /** What the server knows to be connected. */
  readonly connected = new Set<string>();
  /** Who hears what a session is told. */
  readonly devices = new Map<string, (told: Told) => void>();
  /** How often people did and were told things. */
  readonly noted = new Map<string, number>();
  readonly #connectShare: number;
  readonly #mostTurns: number;
  readonly #connects = new Map<string, boolean>();
  /** What was logged that is worth a warning. */
  readonly logged: string[] = [];
  #ids = 0;
  #nodes = 0;

  constructor({ seed, limits, connectShare, mostTurns }: WorldOptions) {
    this.#connectShare = connectShare;
    this.#mostTurns = mostTurns;
    this.chance = new Chance(seed);
    this.limits = { ...defaultLimits, ...limits };
    this.oracle = new Oracle(this);
  }

  /** Whether the two of this call find a way to each other. */
  canConnect(callId: string): boolean {
    const can = this.#connects.get(callId) ?? this.chance.is(this.#connectShare);
    this.#connects.set(callId, can);
    return can;
  }

  connect(sessionId: string): void {
    this.connected.add(sessionId);
    this.oracle.appeared(sessionId);
  }

  readonly newId = (): string => {
    this.#ids += 1;
    const scattered = Math.imul(this.#ids, 2654435761) >>> 0;
    return `${scattered.toString(36).padStart(7, '0')}${this.#ids}`.padEnd(22, '_');
  };

  /** As app-calls.ts does it, for one more node. */
  async compose() {
    this.#nodes += 1;
    const nodeId = `node ${this.#nodes}`;
    const { clock, limits, newId, records, oracle } = this;
    const store = watchedStore(this.store, oracle, () => this.chance.between(0, this.#mostTurns));
    const logger = pino({ level: 'warn' }, { write: (line: string) => this.logged.push(line) });
    const publisher: CallPublisher = {
      toSession: ({ sessionId }, name, payload) => {
        // A name and its payload, which TypeScript cannot see of a name that it does not know.
        if (this.connected.has(sessionId)) this.devices.get(sessionId)?.({ name, payload } as unknown as Told);
      },
      toWatchers: () => undefined,
    };
    const presence: Presence = {
      isConnected: ({ sessionId }) => this.connected.has(sessionId),
      roomsOf: async () => [],
      leaveRoom: async () => ({ ok: true, value: undefined }),
    };
    const routes: RoutePolicy = {
      iceServersFor: () => [],
      relayAvailable: false,
      relayAlways: false,
      sfuAllowed: false,
    };
    const common = { store, publisher, clock, limits, newId, nodeId, logger, plans: true, routes, records, presence };
    const success = createSuccessMonitor(common);
    const metrics = createCallMetrics(new Registry(), {
      counts: () => this.store.counts(),
      success: () => ({ share: success.share(), alert: success.alert() }),
    });
    const find = (userId: string) => records.users.get(userId);
    const consents = createConsents(common);
    const blocks = createBlocks({
      ...common,
      find,
      onBlocked: (byId, userId) => aftermath.blocked(byId, userId),
    });
    const queries = createRoomQueries({ ...common, store: createMemoryRoomStore(clock) });
    const reports = createReports({ ...common, queries, find });
    const ledger = createCallLedger(common);
    // The SFU carries no call here (RD-4 is off).
    const media = { follow: () => undefined };
    const effects = createCallEffects({ ...common, ledger, success, metrics, media });
    const queue = new KeyedQueue(limits.commandsWaitingPerRoom);
    const engine = createCallEngine({ ...common, queue, sfuAllowed: false, follow: effects.follow });
    const matchmaker = createMatchmaker({ ...common, engine, matched: effects.matched });
    const switchboard = await openRandomSwitch(records);
    const searches = createSearches({ ...common, matchmaker, switchboard, isConnected: presence.isConnected });
    const calls = createCalls({ ...common, ...presence, engine, matchmaker, searches, effects, ledger });
    const randomCalls = createRandomCalls({
      ...common,
      accepting: () => true,
      searches,
      calls,
      switchboard,
      filters: matchFilters,
      mayCall: consents.mayCall,
      blockedBy: blocks.by,
    });
    const ratings = createRatings(common);
    const aftermath = createCallAftermath({ ...common, calls, searches, ledger, ratings, reports, blocks, metrics });
    const deadlines = new DeadlineRunner<DueCallDeadline>({
      ...common,
      due: (now, most) => store.due(now, most),
      ownerOf: (due) => (due.of === 'call' ? due.callId : due.userId),
      carryOut: calls.elapse,
    });
    const ticker = new StatsTicker({ ...common, ...presence, searches });
    const whereabouts = new KeyedQueue(limits.commandsWaitingPerRoom);
    return { nodeId, consents, calls, searches, randomCalls, aftermath, deadlines, ticker, whereabouts };
  }
}

export type UseCases = Awaited<ReturnType<World['compose']>>;
