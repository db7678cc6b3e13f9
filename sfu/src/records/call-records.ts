import type { CallChatMessage, CallEndReason, CallMode, CallRoute, ReportType } from '@rostrum/shared/protocol/call.ts';
import type { Consents, RandomSwitch, UserKind } from '@rostrum/shared/protocol/rest.ts';

/** One person of a call that is kept. */
export type CallPerson = { readonly userId: string; readonly displayName: string; readonly kind: UserKind };

/** What one side measured (RD-13); null where it never did. */
export type CallQuality = {
  readonly averageLossPercent: number;
  readonly worstLossPercent: number;
  readonly averageJitterMs: number;
  readonly worstJitterMs: number;
  readonly averageRoundTripMs: number;
  readonly worstRoundTripMs: number;
};

/** A call as it is kept (RD-13). Its duration is from `connectedAt` to `endedAt`. */
export type CallRecord = {
  readonly callId: string;
  readonly kind: 'random';
  readonly mode: CallMode;
  /** A language that both speak, the first one's best; null where there is none. */
  readonly language: string | null;
  /** Who waited longer is first. */
  readonly people: readonly [CallPerson, CallPerson];
  readonly startedAt: number;
  readonly outcome: CallOutcome | null;
};

export type CallOutcome = {
  readonly endedAt: number;
  readonly reason: CallEndReason;
  readonly endedBy: string | null;
  /** Null where it never was. */
  readonly connectedAt: number | null;
  /** The less preferred of the routes that the two sides took; null for none. */
  readonly route: CallRoute | null;
  /** In the order of `people`. */
  readonly quality: readonly [CallQuality | null, CallQuality | null];
};

export interface CallRecords {
  /** Writes a call that begins. One whose id is there already is not written twice. */
  begin(call: CallRecord): Promise<void>;
  /** Notes the end of a call, once: an end that is there already stays. A call that is not known is left alone. */
  end(callId: string, outcome: CallOutcome): Promise<void>;
  get(callId: string): Promise<CallRecord | undefined>;
  /** The calls of this person that began since `since`, the latest first, at most `most`. */
  of(userId: string, options: { since: number; most: number }): Promise<CallRecord[]>;
  /** Notes that a call is connected, so that a crash does not make it one that never was. Once; an end that is there stays. */
  connect(callId: string, connected: { at: number; route: CallRoute | null }): Promise<void>;
  /** Ends every call that began by `at` and has no end yet: the processes that served it are gone. Answers how many. */
  endAll(at: number, reason: CallEndReason): Promise<number>;
  /**
   * Deletes up to `most` calls that began before `guestsBefore` and have nobody but guests in them, or before `membersBefore`
   * (RD-13). Their ratings go with them (RE-5). Answers how many calls.
   */
  deleteBefore(times: { guestsBefore: number; membersBefore: number }, most: number): Promise<number>;
}

/** Chat of calls, kept as evidence for a time (RD-10). */
export interface CallMessageRecords {
  /** Appends a message; one whose id is there already is not written twice. */
  append(callId: string, message: CallChatMessage): Promise<void>;
  /** The latest `most` messages of a call, in order. */
  of(callId: string, most: number): Promise<CallChatMessage[]>;
  /** Deletes up to `most` messages written before `before`. Answers how many. */
  deleteBefore(before: number, most: number): Promise<number>;
}

/** RD-9 */
export type RatingRecord = {
  readonly callId: string;
  readonly byId: string;
  readonly aboutId: string;
  readonly rating: number;
  readonly comment: string | null;
  readonly at: number;
};

export interface RatingRecords {
  /** Writes a rating; one by the same person for the same call is replaced. That of a call that is not known is left alone. */
  put(rating: RatingRecord): Promise<void>;
  /** Ratings of this person since `since`, the latest first. Those of 2 or less are the signals for safety. */
  about(aboutId: string, options: { since: number; most: number }): Promise<RatingRecord[]>;
}

/** SF-4 */
export type BlockRecord = {
  readonly byId: string;
  readonly userId: string;
  readonly displayName: string;
  readonly at: number;
};

export interface BlockRecords {
  /** Writes a block, unless `most` are there already (`full`); one that is there stays as it is. */
  put(block: BlockRecord, most: number): Promise<'kept' | 'full'>;
  remove(byId: string, userId: string): Promise<void>;
  /** Whom this person has blocked, the latest first. */
  by(byId: string): Promise<BlockRecord[]>;
}

/** What was reported (SF-1), with its own copy of the evidence. */
export type ReportRecord = {
  readonly reportId: string;
  readonly byId: string;
  readonly aboutId: string;
  readonly aboutName: string;
  readonly place: { readonly kind: 'call' | 'room'; readonly id: string };
  /** The first one, and what was added, in order. */
  readonly statements: readonly { readonly type: ReportType; readonly text: string; readonly at: number }[];
  /** JSON: chat of the call, or the log of moderation of the room, as it was when last reported. */
  readonly evidence: string;
};

export interface ReportRecords {
  /**
   * Files a report with one statement, or adds the statement (and what `merge` makes of both evidences) where the same person reported the
   * same one in the same place before (SF-1). `full`: it has `most` statements, and nothing was written.
   */
  file(
    report: ReportRecord,
    options: { most: number; merge: (before: string, now: string) => string },
  ): Promise<'filed' | 'added' | 'full'>;
  /** How many statements this person made about that one in this place. */
  statementsOf(report: Pick<ReportRecord, 'byId' | 'aboutId' | 'place'>): Promise<number>;
  get(reportId: string): Promise<ReportRecord | undefined>;
  /** Reports about this person, the one that was last filed or added to first. */
  about(aboutId: string, most: number): Promise<ReportRecord[]>;
}

export interface ConsentRecords {
  /** What this person has accepted (ID-8); nothing for somebody who is not known. */
  of(userId: string): Promise<Consents>;
  /** Adds to what a known user has accepted: what is true or higher than before. */
  give(userId: string, consents: Consents): Promise<void>;
}

/** What an operator switched while running, so that it holds at the next start. */
export interface SettingRecords {
  random(): Promise<RandomSwitch | undefined>;
  setRandom(value: RandomSwitch): Promise<void>;
}
