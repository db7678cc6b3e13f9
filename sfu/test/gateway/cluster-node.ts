import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultLimits } from '@rostrum/shared/limits.ts';
import { type EventName, type EventPayload, protocolVersion } from '@rostrum/shared/protocol/index.ts';
import { done, type Result } from '@rostrum/shared/result.ts';
import { pino } from 'pino';
import { io as connectTo, type Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { clusterCallPublisher } from '../../src/gateway/cluster/call-publisher.ts';
import { clusterRoomPublisher, createHere } from '../../src/gateway/cluster/room-publisher.ts';
import { openStreamsBus } from '../../src/gateway/cluster/streams-bus.ts';
import { type CopyMessage, type MediaMessage, takeFromBus } from '../../src/gateway/cluster/take-from-bus.ts';
import type { SeatHere } from '../../src/gateway/cluster/view-resync.ts';
import { createRequestOrigin } from '../../src/gateway/request-origin.ts';
import { createCallPublisher } from '../../src/gateway/socket/call-publisher.ts';
import { Connections } from '../../src/gateway/socket/connections.ts';
import { createRoomPublisher } from '../../src/gateway/socket/room-publisher.ts';
import { createSocketServer, serveSockets } from '../../src/gateway/socket/socket-server.ts';
import type { RostrumServer, RostrumSocket } from '../../src/gateway/socket/types.ts';
import { Accounts } from '../../src/people/accounts.ts';
import { createTokens } from '../../src/people/tokens.ts';
import { createTracer } from '../../src/people/traces.ts';
import { openSqliteRecords } from '../../src/records/sqlite/open.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { newId } from '../../src/runtime/ids.ts';
import type { ClusterStore } from '../../src/state/cluster-store.ts';
import { openBusConnection } from '../../src/state/redis/bus-client.ts';
import { openRedis } from '../../src/state/redis/connection.ts';
import { createRedisClusterStore } from '../../src/state/redis/redis-cluster-store.ts';
import { until } from '../media/harness.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';

/** What a node said in its log. */
export type Said = { readonly level: number; readonly msg: string };

/** A node as far as sockets go: real HTTP and Socket.IO, the bus over a real Redis; losses are noted in a list. */
export type TestNode = Awaited<ReturnType<TestCluster['start']>>;

const opened: (() => Promise<unknown>)[] = [];

/** One Redis, and people who are known to every node. */
export class TestCluster {
  #redis: RedisServer | undefined;
  #folder = '';
  #prefix = '';
  readonly #secret = randomBytes(32);
  readonly tokens = createTokens({ secret: this.#secret, clock: systemClock, lifetimeMs: 3_600_000 });

  constructor() {
    beforeAll(async () => {
      this.#redis = await startRedis();
      this.#folder = await mkdtemp(join(tmpdir(), 'rostrum-gateway-'));
    });
    afterEach(async () => {
      for (const close of opened.splice(0).reverse()) await close();
      this.#prefix = '';
    });
    afterAll(async () => {
      await this.#redis?.stop();
      await rm(this.#folder, { recursive: true, force: true });
    });
  }

  get redis(): RedisServer {
    if (!this.#redis) throw new Error('Redis is not started yet');
    return this.#redis;
  }

  /** A prefix for each test. */
  get prefix(): string {
    this.#prefix ||= newId();
    return this.#prefix;
  }

  get records() {
    const records = openSqliteRecords({ path: join(this.#folder, 'rostrum.sqlite') });
    opened.push(async () => records.close());
    return records;
  }

  async start(name: string) {
    const said: Said[] = [];
    const logger = pino({ level: 'info' }, { write: (line: string) => void said.push(JSON.parse(line)) });
    const nodeId = `${name}~${newId()}`;
    const redis = await openRedis({ url: this.redis.url, prefix: this.prefix, logger });
    const store = createRedisClusterStore(redis);
    const enlist = () => store.enlist(recordOf(nodeId, name), 0);
    await enlist();
    const http = createServer();
    const origin = createRequestOrigin({
      trustedProxies: [],
      allowedOrigins: [],
      tracer: createTracer(this.#secret),
    });
    const io = createSocketServer({ http, origin, allowedOrigins: [], limits: defaultLimits });
    const connection = openBusConnection({ url: this.redis.url, prefix: this.prefix, logger });
    const missed: number[] = [];
    const bus = await openStreamsBus({ io, nodeId, connection, logger, missed: () => missed.push(Date.now()) });
    const local = { rooms: createRoomPublisher(io), calls: createCallPublisher(io) };
    const here = createHere(io);
    const serving = { accepting: true, leaving: false };
    const losses: Noted[] = [];
    const edge = this.#connections({ nodeId, store, bus, losses, serving, logger });
    const media: MediaMessage[] = [];
    const copies: CopyMessage[] = [];
    const moved: SeatHere[] = [];
    bus.listen(
      takeFromBus({
        io,
        local: local.rooms,
        sessionTaken: edge.connections.taken,
        moved: (seat) => moved.push(seat),
        media: (message) => media.push(message),
        copies: (message) => copies.push(message),
      }),
    );
    serveSockets({
      io,
      connections: edge.connections,
      dispatch: () => undefined,
      logger,
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const node = {
      nodeId,
      io,
      http,
      bus,
      connection,
      store,
      enlist,
      logger,
      redis,
      local,
      missed,
      losses,
      media,
      copies,
      moved,
      said,
      serving,
      connections: edge.connections,
      accounts: edge.accounts,
      rooms: clusterRoomPublisher(local.rooms, bus, here),
      calls: clusterCallPublisher(local.calls, bus, here),
      url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
      stop: async () => {
        await io.close();
        await edge.connections.close();
        await bus.close();
        await redis.close();
      },
    };
    opened.push(node.stop);
    return node;
  }

  #connections(parts: {
    nodeId: string;
    store: ClusterStore;
    bus: { tell: Parameters<typeof clusterRoomPublisher>[1]['tell'] };
    losses: Noted[];
    serving: { accepting: boolean; leaving: boolean };
    logger: import('pino').Logger;
  }) {
    const { nodeId, store, bus, losses, serving, logger } = parts;
    const accounts = new Accounts({
      records: this.records,
      tokens: this.tokens,
      clock: systemClock,
      limits: defaultLimits,
    });
    const connections = new Connections({
      rooms: {
        loseConnection: async (roomId, userId, sessionId, node): Promise<Result<unknown>> => {
          // The state of rooms is in the same Redis: while it is away, nothing is noted.
          await store.heldBy(nodeId, 1);
          losses.push({ roomId, userId, sessionId, node });
          return done({});
        },
      },
      calls: { lose: async () => undefined },
      accounts,
      tokens: this.tokens,
      origin: createRequestOrigin({ trustedProxies: [], allowedOrigins: [], tracer: createTracer(this.#secret) }),
      rateLimits: { command: async () => undefined },
      clock: systemClock,
      limits: defaultLimits,
      logger,
      newId,
      accepting: () => serving.accepting,
      leaving: () => serving.leaving,
      nodeId,
      cluster: store,
      bus,
    });
    return { connections, accounts };
  }

  /** Signs somebody in. */
  async person(node: TestNode, displayName: string): Promise<{ userId: string; token: string }> {
    const signed = await node.accounts.signInGuest({ displayName, traces: {} });
    if (!signed.ok) throw new Error(`no sign-in: ${signed.refusal.code}`);
    return { userId: signed.value.user.userId, token: signed.value.token };
  }

  /** Somebody with a socket at this node. */
  async connect(
    node: TestNode,
    options: { person?: { userId: string; token: string }; sessionId?: string } = {},
  ): Promise<Listener> {
    const person = options.person ?? (await this.person(node, 'Somebody'));
    const raw = connectTo(node.url, {
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      auth: {
        token: person.token,
        protocol: protocolVersion,
        ...(options.sessionId === undefined ? {} : { sessionId: options.sessionId }),
      },
    });
    opened.push(async () => raw.disconnect());
    const listener = new Listener(raw, person, node);
    const { sessionId } = await listener.next('session:ready');
    listener.sessionId = sessionId;
    return listener;
  }
}

export type Noted = { roomId: string; userId: string; sessionId: string; node: string };

const recordOf = (nodeId: string, name: string) => ({
  nodeId,
  name,
  version: '0',
  protocol: protocolVersion,
  machine: 'test',
  internalAddress: '127.0.0.1:1',
  draining: false,
  load: { sockets: 0, rooms: 0, consumers: 0, full: false },
});

/** A client that keeps what it hears. */
export class Listener {
  readonly raw: Socket;
  readonly person: { userId: string; token: string };
  readonly node: TestNode;
  sessionId = '';
  readonly heard: { readonly name: EventName; readonly payload: unknown }[] = [];

  constructor(raw: Socket, person: { userId: string; token: string }, node: TestNode) {
    this.raw = raw;
    this.person = person;
    this.node = node;
    raw.onAny((name: EventName, payload: unknown) => this.heard.push({ name, payload }));
  }

  get session(): { userId: string; sessionId: string } {
    return { userId: this.person.userId, sessionId: this.sessionId };
  }

  /** The server's end. */
  get socket(): RostrumSocket {
    const socket = (this.node.io as RostrumServer).of('/').sockets.get(this.raw.id ?? '');
    if (!socket) throw new Error('the server does not have this socket');
    return socket;
  }

  all<Name extends EventName>(name: Name): EventPayload<Name>[] {
    return this.heard.filter((event) => event.name === name).map(({ payload }) => payload as EventPayload<Name>);
  }

  next<Name extends EventName>(
    name: Name,
    fits: (payload: EventPayload<Name>) => boolean = () => true,
  ): Promise<EventPayload<Name>> {
    return until(`event ${name}`, () => this.all(name).find(fits));
  }
}
