/**
 * Which nodes there are, and which sessions each of them holds. Every implementation passes one contract suite. Calls reject only
 * with `StateUnavailable` (room-store.ts). Times are milliseconds since the epoch by the store's clock.
 */
export interface ClusterStore {
  // ——— Nodes ———

  /**
   * A node begins, or says again that it is there (to a store that came back empty). `taken`: another node of this name was seen
   * within `aliveMs`, or this very one was given up. An earlier one of this name that was silent for longer is given up by it.
   */
  enlist(node: NodeRecord, aliveMs: number): Promise<'enlisted' | 'taken'>;
  /** A node shows that it lives, with what it is now. `fenced`: it was given up meanwhile, or is not known, and must begin anew. */
  beat(node: NodeRecord): Promise<'alive' | 'fenced'>;
  /** Every node that is known, with those given up, in the order of their names. */
  nodes(): Promise<KnownNode[]>;
  /** Gives a node up if it was last seen before `silentSince`. From then on its beats answer `fenced`. Answers whether it is given up. */
  giveUp(nodeId: string, silentSince: number): Promise<boolean>;
  /** Forgets a node with everything that it holds: it left by itself, or it was swept. */
  forget(nodeId: string): Promise<void>;

  // ——— Sessions ———

  /**
   * A session has a connection at this node, whatever node had one before; `roomId` is the room in which it sits. A node that is
   * not enlisted or was given up holds nothing any more: then nothing changes. `unlessElsewhere`: nor does it where another node
   * holds the session; who took it last has it.
   */
  hold(nodeId: string, session: HeldSession, options?: { readonly unlessElsewhere: boolean }): Promise<void>;
  /** The session has no connection at this node any more. Of another node's nothing changes. Answers whether it was this node's. */
  release(nodeId: string, session: SessionRef): Promise<boolean>;
  /** Sessions that this node holds, `most` of them, or all where there are fewer: whoever releases them asks again until there is none. */
  heldBy(nodeId: string, most: number): Promise<HeldSession[]>;
  /** Where a person's sessions are. */
  sessionsOf(userId: string): Promise<(HeldSession & { readonly nodeId: string })[]>;
}

export type SessionRef = { readonly userId: string; readonly sessionId: string };
export type HeldSession = SessionRef & { readonly roomId: string | null };

/** What a node says of itself. */
export type NodeRecord = {
  /** Unique to one run of a node: its name and its incarnation. Seats and microphones name it. */
  readonly nodeId: string;
  /** What the operator calls it (NODE_NAME). */
  readonly name: string;
  /** The version of Rostrum, and of its protocol. */
  readonly version: string;
  readonly protocol: number;
  /** What tells one machine from another. */
  readonly machine: string;
  /** Where its internal server is, such as `10.0.0.2:3001` or `[fd00::2]:3001`. */
  readonly internalAddress: string;
  /** It takes nobody new, and its people move (OP-2). */
  readonly draining: boolean;
  readonly load: NodeLoad;
  /** Where it is missing nothing is compared. */
  readonly agreement?: Agreement;
};

/** What the nodes of a cluster have to have in common, as hashes (cluster/agreement.ts). */
export type Agreement = {
  readonly secret: string;
  /** `Records.place`: means something on one machine alone. */
  readonly records: string;
  /** By the name of the variable; what is left at its standard is missing. */
  readonly settings: Readonly<Record<string, string>>;
};

export type NodeLoad = {
  readonly sockets: number;
  readonly rooms: number;
  readonly consumers: number;
  /** It has no room for anybody more who listens (MD-3): who comes is better served by another node. */
  readonly full: boolean;
};

export type KnownNode = NodeRecord & { readonly seenAt: number; readonly givenUp: boolean };

/** Compares nodes by their names, and those of one name by their ids. */
export const byName = (one: NodeRecord, other: NodeRecord): number =>
  compare(one.name, other.name) || compare(one.nodeId, other.nodeId);

const compare = (one: string, other: string): number => (one < other ? -1 : Number(one > other));
