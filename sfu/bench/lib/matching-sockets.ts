import { setTimeout } from 'node:timers/promises';
import {
  type ClientToServerEvents,
  type CommandInput,
  protocolVersion,
  type ServerToClientEvents,
} from '@rostrum/shared/protocol/index.ts';
import { searchSchema } from '@rostrum/shared/protocol/random.ts';
import type { SignedIn } from '@rostrum/shared/protocol/rest.ts';
import { io, type Socket } from 'socket.io-client';
import { arrivals, type Load, monotonicMs } from './arrivals.ts';
import type { Run } from './matching-run.ts';
import { PairTimes } from './pair-times.ts';
import type { BenchRedis } from './redis.ts';
import { type Cluster, startCluster, startRostrumProcess } from './rostrum-process.ts';
import { sum } from './statistics.ts';

/** Longest that the server may take to answer, and that the last ones may take to be told, in milliseconds. */
const answerMs = 60_000;
const patienceMs = 1000;
/** People who get ready at a time. */
const atOnce = 20;

/** Everybody comes again and again, and is as new each time. */
const environment = { LIMIT_SEARCHES_PER_MINUTE: '10000', LIMIT_REPEAT_PAIR_MS: '0' } as const;

export type SocketMatching = {
  run(load: Load): Promise<Run>;
  close(): Promise<void>;
};

/** A whole server in a process of its own, and people who are connected to it over WebSockets and search when their turn comes. */
export const openSocketMatching = async (people: number): Promise<SocketMatching> => {
  const server = await startRostrumProcess(environment);
  return fill({ nodes: [server], close: () => server.close() }, people);
};

/** The same on two nodes that share a Redis: half of the people are connected to each. */
export const openClusterMatching = async (people: number, redis: BenchRedis): Promise<SocketMatching> =>
  fill(await startCluster(redis, { name: 'matching-sockets', count: 2, more: environment }), people);

const fill = async (cluster: Cluster, people: number): Promise<SocketMatching> => {
  const { nodes } = cluster;
  const crowd = new Crowd(nodes.map(({ url }) => url));
  try {
    for (let ready = 0; ready < people; ready += atOnce)
      await Promise.all(Array.from({ length: Math.min(atOnce, people - ready) }, () => crowd.admit()));
  } catch (error) {
    await cluster.close();
    throw error;
  }
  const nodeMs = async (): Promise<number> =>
    sum((await Promise.all(nodes.map((node) => node.usage()))).map((usage) => usage.nodeMs));
  return {
    run: async (load) => {
      const before = await nodeMs();
      const run = await crowd.run(load);
      const cpuMs = (await nodeMs()) - before;
      return { ...run, cpuMs, recorded: run.pairMs.length };
    },
    close: async () => {
      crowd.leave();
      await cluster.close();
    },
  };
};

type RostrumSocket = Socket<ServerToClientEvents, ClientToServerEvents>;
type Caller = { readonly userId: string; readonly socket: RostrumSocket };

/** In a text call nothing has to be connected first, so both are done with each other when one of them ends it. */
const search: CommandInput<'random:start_queue'> = {
  ...searchSchema.parse({ mode: 'text', languages: ['en', 'de'], interests: ['chess'] }),
  leaveRoom: false,
};

class Crowd {
  readonly #urls: readonly string[];
  readonly #all: Caller[] = [];
  /** Who is in no call and does not search, the longest first. */
  readonly #idle = new Set<Caller>();
  #times = new PairTimes();

  #admitted = 0;

  constructor(urls: readonly string[]) {
    this.#urls = urls;
  }

  /** Lets somebody in, at each of the nodes in turn. */
  async admit(): Promise<void> {
    const url = this.#urls[this.#admitted % this.#urls.length] ?? '';
    this.#admitted += 1;
    const signedIn = await ask<SignedIn>(url, { method: 'POST', path: '/api/auth/guest', body: somebody });
    const { token } = signedIn;
    const { userId } = signedIn.user;
    await ask(url, { method: 'PUT', path: '/api/me/consents', body: consents, token });
    const socket: RostrumSocket = io(url, {
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      auth: { token, protocol: protocolVersion },
    });
    const caller = { userId, socket };
    await new Promise<void>((resolve, reject) => {
      socket.once('session:ready', () => resolve());
      socket.once('connect_error', reject);
    });
    socket.on('random:match_instant', ({ sessionId, partner, initiateConnection }) => {
      this.#times.told(userId, partner.id);
      // One of both is content with having been told.
      if (initiateConnection) socket.emit('random:end_call', { sessionId }, () => undefined);
    });
    socket.on('random:call_ended', () => {
      this.#idle.add(caller);
    });
    this.#all.push(caller);
    this.#idle.add(caller);
  }

  async run(load: Load): Promise<Omit<Run, 'cpuMs' | 'recorded'>> {
    const times = new PairTimes();
    this.#times = times;
    await arrivals(load, (at) => {
      const caller = this.#idle.values().next().value;
      if (!caller) throw new Error('more people search than there are: take more of them, or a lower rate');
      this.#idle.delete(caller);
      times.came(caller.userId, at);
      caller.socket.emit('random:start_queue', search, (answer) => {
        if (!answer.ok) throw new Error(`random:start_queue was refused: ${answer.error.code}`);
      });
    });
    const pairsPerSecond = times.pairMs.length / load.seconds;
    const end = monotonicMs() + patienceMs;
    while (times.waiting > 1 && monotonicMs() < end) await setTimeout(10);
    await this.#allIdle();
    return { arrived: times.arrived, pairMs: times.pairMs, pairsPerSecond };
  }

  leave(): void {
    for (const { socket } of this.#all) socket.disconnect();
  }

  /** Whoever waits alone stops, and calls that were just told end. */
  async #allIdle(): Promise<void> {
    const busy = this.#all.filter((caller) => !this.#idle.has(caller));
    for (const caller of busy) {
      const answer = await caller.socket.timeout(answerMs).emitWithAck('random:cancel_queue', {});
      if (!answer.ok) throw new Error(`random:cancel_queue was refused: ${answer.error.code}`);
      this.#idle.add(caller);
    }
  }
}

const somebody = { displayName: 'Somebody' };
const consents = { houseRules: true, minimumAge: 18 };

type Asked = {
  readonly method: 'POST' | 'PUT';
  readonly path: string;
  readonly body: object;
  readonly token?: string;
};

const ask = async <Output>(url: string, { method, path, body, token }: Asked): Promise<Output> => {
  const response = await fetch(url + path, {
    method,
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(answerMs),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  // What our own server answers with.
  return (await response.json()) as Output;
};
