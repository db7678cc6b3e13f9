import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createIceServers } from './calls/ice-servers.ts';
import type { Config } from './config.ts';
import type { HttpDependencies, HttpServer } from './gateway/http/context.ts';
import { createHttpServer, serveHttp } from './gateway/http/http-server.ts';
import { createRateLimits } from './gateway/rate-limits.ts';
import { createRequestOrigin } from './gateway/request-origin.ts';
import { Connections } from './gateway/socket/connections.ts';
import { createDispatch } from './gateway/socket/dispatch.ts';
import { createHandlers } from './gateway/socket/handlers.ts';
import { createRoomPublisher } from './gateway/socket/room-publisher.ts';
import { createSocketServer, serveSockets } from './gateway/socket/socket-server.ts';
import type { RostrumServer } from './gateway/socket/types.ts';
import type { MediaPlane } from './media/media-plane.ts';
import { createMediaPlane } from './media/mediasoup-plane.ts';
import { Accounts } from './people/accounts.ts';
import { authSecret } from './people/auth-secret.ts';
import { createTokens } from './people/tokens.ts';
import { createTracer } from './people/traces.ts';
import type { Records } from './records/records.ts';
import { openSqliteRecords } from './records/sqlite/open.ts';
import { AudienceCounter } from './rooms/audience-counter.ts';
import { DeadlineRunner } from './rooms/deadline-runner.ts';
import { createDirectory } from './rooms/directory.ts';
import { createMediaBridge } from './rooms/media-bridge.ts';
import { MediaFollower } from './rooms/media-follower.ts';
import type { RoomPublisher } from './rooms/ports.ts';
import { createRoomEffects } from './rooms/room-effects.ts';
import { createRoomEngine, type RoomEngine } from './rooms/room-engine.ts';
import { createRoomMedia } from './rooms/room-media.ts';
import { createRoomQueries } from './rooms/room-queries.ts';
import { createRooms } from './rooms/rooms.ts';
import { type Clock, systemClock } from './runtime/clock.ts';
import { newId } from './runtime/ids.ts';
import { KeyedQueue } from './runtime/keyed-queue.ts';
import type { AppLogger } from './runtime/logger.ts';
import { createMetrics } from './runtime/metrics.ts';
import { Schedule } from './runtime/schedule.ts';
import { createMemoryRoomStore } from './state/memory/memory-room-store.ts';

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

type Closing = { readonly name: string; readonly close: () => Promise<unknown> | unknown };

/** Closes in the reverse order of opening. One that fails does not keep the others open. */
const closeAll = async (parts: Closing[], logger: AppLogger): Promise<void> => {
  for (const { name, close } of parts.splice(0).reverse()) {
    try {
      await close();
    } catch (error) {
      logger.error({ err: error, part: name }, 'a part could not be closed');
    }
  }
};

type Opened = <Part>(name: string, part: Part, close: (part: Part) => unknown) => Part;

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
  const dependencies = composeEdges({ config, logger, clock, people, core, io, serving });
  await serveHttp(http, dependencies, httpOptions);
  await http.listen({ port: config.port, host: config.host });
  parts.push({ name: 'rooms', close: () => stopServing(io, core.rooms) });
  opened('schedule', housekeeping(accounts, records, { clock, logger, days: config.limits.moderationLogDays }), (it) =>
    it.stop(),
  );

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
  if (ended > 0) logger.info({ rooms: ended }, 'rooms of an earlier run were closed');
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
};

/** Serves the sockets, and gives what the HTTP routes need. */
const composeEdges = ({ config, logger, clock, people, core, io, serving }: EdgeParts): HttpDependencies => {
  const { limits } = config;
  const { records, ...identity } = people;
  const rateLimits = createRateLimits(limits);
  const metrics = createMetrics({
    rooms: () => core.store.count(),
    sockets: () => io.sockets.sockets.size,
    workers: () => core.media.load(),
  });
  const connections = new Connections({
    ...identity,
    rooms: core.rooms,
    clock,
    limits,
    logger,
    newId,
    accepting: () => serving.accepting,
    rateLimits,
  });
  const handlers = createHandlers({ ...core, ...identity, media: core.roomMedia, rateLimits, connections });
  serveSockets({ io, connections, dispatch: createDispatch({ handlers, rateLimits, metrics, logger }), logger });
  const unready = async (): Promise<string[]> => [
    ...(serving.accepting ? [] : ['stopping']),
    ...(core.media.ready() ? [] : ['no media worker has room']),
    ...((await records.ready()) ? [] : ['records cannot be written']),
  ];
  return { ...core, ...identity, rateLimits, metrics, logger, limits, newId, publicUrl: config.publicUrl, unready };
};

type RoomParts = {
  readonly config: Config;
  readonly logger: AppLogger;
  readonly clock: Clock;
  readonly records: Records;
  readonly accounts: Accounts;
  readonly publisher: RoomPublisher;
  readonly opened: Opened;
};

const composeRooms = async ({ config, logger, clock, records, accounts, publisher, opened }: RoomParts) => {
  const { limits } = config;
  const store = createMemoryRoomStore(clock);
  // Media tells the rooms what happens by itself, and the rooms tell media what to follow: the bridge ties them together.
  const bridge = createMediaBridge({ publisher, logger });
  const media = opened(
    'media',
    await createMediaPlane(
      {
        limits,
        logger,
        workers: config.workers,
        mediaPort: config.mediaPort,
        mediaAddresses: config.mediaAddresses,
        iceServersFor: iceServersBySeat(config, clock),
      },
      bridge.events,
    ),
    (it) => it.close(),
  );
  const counter = opened('counter', new AudienceCounter(publisher, limits.audienceCountMs), (it) => it.close());
  const follower = new MediaFollower(media, logger);
  const follow = createRoomEffects({ store, records, media, follower, publisher, counter, limits, logger });
  const engine: RoomEngine = createRoomEngine({
    store,
    queue: new KeyedQueue(limits.commandsWaitingPerRoom),
    clock,
    limits,
    newId,
    follow,
  });
  bridge.connect(engine);
  const deadlines = opened('deadlines', new DeadlineRunner({ store, engine, clock, limits, logger }), (it) =>
    it.stop(),
  );
  deadlines.start();
  const rooms = createRooms({
    engine,
    store,
    records,
    directory: createDirectory(accounts),
    publisher,
    clock,
    limits,
    newId,
    speakingIn: bridge.speakingIn,
  });
  const queries = createRoomQueries({ store, records, clock, limits });
  return { store, media, rooms, queries, roomMedia: createRoomMedia({ engine, store, media }) };
};

const iceServersBySeat = (config: Config, clock: Clock) => {
  const iceServers = createIceServers({ turn: config.turn, clock });
  return ({ userId }: { userId: string }) => iceServers(userId);
};

/** Rooms end before sockets close, so that everybody learns why; the farewell gets a moment to leave. */
const stopServing = async (io: RostrumServer, rooms: { stopAll(): Promise<void> }): Promise<void> => {
  await rooms.stopAll();
  io.local.emit('session:closing', { code: 'stopping' });
  await new Promise((resolve) => setTimeout(resolve, 100));
};

const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;

/** ID-6, MO-4: what is kept for a time is deleted after it. */
const housekeeping = (
  accounts: Accounts,
  records: Records,
  { clock, logger, days }: { clock: Clock; logger: AppLogger; days: number },
): Schedule => {
  const schedule = new Schedule(logger);
  schedule.every(hourMs, 'guests', () => accounts.sweepGuests());
  schedule.every(hourMs, 'traces of bans', () => records.bans.forgetTraces(clock.now(), 10_000));
  schedule.every(dayMs, 'moderation log', () => records.moderation.deleteBefore(clock.now() - days * dayMs, 10_000));
  return schedule;
};

const portOf = (http: HttpServer): number => {
  const address = http.server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};
