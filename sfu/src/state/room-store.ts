import type { DeadlineKey } from '../rules/room/deadlines.ts';
import type { Sequences } from '../rules/room/project.ts';
import type { RoomControl, RoomState, Seat, Standing } from '../rules/room/state.ts';
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

  // ——— Copies, for a store that comes back empty (epoch.ts) ———

  /** The room with all standings, and of the audience the seats of these people. */
  copy(roomId: string, userIds: readonly string[]): Promise<RoomCopy | undefined>;
  /**
   * Writes back what a node knows of a room. Of several copies the record with the highest version holds, and each seat and
   * standing as it was written last; one of a room that ended removes it. The numbers of the views go on `sequenceJump` behind the
   * highest, so that clients notice a gap and see no number twice.
   *
   * `late`: the room may have gone on since others wrote it back, so only what is not there is written.
   */
  restore(copy: RoomCopy, options: RoomRestoreOptions): Promise<void>;
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

/**
 * `sequences` are the numbers after the commit, and `place` is its own among all commits of the room, from 1; `conflict` asks to
 * load and decide again.
 */
export type CommitResult =
  | {
      readonly outcome: 'committed';
      readonly version: number;
      readonly place: number;
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

/** How far all numbers of a room move on when it is written back: by more than were told and not heard of by another node. */
export const sequenceJump = 1000;

/** What a node knows of a room. */
export type RoomCopy = {
  readonly control: RoomControl;
  readonly version: number;
  /** The place of the last commit that it knows of. */
  readonly place: number;
  readonly sequences: Sequences;
  /** Seats of the audience by user, */
  readonly audience: ReadonlyMap<string, Copied<Seat>>;
  /** and standings by their key. */
  readonly standings: ReadonlyMap<string, Copied<Standing>>;
};

/** What was written by the commit at this place or before, so that of two the later one is known; null for what was removed. */
export type Copied<Value> = { readonly value: Value | null; readonly at: number };

export type RoomRestoreOptions = {
  /** The deadlines of the record and of the seats. */
  readonly deadlines: ReadonlyMap<DeadlineKey, number>;
  readonly late: boolean;
};

/** Thrown where the store cannot be reached. The edges answer `unavailable` (RE-4). */
export class StateUnavailable extends Error {
  override readonly name = 'StateUnavailable';
}
