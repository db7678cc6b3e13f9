import type { Limits } from '@rostrum/shared/limits.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { KnownNode, NodeRecord } from '../state/cluster-store.ts';
import { conflictOf, differencesOf } from './agreement.ts';

/** What stays the same while a node runs. */
export type NodeIdentity = Pick<NodeRecord, 'nodeId' | 'name' | 'version' | 'protocol' | 'machine' | 'agreement'>;

export type NeighboursOptions = {
  readonly identity: NodeIdentity;
  /** What this node is now. */
  readonly says: () => Pick<NodeRecord, 'internalAddress' | 'load'>;
  /** Where this node's pipes end; left out where there are none. */
  readonly pipeAddress?: string | undefined;
  /** The store's clock. */
  readonly clock: Clock;
  readonly limits: Pick<Limits, 'heartbeatMs' | 'nodeSilentMs'>;
  readonly logger: Logger;
  /** A node that was a peer is one no more: it was given up, or it left. */
  readonly gone: (nodeId: string) => void;
};

/** The nodes that live beside this one, as of the last look, and what there is to say about them. */
export class Neighbours {
  readonly #options: NeighboursOptions;
  #living: ReadonlyMap<string, KnownNode> = new Map();
  #hasWarned = false;
  /** The nodes of which it was said that they are set up otherwise. */
  #warnedOf: ReadonlySet<string> = new Set();

  constructor(options: NeighboursOptions) {
    this.#options = options;
  }

  peers(): readonly KnownNode[] {
    return [...this.#living.values()];
  }

  find(nodeId: string): KnownNode | undefined {
    return this.#living.get(nodeId);
  }

  /** How many living nodes come before this one where they take turns. */
  rank(): number {
    const { nodeId: self } = this.#options.identity;
    return this.#living.keys().reduce((before, nodeId) => before + Number(nodeId < self), 0);
  }

  /** Takes note of the nodes that live now, and tells of those that are gone. */
  take(living: readonly KnownNode[]): void {
    const { identity, gone } = this.#options;
    const before = this.#living;
    this.#living = new Map(
      living.filter(({ nodeId }) => nodeId !== identity.nodeId).map((node) => [node.nodeId, node]),
    );
    this.#warn();
    this.#compare();
    for (const nodeId of before.keys()) if (!this.#living.has(nodeId)) gone(nodeId);
  }

  /** @throws Error where this node cannot be in one cluster with those that live */
  judge(known: readonly KnownNode[]): void {
    const { identity, clock, limits } = this.#options;
    const silentSince = clock.now() - limits.nodeSilentMs;
    const others = known.filter(
      ({ nodeId, givenUp, seenAt }) => nodeId !== identity.nodeId && !givenUp && seenAt >= silentSince,
    );
    for (const other of others) {
      const objection =
        other.protocol === identity.protocol ? disagreement(identity, other) : otherProtocol(identity, other);
      if (objection !== undefined) throw new Error(objection);
    }
  }

  /** Says once of each node what it is set to that this one is not. */
  #compare(): void {
    const { identity, logger } = this.#options;
    const { agreement: own } = identity;
    if (own === undefined) return;
    const differing = this.peers().flatMap(({ nodeId, name, agreement }) => {
      const variables = agreement === undefined ? [] : differencesOf(own, agreement);
      return variables.length > 0 ? [{ nodeId, name, variables }] : [];
    });
    for (const { nodeId, name, variables } of differing)
      if (!this.#warnedOf.has(nodeId))
        logger.warn(
          { node: name, variables },
          'a node of this cluster is set up otherwise: how somebody is served depends on the node that they come to',
        );
    this.#warnedOf = new Set(differing.map(({ nodeId }) => nodeId));
  }

  /** Says once what a cluster over several machines lacks. */
  #warn(): void {
    const { identity, says, pipeAddress, logger } = this.#options;
    const far = this.peers().find(({ machine }) => machine !== identity.machine);
    if (!far || this.#hasWarned) return;
    this.#hasWarned = true;
    logger.warn(
      { node: far.name },
      'a node of this cluster is on another machine: records are in a file of one machine, so accounts, bans and history made there are not known here',
    );
    const { internalAddress } = says();
    if (pipeAddress !== undefined && isLoopback(`${pipeAddress}:`))
      logger.warn(
        { node: far.name, pipeAddress },
        'a node of this cluster is on another machine, and no voice gets from there to this one or back: set PIPE_ADDRESS to an address that it reaches',
      );
    if (isLoopback(internalAddress))
      logger.warn(
        { node: far.name, internalAddress },
        'a node of this cluster is on another machine and cannot reach this one, so nobody there hears who speaks here: set INTERNAL_ADDRESS to an address that it reaches',
      );
  }
}

const disagreement = (
  { agreement, machine }: Pick<NodeRecord, 'agreement' | 'machine'>,
  other: KnownNode,
): string | undefined =>
  agreement && other.agreement
    ? conflictOf(agreement, other.agreement, { name: other.name, isNear: machine === other.machine })
    : undefined;

const otherProtocol = (
  identity: Pick<NodeRecord, 'protocol' | 'version'>,
  { name, protocol, version }: KnownNode,
): string =>
  `node "${name}" of this cluster speaks version ${protocol} of the protocol (Rostrum ${version}), this node version ${identity.protocol} (Rostrum ${identity.version}): stop the nodes of one version before those of another start, or give them another REDIS_PREFIX`;

/** Whether only this machine reaches this address, such as `127.0.0.1:3001` (RFC 1122 section 3.2.1.3) or `[::1]:3001`. */
const isLoopback = (address: string): boolean => /^(127\.|\[?(::ffff:127\.|::1\]?:)|localhost:)/i.test(address);
