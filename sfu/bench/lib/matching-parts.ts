import { defaultLimits, type Limits } from '@rostrum/shared/limits.ts';
import { searchSchema } from '@rostrum/shared/protocol/random.ts';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createCallEffects, type RoutePolicy } from '../../src/calls/call-effects.ts';
import { createCallEngine } from '../../src/calls/call-engine.ts';
import { createCallLedger } from '../../src/calls/call-ledger.ts';
import { createCalls } from '../../src/calls/calls.ts';
import { createIceServers } from '../../src/calls/ice-servers.ts';
import { createMatchmaker, type Matchmaker, type MatchmakerDependencies } from '../../src/calls/matchmaker.ts';
import type { CallPublisher } from '../../src/calls/ports.ts';
import { openRandomSwitch } from '../../src/calls/random-switch.ts';
import { createSearches } from '../../src/calls/searches.ts';
import { createSuccessMonitor } from '../../src/calls/success-monitor.ts';
import type { Records } from '../../src/records/records.ts';
import { noHistory } from '../../src/rules/matching/ticket.ts';
import { createCallMetrics } from '../../src/runtime/call-metrics.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { DeadlineRunner } from '../../src/runtime/deadline-runner.ts';
import { newId } from '../../src/runtime/ids.ts';
import { KeyedQueue } from '../../src/runtime/keyed-queue.ts';
import type { CallStore, DueCallDeadline } from '../../src/state/call-store.ts';
import { createMemoryCallStore } from '../../src/state/memory/memory-call-store.ts';

/** Nobody is refused, so that the highest rate is that of the work. */
const limits: Limits = { ...defaultLimits, ticketsWaiting: 1_000_000, callsAtOnce: 1_000_000 };

const nodeId = 'bench';

/** When people are looked for: by the design of Rostrum when somebody arrives. */
export type Design = (dependencies: MatchmakerDependencies) => {
  readonly matchmaker: Matchmaker;
  stop(): Promise<void>;
};

export const onArrival: Design = (dependencies) => ({
  matchmaker: createMatchmaker(dependencies),
  stop: async () => undefined,
});

/** Where the queue and the calls are, and the time by which they go. */
export type LiveCalls = { readonly store: CallStore; readonly clock: Clock };

export const inMemory = (): LiveCalls => ({ store: createMemoryCallStore(systemClock), clock: systemClock });

export type Matching = {
  /** Somebody arrives. Resolves when they are in the queue, or in a call. */
  arrive(userId: string): Promise<void>;
  /** Somebody whom nobody who arrives suits. */
  arriveInVain(): Promise<void>;
  stop(): Promise<void>;
};

/**
 * What a server does to bring two people together, without its sockets: the queue, the rules, the claim, the call's record, the
 * figures, the deadlines. `told` is called for each of the two when the match is handed to the publisher.
 */
export const openMatching = async (
  design: Design,
  { records, told, live }: { records: Records; told: (userId: string, partnerId: string) => void; live: LiveCalls },
): Promise<Matching> => {
  const { store, clock } = live;
  // What goes wrong in an overload shows in the figures.
  const logger = pino({ level: 'silent' });
  const publisher: CallPublisher = {
    toSession: ({ userId }, name, payload) => {
      if (name === 'random:match_instant' && 'partner' in payload) told(userId, payload.partner.id);
    },
    toWatchers: () => undefined,
  };
  const routes: RoutePolicy = {
    iceServersFor: createIceServers({
      stunUrls: ['stun:stun.example.org'],
      turn: { urls: ['turn:turn.example.org'], secret: 'a secret for the benchmark' },
      clock,
    }),
    relayAvailable: true,
    relayAlways: false,
    sfuAllowed: false,
  };
  const isConnected = () => true;
  const common = { store, publisher, clock, limits, newId, nodeId, logger, plans: false, routes, records, isConnected };
  const success = createSuccessMonitor(common);
  const metrics = createCallMetrics(new Registry(), {
    counts: () => store.counts(),
    success: () => ({ share: success.share(), alert: success.alert() }),
  });
  const ledger = createCallLedger(common);
  const effects = createCallEffects({ ...common, ledger, success, metrics, media: { follow: () => undefined } });
  const queue = new KeyedQueue(limits.commandsWaitingPerRoom);
  const engine = createCallEngine({ ...common, queue, sfuAllowed: false, follow: effects.follow });
  const { matchmaker, stop } = design({ ...common, engine, matched: effects.matched });
  const searches = createSearches({ ...common, matchmaker, switchboard: await openRandomSwitch(records) });
  const calls = createCalls({ ...common, engine, matchmaker, searches, effects, ledger });
  const deadlines = new DeadlineRunner<DueCallDeadline>({
    ...common,
    due: (now, most) => store.due(now, most),
    ownerOf: (due) => (due.of === 'call' ? due.callId : due.userId),
    carryOut: calls.elapse,
  });
  deadlines.start();

  const search = searchSchema.parse({ mode: 'voice', languages: ['en', 'de'], interests: ['chess', 'film'] });
  const demanding = { ...search, filters: { ...search.filters, genders: ['other' as const] } };
  const begin = async (userId: string, wanted: typeof search): Promise<void> => {
    const seeker = {
      userId,
      sessionId: newId(),
      node: nodeId,
      displayName: 'Somebody',
      kind: 'guest',
      plan: 'free',
      reputation: 50,
    } as const;
    const begun = await searches.begin(seeker, wanted, { history: noHistory, blocked: [] });
    if (!begun.ok) throw new Error(`somebody could not search: ${begun.refusal.code}`);
  };
  return {
    arrive: (userId) => begin(userId, search),
    arriveInVain: () => begin(newId(), demanding),
    stop: async () => {
      await stop();
      await deadlines.stop();
    },
  };
};
