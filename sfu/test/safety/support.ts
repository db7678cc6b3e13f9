import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Refusal } from '@rostrum/shared/errors.ts';
import { defaultLimits } from '@rostrum/shared/limits.ts';
import type { UserKind } from '@rostrum/shared/protocol/rest.ts';
import { createRoomSchema } from '@rostrum/shared/protocol/room.ts';
import type { CallOutcome, CallRecord } from '../../src/records/call-records.ts';
import type { Records } from '../../src/records/records.ts';
import { openSqliteRecords } from '../../src/records/sqlite/open.ts';
import { createRoomQueries } from '../../src/rooms/room-queries.ts';
import { deadlinesOf } from '../../src/rules/room/deadlines.ts';
import { evolve, openedRoom } from '../../src/rules/room/evolve.ts';
import type { Person, RoomState } from '../../src/rules/room/state.ts';
import { newId } from '../../src/runtime/ids.ts';
import { createMemoryRoomStore } from '../../src/state/memory/memory-room-store.ts';

export const start = 1_750_000_000_000;
export const hour = 60 * 60 * 1000;
const limits = defaultLimits;

export const refused = (code: Refusal['code'], more: Omit<Refusal, 'code'> = {}) => ({
  ok: false,
  refusal: { code, ...more },
});
export const done = (value?: unknown) => ({ ok: true, value });

/** Records in a file, rooms in memory, a clock that only moves when told, and people who are known. */
export class Place {
  static async make(): Promise<Place> {
    return new Place(await mkdtemp(join(tmpdir(), 'rostrum-safety-')));
  }

  readonly clock = { at: start, now: () => this.clock.at };
  readonly rooms = createMemoryRoomStore(this.clock);
  readonly folder: string;
  records: Records;

  constructor(folder: string) {
    this.folder = folder;
    this.records = this.#open();
  }

  /** What the use cases are made of. After `restart` they are to be made anew. */
  get parts() {
    const { records, clock } = this;
    const queries = createRoomQueries({ store: this.rooms, records, clock, limits });
    return { records, clock, limits, newId, queries, find: (userId: string) => records.users.get(userId) };
  }

  /** Closes the records and opens them again, as another process of the server does. */
  async restart(): Promise<void> {
    await this.records.close();
    this.records = this.#open();
  }

  async remove(): Promise<void> {
    await this.records.close();
    await rm(this.folder, { recursive: true });
  }

  async person(displayName: string, kind: UserKind = 'guest'): Promise<Person> {
    const person = { userId: newId(), displayName, kind };
    await this.records.users.put({ ...person, createdAt: this.clock.at, lastSeenAt: this.clock.at });
    return person;
  }

  /** A call that began now and goes on. */
  async call(first: Person, second: Person): Promise<CallRecord> {
    const people = [first, second] as const;
    const what = { kind: 'random', mode: 'voice', language: 'en' } as const;
    const call: CallRecord = { callId: newId(), ...what, people, startedAt: this.clock.at, outcome: null };
    await this.records.calls.begin(call);
    return call;
  }

  /** Ends a call now. */
  async end({ callId }: CallRecord): Promise<CallOutcome> {
    const ended = { endedAt: this.clock.at, reason: 'hung-up', endedBy: null } as const;
    const outcome: CallOutcome = { ...ended, connectedAt: null, route: null, quality: [null, null] };
    await this.records.calls.end(callId, outcome);
    return outcome;
  }

  async write(callId: string, by: Person, text: string) {
    const message = { messageId: newId(), byId: by.userId, text, at: this.clock.at };
    await this.records.callMessages.append(callId, message);
    return message;
  }

  /** A room in which these people listen. */
  async room(type: 'public' | 'private', host: Person, listeners: readonly Person[]): Promise<string> {
    const at = this.clock.at;
    const roomId = newId();
    const settings = createRoomSchema.parse({ title: 'Tea', type });
    const opened = openedRoom({ type: 'opened', at, roomId, hostId: host.userId, settings, endsAt: at + hour });
    const state = listeners.reduce((room, person) => withListener(room, person, at), opened);
    await this.rooms.create(state, deadlinesOf(state, limits));
    return roomId;
  }

  #open(): Records {
    return openSqliteRecords({ path: join(this.folder, 'records.sqlite') });
  }
}

const withListener = (room: RoomState, { userId, displayName, kind }: Person, at: number): RoomState => {
  const nothing = { awaySince: null, stageSince: null, producerId: null, producerNode: null, mute: null };
  const connection = { sessionId: newId(), node: 'a node' };
  const seat = { userId, displayName, kind, role: 'listener', joinedAt: at, ...connection, ...nothing } as const;
  return evolve(room, { type: 'joined', at, seat });
};
