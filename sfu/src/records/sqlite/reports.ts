import type { StatementSync } from 'node:sqlite';
import { reportTypes } from '@rostrum/shared/protocol/call.ts';
import { id, timestamp } from '@rostrum/shared/protocol/common.ts';
import * as z from 'zod/mini';
import type { ReportRecord, ReportRecords } from '../call-records.ts';
import { parseJson, parseRow, type Row, type Store } from './store.ts';

const reportSchema = z.strictObject({
  reportId: id,
  byId: id,
  aboutId: id,
  aboutName: z.string(),
  place: z.strictObject({ kind: z.enum(['call', 'room']), id }),
  statements: z
    .array(z.strictObject({ type: z.enum(reportTypes), text: z.string(), at: timestamp }))
    .check(z.minLength(1)),
  evidence: z.string(),
});

const reportOf = ({ placeKind, placeId, statements, ...report }: Row): ReportRecord =>
  parseRow(
    reportSchema,
    { ...report, place: { kind: placeKind, id: placeId }, statements: parseJson(statements) },
    `reports/${report['reportId']}`,
  );

const fields = `report_id AS reportId, by_id AS byId, about_id AS aboutId, about_name AS aboutName,
  place_kind AS placeKind, place_id AS placeId, statements, evidence`;

export class SqliteReports implements ReportRecords {
  readonly #store: Store;
  readonly #same: StatementSync;
  readonly #count: StatementSync;
  readonly #insert: StatementSync;
  readonly #add: StatementSync;
  readonly #get: StatementSync;
  readonly #about: StatementSync;

  constructor(store: Store) {
    this.#store = store;
    this.#same = store.prepare(`
      SELECT ${fields} FROM reports
      WHERE by_id = :byId AND about_id = :aboutId AND place_kind = :placeKind AND place_id = :placeId`);
    this.#count = store.prepare(`
      SELECT json_array_length(statements) AS statements FROM reports
      WHERE by_id = :byId AND about_id = :aboutId AND place_kind = :placeKind AND place_id = :placeId`);
    this.#insert = store.prepare(`
      INSERT INTO reports
        (report_id, by_id, about_id, about_name, place_kind, place_id, statements, evidence, last_at)
      VALUES (:reportId, :byId, :aboutId, :aboutName, :placeKind, :placeId, :statements, :evidence, :lastAt)`);
    this.#add = store.prepare(`
      UPDATE reports SET statements = :statements, evidence = :evidence, last_at = :lastAt WHERE report_id = :reportId`);
    this.#get = store.prepare(`SELECT ${fields} FROM reports WHERE report_id = ?`);
    this.#about = store.prepare(`
      SELECT ${fields} FROM reports WHERE about_id = :aboutId ORDER BY last_at DESC, report_id DESC LIMIT :most`);
  }

  file(
    report: ReportRecord,
    { most, merge }: { most: number; merge: (before: string, now: string) => string },
  ): Promise<'filed' | 'added' | 'full'> {
    const { reportId, byId, aboutId, aboutName, place, statements, evidence } = report;
    const about = { byId, aboutId, placeKind: place.kind, placeId: place.id };
    const lastAt = Math.max(...statements.map(({ at }) => at));
    return this.#store.write(() => {
      const row = this.#same.get(about);
      if (!row) {
        this.#insert.run({ reportId, ...about, aboutName, statements: JSON.stringify(statements), evidence, lastAt });
        return 'filed';
      }
      const earlier = reportOf(row);
      const all = [...earlier.statements, ...statements];
      if (all.length > most) return 'full';
      const merged = merge(earlier.evidence, evidence);
      this.#add.run({ reportId: earlier.reportId, statements: JSON.stringify(all), evidence: merged, lastAt });
      return 'added';
    });
  }

  statementsOf({ byId, aboutId, place }: Pick<ReportRecord, 'byId' | 'aboutId' | 'place'>): Promise<number> {
    return this.#store.read(() => {
      const row = this.#count.get({ byId, aboutId, placeKind: place.kind, placeId: place.id });
      return Number(row?.['statements'] ?? 0);
    });
  }

  get(reportId: string): Promise<ReportRecord | undefined> {
    return this.#store.read(() => {
      const row = this.#get.get(reportId);
      return row && reportOf(row);
    });
  }

  about(aboutId: string, most: number): Promise<ReportRecord[]> {
    return this.#store.read(() => this.#about.all({ aboutId, most }).map(reportOf));
  }
}
