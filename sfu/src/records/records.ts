import type { UserKind } from '@rostrum/shared/protocol/rest.ts';
import type { EndReason, ModerationEntry, RoomSettings } from '@rostrum/shared/protocol/room.ts';
import type {
  BlockRecords,
  CallMessageRecords,
  CallRecords,
  ConsentRecords,
  RatingRecords,
  ReportRecords,
  SettingRecords,
} from './call-records.ts';

/**
 * Durable records: what must outlive the process. Two implementations follow one contract suite: SQLite (embedded) and,
 * for a cluster, MongoDB. A promise resolves once the record is durable. Times are milliseconds since the Unix epoch.
 * Every promise may reject with `RecordsUnavailableError` (the store cannot answer now) and, where something is read, with
 * `CorruptRecordError` (what is stored there is not what was written).
 */
export interface Records {
  readonly users: UserRecords;
  readonly rooms: RoomRecords;
  readonly bans: BanRecords;
  readonly moderation: ModerationRecords;
  readonly claims: ClaimRecords;
  readonly calls: CallRecords;
  readonly callMessages: CallMessageRecords;
  readonly ratings: RatingRecords;
  readonly blocks: BlockRecords;
  readonly reports: ReportRecords;
  readonly consents: ConsentRecords;
  readonly settings: SettingRecords;
  /** What tells these records from others on this machine: processes that have it in common share them. */
  readonly place: string;
  /** Whether a record could be written now; false where the disk is full or the store is away. */
  ready(): Promise<boolean>;
  close(): Promise<void>;
}

export type UserRecord = {
  readonly userId: string;
  readonly displayName: string;
  readonly kind: UserKind;
  readonly createdAt: number;
  readonly lastSeenAt: number;
};

/** How a guest is known besides their id: a keyed hash of the network address, and a device cookie (MO-2). */
export type Traces = { readonly addressHash?: string; readonly deviceId?: string };

export interface UserRecords {
  /** Writes a new user, or the name and kind of a known one. Who is no guest any more has their traces forgotten. */
  put(user: UserRecord): Promise<void>;
  get(userId: string): Promise<UserRecord | undefined>;
  /**
   * Notes that the user was here, and from where. Traces are kept of guests alone; one that is absent leaves the earlier
   * one in place, and a visit older than the last one changes nothing. A user that is not known is left alone.
   */
  seen(userId: string, at: number, traces: Traces): Promise<void>;
  /** The latest traces of the user: none for anybody but a guest, undefined for a user that is not known. */
  tracesOf(userId: string): Promise<Traces | undefined>;
  /**
   * Deletes up to `most` guests last seen before `before`, the longest unseen first (ID-6). What they accepted goes with them,
   * and so do blocks by them and of them, who never come back; reports stay. Answers how many guests it deleted.
   */
  deleteGuestsUnseenSince(before: number, most: number): Promise<number>;
  hasAdmin(): Promise<boolean>;
}

export type RoomRecord = {
  readonly roomId: string;
  /** Who created it; a host later on may be another. */
  readonly creatorId: string;
  readonly hostId: string;
  readonly settings: RoomSettings;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly endReason: EndReason | null;
};

export interface RoomRecords {
  /** Writes a new room. Rejects where the id is there already. */
  insert(room: RoomRecord): Promise<void>;
  get(roomId: string): Promise<RoomRecord | undefined>;
  /** Writes changed settings or a changed host. A room that is not known is left alone. */
  update(roomId: string, change: { settings?: RoomSettings; hostId?: string }): Promise<void>;
  /** Notes the end of a room, once: an end that is there already stays. */
  end(roomId: string, at: number, reason: EndReason): Promise<void>;
  /** When this person created rooms since `since`: the latest `most` times, oldest first (RM-2). */
  createdBySince(creatorId: string, since: number, most: number): Promise<number[]>;
  /** Ends every room that was created by `at` and has no end yet: the processes that served it are gone. Answers how many. */
  endAll(at: number, reason: EndReason): Promise<number>;
}

/** A ban from every room of a host (MO-2). `until` bounds the guest's traces; the ban of the id holds until lifted. */
export type BanRecord = {
  readonly hostId: string;
  readonly userId: string;
  readonly displayName: string;
  readonly byId: string;
  readonly reason: string | null;
  readonly at: number;
  /** Set for guests: address and device are covered until `until`. */
  readonly traces?: Traces & { readonly until: number };
};

export interface BanRecords {
  /** Writes a ban; one that is there for the same host and user is replaced. */
  put(ban: BanRecord): Promise<void>;
  remove(hostId: string, userId: string): Promise<void>;
  /** The ban by this host that covers the person: by id, or (for guests, whose traces are given) by address or device. */
  find(hostId: string, person: { userId: string; traces?: Traces }, now: number): Promise<BanRecord | undefined>;
  /** Forgets the traces of up to `most` bans that were over at `now`; the bans of the ids stay. Answers how many. */
  forgetTraces(now: number, most: number): Promise<number>;
}

export interface ModerationRecords {
  /** Appends entries; one whose id is there already is not written twice. */
  append(roomId: string, hostId: string, entries: readonly ModerationEntry[]): Promise<void>;
  /** The entries of a room, newest first; with `before`, those of an earlier time alone. */
  list(roomId: string, options: { limit: number; before?: number }): Promise<ModerationEntry[]>;
  /** Deletes up to `most` entries older than `before`. Answers how many it deleted. */
  deleteBefore(before: number, most: number): Promise<number>;
}

/** One-time links for the first administrator (OP-7). Only a hash of each code is kept. */
export interface ClaimRecords {
  /** Replaces every open claim. */
  put(codeHash: string, expiresAt: number): Promise<void>;
  /** Opens one beside those that are open; the oldest of very many goes. */
  add(codeHash: string, expiresAt: number): Promise<void>;
  /** Uses all of them up: true once, for the right code before it expires. */
  use(codeHash: string, now: number): Promise<boolean>;
}
