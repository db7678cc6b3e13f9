import type { composeCalls } from './app-calls.ts';
import type { NodeParts, NodeTasks } from './app-cluster.ts';
import type { composeRooms } from './app-rooms.ts';
import type { LiveState } from './app-state.ts';
import { createSweepPorts } from './app-sweep.ts';
import type { ClusterNodes } from './cluster/nodes.ts';
import { Restorer } from './cluster/restore.ts';
import { loseStrays } from './cluster/strays.ts';
import { Sweeper, type SweepPorts } from './cluster/sweep.ts';
import { displacedIn } from './gateway/cluster/displaced.ts';
import type { StreamsBus } from './gateway/cluster/streams-bus.ts';
import { takeFromBus } from './gateway/cluster/take-from-bus.ts';
import { createViewResync, type SeatHere } from './gateway/cluster/view-resync.ts';
import type { Placing } from './gateway/placing.ts';
import type { Connections } from './gateway/socket/connections.ts';
import type { RostrumServer } from './gateway/socket/types.ts';
import type { Records } from './records/records.ts';
import type { RoomPublisher } from './rooms/ports.ts';
import type { SessionRef } from './state/cluster-store.ts';
import { StateUnavailable } from './state/room-store.ts';

type Upkeep = {
  readonly state: LiveState;
  readonly nodes: ClusterNodes;
  readonly bus: StreamsBus | undefined;
  readonly io: RostrumServer;
  readonly local: RoomPublisher;
  readonly records: Records;
  readonly connections: Connections;
  readonly placing: Pick<Placing, 'isFull'>;
  readonly core: Awaited<ReturnType<typeof composeRooms>>;
  readonly calling: Pick<Awaited<ReturnType<typeof composeCalls>>, 'calls' | 'searches'>;
  readonly tasks: NodeTasks;
};

/** What a node does for the others, and what it makes good after it could not hear them or the store. */
export const keepUp = (parts: NodeParts, upkeep: Upkeep): void => {
  const { config, logger, opened } = parts;
  const { state, bus, io, local, records, connections, core, tasks } = upkeep;
  const { media, control } = core;
  const resync = createViewResync({
    io,
    store: state.rooms,
    local,
    seats: connections.seats,
    nodeId: parts.nodeId,
    lost: (seat) => void sitDownAgain(seat, upkeep, logger),
    endReason: async (roomId) => (await records.rooms.get(roomId))?.endReason ?? undefined,
    logger,
  });
  const { shared } = state;
  const mend = onceMore(async () => {
    await connections.restate();
    await Promise.all([shared?.rooms.copies.reload(), shared?.calls.copies.reload()]);
    await control.mend();
    await resync.all();
  }, logger);
  tasks.media = media;
  tasks.load = () => ({
    sockets: io.sockets.sockets.size,
    rooms: media.roomIds().length,
    consumers: media.load().reduce((sum, { consumers }) => sum + consumers, 0),
    full: upkeep.placing.isFull(),
  });
  tasks.mend = mend;
  tasks.back = mend;
  const { clock, cluster } = state;
  const ports = createSweepPorts({ state, rooms: core.rooms, ...upkeep.calling });
  const sweeper = opened(
    'sweeper',
    new Sweeper({ store: cluster, ports, clock, limits: config.limits, logger }),
    (it) => it.stop(),
  );
  tasks.sweep = (nodeIds, rank) => sweeper.sweep(nodeIds, rank);
  tasks.displaced = (session) => void takeUpAgain(session, upkeep, logger);
  opened('restorer', restorerOf(parts, upkeep, { mend, ports }), (it) => it?.stop());
  bus?.listen(
    takeFromBus({
      io,
      local,
      sessionTaken: connections.taken,
      moved: (seat) => void resync.one(seat),
      media: (message) => control.taken(message),
      copies: (message) => {
        if (message.kind !== 'room-copy') return shared?.calls.copies.told(message);
        shared?.rooms.copies.told(message);
        for (const seat of displacedIn(message, parts.nodeId))
          if (connections.find(seat)?.roomId === seat.roomId) void resync.one(seat);
      },
    }),
  );
};

const restorerOf = (
  { config, logger }: NodeParts,
  upkeep: Upkeep,
  { mend, ports }: { mend: () => void; ports: SweepPorts },
): Restorer | undefined => {
  const { state, nodes, connections } = upkeep;
  if (state.shared === undefined) return undefined;
  const { redis, rooms, calls } = state.shared;
  return new Restorer({
    epochs: redis.epochs,
    rooms,
    calls,
    restate: async () => {
      await nodes.restate();
      await connections.restate();
    },
    restored: mend,
    settled: () => loseStrays({ cluster: state.cluster, rooms: rooms.copies, calls: calls.copies, ports }),
    limits: config.limits,
    logger,
  });
};

/** Takes up a seat that counts as lost, or as another node's, though its session is at this one. */
const sitDownAgain = async (
  { roomId, userId, sessionId }: SeatHere,
  { connections, core }: Upkeep,
  logger: NodeParts['logger'],
): Promise<void> => {
  const session = { userId, sessionId };
  const found = connections.find(session);
  if (found?.roomId !== roomId || !(await connections.holds(session))) return;
  try {
    const joined = await core.rooms.join(found.person, roomId, sessionId);
    // They may have left in the middle of it, and sit down by it anew.
    if (joined.ok && connections.find(session)?.roomId !== roomId)
      await core.rooms.command(roomId, { type: 'leave', by: { ...session, operator: false } });
  } catch (error) {
    logger.warn({ err: error }, 'a seat that counts as lost could not be taken up again');
  }
};

/** The same of a place in the queue, or of a side of a call. */
const takeUpAgain = async (
  { userId, sessionId }: SessionRef,
  { connections, calling }: Upkeep,
  logger: NodeParts['logger'],
): Promise<void> => {
  const session = { userId, sessionId };
  if (!(await connections.holds(session))) return;
  try {
    await calling.calls.sync(session);
  } catch (error) {
    logger.warn({ err: error }, 'a place that counts as lost could not be taken up again');
  }
};

/** Runs a task, and once more where it is asked for meanwhile. What fails for the store is away comes again when it is back. */
const onceMore = (task: () => Promise<unknown>, logger: NodeParts['logger']): (() => void) => {
  let running = false;
  let again = false;
  const run = async (): Promise<void> => {
    running = true;
    do {
      again = false;
      try {
        await task();
      } catch (error) {
        if (error instanceof StateUnavailable)
          logger.debug({ err: error }, 'what may have been missed waits for the store');
        else logger.error({ err: error }, 'what may have been missed could not be made good');
      }
    } while (again);
    running = false;
  };
  return () => {
    if (running) again = true;
    else void run();
  };
};
