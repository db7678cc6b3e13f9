import { type ErrorCode, wireError } from '@rostrum/shared/errors.ts';
import type { Limits } from '@rostrum/shared/limits.ts';
import { protocolVersion } from '@rostrum/shared/protocol/index.ts';
import { handshakeSchema } from '@rostrum/shared/protocol/session.ts';
import type { Calls } from '../../calls/calls.ts';
import type { Accounts } from '../../people/accounts.ts';
import type { Tokens } from '../../people/tokens.ts';
import type { Traces } from '../../records/records.ts';
import type { Rooms } from '../../rooms/rooms.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { RateLimits } from '../rate-limits.ts';
import type { RequestOrigin } from '../request-origin.ts';
import { Places } from './places.ts';
import { channels, type RostrumSocket, type SocketData, sessionOf } from './types.ts';

export type ConnectionDependencies = {
  readonly rooms: Rooms;
  readonly calls: Pick<Calls, 'lose'>;
  readonly accounts: Accounts;
  readonly tokens: Tokens;
  readonly origin: RequestOrigin;
  readonly rateLimits: Pick<RateLimits, 'command'>;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly newId: () => string;
  /** False while the server stops: nobody new is taken. */
  readonly accepting: () => boolean;
};

/** Longest time that Node's timers take, in milliseconds: more wraps around to 1. */
const longestTimerMs = 2 ** 31 - 1;
/** What a handshake costs of a person's points a second (SE-2): about as much as a join. */
const handshakePoints = 3;
/** How often, in milliseconds, and how many times it is tried again to note a loss that the room could not take (RE-5). */
const lossRetryMs = 1000;
const lossAttempts = 30;

/**
 * The life of a connection: who it is (ID-4), which session it continues (RE-2), when its token runs out, and what
 * happens to its seat when it breaks.
 */
export class Connections {
  readonly #dependencies: ConnectionDependencies;
  /** The socket that speaks for a session now, by the session's name; one for each open connection. */
  readonly #current = new Map<string, RostrumSocket>();
  readonly #expiries = new Map<string, NodeJS.Timeout>();
  readonly #places: Places;

  constructor(dependencies: ConnectionDependencies) {
    this.#dependencies = dependencies;
    this.#places = new Places(dependencies.limits);
  }

  /** Middleware of the handshake: refuses, or leaves in `socket.data` who this is. */
  async admit(socket: RostrumSocket): Promise<ErrorCode | undefined> {
    const { tokens, accounts, origin, rateLimits, newId, accepting } = this.#dependencies;
    if (!accepting()) return 'unavailable';
    const claimed: unknown = socket.handshake.auth;
    if (protocolOf(claimed) !== protocolVersion) return 'unsupported_protocol';
    const handshake = handshakeSchema.safeParse(claimed);
    if (!handshake.success) return 'unauthorized';
    const identity = await tokens.verify(handshake.data.token);
    if (!identity) return 'unauthorized';
    const { address, traces } = origin.of(socket.request);
    if ((await rateLimits.command(identity.userId, address, handshakePoints)) !== undefined) return 'rate_limited';
    const known = await accounts.find(identity.userId);
    if (!known) return 'unauthorized';
    this.#noteVisit(identity.userId, traces);
    const sessionId = handshake.data.sessionId ?? newId();
    // From here on nothing waits, so the place is that of this socket.
    if (!this.#takePlace(socket, { address, userId: identity.userId, sessionId })) return 'rate_limited';
    const data: SocketData = {
      plan: identity.plan,
      person: { userId: identity.userId, displayName: known.displayName, kind: known.kind, ...traces },
      sessionId,
      address,
      expiresAt: identity.expiresAt,
      roomId: undefined,
      inFlight: 0,
    };
    socket.data = data;
    return undefined;
  }

  /** A socket that was admitted is connected. Takes the place of an earlier one of the same session. */
  async open(socket: RostrumSocket): Promise<void> {
    const { clock } = this.#dependencies;
    const { person, sessionId, expiresAt } = socket.data;
    const session = sessionOf(socket.data);
    const earlier = this.#current.get(session);
    this.#current.set(session, socket);
    await socket.join([session, channels.user(person.userId)]);
    this.watchExpiry(socket);
    if (earlier) await this.#replace(earlier);
    socket.emit('session:ready', { sessionId, userId: person.userId, serverTime: clock.now(), expiresAt });
  }

  /** A socket is gone. The seat is lost unless another socket speaks for the session already. */
  async closed(socket: RostrumSocket): Promise<void> {
    clearTimeout(this.#expiries.get(socket.id));
    this.#expiries.delete(socket.id);
    const session = sessionOf(socket.data);
    if (this.#current.get(session) !== socket) return;
    this.#current.delete(session);
    await this.#lose(socket.data, socket.data.roomId);
  }

  /**
   * A join of this socket came to a seat in this room. Answers the room whose seat its session gives up for it: a session
   * sits in one room at a time. Meanwhile the connection may have broken, and another one may speak for the session: then
   * the seat is that one's, or it is lost, and nobody else would note it.
   */
  async seated(socket: RostrumSocket, roomId: string): Promise<string | undefined> {
    const holder = this.#current.get(sessionOf(socket.data));
    if (holder === undefined) {
      await this.#lose(socket.data, roomId);
      return undefined;
    }
    const before = holder.data.roomId;
    // Whoever came back and sat down elsewhere stays there: that was asked for later.
    if (holder !== socket && before !== undefined && before !== roomId) return roomId;
    holder.data.roomId = roomId;
    return before === roomId ? undefined : before;
  }

  /** Warns before the token expires and closes the socket when it has (ID-4). */
  readonly watchExpiry = (socket: RostrumSocket): void => {
    const { clock, limits } = this.#dependencies;
    clearTimeout(this.#expiries.get(socket.id));
    const { expiresAt } = socket.data;
    const warnInMs = expiresAt - limits.tokenWarningMs - clock.now();
    this.#after(socket, Math.max(0, warnInMs), () => {
      socket.emit('session:expiring', { expiresAt });
      this.#after(socket, expiresAt - clock.now(), () => {
        socket.emit('session:closing', { code: 'unauthorized' });
        socket.disconnect(true);
      });
    });
  };

  #after(socket: RostrumSocket, ms: number, act: () => void): void {
    if (!socket.connected) return;
    const step = Math.min(ms, longestTimerMs);
    const timer = setTimeout(() => (step < ms ? this.#after(socket, ms - step, act) : act()), step);
    timer.unref();
    this.#expiries.set(socket.id, timer);
  }

  /** The same session came back before its old connection was known to be dead. */
  async #replace(earlier: RostrumSocket): Promise<void> {
    await this.#lose(earlier.data, earlier.data.roomId);
    earlier.emit('session:closing', { code: 'replaced' });
    earlier.disconnect(true);
  }

  /** When a person was here is not worth refusing them for while records cannot be written (RE-4). */
  #noteVisit(userId: string, traces: Traces): void {
    const { accounts, logger } = this.#dependencies;
    accounts.seen(userId, traces).catch((error: unknown) => logger.warn({ err: error }, 'a visit could not be noted'));
  }

  #takePlace(socket: RostrumSocket, holder: { address: string; userId: string; sessionId: string }): boolean {
    const { conn } = socket;
    // A connection that is gone already would never give its place back.
    if (conn.readyState !== 'open') return false;
    const giveBack = this.#places.take(holder);
    if (!giveBack) return false;
    // A socket whose connection breaks before it is open is not heard of again but by that connection.
    conn.once('close', giveBack);
    socket.once('disconnect', () => {
      conn.off('close', giveBack);
      giveBack();
    });
    return true;
  }

  /**
   * Notes that a session lost its connection, in the room and in the call. A seat of which that is not noted would be kept as
   * long as the room lasts.
   */
  async #lose(data: SocketData, roomId: string | undefined, attempt = 1): Promise<void> {
    const { rooms, calls, logger } = this.#dependencies;
    const { sessionId, person } = data;
    try {
      await calls.lose({ userId: person.userId, sessionId });
      const noted = roomId === undefined || (await rooms.loseConnection(roomId, person.userId, sessionId)).ok;
      if (noted) return;
    } catch (error) {
      logger.error({ err: error, roomId }, 'a lost connection could not be noted');
    }
    if (attempt >= lossAttempts) return;
    const again = () => {
      // Who is back by now has the seat.
      if (!this.#current.has(sessionOf(data))) void this.#lose(data, roomId, attempt + 1);
    };
    setTimeout(again, lossRetryMs).unref();
  }
}

const protocolOf = (claimed: unknown): unknown =>
  typeof claimed === 'object' && claimed !== null && 'protocol' in claimed ? claimed.protocol : undefined;

/** The error that Socket.IO gives to the client's `connect_error`, with the wire error in `data`. */
export const refusalError = (code: ErrorCode): Error => Object.assign(new Error(code), { data: wireError({ code }) });
