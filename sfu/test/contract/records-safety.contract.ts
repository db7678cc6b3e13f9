import type { Consents } from '@rostrum/shared/protocol/rest.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlockRecord, ReportRecord } from '../../src/records/call-records.ts';
import type { UserRecord } from '../../src/records/records.ts';
import { newId } from '../../src/runtime/ids.ts';
import type { OpenRecords } from './records.contract.ts';

const start = 1_750_000_000_000;

const block = (more: Partial<BlockRecord> = {}): BlockRecord => ({
  byId: newId(),
  userId: newId(),
  displayName: 'Bob "the loud" 📢',
  at: start,
  ...more,
});

const report = (more: Partial<ReportRecord> = {}): ReportRecord => ({
  reportId: newId(),
  byId: newId(),
  aboutId: newId(),
  aboutName: 'Bob',
  place: { kind: 'call', id: newId() },
  statements: [{ type: 'harassment', text: 'One\nTwo — 日本語', at: start }],
  evidence: JSON.stringify({ chat: ['"quoted"'] }),
  ...more,
});

/** Keeps both, so that a test sees what was merged with what. */
const merge = (before: string, now: string): string => `[${before},${now}]`;

const user = (more: Partial<UserRecord> = {}): UserRecord => ({
  userId: newId(),
  displayName: 'Ana',
  kind: 'guest',
  createdAt: start,
  lastSeenAt: start,
  ...more,
});

type Followed = [answer: 'kept' | 'full' | undefined, after: BlockRecord[]];

/** What a plain list of somebody's blocks answers and becomes: put while there are fewer than `most`, removed without. */
const followed = (of: BlockRecord[], one: BlockRecord, most: number | undefined): Followed => {
  const others = of.filter(({ userId }) => userId !== one.userId);
  if (most === undefined) return [undefined, others];
  if (others.length < of.length) return ['kept', of];
  return of.length < most ? ['kept', [one, ...of]] : ['full', of];
};

/** What every store of records must do with blocks, reports, and what people have accepted. */
export const safetyRecordsContract = (held: OpenRecords): void => {
  describe('blocks', () => {
    it('SF-4 RQ-4 keeps blocks over a restart, those of one person, the latest first', async () => {
      const byId = newId();
      const [one, two, three] = [1, 3, 2].map((ms) => block({ byId, at: start + ms }));
      for (const each of [one, two, three, block()])
        if (each) expect(await held.records.blocks.put(each, 9)).toBe('kept');
      await held.reopen();
      expect(await held.records.blocks.by(byId)).toEqual([two, three, one]);
      expect(await held.records.blocks.by(newId())).toEqual([]);
      expect(await held.records.blocks.by(one?.userId ?? ''), 'a block is of one side').toEqual([]);
    });

    it('SF-4 lifts a block, over a restart, and no other', async () => {
      const one = block();
      const [two, ofAnother] = [block({ byId: one.byId }), block({ userId: one.userId })];
      for (const each of [one, two, ofAnother]) await held.records.blocks.put(each, 9);
      await held.records.blocks.remove(one.byId, one.userId);
      await held.records.blocks.remove(one.byId, newId());
      await held.reopen();
      expect(await held.records.blocks.by(one.byId)).toEqual([two]);
      expect(await held.records.blocks.by(ofAnother.byId)).toEqual([ofAnother]);
    });

    it('RE-5 SF-4 keeps so many of one person, and a block that is there stays as it is', async () => {
      const byId = newId();
      const [one, two, three] = [1, 2, 3].map((ms) => block({ byId, at: start + ms }));
      if (!(one && two && three)) throw new Error('three blocks');
      expect(await held.records.blocks.put(one, 2)).toBe('kept');
      expect(await held.records.blocks.put(two, 2)).toBe('kept');
      expect(await held.records.blocks.put(three, 2)).toBe('full');
      expect(await held.records.blocks.put({ ...one, displayName: 'Other', at: start + 9 }, 2)).toBe('kept');
      expect(await held.records.blocks.by(byId)).toEqual([two, one]);
      await held.records.blocks.remove(byId, one.userId);
      expect(await held.records.blocks.put(three, 2)).toBe('kept');
      expect(await held.records.blocks.by(byId)).toEqual([three, two]);
    });

    it('RE-5 SF-4 never keeps more than so many, when many are asked for at once', async () => {
      const byId = newId();
      const asked = Array.from({ length: 20 }, () => held.records.blocks.put(block({ byId }), 5));
      const answers = await Promise.all(asked);
      expect(answers.filter((answer) => answer === 'kept')).toHaveLength(5);
      expect(await held.records.blocks.by(byId)).toHaveLength(5);
    });

    it('SF-4 keeps what a plain map of blocks would', async () => {
      const people = [newId(), newId(), newId(), newId()];
      const someone = fc.constantFrom(...people);
      // Put while there are fewer than `most`, removed where there is none.
      const most = fc.integer({ min: 1, max: 3 });
      const step = fc.record({ by: someone, of: someone, most }, { requiredKeys: ['by', 'of'] });
      type Model = Map<string, BlockRecord[]>;
      const take = async (model: Model, at: number, { by, of, most }: { by: string; of: string; most?: number }) => {
        const put = block({ byId: by, userId: of, at });
        const [answer, after] = followed(model.get(by) ?? [], put, most);
        model.set(by, after);
        const asked = most === undefined ? held.records.blocks.remove(by, of) : held.records.blocks.put(put, most);
        expect(await asked).toBe(answer);
      };
      const compareAndClear = async (by: string, of: BlockRecord[]) => {
        expect(await held.records.blocks.by(by)).toEqual(of);
        for (const { userId } of of) await held.records.blocks.remove(by, userId);
      };
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
          const model: Model = new Map();
          for (const [at, one] of steps.entries()) await take(model, at, one);
          for (const [by, of] of model) await compareAndClear(by, of);
        }),
        { numRuns: 40 },
      );
    });
  });

  describe('reports', () => {
    it('SF-1 keeps a report over a restart, with its own copy of the evidence', async () => {
      const inRoom = report({ place: { kind: 'room', id: newId() } });
      const inCall = report();
      for (const each of [inRoom, inCall])
        expect(await held.records.reports.file(each, { most: 3, merge })).toBe('filed');
      await held.reopen();
      for (const each of [inRoom, inCall]) expect(await held.records.reports.get(each.reportId)).toEqual(each);
      expect(await held.records.reports.get(newId())).toBeUndefined();
    });

    it('SF-1 a second report of the same person in the same place adds to the first, over a restart', async () => {
      const first = report();
      const added = { type: 'threat', text: '', at: start + 5 } as const;
      await held.records.reports.file(first, { most: 3, merge });
      await held.reopen();
      const second = { ...first, reportId: newId(), aboutName: 'Bobby', statements: [added], evidence: '{"chat":[]}' };
      expect(await held.records.reports.file(second, { most: 3, merge })).toBe('added');
      await held.reopen();
      const evidence = merge(first.evidence, second.evidence);
      const both = { ...first, statements: [...first.statements, added], evidence };
      expect(await held.records.reports.statementsOf(first)).toBe(2);
      expect(await held.records.reports.get(first.reportId)).toEqual(both);
      expect(await held.records.reports.get(second.reportId)).toBeUndefined();
    });

    it('RE-5 SF-1 takes so many additions, and changes nothing after them', async () => {
      const first = report();
      const again = (ms: number) => ({
        ...first,
        reportId: newId(),
        statements: [{ type: 'spam', text: `${ms}`, at: start + ms }] as const,
        evidence: JSON.stringify(ms),
      });
      expect(await held.records.reports.file(first, { most: 3, merge })).toBe('filed');
      expect(await held.records.reports.file(again(1), { most: 3, merge })).toBe('added');
      expect(await held.records.reports.file(again(2), { most: 3, merge })).toBe('added');
      expect(await held.records.reports.file(again(3), { most: 3, merge })).toBe('full');
      const kept = await held.records.reports.get(first.reportId);
      expect(kept?.statements.map(({ at }) => at)).toEqual([start, start + 1, start + 2]);
      expect(kept?.evidence).toBe(merge(merge(first.evidence, '1'), '2'));
      expect(await held.records.reports.statementsOf(again(4))).toBe(3);
      expect(await held.records.reports.statementsOf(report())).toBe(0);
    });

    it('SF-1 another reporter, person, place or kind of place is another report', async () => {
      const first = report();
      const others = [
        { byId: newId() },
        { aboutId: newId() },
        { place: { kind: 'call', id: newId() } },
        { place: { kind: 'room', id: first.place.id } },
      ] as const;
      await held.records.reports.file(first, { most: 3, merge });
      for (const other of others)
        expect(await held.records.reports.file({ ...first, ...other, reportId: newId() }, { most: 3, merge })).toBe(
          'filed',
        );
      expect((await held.records.reports.get(first.reportId))?.statements).toHaveLength(1);
    });

    it('SF-1 lists reports about a person, the one that was last filed or added to first', async () => {
      const aboutId = newId();
      const at = (ms: number) => [{ type: 'other', text: '', at: start + ms }] as const;
      const [one, two, three] = [1, 2, 3].map((ms) => report({ aboutId, statements: at(ms) }));
      if (!(one && two && three)) throw new Error('three reports');
      for (const each of [two, one, three, report()]) await held.records.reports.file(each, { most: 3, merge });
      expect(await held.records.reports.about(aboutId, 9)).toEqual([three, two, one]);
      await held.records.reports.file({ ...one, reportId: newId(), statements: at(4) }, { most: 3, merge });
      const about = await held.records.reports.about(aboutId, 2);
      expect(about.map(({ reportId }) => reportId)).toEqual([one.reportId, three.reportId]);
      expect(await held.records.reports.about(newId(), 9)).toEqual([]);
    });
  });

  describe('consents', () => {
    const none: Consents = { houseRules: false, minimumAge: null };

    it('ID-8 keeps what a person has accepted, over a restart', async () => {
      const [ana, bob] = [user(), user({ kind: 'member' })];
      await Promise.all([held.records.users.put(ana), held.records.users.put(bob)]);
      expect(await held.records.consents.of(ana.userId)).toEqual(none);
      await held.records.consents.give(ana.userId, { houseRules: true, minimumAge: null });
      await held.records.consents.give(bob.userId, { houseRules: false, minimumAge: 18 });
      await held.reopen();
      expect(await held.records.consents.of(ana.userId)).toEqual({ houseRules: true, minimumAge: null });
      expect(await held.records.consents.of(bob.userId)).toEqual({ houseRules: false, minimumAge: 18 });
    });

    it('ID-8 adds to what was accepted, and takes nothing back', async () => {
      const ana = user();
      await held.records.users.put(ana);
      const steps: [Consents, Consents][] = [
        [none, none],
        [
          { houseRules: false, minimumAge: 16 },
          { houseRules: false, minimumAge: 16 },
        ],
        [
          { houseRules: true, minimumAge: null },
          { houseRules: true, minimumAge: 16 },
        ],
        [
          { houseRules: false, minimumAge: 21 },
          { houseRules: true, minimumAge: 21 },
        ],
        [
          { houseRules: false, minimumAge: 13 },
          { houseRules: true, minimumAge: 21 },
        ],
        [none, { houseRules: true, minimumAge: 21 }],
      ];
      for (const [given, expected] of steps) {
        await held.records.consents.give(ana.userId, given);
        expect(await held.records.consents.of(ana.userId)).toEqual(expected);
      }
      await held.records.users.put({ ...ana, displayName: 'Anna', kind: 'member' });
      await held.records.users.seen(ana.userId, start + 1, {});
      expect(await held.records.consents.of(ana.userId)).toEqual({ houseRules: true, minimumAge: 21 });
    });

    it('ID-8 keeps nothing of somebody who is not known', async () => {
      const nobody = newId();
      await held.records.consents.give(nobody, { houseRules: true, minimumAge: 18 });
      expect(await held.records.consents.of(nobody)).toEqual(none);
      await held.records.users.put(user({ userId: nobody }));
      expect(await held.records.consents.of(nobody)).toEqual(none);
    });
  });

  describe('guests who vanish', () => {
    it('ID-6 take their blocks and what they accepted with them, and no report', async () => {
      const [ana, bob] = [user(), user({ kind: 'member' })];
      for (const each of [ana, bob]) {
        await held.records.users.put(each);
        await held.records.consents.give(each.userId, { houseRules: true, minimumAge: 18 });
      }
      const [byAna, ofAna] = [block({ byId: ana.userId }), block({ byId: bob.userId, userId: ana.userId })];
      const stays = block({ byId: bob.userId });
      for (const each of [byAna, ofAna, stays]) await held.records.blocks.put(each, 9);
      const reports = [report({ byId: ana.userId, aboutId: bob.userId }), report({ aboutId: ana.userId })];
      for (const each of reports) await held.records.reports.file(each, { most: 9, merge });

      expect(await held.records.users.deleteGuestsUnseenSince(start + 1, 9)).toBe(1);
      await held.reopen();
      expect(await held.records.blocks.by(ana.userId)).toEqual([]);
      expect(await held.records.blocks.by(bob.userId), 'nobody blocks somebody who cannot come back').toEqual([stays]);
      expect(await held.records.consents.of(ana.userId)).toEqual({ houseRules: false, minimumAge: null });
      expect(await held.records.consents.of(bob.userId)).toEqual({ houseRules: true, minimumAge: 18 });
      for (const each of reports) expect(await held.records.reports.get(each.reportId)).toEqual(each);
    });

    it('RE-5 ID-6 with many blocks by and of them are deleted all the same, and nobody who stays loses one', async () => {
      const [first, second, stays] = [0, 1, 2].map((ms) => user({ lastSeenAt: start + ms }));
      if (!(first && second && stays)) throw new Error('three guests');
      for (const each of [first, second, stays]) await held.records.users.put(each);
      const many = Array.from({ length: 2600 }, (_, index) =>
        index % 2 === 0 ? block({ byId: first.userId }) : block({ userId: first.userId }),
      );
      const few = [block({ byId: second.userId }), block({ byId: second.userId })];
      const kept = [block({ byId: stays.userId, at: start + 1 }), block({ byId: stays.userId })];
      await Promise.all([...many, ...few, ...kept].map((each) => held.records.blocks.put(each, 5000)));
      expect(await held.records.users.deleteGuestsUnseenSince(start + 2, 9)).toBe(2);
      for (const { byId } of [...many.slice(0, 20), ...few]) expect(await held.records.blocks.by(byId)).toEqual([]);
      expect(await held.records.blocks.by(stays.userId)).toEqual(kept);
      expect(await held.records.users.get(stays.userId)).toEqual(stays);
    });
  });
};
