import { createCallAftermath } from './calls/call-aftermath.ts';
import { createCallEffects, type RoutePolicy } from './calls/call-effects.ts';
import { createCallEngine } from './calls/call-engine.ts';
import { createCallLedger } from './calls/call-ledger.ts';
import { createCallMedia } from './calls/call-media.ts';
import { createCallMediaFollower } from './calls/call-media-follower.ts';
import { createCallRelay } from './calls/call-relay.ts';
import { createCalls } from './calls/calls.ts';
import { createIceServers } from './calls/ice-servers.ts';
import { createMatchmaker } from './calls/matchmaker.ts';
import type { CallPublisher, Presence } from './calls/ports.ts';
import { createRandomCalls } from './calls/random-calls.ts';
import { openRandomSwitch } from './calls/random-switch.ts';
import { createSearches } from './calls/searches.ts';
import { StatsTicker } from './calls/stats-ticker.ts';
import type { SuccessMonitor } from './calls/success-monitor.ts';
import type { Health } from './cluster/outage.ts';
import type { Config } from './config.ts';
import type { MediaPlane } from './media/media-plane.ts';
import type { Accounts } from './people/accounts.ts';
import { createConsents } from './people/consents.ts';
import type { Records } from './records/records.ts';
import type { MediaControl } from './rooms/media-control.ts';
import type { RoomQueries } from './rooms/room-queries.ts';
import type { CallMetrics } from './runtime/call-metrics.ts';
import type { Clock } from './runtime/clock.ts';
import { DeadlineRunner } from './runtime/deadline-runner.ts';
import { newId } from './runtime/ids.ts';
import { KeyedQueue } from './runtime/keyed-queue.ts';
import type { AppLogger } from './runtime/logger.ts';
import { createBlocks } from './safety/blocks.ts';
import { createRatings } from './safety/ratings.ts';
import { createReports } from './safety/reports.ts';
import type { CallStore, DueCallDeadline } from './state/call-store.ts';

export type CallParts = {
  readonly config: Config;
  readonly logger: AppLogger;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly health: Health;
  readonly records: Records;
  readonly store: CallStore;
  readonly success: SuccessMonitor;
  readonly metrics: CallMetrics;
  /** To the people of every node, and to those of this one alone. */
  readonly publisher: CallPublisher;
  readonly local: CallPublisher;
  readonly presence: Presence;
  /** False while the server stops. */
  readonly accepting: () => boolean;
  readonly accounts: Accounts;
  readonly queries: RoomQueries;
  readonly media: MediaPlane;
  readonly control: MediaControl;
};

/** Everything about 1:1 calls, built and not yet running. */
export const composeCalls = async (parts: CallParts) => {
  const { config, logger, nodeId, clock, health, records, store, publisher, presence, accounts } = parts;
  const { limits, plans } = config;
  const routes = routePolicy(config, clock);
  const { isConnected } = presence;
  const common = { store, publisher, clock, limits, newId, nodeId, logger, plans, routes, isConnected };
  const find = (userId: string) => accounts.find(userId);
  const safety = {
    consents: createConsents({ records, limits }),
    blocks: createBlocks({
      records,
      find,
      clock,
      limits,
      onBlocked: (byId, userId) => aftermath.blocked(byId, userId),
    }),
    reports: createReports({ ...parts, ...common, find }),
  };
  const ledger = createCallLedger({ records, logger });
  const effects = createCallEffects({ ...parts, ...common, ledger, media: createCallMediaFollower(parts.control) });
  const engine = createCallEngine({
    ...common,
    queue: new KeyedQueue(limits.commandsWaitingPerRoom),
    sfuAllowed: routes.sfuAllowed,
    follow: effects.follow,
  });
  const matchmaker = createMatchmaker({ ...common, engine, matched: effects.matched });
  const switchboard = await openRandomSwitch(records);
  const searches = createSearches({ ...common, matchmaker, switchboard });
  const calls = createCalls({ ...common, engine, matchmaker, searches, effects, ledger, records });
  const randomCalls = createRandomCalls({
    ...common,
    accepting: parts.accepting,
    searches,
    calls,
    presence,
    switchboard,
    records,
    filters: config.matchFilters,
    mayCall: safety.consents.mayCall,
    blockedBy: safety.blocks.by,
  });
  const ratings = createRatings({ records, clock });
  const aftermath = createCallAftermath({ ...parts, ...common, ...safety, ratings, calls, searches, ledger });
  const deadlines = new DeadlineRunner<DueCallDeadline>({
    due: (now, most) => store.due(now, most),
    ownerOf: (due) => (due.of === 'call' ? due.callId : due.userId),
    carryOut: calls.elapse,
    clock: health.dueClock,
    paused: () => !health.settled(),
    logger,
  });
  const ticker = new StatsTicker({ ...common, publisher: parts.local, searches });
  const callMedia = createCallMedia({ ...parts, calls });
  return {
    ...safety,
    callMedia,
    calls,
    randomCalls,
    searches,
    relay: createCallRelay(common),
    aftermath,
    deadlines,
    ticker,
    switchboard,
  };
};

const routePolicy = (config: Config, clock: Clock): RoutePolicy => ({
  iceServersFor: createIceServers({ stunUrls: config.stunUrls, turn: config.turn, clock }),
  relayAvailable: config.turn !== undefined,
  relayAlways: config.callsRelayOnly,
  sfuAllowed: config.callsSfuFallback,
});
