import {
  byName,
  type ClusterStore,
  type HeldSession,
  type KnownNode,
  type NodeRecord,
  type SessionRef,
} from '../cluster-store.ts';
import { StateUnavailable } from '../room-store.ts';
import {
  givenUp,
  heldMember,
  membersOf,
  type Place,
  pairsOf,
  placeField,
  readHeldMember,
  readNode,
  readRoom,
  roomField,
} from './cluster-values.ts';
import {
  beatNode,
  closeNode,
  enlistNode,
  giveUpNode,
  holdSession,
  type Known,
  releaseSession,
  removeNode,
} from './cluster-writes.ts';
import type { RedisConnection } from './connection.ts';
import { Transaction } from './transaction.ts';

/** Looks at nodes or sessions that change between them, until it is given up; a second look nearly always does. */
const mostLooks = 8;
/** People whose sessions are kept from expiring at one beat: with a beat a second each of 100,000 has its turn within two hours. */
const keptAtBeat = 20;
/** Sessions that are released side by side where a node is forgotten. */
const releasedAtOnce = 100;

/** The store of nodes for a cluster. What is under which key is in keys.ts, what is written in cluster-writes.ts. */
export const createRedisClusterStore = (redis: RedisConnection): ClusterStore => new RedisClusterStore(redis);

/** All nodes, of one moment. */
type Roster = {
  readonly nodes: ReadonlyMap<string, Known>;
  readonly givenUp: ReadonlySet<string>;
  readonly names: ReadonlyMap<string, string>;
};

class RedisClusterStore implements ClusterStore {
  readonly #redis: RedisConnection;
  /** The members of this node whose turn it is at the next beat. */
  #keeping: { readonly members: readonly string[]; readonly last: string | undefined } = {
    members: [],
    last: undefined,
  };

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  async enlist(node: NodeRecord, aliveMs: number): Promise<'enlisted' | 'taken'> {
    for (let looks = 0; looks < mostLooks; looks += 1) {
      const now = this.#redis.clock.now();
      const { nodes, names, givenUp: lost } = await this.#roster();
      const earlier = nodes.get(names.get(node.name) ?? '');
      const isOther = earlier !== undefined && earlier.node.nodeId !== node.nodeId;
      if (lost.has(node.nodeId) || (isOther && earlier.node.seenAt >= now - aliveMs)) return 'taken';
      const transaction = enlistNode(this.#redis.keys, { ...node, seenAt: now }, earlier);
      const { code } = await this.#redis.write(transaction);
      if (code === 'done') return 'enlisted';
    }
    throw new StateUnavailable('the nodes changed at every look');
  }

  /** One round trip; with it goes the reading of whose turn it is to be kept next. */
  async beat(node: NodeRecord): Promise<'alive' | 'fenced'> {
    const { keys, clock } = this.#redis;
    const userIds = new Set(this.#keeping.members.map((member) => readHeldMember(member).userId));
    const transaction = beatNode(keys, { ...node, seenAt: clock.now() }, userIds);
    const range = membersOf(node.nodeId, this.#keeping.last);
    const next = transaction.step('ZRANGEBYLEX', keys.held, ...range, 'LIMIT', 0, keptAtBeat);
    const reply = await this.#redis.write(transaction);
    if (reply.code !== 'done') return reply.code;
    const members = reply.results.texts(next).filter((member) => member !== null);
    this.#keeping = { members, last: members.length < keptAtBeat ? undefined : members.at(-1) };
    return 'alive';
  }

  async nodes(): Promise<KnownNode[]> {
    const { nodes, givenUp: lost } = await this.#roster();
    return [...nodes.values()].map(({ node }) => ({ ...node, givenUp: lost.has(node.nodeId) })).toSorted(byName);
  }

  async giveUp(nodeId: string, silentSince: number): Promise<boolean> {
    for (let looks = 0; looks < mostLooks; looks += 1) {
      const { nodes, givenUp: lost } = await this.#roster();
      const known = nodes.get(nodeId);
      if (lost.has(nodeId)) return true;
      if (!known || known.node.seenAt >= silentSince) return false;
      const { code } = await this.#redis.write(giveUpNode(this.#redis.keys, known));
      if (code === 'done') return true;
    }
    throw new StateUnavailable('the node changed at every look');
  }

  /**
   * It holds nothing new from the first step on, and its record goes last: where this is interrupted, the others find a node that
   * was given up.
   */
  async forget(nodeId: string): Promise<void> {
    const { keys } = this.#redis;
    const known = (await this.#roster()).nodes.get(nodeId);
    if (known) await this.#redis.write(closeNode(keys, known.node));
    for (;;) {
      const places = await this.#placesOf(nodeId, releasedAtOnce);
      await Promise.all(places.map((place) => this.release(nodeId, place)));
      if (places.length < releasedAtOnce) break;
    }
    await this.#redis.write(removeNode(keys, nodeId));
  }

  async hold(nodeId: string, session: HeldSession, { unlessElsewhere } = { unlessElsewhere: false }): Promise<void> {
    for (const from of unlessElsewhere ? (['own', 'free'] as const) : (['anywhere'] as const)) {
      const { code } = await this.#redis.write(holdSession(this.#redis.keys, nodeId, session, from));
      if (code !== 'elsewhere') return;
    }
  }

  async release(nodeId: string, session: SessionRef): Promise<boolean> {
    const { code } = await this.#redis.write(releaseSession(this.#redis.keys, nodeId, session));
    return code === 'done';
  }

  /** Who went to another node between both round trips is passed over; where that leaves nobody it looks again. */
  async heldBy(nodeId: string, most: number): Promise<HeldSession[]> {
    for (let looks = 0; looks < mostLooks; looks += 1) {
      const places = await this.#placesOf(nodeId, most);
      if (places.length === 0) return [];
      const held = await this.#heldAt(places);
      if (held.length > 0) return held;
    }
    throw new StateUnavailable('the sessions changed at every look');
  }

  async sessionsOf(userId: string): Promise<(HeldSession & { readonly nodeId: string })[]> {
    const transaction = new Transaction();
    const step = transaction.step('HGETALL', this.#redis.keys.sessions(userId));
    const fields = pairsOf((await this.#redis.read(transaction)).texts(step));
    return [...fields].flatMap(([field, member]) => {
      const place = field.startsWith(placeField('')) ? readHeldMember(member) : undefined;
      return place ? [{ ...place, roomId: readRoom(fields.get(roomField(place.sessionId))) }] : [];
    });
  }

  async #roster(): Promise<Roster> {
    const { keys } = this.#redis;
    const transaction = new Transaction();
    const steps = [keys.nodes, keys.nodeStates, keys.nodeNames].map((key) => transaction.step('HGETALL', key));
    const results = await this.#redis.read(transaction);
    const [nodes, states, names] = steps.map((step) => pairsOf(results.texts(step)));
    const known = [...(nodes ?? [])].map(([nodeId, text]): [string, Known] => [
      nodeId,
      { node: readNode(text, keys.nodes.name), text },
    ]);
    const lost = [...(states ?? [])].flatMap(([nodeId, state]) => (state === givenUp ? [nodeId] : []));
    return { nodes: new Map(known), givenUp: new Set(lost), names: names ?? new Map() };
  }

  async #placesOf(nodeId: string, most: number): Promise<Place[]> {
    const transaction = new Transaction();
    const step = transaction.step('ZRANGEBYLEX', this.#redis.keys.held, ...membersOf(nodeId), 'LIMIT', 0, most);
    const members = (await this.#redis.read(transaction)).texts(step);
    return members.filter((member) => member !== null).map(readHeldMember);
  }

  /** These sessions with their rooms, without those that another node has taken over. */
  async #heldAt(places: readonly Place[]): Promise<HeldSession[]> {
    const transaction = new Transaction();
    const steps = places.map(({ userId, sessionId }) => {
      const fields = [placeField(sessionId), roomField(sessionId)];
      return transaction.step('HMGET', this.#redis.keys.sessions(userId), ...fields);
    });
    const results = await this.#redis.read(transaction);
    return places.flatMap((place, index) => {
      const [member, room] = results.texts(steps[index] ?? 0);
      if (member !== null && member !== heldMember(place)) return [];
      const { userId, sessionId } = place;
      return [{ userId, sessionId, roomId: readRoom(room) }];
    });
  }
}
