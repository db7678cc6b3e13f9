import type { Limits } from '@rostrum/shared/limits.ts';
import type { Clock } from '../runtime/clock.ts';
import type { KnownNode } from '../state/cluster-store.ts';

/**
 * How long somebody waits who is sent to another node before they ask again, in milliseconds: by then the other connection is being
 * opened, and what is asked meanwhile waits for that.
 */
const askAgainMs = 500;
/**
 * A node that refused somebody is full for so long, in milliseconds, whatever its own figures say: a room may need more than is left
 * though there is something left, and who was refused must not come back to where they were. Long enough for a connection to the
 * other node, and for the others to hear of it, who show themselves every second.
 */
const fullMs = 3000;

/**
 * Heartbeats after which what a node said of itself counts no more: one of two may come late, but one that died, or of which the store
 * does not tell any more, must not keep people out of this one until it is given up.
 */
const heartbeatsHeeded = 3;

export type PlacingOptions = {
  /** Whether there is room here for anybody who listens. */
  readonly hasRoom: () => boolean;
  /** The other nodes that live. */
  readonly peers: () => readonly Pick<KnownNode, 'draining' | 'load' | 'seenAt'>[];
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  /** The store's clock, by which the others were seen. */
  readonly clock: Clock;
  readonly limits: Pick<Limits, 'heartbeatMs'>;
};

/** Where people go for whom there is no room here (MD-3): to another node, where one has some. */
export type Placing = {
  /** Whether there is no room here; the other nodes hear of it. */
  isFull(): boolean;
  /** Whether new sockets are for other nodes: this one is full, and another is not. */
  turnsAway(): boolean;
  /**
   * Somebody was refused for there is no room here. Answers in how many milliseconds to try it again, at another node; undefined where
   * none has room either.
   */
  refused(): number | undefined;
};

export const createPlacing = ({ hasRoom, peers, now, clock, limits }: PlacingOptions): Placing => {
  let fullUntil = Number.NEGATIVE_INFINITY;
  const isFull = (): boolean => now() < fullUntil || !hasRoom();
  const elsewhere = (): boolean => {
    const since = clock.now() - heartbeatsHeeded * limits.heartbeatMs;
    return peers().some(({ draining, load, seenAt }) => !draining && !load.full && seenAt >= since);
  };
  return {
    isFull,
    turnsAway: () => isFull() && elsewhere(),
    refused: () => {
      fullUntil = now() + fullMs;
      return elsewhere() ? askAgainMs : undefined;
    },
  };
};
