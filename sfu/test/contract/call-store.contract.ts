import { callModes } from '@rostrum/shared/protocol/call.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallState } from '../../src/rules/call/state.ts';
import type { Ticket, TicketDeadlineKey } from '../../src/rules/matching/ticket.ts';
import { newId } from '../../src/runtime/ids.ts';
import type { CallStore, DueCallDeadline, LoadedCall, StoredTicket } from '../../src/state/call-store.ts';
import { linearizable } from './call-store.model.ts';
import {
  type CallStoreUnderTest,
  callOf,
  claimOf,
  commitOf,
  endedCall,
  entry,
  historyWith,
  plenty,
  start,
  ticket,
} from './call-store.support.ts';
import { inTime } from './suite-clock.ts';

/** What every store of calls must do. `runs`: how many random histories are tried. */
export const callStoreContract = (
  name: string,
  open: () => Promise<CallStoreUnderTest>,
  { runs }: { runs: number },
): void => {
  describe(`call store contract: ${name}`, () => {
    let under: CallStoreUnderTest;
    let store: CallStore;
    beforeEach(async () => {
      under = await open();
      store = under.store;
    });
    afterEach(() => under.close());

    /** A time that is over by one millisecond. */
    const justOver = async (): Promise<number> => {
      const at = under.clock.earliest();
      await under.clock.until(at + 1);
      return at;
    };
    const enqueued = { outcome: 'enqueued' };
    /** The first time at which a write that comes now is not late. */
    const justInTime = (): number => under.clock.latest() + under.clock.slackMs;

    const enqueue = async (
      of: Ticket = ticket(),
      deadlines: readonly [TicketDeadlineKey, number][] = [],
    ): Promise<StoredTicket> => {
      expect(await store.enqueue(entry(of, deadlines), { most: plenty, expiresAt: inTime })).toMatchObject(enqueued);
      return stored(of.seeker.userId);
    };
    const stored = async (userId: string): Promise<StoredTicket> => {
      const found = await store.ticketOf(userId);
      if (!found) throw new Error('the ticket is not there');
      return found;
    };
    const load = async (callId: string): Promise<LoadedCall> => {
      const loaded = await store.load(callId);
      if (!loaded) throw new Error('the call is not there');
      return loaded;
    };
    const beginCall = async (more: Parameters<typeof claimOf>[2] = {}): Promise<CallState> => {
      const claim = claimOf(await enqueue(), await enqueue(), more);
      expect(await store.claim(claim)).toBe('claimed');
      return claim.call;
    };
    const placesOf = async (people: readonly { userId: string }[]): Promise<string[]> =>
      (await Promise.all(people.map(({ userId }) => store.placeOf(userId)))).map((place) => place.at);
    const waitingIds = async (mode: Ticket['search']['mode'] = 'voice'): Promise<string[]> =>
      (await store.waiting(mode, { most: plenty })).map((it) => it.ticket.ticketId);
    const everyDeadline = (): Promise<DueCallDeadline[]> => store.due(Number.MAX_SAFE_INTEGER, plenty);

    it('knows nothing of a person, a ticket or a call that is not there', async () => {
      expect(await store.placeOf(newId())).toEqual({ at: 'nowhere' });
      expect(await store.historyOf(newId())).toBeUndefined();
      expect(await store.ticketOf(newId())).toBeUndefined();
      expect(await store.load(newId())).toBeUndefined();
      expect(await store.waiting('voice', { most: 10 })).toEqual([]);
      expect(await store.callIds()).toEqual([]);
      expect(await store.counts()).toEqual({ waiting: 0, calls: 0 });
      expect(await everyDeadline()).toEqual([]);
    });

    describe('the queue', () => {
      it('RQ-1 finds who arrived, at once and as they arrived', async () => {
        const ana = ticket({ blocked: [newId()], history: historyWith(newId()), relaxed: ['age'] });
        await enqueue(ana);
        expect((await store.waiting('voice', { most: 10 })).map((it) => it.ticket)).toEqual([ana]);
        expect((await store.ticketOf(ana.seeker.userId))?.ticket).toEqual(ana);
        expect(await store.placeOf(ana.seeker.userId)).toEqual({ at: 'queue', ticketId: ana.ticketId });
      });

      it('RQ-1 shows two who arrive together to at least one of them', async () => {
        for (let round = 0; round < 50; round += 1) {
          const people = [ticket({ mode: 'text' }), ticket({ mode: 'text' })];
          const seen = await Promise.all(
            people.map(async (me) => {
              await enqueue(me);
              return (await store.waiting('text', { most: 10 })).length;
            }),
          );
          expect(Math.max(...seen)).toBe(2);
          for (const { seeker, ticketId } of people) await store.removeTicket(seeker.userId, ticketId);
        }
      });

      it('RQ-5 gives a person one ticket, however many times they arrive at once', async () => {
        const userId = newId();
        const outcomes = await Promise.all(
          Array.from({ length: 20 }, () =>
            store.enqueue(entry(ticket({ userId })), { most: plenty, expiresAt: inTime }),
          ),
        );
        expect(outcomes.filter(({ outcome }) => outcome === 'enqueued')).toHaveLength(1);
        expect(outcomes.filter(({ outcome }) => outcome === 'taken')).toHaveLength(19);
        expect(await store.counts()).toEqual({ waiting: 1, calls: 0 });
      });

      it('RQ-5 lets nobody wait who is in a call', async () => {
        const call = await beginCall();
        for (const { userId } of call.sides)
          expect(await store.enqueue(entry(ticket({ userId })), { most: plenty, expiresAt: inTime })).toEqual({
            outcome: 'taken',
          });
        expect(await store.counts()).toEqual({ waiting: 0, calls: 1 });
      });

      it('RE-5 takes no more than may wait, whatever the mode', async () => {
        await enqueue(ticket({ mode: 'voice' }));
        await enqueue(ticket({ mode: 'video' }));
        expect(await store.enqueue(entry(ticket({ mode: 'text' })), { most: 2, expiresAt: inTime })).toEqual({
          outcome: 'full',
        });
        expect(await store.enqueue(entry(ticket({ mode: 'text' })), { most: 3, expiresAt: inTime })).toMatchObject(
          enqueued,
        );
      });

      it('RE-5 takes no more than may wait when many arrive at once', async () => {
        const outcomes = await Promise.all(
          Array.from({ length: 40 }, () => store.enqueue(entry(ticket()), { most: 25, expiresAt: inTime })),
        );
        expect(outcomes.filter(({ outcome }) => outcome === 'enqueued')).toHaveLength(25);
        expect(outcomes.filter(({ outcome }) => outcome === 'full')).toHaveLength(15);
        expect((await store.counts()).waiting).toBe(25);
      });

      it('RE-4 puts nobody in the queue after the write has expired', async () => {
        const ana = ticket();
        const expiresAt = await justOver();
        expect(await store.enqueue(entry(ana, [['wait', start]]), { most: plenty, expiresAt })).toEqual({
          outcome: 'expired',
        });
        expect(await store.placeOf(ana.seeker.userId)).toEqual({ at: 'nowhere' });
        expect(await everyDeadline()).toEqual([]);
        expect(await store.enqueue(entry(ana), { most: plenty, expiresAt: justInTime() })).toMatchObject(enqueued);
      });

      it('RQ-1 RD-3 orders by waiting time, those at the front first, each mode by itself', async () => {
        const late = ticket({ queuedAt: start + 30 });
        const early = ticket({ queuedAt: start + 10 });
        const frontLate = ticket({ queuedAt: start + 40, front: true });
        const frontEarly = ticket({ queuedAt: start + 20, front: true });
        const other = ticket({ queuedAt: start, mode: 'video' });
        for (const it of [late, early, frontLate, other, frontEarly]) await enqueue(it);
        const order = [frontEarly, frontLate, early, late];
        expect(await waitingIds()).toEqual(order.map((it) => it.ticketId));
        expect(await waitingIds('video')).toEqual([other.ticketId]);
        expect(await waitingIds('text')).toEqual([]);
        for (const [index, it] of order.entries())
          expect(await store.positionOf(it)).toEqual({ position: index + 1, waiting: 4 });
        expect(await store.positionOf(other)).toEqual({ position: 1, waiting: 1 });
      });

      it('RQ-1 says where somebody stands as they get into the queue', async () => {
        const options = { most: plenty, expiresAt: inTime };
        const late = ticket({ queuedAt: start + 30 });
        const early = ticket({ queuedAt: start + 10 });
        const inFront = ticket({ queuedAt: start + 40, front: true });
        const other = ticket({ queuedAt: start, mode: 'video' });
        const away = ticket({ queuedAt: start + 20, awaySince: start + 20 });
        expect(await store.enqueue(entry(late), options)).toEqual({ ...enqueued, position: 1, waiting: 1 });
        expect(await store.enqueue(entry(early), options)).toEqual({ ...enqueued, position: 1, waiting: 2 });
        expect(await store.enqueue(entry(inFront), options)).toEqual({ ...enqueued, position: 1, waiting: 3 });
        expect(await store.enqueue(entry(other), options)).toEqual({ ...enqueued, position: 1, waiting: 1 });
        expect(await store.enqueue(entry(away), options)).toEqual({ ...enqueued, position: 3, waiting: 4 });
        expect(await store.positionOf(away)).toEqual({ position: 3, waiting: 4 });
        await store.removeTicket(late.seeker.userId, late.ticketId);
        expect(await store.positionOf(late)).toBeUndefined();
        expect(await store.enqueue(entry(ticket({ userId: late.seeker.userId })), options)).toMatchObject(enqueued);
        expect(await store.positionOf(late)).toBeUndefined();
        const crowd = await Promise.all(
          Array.from({ length: 20 }, () => store.enqueue(entry(ticket({ queuedAt: start, mode: 'text' })), options)),
        );
        const sizes = crowd.map((it) => (it.outcome === 'enqueued' ? it.waiting : 0));
        expect(sizes.toSorted((one, another) => one - another)).toEqual(sizes.map((_, index) => index + 1));
      });

      it('RQ-1 keeps the order of those who arrived in the same millisecond, whoever comes and goes', async () => {
        const together = Array.from({ length: 20 }, () => ticket());
        for (const it of together) await enqueue(it);
        const order = await waitingIds();
        expect(order.toSorted()).toEqual(together.map((it) => it.ticketId).toSorted());
        const gone = together.filter((_, index) => index % 3 === 0);
        for (const it of gone) await store.removeTicket(it.seeker.userId, it.ticketId);
        const left = order.filter((ticketId) => !gone.some((it) => it.ticketId === ticketId));
        expect(await waitingIds()).toEqual(left);
      });

      it('RQ-1 gives pages that miss and repeat nobody, also after a ticket that is gone', async () => {
        const people = Array.from({ length: 23 }, (_, index) =>
          ticket({ queuedAt: start + Math.floor(index / 4), front: index % 5 === 0 }),
        );
        for (const it of people) await enqueue(it);
        const order = await waitingIds();
        expect(order).toHaveLength(23);
        const first = await store.waiting('voice', { most: 10 });
        const [after = ticket()] = first.slice(-1).map((it) => it.ticket);
        const second = await store.waiting('voice', { after, most: 10 });
        expect([...first, ...second].map((it) => it.ticket.ticketId)).toEqual(order.slice(0, 20));
        const seen: string[] = [];
        for (let page = await store.waiting('voice', { most: 4 }); page.length > 0; ) {
          const last = page.at(-1)?.ticket ?? ticket();
          seen.push(...page.map((it) => it.ticket.ticketId));
          await store.removeTicket(last.seeker.userId, last.ticketId);
          page = await store.waiting('voice', { after: last, most: 4 });
        }
        expect(seen).toEqual(order);
        expect(await store.waiting('voice', { most: 0 })).toEqual([]);
      });

      it('RQ-5 lists nobody who is away, and keeps their place', async () => {
        const people = [0, 1, 2].map((offset) => ticket({ queuedAt: start + offset }));
        for (const it of people) await enqueue(it);
        const [first, away, last] = await Promise.all(people.map((it) => stored(it.seeker.userId)));
        if (!first || !away || !last) throw new Error('three were put in');
        const gone = { ...away.ticket, awaySince: start + 5 };
        expect(await store.updateTicket(away, entry(gone), { expiresAt: inTime })).toBe('updated');
        expect(await waitingIds()).toEqual([first.ticket.ticketId, last.ticket.ticketId]);
        expect(await store.waiting('voice', { after: gone, most: 5 })).toHaveLength(1);
        expect(await store.positionOf(last.ticket)).toEqual({ position: 3, waiting: 3 });
        expect(await store.positionOf(gone)).toEqual({ position: 2, waiting: 3 });
        expect((await store.counts()).waiting).toBe(3);
        await store.updateTicket(await stored(away.ticket.seeker.userId), entry(away.ticket), { expiresAt: inTime });
        expect(await waitingIds()).toEqual(people.map((it) => it.ticketId));
      });

      it('RE-1 lets one of two updates of the same ticket win', async () => {
        const ana = await enqueue();
        const changes = ['age', 'gender', 'reputation'] as const;
        const outcomes = await Promise.all(
          changes.map((filter) =>
            store.updateTicket(ana, entry({ ...ana.ticket, relaxed: [filter] }), { expiresAt: inTime }),
          ),
        );
        expect(outcomes.toSorted()).toEqual(['conflict', 'conflict', 'updated']);
        const winner = changes[outcomes.indexOf('updated')];
        expect((await stored(ana.ticket.seeker.userId)).ticket).toEqual({ ...ana.ticket, relaxed: [winner] });
        expect((await store.counts()).waiting).toBe(1);
      });

      it('RE-4 updates nothing that expired, and nothing that is gone', async () => {
        const ana = await enqueue();
        const after = entry({ ...ana.ticket, front: true });
        expect(await store.updateTicket(ana, after, { expiresAt: await justOver() })).toBe('expired');
        expect(await store.ticketOf(ana.ticket.seeker.userId)).toEqual(ana);
        await store.removeTicket(ana.ticket.seeker.userId, ana.ticket.ticketId);
        expect(await store.updateTicket(ana, after, { expiresAt: inTime })).toBe('conflict');
        await enqueue(ticket({ userId: ana.ticket.seeker.userId }));
        expect(await store.updateTicket(ana, after, { expiresAt: inTime })).toBe('conflict');
        expect((await store.counts()).waiting).toBe(1);
      });

      it('RQ-9 moves a ticket to its place when an update changes its mode or its order', async () => {
        const [ana, ben] = [await enqueue(ticket({ queuedAt: start + 1 })), await enqueue(ticket({ queuedAt: start }))];
        await store.updateTicket(ana, entry({ ...ana.ticket, front: true }), { expiresAt: inTime });
        expect(await waitingIds()).toEqual([ana.ticket.ticketId, ben.ticket.ticketId]);
        const video = { ...ana.ticket, search: { ...ana.ticket.search, mode: 'video' as const } };
        await store.updateTicket(await stored(ana.ticket.seeker.userId), entry(video), { expiresAt: inTime });
        expect(await waitingIds()).toEqual([ben.ticket.ticketId]);
        expect(await waitingIds('video')).toEqual([ana.ticket.ticketId]);
        expect(await store.positionOf(ben.ticket)).toEqual({ position: 1, waiting: 1 });
      });

      it('removes the ticket that is named, and no later one of the same person', async () => {
        const ana = ticket();
        const { userId } = ana.seeker;
        const first = await enqueue(ana, [['wait', start + 1]]);
        await store.updateTicket(first, entry({ ...ana, relaxed: ['age'] }, [['wait', start + 1]]), {
          expiresAt: inTime,
        });
        expect(await store.removeTicket(userId, newId())).toBe(false);
        expect(await Promise.all([1, 2].map(() => store.removeTicket(userId, ana.ticketId)))).toContain(true);
        expect(await store.removeTicket(userId, ana.ticketId)).toBe(false);
        expect(await store.placeOf(userId)).toEqual({ at: 'nowhere' });
        expect(await waitingIds()).toEqual([]);
        expect(await everyDeadline()).toEqual([]);
        const again = ticket({ userId });
        await enqueue(again);
        expect(await store.removeTicket(userId, ana.ticketId)).toBe(false);
        expect(await waitingIds()).toEqual([again.ticketId]);
      });
    });

    describe('claims', () => {
      it('RQ-5 moves both from the queue into the call', async () => {
        const [ana, ben] = [await enqueue(ticket(), [['wait', start + 9]]), await enqueue()];
        const claim = claimOf(ana, ben, { deadlines: new Map([['connect', start + 8000]]) });
        expect(await store.claim(claim)).toBe('claimed');
        for (const { userId } of claim.call.sides) {
          expect(await store.placeOf(userId)).toEqual({ at: 'call', callId: claim.call.callId });
          expect(await store.ticketOf(userId)).toBeUndefined();
        }
        expect((await load(claim.call.callId)).call).toEqual(claim.call);
        expect(await store.callIds()).toEqual([claim.call.callId]);
        expect(await store.counts()).toEqual({ waiting: 0, calls: 1 });
        expect(await waitingIds()).toEqual([]);
        expect(await everyDeadline()).toEqual([
          { of: 'call', callId: claim.call.callId, key: 'connect', at: start + 8000 },
        ]);
      });

      it('RQ-5 takes both or nobody when many claims of overlapping pairs meet', async () => {
        const people = await Promise.all(Array.from({ length: 12 }, () => enqueue()));
        const claims = people.flatMap((one, index) => people.slice(index + 1).map((other) => claimOf(one, other)));
        const shuffled = claims.toSorted((one, other) => (one.call.callId < other.call.callId ? -1 : 1));
        const outcomes = await Promise.all(shuffled.map((claim) => store.claim(claim)));
        const won = shuffled.filter((_, index) => outcomes[index] === 'claimed');
        // Whoever was left over would have been taken by a claim of two who are left over.
        expect(won).toHaveLength(6);
        const inCalls = won.flatMap(({ call }) => call.sides.map((side) => side.userId));
        expect(new Set(inCalls).size).toBe(12);
        expect((await store.callIds()).toSorted()).toEqual(won.map(({ call }) => call.callId).toSorted());
        for (const { call } of won)
          for (const { userId } of call.sides)
            expect(await store.placeOf(userId)).toEqual({ at: 'call', callId: call.callId });
        expect(await store.counts()).toEqual({ waiting: 0, calls: 6 });
      });

      it('RQ-5 loses nobody when the same person is claimed twice, removed and updated at once', async () => {
        for (let round = 0; round < 30; round += 1) {
          const [ana, ben, eve] = [await enqueue(), await enqueue(), await enqueue()];
          const { userId } = ana.ticket.seeker;
          const [withBen, withEve, removed] = await Promise.all([
            store.claim(claimOf(ana, ben)),
            store.claim(claimOf(eve, ana)),
            store.removeTicket(userId, ana.ticket.ticketId),
            store.updateTicket(ana, entry({ ...ana.ticket, awaySince: start }), { expiresAt: inTime }),
          ]);
          const places = await placesOf([ana, ben, eve].map((it) => it.ticket.seeker));
          // Ana can go to one of three places, and an update first leaves only the last of them.
          expect([
            ['claimed lost false', 'call call queue'],
            ['lost claimed false', 'call queue call'],
            ['lost lost true', 'nowhere queue queue'],
          ]).toContainEqual([`${withBen} ${withEve} ${removed}`, places.join(' ')]);
          for (const { ticket: it } of [ben, eve]) await store.removeTicket(it.seeker.userId, it.ticketId);
        }
      });

      it('RE-1 loses with a version that is old, a ticket that is gone, or a later one', async () => {
        const [ana, ben] = [await enqueue(), await enqueue()];
        await store.updateTicket(ana, entry({ ...ana.ticket, relaxed: ['age'] }), { expiresAt: inTime });
        expect(await store.claim(claimOf(ana, ben))).toBe('lost');
        expect(await store.claim(claimOf(ben, ana))).toBe('lost');
        const { userId } = ana.ticket.seeker;
        await store.removeTicket(userId, ana.ticket.ticketId);
        expect(await store.claim(claimOf(ben, ana))).toBe('lost');
        const again = await enqueue(ticket({ userId }));
        expect(await store.claim(claimOf(ben, ana))).toBe('lost');
        expect(await store.claim(claimOf(ana, ben))).toBe('lost');
        expect(await store.counts()).toEqual({ waiting: 2, calls: 0 });
        expect(await store.claim(claimOf(ben, again))).toBe('claimed');
      });

      it('RQ-5 claims nobody who is away', async () => {
        const [ana, ben] = [await enqueue(), await enqueue()];
        await store.updateTicket(ana, entry({ ...ana.ticket, awaySince: start }), { expiresAt: inTime });
        const away = await stored(ana.ticket.seeker.userId);
        expect(await store.claim(claimOf(away, ben))).toBe('lost');
        expect(await store.claim(claimOf(ben, away))).toBe('lost');
        expect(await store.counts()).toEqual({ waiting: 2, calls: 0 });
        await store.updateTicket(away, entry(ana.ticket), { expiresAt: inTime });
        expect(await store.claim(claimOf(ben, await stored(ana.ticket.seeker.userId)))).toBe('claimed');
      });

      it('RE-5 begins no more calls than there may be, and leaves both waiting', async () => {
        await beginCall();
        const people = await Promise.all(Array.from({ length: 4 }, () => enqueue()));
        const [one, two, three, four] = people;
        if (!one || !two || !three || !four) throw new Error('four were put in');
        expect(await store.claim(claimOf(one, two, { most: 1 }))).toBe('full');
        expect(await placesOf(people.map((it) => it.ticket.seeker))).toEqual(['queue', 'queue', 'queue', 'queue']);
        const outcomes = await Promise.all([
          store.claim(claimOf(one, two, { most: 2 })),
          store.claim(claimOf(three, four, { most: 2 })),
        ]);
        expect(outcomes.toSorted()).toEqual(['claimed', 'full']);
        expect(await store.counts()).toEqual({ waiting: 2, calls: 2 });
      });

      it('RE-4 claims nobody after the write has expired', async () => {
        const [ana, ben] = [await enqueue(), await enqueue()];
        expect(await store.claim(claimOf(ana, ben, { expiresAt: await justOver() }))).toBe('expired');
        expect(await store.counts()).toEqual({ waiting: 2, calls: 0 });
        expect(await store.claim(claimOf(ana, ben, { expiresAt: justInTime() }))).toBe('claimed');
      });
    });

    describe('calls', () => {
      it('RE-1 lets one of several commits to the same version win', async () => {
        const loaded = await load((await beginCall()).callId);
        const outcomes = await Promise.all(
          [1, 2, 3].map((offset) =>
            store.commit(commitOf(loaded, { after: { ...loaded.call, activeAt: start + offset } })),
          ),
        );
        expect(outcomes.map((it) => it.outcome).toSorted()).toEqual(['committed', 'conflict', 'conflict']);
        const winner = outcomes.findIndex((it) => it.outcome === 'committed');
        const after = await load(loaded.call.callId);
        expect(after.call).toEqual({ ...loaded.call, activeAt: start + winner + 1 });
        expect(outcomes[winner]).toEqual({ outcome: 'committed', version: after.version });
        expect((await store.commit(commitOf(after))).outcome).toBe('committed');
        expect((await store.commit(commitOf(after))).outcome).toBe('conflict');
      });

      it('RE-4 commits nothing that expired, and nothing to a call that is gone', async () => {
        const loaded = await load((await beginCall()).callId);
        const changed = { ...loaded.call, warned: true };
        expect(await store.commit(commitOf(loaded, { after: changed, expiresAt: await justOver() }))).toEqual({
          outcome: 'expired',
        });
        expect(await store.load(loaded.call.callId)).toEqual(loaded);
        expect((await store.commit(commitOf(loaded, { after: endedCall(loaded.call) }))).outcome).toBe('committed');
        expect(await store.commit(commitOf(loaded, { after: changed }))).toEqual({ outcome: 'gone' });
        expect(await store.load(loaded.call.callId)).toBeUndefined();
        const unknown = callOf(ticket(), ticket());
        expect(await store.commit(commitOf({ call: unknown, version: 1 }))).toEqual({ outcome: 'gone' });
      });

      it('gives a call the deadlines of its last commit, and none of before', async () => {
        const { callId } = await beginCall({ deadlines: new Map([['connect', start + 8000]]) });
        const loaded = await load(callId);
        const deadlines = new Map([
          ['max-duration', start + 50],
          ['idle', start + 20],
        ] as const);
        await store.commit(commitOf(loaded, { deadlines }));
        expect(await everyDeadline()).toEqual([
          { of: 'call', callId, key: 'idle', at: start + 20 },
          { of: 'call', callId, key: 'max-duration', at: start + 50 },
        ]);
        const refused = { version: loaded.version, deadlines: new Map([['resume', start + 1] as const]) };
        expect((await store.commit(commitOf(loaded, refused))).outcome).toBe('conflict');
        expect((await everyDeadline()).map((it) => it.key)).toEqual(['idle', 'max-duration']);
      });

      it('RQ-5 lets both go when a call ends, and keeps nothing of it', async () => {
        const call = await beginCall({ deadlines: new Map([['max-duration', start + 50]]) });
        const late = new Map([['idle', start + 60] as const]);
        await store.commit(commitOf(await load(call.callId), { after: endedCall(call), deadlines: late }));
        expect(await placesOf(call.sides)).toEqual(['nowhere', 'nowhere']);
        expect(await store.load(call.callId)).toBeUndefined();
        expect(await store.callIds()).toEqual([]);
        expect(await store.counts()).toEqual({ waiting: 0, calls: 0 });
        expect(await everyDeadline()).toEqual([]);
        for (const { userId } of call.sides) await enqueue(ticket({ userId }));
      });

      it('RD-3 RD-6 puts who waits again in the queue with the end of the call', async () => {
        const call = await beginCall();
        const [left, right] = call.sides;
        const again = [
          ticket({ userId: left.userId, queuedAt: start + 5 }),
          ticket({ userId: right.userId, queuedAt: start + 6, front: true }),
        ] as const;
        const entries = [entry(again[0], [['wait', start + 60_000]]), entry(again[1], [['wait', start + 61_000]])];
        const bystander = await enqueue(ticket({ queuedAt: start + 1 }));
        await store.commit(commitOf(await load(call.callId), { after: endedCall(call), requeue: entries }));
        expect(await waitingIds()).toEqual([again[1].ticketId, bystander.ticket.ticketId, again[0].ticketId]);
        expect(await store.placeOf(left.userId)).toEqual({ at: 'queue', ticketId: again[0].ticketId });
        expect((await stored(right.userId)).ticket).toEqual(again[1]);
        expect((await everyDeadline()).map((it) => it.at)).toEqual([start + 60_000, start + 61_000]);
        expect(await store.counts()).toEqual({ waiting: 3, calls: 0 });
        expect(await store.claim(claimOf(bystander, await stored(right.userId)))).toBe('claimed');
      });

      it('RQ-5 lets a person who waits again be away', async () => {
        const call = await beginCall();
        const [left, right] = call.sides;
        const away = ticket({ userId: left.userId, awaySince: start });
        await store.commit(commitOf(await load(call.callId), { after: endedCall(call), requeue: [entry(away)] }));
        expect(await waitingIds()).toEqual([]);
        expect(await store.placeOf(left.userId)).toEqual({ at: 'queue', ticketId: away.ticketId });
        expect(await store.placeOf(right.userId)).toEqual({ at: 'nowhere' });
        expect((await store.counts()).waiting).toBe(1);
      });

      it('RE-1 queues nobody and remembers nothing with a commit that does not win', async () => {
        const call = await beginCall();
        const loaded = await load(call.callId);
        await store.commit(commitOf(loaded));
        const [left] = call.sides;
        const stale = commitOf(loaded, {
          after: endedCall(call),
          histories: new Map([[left.userId, historyWith(newId())]]),
          historyUntil: inTime,
          requeue: [entry(ticket({ userId: left.userId }), [['wait', start]])],
        });
        expect(await store.commit(stale)).toEqual({ outcome: 'conflict' });
        expect(await placesOf(call.sides)).toEqual(['call', 'call']);
        expect(await store.historyOf(left.userId)).toBeUndefined();
        expect(await waitingIds()).toEqual([]);
        expect(await everyDeadline()).toEqual([]);
      });

      it('RQ-5 ends a call once, and everybody is in one place, when both press next at once', async () => {
        for (let round = 0; round < 30; round += 1) {
          const call = await beginCall();
          const loaded = await load(call.callId);
          const outcomes = await Promise.all(
            call.sides.map(({ userId }) =>
              store.commit(
                commitOf(loaded, { after: endedCall(call), requeue: [entry(ticket({ userId, mode: 'video' }))] }),
              ),
            ),
          );
          expect(outcomes.filter((it) => it.outcome === 'committed')).toHaveLength(1);
          expect(outcomes.filter((it) => it.outcome === 'gone')).toHaveLength(1);
          expect((await placesOf(call.sides)).toSorted()).toEqual(['nowhere', 'queue']);
          expect(await waitingIds('video')).toHaveLength(round + 1);
        }
      });

      it('RQ-4 remembers the people of a call until its time, by the clock of the store', async () => {
        const call = await beginCall();
        const [left, right] = call.sides;
        const histories = new Map([
          [left.userId, historyWith(right.userId)],
          [right.userId, historyWith(left.userId)],
        ]);
        const historyUntil = justInTime() + 10;
        await store.commit(commitOf(await load(call.callId), { after: endedCall(call), histories, historyUntil }));
        expect(await store.historyOf(left.userId)).toEqual(historyWith(right.userId));
        expect(await store.historyOf(right.userId)).toEqual(historyWith(left.userId));
        await under.clock.until(historyUntil - 1 - under.clock.slackMs);
        expect(await store.historyOf(left.userId)).toEqual(historyWith(right.userId));
        await under.clock.until(historyUntil);
        expect(await store.historyOf(left.userId)).toBeUndefined();
      });

      it('RQ-4 remembers what the last call says, while its people wait and talk', async () => {
        const [ana, ben] = [await enqueue(), await enqueue()];
        const { userId } = ana.ticket.seeker;
        const claim = claimOf(ana, ben);
        await store.claim(claim);
        const end = async (call: CallState, partnerId: string, historyUntil: number): Promise<void> => {
          const histories = new Map([[userId, historyWith(partnerId)]]);
          await store.commit(commitOf(await load(call.callId), { after: endedCall(call), histories, historyUntil }));
        };
        await end(claim.call, 'first', inTime);
        const second = claimOf(await enqueue(ticket({ userId })), await enqueue());
        expect(await store.historyOf(userId)).toEqual(historyWith('first'));
        await store.claim(second);
        expect(await store.historyOf(userId)).toEqual(historyWith('first'));
        const secondUntil = justInTime() + 1;
        await end(second.call, 'second', secondUntil);
        expect(await store.historyOf(userId)).toEqual(historyWith('second'));
        await under.clock.until(secondUntil);
        expect(await store.historyOf(userId)).toBeUndefined();
      });

      it('ignores histories and who waits again where a call goes on', async () => {
        const call = await beginCall();
        const [left] = call.sides;
        const histories = new Map([[left.userId, historyWith(newId())]]);
        await store.commit(commitOf(await load(call.callId), { histories, historyUntil: inTime }));
        expect(await store.historyOf(left.userId)).toBeUndefined();
        expect(await placesOf(call.sides)).toEqual(['call', 'call']);
      });

      it('OP-2 lists every call that is not over, and counts everybody who waits', async () => {
        const calls = await Promise.all([1, 2, 3].map(() => beginCall()));
        for (const mode of callModes) await enqueue(ticket({ mode }));
        expect((await store.callIds()).toSorted()).toEqual(calls.map((it) => it.callId).toSorted());
        const [first] = calls;
        if (first) await store.commit(commitOf(await load(first.callId), { after: endedCall(first) }));
        expect((await store.callIds()).toSorted()).toEqual(
          calls
            .slice(1)
            .map((it) => it.callId)
            .toSorted(),
        );
        expect(await store.counts()).toEqual({ waiting: 3, calls: 2 });
      });
    });

    describe('deadlines', () => {
      it('gives those that are due, earliest first, of tickets and calls, and again until they are removed', async () => {
        const ana = ticket();
        await enqueue(ana, [
          ['wait', start + 60],
          ['repeat', start + 20],
        ]);
        const { callId } = await beginCall({ deadlines: new Map([['connect', start + 40]]) });
        const of = { of: 'ticket', userId: ana.seeker.userId, ticketId: ana.ticketId } as const;
        const all = [
          { ...of, key: 'repeat', at: start + 20 },
          { of: 'call', callId, key: 'connect', at: start + 40 },
          { ...of, key: 'wait', at: start + 60 },
        ];
        expect(await store.due(start + 19, plenty)).toEqual([]);
        expect(await store.due(start + 20, plenty)).toEqual(all.slice(0, 1));
        expect(await store.due(start + 60, plenty)).toEqual(all);
        expect(await store.due(start + 60, 2)).toEqual(all.slice(0, 2));
        expect(await store.due(start + 60, plenty)).toEqual(all);
      });

      it('clears a deadline that is still the same, and no later one', async () => {
        const ana = ticket();
        const { userId } = ana.seeker;
        await enqueue(ana, [['wait', start + 60]]);
        const { callId } = await beginCall({ deadlines: new Map([['connect', start + 40]]) });
        const ofCall = { of: 'call', callId, key: 'connect', at: start + 40 } as const;
        const ofTicket = { of: 'ticket', userId, ticketId: ana.ticketId, key: 'wait', at: start + 60 } as const;
        const others: DueCallDeadline[] = [
          { ...ofCall, at: start + 41 },
          { ...ofCall, key: 'idle' },
          { ...ofCall, callId: newId() },
          { ...ofTicket, at: start + 59 },
          { ...ofTicket, key: 'grace' },
          { ...ofTicket, ticketId: newId() },
        ];
        for (const other of others) await store.clearDeadline(other);
        expect(await everyDeadline()).toEqual([ofCall, ofTicket]);
        await store.clearDeadline(ofCall);
        expect(await everyDeadline()).toEqual([ofTicket]);
        await store.clearDeadline(ofTicket);
        expect(await everyDeadline()).toEqual([]);
        expect(await store.placeOf(userId)).toEqual({ at: 'queue', ticketId: ana.ticketId });
        await store.commit(commitOf(await load(callId), { deadlines: new Map([['connect', start + 40]]) }));
        expect(await everyDeadline()).toEqual([ofCall]);
      });

      it('RQ-3 RQ-5 replaces the deadlines of a ticket with those of its update', async () => {
        const ana = await enqueue(ticket(), [
          ['wait', start + 60],
          ['relax', start + 15],
        ]);
        const { ticketId } = ana.ticket;
        const { userId } = ana.ticket.seeker;
        const away = { ...ana.ticket, awaySince: start };
        const deadlines: [TicketDeadlineKey, number][] = [
          ['wait', start + 60],
          ['grace', start + 20],
        ];
        await store.updateTicket(ana, entry(away, deadlines), { expiresAt: inTime });
        const after = [
          { of: 'ticket', userId, ticketId, key: 'grace', at: start + 20 },
          { of: 'ticket', userId, ticketId, key: 'wait', at: start + 60 },
        ];
        expect(await everyDeadline()).toEqual(after);
        expect(await store.updateTicket(ana, entry(ana.ticket), { expiresAt: inTime })).toBe('conflict');
        expect(await everyDeadline()).toEqual(after);
      });

      it('RE-5 keeps in order, and loses none, when thousands come and go', async () => {
        const people = Array.from({ length: 2000 }, (_, index) => ({
          of: ticket({ mode: 'text' }),
          at: start + ((index * 7919) % 2003),
        }));
        for (const { of, at } of people) await enqueue(of, [['wait', at]]);
        for (const { of, at } of people.slice(0, 1000)) {
          const relaxed = { ...of, relaxed: ['age' as const] };
          await store.updateTicket(await stored(of.seeker.userId), entry(relaxed, [['wait', at + 1]]), {
            expiresAt: inTime,
          });
        }
        for (const { of } of people.slice(500, 1500)) await store.removeTicket(of.seeker.userId, of.ticketId);
        const expected = [...people.slice(0, 500).map(({ at }) => at + 1), ...people.slice(1500).map(({ at }) => at)];
        const due = await everyDeadline();
        expect(due.map(({ at }) => at)).toEqual(expected.toSorted((one, other) => one - other));
        expect((await store.due(start + 1000, 100)).map(({ at }) => at)).toEqual(due.slice(0, 100).map(({ at }) => at));
      });
    });

    it('RE-1 RQ-5 behaves as if commands that meet had come one after the other', async () => {
      await linearizable(open, runs);
    }, 120_000);
  });
};
