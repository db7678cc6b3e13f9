import type { RoomView, RoomViewEvent, ViewName } from '@rostrum/shared/protocol/room.ts';
import { backoffMs, mediaBackoff } from './backoff.ts';
import { isPassing, waitOf } from './errors.ts';
import { Timers } from './timers.ts';
import {
  aheadMax,
  amended,
  answered,
  asking,
  type Feed,
  isNews,
  numbered,
  pushed,
  startFeed,
  taken,
  unanswered,
  wantsSync,
} from './view-feed.ts';

export type ViewKeeperOptions = {
  /** Asks the server for the whole view (`room:sync`). */
  readonly sync: () => Promise<RoomView>;
  readonly changed: (view: RoomView, before: RoomView) => void;
  /** The server refused the whole view for good. */
  readonly refused: (error: unknown) => void;
};

/** Before asking: a late event often fills the gap. */
const jitterMs = 300;
/** What one misses, mostly everybody does: a room asks over so long for each person in it, so that 1,000 do not at one moment. */
const jitterOfPersonMs = 2;
const jitterMaxMs = 5000;
/** Between two whole views. */
const spacingMs = 2000;

/** Keeps the folded view of a room, and asks for a whole one where events alone do not do (RE-1). */
export class ViewKeeper {
  readonly #options: ViewKeeperOptions;
  readonly #timers = new Timers();
  #feed: Feed | undefined;
  /** Events that came before the first view. */
  #early: RoomViewEvent[] = [];
  /** What stood alone and came before the first view, which was read before it. */
  readonly #amends: ((view: RoomView) => RoomView)[] = [];
  #cancel: (() => void) | undefined;
  #lastAsked = Number.NEGATIVE_INFINITY;
  #failures = 0;
  /** Counts the whole views that were awaited: only the last one's answer counts. */
  #round = 0;

  constructor(options: ViewKeeperOptions) {
    this.#options = options;
  }

  get view(): RoomView | undefined {
    return this.#feed?.view;
  }

  /** Takes an event as it came. Answers whether it brought anything new. */
  take(event: RoomViewEvent): boolean {
    if (this.#feed === undefined) {
      if (this.#early.length < aheadMax) this.#early.push(event);
      return false;
    }
    const news = isNews(this.#feed, event);
    this.#become(taken(this.#feed, event));
    return news;
  }

  /** The whole view of `room:join`: nothing before it counts. */
  replace(view: RoomView): void {
    this.#round += 1;
    this.#failures = 0;
    const early = this.#early;
    this.#early = [];
    if (this.#feed === undefined) this.#start(view, early);
    else this.#become(answered(this.#feed, view));
  }

  /** A whole view that came unasked (`room:state`). */
  push(view: RoomView): void {
    if (this.#feed !== undefined) this.#become(pushed(this.#feed, view));
  }

  /** The server says which event of a view was the last (`room:sequence`). */
  known(view: ViewName, sequence: number): void {
    if (this.#feed !== undefined) this.#become(numbered(this.#feed, view, sequence));
  }

  amend(amend: (view: RoomView) => RoomView): void {
    if (this.#feed !== undefined) this.#become(amended(this.#feed, amend));
    else if (this.#amends.length < aheadMax) this.#amends.push(amend);
  }

  /** The connection is away: `replace` will bring a whole view. */
  suspend(): void {
    this.#round += 1;
    if (this.#feed !== undefined) this.#become(asking(this.#feed));
  }

  close(): void {
    this.#round += 1;
    this.#timers.close();
  }

  #start(view: RoomView, early: readonly RoomViewEvent[]): void {
    this.#feed = this.#amends.splice(0).reduce(amended, startFeed(view, early));
    this.#schedule();
  }

  #become(feed: Feed): void {
    const before = this.#feed?.view ?? feed.view;
    this.#feed = feed;
    this.#schedule();
    if (feed.view !== before) this.#options.changed(feed.view, before);
  }

  #schedule(): void {
    if (this.#feed === undefined || !wantsSync(this.#feed)) {
      this.#cancel?.();
      this.#cancel = undefined;
      return;
    }
    if (this.#cancel !== undefined) return;
    const rest = Math.max(0, this.#lastAsked + spacingMs - performance.now());
    this.#wait(rest + Math.random() * jitterOf(this.#feed.view));
  }

  #wait(ms: number): void {
    this.#cancel = this.#timers.after(ms, () => {
      this.#cancel = undefined;
      void this.#ask();
    });
  }

  async #ask(): Promise<void> {
    if (this.#feed === undefined || !wantsSync(this.#feed)) return;
    this.#lastAsked = performance.now();
    this.#round += 1;
    const round = this.#round;
    this.#feed = asking(this.#feed);
    try {
      const view = await this.#options.sync();
      if (round !== this.#round) return;
      this.#failures = 0;
      this.#become(answered(this.#feed, view));
    } catch (error) {
      if (round !== this.#round) return;
      this.#feed = unanswered(this.#feed);
      if (isPassing(error)) {
        this.#wait(waitOf(error, backoffMs(this.#failures, mediaBackoff)));
        this.#failures += 1;
      } else this.#options.refused(error);
    }
  }
}

const jitterOf = ({ stage, audience }: RoomView): number =>
  Math.min(jitterMaxMs, Math.max(jitterMs, jitterOfPersonMs * (stage.length + audience.count)));
