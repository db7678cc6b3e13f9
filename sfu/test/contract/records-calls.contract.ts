import type { CallChatMessage } from '@rostrum/shared/protocol/call.ts';
import { type RandomSwitch, userKinds } from '@rostrum/shared/protocol/rest.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallOutcome, CallPerson, CallRecord, RatingRecord } from '../../src/records/call-records.ts';
import { newId } from '../../src/runtime/ids.ts';
import type { OpenRecords } from './records.contract.ts';

const start = 1_750_000_000_000;
const hour = 60 * 60 * 1000;

const person = (more: Partial<CallPerson> = {}): CallPerson => ({
  userId: newId(),
  displayName: "Aña 'O\"Brien' 👩‍🎤",
  kind: 'guest',
  ...more,
});

const call = (more: Partial<CallRecord> = {}): CallRecord => ({
  callId: newId(),
  kind: 'random',
  mode: 'voice',
  language: 'en-GB',
  people: [person(), person({ displayName: 'Bob' })],
  startedAt: start,
  outcome: null,
  ...more,
});

const outcome = (more: Partial<CallOutcome> = {}): CallOutcome => ({
  endedAt: start + hour,
  reason: 'hung-up',
  endedBy: newId(),
  connectedAt: start + 900,
  route: 'turn_relay_tls',
  quality: [
    {
      averageLossPercent: 0.25,
      worstLossPercent: 12.5,
      averageJitterMs: 3.75,
      worstJitterMs: 80,
      averageRoundTripMs: 41.5,
      worstRoundTripMs: 900,
    },
    null,
  ],
  ...more,
});

const message = (more: Partial<CallChatMessage> = {}): CallChatMessage => ({
  messageId: newId(),
  byId: newId(),
  text: 'One\nTwo — 日本語',
  at: start,
  ...more,
});

/** What every store of records must do with calls, their chat and ratings, and with what an operator switched. */
export const callRecordsContract = (held: OpenRecords): void => {
  describe('calls', () => {
    it('RD-13 keeps a call from its begin, over a restart, and once', async () => {
      const calls = [call(), call({ mode: 'text', language: null, people: [person({ kind: 'member' }), person()] })];
      for (const one of calls) await held.records.calls.begin(one);
      for (const one of calls) await held.records.calls.begin({ ...one, mode: 'video', startedAt: start + 1 });
      await held.reopen();
      for (const one of calls) expect(await held.records.calls.get(one.callId)).toEqual(one);
      expect(await held.records.calls.get(newId())).toBeUndefined();
    });

    it('RD-13 keeps how a call ended, over a restart: when, why, by whom, its route and quality', async () => {
      const [one, two] = [call(), call()];
      const ended = [outcome({ endedBy: one.people[0].userId }), outcome({ quality: [null, null] })] as const;
      const never = outcome({ reason: 'connect-timeout', endedBy: null, connectedAt: null, route: null });
      for (const each of [one, two]) await held.records.calls.begin(each);
      await held.records.calls.end(one.callId, ended[0]);
      await held.records.calls.end(two.callId, never);
      const written = call({ outcome: ended[1] });
      await held.records.calls.begin(written);
      await held.reopen();
      expect(await held.records.calls.get(one.callId)).toEqual({ ...one, outcome: ended[0] });
      expect(await held.records.calls.get(two.callId)).toEqual({ ...two, outcome: never });
      expect(await held.records.calls.get(written.callId)).toEqual(written);
    });

    it('RD-13 ends a call once, and none that is not known', async () => {
      const [one, first] = [call(), outcome({ reason: 'next' })];
      await held.records.calls.begin(one);
      await held.records.calls.end(one.callId, first);
      await held.records.calls.end(one.callId, outcome({ reason: 'lost', endedAt: start + 2 * hour }));
      await held.records.calls.begin(one);
      expect(await held.records.calls.get(one.callId)).toEqual({ ...one, outcome: first });
      const unknown = newId();
      await held.records.calls.end(unknown, first);
      expect(await held.records.calls.get(unknown)).toBeUndefined();
    });

    it('RD-13 a call that was cut off was connected all the same', async () => {
      const [cut, never] = [call(), call()];
      for (const each of [cut, never]) await held.records.calls.begin(each);
      await held.records.calls.connect(cut.callId, { at: start + 1, route: 'turn_relay_tcp' });
      await held.records.calls.connect(cut.callId, { at: start + 2, route: 'p2p_udp' });
      await held.reopen();
      await held.records.calls.endAll(start + 3, 'server-stopped');
      await held.records.calls.connect(never.callId, { at: start + 4, route: null });
      const outcomeOf = async ({ callId }: CallRecord) => (await held.records.calls.get(callId))?.outcome;
      expect(await outcomeOf(cut)).toMatchObject({ connectedAt: start + 1, route: 'turn_relay_tcp' });
      expect(await outcomeOf(never)).toMatchObject({ connectedAt: null, route: null });
    });

    it('RD-13 ends every call without an end, with nothing that nobody knows', async () => {
      const [one, two, over] = [call(), call(), call({ outcome: outcome() })];
      for (const each of [one, two, over]) await held.records.calls.begin(each);
      expect(await held.records.calls.endAll(start - 1, 'server-stopped')).toBe(0);
      expect(await held.records.calls.endAll(start + 7, 'server-stopped')).toBe(2);
      expect(await held.records.calls.endAll(start + 8, 'server-stopped')).toBe(0);
      const stopped = {
        endedAt: start + 7,
        reason: 'server-stopped',
        endedBy: null,
        connectedAt: null,
        route: null,
        quality: [null, null],
      };
      for (const each of [one, two])
        expect(await held.records.calls.get(each.callId)).toEqual({ ...each, outcome: stopped });
      expect(await held.records.calls.get(over.callId)).toEqual(over);
    });

    it('RD-13 lists the calls of a person on either side, the latest first', async () => {
      const [ana, bob, eve] = [person(), person(), person()];
      const calls = [
        call({ people: [ana, bob], startedAt: start + 1 }),
        call({ people: [bob, ana], startedAt: start + 4 }),
        call({ people: [ana, eve], startedAt: start + 3, outcome: outcome() }),
        call({ people: [eve, bob], startedAt: start + 2 }),
      ];
      const [one, two, three, four] = calls;
      for (const each of calls) await held.records.calls.begin(each);
      await held.reopen();
      const of = (userId: string, since: number, most: number) => held.records.calls.of(userId, { since, most });
      expect(await of(ana.userId, start, 9)).toEqual([two, three, one]);
      expect(await of(ana.userId, start, 2)).toEqual([two, three]);
      expect(await of(ana.userId, start + 3, 9)).toEqual([two, three]);
      expect(await of(bob.userId, start, 9)).toEqual([two, four, one]);
      expect(await of(newId(), start, 9)).toEqual([]);
    });

    it('RD-13 deletes calls of guests alone after their time, and those with a member after theirs', async () => {
      const member = person({ kind: 'member' });
      const guests = [1, 2, 3, 9].map((hours) => call({ startedAt: start + hours * hour }));
      const members = [1, 2, 9].map((hours) =>
        call({ startedAt: start + hours * hour, people: hours === 2 ? [member, person()] : [person(), member] }),
      );
      for (const each of [...guests, ...members]) await held.records.calls.begin(each);
      const left = async (calls: CallRecord[]) => {
        const found = await Promise.all(calls.map((each) => held.records.calls.get(each.callId)));
        return found.map((each) => each !== undefined);
      };
      const times = { guestsBefore: start + 4 * hour, membersBefore: start + 2 * hour };
      expect(await held.records.calls.deleteBefore(times, 2)).toBe(2);
      expect(await left(guests), 'the oldest first').toEqual([false, false, true, true]);
      expect(await held.records.calls.deleteBefore(times, 9)).toBe(2);
      expect(await held.records.calls.deleteBefore(times, 9)).toBe(0);
      expect(await left(guests)).toEqual([false, false, false, true]);
      expect(await left(members)).toEqual([false, true, true]);
    });

    it('RD-13 lists and deletes calls as a plain list of calls would', async () => {
      const people = [0, 1, 2].map(() => newId());
      const time = fc.integer({ min: 0, max: 5 });
      const someone = fc.record({ index: fc.constantFrom(0, 1, 2), kind: fc.constantFrom(...userKinds) });
      const begun = fc
        .record({ pair: fc.tuple(someone, someone).filter(([a, b]) => a.index !== b.index), at: time })
        .map(({ pair: [a, b], at }) => {
          const side = ({ index, kind }: typeof a) => person({ userId: people[index] ?? '', kind });
          return call({ people: [side(a), side(b)], startedAt: at });
        });
      const list = fc.uniqueArray(begun, { maxLength: 8, selector: ({ callId }) => callId });
      await fc.assert(
        fc.asyncProperty(list, time, time, async (calls, guestsBefore, membersBefore) => {
          for (const each of calls) await held.records.calls.begin(each);
          const isOver = ({ people: both, startedAt }: CallRecord): boolean =>
            startedAt < membersBefore || (startedAt < guestsBefore && both.every(({ kind }) => kind === 'guest'));
          const deleted = await held.records.calls.deleteBefore({ guestsBefore, membersBefore }, 100);
          expect(deleted).toBe(calls.filter(isOver).length);
          for (const userId of people) {
            const found = await held.records.calls.of(userId, { since: 2, most: 100 });
            expect(found.map((each) => each.startedAt)).toEqual(
              found.map((each) => each.startedAt).sort((a, b) => b - a),
            );
            const expected = calls.filter(
              (each) => !isOver(each) && each.startedAt >= 2 && each.people.some((side) => side.userId === userId),
            );
            expect(new Set(found.map((each) => each.callId))).toEqual(new Set(expected.map((each) => each.callId)));
          }
          await held.records.calls.deleteBefore({ guestsBefore: 9, membersBefore: 9 }, 100);
        }),
        { numRuns: 40 },
      );
    });
  });

  describe('chat of calls', () => {
    it('RD-10 keeps messages over a restart, and gives the latest ones of a call in order', async () => {
      const callId = newId();
      const [one, two, three] = [message({ at: start + 1 }), message({ at: start + 2 }), message({ at: start + 3 })];
      for (const each of [one, two, three]) await held.records.callMessages.append(callId, each);
      await held.records.callMessages.append(newId(), message());
      await held.reopen();
      expect(await held.records.callMessages.of(callId, 9)).toEqual([one, two, three]);
      expect(await held.records.callMessages.of(callId, 2)).toEqual([two, three]);
      expect(await held.records.callMessages.of(newId(), 9)).toEqual([]);
    });

    it('RD-10 keeps messages of one millisecond in the order they came, each once', async () => {
      const callId = newId();
      const messages = [message(), message(), message()];
      for (const each of messages) await held.records.callMessages.append(callId, each);
      for (const each of messages) await held.records.callMessages.append(callId, { ...each, text: 'another' });
      expect(await held.records.callMessages.of(callId, 9)).toEqual(messages);
    });

    it('RD-10 deletes messages whose time is over, no more than asked for', async () => {
      const callId = newId();
      const messages = [1, 2, 3, 4].map((ms) => message({ at: start + ms }));
      for (const each of messages) await held.records.callMessages.append(callId, each);
      expect(await held.records.callMessages.deleteBefore(start + 4, 2)).toBe(2);
      expect(await held.records.callMessages.of(callId, 9)).toEqual(messages.slice(2));
      expect(await held.records.callMessages.deleteBefore(start + 4, 2)).toBe(1);
      expect(await held.records.callMessages.deleteBefore(start + 4, 2)).toBe(0);
      expect(await held.records.callMessages.of(callId, 9)).toEqual(messages.slice(3));
    });
  });

  describe('ratings', () => {
    /** A rating of a call that is kept. */
    const rating = async (more: Partial<RatingRecord> = {}): Promise<RatingRecord> => {
      const one = call();
      await held.records.calls.begin(one);
      const [by, about] = one.people;
      return {
        callId: one.callId,
        byId: by.userId,
        aboutId: about.userId,
        rating: 5,
        comment: null,
        at: start,
        ...more,
      };
    };
    const about = (aboutId: string, since = 0, most = 9) => held.records.ratings.about(aboutId, { since, most });

    it('RD-9 keeps ratings over a restart, and gives those of one person, the latest first', async () => {
      const aboutId = newId();
      const one = await rating({ aboutId, at: start + 1, rating: 1, comment: 'Shouted.\n"Again" 🙁' });
      const two = await rating({ aboutId, at: start + 3 });
      const three = await rating({ aboutId, at: start + 2, rating: 2 });
      for (const each of [one, two, three, await rating()]) await held.records.ratings.put(each);
      await held.reopen();
      expect(await about(aboutId)).toEqual([two, three, one]);
      expect(await about(aboutId, start + 2)).toEqual([two, three]);
      expect(await about(aboutId, start, 1)).toEqual([two]);
      expect(await about(newId())).toEqual([]);
    });

    it('RD-9 replaces the rating of the same person for the same call, and no other', async () => {
      const first = await rating({ rating: 1, comment: 'Bad.' });
      const ofTheOther = { ...first, byId: first.aboutId, aboutId: first.byId, rating: 4 };
      const second = { ...first, rating: 3, comment: null, at: start + 1 };
      for (const each of [first, ofTheOther, second]) await held.records.ratings.put(each);
      expect(await about(first.aboutId)).toEqual([second]);
      expect(await about(first.byId)).toEqual([ofTheOther]);
    });

    it('RE-5 RD-9 keeps ratings as long as their calls, and none of a call that is gone', async () => {
      const [old, recent] = [await rating(), await rating()];
      const young = call({ startedAt: start + 2 });
      await held.records.calls.begin(young);
      const stays = { ...recent, callId: young.callId };
      for (const each of [old, stays]) await held.records.ratings.put(each);
      expect(await held.records.calls.deleteBefore({ guestsBefore: start + 1, membersBefore: 0 }, 9)).toBe(2);
      expect(await about(old.aboutId)).toEqual([]);
      await held.records.ratings.put(old);
      expect(await about(old.aboutId)).toEqual([]);
      expect(await about(stays.aboutId)).toEqual([stays]);
    });
  });

  describe('settings', () => {
    it('RQ-8 keeps how random calls are switched, over a restart', async () => {
      expect(await held.records.settings.random()).toBeUndefined();
      const off: RandomSwitch = { enabled: false, reason: 'Back at "noon".', until: start + hour, sharePercent: 100 };
      const some: RandomSwitch = { enabled: true, reason: null, until: null, sharePercent: 25 };
      await held.records.settings.setRandom(off);
      await held.reopen();
      expect(await held.records.settings.random()).toEqual(off);
      await held.records.settings.setRandom(some);
      await held.reopen();
      expect(await held.records.settings.random()).toEqual(some);
    });
  });
};
