import type { EventName } from '@rostrum/shared/protocol/index.ts';
import {
  type Role,
  type RoomView,
  type RoomViewEvent,
  roomViewEvents,
  type ViewName,
} from '@rostrum/shared/protocol/room.ts';
import { isStaff, onStage } from '@rostrum/shared/room/permissions.ts';
import { foldRoomView, lacksAudience, staffMismatch } from '@rostrum/shared/room/view.ts';

/** How long an event that came too early waits for those before it, in milliseconds; then the whole view is asked for. */
const lateMs = 300;
/** Events that wait. More are dropped, and a whole view replaces them. */
const aheadMost = 1000;

const names: readonly ViewName[] = ['room', 'stage', 'staff', 'self'];

/** The event as `foldRoomView` takes it; undefined for one that carries no view on. */
export const viewEventOf = (name: EventName, payload: unknown): RoomViewEvent | undefined =>
  Object.hasOwn(roomViewEvents, name) ? ({ name, payload } as RoomViewEvent) : undefined;

/** What a person sees of a room: the events folded in their order, and a whole view where one is missing (RE-1). */
export class FoldedView {
  /** How often a whole view had to be asked for. */
  syncs = 0;
  readonly #ask: () => Promise<RoomView | undefined>;
  #view: RoomView | undefined;
  #ahead: RoomViewEvent[] = [];
  #asking = false;
  /** Something is missing that no later event brings. */
  #isStale = false;
  /** How far each view has come, by `room:sequence`. A whole view that was asked for since then says it better. */
  #reached: Partial<Record<ViewName, number>> = {};
  /** The server's own answer lacks a list that this person may see: to ask again would bring the same. */
  #lackAnswered = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(ask: () => Promise<RoomView | undefined>) {
    this.#ask = ask;
  }

  get view(): RoomView | undefined {
    return this.#view;
  }

  /** Whether nothing is missing and nothing is on its way. */
  get isWhole(): boolean {
    return this.#view !== undefined && !this.#asking && !this.#wants(this.#view);
  }

  take(event: RoomViewEvent): void {
    // While a whole view is on its way it may be older than what comes meanwhile.
    if (this.#view === undefined || this.#asking) this.#wait(event);
    if (this.#view === undefined) return;
    const folded = foldRoomView(this.#view, event);
    if (folded.kind !== 'gap') this.#become(folded.view);
    else if (!this.#asking) {
      this.#wait(event);
      this.#askSoon();
    }
  }

  /** The whole view of `room:join`: nothing before it counts. */
  replace(view: RoomView): void {
    this.#isStale = false;
    this.#reached = {};
    this.#become(view);
  }

  /** A whole view that came unasked (`room:state`). */
  push(view: RoomView): void {
    if (this.#view === undefined || !isBehind(view, this.#view)) {
      this.#become(view);
      return;
    }
    this.#isStale = true;
    this.#askSoon();
  }

  /** `room:sequence`: so many events there were in this view. */
  reached(name: ViewName, sequence: number): void {
    this.#reached[name] = sequence;
    this.#askSoon();
  }

  amend(amend: (view: RoomView) => RoomView): void {
    if (this.#view !== undefined) this.#view = amend(this.#view);
  }

  /** Out of the room: there is nothing to see. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#view = undefined;
    this.#ahead = [];
  }

  #wait(event: RoomViewEvent): void {
    if (this.#ahead.length < aheadMost) this.#ahead.push(event);
  }

  /** Folds every waiting event whose turn has come, and asks where one is missing. */
  #become(next: RoomView): void {
    let view = next;
    for (let before = -1; before !== this.#ahead.length; ) {
      before = this.#ahead.length;
      this.#ahead = this.#ahead.filter((event) => {
        const folded = foldRoomView(view, event);
        if (folded.kind === 'gap') return true;
        view = folded.view;
        return false;
      });
    }
    this.#view = view;
    if (!lacks(view)) this.#lackAnswered = false;
    if (this.#wants(view)) this.#askSoon();
  }

  #wants(view: RoomView): boolean {
    return (
      this.#isStale ||
      this.#ahead.length > 0 ||
      (lacks(view) && !this.#lackAnswered) ||
      names.some((name) => sees(view.self.role, name) && view.sequence[name] < (this.#reached[name] ?? 0))
    );
  }

  #askSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#view !== undefined && this.#wants(this.#view)) void this.#sync();
    }, lateMs);
  }

  async #sync(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    this.#isStale = false;
    this.#reached = {};
    this.syncs += 1;
    const answer = await this.#ask();
    this.#asking = false;
    const before = this.#view;
    if (before === undefined) return;
    if (answer === undefined) {
      this.#isStale = true;
      this.#askSoon();
      return;
    }
    this.#lackAnswered = lacks(answer);
    // What is left of a view that they do not have any more never gets its turn.
    for (const { payload } of this.#ahead)
      if (!sees(answer.self.role, payload.view))
        this.#reached[payload.view] = Math.max(this.#reached[payload.view] ?? 0, payload.sequence);
    this.#ahead = this.#ahead.filter(({ payload }) => sees(answer.self.role, payload.view));
    this.#become(answer);
    // It counts even where it is older, but then there is a newer one.
    if (this.#view !== undefined && isBehind(this.#view, before)) {
      this.#isStale = true;
      this.#askSoon();
    }
  }
}

const lacks = (view: RoomView): boolean => lacksAudience(view) || staffMismatch(view);

/** Of a view that one does not see any more the server counts nothing. */
const isBehind = (view: RoomView, other: RoomView): boolean =>
  names.some((name) => sees(view.self.role, name) && view.sequence[name] < other.sequence[name]);

const sees = (role: Role, name: ViewName): boolean => {
  if (name === 'stage') return onStage(role);
  return name === 'staff' ? isStaff(role) : true;
};
