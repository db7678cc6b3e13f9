import type { DeadlineKey } from '../rules/room/deadlines.ts';
import type { Sequences } from '../rules/room/project.ts';
import type { RoomControl, RoomState, Seat } from '../rules/room/state.ts';
import type { Touched } from '../rules/room/touches.ts';

/**
 * The live state of rooms. One aggregate is a small control record with a version, its audience and its standings in
 * maps beside it, the sequence numbers of its views and its deadlines; a commit changes all of them together or nothing
 * (RE-1). Every implementation passes one contract suite. Calls reject only with `StateUnavailable`.
 */
export interface RoomStore {
  /** Stores a new room. */
  create(room: RoomState, deadlines: ReadonlyMap<DeadlineKey, number>): Promise<void>;
  /** The room with the entries that a command touches; undefined where there is none. */
  load(roomId: string, touched: (control: RoomControl) => Touched): Promise<LoadedRoom | undefined>;
  /**
   * Compare-and-set: writes what differs between `before` and `after` if the version is still that of the load, every
   * touched entry is as it was in `before`, the guards hold, and `expiresAt` has not passed.
   */
  commit(commit: RoomCommit): Promise<CommitResult>;
  /** The room as its people see it: with the first `most` seats of the audience, in order of arrival. */
  snapshot(roomId: string, options: { most: number; userIds: readonly string[] }): Promise<RoomSnapshot | undefined>;
  /** A page of the audience in order of arrival; with `query`, of those whose name contains it, whatever its case. */
  audiencePage(
    roomId: string,
    options: { offset: number; limit: number; query?: string },
  ): Promise<{ seats: Seat[]; total: number }>;
  /** Active rooms, newest first. `before` is the position of the last one seen. */
  list(options: {
    limit: number;
    before?: ListPosition;
    only: (control: RoomControl) => boolean;
  }): Promise<ListedRoom[]>;
  /** How many rooms are active. */
  count(): Promise<number>;
  /** Forgets a room and everything beside it. */
  remove(roomId: string): Promise<void>;
  /** Deadlines that are due at `now`, earliest first. They stay until the commit that carries them out. */
  due(now: number, most: number): Promise<DueDeadline[]>;
  /** Removes a deadline that turned out to have no cause, if it is still the same. */
  clearDeadline(due: DueDeadline): Promise<void>;
}

export type LoadedRoom = { readonly state: RoomState; readonly version: number };

export type RoomCommit = {
  readonly roomId: string;
  readonly version: number;
  readonly before: RoomState;
  readonly after: RoomState;
  readonly guards: CommitGuards;
  /** How many numbers each view's sequence moves on by; `self` by user. */
  readonly advance: Sequences;
  readonly deadlines: DeadlineChanges;
  /** Milliseconds since the epoch by the store's clock: a commit that the caller gave up on must not happen later. */
  readonly expiresAt: number;
};

export type CommitGuards = {
  /** The audience has fewer than this. */
  readonly audienceBelow?: number;
  /** The audience has just this many. */
  readonly audienceExactly?: number;
  /** There are fewer standings than this. */
  readonly standingsBelow?: number;
};

export type DeadlineChanges = {
  readonly set: ReadonlyMap<DeadlineKey, number>;
  readonly clear: readonly DeadlineKey[];
};

/** `sequences` are the numbers after the commit; `conflict` asks to load and decide again. */
export type CommitResult =
  | {
      readonly outcome: 'committed';
      readonly version: number;
      readonly audienceSize: number;
      readonly sequences: Sequences;
    }
  | { readonly outcome: 'conflict' | 'guard' | 'expired' | 'gone' };

export type RoomSnapshot = {
  readonly state: RoomState;
  readonly listed: readonly Seat[];
  readonly sequences: Sequences;
};

export type ListPosition = { readonly createdAt: number; readonly roomId: string };
export type ListedRoom = { readonly control: RoomControl; readonly audienceSize: number };
export type DueDeadline = { readonly roomId: string; readonly key: DeadlineKey; readonly at: number };

/** Thrown where the store cannot be reached. The edges answer `unavailable` (RE-4). */
export class StateUnavailable extends Error {
  override readonly name = 'StateUnavailable';
}
