import { createRoomSchema, type ModerationEntry } from '@rostrum/shared/protocol/room.ts';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BanRecord, Records, RoomRecord, Traces, UserRecord } from '../../src/records/records.ts';
import { newId } from '../../src/runtime/ids.ts';
import { callRecordsContract } from './records-calls.contract.ts';
import { safetyRecordsContract } from './records-safety.contract.ts';

/** A place for records to test. What one `open` wrote, the next one finds. */
export type RecordsUnderTest = {
  open(): Promise<Records>;
  /** Removes everything, after the suite has closed what it opened. */
  remove(): Promise<void>;
};

/** The records that a test has open: another object after `reopen`, which closes them and opens them again. */
export type OpenRecords = { readonly records: Records; reopen(): Promise<void> };

const start = 1_750_000_000_000;
const hour = 60 * 60 * 1000;

const user = (more: Partial<UserRecord> = {}): UserRecord => ({
  userId: newId(),
  displayName: 'Ana',
  kind: 'guest',
  createdAt: start,
  lastSeenAt: start,
  ...more,
});

const room = (more: Partial<RoomRecord> = {}): RoomRecord => ({
  roomId: newId(),
  creatorId: newId(),
  hostId: newId(),
  settings: createRoomSchema.parse({ title: 'A "room" — 日本語 🎙️', description: 'One\nTwo', tags: ['a', 'b'] }),
  createdAt: start,
  startedAt: start,
  endedAt: null,
  endReason: null,
  ...more,
});

const ban = (more: Partial<BanRecord> = {}): BanRecord => ({
  hostId: newId(),
  userId: newId(),
  displayName: 'Bob',
  byId: newId(),
  reason: null,
  at: start,
  ...more,
});

const entry = (more: Partial<ModerationEntry> = {}): ModerationEntry => ({
  entryId: newId(),
  at: start,
  act: 'kick',
  byId: newId(),
  byName: 'Ana',
  userId: newId(),
  displayName: 'Bob',
  reason: 'noise',
  ...more,
});

/** The bans of which `find` may answer one: that of the person's own id, else those of their traces. */
const coveringBans = (bans: BanRecord[], person: { userId: string; traces: Traces }, now: number): BanRecord[] => {
  const own = bans.filter((one) => one.userId === person.userId);
  return own.length > 0 ? own : bans.filter((one) => coversByTraces(one, person.traces, now));
};

const coversByTraces = ({ traces }: BanRecord, known: Traces, now: number): boolean =>
  traces !== undefined &&
  traces.until > now &&
  ((traces.addressHash !== undefined && traces.addressHash === known.addressHash) ||
    (traces.deviceId !== undefined && traces.deviceId === known.deviceId));

/** What every store of records must do. */
export const recordsContract = (name: string, set: () => Promise<RecordsUnderTest>): void => {
  describe(`records contract: ${name}`, () => {
    let place: RecordsUnderTest;
    let records: Records;
    beforeEach(async () => {
      place = await set();
      records = await place.open();
    });
    afterEach(async () => {
      await records.close();
      await place.remove();
    });

    const reopen = async (): Promise<void> => {
      await records.close();
      records = await place.open();
    };

    describe('users', () => {
      it('ID-1 keeps a user as written, over a restart', async () => {
        const ana = user({ displayName: "Aña 'O\"Brien' 👩‍🎤" });
        await records.users.put(ana);
        expect(await records.users.get(ana.userId)).toEqual(ana);
        await reopen();
        expect(await records.users.get(ana.userId)).toEqual(ana);
        expect(await records.users.get(newId())).toBeUndefined();
      });

      it('ID-9 writes the name and kind of a known user, and leaves when they came', async () => {
        const ana = user();
        await records.users.put(ana);
        await records.users.seen(ana.userId, start + 5, { addressHash: 'a' });
        await records.users.put({ ...ana, displayName: 'Anna', kind: 'member', createdAt: 1, lastSeenAt: 1 });
        const changed = { ...ana, displayName: 'Anna', kind: 'member', lastSeenAt: start + 5 };
        expect(await records.users.get(ana.userId)).toEqual(changed);
        expect(await records.users.tracesOf(ana.userId), 'traces are of guests alone').toEqual({});
      });

      it('MO-2 knows the latest traces of a guest, and of nobody else', async () => {
        const [ana, bob] = [user(), user({ kind: 'admin' })];
        await Promise.all([records.users.put(ana), records.users.put(bob)]);
        expect(await records.users.tracesOf(ana.userId)).toEqual({});
        await records.users.seen(ana.userId, start + 1, { addressHash: 'a1', deviceId: 'd1' });
        await records.users.seen(ana.userId, start + 2, { addressHash: 'a2' });
        expect(await records.users.tracesOf(ana.userId)).toEqual({ addressHash: 'a2', deviceId: 'd1' });
        await records.users.seen(ana.userId, start, { addressHash: 'older', deviceId: 'older' });
        expect(await records.users.tracesOf(ana.userId)).toEqual({ addressHash: 'a2', deviceId: 'd1' });
        expect((await records.users.get(ana.userId))?.lastSeenAt).toBe(start + 2);

        await records.users.seen(bob.userId, start + 1, { addressHash: 'a', deviceId: 'd' });
        expect(await records.users.tracesOf(bob.userId)).toEqual({});
        const nobody = newId();
        await records.users.seen(nobody, start, { addressHash: 'a' });
        expect(await records.users.get(nobody)).toBeUndefined();
        expect(await records.users.tracesOf(nobody)).toBeUndefined();
      });

      it('ID-6 deletes guests unseen for long, the longest unseen first, and no more than asked for', async () => {
        const guests = [3, 1, 2, 9].map((hours) => user({ lastSeenAt: start + hours * hour }));
        const stays = [user({ kind: 'member', lastSeenAt: start }), user({ kind: 'admin', lastSeenAt: start })];
        for (const one of [...guests, ...stays]) await records.users.put(one);
        const left = async () => {
          const found = await Promise.all(guests.map((guest) => records.users.get(guest.userId)));
          return found.map((guest) => guest !== undefined);
        };
        expect(await records.users.deleteGuestsUnseenSince(start + hour, 10)).toBe(0);
        expect(await records.users.deleteGuestsUnseenSince(start + 4 * hour, 2)).toBe(2);
        expect(await left()).toEqual([true, false, false, true]);
        expect(await records.users.deleteGuestsUnseenSince(start + 4 * hour, 2)).toBe(1);
        expect(await left()).toEqual([false, false, false, true]);
        for (const one of stays) expect(await records.users.get(one.userId)).toEqual(one);
      });

      it('OP-7 knows whether there is an administrator', async () => {
        await records.users.put(user({ kind: 'member' }));
        expect(await records.users.hasAdmin()).toBe(false);
        await records.users.put(user({ kind: 'admin' }));
        expect(await records.users.hasAdmin()).toBe(true);
      });
    });

    describe('rooms', () => {
      it('RM-1 keeps a room as written, over a restart, and once', async () => {
        const one = room();
        await records.rooms.insert(one);
        await expect(records.rooms.insert({ ...one, hostId: newId() })).rejects.toThrow();
        await reopen();
        expect(await records.rooms.get(one.roomId)).toEqual(one);
        expect(await records.rooms.get(newId())).toBeUndefined();
      });

      it('RM-7 RM-8 writes changed settings and a changed host, each by itself', async () => {
        const one = room();
        await records.rooms.insert(one);
        const [hostId, settings] = [newId(), { ...one.settings, title: 'Another' }];
        await records.rooms.update(one.roomId, { hostId });
        expect(await records.rooms.get(one.roomId)).toEqual({ ...one, hostId });
        await records.rooms.update(one.roomId, { settings });
        expect(await records.rooms.get(one.roomId)).toEqual({ ...one, hostId, settings });
        await records.rooms.update(one.roomId, {});
        await records.rooms.update(newId(), { hostId });
        expect(await records.rooms.get(one.roomId)).toEqual({ ...one, hostId, settings });
      });

      it('RM-3 ends a room once', async () => {
        const one = room();
        await records.rooms.insert(one);
        await records.rooms.end(one.roomId, start + 5, 'empty');
        await records.rooms.end(one.roomId, start + 9, 'operator');
        expect(await records.rooms.get(one.roomId)).toEqual({ ...one, endedAt: start + 5, endReason: 'empty' });
      });

      it('ends every room without an end', async () => {
        const [one, two, over] = [room(), room(), room({ endedAt: start + 1, endReason: 'host-ended' })];
        for (const each of [one, two, over]) await records.rooms.insert(each);
        expect(await records.rooms.endAll(start - 1, 'server-stopped')).toBe(0);
        expect(await records.rooms.endAll(start + 7, 'server-stopped')).toBe(2);
        expect(await records.rooms.endAll(start + 8, 'server-stopped')).toBe(0);
        for (const each of [one, two]) {
          expect(await records.rooms.get(each.roomId)).toEqual({
            ...each,
            endedAt: start + 7,
            endReason: 'server-stopped',
          });
        }
        expect(await records.rooms.get(over.roomId)).toEqual(over);
      });

      it('RM-2 says when one person created their latest rooms, oldest first', async () => {
        const creatorId = newId();
        for (const createdAt of [start + 3, start - 1, start, start + 2, start + 1])
          await records.rooms.insert(room({ creatorId, createdAt }));
        await records.rooms.insert(room({ createdAt: start + 1 }));
        expect(await records.rooms.createdBySince(creatorId, start, 9)).toEqual([0, 1, 2, 3].map((ms) => start + ms));
        expect(await records.rooms.createdBySince(creatorId, start, 2)).toEqual([start + 2, start + 3]);
        expect(await records.rooms.createdBySince(newId(), start, 2)).toEqual([]);
      });
    });

    describe('bans', () => {
      it('MO-2 a ban holds over a restart, in all rooms of this host and of no other, until it is lifted', async () => {
        const one = ban({ reason: 'shouting' });
        await records.bans.put(one);
        await reopen();
        expect(await records.bans.find(one.hostId, one, start + 1000 * 24 * hour)).toEqual(one);
        expect(await records.bans.find(newId(), one, start)).toBeUndefined();
        expect(await records.bans.find(one.hostId, { userId: newId() }, start)).toBeUndefined();
        await records.bans.remove(newId(), one.userId);
        expect(await records.bans.find(one.hostId, one, start)).toEqual(one);
        await records.bans.remove(one.hostId, one.userId);
        expect(await records.bans.find(one.hostId, one, start)).toBeUndefined();
      });

      it('MO-2 covers a guest by address and device for as long as it says, and by id for longer', async () => {
        const until = start + 24 * hour;
        const one = ban({ traces: { addressHash: 'a', deviceId: 'd', until } });
        await records.bans.put(one);
        const find = (traces: Traces, now: number) => records.bans.find(one.hostId, { userId: newId(), traces }, now);
        expect(await find({ addressHash: 'a' }, until - 1)).toEqual(one);
        expect(await find({ deviceId: 'd', addressHash: 'other' }, until - 1)).toEqual(one);
        expect(await find({ addressHash: 'd', deviceId: 'a' }, until - 1)).toBeUndefined();
        expect(await find({}, until - 1)).toBeUndefined();
        expect(await find({ addressHash: 'a', deviceId: 'd' }, until)).toBeUndefined();
        expect(await records.bans.find(one.hostId, { userId: one.userId }, until)).toEqual(one);
      });

      it('MO-2 replaces the ban of the same host and user, traces included', async () => {
        const first = ban({ traces: { addressHash: 'a', deviceId: 'd', until: start + hour } });
        const second = { ...ban({ reason: 'again' }), hostId: first.hostId, userId: first.userId, at: start + 1 };
        await records.bans.put(first);
        await records.bans.put(second);
        expect(await records.bans.find(first.hostId, first, start)).toEqual(second);
        expect(
          await records.bans.find(first.hostId, { userId: newId(), traces: { deviceId: 'd' } }, start),
        ).toBeUndefined();
      });

      it('MO-2 forgets traces whose time is over, and keeps the ban of the id', async () => {
        const bans = [1, 2, 3].map((hours) =>
          ban({ traces: { addressHash: `a${hours}`, until: start + hours * hour } }),
        );
        for (const one of bans) await records.bans.put(one);
        expect(await records.bans.forgetTraces(start + 2 * hour, 1)).toBe(1);
        expect(await records.bans.forgetTraces(start + 2 * hour, 9)).toBe(1);
        expect(await records.bans.forgetTraces(start + 2 * hour, 9)).toBe(0);
        const found = await Promise.all(bans.map((one) => records.bans.find(one.hostId, one, start)));
        expect(found.map((one) => one?.traces)).toEqual([undefined, undefined, bans[2]?.traces]);
        expect(found.map((one) => one?.userId)).toEqual(bans.map((one) => one.userId));
      });

      it('MO-2 finds a ban where a plain list of bans would', async () => {
        const few = fc.constantFrom('1', '2', '3');
        const hash = fc.option(few, { nil: undefined });
        const traces = fc.record({ addressHash: hash, deviceId: hash }).map(({ addressHash, deviceId }) => ({
          ...(addressHash && { addressHash }),
          ...(deviceId && { deviceId }),
        }));
        const time = fc.integer({ min: 0, max: 5 });
        const people = [newId(), newId(), newId()];
        const person = fc.constantFrom(...people);
        const banned = fc
          .record({ userId: person, left: fc.option(traces, { nil: undefined }), until: time })
          .map(({ userId, left, until }) => ban({ userId, ...(left && { traces: { ...left, until } }) }));
        await fc.assert(
          fc.asyncProperty(
            fc.array(banned, { maxLength: 6 }),
            person,
            traces,
            time,
            async (list, userId, known, now) => {
              const hostId = newId();
              const model = new Map<string, BanRecord>();
              for (const one of list.map((each) => ({ ...each, hostId }))) {
                model.set(one.userId, one);
                await records.bans.put(one);
              }
              const expected = coveringBans([...model.values()], { userId, traces: known }, now);
              const found = await records.bans.find(hostId, { userId, traces: known }, now);
              expect(expected.length === 0 ? [undefined] : expected).toContainEqual(found);
            },
          ),
          { numRuns: 60 },
        );
      });
    });

    describe('moderation', () => {
      it('MO-4 keeps entries over a restart and lists those of a room, newest first', async () => {
        const [roomId, hostId] = [newId(), newId()];
        const acts = [entry({ at: start + 1 }), entry({ at: start + 3 }), entry({ at: start + 2 })];
        const all = entry({ at: start + 4, act: 'mute-all', userId: null, displayName: null, reason: null });
        await records.moderation.append(roomId, hostId, acts);
        await records.moderation.append(roomId, hostId, [all]);
        await records.moderation.append(newId(), hostId, [entry()]);
        await reopen();
        expect(await records.moderation.list(roomId, { limit: 9 })).toEqual([all, acts[1], acts[2], acts[0]]);
        expect(await records.moderation.list(roomId, { limit: 2 })).toEqual([all, acts[1]]);
        expect(await records.moderation.list(roomId, { limit: 2, before: start + 3 })).toEqual([acts[2], acts[0]]);
        expect(await records.moderation.list(newId(), { limit: 2 })).toEqual([]);
      });

      it('MO-4 lists entries of one millisecond in the order they came, the last first', async () => {
        const roomId = newId();
        const acts = [entry(), entry(), entry()];
        await records.moderation.append(roomId, newId(), acts);
        expect(await records.moderation.list(roomId, { limit: 9 })).toEqual(acts.toReversed());
      });

      it('MO-4 writes an entry once, however often it is appended', async () => {
        const [roomId, hostId] = [newId(), newId()];
        const [one, two] = [entry({ at: start + 1 }), entry({ at: start + 2 })];
        await records.moderation.append(roomId, hostId, []);
        await records.moderation.append(roomId, hostId, [one]);
        await records.moderation.append(roomId, hostId, [{ ...one, reason: 'other' }, two]);
        expect(await records.moderation.list(roomId, { limit: 9 })).toEqual([two, one]);
      });

      it('MO-4 writes all entries of one append or none', async () => {
        const [roomId, hostId] = [newId(), newId()];
        const broken = { ...entry(), act: null } as unknown as ModerationEntry;
        const other = entry();
        const results = await Promise.allSettled([
          records.moderation.append(roomId, hostId, [entry(), broken]),
          records.moderation.append(roomId, hostId, [other]),
        ]);
        expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
        expect(await records.moderation.list(roomId, { limit: 9 })).toEqual([other]);
      });

      it('MO-4 deletes what is older than its time, no more than asked for', async () => {
        const roomId = newId();
        const acts = [1, 2, 3, 4].map((ms) => entry({ at: start + ms }));
        await records.moderation.append(roomId, newId(), acts);
        expect(await records.moderation.deleteBefore(start + 4, 2)).toBe(2);
        expect(await records.moderation.deleteBefore(start + 4, 2)).toBe(1);
        expect(await records.moderation.list(roomId, { limit: 9 })).toEqual([acts[3]]);
      });
    });

    describe('claims', () => {
      it('OP-7 uses a claim up once, before it expires, by the right code, over a restart', async () => {
        await records.claims.put('right', start + 5);
        await reopen();
        expect(await records.claims.use('wrong', start)).toBe(false);
        expect(await records.claims.use('right', start + 5)).toBe(false);
        expect(await records.claims.use('right', start + 4)).toBe(true);
        expect(await records.claims.use('right', start + 4)).toBe(false);
      });

      it('OP-7 lets one of many who come at once use it', async () => {
        await records.claims.put('right', start + 5);
        const uses = await Promise.all(Array.from({ length: 20 }, () => records.claims.use('right', start)));
        expect(uses.filter(Boolean)).toHaveLength(1);
      });

      it('OP-7 replaces the open claim', async () => {
        await records.claims.put('first', start + 5);
        await records.claims.put('second', start + 5);
        expect(await records.claims.use('first', start)).toBe(false);
        expect(await records.claims.use('second', start)).toBe(true);
      });

      it('OP-7 opens one beside the others, and the first that is used ends them all', async () => {
        await records.claims.put('first', start + 5);
        await Promise.all(['second', 'third'].map((code) => records.claims.add(code, start + 5)));
        expect(await records.claims.use('none', start)).toBe(false);
        expect(await records.claims.use('first', start)).toBe(true);
        for (const code of ['second', 'third']) expect(await records.claims.use(code, start)).toBe(false);
      });

      it('RE-5 OP-7 keeps the latest of very many', async () => {
        for (let count = 1; count <= 100; count += 1) await records.claims.add(`code ${count}`, start + count);
        expect(await records.claims.use('code 30', start)).toBe(false);
        expect(await records.claims.use('code 37', start)).toBe(true);
      });

      it('OP-4 is at one place for whoever opens the same file', async () => {
        const { place } = records;
        expect(place).not.toBe('');
        await reopen();
        expect(records.place).toBe(place);
      });
    });

    const held: OpenRecords = {
      get records() {
        return records;
      },
      reopen,
    };
    callRecordsContract(held);
    safetyRecordsContract(held);

    it('RE-4 is ready while it is open, and says so in words when it is not', async () => {
      expect(await records.ready()).toBe(true);
      await records.close();
      await records.close();
      await expect(records.users.get(newId())).rejects.toMatchObject({ name: 'RecordsUnavailableError' });
      await expect(records.users.put(user())).rejects.toMatchObject({ name: 'RecordsUnavailableError' });
    });

    it('writes what was asked for before it closes', async () => {
      const people = Array.from({ length: 1200 }, () => user());
      const writes = people.map((one) => records.users.put(one));
      await reopen();
      await Promise.all(writes);
      expect(await records.users.deleteGuestsUnseenSince(start + 1, 2000)).toBe(1200);
    });
  });
};
