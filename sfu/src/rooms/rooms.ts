import { type Limits, sizes } from '@rostrum/shared/limits.ts';
import type { createRoomSchema, RoomInfo, RoomView } from '@rostrum/shared/protocol/room.ts';
import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import type { output } from 'zod/mini';
import type { Actor, RoomCommand } from '../rules/room/commands.ts';
import { deadlinesOf } from '../rules/room/deadlines.ts';
import { mayKnow } from '../rules/room/decide/membership.ts';
import { openedRoom } from '../rules/room/evolve.ts';
import { infoOf, viewOf } from '../rules/room/project.ts';
import { ownerOf, type Person, seatOf } from '../rules/room/state.ts';
import { type JoinDependencies, type Joined, joinRoom, type Listens } from './join-room.ts';
import type { Directory } from './ports.ts';
import type { Committed } from './room-engine.ts';

export type NewRoom = output<typeof createRoomSchema>;

/** Commands that need nothing but what they carry. The others have a method of their own. */
export type PlainCommand = Exclude<
  RoomCommand,
  {
    type:
      | 'join'
      | 'exclude'
      | 'follow-ban'
      | 'unban'
      | 'allow-hand'
      | 'lose-connection'
      | 'elapse'
      | 'open-microphone'
      | 'close-microphone'
      | 'lose-media'
      | 'stop';
  }
>;

/** What is asked about somebody who may have left: who they are is looked up. */
export type AboutPerson = { readonly by: Actor; readonly userId: string } & (
  | { readonly type: 'kick' | 'ban'; readonly reason: string | null }
  | { readonly type: 'unban' }
  | { readonly type: 'allow-hand'; readonly allowed: boolean }
);

export type Rooms = {
  /** Creates a room and opens it (RM-1, RM-2). Refuses with `rate_limited`, `node_full`, `invalid`, `unavailable`. */
  create(creator: Person, input: NewRoom): Promise<Result<RoomInfo>>;
  /**
   * Takes a seat for this session, or comes back to it; answers with what the person sees, but for a long list of the audience
   * where they listen at once: that is to follow.
   */
  join(person: Person, roomId: string, sessionId: string, listens?: Listens): Promise<Result<Joined>>;
  /** What the person sees now; `not_in_room` without a seat of this session. */
  sync(roomId: string, by: Actor): Promise<Result<{ state: RoomView }>>;
  /** Carries a command out. Somebody who may not know of the room gets `not_found` (SE-8). */
  command(roomId: string, command: PlainCommand): Promise<Result<Committed>>;
  /** Kick, ban, unban, and the right to raise a hand: of people who are here or have left (MO-5). */
  moderate(roomId: string, command: AboutPerson): Promise<Result<Committed>>;
  /**
   * The connection of this session to this node broke: its seat is kept for a while (RE-2). Nothing changes where the session has
   * gone to another node. Refuses with `unavailable` alone.
   */
  loseConnection(roomId: string, userId: string, sessionId: string, node: string): Promise<Result<unknown>>;
  /** A node is gone, and every microphone of the room that ended there with it (RE-3). Refuses with `unavailable` alone. */
  loseNode(roomId: string, node: string): Promise<Result<unknown>>;
  /** Ends every room, for a server that stops. */
  stopAll(): Promise<void>;
};

export type RoomsDependencies = JoinDependencies & {
  readonly directory: Directory;
  readonly newId: () => string;
  /** How many nodes serve together; one where left out. */
  readonly nodes?: () => number;
};

/** The use cases of a room. */
export const createRooms = (dependencies: RoomsDependencies): Rooms => {
  const { engine, directory } = dependencies;
  /** Notes a loss. A room that is over has nothing to lose. */
  const lose = async (roomId: string, command: RoomCommand): Promise<Result<unknown>> => {
    const noted = await engine.execute(roomId, command);
    return noted.ok || noted.refusal.code === 'unavailable' ? noted : done({});
  };
  return {
    create: (creator, input) => create(dependencies, creator, input),
    join: (person, roomId, sessionId, listens) => joinRoom(dependencies, person, { roomId, sessionId, listens }),
    sync: (roomId, by) => sync(dependencies, roomId, by),

    command: async (roomId, command) => hidden(dependencies, roomId, command.by, await engine.execute(roomId, command)),

    moderate: async (roomId, { by, ...about }) => {
      const subject = await directory.person(about.userId);
      if (!subject) return hidden(dependencies, roomId, by, refuse('not_found', { path: 'userId' }));
      const result = await engine.execute(roomId, moderation(by, subject, about));
      if (result.ok && (about.type === 'ban' || about.type === 'unban'))
        await followBan(dependencies, by, result.value);
      return hidden(dependencies, roomId, by, result);
    },

    loseConnection: (roomId, userId, sessionId, node) =>
      lose(roomId, { type: 'lose-connection', userId, sessionId, node }),
    loseNode: (roomId, node) => lose(roomId, { type: 'lose-media', node }),

    stopAll: async () => {
      const listed = await dependencies.store.list({ limit: dependencies.limits.roomsPerNode, only: () => true });
      await Promise.all(listed.map(({ control }) => engine.execute(control.roomId, { type: 'stop' })));
    },
  };
};

/** A ban holds in every room of the host (MO-2): whoever sits in another one is taken out of it; lifted, they may return. */
const followBan = async (
  dependencies: RoomsDependencies,
  actor: Actor,
  { roomId, before, events }: Committed,
): Promise<void> => {
  const { engine, store, clock, limits } = dependencies;
  const event = events.find((other) => other.type === 'excluded' || other.type === 'readmitted');
  if (!event) return;
  const now = clock.now();
  const owner = ownerOf(before.control, now);
  const others = await store.list({
    limit: limits.roomsPerNode,
    only: (control) => control.roomId !== roomId && ownerOf(control, now) === owner,
  });
  const by = { userId: actor.userId, displayName: seatOf(before, actor.userId)?.displayName ?? '' };
  const reason = event.type === 'excluded' ? event.reason : null;
  const lifted = event.type === 'readmitted';
  for (const { control } of others) {
    await engine.execute(control.roomId, { type: 'follow-ban', subject: event.subject, by, reason, lifted });
  }
};

type Unbound<About> = About extends unknown ? Omit<About, 'by'> : never;

const moderation = (by: Actor, subject: Person, about: Unbound<AboutPerson>): RoomCommand => {
  if (about.type === 'unban') return { type: 'unban', by, subject };
  if (about.type === 'allow-hand') return { type: 'allow-hand', by, subject, allowed: about.allowed };
  return { type: 'exclude', by, subject, ban: about.type === 'ban', reason: about.reason };
};

/** SE-8: to somebody who may not know of the room, every refusal looks as if it did not exist. */
const hidden = async <Value>(
  { store }: RoomsDependencies,
  roomId: string,
  by: Actor,
  result: Result<Value>,
): Promise<Result<Value>> => {
  if (result.ok || result.refusal.code === 'not_found' || result.refusal.code === 'unavailable') return result;
  const loaded = await store.load(roomId, () => ({ users: [by.userId], standings: [] }));
  const known = loaded && (by.operator || mayKnow(loaded.state, { userId: by.userId, kind: 'guest' }));
  return known ? result : refuse('not_found');
};

const create = async (dependencies: RoomsDependencies, creator: Person, input: NewRoom): Promise<Result<RoomInfo>> => {
  const { engine, store, records, clock, limits, newId } = dependencies;
  const wanted = withinLimits(input, limits);
  if (!wanted.ok) return wanted;
  const settings = wanted.value;
  // One after the other, so that two requests at once do not both find the last place of the day or of the node.
  return engine.between('new rooms', async () => {
    const now = clock.now();
    const day = 24 * 60 * 60 * 1000;
    const created = await records.rooms.createdBySince(creator.userId, now - day, limits.roomsPerDay);
    if (created.length >= limits.roomsPerDay)
      return refuse('rate_limited', { retryAfterMs: (created[0] ?? now) + day - now });
    if ((await store.count()) >= limits.roomsPerNode * (dependencies.nodes?.() ?? 1)) return refuse('node_full');
    const roomId = newId();
    const room = openedRoom({
      type: 'opened',
      at: now,
      roomId,
      hostId: creator.userId,
      settings,
      endsAt: now + limits.roomLifetimeMs,
    });
    await records.rooms.insert({
      roomId,
      creatorId: creator.userId,
      hostId: creator.userId,
      settings,
      createdAt: now,
      startedAt: now,
      endedAt: null,
      endReason: null,
    });
    await store.create(room, deadlinesOf(room, limits));
    return done(infoOf(room.control));
  });
};

/** A default that is more than this operator allows is cut down to it; what somebody asked for is refused. */
const withinLimits = (input: NewRoom, limits: Limits): Result<NewRoom> => {
  const maxParticipants =
    input.maxParticipants === sizes.defaultMaxParticipants
      ? Math.min(input.maxParticipants, limits.roomMaxParticipants)
      : input.maxParticipants;
  const maxSpeakers =
    input.maxSpeakers === sizes.defaultMaxSpeakers
      ? Math.min(input.maxSpeakers, limits.roomMaxSpeakers)
      : input.maxSpeakers;
  if (maxParticipants > limits.roomMaxParticipants) return refuse('invalid', { path: 'maxParticipants' });
  if (maxSpeakers > limits.roomMaxSpeakers) return refuse('invalid', { path: 'maxSpeakers' });
  return done({ ...input, maxParticipants, maxSpeakers });
};

const sync = (dependencies: RoomsDependencies, roomId: string, by: Actor): Promise<Result<{ state: RoomView }>> =>
  dependencies.engine.between(roomId, async () => {
    const { store, limits } = dependencies;
    const snapshot = await store.snapshot(roomId, { most: limits.audienceListedMax + 1, userIds: [by.userId] });
    if (!snapshot) return refuse('not_found');
    const seat = seatOf(snapshot.state, by.userId);
    if (!seat || (by.sessionId !== undefined && seat.sessionId !== by.sessionId)) {
      return refuse(mayKnow(snapshot.state, { userId: by.userId, kind: 'guest' }) ? 'not_in_room' : 'not_found');
    }
    return done({ state: viewOf(snapshot.state, seat, snapshot.listed, snapshot.sequences) });
  });
