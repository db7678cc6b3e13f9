import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { joinCluster, type NodeParts, nodeNameOf, noTasks, openBus, watchHealth } from './app-cluster.ts';
import { composeEdges, lifecyclePorts, publishersOf } from './app-edges.ts';
import { endLost } from './app-lost.ts';
import { composePeople, housekeeping } from './app-people.ts';
import { composeRooms } from './app-rooms.ts';
import { openLiveState } from './app-state.ts';
import { keepUp } from './app-upkeep.ts';
import { newNodeId } from './cluster/nodes.ts';
import type { Config } from './config.ts';
import type { StreamsBus } from './gateway/cluster/streams-bus.ts';
import type { HttpServer } from './gateway/http/context.ts';
import { createHttpServer, serveHttp } from './gateway/http/http-server.ts';
import { createPlacing } from './gateway/placing.ts';
import type { RequestOrigin } from './gateway/request-origin.ts';
import { createSocketServer } from './gateway/socket/socket-server.ts';
import type { RostrumServer } from './gateway/socket/types.ts';
import type { MediaPlane } from './media/media-plane.ts';
import { type Clock, systemClock } from './runtime/clock.ts';
import { createLifecycle, type Lifecycle } from './runtime/lifecycle.ts';
import type { AppLogger } from './runtime/logger.ts';
import { type Closing, closeAll, type Opened } from './runtime/parts.ts';

export type App = {
  /** The port that it listens on. */
  readonly port: number;
  /** The code of the one-time link for the first administrator, where there is none yet (OP-7). */
  readonly adminClaim: string | undefined;
  readonly media: MediaPlane;
  /** Takes nobody new, and sees its people off to other nodes where there are any (OP-2). Never rejects. */
  drain(): Promise<unknown>;
  /** Ends every room that no other node serves, and lets go of everything. Once; later calls wait for the first. */
  close(): Promise<void>;
};

export type AppOptions = {
  readonly config: Config;
  readonly logger: AppLogger;
  /** Of this process; a cluster goes by the time of its Redis. */
  readonly clock?: Clock;
  /** The folder of the built web client. */
  readonly pages?: string;
  /** The other nodes gave this one up while it stood still: it is to be closed, and started anew. */
  readonly fenced?: () => void;
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
  const { config, logger, clock = systemClock, fenced = () => undefined } = options;
  const opened: Opened = (name, part, close) => {
    parts.push({ name, close: () => close(part) });
    return part;
  };
  const nodeId = newNodeId(nodeNameOf(config));
  const node: NodeParts = { config, logger, nodeId, opened };
  const tasks = noTasks();
  let bus: StreamsBus | undefined;
  const state = await openLiveState({
    ...{ cluster: config.cluster, nodeId, clock, logger, opened },
    tell: (message) => bus?.tell(message),
    displaced: (session) => tasks.displaced(session),
  });
  const people = composePeople(config, state.clock, opened);
  const health = watchHealth(node, state, tasks);
  const membership = { state, health, authSecret: people.secret, records: people.records.place, tasks, fenced };
  // It may come before there is a lifecycle to tell of it.
  let isFenced = false;
  tasks.fence = () => {
    isFenced = true;
  };
  const { nodes, pipes } = await joinCluster(node, membership);
  await endLost({ records: people.records, state, limits: config.limits, logger, opened });

  const { http, httpOptions, io } = openFront(options, people.origin, opened);
  bus = config.cluster && (await openBus(node, config.cluster, io, tasks));
  const publishers = publishersOf(io, bus);
  const core = await composeRooms({
    ...{ config, logger, nodeId, state, health, bus, pipes, opened },
    ...{ records: people.records, accounts: people.accounts, nodes: () => nodes.peers().length + 1 },
    ...publishers.rooms,
  });
  const lifecycle: Lifecycle = createLifecycle({
    ...lifecyclePorts({ config, logger, io, nodes, media: core.media, state }),
    release: async ({ endRooms }) => {
      if (endRooms) await endEverything([core.rooms, edges.calls]);
      await farewell(io, endRooms ? 'stopping' : 'moving');
      await closeAll(parts, logger);
    },
  });
  const placing = createPlacing({
    hasRoom: () => core.media.ready(),
    peers: () => nodes.peers(),
    now: () => performance.now(),
    clock: state.clock,
    limits: config.limits,
  });
  tasks.fence = lifecycle.fence;
  if (isFenced) lifecycle.fence();
  const edges = await composeEdges({
    ...{ config, logger, nodeId, state, health, people, core, io, bus, publishers, lifecycle, placing, opened },
  });
  keepUp(node, {
    ...{ state, nodes, bus, io, core, placing, tasks },
    ...{ local: publishers.rooms.local, records: people.records, connections: edges.connections, calling: edges },
  });
  await serveHttp(http, edges, httpOptions);
  await http.listen({ port: config.port, host: config.host });
  opened(
    'schedule',
    housekeeping(people, edges.switchboard, { clock: state.clock, logger, limits: config.limits }),
    (it) => it.stop(),
  );
  const adminClaim = await people.accounts.openFirstClaim();
  lifecycle.started();
  return { port: portOf(http), adminClaim, media: core.media, drain: lifecycle.drain, close: lifecycle.close };
};

/** The HTTP server and the sockets on it; neither listens yet. */
const openFront = ({ config, logger, ...options }: AppOptions, origin: RequestOrigin, opened: Opened) => {
  const pages = options.pages !== undefined && existsSync(options.pages) ? options.pages : undefined;
  const httpOptions = { ...config, pages, loggerInstance: logger };
  const http = opened('http', createHttpServer(httpOptions), (it) => it.close());
  const io = opened('sockets', createSocketServer({ ...config, http: http.server, origin }), (it) => it.close());
  return { http, httpOptions, io };
};

/** Rooms and calls end before sockets close, so that everybody learns why. */
const endEverything = async (ending: readonly { stopAll(): Promise<void> }[]): Promise<void> => {
  await Promise.all(ending.map((part) => part.stopAll()));
};

/** How long the farewell has to leave, in milliseconds. */
const farewellMs = 100;

const farewell = async (io: RostrumServer, code: 'stopping' | 'moving'): Promise<void> => {
  if (io.sockets.sockets.size === 0) return;
  io.local.emit('session:closing', { code });
  await sleep(farewellMs);
};

const portOf = (http: HttpServer): number => {
  const address = http.server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};
