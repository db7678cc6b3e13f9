import type { Limits } from '@rostrum/shared/limits.ts';
import type { ReportType } from '@rostrum/shared/protocol/call.ts';
import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import type { CallRecord, ReportRecord } from '../records/call-records.ts';
import type { Records } from '../records/records.ts';
import type { RoomQueries } from '../rooms/room-queries.ts';
import type { Person } from '../rules/room/state.ts';
import type { Clock } from '../runtime/clock.ts';
import { partnerIn } from './call-people.ts';
import { mergedEvidence } from './evidence.ts';

/** RE-5: chat messages that go into a report, the latest ones: two minutes of two people who write as fast as they may. */
const evidenceMessages = 500;
/** RE-5: entries of the moderation log that go into a report, the latest ones: far more than a room of an evening has. */
const evidenceEntries = 500;

export type ReportsDependencies = {
  readonly records: Pick<Records, 'calls' | 'callMessages' | 'moderation' | 'reports'>;
  readonly queries: Pick<RoomQueries, 'get' | 'hasSeat'>;
  /** Who somebody is; undefined for a person who is not known. */
  readonly find: (userId: string) => Promise<{ readonly displayName: string } | undefined>;
  readonly clock: Clock;
  readonly limits: Pick<Limits, 'reportAdditions'>;
  readonly newId: () => string;
};

type Said = { readonly type: ReportType; readonly text: string };

/**
 * Reports of people (SF-1), each with its own copy of the evidence. A second report by the same person about the same one in
 * the same place adds to the first; after `reportAdditions` of those it is refused with `already`. Rejects as `Records` does.
 */
export type Reports = {
  /** Reports the other person of a call. Refuses with `stale` a call that is not kept (any more) or was of others. */
  fromCall(report: { readonly byId: string; readonly callId: string } & Said): Promise<Result<void>>;
  /**
   * Reports a person from a room in which the reporter sits, or was moderated. Refuses with `not_found` a room that they may
   * not know of (SE-8) and a person who is not known, with `not_in_room`, and oneself with `conflict`.
   */
  fromRoom(
    report: { readonly by: Person; readonly roomId: string; readonly userId: string } & Said,
  ): Promise<Result<void>>;
};

export const createReports = (dependencies: ReportsDependencies): Reports => {
  const { records, clock, limits, newId } = dependencies;

  const file = async (
    report: Pick<ReportRecord, 'byId' | 'aboutId' | 'aboutName' | 'place'>,
    { type, text }: Said,
    gather: () => Promise<object>,
  ): Promise<Result<void>> => {
    const most = 1 + limits.reportAdditions;
    // Looked at first: evidence is much to read, for nothing where the report takes no more.
    if ((await records.reports.statementsOf(report)) >= most) return refuse('already');
    const statements = [{ type, text, at: clock.now() }];
    const filed = await records.reports.file(
      { reportId: newId(), ...report, statements, evidence: JSON.stringify(await gather()) },
      { most, merge: mergedEvidence },
    );
    // Not `rate_limited`: waiting helps nobody, and the report is there to be looked at.
    return filed === 'full' ? refuse('already') : done(undefined);
  };

  return {
    fromCall: async ({ byId, callId, ...said }) => {
      const call = await records.calls.get(callId);
      const partner = call && partnerIn(call, byId);
      if (!partner) return refuse('stale');
      const report = { byId, aboutId: partner.userId, aboutName: partner.displayName };
      return file({ ...report, place: { kind: 'call', id: callId } }, said, async () => ({
        ...whoAndWhen(call),
        chat: await records.callMessages.of(callId, evidenceMessages),
      }));
    },

    fromRoom: async ({ by, roomId, userId, ...said }) => {
      const room = await dependencies.queries.get(roomId, by);
      if (!room.ok) return room;
      const moderation = await records.moderation.list(roomId, { limit: evidenceEntries });
      const wasModerated = moderation.some((entry) => entry.userId === by.userId);
      // Whoever was put out has no seat any more, and most reason of all to say why.
      if (!(wasModerated || (await dependencies.queries.hasSeat(roomId, by.userId)))) return refuse('not_in_room');
      if (userId === by.userId) return refuse('conflict', { path: 'userId' });
      const reported = await dependencies.find(userId);
      if (!reported) return refuse('not_found', { path: 'userId' });
      const report = { byId: by.userId, aboutId: userId, aboutName: reported.displayName };
      const { title, hostId, createdAt } = room.value;
      return file({ ...report, place: { kind: 'room', id: roomId } }, said, async () => ({
        ...{ title, hostId, createdAt, moderation },
      }));
    },
  };
};

/** What a report says of a call besides its chat. What was measured in it concerns nobody who reads reports. */
const whoAndWhen = ({ people, mode, startedAt, outcome }: CallRecord): object => ({
  people,
  mode,
  startedAt,
  connectedAt: outcome?.connectedAt ?? null,
  endedAt: outcome?.endedAt ?? null,
  reason: outcome?.reason ?? null,
  endedBy: outcome?.endedBy ?? null,
});
