import type { Clock } from '../../runtime/clock.ts';
import { byName, type ClusterStore, type HeldSession, type KnownNode, type SessionRef } from '../cluster-store.ts';

type Held = HeldSession & { readonly nodeId: string };

/**
 * The embedded store: the one node there is, and what it holds. Nodes are few, and sessions are bounded by the sockets of the
 * process (`socketsPerUser`, `socketsPerAddress`).
 */
export const createMemoryClusterStore = (clock: Clock): ClusterStore => {
  const nodes = new Map<string, KnownNode>();
  /** By the node, */
  const heldBy = new Map<string, Map<string, Held>>();
  /** and by the person, each by its session. */
  const sessions = new Map<string, Map<string, Held>>();

  const lives = (nodeId: string): boolean => nodes.get(nodeId)?.givenUp === false;
  const giveUp = (node: KnownNode): void => {
    nodes.set(node.nodeId, { ...node, givenUp: true });
  };
  const drop = ({ nodeId, userId, sessionId }: Held): void => {
    removeFrom(heldBy, nodeId, keyOf({ userId, sessionId }));
    removeFrom(sessions, userId, sessionId);
  };

  return {
    enlist: async (node, aliveMs) => {
      const now = clock.now();
      const namesakes = [...nodes.values()].filter(
        ({ name, nodeId, givenUp }) => name === node.name && nodeId !== node.nodeId && !givenUp,
      );
      const wasGivenUp = nodes.get(node.nodeId)?.givenUp === true;
      if (wasGivenUp || namesakes.some(({ seenAt }) => seenAt >= now - aliveMs)) return 'taken';
      for (const namesake of namesakes) giveUp(namesake);
      nodes.set(node.nodeId, { ...node, seenAt: now, givenUp: false });
      return 'enlisted';
    },

    beat: async (node) => {
      if (!lives(node.nodeId)) return 'fenced';
      nodes.set(node.nodeId, { ...node, seenAt: clock.now(), givenUp: false });
      return 'alive';
    },

    nodes: async () => [...nodes.values()].toSorted(byName),

    giveUp: async (nodeId, silentSince) => {
      const node = nodes.get(nodeId);
      if (node && !node.givenUp && node.seenAt < silentSince) giveUp(node);
      return nodes.get(nodeId)?.givenUp === true;
    },

    forget: async (nodeId) => {
      for (const held of [...(heldBy.get(nodeId)?.values() ?? [])]) drop(held);
      nodes.delete(nodeId);
    },

    hold: async (nodeId, session, { unlessElsewhere } = { unlessElsewhere: false }) => {
      if (!lives(nodeId)) return;
      const earlier = sessions.get(session.userId)?.get(session.sessionId);
      if (unlessElsewhere && earlier && earlier.nodeId !== nodeId) return;
      if (earlier) drop(earlier);
      const held = { ...session, nodeId };
      addTo(heldBy, nodeId, keyOf(session), held);
      addTo(sessions, session.userId, session.sessionId, held);
    },

    release: async (nodeId, session) => {
      const held = heldBy.get(nodeId)?.get(keyOf(session));
      if (held) drop(held);
      return held !== undefined;
    },

    heldBy: async (nodeId, most) => {
      const held = heldBy.get(nodeId)?.values().take(most) ?? [];
      return [...held].map(({ userId, sessionId, roomId }) => ({ userId, sessionId, roomId }));
    },

    sessionsOf: async (userId) => [...(sessions.get(userId)?.values() ?? [])],
  };
};

const keyOf = ({ userId, sessionId }: SessionRef): string => `${sessionId} ${userId}`;

type Maps = Map<string, Map<string, Held>>;

const addTo = (maps: Maps, owner: string, key: string, held: Held): void => {
  const map = maps.get(owner) ?? new Map<string, Held>();
  map.set(key, held);
  maps.set(owner, map);
};

/** Removes an entry, and the map that has none left. */
const removeFrom = (maps: Maps, owner: string, key: string): void => {
  const map = maps.get(owner);
  map?.delete(key);
  if (map?.size === 0) maps.delete(owner);
};
