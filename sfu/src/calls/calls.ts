import { sizes } from '@rostrum/shared/limits.ts';
import type { CallChatMessage } from '@rostrum/shared/protocol/call.ts';
import type { RandomState } from '@rostrum/shared/protocol/random.ts';
import { done, type Result } from '@rostrum/shared/result.ts';
import type { Records } from '../records/records.ts';
import type { CallCommand, Caller } from '../rules/call/commands.ts';
import { callDeadlinesOf } from '../rules/call/deadlines.ts';
import { type CallState, partnerOf, sideOf } from '../rules/call/state.ts';
import { randomStateOf } from '../rules/call/view.ts';
import type { Logger } from '../runtime/logger.ts';
import type { CallStore, DueCallDeadline, Place } from '../state/call-store.ts';
import { StateUnavailable } from '../state/room-store.ts';
import type { CallEffects, RoutePolicy } from './call-effects.ts';
import type { CallCommitted, CallEngine } from './call-engine.ts';
import type { CallLedger } from './call-ledger.ts';
import type { Matchmaker } from './matchmaker.ts';
import type { CallPublisher } from './ports.ts';
import type { SearchDependencies, Searches } from './searches.ts';

/** A command by one of the two, without who they are. */
export type SideCommand =
  Extract<CallCommand, { by: Caller }> extends infer Command
    ? Command extends { by: Caller }
      ? Omit<Command, 'by'>
      : never
    : never;

export type CallDependencies = {
  readonly store: CallStore;
  readonly engine: CallEngine;
  readonly searches: Searches;
  readonly matchmaker: Pick<Matchmaker, 'freed'>;
  readonly effects: CallEffects;
  readonly ledger: CallLedger;
  readonly publisher: CallPublisher;
  readonly records: Pick<Records, 'callMessages'>;
  readonly routes: RoutePolicy;
  readonly newId: () => string;
  /** This node: whoever comes back here is connected to it. */
  readonly nodeId: string;
  readonly logger: Logger;
} & Pick<SearchDependencies, 'clock' | 'limits' | 'isConnected'>;

export type Calls = {
  /** Carries a command out; whoever waits again after it is looked for before this resolves. */
  execute(callId: string, command: CallCommand): Promise<Result<CallCommitted>>;
  /** Where this session stands: it takes up its place in the queue or its side of the call again. */
  sync(caller: Caller): Promise<RandomState>;
  /**
   * This session takes its side of the call up again, or over from another device (ID-5), which may ask to hide its address.
   * Answers with what it sees of it.
   */
  resume(callId: string, caller: Caller, options?: { hideAddress: boolean }): Promise<Result<RandomState>>;
  chat(caller: Caller, callId: string, text: string): Promise<Result<{ message: CallChatMessage }>>;
  /**
   * The connection of this session to this node is lost: in the queue (RQ-5) or in a call (RD-5). Nothing changes where it has gone
   * to another node. @throws StateUnavailable where it could not be noted
   */
  lose(caller: Caller, node: string): Promise<void>;
  /** A node is gone, and what the SFU carried of this call there (RE-3). Refuses with `unavailable` alone. */
  loseNode(callId: string, node: string): Promise<Result<unknown>>;
  elapse(due: DueCallDeadline): Promise<void>;
  /** Ends every call, and tells those who wait; for a server that stops. */
  stopAll(): Promise<void>;
};

/** 1:1 calls once they have begun, however that was. */
export const createCalls = (dependencies: CallDependencies): Calls => {
  const { store, searches, limits } = dependencies;
  const execute = (callId: string, command: CallCommand) => carryOut(dependencies, callId, command);

  return {
    execute,
    resume: (callId, caller, options) => resume(dependencies, execute, { callId, caller, ...options }),
    sync: async (caller) => {
      const ticket = await searches.resume(caller);
      const queued = ticket && (await searches.viewOf(ticket));
      if (queued) return { state: 'queued', queued };
      const place = await store.placeOf(caller.userId);
      const loaded = place.at === 'call' ? await store.load(place.callId) : undefined;
      const side = loaded && sideOf(loaded.call, caller.userId);
      if (!loaded || side?.sessionId !== caller.sessionId) return { state: 'idle' };
      const resumed = await resume(dependencies, execute, { callId: loaded.call.callId, caller });
      return resumed.ok ? resumed.value : { state: 'idle' };
    },
    chat: (caller, callId, text) => chat(dependencies, execute, { caller, callId, text }),
    lose: (caller, node) => lose(dependencies, execute, { caller, node }),
    loseNode: async (callId, node) => {
      const noted = await execute(callId, { type: 'lose-sfu-media', node });
      // A call that is over has nothing to lose.
      return noted.ok || noted.refusal.code === 'unavailable' ? noted : done({});
    },
    elapse: async (due) => {
      if (due.of === 'ticket') return searches.elapse(due);
      const result = await execute(due.callId, { type: 'elapse', deadline: due.key });
      // A clock that was set back finds it not due yet. Its cause stands, so it must stay.
      const causeless = result.ok
        ? callDeadlinesOf(result.value.after, limits).get(due.key) !== due.at
        : result.refusal.code !== 'unavailable';
      if (causeless) await store.clearDeadline(due);
    },
    stopAll: async () => {
      for await (const { seeker } of searches.all()) await searches.cancel(seeker, 'server-stopped');
      for (const callId of await store.callIds()) await execute(callId, { type: 'stop', reason: 'server-stopped' });
    },
  };
};

const carryOut = async (
  { engine, searches, matchmaker }: CallDependencies,
  callId: string,
  command: CallCommand,
): Promise<Result<CallCommitted>> => {
  const result = await engine.execute(callId, command);
  if (!result.ok || result.value.after.phase !== 'ended') return result;
  await searches.again(result.value.requeued);
  await matchmaker.freed();
  return result;
};

const resume = async (
  dependencies: CallDependencies,
  execute: Calls['execute'],
  { callId, caller, hideAddress = false }: { callId: string; caller: Caller; hideAddress?: boolean },
): Promise<Result<RandomState>> => {
  const node = dependencies.nodeId;
  const returned = await execute(callId, { type: 'return', by: caller, node, hideAddress });
  if (!returned.ok) return returned;
  // A connection that broke while its session came back was noted before that, and nobody else would note it again.
  if (!dependencies.isConnected(caller)) await lose(dependencies, execute, { caller, node });
  return done(await stateIn(dependencies, returned.value.after, caller));
};

const stateIn = async (
  { routes, limits, ledger, records, logger }: CallDependencies,
  call: CallState,
  { userId }: Caller,
): Promise<RandomState> => {
  await ledger.settled(call.callId);
  const chat = await records.callMessages.of(call.callId, sizes.chatReplayed).catch((error: unknown) => {
    logger.warn({ err: error }, 'the chat of a call could not be read');
    return [];
  });
  return randomStateOf(call, userId, { ...routes, iceServers: routes.iceServersFor(userId), limits, chat });
};

const chat = async (
  { publisher, ledger, clock, newId }: CallDependencies,
  execute: Calls['execute'],
  { caller, callId, text }: { caller: Caller; callId: string; text: string },
): Promise<Result<{ message: CallChatMessage }>> => {
  const result = await execute(callId, { type: 'chat', by: caller });
  if (!result.ok) return result;
  const message = { messageId: newId(), byId: caller.userId, text, at: clock.now() };
  const partner = partnerOf(result.value.after, caller.userId);
  if (partner) publisher.toSession(partner, 'random:chat', { sessionId: callId, message });
  ledger.wrote(callId, message);
  return done({ message });
};

/** A connection of this session to this node. */
type Connection = { readonly caller: Caller; readonly node: string };

const lose = async (
  { store, searches, limits }: CallDependencies,
  execute: Calls['execute'],
  { caller, node }: Connection,
): Promise<void> => {
  // A match, or the end of a call, may move them while this looks.
  for (let tries = 0; tries < limits.commitAttempts; tries += 1) {
    const place = await store.placeOf(caller.userId);
    if (place.at === 'nowhere') return;
    const noted =
      place.at === 'queue'
        ? await searches.lose(caller, node)
        : await loseCall(execute, place.callId, { caller, node });
    // Where they are still, there is nothing to note: they are away already, another device holds it, or they are at another node.
    if (noted || isSamePlace(place, await store.placeOf(caller.userId))) return;
  }
};

/** Answers whether it was noted. @throws StateUnavailable where it could not be, so that it is tried again */
const loseCall = async (execute: Calls['execute'], callId: string, { caller, node }: Connection): Promise<boolean> => {
  const lost = await execute(callId, { type: 'lose-connection', by: caller, node });
  if (!lost.ok && lost.refusal.code === 'unavailable') throw new StateUnavailable('a lost connection was not noted');
  return lost.ok;
};

const isSamePlace = (one: Place, other: Place): boolean => JSON.stringify(one) === JSON.stringify(other);
