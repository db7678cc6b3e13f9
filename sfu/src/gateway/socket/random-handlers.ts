import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import type { CallAftermath } from '../../calls/call-aftermath.ts';
import type { CallRelay } from '../../calls/call-relay.ts';
import type { Calls, SideCommand } from '../../calls/calls.ts';
import type { RandomCalls } from '../../calls/random-calls.ts';
import type { Searches } from '../../calls/searches.ts';
import type { Caller } from '../../rules/call/commands.ts';
import type { KeyedQueue } from '../../runtime/keyed-queue.ts';
import type { RateLimits } from '../rate-limits.ts';
import { channels, type Handlers, type RostrumSocket } from './types.ts';

export type RandomHandlerDependencies = {
  readonly calls: Calls;
  readonly randomCalls: RandomCalls;
  readonly searches: Searches;
  readonly relay: CallRelay;
  readonly aftermath: CallAftermath;
  readonly rateLimits: RateLimits;
  /**
   * One after the other for each person: what changes whether they are in a room or in the queue. Two devices that each find
   * the other place empty would be in both.
   */
  readonly whereabouts: KeyedQueue;
};

type RandomCommand = Extract<keyof Handlers, `random:${string}`>;

const callerOf = ({ data }: RostrumSocket): Caller => ({ userId: data.person.userId, sessionId: data.sessionId });

const nothing = (result: Result<unknown>): Result<Record<string, never>> => (result.ok ? done({}) : result);

/** What each command about random calls comes to. */
export const randomHandlers = (dependencies: RandomHandlerDependencies): Pick<Handlers, RandomCommand> => ({
  ...searchHandlers(dependencies),
  ...linkHandlers(dependencies),
  ...talkHandlers(dependencies),
});

type SearchCommand =
  | 'random:watch'
  | 'random:sync'
  | 'random:start_queue'
  | 'random:cancel_queue'
  | 'random:next_partner';

const searchHandlers = (dependencies: RandomHandlerDependencies): Pick<Handlers, SearchCommand> => {
  const { calls, randomCalls, searches, rateLimits, whereabouts } = dependencies;
  /** Searches are limited by themselves: a flood of skips would wear out those who are skipped (SE-2). */
  const search = <Value>(socket: RostrumSocket, begin: () => Promise<Result<Value>>): Promise<Result<Value>> =>
    whereabouts.run(socket.data.person.userId, async () => {
      const waitMs = await rateLimits.search(socket.data.person.userId);
      return waitMs === undefined ? begin() : refuse('rate_limited', { retryAfterMs: waitMs });
    });
  return {
    'random:watch': async ({ watching }, socket) => {
      if (watching) await socket.join(channels.randomWatchers);
      else await socket.leave(channels.randomWatchers);
      return done(await randomCalls.service(socket.data.person.userId));
    },
    'random:sync': async (_, socket) => done({ state: await calls.sync(callerOf(socket)) }),
    'random:start_queue': ({ leaveRoom, ...wanted }, socket) =>
      search(socket, async () => {
        const { person, plan } = socket.data;
        const { displayName, kind } = person;
        const started = await randomCalls.start({ ...callerOf(socket), displayName, kind, plan }, wanted, {
          leaveRoom,
        });
        return started.ok ? done({ state: started.value }) : started;
      }),
    // After a search that was asked for before it: or that would be there after its end.
    'random:cancel_queue': (_, socket) =>
      whereabouts.run(socket.data.person.userId, async () => {
        await searches.cancel(callerOf(socket), 'cancelled');
        return done({});
      }),
    'random:next_partner': ({ sessionId }, socket) =>
      search(socket, async () => {
        const next = await randomCalls.next(callerOf(socket), sessionId);
        return next.ok ? done({ state: next.value }) : next;
      }),
  };
};

type LinkCommand =
  | 'random:offer'
  | 'random:answer'
  | 'random:ice_candidate'
  | 'random:connected'
  | 'random:reconnecting'
  | 'random:use_sfu'
  | 'random:quality';

const linkHandlers = ({ calls, relay }: RandomHandlerDependencies): Pick<Handlers, LinkCommand> => {
  const ask = askOf(calls);
  return {
    'random:offer': async (payload, socket) => nothing(await relay(callerOf(socket), 'random:offer', payload)),
    'random:answer': async (payload, socket) => nothing(await relay(callerOf(socket), 'random:answer', payload)),
    'random:ice_candidate': async (payload, socket) =>
      nothing(await relay(callerOf(socket), 'random:ice_candidate', payload)),
    'random:connected': ({ sessionId, route }, socket) => ask(socket, sessionId, { type: 'connected', route }),
    'random:reconnecting': ({ sessionId }, socket) => ask(socket, sessionId, { type: 'lose-media' }),
    'random:use_sfu': ({ sessionId }, socket) => ask(socket, sessionId, { type: 'use-sfu' }),
    'random:quality': ({ sessionId, lossPercent, jitterMs, roundTripMs, spoke }, socket) =>
      ask(socket, sessionId, { type: 'report-quality', report: { lossPercent, jitterMs, roundTripMs, spoke } }),
  };
};

type TalkCommand =
  | 'random:chat'
  | 'random:still_here'
  | 'random:extend'
  | 'random:end_call'
  | 'random:report_user'
  | 'random:block_user';

const talkHandlers = ({ calls, aftermath, rateLimits }: RandomHandlerDependencies): Pick<Handlers, TalkCommand> => {
  const ask = askOf(calls);
  return {
    'random:chat': async ({ sessionId, text }, socket) => {
      const waitMs = await rateLimits.callMessage(socket.data.person.userId);
      if (waitMs !== undefined) return refuse('rate_limited', { retryAfterMs: waitMs });
      return calls.chat(callerOf(socket), sessionId, text);
    },
    'random:still_here': ({ sessionId }, socket) => ask(socket, sessionId, { type: 'still-here' }),
    'random:extend': ({ sessionId }, socket) => ask(socket, sessionId, { type: 'extend' }),
    'random:end_call': async ({ sessionId, rating, comment }, socket) =>
      nothing(await aftermath.end(callerOf(socket), sessionId, { rating, comment })),
    'random:report_user': async ({ sessionId, type, text }, socket) => {
      const waitMs = await rateLimits.report(socket.data.person.userId);
      if (waitMs !== undefined) return refuse('rate_limited', { retryAfterMs: waitMs });
      return nothing(await aftermath.report(callerOf(socket), sessionId, { type, text }));
    },
    'random:block_user': async ({ sessionId }, socket) => nothing(await aftermath.block(callerOf(socket), sessionId)),
  };
};

const askOf =
  (calls: Calls) =>
  async (socket: RostrumSocket, callId: string, command: SideCommand): Promise<Result<Record<string, never>>> =>
    nothing(await calls.execute(callId, { ...command, by: callerOf(socket) }));
