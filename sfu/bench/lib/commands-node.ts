/** A process with what one node of a cluster has to change rooms: the rules, the engine, and a store, in memory or in Redis. */
import { defaultLimits, type Limits, sizes } from '@rostrum/shared/limits.ts';
import { createRoomEngine, type RoomEngine } from '../../src/rooms/room-engine.ts';
import type { RoomCommand } from '../../src/rules/room/commands.ts';
import { deadlinesOf } from '../../src/rules/room/deadlines.ts';
import { openedRoom } from '../../src/rules/room/evolve.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { newId } from '../../src/runtime/ids.ts';
import { KeyedQueue } from '../../src/runtime/keyed-queue.ts';
import { createMemoryRoomStore } from '../../src/state/memory/memory-room-store.ts';
import { createRedisRoomStore } from '../../src/state/redis/redis-room-store.ts';
import type { RoomStore } from '../../src/state/room-store.ts';
import { serveParent } from './child.ts';
import { connectAsNode } from './redis.ts';
import { quantile } from './statistics.ts';

/** `mute`: people on the stage mute and unmute themselves. `join`: listeners come and go. */
export type Work = 'mute' | 'join';

/** What a node made of its work. */
export type WorkDone = {
  readonly commits: number;
  /** Commits that another node was ahead of, and that were tried again. */
  readonly conflicts: number;
  /** Commands that were given up, after so many tries or so much time. */
  readonly refused: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly seconds: number;
  /** CPU time of this process, in milliseconds. */
  readonly cpuMs: number;
};

type Live = { readonly store: RoomStore; readonly clock: Clock; close(): Promise<void> };

const limits: Limits = defaultLimits;
const nodeId = newId();
let conflicts = 0;
let live: Live | undefined;
let engine: RoomEngine | undefined;
let clients: Client[] = [];

const opened = <Part>(part: Part | undefined): Part => {
  if (part === undefined) throw new Error('this node has no store yet');
  return part;
};

const inMemory = async (): Promise<Live> => ({
  store: createMemoryRoomStore(systemClock),
  clock: systemClock,
  close: async () => undefined,
});

const inRedis = async (url: string, prefix: string): Promise<Live> => {
  const connection = await connectAsNode(url, prefix);
  return { store: createRedisRoomStore(connection), clock: connection.clock, close: () => connection.close() };
};

/** The store, with its conflicts counted. */
const counted = (store: RoomStore): RoomStore =>
  new Proxy(store, {
    get: (target, name: keyof RoomStore) => {
      if (name !== 'commit') return target[name].bind(target);
      return async (commit: Parameters<RoomStore['commit']>[0]) => {
        const result = await target.commit(commit);
        if (result.outcome === 'conflict') conflicts += 1;
        return result;
      };
    },
  });

/** A room with its host in it, in which whoever comes speaks where they are to mute themselves. */
const openRoom = async (work: Work): Promise<string> => {
  const { store, clock } = opened(live);
  const at = clock.now();
  const hostId = newId();
  const room = openedRoom({
    type: 'opened',
    at,
    roomId: newId(),
    hostId,
    endsAt: at + limits.roomLifetimeMs,
    settings: {
      title: 'Benchmark',
      description: '',
      type: 'public',
      category: 'other',
      language: 'en',
      tags: [],
      maxParticipants: sizes.maxParticipants,
      maxSpeakers: sizes.maxSpeakers,
      audioQuality: 'medium',
      permissions: { anyoneCanSpeak: work === 'mute', allowRecording: false, allowHandRaise: true },
      privacy: { requireApproval: false, hideParticipants: false, allowInvites: true },
    },
  });
  const { roomId } = room.control;
  await store.create(room, deadlinesOf(room, limits));
  await new Client(opened(engine), { roomId, userId: hostId }).enter();
  return roomId;
};

const joining = (userId: string, sessionId: string): RoomCommand => ({
  type: 'join',
  person: { userId, displayName: 'Somebody', kind: 'member' },
  sessionId,
  node: nodeId,
  bannedByHost: false,
});

/** Somebody who gives one command after the other; the next one is right whatever became of the last. */
class Client {
  readonly #engine: RoomEngine;
  readonly #roomId: string;
  readonly #userId: string;
  readonly #sessionId = newId();
  #turn = false;

  constructor(engine: RoomEngine, { roomId, userId = newId() }: { roomId: string; userId?: string }) {
    this.#engine = engine;
    this.#roomId = roomId;
    this.#userId = userId;
  }

  async enter(): Promise<void> {
    const joined = await this.#engine.execute(this.#roomId, joining(this.#userId, this.#sessionId));
    if (!joined.ok) throw new Error(`somebody could not join: ${joined.refusal.code}`);
  }

  /** Gives one command; answers whether it was carried out. */
  async act(work: Work): Promise<boolean> {
    const result = await this.#engine.execute(this.#roomId, this.#command(work));
    if (result.ok) this.#turn = !this.#turn;
    return result.ok;
  }

  #command(work: Work): RoomCommand {
    const by = { userId: this.#userId, sessionId: this.#sessionId };
    if (work === 'mute') return { type: 'mute-self', by, muted: !this.#turn };
    return this.#turn ? joining(this.#userId, this.#sessionId) : { type: 'leave', by };
  }
}

const workFor = async (work: Work, seconds: number): Promise<WorkDone> => {
  const times: number[] = [];
  const conflictsBefore = conflicts;
  let refused = 0;
  const cpu = process.cpuUsage();
  const begun = performance.now();
  const end = begun + 1000 * seconds;
  // Looked at after every command: in memory nothing else gets a turn, no timer either.
  const busy = async (client: Client): Promise<void> => {
    for (let from = performance.now(); from < end; from = performance.now()) {
      if (await client.act(work)) times.push(performance.now() - from);
      else refused += 1;
    }
  };
  await Promise.all(clients.map(busy));
  const { user, system } = process.cpuUsage(cpu);
  return {
    commits: times.length,
    conflicts: conflicts - conflictsBefore,
    refused,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    seconds: (performance.now() - begun) / 1000,
    cpuMs: (user + system) / 1000,
  };
};

serveParent(
  {},
  {
    open: async ({ redis }: { redis?: { url: string; prefix: string } }) => {
      live = redis ? await inRedis(redis.url, redis.prefix) : await inMemory();
      engine = createRoomEngine({
        store: counted(live.store),
        queue: new KeyedQueue(limits.commandsWaitingPerRoom),
        clock: live.clock,
        limits,
        newId,
        follow: async () => undefined,
      });
    },
    rooms: async ({ count, work }: { count: number; work: Work }) => {
      const roomIds: string[] = [];
      for (let index = 0; index < count; index += 1) roomIds.push(await openRoom(work));
      return roomIds;
    },
    enter: async ({ roomIds }: { roomIds: readonly string[] }) => {
      clients = roomIds.map((roomId) => new Client(opened(engine), { roomId }));
      for (const client of clients) await client.enter();
    },
    work: ({ work, seconds }: { work: Work; seconds: number }) => workFor(work, seconds),
    remove: async ({ roomIds }: { roomIds: readonly string[] }) => {
      clients = [];
      for (const roomId of roomIds) await opened(live).store.remove(roomId);
    },
  },
  async () => live?.close(),
);
