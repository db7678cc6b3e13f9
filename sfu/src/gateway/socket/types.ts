import type {
  ClientToServerEvents,
  CommandInput,
  CommandName,
  CommandOutput,
  EventName,
  ServerToClientEvents,
} from '@rostrum/shared/protocol/index.ts';
import type { Plan } from '@rostrum/shared/protocol/rest.ts';
import type { Result } from '@rostrum/shared/result.ts';
import type { Server, Socket } from 'socket.io';
import type { Person } from '../../rules/room/state.ts';

/** What the server keeps of one connection. */
export type SocketData = {
  readonly person: Person;
  readonly plan: Plan;
  /** The session that this connection continues; a seat names it. */
  readonly sessionId: string;
  /** Whether the client named it: then another connection may have been this session's, at whatever node. */
  readonly continues: boolean;
  readonly address: string;
  /** When the token expires, in milliseconds since the epoch. */
  expiresAt: number;
  /** The room that this session joined last. */
  roomId: string | undefined;
  /** Commands that have not been answered yet. */
  inFlight: number;
};

/** What the servers of a cluster send each other: the text of a message of the bus (gateway/cluster). */
export const busEvent = 'rostrum:bus';
type NodeEvents = { [busEvent]: (text: string) => void };
export type RostrumServer = Server<ClientToServerEvents, ServerToClientEvents, NodeEvents, SocketData>;
export type RostrumSocket = Socket<ClientToServerEvents, ServerToClientEvents, NodeEvents, SocketData>;

/** Answers one command. The input is valid; whether it is allowed is for the rules. */
export type Handler<Name extends CommandName> = (
  input: CommandInput<Name>,
  socket: RostrumSocket,
) => Promise<Result<CommandOutput<Name>>>;
export type Handlers = { readonly [Name in CommandName]: Handler<Name> };

/** The name of the session that a connection continues. */
export const sessionOf = ({ person: { userId }, sessionId }: SocketData): string =>
  channels.session({ userId, sessionId });

/** Socket.IO rooms: the sockets of a session, and those that see a view of a room. */
export const channels = {
  // A client names its session itself, so the person is part of the name: nobody hears what is for another one's session.
  session: ({ userId, sessionId }: { userId: string; sessionId: string }) => `session:${userId}:${sessionId}`,
  /** Every device of a person. */
  user: (userId: string) => `user:${userId}`,
  /** Who has the page of random calls open. */
  randomWatchers: 'random:watchers',
  view: (roomId: string, view: 'room' | 'stage' | 'staff') => `room:${roomId}:${view}`,
  seat: (roomId: string, userId: string) => `room:${roomId}:seat:${userId}`,
} as const;

/** Whether a socket of this node is in this channel. */
export const isHeard = (io: RostrumServer, channel: string): boolean =>
  (io.of('/').adapter.rooms.get(channel)?.size ?? 0) > 0;

/**
 * Sends an event to a channel of this node. Socket.IO's types tie each event's name to its payload, which a name that is only
 * known at run time cannot show; the ports' own types do.
 */
export const emitTo = (io: RostrumServer, channel: string, name: EventName, payload: object): void => {
  const to: { emit(name: string, payload: object): unknown } = io.local.to(channel);
  to.emit(name, payload);
};
