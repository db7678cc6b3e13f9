import type { Sequences } from '../../rules/room/project.ts';
import type { RoomControl, Seat } from '../../rules/room/state.ts';
import type { Touched } from '../../rules/room/touches.ts';
import { newId } from '../../runtime/ids.ts';
import {
  type CommitResult,
  type DueDeadline,
  type ListedRoom,
  type ListPosition,
  type LoadedRoom,
  type RoomCommit,
  type RoomCopy,
  type RoomRestoreOptions,
  type RoomSnapshot,
  type RoomStore,
  StateUnavailable,
} from '../room-store.ts';
import type { RedisConnection } from './connection.ts';
import { readMembers, readRoomDeadline, roomMember } from './deadline-members.ts';
import { Recent } from './recent.ts';
import { type CommitSteps, commitRoom, createRoom, removeRoom } from './room-commit.ts';
import {
  type KnownControl,
  type Reading,
  readArrivals,
  readAudience,
  readCopy,
  readEntries,
  readHead,
  readSeats,
  readSnapshot,
  type SnapshotOptions,
} from './room-reads.ts';
import { type RefusedEntries, restoreEntries, restoreRecord } from './room-restore.ts';
import { readControl } from './room-values.ts';
import { type Results, Transaction } from './transaction.ts';

/** Control records kept by this node, ten times as many as the rooms that it hosts by default: a few kilobytes each. */
const controlsKept = 1000;
/** Looks at a room whose control record changes between them, until it is given up; one nearly always does. */
const mostLooks = 8;
/** Rooms of a list that are read at a time, each with its control record; */
const roomBatch = 50;
/** seats that are read at a time where names are searched. */
const seatBatch = 500;

/** The store of rooms for a cluster. What is under which key is in keys.ts, what a commit does in room-commit.ts. */
export const createRedisRoomStore = (redis: RedisConnection): RoomStore => new RedisRoomStore(redis);

class RedisRoomStore implements RoomStore {
  readonly #redis: RedisConnection;
  readonly #known = new Recent<KnownControl>(controlsKept);

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  async create(room: LoadedRoom['state'], deadlines: Parameters<RoomStore['create']>[1]): Promise<void> {
    await this.#redis.write(createRoom(this.#redis.keys, { room, deadlines, stamp: newId() }));
  }

  /**
   * Usually one round trip: what this node knows of the control record says which entries to read, and the record comes with them
   * where it is another by now. Only where that touches entries that the one before did not is it looked again.
   */
  async load(roomId: string, touched: (control: RoomControl) => Touched): Promise<LoadedRoom | undefined> {
    const { keys } = this.#redis;
    const remembered = this.#known.get(roomId);
    let known = remembered ?? (await this.#read(readHead(keys, roomId)));
    for (let looks = 0; known && looks < mostLooks; looks += 1) {
      const wanted = touched(known.control);
      const found: Look | undefined = await this.#read(readEntries(keys, known, wanted));
      if (found && found.known !== remembered) this.#known.set(roomId, found.known);
      if (found && covers(wanted, touched(found.known.control))) return loadedFrom(found);
      known = found?.known;
    }
    if (known) throw new StateUnavailable('the room changed at every look');
    this.#known.delete(roomId);
    return undefined;
  }

  async commit(commit: RoomCommit): Promise<CommitResult> {
    const stamp = newId();
    const { transaction, steps } = commitRoom(this.#redis.keys, commit, stamp);
    const reply = await this.#redis.writeBy(transaction, commit.expiresAt);
    if (reply.code !== 'done') return { outcome: reply.code };
    const version = reply.results.count(steps.version);
    const { control } = commit.after;
    if (control !== commit.before.control) this.#known.set(commit.roomId, { stamp, version, control });
    return {
      outcome: 'committed',
      version,
      place: reply.results.count(steps.place),
      audienceSize: reply.results.count(steps.audienceSize),
      sequences: sequencesAfter(reply.results, steps),
    };
  }

  async snapshot(roomId: string, options: SnapshotOptions): Promise<RoomSnapshot | undefined> {
    const found = await this.#read(readSnapshot(this.#redis.keys, roomId, options));
    if (!found) return undefined;
    this.#known.set(roomId, found.known);
    const { entries, known, listed, sequences } = found;
    return { state: { control: known.control, ...entries }, listed, sequences };
  }

  async audiencePage(
    roomId: string,
    { offset, limit, query }: { offset: number; limit: number; query?: string },
  ): Promise<{ seats: Seat[]; total: number }> {
    if (query) {
      const found = await this.#search(roomId, query.toLowerCase());
      return { seats: found.slice(offset, offset + limit), total: found.length };
    }
    return this.#read(readAudience(this.#redis.keys, roomId, { from: offset, to: offset + limit - 1 }));
  }

  async list({ limit, before, only }: Parameters<RoomStore['list']>[0]): Promise<ListedRoom[]> {
    const listed: ListedRoom[] = [];
    let behind = before;
    while (listed.length < limit) {
      const page = await this.#pageOfRooms(behind);
      const rooms = await this.#listed(page.roomIds);
      listed.push(...rooms.filter(({ control }) => only(control)));
      behind = page.last;
      if (page.roomIds.length < roomBatch) break;
    }
    return listed.slice(0, limit);
  }

  async count(): Promise<number> {
    const transaction = new Transaction();
    const size = transaction.step('ZCARD', this.#redis.keys.rooms);
    return this.#read({ transaction, read: (results) => results.count(size) });
  }

  async remove(roomId: string): Promise<void> {
    this.#known.delete(roomId);
    await this.#redis.write(removeRoom(this.#redis.keys, roomId));
  }

  async due(now: number, most: number): Promise<DueDeadline[]> {
    const transaction = new Transaction();
    const words = ['-inf', now, 'WITHSCORES', 'LIMIT', 0, most];
    const step = transaction.step('ZRANGEBYSCORE', this.#redis.keys.roomDeadlines, ...words);
    const members = await this.#read({ transaction, read: (results) => readMembers(results.texts(step)) });
    return members.flatMap((member) => readRoomDeadline(member) ?? []);
  }

  async clearDeadline({ roomId, key, at }: DueDeadline): Promise<void> {
    const { keys } = this.#redis;
    const transaction = new Transaction<'other'>();
    const member = roomMember(roomId, key);
    transaction.guard('other', 'scored', keys.roomDeadlines, member, at);
    transaction.step('ZREM', keys.roomDeadlines, member);
    transaction.step('SREM', keys.room(roomId).deadlines, member);
    await this.#redis.write(transaction);
  }

  async copy(roomId: string, userIds: readonly string[]): Promise<RoomCopy | undefined> {
    const found = await this.#read(readCopy(this.#redis.keys, roomId, userIds));
    if (found) this.#known.set(roomId, found.known);
    return found?.copy;
  }

  async restore(copy: RoomCopy, options: RoomRestoreOptions): Promise<void> {
    await this.#redis.write(restoreRecord(this.#redis.keys, copy, { ...options, stamp: newId() }));
    if (copy.control.status === 'ended') return;
    if (options.late) return this.#restoreLate(copy, options);
    await this.#writeAll(restoreEntries(this.#redis.keys, copy, { deadlines: options.deadlines }));
  }

  /** What is not there, and of the audience nobody who is on the stage by now. */
  async #restoreLate(copy: RoomCopy, { deadlines }: RoomRestoreOptions): Promise<void> {
    const { keys } = this.#redis;
    for (let looks = 0; looks < mostLooks; looks += 1) {
      const present = await this.#read(readHead(keys, copy.control.roomId));
      if (present?.control.status !== 'active') return;
      const onStage = new Set(present.control.stage.map(({ userId }) => userId));
      const audience = new Map([...copy.audience].filter(([userId]) => !onStage.has(userId)));
      const { version } = present;
      if (await this.#writeAll(restoreEntries(keys, { ...copy, audience }, { deadlines, version }))) return;
    }
    throw new StateUnavailable('the room changed at every look');
  }

  /** Answers whether they were carried out, or the room is gone; not where it changed. */
  async #writeAll(transactions: readonly Transaction<RefusedEntries>[]): Promise<boolean> {
    for (const transaction of transactions) {
      const { code } = await this.#redis.write(transaction);
      if (code === 'gone' || code === 'changed') return code === 'gone';
    }
    return true;
  }

  async #search(roomId: string, wanted: string): Promise<Seat[]> {
    const { keys } = this.#redis;
    const found: Seat[] = [];
    for (let behind = 0; ; ) {
      const page = await this.#read(readArrivals(keys, roomId, { behind, most: seatBatch }));
      const userIds = page.map(({ member }) => member);
      const seats = userIds.length > 0 ? await this.#read(readSeats(keys, roomId, userIds)) : [];
      found.push(...seats.filter((seat) => seat.displayName.toLowerCase().includes(wanted)));
      behind = page.at(-1)?.at ?? behind;
      if (page.length < seatBatch) return found;
    }
  }

  /** The next active rooms, newest first, and the position of the last one. */
  async #pageOfRooms(behind: ListPosition | undefined): Promise<{ roomIds: string[]; last: ListPosition | undefined }> {
    const transaction = new Transaction();
    const words = ['down', behind?.createdAt ?? '', behind?.roomId ?? '', roomBatch];
    const step = transaction.step('page', this.#redis.keys.rooms, ...words);
    const { members, score } = (await this.#redis.read(transaction)).page(step);
    const roomId = members.at(-1);
    return { roomIds: members, last: roomId === undefined ? undefined : { roomId, createdAt: score } };
  }

  /** These rooms, without those that ended since they were listed. */
  async #listed(roomIds: readonly string[]): Promise<ListedRoom[]> {
    if (roomIds.length === 0) return [];
    const transaction = new Transaction();
    const rooms = roomIds.map((roomId) => {
      const { head, audience } = this.#redis.keys.room(roomId);
      return { head, control: transaction.step('HGET', head, 'control'), size: transaction.step('HLEN', audience) };
    });
    const results = await this.#redis.read(transaction);
    return rooms.flatMap(({ head, control, size }) => {
      const text = results.text(control);
      const read = text === null ? undefined : readControl(text, head.name);
      return read?.status === 'active' ? [{ control: read, audienceSize: results.count(size) }] : [];
    });
  }

  async #read<Value>({ transaction, read }: Reading<Value>): Promise<Value> {
    return read(await this.#redis.read(transaction));
  }
}

type Look = NonNullable<ReturnType<ReturnType<typeof readEntries>['read']>>;

const loadedFrom = ({ known: { version, control }, entries }: Look): LoadedRoom => ({
  version,
  state: { control, ...entries },
});

/** Whether what is needed was among what was read. */
const covers = (read: Touched, needed: Touched): boolean =>
  needed.users.every((userId) => read.users.includes(userId)) &&
  needed.standings.every((key) => read.standings.includes(key));

const sequencesAfter = (results: Results, { room, stage, staff, self }: CommitSteps): Sequences => ({
  room: results.count(room),
  stage: results.count(stage),
  staff: results.count(staff),
  self: new Map([...self].map(([userId, step]) => [userId, results.count(step)])),
});
