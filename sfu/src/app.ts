import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Limits } from '@rostrum/shared/limits.ts';
import { composeCalls } from './app-calls.ts';
import { composeRooms } from './app-rooms.ts';
import { callMediaOwner } from './calls/call-media.ts';
import { createSuccessMonitor } from './calls/success-monitor.ts';
import type { Config } from './config.ts';
import type { HttpDependencies, HttpServer } from './gateway/http/context.ts';
import { createHttpServer, serveHttp } from './gateway/http/http-server.ts';
import { createRateLimits } from './gateway/rate-limits.ts';
import { createRequestOrigin } from './gateway/request-origin.ts';
import { createCallPublisher } from './gateway/socket/call-publisher.ts';
import { Connections } from './gateway/socket/connections.ts';
import { createDispatch } from './gateway/socket/dispatch.ts';
import { createHandlers } from './gateway/socket/handlers.ts';
import { createPresence } from './gateway/socket/presence.ts';
import { createRoomPublisher } from './gateway/socket/room-publisher.ts';
import { createSocketServer, serveSockets } from './gateway/socket/socket-server.ts';
import type { RostrumServer } from './gateway/socket/types.ts';
import type { MediaPlane } from './media/media-plane.ts';
import { Accounts } from './people/accounts.ts';
import { authSecret } from './people/auth-secret.ts';
import { createTokens } from './people/tokens.ts';
import { createTracer } from './people/traces.ts';
import type { Records } from './records/records.ts';
import { openSqliteRecords } from './records/sqlite/open.ts';
import { type Clock, systemClock } from './runtime/clock.ts';
import { newId } from './runtime/ids.ts';
import { KeyedQueue } from './runtime/keyed-queue.ts';
import type { AppLogger } from './runtime/logger.ts';
import { createMetrics } from './runtime/metrics.ts';
import { type Closing, closeAll, type Opened } from './runtime/parts.ts';
import { Schedule, sweep } from './runtime/schedule.ts';
import { createMemoryCallStore } from './state/memory/memory-call-store.ts';

export type App = {
  /** The port that it listens on. */
  readonly port: number;
  /** The code of the one-time link for the first administrator, where there is none yet (OP-7). */
  readonly adminClaim: string | undefined;
  readonly media: MediaPlane;
  /** Ends every room, tells everybody, and lets go of everything. Once; later calls wait for the first. */
  close(): Promise<void>;
};

export type AppOptions = {
  readonly config: Config;
  readonly logger: AppLogger;
  readonly clock?: Clock;
  /** The folder of the built web client. */
  readonly pages?: string;
};

/** Builds every dependency, once, and starts serving. Rejects where something cannot start, and lets go of the rest. */
export const startApp = async (options: AppOptions): Promise<App> => {
  const parts: Closing[] = [];
  try {
    return await compose(options, parts);
  } catch (error) {
    await closeAll(parts, options.logger);
    throw error;
  }
};

const compose = async (options: AppOptions, parts: Closing[]): Promise<App> => {
  const { config, logger, clock = systemClock } = options;
  const opened: Opened = (name, part, close) => {
    parts.push({ name, close: () => close(part) });
    return part;
  };
  const people = await composePeople(options, opened);
  const { accounts, records } = people;
  const pages = options.pages !== undefined && existsSync(options.pages) ? options.pages : undefined;
  const httpOptions = { ...config, pages, loggerInstance: logger };
  const http = opened('http', createHttpServer(httpOptions), (it) => it.close());
  const io = opened('sockets', createSocketServer({ ...config, http: http.server, origin: people.origin }), (it) =>
    it.close(),
  );
  const core = await composeRooms({
    config,
    logger,
    clock,
    records,
    accounts,
    publisher: createRoomPublisher(io),
    opened,
  });
  const serving = { accepting: true };
  const dependencies = await composeEdges({ config, logger, clock, people, core, io, serving, opened });
  await serveHttp(http, dependencies, httpOptions);
  await http.listen({ port: config.port, host: config.host });
  parts.push({ name: 'rooms and calls', close: () => stopServing(io, [core.rooms, dependencies.calls]) });
  opened('schedule', housekeeping(accounts, records, { clock, logger, limits: config.limits }), (it) => it.stop());

  let closing: Promise<void> | undefined;
  return {
    port: portOf(http),
    adminClaim: await accounts.openFirstClaim(),
    media: core.media,
    close: () => {
      serving.accepting = false;
      closing ??= closeAll(parts, logger);
      return closing;
    },
  };
};

/** Who people are, and the records of it. */
const composePeople = async ({ config, logger, clock = systemClock }: AppOptions, opened: Opened) => {
  const secret = authSecret({ configured: config.authSecret, dataDir: config.dataDir });
  const records = opened('records', openSqliteRecords({ path: join(config.dataDir, 'rostrum.sqlite') }), (it) =>
    it.close(),
  );
  // This node alone serves these records, and live state ended with the process before: its rooms are over.
  const ended = await records.rooms.endAll(clock.now(), 'server-stopped');
  const cut = await records.calls.endAll(clock.now(), 'server-stopped');
  if (ended + cut > 0) logger.info({ rooms: ended, calls: cut }, 'rooms and calls of an earlier run were closed');
  const tokens = createTokens({ secret, clock, lifetimeMs: config.limits.tokenLifetimeMs });
  const accounts = new Accounts({ records, tokens, clock, limits: config.limits });
  const origin = createRequestOrigin({ ...config, tracer: createTracer(secret) });
  return { records, tokens, accounts, origin };
};

type EdgeParts = {
  readonly config: Config;
  readonly logger: AppLogger;
  readonly clock: Clock;
  readonly people: Awaited<ReturnType<typeof composePeople>>;
  readonly core: Awaited<ReturnType<typeof composeRooms>>;
  readonly io: RostrumServer;
  readonly serving: { readonly accepting: boolean };
  readonly opened: Opened;
};

/** Serves the sockets, and gives what the HTTP routes need. */
const composeEdges = async ({ config, logger, clock, people, core, io, serving, opened }: EdgeParts) => {
  const { limits } = config;
  const { records, ...identity } = people;
  const rateLimits = createRateLimits(limits);
  const callStore = createMemoryCallStore(clock);
  const success = createSuccessMonitor({ clock, limits, logger });
  const metrics = createMetrics({
    calls: { counts: () => callStore.counts(), success: () => ({ share: success.share(), alert: success.alert() }) },
    rooms: () => core.store.count(),
    sockets: () => io.sockets.sockets.size,
    workers: () => core.media.load(),
  });
  const calling = await composeCalls({
    ...{ config, logger, clock, records, success },
    metrics: metrics.calls,
    publisher: createCallPublisher(io),
    presence: createPresence({ io, ...core }),
    accepting: () => serving.accepting,
    accounts: identity.accounts,
    ...core,
    store: callStore,
  });
  core.bridge.connect(callMediaOwner(calling.calls));
  opened('call deadlines', calling.deadlines, (it) => it.stop()).start();
  opened('counts', calling.ticker, (it) => it.stop()).start();
  const whereabouts = new KeyedQueue(limits.commandsWaitingPerRoom);
  const edges = { ...core, ...identity, ...calling, rateLimits, whereabouts, limits, logger, newId };
  const connections = new Connections({ ...edges, clock, accepting: () => serving.accepting });
  const handlers = createHandlers({ ...edges, media: core.roomMedia, connections });
  serveSockets({ io, connections, dispatch: createDispatch({ handlers, rateLimits, metrics, logger }), logger });
  const unready = async (): Promise<string[]> => [
    ...(serving.accepting ? [] : ['stopping']),
    ...(core.media.ready() ? [] : ['no media worker has room']),
    ...((await records.ready()) ? [] : ['records cannot be written']),
  ];
  return { ...edges, metrics, publicUrl: config.publicUrl, unready } satisfies HttpDependencies;
};

/** Rooms end before sockets close, so that everybody learns why; the farewell gets a moment to leave. */
const stopServing = async (io: RostrumServer, stopping: readonly { stopAll(): Promise<void> }[]): Promise<void> => {
  await Promise.all(stopping.map((part) => part.stopAll()));
  io.local.emit('session:closing', { code: 'stopping' });
  await new Promise((resolve) => setTimeout(resolve, 100));
};

const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;

/** ID-6, MO-4, RD-10, RD-13: what is kept for a time is deleted after it. */
const housekeeping = (
  accounts: Accounts,
  records: Records,
  { clock, logger, limits }: { clock: Clock; logger: AppLogger; limits: Limits },
): Schedule => {
  const schedule = new Schedule(logger);
  const ago = (ms: number): number => clock.now() - ms;
  const { moderationLogDays, callMessagesKeptMs, guestCallsKeptMs, memberCallsKeptDays } = limits;
  schedule.every(hourMs, 'guests', () => accounts.sweepGuests());
  const clean = (everyMs: number, name: string, deleteSome: (most: number) => Promise<number>): void =>
    schedule.every(everyMs, name, () => sweep(deleteSome));
  clean(hourMs, 'traces of bans', (most) => records.bans.forgetTraces(clock.now(), most));
  clean(dayMs, 'moderation log', (most) => records.moderation.deleteBefore(ago(moderationLogDays * dayMs), most));
  clean(hourMs, 'chat of calls', (most) => records.callMessages.deleteBefore(ago(callMessagesKeptMs), most));
  clean(hourMs, 'calls', (most) =>
    records.calls.deleteBefore(
      { guestsBefore: ago(guestCallsKeptMs), membersBefore: ago(memberCallsKeptDays * dayMs) },
      most,
    ),
  );
  return schedule;
};

const portOf = (http: HttpServer): number => {
  const address = http.server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};
