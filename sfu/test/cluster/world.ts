import { defaultLimits } from '@rostrum/shared/limits.ts';
import { done } from '@rostrum/shared/result.ts';
import { ClusterNodes, type ClusterNodesOptions, newNodeId } from '../../src/cluster/nodes.ts';
import { Sweeper, type SweepPorts } from '../../src/cluster/sweep.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { ClusterStore } from '../../src/state/cluster-store.ts';
import { keepingLogger } from './logged.ts';

export const { heartbeatMs, nodeSilentMs } = defaultLimits;

export type NodeOptions = Partial<ClusterNodesOptions['identity']> & {
  readonly store: ClusterStore;
  readonly clock: Clock;
  readonly internalAddress?: string;
  readonly pipeAddress?: string;
  readonly ready?: () => boolean;
  readonly settled?: () => boolean;
  readonly wait?: ClusterNodesOptions['wait'];
  readonly ports?: Partial<SweepPorts>;
};

/** A node with its sweeper, and what was told of it. */
export type TestNode = {
  readonly nodes: ClusterNodes;
  readonly sweeper: Sweeper;
  /** `gone …`, `fenced`, `call user session node`, `seat room user session node`, `rooms node room…`, `finish node`. */
  readonly told: string[];
  readonly logged: string[];
  /** Shows itself, looks at the others, and sweeps what there is to sweep. */
  look(): Promise<void>;
};

/** A node on this store, whose time nobody but the test moves. */
export const testNode = (options: NodeOptions): TestNode => {
  const { store, clock, internalAddress = '10.0.0.1:3001', ready = () => true, settled = () => true } = options;
  const { name = 'north', nodeId = newNodeId(name), version = '1.2.3', protocol = 1, machine = 'here' } = options;
  const { logger, logged } = keepingLogger();
  const told: string[] = [];
  const tell = async (...words: readonly string[]): Promise<void> => {
    told.push(words.join(' '));
  };
  const sweeper = new Sweeper({
    store,
    clock,
    logger,
    limits: defaultLimits,
    ports: {
      loseSeat: async (...words) => done(await tell('seat', ...words)),
      loseCall: ({ userId, sessionId }, lost) => tell('call', userId, sessionId, lost),
      nodeLost: (lost, roomIds) => tell('rooms', lost, ...roomIds),
      finish: (lost) => tell('finish', lost),
      ...options.ports,
    },
  });
  const nodes = new ClusterNodes({
    store,
    clock,
    logger,
    limits: defaultLimits,
    identity: { nodeId, name, version, protocol, machine, ...(options.agreement && { agreement: options.agreement }) },
    pipeAddress: options.pipeAddress,
    says: () => ({ internalAddress, load: { sockets: 1, rooms: 2, consumers: 3, full: false } }),
    ready,
    settled,
    gone: (lost) => void tell('gone', lost),
    fenced: () => void tell('fenced'),
    sweep: (nodeIds, rank) => sweeper.sweep(nodeIds, rank),
    ...(options.wait && { wait: options.wait }),
  });
  return {
    nodes,
    sweeper,
    told,
    logged,
    look: async () => {
      await nodes.look();
      await sweeper.idle();
    },
  };
};
