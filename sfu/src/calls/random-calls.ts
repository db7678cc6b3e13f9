import type { Limits } from '@rostrum/shared/limits.ts';
import type { MatchFilter, RandomService, RandomState, Search } from '@rostrum/shared/protocol/random.ts';
import type { RandomSwitch } from '@rostrum/shared/protocol/rest.ts';
import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import { onStage } from '@rostrum/shared/room/permissions.ts';
import type { CallRecord } from '../records/call-records.ts';
import type { Records } from '../records/records.ts';
import type { Caller } from '../rules/call/commands.ts';
import { historyFrom } from '../rules/matching/history.ts';
import type { Seeker } from '../rules/matching/ticket.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { CallStore } from '../state/call-store.ts';
import type { RoutePolicy } from './call-effects.ts';
import type { Calls } from './calls.ts';
import type { Presence } from './ports.ts';
import type { RandomSwitchboard } from './random-switch.ts';
import type { Background, Searches } from './searches.ts';

/** What everybody starts with (SF-3). */
const startReputation = 50;

/** They are connected to this node. */
export type SearchingPerson = Omit<Seeker, 'reputation' | 'node'>;

export type RandomCallDependencies = {
  readonly store: CallStore;
  readonly searches: Searches;
  readonly calls: Calls;
  readonly presence: Presence;
  readonly switchboard: RandomSwitchboard;
  readonly records: Pick<Records, 'calls'>;
  readonly routes: RoutePolicy;
  /** RQ-3: filters that the operator has enabled. */
  readonly filters: readonly MatchFilter[];
  /** ID-8 */
  readonly mayCall: (userId: string) => Promise<Result<void>>;
  /** Whom this person has blocked. */
  readonly blockedBy: (userId: string) => Promise<readonly string[]>;
  /** False while the server stops: nobody new is taken. */
  readonly accepting: () => boolean;
  /** PL-1: without plans everybody is alike. */
  readonly plans: boolean;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly nodeId: string;
  readonly logger: Logger;
};

export type RandomCalls = {
  service(userId: string | undefined): Promise<RandomService>;
  /**
   * Searches for this session. Refuses with `feature_unavailable`, `rules_not_accepted`, `age_not_confirmed`, `forbidden` (a
   * filter that is not enabled), `no_relay`, `on_stage`, `in_room` (unless told to leave it), `node_full`.
   */
  start(person: SearchingPerson, search: Search, options: { leaveRoom: boolean }): Promise<Result<RandomState>>;
  /** RD-6 */
  next(caller: Caller, callId: string): Promise<Result<RandomState>>;
  /** Somebody is about to sit down in a room: their search ends. Refuses with `in_call`. */
  beforeRoom(userId: string): Promise<Result<void>>;
  /**
   * Somebody sat down in a room. A search that another device began at another node in the same moment ends; where it found somebody
   * before this, the seat is given up instead, and its device told. Each side looks at the other once it is in, so that at least one
   * of both notices. Never rejects.
   */
  inRoom(seat: { readonly roomId: string } & Caller): Promise<void>;
  /** RQ-8: for everybody at once; those who wait are told, calls go on. */
  setSwitch(value: RandomSwitch): Promise<void>;
};

/** Random calls: who may search, with what, and what the operator says. */
export const createRandomCalls = (dependencies: RandomCallDependencies): RandomCalls => {
  const { searches, calls, switchboard } = dependencies;
  return {
    service: (userId) => serviceFor(dependencies, userId),
    start: (person, search, options) => start(dependencies, { person, search, ...options }),
    next: async (caller, callId) => {
      if (!dependencies.accepting()) return refuse('unavailable');
      const ended = await calls.execute(callId, { type: 'next', by: caller });
      if (!ended.ok) return ended;
      return done(await calls.sync(caller));
    },
    beforeRoom: (userId) => endSearch(dependencies, userId),
    inRoom: async (seat) => {
      try {
        const ended = await endSearch(dependencies, seat.userId);
        if (!ended.ok && ended.refusal.code === 'in_call') await dependencies.presence.leaveRoom(seat, true);
      } catch (error) {
        dependencies.logger.warn({ err: error }, 'whether somebody in a room searches as well could not be read');
      }
    },
    setSwitch: async (value) => {
      await switchboard.set(value);
      const waiting: string[] = [];
      for await (const ticket of searches.all()) waiting.push(ticket.seeker.userId);
      for (const userId of waiting) await searches.putOutIfOff(userId);
    },
  };
};

const endSearch = async (
  { store, searches, limits }: RandomCallDependencies,
  userId: string,
): Promise<Result<void>> => {
  // A match, or the end of a call, may move them while this looks.
  for (let tries = 0; tries < limits.commitAttempts; tries += 1) {
    const place = await store.placeOf(userId);
    if (place.at === 'nowhere') return done(undefined);
    if (place.at === 'call') return refuse('in_call');
    const stored = await store.ticketOf(userId);
    if (stored) await searches.cancel(stored.ticket.seeker, 'room');
  }
  return refuse('unavailable');
};

const serviceFor = async (
  { store, switchboard, routes, filters, limits }: RandomCallDependencies,
  userId: string | undefined,
): Promise<RandomService> => {
  const { waiting, calls } = await store.counts();
  const { enabled, reason, until } = switchboard.now;
  const relay = routes.relayAlways ? 'always' : 'optional';
  return {
    available: userId === undefined ? enabled : switchboard.isOnFor(userId),
    reason,
    until,
    minimumAge: limits.minimumAge,
    filters: [...filters],
    relay: routes.relayAvailable ? relay : 'none',
    stats: statsOf({ waiting, calls }),
  };
};

/** RQ-7: people in calls and waiting, and calls now. */
export const statsOf = ({ waiting, calls }: { waiting: number; calls: number }): RandomService['stats'] => ({
  totalActive: waiting + 2 * calls,
  inQueue: waiting,
  activeCalls: calls,
});

type Start = { readonly person: SearchingPerson; readonly search: Search; readonly leaveRoom: boolean };

const start = async (dependencies: RandomCallDependencies, wanted: Start): Promise<Result<RandomState>> => {
  const { store, searches, switchboard, plans, limits, accepting, mayCall, nodeId } = dependencies;
  const { person, search } = wanted;
  if (!accepting()) return refuse('unavailable');
  if (!switchboard.isOnFor(person.userId)) return refuse('feature_unavailable');
  for (const allowed of [searchAllowed(dependencies, search), await mayCall(person.userId)])
    if (!allowed.ok) return allowed;
  const taken = await takeOver(dependencies, wanted);
  if (taken) return taken;
  // Nobody leaves a room for a search that cannot begin.
  const background = await backgroundOf(dependencies, person.userId);
  if ((await store.counts()).waiting >= limits.ticketsWaiting) return refuse('node_full');
  const free = await outOfRooms(dependencies, wanted);
  if (!free.ok) return free;
  const plan = plans ? person.plan : 'free';
  const seeker: Seeker = { ...person, node: nodeId, plan, reputation: startReputation };
  const begun = await searches.begin(seeker, search, background);
  // A match that came in between, of an earlier search on another device.
  if (!begun.ok && begun.refusal.code === 'conflict') return (await takeOver(dependencies, wanted)) ?? begun;
  if (!begun.ok) return begun;
  const alone = await notInRoom(dependencies, person);
  return alone.ok ? whereNow(dependencies, person) : alone;
};

/** Where somebody is who got into the queue just now. */
const whereNow = async (
  { store, searches, calls, switchboard }: RandomCallDependencies,
  person: SearchingPerson,
): Promise<Result<RandomState>> => {
  // Switched off while they got in.
  await searches.putOutIfOff(person.userId);
  const place = await store.placeOf(person.userId);
  if (place.at === 'nowhere' && !switchboard.isOnFor(person.userId)) return refuse('feature_unavailable');
  // Who is nowhere found somebody, and lost them again, before this looked: they heard of both.
  return done(await calls.sync(person));
};

const searchAllowed = ({ filters, routes }: RandomCallDependencies, search: Search): Result<void> => {
  const set: [MatchFilter, unknown][] = [
    ['reputation', search.filters.minReputation],
    ['gender', search.filters.genders],
    ['age', search.filters.ageRanges],
  ];
  const refused = set.find(([name, value]) => value !== null && !filters.includes(name));
  if (refused) return refuse('forbidden', { path: 'filters' });
  if (search.hideAddress && !routes.relayAvailable) return refuse('no_relay');
  return done(undefined);
};

/** Who is in a call holds it, from now on with this device (ID-5). Undefined for somebody who is in none. */
const takeOver = async (
  { store, calls }: RandomCallDependencies,
  { person: { userId, sessionId }, search: { hideAddress } }: Start,
): Promise<Result<RandomState> | undefined> => {
  const place = await store.placeOf(userId);
  if (place.at !== 'call') return undefined;
  const resumed = await calls.resume(place.callId, { userId, sessionId }, { hideAddress });
  // Undefined, too, where it ended in between.
  return !resumed.ok && resumed.refusal.code === 'stale' ? undefined : resumed;
};

/** Nobody is on a stage and in a call; who listens to a room leaves it first, where they said so. */
const outOfRooms = async (
  { presence }: RandomCallDependencies,
  { person, leaveRoom }: Start,
): Promise<Result<void>> => {
  const rooms = await presence.roomsOf(person.userId);
  if (rooms.some(({ role }) => onStage(role))) return refuse('on_stage');
  if (rooms.length > 0 && !leaveRoom) return refuse('in_room');
  for (const { roomId, sessionId } of rooms) {
    const seat = { roomId, sessionId, userId: person.userId };
    const left = await presence.leaveRoom(seat, sessionId !== person.sessionId);
    if (!left.ok && left.refusal.code === 'unavailable') return left;
  }
  return done(undefined);
};

/** Somebody is in the queue. Where another device sat down in a room at another node in the same moment, the search ends (`inRoom`). */
const notInRoom = async (
  { store, searches, calls, presence }: RandomCallDependencies,
  { userId, sessionId }: SearchingPerson,
): Promise<Result<void>> => {
  const [room] = await presence.roomsOf(userId);
  if (!room) return done(undefined);
  const caller = { userId, sessionId };
  if (!(await searches.cancel(caller, 'room'))) {
    const place = await store.placeOf(userId);
    if (place.at === 'call') await calls.execute(place.callId, { type: 'end', by: caller, reason: 'left-for-room' });
  }
  return refuse(onStage(room.role) ? 'on_stage' : 'in_room');
};

/** What is remembered of their calls: by the live state, or after a restart by the records (RQ-4, RD-3). */
const backgroundOf = async (
  { store, records, blockedBy, clock, limits }: RandomCallDependencies,
  userId: string,
): Promise<Background> => {
  const blocked = await blockedBy(userId);
  const remembered = await store.historyOf(userId);
  if (remembered) return { history: remembered, blocked };
  // By their begin: one that ended just now may have gone on for as long as a call may.
  const since = clock.now() - Math.max(limits.repeatPairMs, limits.failedPairMs) - limits.callMaxMs;
  const calls = await records.calls.of(userId, { since, most: limits.rememberedPartners });
  const past = calls.map((call) => pastCall(call, userId));
  return { history: historyFrom(past, { now: clock.now(), limits }), blocked };
};

const pastCall = ({ people: [one, other], mode, startedAt, outcome }: CallRecord, userId: string) => ({
  partnerId: one.userId === userId ? other.userId : one.userId,
  endedAt: outcome?.endedAt ?? startedAt,
  // A text call says nothing about a network.
  connected: mode !== 'text' && outcome !== null && outcome.connectedAt !== null,
  failed: outcome?.reason === 'connect-timeout',
});
