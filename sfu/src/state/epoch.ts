/**
 * How long a store that came back empty is filled again before it serves, in milliseconds: until every node that is alive has
 * noticed (two heartbeats) and found its way back (redis-client.ts pauses for a second at most).
 */
export const restoreMs = 3000;

/**
 * A time during which the live state is one and the same. It ends when the store loses what it holds; the nodes begin another one,
 * write back what they hold, and it opens. An epoch that is not open serves nobody.
 */
export type Epoch = { readonly id: string; readonly state: 'open' | 'restoring' };

/**
 * The epochs of a store that is shared by nodes and may come back empty. Whatever a node asks of such a store is answered only
 * if the epoch that it goes by still is the one of the store, and open; else it rejects with `StateUnavailable`: of a store that lost
 * all, no answer is true. Calls reject only with `StateUnavailable` (room-store.ts).
 */
export interface Epochs {
  /** The epoch of the store; undefined where it has none, so it came back empty. */
  present(): Promise<Epoch | undefined>;
  /** Begins one, to be filled, unless there is one. */
  begin(): Promise<void>;
  /** Opens this one, if it is time and no node is busy writing back. Answers whether it is open. */
  open(epoch: Epoch): Promise<boolean>;
  /** Writes back: what `task` asks of the stores goes by this epoch, while everything else is still refused. */
  during<Value>(epoch: Epoch, task: () => Promise<Value>): Promise<Value>;
  /** From now on everything goes by this epoch, which is open. */
  adopt(epoch: Epoch): void;
  /** Tells once of every epoch that this node went by and that is over, or is being filled. */
  onLost(lost: () => void): void;
}
