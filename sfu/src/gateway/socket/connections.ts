import { done, type Result } from '@rostrum/shared/result.ts';
import type { Calls } from '../../calls/calls.ts';
import type { Bus } from '../../cluster/bus.ts';
import type { Rooms } from '../../rooms/rooms.ts';
import type { Person } from '../../rules/room/state.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ClusterStore, HeldSession, SessionRef } from '../../state/cluster-store.ts';
import type { SeatHere } from '../cluster/view-resync.ts';
import { type Admission, type AdmissionDependencies, createAdmission } from './admission.ts';
import { HeldSessions } from './held-sessions.ts';
import { type Loss, Losses } from './losses.ts';
import { TokenWatch } from './token-watch.ts';
import { channels, type RostrumSocket, type SocketData, sessionOf } from './types.ts';

export type ConnectionDependencies = AdmissionDependencies & {
  readonly rooms: Pick<Rooms, 'loseConnection'>;
  readonly calls: Pick<Calls, 'lose'>;
  readonly clock: Clock;
  /** Whether this node takes its leave: whoever is disconnected is likely on the way to another one (OP-2). */
  readonly leaving: () => boolean;
  /** This run of this node. */
  readonly nodeId: string;
  /** Where sessions are. */
  readonly cluster: Pick<ClusterStore, 'hold' | 'release' | 'heldBy' | 'sessionsOf'>;
  /** The way to other nodes; a node by itself has none. */
  readonly bus: Pick<Bus, 'tell'> | undefined;
};

/**
 * How long a session that goes to another node has to get there before its loss is noted, in milliseconds; at the other node its
 * seat is taken over then, and the loss is none. A fresh connection takes under 3 s; who is lost on the way has the rest of RE-2.
 */
const movingMs = 5000;

/**
 * The life of a connection: who it is (ID-4), which session it continues (RE-2), when its token runs out, and what
 * happens to its seat when it breaks.
 */
export class Connections {
  readonly #dependencies: ConnectionDependencies;
  /** The socket that speaks for a session now, by the session's name; one for each open connection. */
  readonly #current = new Map<string, RostrumSocket>();
  /** Middleware of the handshake: refuses, or leaves in `socket.data` who this is. */
  readonly admit: Admission;
  readonly #expiries: TokenWatch;
  readonly #held: HeldSessions;
  readonly #losses: Losses;
  /** Sockets that were told to move to another node. */
  readonly #moving = new WeakSet<RostrumSocket>();

  constructor(dependencies: ConnectionDependencies) {
    const { limits, clock, cluster, nodeId, logger } = dependencies;
    this.admit = createAdmission(dependencies);
    this.#expiries = new TokenWatch(clock, limits);
    this.#dependencies = dependencies;
    this.#held = new HeldSessions({ store: cluster, nodeId, logger });
    this.#losses = new Losses({
      note: (loss) => this.#note(loss),
      // Only then: until it is noted, whoever sweeps this node must find the session.
      noted: (loss) => {
        if (!this.#current.has(channels.session(loss))) void this.#held.release(loss);
      },
      logger,
    });
  }

  /** A socket that was admitted is connected. Takes the place of an earlier one of the same session, at whatever node. */
  async open(socket: RostrumSocket): Promise<void> {
    const { clock, nodeId, bus } = this.#dependencies;
    const { person, sessionId, expiresAt, continues } = socket.data;
    const ref = refOf(socket);
    const session = sessionOf(socket.data);
    const earlier = this.#current.get(session);
    this.#current.set(session, socket);
    await socket.join([session, channels.user(person.userId)]);
    this.watchExpiry(socket);
    if (earlier) await this.#replace(earlier);
    if (!this.#isCurrent(socket)) return;
    // A seat whose loss was not noted yet is kept: this connection's loss would be that of the seat.
    const kept = this.#losses.takeBack(ref);
    socket.data.roomId ??= kept.at(-1);
    for (const roomId of kept)
      if (roomId !== socket.data.roomId) void this.#losses.add({ ...ref, roomId, seatOnly: true });
    await this.#held.take(heldBy(socket));
    // Before the client can do anything: what another node does for its old connection comes too late then.
    if (continues) bus?.tell({ kind: 'session-taken', session: ref, nodeId });
    socket.emit('session:ready', { sessionId, userId: person.userId, serverTime: clock.now(), expiresAt });
  }

  /** A socket is gone. The seat is lost unless another socket speaks for the session already. */
  async closed(socket: RostrumSocket): Promise<void> {
    this.#expiries.stop(socket);
    const session = sessionOf(socket.data);
    if (this.#current.get(session) !== socket) return;
    this.#current.delete(session);
    await this.#lose(socket.data, socket.data.roomId, this.#isMoving(socket) ? movingMs : 0);
  }

  /** There is no room here for what this socket asked for: it is to go to another node, as a draining one sends its people there. */
  move(socket: RostrumSocket): void {
    this.#moving.add(socket);
    socket.emit('session:closing', { code: 'moving' });
  }

  /**
   * A session of this node was taken up at another one. A connection that it has here is that of a page which has moved, and dead
   * already, or of a second page with a copy of the session. The seat is the other node's as soon as the session joins there.
   */
  readonly taken = async (session: SessionRef, nodeId: string): Promise<void> => {
    if (nodeId === this.#dependencies.nodeId) return;
    const name = channels.session(session);
    const socket = this.#current.get(name);
    if (!socket) return this.#held.forget(session);
    // What was told may be late, and the session back here since.
    if ((await this.#holderOf(session)) === this.#dependencies.nodeId || this.#current.get(name) !== socket) return;
    this.#held.forget(session);
    this.#current.delete(name);
    void this.#lose(socket.data, socket.data.roomId, movingMs);
    socket.emit('session:closing', { code: this.#isMoving(socket) ? 'moving' : 'replaced' });
    socket.disconnect(true);
  };

  /**
   * This socket is about to take a seat in this room: if this node dies in the middle, the room is where the seat is looked for.
   * To be followed by `seated`, by `stays` where nothing came of it, or by `unsure`.
   */
  async joining(socket: RostrumSocket, roomId: string): Promise<void> {
    this.#losses.forget({ ...refOf(socket), roomId });
    if (this.#isCurrent(socket)) await this.#held.hold(heldBy(socket, roomId));
  }

  async stays(socket: RostrumSocket): Promise<void> {
    if (this.#isCurrent(socket)) await this.#held.hold(heldBy(socket));
  }

  /**
   * Whether this socket came to a seat in this room is not known: the store may have taken the seat, and its answer been lost. Nobody
   * sits on it, so it is noted as lost: who tries again takes it up, and a seat that nobody takes up goes (RE-2).
   */
  async unsure(socket: RostrumSocket, roomId: string): Promise<void> {
    await this.stays(socket);
    if (socket.data.roomId !== roomId) void this.#losses.add({ ...refOf(socket), roomId, seatOnly: true });
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
    await this.#held.hold(heldBy(holder));
    return before === roomId ? undefined : before;
  }

  /** This socket gave up its seat in this room. */
  async left(socket: RostrumSocket, roomId: string): Promise<void> {
    if (socket.data.roomId !== roomId) return;
    socket.data.roomId = undefined;
    await this.stays(socket);
  }

  /** The sessions of this node that sit in a room. */
  readonly seats = (): SeatHere[] =>
    [...this.#current.values()].flatMap(({ data: { roomId, person, sessionId } }) =>
      roomId === undefined ? [] : [{ roomId, userId: person.userId, sessionId }],
    );

  /** Who speaks through this session at this node, and in which room they sit; undefined where it has no connection here. */
  find(session: SessionRef): { readonly person: Person; readonly roomId: string | undefined } | undefined {
    return this.#current.get(channels.session(session))?.data;
  }

  /**
   * Whether the session is at this node: it has a connection here, and by the store no node has taken it since. A connection that
   * it left behind lives for as long as a ping goes unanswered.
   */
  async holds(session: SessionRef): Promise<boolean> {
    const isHere = (): boolean => this.#current.has(channels.session(session));
    return isHere() && (await this.#holderOf(session)) === this.#dependencies.nodeId && isHere();
  }

  /** States anew which sessions this node holds, after the store was away. */
  restate(): Promise<void> {
    return this.#held.restate();
  }

  /** What waits for the store: losses, and where sessions are (RE-5). */
  get pending(): number {
    return this.#losses.waiting + this.#held.pending;
  }

  /** Closes every socket, and notes at once what is lost by that, or waits to be noted: this node will not do so later. */
  async close(): Promise<void> {
    for (const socket of [...this.#current.values()]) socket.disconnect(true);
    await this.#losses.close();
    await this.#held.close();
  }

  /** Warns before the token expires and closes the socket when it has (ID-4). */
  readonly watchExpiry = (socket: RostrumSocket): void => this.#expiries.watch(socket);

  /** The same session came back before its old connection was known to be dead. */
  async #replace(earlier: RostrumSocket): Promise<void> {
    await this.#lose(earlier.data, earlier.data.roomId);
    earlier.emit('session:closing', { code: 'replaced' });
    earlier.disconnect(true);
  }

  #isMoving(socket: RostrumSocket): boolean {
    return this.#dependencies.leaving() || this.#moving.has(socket);
  }

  #isCurrent(socket: RostrumSocket): boolean {
    return this.#current.get(sessionOf(socket.data)) === socket;
  }

  /** The node that took the session last, as far as the store says; undefined where it does not. Never rejects. */
  async #holderOf({ userId, sessionId }: SessionRef): Promise<string | undefined> {
    const { cluster, logger } = this.#dependencies;
    try {
      return (await cluster.sessionsOf(userId)).find((held) => held.sessionId === sessionId)?.nodeId;
    } catch (error) {
      logger.debug({ err: error }, 'where a session is could not be read');
      return undefined;
    }
  }

  async #lose({ person: { userId }, sessionId }: SocketData, roomId: string | undefined, afterMs = 0): Promise<void> {
    const loss = { userId, sessionId, roomId };
    // What is stated of this node's sessions must not take it from the node that it went to.
    if (!this.#current.has(channels.session(loss))) this.#held.forget(loss);
    await this.#losses.add(loss, afterMs);
  }

  /** Notes that a session lost its connection to this node, in the call and in the room. */
  async #note({ userId, sessionId, roomId, seatOnly }: Loss): Promise<Result<unknown>> {
    const { rooms, calls, nodeId } = this.#dependencies;
    if (!seatOnly) await calls.lose({ userId, sessionId }, nodeId);
    return roomId === undefined ? done({}) : rooms.loseConnection(roomId, userId, sessionId, nodeId);
  }
}

const refOf = ({ data: { person, sessionId } }: RostrumSocket): SessionRef => ({ userId: person.userId, sessionId });

const heldBy = (socket: RostrumSocket, roomId = socket.data.roomId): HeldSession => ({
  ...refOf(socket),
  roomId: roomId ?? null,
});
