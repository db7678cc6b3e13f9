import type { RoomView, RoomViewEvent, ViewName } from '@rostrum/shared/protocol/room.ts';
import { isStaff, onStage } from '@rostrum/shared/room/permissions.ts';
import { foldRoomView, lacksAudience, staffMismatch } from '@rostrum/shared/room/view.ts';

/**
 * How a view is kept in step with the server's (RE-1), as a pure state: each function takes one and answers with the
 * next. Events fold in their order; one that came too early waits in `ahead` for those before it, and `wantsSync` says
 * when only a whole view helps.
 */
export type Feed = {
  readonly view: RoomView;
  /** Events that came before their turn; and while a view is asked for, all of them, for it may be older than they are. */
  readonly ahead: readonly RoomViewEvent[];
  /** A whole view is on its way. */
  readonly asked: boolean;
  /** Something is known to be missing that no later event brings. */
  readonly stale: boolean;
  /** The last number of a view, as the server told it since a view was asked for last; those of events may still come. */
  readonly told: { readonly [Name in ViewName]?: number };
  /** The server's own answer lacks a list that its person may see: it follows by itself, or to ask again would bring the same. */
  readonly lackAnswered: boolean;
};

/** Events that wait (RE-5). Past it they are dropped, and a whole view replaces them. */
export const aheadMax = 256;

export const startFeed = (view: RoomView, early: readonly RoomViewEvent[] = []): Feed =>
  answered({ view, ahead: early, asked: true, stale: false, told: {}, lackAnswered: false }, view);

/** Whether to ask for a whole view: after a gap, or where a list is missing that this person may see (RM-10). */
export const wantsSync = (feed: Feed): boolean =>
  !feed.asked && (feed.ahead.length > 0 || feed.stale || isShort(feed) || (lacks(feed.view) && !feed.lackAnswered));

/** Whether this event brings something that the view has not seen; false for one that comes twice. */
export const isNews = (feed: Feed, event: RoomViewEvent): boolean =>
  event.payload.sequence > feed.view.sequence[event.payload.view] && !feed.ahead.some((other) => isSame(other, event));

export const taken = (feed: Feed, event: RoomViewEvent): Feed => {
  if (!isNews(feed, event)) return feed;
  const folded = foldRoomView(feed.view, event);
  if (folded.kind === 'gap') return waiting(feed, event);
  const next = { ...feed, view: folded.view };
  return settled(feed.asked ? waiting(next, event) : drained(next));
};

/** A whole view that the server sent by itself, because one's role changed. */
export const pushed = (feed: Feed, view: RoomView): Feed => {
  // Older than what was folded already: it overtook nothing, it was overtaken.
  if (isBehind(view, feed.view)) return { ...feed, stale: true };
  const next = { ...feed, view };
  return settled(feed.asked ? next : drained(next));
};

/** The server says how far a view has come: whoever is not there missed something, unless it is on its way. */
export const numbered = (feed: Feed, view: ViewName, sequence: number): Feed => ({
  ...feed,
  told: { ...feed.told, [view]: sequence },
});

/** What was told before need not be asked for twice: the answer counts even where it is older. */
export const asking = (feed: Feed): Feed => ({ ...feed, asked: true, stale: false, told: {} });

/**
 * The whole view that was asked for. It counts even where it is older, for the server may have lost its count. What waits of a
 * view that this person does not have any more never gets its turn; whoever has it again knows how far it had come.
 */
export const answered = (feed: Feed, view: RoomView): Feed => {
  const has = namesOf(view);
  const told = { ...feed.told };
  for (const { payload } of feed.ahead)
    if (!has.includes(payload.view)) told[payload.view] = Math.max(told[payload.view] ?? 0, payload.sequence);
  const ahead = feed.ahead.filter(({ payload }) => has.includes(payload.view));
  const next = drained({ ...feed, ahead, told, view, asked: false });
  return settled({ ...next, stale: next.stale || isBehind(next.view, feed.view), lackAnswered: lacks(view) });
};

export const unanswered = (feed: Feed): Feed => ({ ...feed, asked: false, stale: true });

/** A value that stands alone, such as a count: no sequence goes with it. */
export const amended = (feed: Feed, amend: (view: RoomView) => RoomView): Feed => ({ ...feed, view: amend(feed.view) });

const lacks = (view: RoomView): boolean => lacksAudience(view) || staffMismatch(view);

const names: readonly ViewName[] = ['room', 'stage', 'staff', 'self'];

/** The views that this person has; the others have no number for them. */
const namesOf = ({ self: { role } }: RoomView): readonly ViewName[] =>
  names.filter((name) => (name !== 'stage' || onStage(role)) && (name !== 'staff' || isStaff(role)));

const isBehind = (view: RoomView, other: RoomView): boolean =>
  namesOf(view).some((name) => view.sequence[name] < other.sequence[name]);

const isShort = ({ view, told }: Feed): boolean =>
  namesOf(view).some((name) => view.sequence[name] < (told[name] ?? Number.NEGATIVE_INFINITY));

const isSame = (one: RoomViewEvent, other: RoomViewEvent): boolean =>
  one.payload.view === other.payload.view && one.payload.sequence === other.payload.sequence;

const waiting = (feed: Feed, event: RoomViewEvent): Feed =>
  feed.ahead.length >= aheadMax ? { ...feed, stale: true } : { ...feed, ahead: [...feed.ahead, event] };

/** Folds every waiting event whose turn has come. */
const drained = (feed: Feed): Feed => {
  let { view } = feed;
  let ahead = feed.ahead;
  for (let before = -1; before !== ahead.length; ) {
    before = ahead.length;
    ahead = ahead.filter((event) => {
      const folded = foldRoomView(view, event);
      if (folded.kind === 'gap') return true;
      view = folded.view;
      return false;
    });
  }
  return { ...feed, view, ahead };
};

const settled = (feed: Feed): Feed =>
  feed.lackAnswered && !lacks(feed.view) ? { ...feed, lackAnswered: false } : feed;
