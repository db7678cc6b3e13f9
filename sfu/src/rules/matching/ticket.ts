import type { Limits } from '@rostrum/shared/limits.ts';
import type { MatchFilter, Search } from '@rostrum/shared/protocol/random.ts';
import type { Plan, UserKind } from '@rostrum/shared/protocol/rest.ts';

/** When a rule of matching is asked, and by which limits. `now` is in milliseconds since the epoch. */
export type Moment = { readonly now: number; readonly limits: Limits };

/** Somebody who looks for a partner: a device of theirs, as it stands in the queue. */
export type Seeker = {
  readonly userId: string;
  readonly sessionId: string;
  /** The node to which that session is connected, or was when its connection was lost. */
  readonly node: string;
  readonly displayName: string;
  readonly kind: UserKind;
  readonly plan: Plan;
  /** SF-3: 0 to 100. */
  readonly reputation: number;
};

/** What is remembered of somebody's earlier calls, as far as matching goes by it. */
export type History = {
  /** Partners of the last `repeatPairMs`, the latest last; at most `rememberedPartners` (RQ-4). */
  readonly recent: readonly { readonly userId: string; readonly until: number }[];
  /** Partners with whom connecting failed, and how often; kept apart from `failedPairTimes` on (RD-3). */
  readonly failed: readonly { readonly userId: string; readonly times: number; readonly until: number }[];
  /** Calls that did not connect since the last one that did (RD-3). */
  readonly failuresInARow: number;
  /** Failed so often in a row that this person connects through the relay from then on, a call that connected or not (RD-3). */
  readonly relay?: true;
};

export const noHistory: History = { recent: [], failed: [], failuresInARow: 0 };

/** A place in the queue. One a person. */
export type Ticket = {
  readonly ticketId: string;
  readonly seeker: Seeker;
  readonly search: Search;
  /** Since when they wait; the 60 s of RQ-5 and the order count from here. */
  readonly queuedAt: number;
  /** Put back in front of everybody after a call that did not come about (RD-3). */
  readonly front: boolean;
  /** Until when nobody is taken who shares no language; `queuedAt` where that is off (RQ-2). */
  readonly languageUntil: number;
  /** Filters that hold no more, in the order in which they were relaxed (RQ-3). */
  readonly relaxed: readonly MatchFilter[];
  /** The connection is lost since then: not matched while away (RQ-5). */
  readonly awaySince: number | null;
  readonly history: History;
  /** Whom this person has blocked; the other's ticket has the other direction (RQ-4). */
  readonly blocked: readonly string[];
};

export type TicketDeadlineKey = 'wait' | 'grace' | 'language' | 'repeat' | 'relax';
