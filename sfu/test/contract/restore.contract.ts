import { defaultLimits } from '@rostrum/shared/limits.ts';
import { createRoomSchema } from '@rostrum/shared/protocol/room.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DeadlineKey, deadlinesOf } from '../../src/rules/room/deadlines.ts';
import { evolve, openedRoom } from '../../src/rules/room/evolve.ts';
import type { RoomControl, RoomState, Seat, Standing } from '../../src/rules/room/state.ts';
import { newId } from '../../src/runtime/ids.ts';
import type { CallStore, LoadedCall, StoredTicket } from '../../src/state/call-store.ts';
import { type Copied, type RoomCopy, type RoomStore, sequenceJump } from '../../src/state/room-store.ts';
import { callOf, commitOf, endedCall, historyWith, start, ticket } from './call-store.support.ts';
import { inTime } from './suite-clock.ts';

/** Stores to test, empty. */
export type StoresUnderTest = { readonly rooms: RoomStore; readonly calls: CallStore; close(): Promise<void> };

const seat = (userId = newId(), more: Partial<Seat> = {}): Seat => ({
  userId,
  displayName: 'Somebody',
  kind: 'guest',
  role: 'listener',
  joinedAt: start,
  sessionId: newId(),
  node: 'a node',
  awaySince: null,
  stageSince: null,
  producerId: null,
  producerNode: null,
  mute: null,
  ...more,
});

const opened = (more: Partial<RoomControl> = {}): RoomControl => ({
  ...openedRoom({
    type: 'opened',
    at: start,
    roomId: newId(),
    hostId: newId(),
    settings: createRoomSchema.parse({ title: 'A room' }),
    endsAt: start + defaultLimits.roomLifetimeMs,
  }).control,
  ...more,
});

type Parts = {
  version?: number;
  place?: number;
  room?: number;
  self?: [string, number][];
  audience?: [string, Copied<Seat>][];
  standings?: [string, Copied<Standing>][];
};

const copyOf = (
  control: RoomControl,
  { version = 1, place = 12, room = 0, self = [], ...maps }: Parts = {},
): RoomCopy => ({
  control,
  version,
  place,
  sequences: { room, stage: 2, staff: 3, self: new Map(self) },
  audience: new Map(maps.audience),
  standings: new Map(maps.standings),
});

const kicked = (userId: string): Standing => ({ excluded: { userId, banned: false, until: null } });

const stateOf = ({ control, audience }: RoomCopy): RoomState => ({
  control,
  audience: new Map([...audience].flatMap(([userId, { value }]) => (value ? [[userId, value]] : []))),
  audienceSize: audience.size,
  standings: new Map(),
});

const deadlines = (copy: RoomCopy): Map<DeadlineKey, number> => deadlinesOf(stateOf(copy), defaultLimits);

/** Every order in which these can be written back. */
const orders = <Value>(one: Value, other: Value): [string, [Value, Value]][] => [
  ['first', [one, other]],
  ['last', [other, one]],
];

/** What every store must do that may come back empty. */
export const restoreContract = (name: string, open: () => Promise<StoresUnderTest>): void => {
  describe(`restore contract: ${name}`, () => {
    let under: StoresUnderTest;
    let rooms: RoomStore;
    let calls: CallStore;
    beforeEach(async () => {
      under = await open();
      ({ rooms, calls } = under);
    });
    afterEach(() => under.close());

    const restore = (copy: RoomCopy, late = false): Promise<void> =>
      rooms.restore(copy, { deadlines: deadlines(copy), late });
    const whole = async (roomId: string, userIds: string[]): Promise<RoomCopy> => {
      const copy = await rooms.copy(roomId, userIds);
      if (!copy) throw new Error('the room is there');
      return copy;
    };
    const values = <Value>(copied: ReadonlyMap<string, Copied<Value>>): Record<string, Value | null> =>
      Object.fromEntries([...copied].map(([key, { value }]) => [key, value]));

    describe('rooms', () => {
      it('RE-4 gives a copy of the record, all standings, and the seats and numbers of those who are asked for', async () => {
        const control = opened();
        const { roomId } = control;
        const before = { control, audience: new Map(), audienceSize: 0, standings: new Map() };
        await rooms.create(before, new Map());
        const [ana, ben] = [seat(), seat()];
        const joined = [ana, ben].reduce<RoomState>(
          (state, it) => evolve(state, { type: 'joined', at: start, seat: it }),
          before,
        );
        const standings = new Map([['user:carl', kicked('carl')]]);
        const committed = await rooms.commit({
          roomId,
          version: 1,
          before,
          after: { ...joined, standings },
          guards: {},
          advance: { room: 2, stage: 1, staff: 1, self: new Map([[ana.userId, 5]]) },
          deadlines: { set: new Map(), clear: [] },
          expiresAt: inTime,
        });
        expect(committed.outcome).toBe('committed');
        expect(await rooms.copy(roomId, [ana.userId, 'nobody'])).toEqual({
          control: joined.control,
          version: 2,
          place: 1,
          sequences: { room: 2, stage: 1, staff: 1, self: new Map([[ana.userId, 5]]) },
          audience: new Map([[ana.userId, { value: ana, at: 1 }]]),
          standings: new Map([['user:carl', { value: kicked('carl'), at: 1 }]]),
        });
        expect(await rooms.copy(newId(), [])).toBeUndefined();
      });

      it('RE-4 writes a room back with all that was beside it, and it goes on', async () => {
        const away = seat(newId(), { awaySince: start + 5, joinedAt: start + 2 });
        const [ana, host] = [seat(), seat(newId(), { role: 'host' })];
        const control = opened({ stage: [host], emptySince: null, hostAbsentSince: null });
        const { roomId } = control;
        const copy = copyOf(control, {
          version: 7,
          room: 10,
          self: [[ana.userId, 4]],
          audience: [away, ana].map((it) => [it.userId, { value: it, at: 12 }]),
          standings: [['user:carl', { value: kicked('carl'), at: 12 }]],
        });
        for (let times = 0; times < 2; times += 1) {
          await restore(copy);
          const userIds = [ana.userId, away.userId];
          const found = await whole(roomId, userIds);
          expect(found).toMatchObject({ control, version: 7, place: sequenceJump + 12 });
          expect(values(found.audience)).toEqual({ [ana.userId]: ana, [away.userId]: away });
          expect(values(found.standings)).toEqual({ 'user:carl': kicked('carl') });
          const [jump, own] = [sequenceJump, new Map([[ana.userId, sequenceJump + 4]])];
          expect(found.sequences).toEqual({ room: 10 + jump, stage: 2 + jump, staff: 3 + jump, self: own });
          const snapshot = await rooms.snapshot(roomId, { most: 10, userIds: [] });
          expect(snapshot?.listed).toEqual([ana, away]);
          expect((await rooms.list({ limit: 10, only: () => true })).map((it) => it.audienceSize)).toEqual([2]);
          expect(await rooms.count()).toBe(1);
          const due = await rooms.due(start + 5 + defaultLimits.seatGraceMs, 10);
          expect(due.map(({ key }) => key)).toEqual([`seat:${away.userId}`]);
          expect((await rooms.due(control.endsAt, 10)).length).toBe(deadlines(copy).size);
        }
        const loaded = await rooms.load(roomId, () => ({ users: ['dora'], standings: ['user:carl'] }));
        if (!loaded) throw new Error('the room is there');
        const dora = seat('dora', { joinedAt: start + 9 });
        const result = await rooms.commit({
          roomId,
          version: loaded.version,
          before: loaded.state,
          after: { ...evolve(loaded.state, { type: 'joined', at: start, seat: dora }), standings: new Map() },
          guards: { audienceExactly: 2 },
          advance: { room: 1, stage: 0, staff: 0, self: new Map() },
          deadlines: { set: new Map(), clear: [] },
          expiresAt: inTime,
        });
        expect(result).toMatchObject({
          outcome: 'committed',
          place: sequenceJump + 13,
          sequences: { room: sequenceJump + 11 },
        });
        expect((await rooms.audiencePage(roomId, { offset: 0, limit: 9 })).seats.at(-1)).toEqual(dora);
        await rooms.remove(roomId);
        expect(await rooms.due(control.endsAt, 10)).toEqual([]);
      });

      it.each(orders(0, 1))('RE-4 keeps the record with the highest version, where it comes %s', async (_, order) => {
        const older = opened();
        const copies = [
          copyOf(older, { version: 3, room: 9 }),
          copyOf({ ...older, moderators: ['mia'] }, { version: 4, room: 8 }),
        ];
        for (const index of order) await restore(copies[index] ?? copyOf(older));
        const found = await whole(older.roomId, []);
        expect(found).toMatchObject({ version: 4, control: { moderators: ['mia'] } });
        expect(found.sequences.room).toBe(sequenceJump + 9);
        expect(await rooms.count()).toBe(1);
      });

      it.each(orders(0, 1))(
        'RE-4 MO-2 puts the parts of several nodes together, the later of each, where one comes %s',
        async (_, order) => {
          const control = opened();
          const [ana, ben, carl] = [seat(), seat(newId(), { joinedAt: start + 1 }), seat()];
          const one = copyOf(control, {
            audience: [
              [ana.userId, { value: ana, at: 3 }],
              // It heard that Carl left, and his own node did not.
              [carl.userId, { value: null, at: 9 }],
            ],
            standings: [
              ['user:dan', { value: kicked('dan'), at: 5 }],
              ['user:eve', { value: kicked('eve'), at: 7 }],
            ],
          });
          const other = copyOf(control, {
            audience: [
              [ben.userId, { value: ben, at: 4 }],
              [carl.userId, { value: carl, at: 8 }],
            ],
            standings: [
              ['user:dan', { value: null, at: 6 }],
              ['user:eve', { value: { handRightWithdrawn: true }, at: 6 }],
              ['user:fay', { value: kicked('fay'), at: 1 }],
            ],
          });
          for (const index of order) await restore([one, other][index] ?? one);
          const found = await whole(control.roomId, [ana.userId, ben.userId, carl.userId]);
          expect(values(found.audience)).toEqual({ [ana.userId]: ana, [ben.userId]: ben });
          expect(values(found.standings)).toEqual({ 'user:eve': kicked('eve'), 'user:fay': kicked('fay') });
          const page = await rooms.audiencePage(control.roomId, { offset: 0, limit: 10 });
          expect(page).toEqual({ seats: [ana, ben], total: 2 });
        },
      );

      it.each(orders(0, 1))('RE-2 RE-4 gives a seat its own deadline, where the later comes %s', async (_, order) => {
        const control = opened();
        const ana = seat(newId(), { awaySince: start });
        const copies = [9, 8].map((at) =>
          copyOf(control, { audience: [[ana.userId, { value: { ...ana, awaySince: start + at }, at }]] }),
        );
        for (const index of order) await restore(copies[index] ?? copyOf(control));
        const due = (await rooms.due(inTime, 10)).filter(({ key }) => key.startsWith('seat:'));
        expect(due.map(({ at }) => at)).toEqual([start + 9 + defaultLimits.seatGraceMs]);
      });

      it.each(orders(0, 1))('RM-3 RE-4 brings back no room that ended, where that is told %s', async (_, order) => {
        const control = opened();
        const ana = seat();
        const copies = [
          copyOf({ ...control, status: 'ended', endedAt: start, endReason: 'host-ended' }, { version: 5 }),
          copyOf(control, { version: 4, audience: [[ana.userId, { value: ana, at: 1 }]] }),
        ];
        for (const index of order) await restore(copies[index] ?? copyOf(control));
        expect(await rooms.copy(control.roomId, [])).toBeUndefined();
        expect(await rooms.count()).toBe(0);
        expect(await rooms.due(control.endsAt, 10)).toEqual([]);
        expect((await rooms.audiencePage(control.roomId, { offset: 0, limit: 10 })).total).toBe(0);
      });

      it('RE-4 adds only what is not there, late', async () => {
        const [ana, ben, carl] = [seat(), seat(), seat()];
        const onStage = { ...ben, role: 'speaker', stageSince: start } as const;
        const control = opened({ stage: [onStage], emptySince: null });
        const { roomId } = control;
        await restore(
          copyOf(control, {
            version: 4,
            room: 50,
            audience: [[ana.userId, { value: { ...ana, displayName: 'Ana' }, at: 1 }]],
            standings: [
              ['user:dan', { value: null, at: 1 }],
              ['user:eve', { value: kicked('eve'), at: 1 }],
            ],
          }),
        );
        const late = copyOf(opened({ roomId, moderators: ['mia'] }), {
          version: 9,
          audience: [ana, ben, carl].map((it) => [it.userId, { value: it, at: 99 }]),
          standings: [
            ['user:dan', { value: kicked('dan'), at: 99 }],
            ['user:eve', { value: { handRightWithdrawn: true }, at: 99 }],
            ['user:fay', { value: kicked('fay'), at: 99 }],
          ],
        });
        for (let times = 0; times < 2; times += 1) {
          await restore(late, true);
          const found = await whole(roomId, [ana.userId, ben.userId, carl.userId]);
          expect(found).toMatchObject({ control, version: 4, sequences: { room: sequenceJump + 50 } });
          expect(values(found.audience)).toEqual({
            [ana.userId]: { ...ana, displayName: 'Ana' },
            [carl.userId]: carl,
          });
          expect(values(found.standings)).toEqual({ 'user:eve': kicked('eve'), 'user:fay': kicked('fay') });
        }
      });

      it('RE-4 brings a room that nobody else knew, late, and none that is over since', async () => {
        const [mine, over] = [opened(), opened()];
        const ana = seat();
        await restore(copyOf(over));
        await rooms.remove(over.roomId);
        for (const control of [mine, over])
          await restore(copyOf(control, { version: 3, audience: [[ana.userId, { value: ana, at: 1 }]] }), true);
        expect(values((await whole(mine.roomId, [ana.userId])).audience)).toEqual({ [ana.userId]: ana });
        expect(await rooms.copy(over.roomId, [])).toBeUndefined();
        expect((await rooms.audiencePage(over.roomId, { offset: 0, limit: 10 })).total).toBe(0);
      });
    });

    describe('calls', () => {
      const restoreCall = (loaded: LoadedCall, late = false): Promise<void> =>
        calls.restoreCall(loaded, { deadlines: new Map([['connect', start + 8000]]), late });
      const restoreTicket = (stored: StoredTicket, late = false): Promise<void> =>
        calls.restoreTicket(stored, { deadlines: new Map([['wait', start + 60_000]]), late });
      const placesOf = (userIds: readonly string[]) =>
        Promise.all(userIds.map(async (userId) => (await calls.placeOf(userId)).at));

      it('RE-4 writes a call back, with both people in it, and it goes on', async () => {
        const [one, other] = [ticket(), ticket()];
        const call = callOf(one, other);
        const users = call.sides.map(({ userId }) => userId);
        for (let times = 0; times < 2; times += 1) {
          await restoreCall({ call, version: 5 });
          expect(await calls.load(call.callId)).toEqual({ call, version: 5 });
          expect(await placesOf(users)).toEqual(['call', 'call']);
          expect(await calls.counts()).toEqual({ waiting: 0, calls: 1 });
          expect(await calls.due(start + 8000, 10)).toMatchObject([{ of: 'call', callId: call.callId }]);
        }
        const end = commitOf({ call, version: 5 }, { after: endedCall(call), histories: new Map() });
        expect((await calls.commit(end)).outcome).toBe('committed');
        expect(await placesOf(users)).toEqual(['nowhere', 'nowhere']);
      });

      it('RE-4 RQ-5 writes a ticket back to its place in the queue', async () => {
        const [one, other] = [ticket({ queuedAt: start + 1 }), ticket({ queuedAt: start })];
        await restoreTicket({ ticket: one, version: 3 });
        await restoreTicket({ ticket: other, version: 1 });
        await restoreTicket({ ticket: { ...other, front: true }, version: 2 });
        await restoreTicket({ ticket: other, version: 1 });
        expect((await calls.waiting('voice', { most: 9 })).map((it) => [it.ticket.ticketId, it.version])).toEqual([
          [other.ticketId, 2],
          [one.ticketId, 3],
        ]);
        expect(await calls.positionOf(one)).toEqual({ position: 2, waiting: 2 });
        expect(await calls.due(start + 60_000, 10)).toHaveLength(2);
        expect(await calls.removeTicket(one.seeker.userId, one.ticketId)).toBe(true);
        expect(await calls.due(start + 60_000, 10)).toHaveLength(1);
      });

      it.each(orders(0, 1))('RE-4 keeps the highest version of a call, where it comes %s', async (_, order) => {
        const call = callOf(ticket(), ticket());
        const copies = [
          { call, version: 2 },
          { call: { ...call, warned: true }, version: 3 },
        ];
        for (const index of order) await restoreCall(copies[index] ?? { call, version: 1 });
        expect(await calls.load(call.callId)).toMatchObject({ version: 3, call: { warned: true } });
        expect(await calls.counts()).toEqual({ waiting: 0, calls: 1 });
      });

      it.each(orders<'call' | 'ticket'>('call', 'ticket'))(
        'RE-4 RQ-5 has nobody in a call and in the queue they came from, where the %s comes first',
        async (_, order) => {
          const [one, other] = [ticket(), ticket()];
          const call = { ...callOf(one, other), matchedAt: start };
          const write = {
            call: () => [restoreCall({ call, version: 1 })],
            ticket: () => [one, other].map((it) => restoreTicket({ ticket: it, version: 1 })),
          };
          for (const what of order) await Promise.all(write[what]());
          expect(await placesOf([one.seeker.userId, other.seeker.userId])).toEqual(['call', 'call']);
          expect(await calls.counts()).toEqual({ waiting: 0, calls: 1 });
          expect((await calls.due(inTime, 10)).map(({ of }) => of)).toEqual(['call']);
        },
      );

      it.each(orders('call', 'ticket'))(
        'RE-4 RQ-5 takes nobody who waits again back into the call before, where the %s comes first',
        async (_, order) => {
          const [one, other] = [ticket(), ticket()];
          const call = callOf(one, other);
          const again = ticket({ seeker: one.seeker, queuedAt: start + 5000 });
          for (const what of order)
            if (what === 'call') await restoreCall({ call, version: 1 });
            else await restoreTicket({ ticket: again, version: 1 });
          expect(await placesOf([one.seeker.userId, other.seeker.userId])).toEqual(['queue', 'nowhere']);
          expect(await calls.counts()).toEqual({ waiting: 1, calls: 0 });
          expect((await calls.due(inTime, 10)).map(({ of }) => of)).toEqual(['ticket']);
        },
      );

      it.each(orders(0, 1))(
        'RE-4 RQ-5 has nobody in two calls: the later one holds, where the earlier comes %s',
        async (_, order) => {
          const [ana, ben, carl] = [ticket(), ticket(), ticket()];
          const earlier = callOf(ana, ben);
          const later = { ...callOf(ana, carl), matchedAt: start + 1000 };
          for (const index of order) await restoreCall({ call: [earlier, later][index] ?? earlier, version: 1 });
          expect(await placesOf([ana, ben, carl].map((it) => it.seeker.userId))).toEqual(['call', 'nowhere', 'call']);
          expect(await calls.callIds()).toEqual([later.callId]);
        },
      );

      it.each(orders(0, 1))('RE-4 brings back no call that ended, where that is told %s', async (_, order) => {
        const call = callOf(ticket(), ticket());
        const copies = [
          { call: endedCall(call), version: 3 },
          { call, version: 2 },
        ];
        for (const index of order) await restoreCall(copies[index] ?? { call, version: 1 });
        expect(await calls.load(call.callId)).toBeUndefined();
        expect(await placesOf(call.sides.map(({ userId }) => userId))).toEqual(['nowhere', 'nowhere']);
        expect(await calls.due(inTime, 10)).toEqual([]);
      });

      it('RE-4 adds only who is nowhere, late, and no call that is over since', async () => {
        const [ana, ben, carl, dan] = [ticket(), ticket(), ticket(), ticket()];
        const [over, running] = [callOf(ana, ben), callOf(carl, dan)];
        await restoreCall({ call: over, version: 1 });
        const histories = new Map([[ana.seeker.userId, historyWith(ben.seeker.userId)]]);
        await calls.commit(commitOf({ call: over, version: 1 }, { after: endedCall(over), histories }));
        await restoreCall({ call: running, version: 1 });
        const later = { ...callOf(ana, carl), matchedAt: start + 9000 };
        for (const call of [over, running, later]) await restoreCall({ call, version: 9 }, true);
        const places = [ana, ben, carl, dan].map((it) => it.seeker.userId);
        expect(await placesOf(places)).toEqual(['nowhere', 'nowhere', 'call', 'call']);
        expect(await calls.load(running.callId)).toEqual({ call: running, version: 1 });
        for (const it of [ana, carl])
          await restoreTicket({ ticket: { ...it, queuedAt: start + 9000 }, version: 1 }, true);
        expect(await placesOf(places)).toEqual(['queue', 'nowhere', 'call', 'call']);
        const fresh = callOf(ticket(), ticket());
        await restoreCall({ call: fresh, version: 2 }, true);
        expect(await calls.load(fresh.callId)).toEqual({ call: fresh, version: 2 });
      });
    });
  });
};
