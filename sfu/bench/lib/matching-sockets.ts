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
import { freePort } from '../../test/support/free-port.ts';
import { arrivals, type Load, monotonicMs } from './arrivals.ts';
import { Child } from './child.ts';
import type { Usage } from './gauge.ts';
import type { Run } from './matching-run.ts';
import { PairTimes } from './pair-times.ts';

/** Longest that the server may take to answer, and that the last ones may take to be told, in milliseconds. */
const answerMs = 60_000;
const patienceMs = 1000;
/** People who get ready at a time. */
const atOnce = 20;

/** Everybody comes again and again, from one machine: nothing that limits one person or one address may limit the benchmark. */
const environment = {
  PORT: '0',
  HOST: '127.0.0.1',
  MEDIA_ADDRESS: '127.0.0.1',
  WORKERS: '1',
  LOG_LEVEL: 'warn',
  LIMIT_COMMANDS_PER_SECOND: '100000',
  LIMIT_COMMAND_BURST: '100000',
  LIMIT_ADDRESS_COMMANDS_PER_SECOND: '10000000',
  LIMIT_HTTP_REQUESTS_PER_MINUTE: '10000000',
  LIMIT_GUESTS_PER_ADDRESS_HOUR: '100000',
  LIMIT_SEARCHES_PER_MINUTE: '10000',
  LIMIT_REPEAT_PAIR_MS: '0',
} as const;

export type SocketMatching = {
  run(load: Load): Promise<Run>;
  close(): Promise<void>;
};

/** A whole server in a process of its own, and people who are connected to it over WebSockets and search when their turn comes. */
export const openSocketMatching = async (people: number): Promise<SocketMatching> => {
  const [child, { port }] = await Child.start<{ port: number }>(new URL('./rostrum-server.ts', import.meta.url), {
    ...environment,
    MEDIA_PORT: String(await freePort()),
  });
  const crowd = new Crowd(`http://127.0.0.1:${port}`);
  try {
    for (let ready = 0; ready < people; ready += atOnce)
      await Promise.all(Array.from({ length: Math.min(atOnce, people - ready) }, () => crowd.admit()));
  } catch (error) {
    await child.close();
    throw error;
  }
  return {
    run: async (load) => {
      const before = await child.call<Usage>('usage');
      const run = await crowd.run(load);
      const after = await child.call<Usage>('usage');
      return { ...run, cpuMs: after.nodeMs - before.nodeMs };
    },
    close: async () => {
      crowd.leave();
      await child.close();
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
  readonly #url: string;
  readonly #all: Caller[] = [];
  /** Who is in no call and does not search, the longest first. */
  readonly #idle = new Set<Caller>();
  #times = new PairTimes();

  constructor(url: string) {
    this.#url = url;
  }

  async admit(): Promise<void> {
    const signedIn = await this.#ask<SignedIn>('POST', '/api/auth/guest', { displayName: 'Somebody' });
    const { token } = signedIn;
    const { userId } = signedIn.user;
    await this.#ask('PUT', '/api/me/consents', { houseRules: true, minimumAge: 18 }, token);
    const socket: RostrumSocket = io(this.#url, {
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

  async run(load: Load): Promise<Omit<Run, 'cpuMs'>> {
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

  async #ask<Output>(method: 'POST' | 'PUT', path: string, body: object, token?: string): Promise<Output> {
    const response = await fetch(this.#url + path, {
      method,
      headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(answerMs),
    });
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    // What our own server answers with.
    return (await response.json()) as Output;
  }
}
