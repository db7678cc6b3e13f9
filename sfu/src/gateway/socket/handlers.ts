import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import { lacksAudience } from '@rostrum/shared/room/view.ts';
import type { CallMedia } from '../../calls/call-media.ts';
import type { SeatRef } from '../../media/media-plane.ts';
import type { Tokens } from '../../people/tokens.ts';
import type { LateViews } from '../../rooms/late-views.ts';
import type { MediaBridge } from '../../rooms/media-bridge.ts';
import type { Committed } from '../../rooms/room-engine.ts';
import { enter, enterListening } from '../../rooms/room-entry.ts';
import type { RoomMedia, RoomMediaUseCases } from '../../rooms/room-media.ts';
import type { RoomQueries } from '../../rooms/room-queries.ts';
import type { AboutPerson, PlainCommand, Rooms } from '../../rooms/rooms.ts';
import type { Actor } from '../../rules/room/commands.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Placing } from '../placing.ts';
import type { RateLimits } from '../rate-limits.ts';
import type { Connections } from './connections.ts';
import { type RandomHandlerDependencies, randomHandlers } from './random-handlers.ts';
import type { Handlers, RostrumSocket } from './types.ts';

export type HandlerDependencies = RandomHandlerDependencies & {
  readonly rooms: Rooms;
  readonly queries: RoomQueries;
  readonly media: RoomMedia;
  readonly callMedia: CallMedia;
  readonly bridge: Pick<MediaBridge, 'hold' | 'speakingIn'>;
  readonly lateViews: Pick<LateViews, 'owe'>;
  readonly tokens: Tokens;
  readonly rateLimits: RateLimits;
  readonly logger: Pick<Logger, 'error'>;
  /** Where people go for whom there is no room here; a node by itself has nowhere. */
  readonly placing?: Pick<Placing, 'refused'>;
  readonly connections: Pick<Connections, 'watchExpiry' | 'joining' | 'seated' | 'stays' | 'unsure' | 'left' | 'move'>;
};

const actorOf = ({ data }: RostrumSocket): Actor => ({
  userId: data.person.userId,
  sessionId: data.sessionId,
  operator: data.person.kind === 'admin',
});

const seatRef = ({ data }: RostrumSocket, roomId: string): SeatRef => ({
  roomId,
  userId: data.person.userId,
  sessionId: data.sessionId,
});

const nothing = (result: Result<unknown>): Result<Record<string, never>> => (result.ok ? done({}) : result);

/** What each command of the protocol comes to: a use case, called with what the schema let through. */
export const createHandlers = (dependencies: HandlerDependencies): Handlers => ({
  ...sessionHandlers(dependencies),
  ...seatHandlers(dependencies),
  ...stageHandlers(dependencies),
  ...moderationHandlers(dependencies),
  ...mediaHandlers(dependencies),
  ...randomHandlers(dependencies),
});

const sessionHandlers = ({ tokens, connections }: HandlerDependencies): Pick<Handlers, 'session:renew'> => ({
  'session:renew': async ({ token }, socket) => {
    const identity = await tokens.verify(token);
    if (identity?.userId !== socket.data.person.userId) return refuse('unauthorized');
    socket.data.expiresAt = identity.expiresAt;
    connections.watchExpiry(socket);
    return done({ expiresAt: identity.expiresAt });
  },
});

const seatHandlers = (dependencies: HandlerDependencies): Pick<Handlers, 'room:join' | 'room:leave' | 'room:sync'> => ({
  'room:join': ({ roomId, listen = false }, socket) =>
    opening(dependencies, roomId, socket, () =>
      dependencies.whereabouts.run(socket.data.person.userId, () => joinRoom(dependencies, { roomId, listen }, socket)),
    ),
  'room:leave': async ({ roomId }, socket) => {
    const left = await dependencies.rooms.command(roomId, { type: 'leave', by: actorOf(socket) });
    if (left.ok) await dependencies.connections.left(socket, roomId);
    return nothing(left);
  },
  'room:sync': ({ roomId }, socket) => dependencies.rooms.sync(roomId, actorOf(socket)),
});

/**
 * What opens media for a socket. What media tells of it waits until the answer, which names it, is on its way; and who finds no room
 * here is sent to another node that has some (MD-3).
 */
const opening = async <Value>(
  { bridge, placing, connections }: HandlerDependencies,
  roomId: string,
  socket: RostrumSocket,
  open: () => Promise<Result<Value>>,
): Promise<Result<Value>> => {
  const letGo = bridge.hold(seatRef(socket, roomId));
  try {
    const opened = await open();
    if (opened.ok || opened.refusal.code !== 'node_full') return opened;
    const retryAfterMs = placing?.refused();
    if (retryAfterMs === undefined) return opened;
    connections.move(socket);
    return refuse('node_full', { retryAfterMs });
  } finally {
    // The dispatch answers before anything else has its turn.
    setImmediate(letGo);
  }
};

type Entry = { readonly roomId: string; readonly listen: boolean };

const joinRoom = async (
  dependencies: HandlerDependencies,
  { roomId, listen }: Entry,
  socket: RostrumSocket,
): ReturnType<Handlers['room:join']> => {
  const { rooms, bridge, connections, randomCalls, lateViews } = dependencies;
  const { data } = socket;
  const seat = seatRef(socket, roomId);
  const allowed = await mayCome(dependencies, data, { roomId, listen });
  if (!allowed.ok) return allowed;
  const free = await randomCalls.beforeRoom(data.person.userId);
  if (!free.ok) return free;
  await connections.joining(socket, roomId);
  const joined = await (listen ? enterListening : enter)(dependencies, data.person, seat);
  if (!joined.ok) {
    if (joined.refusal.code === 'unavailable') await connections.unsure(socket, roomId);
    else await connections.stays(socket);
    return joined;
  }
  const given = await connections.seated(socket, roomId);
  if (given !== undefined) await rooms.command(given, { type: 'leave', by: actorOf(socket) });
  // The view is not kept waiting: what comes after it must not overtake it.
  void randomCalls.inRoom(seat);
  if (lacksAudience(joined.value.state)) lateViews.owe(seat);
  // As it is now: what was told since the seat was taken is told no more.
  return done({ ...joined.value, speaking: [...bridge.speakingIn(roomId)] });
};

/**
 * Whether somebody may ask for a seat. Coming back to one that is kept is no join: it must not fail after a bad connection (SE-2). That
 * there is no room is said before anything is done or counted (MD-3), but not of a room that they may not know (SE-8).
 */
const mayCome = async (
  { queries, rateLimits, media }: HandlerDependencies,
  { person, sessionId }: RostrumSocket['data'],
  { roomId, listen }: Entry,
): Promise<Result<void>> => {
  const { userId } = person;
  const known = await queries.knows(roomId, person);
  if (known === 'seat') return done(undefined);
  const admitted = listen && known === 'room' ? media.admit({ roomId, userId, sessionId }) : done(undefined);
  if (!admitted.ok) return admitted;
  const waitMs = await rateLimits.join(userId);
  return waitMs === undefined ? done(undefined) : refuse('rate_limited', { retryAfterMs: waitMs });
};

type StageCommands =
  | 'room:hand-raise'
  | 'room:hand-lower'
  | 'room:hand-accept'
  | 'room:hand-decline'
  | 'room:hand-to-front'
  | 'room:invite-to-speak'
  | 'room:speak-answer'
  | 'room:mute-toggle'
  | 'room:promote'
  | 'room:demote';

const stageHandlers = ({ rooms }: HandlerDependencies): Pick<Handlers, StageCommands> => {
  const ask = async (roomId: string, command: PlainCommand) => nothing(await rooms.command(roomId, command));
  return {
    'room:hand-raise': async ({ roomId }, socket) => {
      const raised = await rooms.command(roomId, { type: 'raise-hand', by: actorOf(socket) });
      return raised.ok ? done({ position: raised.value.after.control.hands.length }) : raised;
    },
    'room:hand-lower': ({ roomId }, socket) => ask(roomId, { type: 'lower-hand', by: actorOf(socket) }),
    'room:hand-accept': ({ roomId, userId }, socket) =>
      ask(roomId, { type: 'accept-hand', by: actorOf(socket), userId }),
    'room:hand-decline': ({ roomId, userId }, socket) =>
      ask(roomId, { type: 'decline-hand', by: actorOf(socket), userId }),
    'room:hand-to-front': ({ roomId, userId }, socket) =>
      ask(roomId, { type: 'move-hand-to-front', by: actorOf(socket), userId }),
    'room:invite-to-speak': ({ roomId, userId }, socket) =>
      ask(roomId, { type: 'invite-to-speak', by: actorOf(socket), userId }),
    'room:speak-answer': ({ roomId, accept }, socket) =>
      ask(roomId, { type: 'answer-invitation', by: actorOf(socket), accept }),
    'room:mute-toggle': ({ roomId, muted }, socket) => ask(roomId, { type: 'mute-self', by: actorOf(socket), muted }),
    'room:promote': async ({ roomId, userId, role }, socket) => {
      const promoted = await rooms.command(roomId, { type: 'promote', by: actorOf(socket), userId, role });
      return promoted.ok ? done({ outcome: outcomeOf(promoted.value) }) : promoted;
    },
    'room:demote': ({ roomId, userId, role }, socket) =>
      ask(roomId, { type: 'demote', by: actorOf(socket), userId, role }),
  };
};

/** Whether a promotion happened at once or became an invitation (HD-2). */
const outcomeOf = (committed: Committed): 'promoted' | 'invited' =>
  committed.events.some((event) => event.type === 'invited') ? 'invited' : 'promoted';

type ModerationCommands =
  | 'room:hand-allow'
  | 'room:mute'
  | 'room:mute-all'
  | 'room:kick'
  | 'room:ban'
  | 'room:unban'
  | 'room:update'
  | 'room:handover'
  | 'room:end';

const moderationHandlers = ({ rooms }: HandlerDependencies): Pick<Handlers, ModerationCommands> => {
  const ask = async (roomId: string, command: PlainCommand) => nothing(await rooms.command(roomId, command));
  const moderate = async (roomId: string, command: AboutPerson) => nothing(await rooms.moderate(roomId, command));
  return {
    'room:hand-allow': ({ roomId, userId, allowed }, socket) =>
      moderate(roomId, { type: 'allow-hand', by: actorOf(socket), userId, allowed }),
    'room:mute': ({ roomId, userId, locked, reason }, socket) =>
      ask(roomId, { type: 'mute', by: actorOf(socket), userId, locked, reason: reason || null }),
    'room:mute-all': ({ roomId, locked, reason }, socket) =>
      ask(roomId, { type: 'mute-all', by: actorOf(socket), locked, reason: reason || null }),
    'room:kick': ({ roomId, userId, reason }, socket) =>
      moderate(roomId, { type: 'kick', by: actorOf(socket), userId, reason: reason || null }),
    'room:ban': ({ roomId, userId, reason }, socket) =>
      moderate(roomId, { type: 'ban', by: actorOf(socket), userId, reason: reason || null }),
    'room:unban': ({ roomId, userId }, socket) => moderate(roomId, { type: 'unban', by: actorOf(socket), userId }),
    'room:update': ({ roomId, changes }, socket) => ask(roomId, { type: 'update', by: actorOf(socket), changes }),
    'room:handover': ({ roomId, userId }, socket) => ask(roomId, { type: 'hand-over', by: actorOf(socket), userId }),
    'room:end': ({ roomId }, socket) => ask(roomId, { type: 'end', by: actorOf(socket) }),
  };
};

type MediaCommands =
  | 'media:listen'
  | 'media:publish'
  | 'media:connect'
  | 'media:produce'
  | 'media:unpublish'
  | 'media:restart-ice'
  | 'media:sync';

const mediaHandlers = (dependencies: HandlerDependencies): Pick<Handlers, MediaCommands> => {
  const { media, callMedia } = dependencies;
  /** The SFU carries rooms, and calls as a last resort (RD-4): a call's media is that of the room with its id. */
  const mediaOf = async (roomId: string): Promise<RoomMediaUseCases> => (await callMedia.of(roomId)) ?? media;
  return {
    'media:listen': ({ roomId }, socket) =>
      opening(dependencies, roomId, socket, async () => (await mediaOf(roomId)).listen(seatRef(socket, roomId))),
    'media:publish': ({ roomId }, socket) =>
      opening(dependencies, roomId, socket, async () => (await mediaOf(roomId)).publish(seatRef(socket, roomId))),
    'media:connect': async ({ roomId, transportId, dtlsParameters }, socket) =>
      nothing(await (await mediaOf(roomId)).connect(seatRef(socket, roomId), transportId, dtlsParameters)),
    'media:produce': async ({ roomId, transportId, rtpParameters }, socket) =>
      (await mediaOf(roomId)).produce(seatRef(socket, roomId), transportId, rtpParameters),
    'media:unpublish': async ({ roomId }, socket) =>
      nothing(await (await mediaOf(roomId)).unpublish(seatRef(socket, roomId))),
    'media:restart-ice': async ({ roomId, transportId }, socket) =>
      (await mediaOf(roomId)).restartIce(seatRef(socket, roomId), transportId),
    'media:sync': async ({ roomId, transportIds, consumerIds }, socket) =>
      (await mediaOf(roomId)).sync(seatRef(socket, roomId), { transportIds, consumerIds }),
  };
};
