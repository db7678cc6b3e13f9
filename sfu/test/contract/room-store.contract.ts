import { defaultLimits } from '@rostrum/shared/limits.ts';
import { createRoomSchema } from '@rostrum/shared/protocol/room.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deadlinesOf } from '../../src/rules/room/deadlines.ts';
import type { RoomEvent } from '../../src/rules/room/events.ts';
import { evolve, openedRoom } from '../../src/rules/room/evolve.ts';
import type { RoomState, Seat } from '../../src/rules/room/state.ts';
import { newId } from '../../src/runtime/ids.ts';
import type { CommitGuards, CommitResult, LoadedRoom, RoomStore } from '../../src/state/room-store.ts';
import { inTime, type SuiteClock } from './suite-clock.ts';

/** A store to test, empty. */
export type StoreUnderTest = {
  readonly store: RoomStore;
  readonly clock: SuiteClock;
  close(): Promise<void>;
};

/** When everything in these tests happens. A store goes by its own clock only where something expires. */
export const start = 1_750_000_000_000;

const seat = (userId: string, more: Partial<Seat> = {}): Seat => ({
  userId,
  displayName: `Person ${userId.slice(0, 4)}`,
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

const room = (roomId = newId(), at = start, settings: object = {}): RoomState =>
  openedRoom({
    type: 'opened',
    at,
    roomId,
    hostId: newId(),
    settings: createRoomSchema.parse({ title: 'A room', ...settings }),
    endsAt: at + defaultLimits.roomLifetimeMs,
  });

/** What every store of rooms must do. */
export const roomStoreContract = (name: string, open: () => Promise<StoreUnderTest>): void => {
  describe(`room store contract: ${name}`, () => {
    let under: StoreUnderTest;
    let store: RoomStore;
    beforeEach(async () => {
      under = await open();
      store = under.store;
    });
    afterEach(() => under.close());

    const create = async (state: RoomState = room()): Promise<string> => {
      await store.create(state, deadlinesOf(state, defaultLimits));
      return state.control.roomId;
    };

    const load = async (roomId: string, users: string[] = [], standings: string[] = []): Promise<LoadedRoom> => {
      const loaded = await store.load(roomId, () => ({ users, standings }));
      if (!loaded) throw new Error('the room is not there');
      return loaded;
    };

    const commit = (
      loaded: LoadedRoom,
      events: RoomEvent[],
      more: { guards?: CommitGuards; expiresAt?: number; self?: [string, number][] } = {},
    ): Promise<CommitResult> => {
      const after = events.reduce(evolve, loaded.state);
      const before = deadlinesOf(loaded.state, defaultLimits);
      const next = deadlinesOf(after, defaultLimits);
      return store.commit({
        roomId: loaded.state.control.roomId,
        version: loaded.version,
        before: loaded.state,
        after,
        guards: more.guards ?? {},
        advance: { room: events.length, stage: 0, staff: 0, self: new Map(more.self ?? []) },
        deadlines: { set: next, clear: [...before.keys()].filter((key) => !next.has(key)) },
        expiresAt: more.expiresAt ?? inTime,
      });
    };

    const joinAs = async (roomId: string, newcomer: Seat): Promise<CommitResult> =>
      commit(await load(roomId, [newcomer.userId]), [{ type: 'joined', at: start, seat: newcomer }]);

    it('answers undefined for a room that is not there', async () => {
      expect(await store.load(newId(), () => ({ users: [], standings: [] }))).toBeUndefined();
      expect(await store.snapshot(newId(), { most: 10, userIds: [] })).toBeUndefined();
    });

    it('gives back what was created, and only the entries that are touched', async () => {
      const state = room();
      const roomId = await create(state);
      const [ana, ben] = [seat(newId()), seat(newId())];
      await joinAs(roomId, ana);
      await joinAs(roomId, ben);
      const loaded = await load(roomId, [ana.userId]);
      expect(loaded.state.control.settings).toEqual(state.control.settings);
      expect([...loaded.state.audience.keys()]).toEqual([ana.userId]);
      expect(loaded.state.audienceSize).toBe(2);
      expect(loaded.state.audience.get(ana.userId)).toEqual(ana);
    });

    it('RE-1 lets one of two commits to the same version win', async () => {
      const roomId = await create();
      const one = await load(roomId);
      const other = await load(roomId);
      const host = seat(newId(), { role: 'speaker', stageSince: start });
      expect((await commit(one, [{ type: 'joined', at: start, seat: host }])).outcome).toBe('committed');
      expect(
        (await commit(other, [{ type: 'joined', at: start, seat: seat(newId(), { role: 'speaker' }) }])).outcome,
      ).toBe('conflict');
      expect((await load(roomId)).state.control.stage.map((it) => it.userId)).toEqual([host.userId]);
    });

    it('RE-1 lets one of two commits to the same seat of the audience win', async () => {
      const roomId = await create();
      await joinAs(roomId, seat(newId()));
      const ana = newId();
      const one = await load(roomId, [ana]);
      const other = await load(roomId, [ana]);
      expect((await commit(one, [{ type: 'joined', at: start, seat: seat(ana) }])).outcome).toBe('committed');
      expect((await commit(other, [{ type: 'joined', at: start, seat: seat(ana) }])).outcome).toBe('conflict');
      expect((await load(roomId)).state.audienceSize).toBe(2);
    });

    it('lets a crowd join without conflicts: an audience does not fight over the record', async () => {
      const roomId = await create();
      await joinAs(roomId, seat(newId()));
      const newcomers = Array.from({ length: 50 }, () => seat(newId()));
      const loaded = await Promise.all(newcomers.map((it) => load(roomId, [it.userId])));
      const results = await Promise.all(
        loaded.map((it, index) => commit(it, [{ type: 'joined', at: start, seat: newcomers[index] ?? seat(newId()) }])),
      );
      expect(results.map((it) => it.outcome)).toEqual(newcomers.map(() => 'committed'));
      expect((await load(roomId)).state.audienceSize).toBe(51);
    });

    it('refuses a commit whose guard does not hold, and writes nothing of it', async () => {
      const roomId = await create();
      await joinAs(roomId, seat(newId()));
      const ana = seat(newId());
      const joined: RoomEvent[] = [{ type: 'joined', at: start, seat: ana }];
      expect((await commit(await load(roomId, [ana.userId]), joined, { guards: { audienceBelow: 1 } })).outcome).toBe(
        'guard',
      );
      expect((await commit(await load(roomId, [ana.userId]), joined, { guards: { audienceExactly: 0 } })).outcome).toBe(
        'guard',
      );
      expect((await commit(await load(roomId, [ana.userId]), joined, { guards: { standingsBelow: 0 } })).outcome).toBe(
        'guard',
      );
      expect((await load(roomId, [ana.userId])).state.audienceSize).toBe(1);
      expect(
        (await commit(await load(roomId, [ana.userId]), joined, { guards: { audienceBelow: 2, audienceExactly: 1 } }))
          .outcome,
      ).toBe('committed');
    });

    it('RE-4 refuses a commit that comes after its expiry', async () => {
      const roomId = await create();
      const loaded = await load(roomId);
      const joined: RoomEvent[] = [{ type: 'joined', at: start, seat: seat(newId()) }];
      const expiresAt = under.clock.earliest();
      await under.clock.until(expiresAt + 1);
      expect((await commit(loaded, joined, { expiresAt })).outcome).toBe('expired');
      expect((await load(roomId)).state.audienceSize).toBe(0);
      const atLast = under.clock.latest() + under.clock.slackMs;
      expect((await commit(loaded, joined, { expiresAt: atLast })).outcome).toBe('committed');
    });

    it('moves the sequence of each view on, and starts a person anew after they left', async () => {
      const roomId = await create();
      const ana = seat(newId());
      const first = await commit(await load(roomId, [ana.userId]), [{ type: 'joined', at: start, seat: ana }], {
        self: [[ana.userId, 2]],
      });
      expect(first).toMatchObject({
        outcome: 'committed',
        audienceSize: 1,
        sequences: { room: 1, stage: 0, staff: 0 },
      });
      expect(first.outcome === 'committed' && first.sequences.self.get(ana.userId)).toBe(2);
      await commit(await load(roomId, [ana.userId]), [
        { type: 'left', at: start, userId: ana.userId, role: 'listener', reason: 'left' },
      ]);
      await joinAs(roomId, ana);
      const snapshot = await store.snapshot(roomId, { most: 10, userIds: [ana.userId] });
      expect(snapshot?.sequences.room).toBe(3);
      expect(snapshot?.sequences.self.get(ana.userId) ?? 0).toBe(0);
    });

    it('keeps standings by key, and drops those that say nothing any more', async () => {
      const roomId = await create();
      const ana = newId();
      const key = `user:${ana}`;
      await commit(await load(roomId, [ana], [key]), [
        { type: 'hand-right-changed', at: start, userId: ana, allowed: false },
      ]);
      expect((await load(roomId, [], [key])).state.standings.get(key)).toEqual({ handRightWithdrawn: true });
      await commit(await load(roomId, [ana], [key]), [
        { type: 'hand-right-changed', at: start, userId: ana, allowed: true },
      ]);
      expect((await load(roomId, [], [key])).state.standings.has(key)).toBe(false);
    });

    it('RM-10 pages and searches the audience in order of arrival', async () => {
      const roomId = await create();
      const people = Array.from({ length: 45 }, (_, index) =>
        seat(newId(), { displayName: index % 2 ? `Odd ${index}` : `Even ${index}` }),
      );
      for (const person of people) await joinAs(roomId, person);
      const second = await store.audiencePage(roomId, { offset: 20, limit: 20 });
      expect(second.total).toBe(45);
      expect(second.seats.map((it) => it.userId)).toEqual(people.slice(20, 40).map((it) => it.userId));
      const odd = await store.audiencePage(roomId, { offset: 0, limit: 5, query: 'oDD' });
      expect(odd.total).toBe(22);
      expect(odd.seats.map((it) => it.displayName)).toEqual(['Odd 1', 'Odd 3', 'Odd 5', 'Odd 7', 'Odd 9']);
      const snapshot = await store.snapshot(roomId, { most: 3, userIds: [] });
      expect(snapshot?.listed.map((it) => it.userId)).toEqual(people.slice(0, 3).map((it) => it.userId));
    });

    it('lists active rooms newest first, in pages that miss none', async () => {
      for (let index = 0; index < 7; index += 1)
        await create(room(newId(), start + Math.floor(index / 2), { category: index % 2 ? 'tech' : 'music' }));
      const all = await store.list({ limit: 100, only: () => true });
      expect(all).toHaveLength(7);
      expect(all.map((it) => it.control.createdAt)).toEqual(
        all.map((it) => it.control.createdAt).toSorted((one, other) => other - one),
      );
      const seen: string[] = [];
      for (let page = all.slice(0, 0), pages = 0; pages === 0 || page.length > 0; pages += 1) {
        const last = page.at(-1)?.control;
        page = await store.list({ limit: 2, ...(last ? { before: last } : {}), only: () => true });
        seen.push(...page.map((it) => it.control.roomId));
      }
      expect(seen).toEqual(all.map((it) => it.control.roomId));
      expect(await store.list({ limit: 100, only: (control) => control.settings.category === 'tech' })).toHaveLength(3);
      expect(await store.count()).toBe(7);
    });

    it('gives deadlines that are due, earliest first, until the commit that carries them out', async () => {
      const roomId = await create();
      const emptyAt = start + defaultLimits.roomEmptyMs;
      expect(await store.due(emptyAt - 1, 10)).toEqual([]);
      const due = await store.due(emptyAt, 10);
      expect(due.map((it) => it.key)).toEqual(['empty']);
      expect(await store.due(emptyAt, 10)).toEqual(due);
      expect(await store.due(emptyAt, 1)).toHaveLength(1);
      await joinAs(roomId, seat(newId()));
      const later = await store.due(emptyAt, 10);
      expect(later.map((it) => it.key)).toEqual(['host-absence']);
      for (const causeless of later) {
        await store.clearDeadline({ ...causeless, at: causeless.at + 1 });
        expect(await store.due(emptyAt, 10)).toHaveLength(1);
        await store.clearDeadline(causeless);
      }
      expect(await store.due(emptyAt, 10)).toEqual([]);
    });

    it('forgets a room with everything beside it', async () => {
      const roomId = await create();
      await joinAs(roomId, seat(newId()));
      const loaded = await load(roomId);
      await store.remove(roomId);
      expect(await store.load(roomId, () => ({ users: [], standings: [] }))).toBeUndefined();
      expect(await store.due(start + 10 * defaultLimits.roomLifetimeMs, 10)).toEqual([]);
      expect(await store.count()).toBe(0);
      expect((await commit(loaded, [{ type: 'end-announced', at: start, endsAt: start }])).outcome).toBe('gone');
      await store.remove(roomId);
    });
  });
};
