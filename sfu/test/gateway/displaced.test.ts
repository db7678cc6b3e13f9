import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { defaultLimits } from '@rostrum/shared/limits.ts';
import { pino } from 'pino';
import { Server } from 'socket.io';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CallCopies } from '../../src/calls/call-copies.ts';
import { openStreamsBus } from '../../src/gateway/cluster/streams-bus.ts';
import { RoomCopies } from '../../src/rooms/room-copies.ts';
import { callDeadlinesOf } from '../../src/rules/call/deadlines.ts';
import { cameBack, ticketDeadlinesOf } from '../../src/rules/matching/queue.ts';
import { seatOf } from '../../src/rules/room/state.ts';
import { newId } from '../../src/runtime/ids.ts';
import { openBusConnection } from '../../src/state/redis/bus-client.ts';
import { openRedis } from '../../src/state/redis/connection.ts';
import { createRedisCallStore } from '../../src/state/redis/redis-call-store.ts';
import { createRedisClusterStore } from '../../src/state/redis/redis-cluster-store.ts';
import { createRedisRoomStore } from '../../src/state/redis/redis-room-store.ts';
import { nodeOn } from '../contract/redis-rooms.ts';
import { until } from '../media/harness.ts';
import { Caller } from '../support/caller.ts';
import { freePort } from '../support/free-port.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { cleanUp, guest, startServer, type TestServer } from '../support/server.ts';

const limits = defaultLimits;
const logger = pino({ level: 'silent' });

describe('what was taken from a session that is here, by something late', { timeout: 30_000 }, () => {
  let redis: RedisServer;
  let prefix = '';
  const closings: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    redis = await startRedis();
  });
  afterEach(async () => {
    prefix = '';
    for (const close of closings.splice(0).reverse()) await close();
    await cleanUp();
  });
  afterAll(() => redis.stop());

  const secret = randomBytes(32).toString('hex');

  /** A node of a cluster of which the others share its Redis and its records. */
  const startNode = async (name: string, dataDir?: string): Promise<TestServer> => {
    prefix ||= newId();
    return startServer({
      ...(dataDir === undefined ? {} : { dataDir }),
      env: {
        REDIS_URL: redis.url,
        REDIS_PREFIX: prefix,
        NODE_NAME: name,
        AUTH_SECRET: secret,
        INTERNAL_ADDRESS: '127.0.0.1:0',
        PIPE_ADDRESS: '127.0.0.1',
        PIPE_PORTS: await pipePorts(),
        LIMIT_SEARCHES_PER_MINUTE: '1000',
        LIMIT_COMMANDS_PER_SECOND: '100000',
        LIMIT_COMMAND_BURST: '100000',
        LIMIT_JOINS_PER_MINUTE: '1000',
      },
    });
  };

  /** A node that does what it was asked for long ago, and tells of it as any other. */
  const lateNode = async () => {
    const nodeId = `late~${newId()}`;
    const connection = await openRedis({ url: redis.url, prefix, logger });
    const io = new Server(createServer());
    const bus = await openStreamsBus({
      io,
      nodeId,
      connection: openBusConnection({ url: redis.url, prefix, logger }),
      logger,
      missed: () => undefined,
    });
    closings.push(async () => {
      await bus.close();
      await io.close();
      await connection.close();
    });
    const { clock } = connection;
    const tell = bus.tell.bind(bus);
    const rooms = new RoomCopies({ store: createRedisRoomStore(connection), nodeId, tell, clock, logger });
    const calls = new CallCopies({
      store: createRedisCallStore(connection),
      nodeId,
      tell,
      clock,
      displaced: () => undefined,
    });
    return {
      nodeId,
      clock,
      cluster: createRedisClusterStore(connection),
      calls: calls.watched,
      rooms: nodeOn(rooms.watched, { clock }),
    };
  };

  it('RE-2 RE-3 a join at the node that it came from, slower than the one here, does not keep the seat there', async () => {
    const server = await startNode('here');
    const host = await guest(server, 'Hanna');
    const roomId = await host.createRoom();
    await host.enter(roomId);
    const ana = await guest(server, 'Ana');
    const socket = await ana.enter(roomId);
    const late = await lateNode();
    const seat = async () => {
      const loaded = await late.rooms.store.load(roomId, () => ({ users: [ana.userId], standings: [] }));
      return loaded && seatOf(loaded.state, ana.userId);
    };
    const before = await seat();
    const { sessionId } = (await socket.next('session:ready')) ?? {};
    const person = { userId: ana.userId, displayName: 'Ana', kind: 'guest' } as const;
    const join = { type: 'join', person, sessionId, node: late.nodeId, bannedByHost: false } as const;
    expect((await late.rooms.engine.execute(roomId, join)).ok).toBe(true);
    // Nobody is connected there, as that node finds too.
    const lose = { type: 'lose-connection', userId: ana.userId, sessionId, node: late.nodeId } as const;
    await late.rooms.engine.execute(roomId, lose);
    await until('the seat is here again', async () => {
      const now = await seat();
      return now?.node === before?.node && now?.awaySince === null;
    });
    expect(await socket.do('room:sync', { roomId })).toBeDefined();
  });

  it('RQ-5 RD-5 neither does it keep the place in the queue, or the side of a call', async () => {
    const server = await startNode('here');
    const ann = await Caller.arrive(server, 'Ann');
    const late = await lateNode();
    await ann.search();
    const waiting = () => late.calls.ticketOf(ann.userId);
    const here = (await waiting())?.ticket.seeker.node;
    const stored = await waiting();
    if (!stored) throw new Error('she does not wait');
    const { sessionId } = stored.ticket.seeker;
    const after = cameBack(stored.ticket, { sessionId, node: late.nodeId });
    const inTime = () => ({ expiresAt: late.clock.now() + 1000 });
    const entry = { ticket: after, deadlines: ticketDeadlinesOf(after, limits) };
    expect(await late.calls.updateTicket(stored, entry, inTime())).toBe('updated');
    await until('she waits here again', async () => (await waiting())?.ticket.seeker.node === here);

    const ben = await Caller.arrive(server, 'Ben');
    await ben.search();
    const { sessionId: callId } = await ben.match();
    const loaded = await late.calls.load(callId);
    if (!loaded) throw new Error('there is no call');
    const [one, other] = loaded.call.sides.map((side) =>
      side.userId === ann.userId ? { ...side, node: late.nodeId, awaySince: late.clock.now() } : side,
    );
    if (!(one && other)) throw new Error('a call has two sides');
    const call = { ...loaded.call, sides: [one, other] as const };
    const committed = await late.calls.commit({
      ...{ callId, version: loaded.version, after: call, deadlines: callDeadlinesOf(call, limits) },
      ...{ histories: new Map(), historyUntil: 0, requeue: [], ...inTime() },
    });
    expect(committed.outcome).toBe('committed');
    await until('her side is here again', async () => {
      const side = (await late.calls.load(callId))?.call.sides.find(({ userId }) => userId === ann.userId);
      return side !== undefined && side.node === here && side.awaySince === null;
    });
  });

  it('RQ-5 nobody is in a room and in the queue, however many devices act at once at however many nodes', async () => {
    const one = await startNode('one');
    const two = await startNode('two', one.dataDir);
    const host = await guest(one, 'Hanna');
    const roomId = await host.createRoom();
    await host.enter(roomId);
    const late = await lateNode();
    const ann = await Caller.arrive(one, 'Ann');
    const person = Object.assign(Object.create(ann.person), { server: two }) as typeof ann.person;
    const phone = await person.connect();
    for (let round = 0; round < 25; round += 1) {
      await Promise.all([phone.codeOf('room:join', { roomId }), ann.search().catch(() => undefined)]);
      const sits = await until(
        `round ${round}: she is in one of both at most`,
        async () => {
          const loaded = await late.rooms.store.load(roomId, () => ({ users: [ann.userId], standings: [] }));
          const seated = loaded !== undefined && seatOf(loaded.state, ann.userId) !== undefined;
          const { at } = await late.calls.placeOf(ann.userId);
          return seated && at !== 'nowhere' ? undefined : { seated };
        },
        5000,
      );
      if (sits.seated) await phone.codeOf('room:leave', { roomId });
      await ann.socket.do('random:cancel_queue', {});
    }
  });

  it('OP-1 RE-4 figures are there while Redis is away; those that only it knows are not', async () => {
    const server = await startNode('here');
    const read = async () => {
      const answer = await fetch(`${server.url}/metrics`);
      return { status: answer.status, text: await answer.text() };
    };
    expect((await read()).text.includes('rostrum_rooms 0\n')).toBe(true);
    redis.freeze();
    try {
      const { status, text } = await read();
      expect(status).toBe(200);
      for (const name of ['rostrum_rooms', 'rostrum_calls', 'rostrum_queue_waiting'])
        expect(text.split('\n').find((line) => line.startsWith(`${name} `))).toBe(`${name} Nan`);
      expect(text.includes('rostrum_sockets 0\n')).toBe(true);
    } finally {
      redis.thaw();
    }
    await until('it knows again', async () => /^rostrum_rooms 0$/m.test((await read()).text));
  });
});

const pipePorts = async (): Promise<string> => {
  const first = await freePort(20);
  return `${first}-${first + 19}`;
};
