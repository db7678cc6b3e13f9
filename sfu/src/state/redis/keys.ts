import type { CallMode } from '@rostrum/shared/protocol/call.ts';

/** What a key holds, as Redis' TYPE says it. */
export type KeyType = 'hash' | 'zset' | 'set' | 'string';
export type Key<Type extends KeyType = KeyType> = { readonly name: string; readonly type: Type };

/**
 * What belongs to one room. Goes with the room when it is removed; of a room that ended and was not removed, `endedRoomMs` after
 * its end (room-commit.ts).
 */
export type RoomKeys = {
  /**
   * `control` (JSON) with its `version` and `stamp` (recent.ts), the sequence numbers `room`, `stage` and `staff`, and how many
   * `commits` there were.
   */
  readonly head: Key<'hash'>;
  /** Seats of the audience (JSON) by user, */
  readonly audience: Key<'hash'>;
  /** and their users in order of arrival. */
  readonly arrivals: Key<'zset'>;
  /** Standings (JSON) by their key. */
  readonly standings: Key<'hash'>;
  /** Sequence numbers of the views `self`, by user; each goes with the seat. */
  readonly self: Key<'hash'>;
  /** The members of `roomDeadlines` that are this room's, so that they can go with it. */
  readonly deadlines: Key<'set'>;
};

/** Every key of the live state. Each begins with the prefix, so several services can share a Redis. */
export type Keys = {
  readonly prefix: string;
  /** The epoch (redis-epochs.ts). Stays for as long as Redis keeps anything: where it is gone, all is. */
  readonly epoch: Key<'hash'>;
  /** The nodes that write back now. Goes when the epoch opens, or expires. */
  readonly epochWriters: Key<'hash'>;
  room(roomId: string): RoomKeys;
  /** Active rooms by the time of their creation. A room leaves it when it ends or is removed. */
  readonly rooms: Key<'zset'>;
  /**
   * Of a room that was written back: its `version`, and for seats and standings at which number of its commits each was as it was
   * written. Outlives the room, so that a node that comes late does not bring back what is over; expires.
   */
  restoredRoom(roomId: string): Key<'hash'>;
  /** Deadlines of rooms by their time (deadline-members.ts). Each goes with its cause, or with the room. */
  readonly roomDeadlines: Key<'zset'>;

  /**
   * Where a person is, `at` the `queue` or a `call`, with `id`: the ticket's or the call's. In the queue also `ticket` (JSON), its
   * `version`, whether they are `present`, and the `member` that stands for it in the lines. Goes with the ticket or the call,
   * and both have a deadline while they last.
   */
  person(userId: string): Key<'hash'>;
  /** Everybody who waits in this mode, in order (line-position.ts). Who leaves the queue leaves it. */
  line(mode: CallMode): Key<'zset'>;
  /** Those of them who are not away. */
  present(mode: CallMode): Key<'zset'>;
  /** A call: `call` (JSON) and `version`. Goes when it ends, and a call has a deadline while it lasts. */
  call(callId: string): Key<'hash'>;
  /** Calls that were written back, or are over since, with their version. Expires. */
  readonly restoredCalls: Key<'hash'>;
  /** Every call that is not over. A call that ends leaves it. */
  readonly calls: Key<'set'>;
  /** What is remembered of a person's calls (JSON). Expires at the time given with it. */
  history(userId: string): Key<'string'>;
  /** Deadlines of tickets and calls by their time (deadline-members.ts). Each goes with its ticket or call. */
  readonly callDeadlines: Key<'zset'>;

  /*
   * Nodes and what they hold. Of a cluster of which nothing is left nobody sweeps anything, so all of these expire `keptMs` after
   * the last beat of any node (cluster-writes.ts).
   */

  /** Nodes (JSON) by their id. One that left goes at once, and one that was given up when it is swept. */
  readonly nodes: Key<'hash'>;
  /** Whether a node is `living` or `given-up`, by its id. Goes with the node. */
  readonly nodeStates: Key<'hash'>;
  /** The id of the living node of this name. Goes when that is given up or leaves. */
  readonly nodeNames: Key<'hash'>;
  /** Every session that a node holds, by the node (cluster-values.ts). Goes when it is released, or with the node. */
  readonly held: Key<'zset'>;
  /** A person's sessions, for each its member of `held`, and its room. Each goes with its member. */
  sessions(userId: string): Key<'hash'>;

  /** The stream over which nodes tell each other what their people have to hear (bus-client.ts). Capped; goes an hour after the last of them. */
  readonly bus: string;
};

/** The one place that builds keys. */
export const createKeys = (prefix: string): Keys => {
  const key = <Type extends KeyType>(type: Type, ...words: readonly string[]): Key<Type> => ({
    name: [prefix, ...words].join(':'),
    type,
  });
  return {
    prefix,
    epoch: key('hash', 'epoch'),
    epochWriters: key('hash', 'epoch', 'writers'),
    bus: [prefix, 'bus'].join(':'),
    room: (roomId) => ({
      head: key('hash', 'room', roomId),
      audience: key('hash', 'room', roomId, 'audience'),
      arrivals: key('zset', 'room', roomId, 'arrivals'),
      standings: key('hash', 'room', roomId, 'standings'),
      self: key('hash', 'room', roomId, 'self'),
      deadlines: key('set', 'room', roomId, 'deadlines'),
    }),
    rooms: key('zset', 'rooms'),
    restoredRoom: (roomId) => key('hash', 'room', roomId, 'restored'),
    roomDeadlines: key('zset', 'rooms', 'deadlines'),
    person: (userId) => key('hash', 'person', userId),
    line: (mode) => key('zset', 'line', mode),
    present: (mode) => key('zset', 'line', mode, 'present'),
    call: (callId) => key('hash', 'call', callId),
    calls: key('set', 'calls'),
    restoredCalls: key('hash', 'calls', 'restored'),
    history: (userId) => key('string', 'history', userId),
    callDeadlines: key('zset', 'calls', 'deadlines'),
    nodes: key('hash', 'nodes'),
    nodeStates: key('hash', 'nodes', 'states'),
    nodeNames: key('hash', 'nodes', 'names'),
    held: key('zset', 'held'),
    sessions: (userId) => key('hash', 'sessions', userId),
  };
};
