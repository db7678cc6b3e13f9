import type { RoomControl, Seat, Standing } from '../rules/room/state.ts';
import { Passing } from '../runtime/passing.ts';
import type { Copied, RoomCopy } from '../state/room-store.ts';

/** What a commit changed of a room. Plain data, as it goes from node to node. */
export type RoomChanges = {
  readonly version: number;
  /** Its place among the commits of the room. */
  readonly place: number;
  /** The record, where it changed. */
  readonly control?: RoomControl;
  readonly sequences: {
    readonly room: number;
    readonly stage: number;
    readonly staff: number;
    readonly self: readonly (readonly [string, number])[];
  };
  /** Null for what was removed. */
  readonly audience: readonly (readonly [string, Seat | null])[];
  readonly standings: readonly (readonly [string, Standing | null])[];
};

/**
 * What this node holds of a room: the record, the numbers, the standings, and of the audience the seats of its own people. What it
 * heard of others' seats, and of what was removed, stays for a while: their nodes may not have heard of it (passing.ts).
 */
export class HeldRoom {
  readonly #nodeId: string;
  #control: RoomControl;
  #version: number;
  #place = 0;
  readonly #numbers = { room: 0, stage: 0, staff: 0 };
  readonly #self = new Map<string, number>();
  readonly #audience = new Map<string, Copied<Seat>>();
  readonly #standings = new Map<string, Copied<Standing>>();
  readonly #passing = new Passing();

  constructor(nodeId: string, { control, version }: { control: RoomControl; version: number }) {
    this.#nodeId = nodeId;
    this.#control = control;
    this.#version = version;
  }

  get control(): RoomControl {
    return this.#control;
  }

  /** People of the audience whose seats it holds. */
  get userIds(): string[] {
    return [...this.#audience.keys()];
  }

  /** Whether somebody of this node sits in it; or nobody at all does, so that no other node holds it. */
  get isNeeded(): boolean {
    const { stage, emptySince } = this.#control;
    if (emptySince !== null || stage.some((seat) => this.#isHere(seat))) return true;
    for (const { value } of this.#audience.values()) if (this.#isHere(value)) return true;
    return false;
  }

  /** Takes over what a commit changed. What comes later than what changed after it is passed over. */
  note({ control, version, place: at, sequences, audience, standings }: RoomChanges, now: number): void {
    if (control && version > this.#version) {
      this.#control = control;
      this.#version = version;
    }
    this.#raise(sequences);
    this.#place = Math.max(this.#place, at);
    for (const [userId, value] of audience) {
      if (put(this.#audience, userId, { value, at })) this.#keep(`seat ${userId}`, this.#isHere(value), now);
    }
    for (const [key, value] of standings) {
      if (put(this.#standings, key, { value, at })) this.#keep(`standing ${key}`, value !== null, now);
    }
    this.#forgetDeparted();
  }

  /** Takes over what the store holds, but for what changed since it was read. */
  merge(copy: RoomCopy, asked: readonly string[]): void {
    const at = copy.place;
    if (at >= this.#place) {
      this.#control = copy.control;
      this.#version = copy.version;
      this.#place = at;
    }
    this.#raise({ ...copy.sequences, self: [...copy.sequences.self] });
    const drop = <Value>(held: Map<string, Copied<Value>>, key: string, found: ReadonlyMap<string, unknown>): void => {
      if (!found.has(key) && (held.get(key)?.at ?? at) < at) held.delete(key);
    };
    for (const userId of asked) drop(this.#audience, userId, copy.audience);
    for (const key of [...this.#standings.keys()]) drop(this.#standings, key, copy.standings);
    const take = <Value>(held: Map<string, Copied<Value>>, found: ReadonlyMap<string, Copied<Value>>): void => {
      for (const [key, copied] of found) if ((held.get(key)?.at ?? -1) < copied.at) held.set(key, copied);
    };
    take(this.#audience, copy.audience);
    take(this.#standings, copy.standings);
    this.#forgetDeparted();
  }

  /** Redis serves, and the others have heard: what is over goes. */
  sweep(now: number): void {
    for (const name of this.#passing.over(now)) {
      const [, kind, key = ''] = /^(seat|standing) (.*)$/s.exec(name) ?? [];
      if (kind === 'seat') this.#audience.delete(key);
      else this.#standings.delete(key);
    }
  }

  copy(): RoomCopy {
    return {
      control: this.#control,
      version: this.#version,
      place: this.#place,
      sequences: { ...this.#numbers, self: new Map(this.#self) },
      audience: new Map(this.#audience),
      standings: new Map(this.#standings),
    };
  }

  #isHere(seat: Seat | null): boolean {
    return seat?.node === this.#nodeId;
  }

  #keep(name: string, forGood: boolean, now: number): void {
    if (forGood) this.#passing.forget(name);
    else this.#passing.note(name, now);
  }

  #raise({ self, ...numbers }: RoomChanges['sequences']): void {
    for (const view of ['room', 'stage', 'staff'] as const)
      this.#numbers[view] = Math.max(this.#numbers[view], numbers[view]);
    for (const [userId, sequence] of self) this.#self.set(userId, Math.max(this.#self.get(userId) ?? 0, sequence));
  }

  /** A person's own sequence ends with their seat; of other nodes' listeners it is theirs. */
  #forgetDeparted(): void {
    const onStage = new Set(this.#control.stage.map(({ userId }) => userId));
    for (const userId of this.#self.keys())
      if (!onStage.has(userId) && !this.#audience.get(userId)?.value) this.#self.delete(userId);
  }
}

/** Answers whether it holds: nothing that was written later is there. */
const put = <Value>(held: Map<string, Copied<Value>>, key: string, copied: Copied<Value>): boolean => {
  if ((held.get(key)?.at ?? 0) > copied.at) return false;
  held.set(key, copied);
  return true;
};
