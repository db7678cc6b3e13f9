import type { RoomState, Seat } from '../rules/room/state.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { CommitResult, RoomCommit, RoomCopy, RoomStore } from '../state/room-store.ts';
import { HeldRoom, type RoomChanges } from './held-room.ts';

/** What a node tells the others of a commit, as far as it concerns them. */
export type RoomCopyMessage = RoomChanges & { readonly kind: 'room-copy'; readonly roomId: string };

export type RoomCopiesOptions = {
  readonly store: RoomStore;
  readonly nodeId: string;
  readonly tell: (message: RoomCopyMessage) => void;
  readonly clock: Clock;
  readonly logger: Logger;
};

/** RE-5: rooms that ended lately and of which that is remembered, so that nobody brings them back. */
const endedKept = 200;
/** Rooms read at a time. */
const batch = 20;

type CommittedRoom = Extract<CommitResult, { outcome: 'committed' }>;

/**
 * Copies of the rooms in which people of this node sit, for a store that comes back empty (cluster/restore.ts). They follow every
 * commit: this node's own, since everything goes through `watched`, and those that other nodes tell. Bounded by the rooms in
 * which somebody of this node sits.
 */
export class RoomCopies {
  readonly #options: RoomCopiesOptions;
  readonly #held = new Map<string, HeldRoom>();
  readonly #ended = new Map<string, HeldRoom>();
  /** Rooms of which the standings were not read yet, and those being read. */
  readonly #partial = new Set<string>();
  readonly #reading = new Map<string, Promise<void>>();
  /** The store, with all that is committed through it kept here. */
  readonly watched: RoomStore;

  constructor(options: RoomCopiesOptions) {
    this.#options = options;
    this.watched = this.#watch(options.store);
  }

  /** What another node tells of a commit. */
  told(message: RoomCopyMessage): void {
    const { roomId, control } = message;
    if (control?.status === 'ended') this.#end(roomId, message);
    this.#held.get(roomId)?.note(message, this.#options.clock.now());
    this.#settle(roomId);
  }

  /** All that this node knows, with the rooms that ended lately. */
  all(): RoomCopy[] {
    return [...this.#ended.values(), ...this.#held.values()].map((room) => room.copy());
  }

  /** Seats on the stage, of rooms that this node holds, of people whom nobody has given up yet. */
  present(): { roomId: string; seat: Seat }[] {
    return [...this.#held].flatMap(([roomId, { control }]) =>
      control.stage.flatMap((seat) => (seat.awaySince === null ? [{ roomId, seat }] : [])),
    );
  }

  /** Reads every room anew: something may have been missed. Rejects with `StateUnavailable`. */
  async reload(): Promise<void> {
    const roomIds = [...this.#held.keys()];
    for (let first = 0; first < roomIds.length; first += batch)
      await Promise.all(roomIds.slice(first, first + batch).map((roomId) => this.#read(roomId)));
  }

  #watch(store: RoomStore): RoomStore {
    return {
      create: async (room, deadlines) => {
        await store.create(room, deadlines);
        this.#created(room);
      },
      commit: async (commit) => {
        const result = await store.commit(commit);
        if (result.outcome === 'committed') this.#committed(commit, result);
        return result;
      },
      remove: (roomId) => {
        this.#held.delete(roomId);
        return store.remove(roomId);
      },
      load: (roomId, touched) => store.load(roomId, touched),
      snapshot: (roomId, options) => store.snapshot(roomId, options),
      audiencePage: (roomId, options) => store.audiencePage(roomId, options),
      list: (options) => store.list(options),
      count: () => store.count(),
      due: (now, most) => store.due(now, most),
      clearDeadline: (due) => store.clearDeadline(due),
      copy: (roomId, userIds) => store.copy(roomId, userIds),
      restore: (copy, options) => store.restore(copy, options),
    };
  }

  #created({ control }: RoomState): void {
    this.#hold(control.roomId, { control, version: 1 });
    this.#partial.delete(control.roomId);
  }

  #committed(commit: RoomCommit, result: CommittedRoom): void {
    const { roomId, before, after } = commit;
    const now = this.#options.clock.now();
    const changes = changesOf(commit, result);
    if (after.control.status === 'ended') this.#end(roomId, changes);
    else {
      const known = { control: after.control, version: result.version };
      const held = this.#held.get(roomId) ?? this.#hold(roomId, known);
      held.note(changes, now);
      held.sweep(now);
      this.#settle(roomId);
    }
    // Of a seat of one's own others need to know that it is gone: they may have heard of it, and this node may hold nothing by now.
    const isMine = (seat: Seat | undefined): boolean => seat?.node === this.#options.nodeId;
    const staysMine = (userId: string): boolean =>
      isMine(after.audience.get(userId)) && (!before.audience.has(userId) || isMine(before.audience.get(userId)));
    const concernsOthers =
      changes.control !== undefined ||
      changes.standings.length > 0 ||
      changes.audience.some(([userId]) => !staysMine(userId));
    if (concernsOthers) this.#options.tell({ kind: 'room-copy', roomId, ...changes });
  }

  #hold(roomId: string, known: ConstructorParameters<typeof HeldRoom>[1]): HeldRoom {
    const held = new HeldRoom(this.#options.nodeId, known);
    this.#held.set(roomId, held);
    this.#partial.add(roomId);
    return held;
  }

  /** Drops what is not needed, and reads what is missing. */
  #settle(roomId: string): void {
    if (this.#held.get(roomId)?.isNeeded === false) this.#drop(roomId);
    if (!this.#partial.has(roomId) || this.#reading.has(roomId)) return;
    this.#read(roomId).catch((error: unknown) =>
      // The next commit tries it again.
      this.#options.logger.debug({ err: error, roomId }, 'a copy of a room could not be read'),
    );
  }

  #read(roomId: string): Promise<void> {
    const reading = this.#reading.get(roomId) ?? this.#readNow(roomId).finally(() => this.#reading.delete(roomId));
    this.#reading.set(roomId, reading);
    return reading;
  }

  async #readNow(roomId: string): Promise<void> {
    const asked = this.#held.get(roomId)?.userIds ?? [];
    const copy = await this.#options.store.copy(roomId, asked);
    const held = this.#held.get(roomId);
    if (!copy) return this.#drop(roomId);
    held?.merge(copy, asked);
    this.#partial.delete(roomId);
    if (held?.isNeeded === false) this.#drop(roomId);
  }

  #drop(roomId: string): void {
    this.#held.delete(roomId);
    this.#partial.delete(roomId);
  }

  #end(roomId: string, changes: RoomChanges): void {
    this.#drop(roomId);
    const { control, version } = changes;
    if (!control) return;
    this.#ended.delete(roomId);
    this.#ended.set(roomId, new HeldRoom(this.#options.nodeId, { control, version }));
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= endedKept) return;
      this.#ended.delete(oldest);
    }
  }
}

const changesOf = ({ before, after }: RoomCommit, { version, place, sequences }: CommittedRoom): RoomChanges => ({
  version,
  place,
  ...(before.control === after.control ? {} : { control: after.control }),
  sequences: { ...sequences, self: [...sequences.self] },
  audience: differences(before.audience, after.audience),
  standings: differences(before.standings, after.standings),
});

const differences = <Value>(
  before: ReadonlyMap<string, Value>,
  after: ReadonlyMap<string, Value>,
): [string, Value | null][] =>
  before === after
    ? []
    : [...new Set([...before.keys(), ...after.keys()])]
        .filter((key) => before.get(key) !== after.get(key))
        .map((key) => [key, after.get(key) ?? null]);
