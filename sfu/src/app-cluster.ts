import { hkdfSync } from 'node:crypto';
import { hostname } from 'node:os';
import { protocolVersion } from '@rostrum/shared/protocol/index.ts';
import { refuse } from '@rostrum/shared/result.ts';
import manifest from '../package.json' with { type: 'json' };
import type { LiveState } from './app-state.ts';
import { agreementOf } from './cluster/agreement.ts';
import { machineId } from './cluster/machine.ts';
import { ClusterNodes } from './cluster/nodes.ts';
import { alwaysHealthy, type Health, OutageWatch } from './cluster/outage.ts';
import type { ClusterConfig, Config } from './config.ts';
import { sharedSettings } from './config-shared.ts';
import { openStreamsBus, type StreamsBus } from './gateway/cluster/streams-bus.ts';
import { createPipePeers } from './gateway/internal/internal-client.ts';
import { startInternalServer } from './gateway/internal/internal-server.ts';
import type { RostrumServer } from './gateway/socket/types.ts';
import type { MediaPlane } from './media/media-plane.ts';
import type { PipeOptions } from './media/mediasoup-plane.ts';
import type { AppLogger } from './runtime/logger.ts';
import type { Opened } from './runtime/parts.ts';
import type { NodeLoad, SessionRef } from './state/cluster-store.ts';
import { openBusConnection } from './state/redis/bus-client.ts';

export type NodeParts = {
  readonly config: Config;
  readonly logger: AppLogger;
  readonly nodeId: string;
  readonly opened: Opened;
};

/** What belongs to a node and is made after it is among the others; until then it takes part in nothing. */
export type NodeTasks = {
  media: Pick<MediaPlane, 'servePipe' | 'nodeGone'> | undefined;
  load: () => NodeLoad;
  /** Something that others told, or the store, may have been missed. */
  mend: () => void;
  /** The store is there again after an outage. */
  back: () => void;
  sweep: (nodeIds: readonly string[], rank: number) => void;
  /** What this session held from this node in the queue or in a call counts as lost, or as another node's. */
  displaced: (session: SessionRef) => void;
  /** The others gave this node up. */
  fence: () => void;
};

export const noTasks = (): NodeTasks => ({
  media: undefined,
  load: () => ({ sockets: 0, rooms: 0, consumers: 0, full: false }),
  mend: () => undefined,
  back: () => undefined,
  sweep: () => undefined,
  displaced: () => undefined,
  fence: () => undefined,
});

/** What an operator calls this node. */
export const nodeNameOf = ({ cluster, port }: Config): string => cluster?.nodeName ?? `${hostname()}:${port}`;

/** What nodes know one another by: it comes from the secret that all of them share, and nobody has to configure it. */
const internalSecret = (authSecret: Uint8Array): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', authSecret, '', 'rostrum between nodes v1', 32));

/** The way to the other nodes. */
export const openBus = async (
  { logger, nodeId, opened }: NodeParts,
  { redisUrl: url, redisPrefix: prefix }: ClusterConfig,
  io: RostrumServer,
  tasks: NodeTasks,
): Promise<StreamsBus> => {
  const connection = openBusConnection({ url, prefix, logger });
  const bus = await openStreamsBus({ io, nodeId, connection, logger, missed: () => tasks.mend() });
  return opened('bus', bus, (it) => it.close());
};

/** The health of the live state, by which deadlines go and nodes are given up. */
export const watchHealth = (
  { config, logger, opened }: NodeParts,
  { clock, shared }: LiveState,
  tasks: NodeTasks,
): Health => {
  if (shared === undefined) return alwaysHealthy(clock);
  const watch = new OutageWatch({
    ready: () => shared.redis.ready().ready,
    clock,
    limits: config.limits,
    logger,
    lost: () => undefined,
    back: () => tasks.back(),
    settledAgain: () => undefined,
  });
  watch.start();
  return opened('health of the live state', watch, (it) => it.stop());
};

type Membership = {
  readonly state: LiveState;
  readonly health: Health;
  readonly authSecret: Uint8Array;
  /** `Records.place`. */
  readonly records: string;
  readonly tasks: NodeTasks;
  readonly fenced: () => void;
};

/** This node among the others, enlisted, and how voices come from there. */
export const joinCluster = async (parts: NodeParts, membership: Membership) => {
  const { config, logger, nodeId, opened } = parts;
  const { state, health, authSecret, records, tasks, fenced } = membership;
  const internalAddress = await openInternalServer(parts, membership);
  const { shared } = state;
  const nodes = new ClusterNodes({
    store: state.cluster,
    identity: {
      nodeId,
      name: nodeNameOf(config),
      version: manifest.version,
      protocol: protocolVersion,
      machine: machineId(),
      agreement: agreementOf({ authSecret, records, settings: sharedSettings(config) }),
    },
    pipeAddress: config.cluster?.pipeAddress,
    says: () => ({ internalAddress, load: tasks.load() }),
    clock: state.clock,
    limits: config.limits,
    logger,
    ready: () => shared?.redis.ready().ready ?? true,
    settled: () => health.settled(),
    gone: (gone) => tasks.media?.nodeGone(gone),
    fenced: () => {
      tasks.fence();
      fenced();
    },
    sweep: (nodeIds, rank) => tasks.sweep(nodeIds, rank),
  });
  await nodes.start();
  if (shared !== undefined) {
    const peers = nodes.peers().map(({ name, version }) => `${name} (${version})`);
    logger.info({ node: nodeNameOf(config), nodeId, internalAddress, peers }, 'this node is in the cluster');
  }
  return { nodes: opened('node', nodes, (it) => it.leave()), pipes: pipesOf(parts, membership, nodes) };
};

/** Answers where it is. A node by itself has none. */
const openInternalServer = async (
  { config, logger, nodeId, opened }: NodeParts,
  { state, authSecret, tasks }: Membership,
): Promise<string> => {
  if (config.cluster === undefined) return 'none';
  const { host, port } = config.cluster.internalAddress;
  const server = await startInternalServer({
    self: nodeId,
    host,
    port,
    secret: internalSecret(authSecret),
    servePipe: async (from, demand) => tasks.media?.servePipe(from, demand) ?? refuse('unavailable'),
    clock: state.clock,
    loggerInstance: logger,
  });
  opened('internal server', server, (it) => it.close());
  return `${host.includes(':') ? `[${host}]` : host}:${server.port}`;
};

const pipesOf = (
  { config, logger, nodeId }: NodeParts,
  { state, authSecret }: Membership,
  nodes: ClusterNodes,
): PipeOptions | undefined =>
  config.cluster && {
    ...createPipePeers({
      self: nodeId,
      secret: internalSecret(authSecret),
      addressOf: (node) => nodes.addressOf(node),
      clock: state.clock,
      logger,
    }),
    address: config.cluster.pipeAddress,
    ports: config.pipePorts,
  };
