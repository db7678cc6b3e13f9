import type { StatementSync } from 'node:sqlite';
import {
  type CallEndReason,
  type CallRoute,
  callEndReasonSchema,
  callModeSchema,
  callRouteSchema,
} from '@rostrum/shared/protocol/call.ts';
import { id, timestamp } from '@rostrum/shared/protocol/common.ts';
import { userKinds } from '@rostrum/shared/protocol/rest.ts';
import * as z from 'zod/mini';
import type { CallOutcome, CallQuality, CallRecord, CallRecords } from '../call-records.ts';
import { changesOf, type Parameters, parseNullableJson, parseRow, type Row, type Store } from './store.ts';

const personSchema = z.strictObject({ userId: id, displayName: z.string(), kind: z.enum(userKinds) });

const figure = z.number().check(z.gte(0));
const qualitySchema = z.strictObject({
  averageLossPercent: figure,
  worstLossPercent: figure,
  averageJitterMs: figure,
  worstJitterMs: figure,
  averageRoundTripMs: figure,
  worstRoundTripMs: figure,
});

const callSchema = z.strictObject({
  callId: id,
  kind: z.literal('random'),
  mode: callModeSchema,
  language: z.nullable(z.string()),
  people: z.tuple([personSchema, personSchema]),
  startedAt: timestamp,
  outcome: z.nullable(
    z.strictObject({
      endedAt: timestamp,
      reason: callEndReasonSchema,
      endedBy: z.nullable(id),
      connectedAt: z.nullable(timestamp),
      route: z.nullable(callRouteSchema),
      quality: z.tuple([z.nullable(qualitySchema), z.nullable(qualitySchema)]),
    }),
  ),
});

const callOf = (row: Row): CallRecord => {
  const { callId, kind, mode, language, startedAt, endedAt, reason, endedBy, connectedAt, route } = row;
  const quality = [parseNullableJson(row['firstQuality']), parseNullableJson(row['secondQuality'])];
  const call = {
    callId,
    kind,
    mode,
    language,
    people: [
      { userId: row['firstId'], displayName: row['firstName'], kind: row['firstKind'] },
      { userId: row['secondId'], displayName: row['secondName'], kind: row['secondKind'] },
    ],
    startedAt,
    outcome: endedAt === null ? null : { endedAt, reason, endedBy, connectedAt, route, quality },
  };
  return parseRow(callSchema, call, `calls/${callId}`);
};

const fields = `call_id AS callId, kind, mode, language, started_at AS startedAt,
  first_id AS firstId, first_name AS firstName, first_kind AS firstKind,
  second_id AS secondId, second_name AS secondName, second_kind AS secondKind,
  ended_at AS endedAt, end_reason AS reason, ended_by AS endedBy, connected_at AS connectedAt, route,
  first_quality AS firstQuality, second_quality AS secondQuality`;

/** The calls that `deleteBefore` means, the oldest first: those of guests alone, and all. */
const guestCallsBefore = `SELECT call_id FROM calls
  WHERE first_kind = 'guest' AND second_kind = 'guest' AND started_at < :before ORDER BY started_at LIMIT :most`;
const callsBefore = 'SELECT call_id FROM calls WHERE started_at < :before ORDER BY started_at LIMIT :most';

export class SqliteCalls implements CallRecords {
  readonly #store: Store;
  readonly #begin: StatementSync;
  readonly #connect: StatementSync;
  readonly #end: StatementSync;
  readonly #get: StatementSync;
  readonly #of: StatementSync;
  readonly #endAll: StatementSync;
  readonly #deleteOfGuests: Deletion;
  readonly #deleteAll: Deletion;

  constructor(store: Store) {
    this.#store = store;
    this.#begin = store.prepare(`
      INSERT INTO calls (call_id, kind, mode, language, started_at, first_id, first_name, first_kind,
        second_id, second_name, second_kind, ended_at, end_reason, ended_by, connected_at, route,
        first_quality, second_quality)
      VALUES (:callId, :kind, :mode, :language, :startedAt, :firstId, :firstName, :firstKind,
        :secondId, :secondName, :secondKind, :endedAt, :reason, :endedBy, :connectedAt, :route,
        :firstQuality, :secondQuality)
      ON CONFLICT (call_id) DO NOTHING`);
    this.#connect = store.prepare(`
      UPDATE calls SET connected_at = :at, route = :route
      WHERE call_id = :callId AND connected_at IS NULL AND ended_at IS NULL`);
    this.#end = store.prepare(`
      UPDATE calls SET ended_at = :endedAt, end_reason = :reason, ended_by = :endedBy, connected_at = :connectedAt,
        route = :route, first_quality = :firstQuality, second_quality = :secondQuality
      WHERE call_id = :callId AND ended_at IS NULL`);
    this.#get = store.prepare(`SELECT ${fields} FROM calls WHERE call_id = ?`);
    // Two people, two indexes: SQLite merges what they give in order, and reads no more of either than is asked for.
    this.#of = store.prepare(`
      SELECT ${fields} FROM calls WHERE first_id = :userId AND started_at >= :since
      UNION ALL SELECT ${fields} FROM calls WHERE second_id = :userId AND started_at >= :since
      ORDER BY startedAt DESC, callId DESC LIMIT :most`);
    this.#endAll = store.prepare(
      'UPDATE calls SET ended_at = :at, end_reason = :reason WHERE ended_at IS NULL AND +started_at <= :at',
    );
    this.#deleteOfGuests = deletion(store, guestCallsBefore);
    this.#deleteAll = deletion(store, callsBefore);
  }

  async begin(call: CallRecord): Promise<void> {
    const { callId, kind, mode, language, startedAt, outcome } = call;
    const [first, second] = call.people;
    const row = {
      callId,
      kind,
      mode,
      language,
      startedAt,
      firstId: first.userId,
      firstName: first.displayName,
      firstKind: first.kind,
      secondId: second.userId,
      secondName: second.displayName,
      secondKind: second.kind,
      ...(outcome ? outcomeColumns(outcome) : noOutcome),
    };
    await this.#store.write(() => this.#begin.run(row));
  }

  async connect(callId: string, { at, route }: { at: number; route: CallRoute | null }): Promise<void> {
    await this.#store.write(() => this.#connect.run({ callId, at, route }));
  }

  async end(callId: string, outcome: CallOutcome): Promise<void> {
    const row = { callId, ...outcomeColumns(outcome) };
    await this.#store.write(() => this.#end.run(row));
  }

  get(callId: string): Promise<CallRecord | undefined> {
    return this.#store.read(() => {
      const row = this.#get.get(callId);
      return row && callOf(row);
    });
  }

  of(userId: string, { since, most }: { since: number; most: number }): Promise<CallRecord[]> {
    return this.#store.read(() => this.#of.all({ userId, since, most }).map(callOf));
  }

  endAll(at: number, reason: CallEndReason): Promise<number> {
    return this.#store.write(() => changesOf(this.#endAll, { at, reason }));
  }

  deleteBefore(times: { guestsBefore: number; membersBefore: number }, most: number): Promise<number> {
    return this.#store.write(() => {
      const ofGuests = this.#deleteOfGuests({ before: times.guestsBefore, most });
      return ofGuests + this.#deleteAll({ before: times.membersBefore, most: most - ofGuests });
    });
  }
}

/** Deletes calls with their ratings, and answers how many calls. */
type Deletion = (parameters: { before: number; most: number }) => number;

const deletion = (store: Store, which: string): Deletion => {
  const ratings = store.prepare(`DELETE FROM ratings WHERE call_id IN (${which})`);
  const calls = store.prepare(`DELETE FROM calls WHERE call_id IN (${which})`);
  return (parameters) => {
    ratings.run(parameters);
    return changesOf(calls, parameters);
  };
};

const outcomeColumns = ({ endedAt, reason, endedBy, connectedAt, route, quality }: CallOutcome): Parameters => ({
  endedAt,
  reason,
  endedBy,
  connectedAt,
  route,
  firstQuality: textOf(quality[0]),
  secondQuality: textOf(quality[1]),
});

const noOutcome: Parameters = {
  endedAt: null,
  reason: null,
  endedBy: null,
  connectedAt: null,
  route: null,
  firstQuality: null,
  secondQuality: null,
};

const textOf = (quality: CallQuality | null): string | null => (quality ? JSON.stringify(quality) : null);
