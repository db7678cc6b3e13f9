import type { Logger } from './logger.ts';

/** What a node is about, from its start to its end. Times are milliseconds of the injected clock. */
export type NodeState =
  | { readonly state: 'starting' }
  | { readonly state: 'serving' }
  /** It takes nobody new, and whoever is here moves to another node, until `until` at the latest (OP-2). */
  | { readonly state: 'draining'; readonly until: number }
  /** The other nodes gave it up while it stood still: what it does now may harm those who are elsewhere already. */
  | { readonly state: 'fenced' }
  | { readonly state: 'closing' }
  | { readonly state: 'closed' };

/** How a drain came out: the people are at other nodes (or had their time for it), or there is no node to go to. */
export type Drained = 'moved' | 'alone';

export type LifecyclePorts = {
  /** How long a drain may take, in milliseconds. */
  readonly drainMs: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  /**
   * How many other nodes live and take people; 0 for a node by itself. Rejects where that is not known, for the state store is
   * away.
   */
  readonly peers: () => Promise<number>;
  /** Shows the others that this node drains, before its next heartbeat does. */
  readonly announce: () => Promise<void>;
  /** The sockets that are here, by their ids. */
  readonly sockets: () => readonly string[];
  /** Tells these sockets that they are to move (`session:closing`, code `moving`). */
  readonly tell: (socketIds: readonly string[]) => void;
  /** Seats and sides of calls whose media goes through this node. */
  readonly mediaSeats: () => number;
  /** Leaves the cluster and lets go of everything. With `endRooms` rooms and calls end first, and everybody learns why (RM-3). */
  readonly release: (how: { readonly endRooms: boolean }) => Promise<void>;
};

export type Lifecycle = {
  readonly state: NodeState;
  /** Whether it takes people who are not here yet. */
  accepting(): boolean;
  /** Why it takes nobody, in the words of `/readyz`; undefined while it does. */
  reason(): string | undefined;
  /** Everything stands. */
  started(): void;
  /**
   * Takes nobody new, tells its people to move, and waits until none is left or the time is over. `alone`: there is no other
   * node that takes people, so nobody was told, or those that there were are gone. Never rejects; later calls wait for the first.
   */
  drain(): Promise<Drained>;
  /** The other nodes gave this one up. */
  fence(): void;
  /** Ends everything, once; cuts a drain short. Rooms end only where no other node serves them. Later calls wait for the first. */
  close(): Promise<void>;
};

/** Between two looks at who is left, and between two batches of people who are told, in milliseconds. */
const tickMs = 100;
/** People who are told in one tick at least: 50 a second come back to the other nodes within moments. */
const fewestPerTick = 5;
/** The share of the time in which everybody is told: the rest is for moving, and for media that plays on meanwhile (RE-2). */
const tellingShare = 1 / 3;
/** How often it is asked whether the other nodes still take people, in milliseconds. */
const peersMs = 1000;
/** Without any node to go to for so long, in milliseconds, people would wait for nothing; one that starts anew is back before. */
const aloneMs = 5000;

/** The life of one node. Pure but for its ports. */
export const createLifecycle = (ports: LifecyclePorts): Lifecycle => {
  let state: NodeState = { state: 'starting' };
  let draining: Promise<Drained> | undefined;
  let drained: Drained | undefined;
  let closing: Promise<void> | undefined;
  const isDraining = (): boolean => state.state === 'draining';

  const drain = async (): Promise<Drained> => {
    // A node that does not serve, or was given up, has nobody to see off.
    if (state.state !== 'serving') return 'moved';
    const until = ports.now() + ports.drainMs;
    state = { state: 'draining', until };
    drained = await seeOff(ports, { until, wanted: isDraining });
    return drained;
  };

  const close = async (): Promise<void> => {
    const fenced = state.state === 'fenced';
    state = { state: 'closing' };
    const endRooms = !fenced && (drained === undefined ? await isAlone(ports) : drained === 'alone');
    await ports.release({ endRooms });
    state = { state: 'closed' };
  };

  return {
    get state() {
      return state;
    },
    accepting: () => state.state === 'serving',
    reason: () => reasonOf(state),
    started: () => {
      if (state.state === 'starting') state = { state: 'serving' };
    },
    drain: () => {
      draining ??= drain();
      return draining;
    },
    fence: () => {
      if (state.state !== 'closing' && state.state !== 'closed') state = { state: 'fenced' };
    },
    close: () => {
      closing ??= close();
      return closing;
    },
  };
};

const reasonOf = (now: NodeState): string | undefined => {
  switch (now.state) {
    case 'serving':
      return undefined;
    case 'starting':
      return 'starting';
    case 'draining':
      return 'draining';
    case 'fenced':
      return 'given up by the other nodes';
    case 'closing':
    case 'closed':
      return 'stopping';
  }
};

/** Whether this is the only node that serves. Where that is not known rooms could not be ended in the state store either. */
const isAlone = async ({ peers, logger }: LifecyclePorts): Promise<boolean> => {
  try {
    return (await peers()) === 0;
  } catch (error) {
    logger.warn({ err: error }, 'the other nodes are not known, so rooms are left to them');
    return false;
  }
};

type Departure = { readonly until: number; readonly wanted: () => boolean };

const seeOff = async (ports: LifecyclePorts, { until, wanted }: Departure): Promise<Drained> => {
  const { now, sleep, logger, sockets, tell, mediaSeats, drainMs } = ports;
  await ports.announce().catch((error: unknown) => logger.warn({ err: error }, 'a drain could not be announced'));
  if (await isAlone(ports)) return 'alone';
  const watch = watchPeers(ports);
  const told = new Set<string>();
  const rounds = Math.max(1, Math.floor((drainMs * tellingShare) / tickMs));
  const perTick = Math.max(fewestPerTick, Math.ceil(sockets().length / rounds));
  logger.info({ sockets: sockets().length, mediaSeats: mediaSeats(), drainMs }, 'draining: people move to other nodes');
  while (wanted() && now() < until) {
    const here = sockets();
    if (here.length === 0 && mediaSeats() === 0) break;
    watch.look();
    if (watch.alone()) return 'alone';
    // Without a word of the state store nobody is sent anywhere: they could not sit down there.
    const next = watch.known() ? here.filter((socketId) => !told.has(socketId)).slice(0, perTick) : [];
    if (next.length > 0) tell(next);
    for (const socketId of next) told.add(socketId);
    await sleep(Math.min(tickMs, Math.max(1, until - now())));
  }
  const left = { sockets: sockets().length, mediaSeats: mediaSeats() };
  logger.info(left, left.sockets + left.mediaSeats === 0 ? 'drained: nobody is left' : 'the time for draining is over');
  return 'moved';
};

/** Asks for the other nodes now and then, never twice at a time, and keeps nobody waiting for the answer. */
const watchPeers = ({ peers, now }: LifecyclePorts) => {
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking = false;
  let known = false;
  let aloneSince: number | undefined;
  const learn = (count: number): void => {
    known = true;
    if (count > 0) aloneSince = undefined;
    else aloneSince ??= now();
  };
  return {
    look: (): void => {
      if (asking || now() - askedAt < peersMs) return;
      asking = true;
      askedAt = now();
      peers()
        .then(learn, () => {
          known = false;
          aloneSince = undefined;
        })
        .finally(() => {
          asking = false;
        });
    },
    known: () => known,
    alone: () => aloneSince !== undefined && now() - aloneSince >= aloneMs,
  };
};
