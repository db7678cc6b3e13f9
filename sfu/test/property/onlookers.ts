import { isDeepStrictEqual } from 'node:util';
import type { Role, RoomView, RoomViewEvent, ViewName } from '@rostrum/shared/protocol/room.ts';
import { roomViewEvents, roomViewSchema } from '@rostrum/shared/protocol/room.ts';
import { isStaff, onStage, seesAudience } from '@rostrum/shared/room/permissions.ts';
import {
  foldRoomView,
  lacksAudience,
  staffMismatch,
  withAudienceCount,
  withHandPosition,
} from '@rostrum/shared/room/view.ts';
import type { RoomEvent } from '../../src/rules/room/events.ts';
import { movedHands, type Projected, project, viewOf } from '../../src/rules/room/project.ts';
import { type RoomState, type Seat, seatOf } from '../../src/rules/room/state.ts';
import { nameOf } from '../rules/support.ts';
import { check, type Outcome } from './world.ts';

/** Whether the network loses this message on its way to this person. */
export type Loses = (userId: string, event: RoomViewEvent) => boolean;

type Seen = {
  readonly userId: string;
  view: RoomView;
  /** Views of which an event was lost, so that the next one must be noticed as a gap. */
  readonly lost: Set<ViewName>;
};

/**
 * The people of a room as their clients see it: they get the view events that their role may see, numbered as a store
 * numbers them, fold them, and ask for a fresh view where they notice a gap.
 */
export class Onlookers {
  readonly #seen = new Map<string, Seen>();
  readonly #sequences = { room: 0, stage: 0, staff: 0, self: new Map<string, number>() };
  readonly #loses: Loses;
  /** How often a gap was noticed. */
  gaps = 0;
  #state: RoomState;

  constructor(state: RoomState, loses: Loses = () => false) {
    this.#state = state;
    this.#loses = loses;
    for (const seat of seatsOf(state)) this.#refresh(seat.userId);
  }

  /** Tells everybody what they may see of it, as a publisher does after the commit. */
  tell({ before, after, events }: Outcome): void {
    this.#state = after;
    const numbered = project(before, events).map((event) => ({ to: event.userId, event: this.#numbered(event) }));
    const anew = new Set(events.flatMap(changesRole));
    for (const [userId, seen] of this.#seen) {
      const seat = seatOf(after, userId);
      if (!seat) this.#seen.delete(userId);
      if (!seat || anew.has(userId)) continue;
      const own = numbered.filter(({ to, event }) => sees(seat, event.payload.view, to));
      for (const { event } of own) this.#deliver(seen, event);
    }
    for (const { userId, position } of movedHands(before.control, after.control)) {
      const seen = this.#seen.get(userId);
      if (seen) seen.view = withHandPosition(seen.view, position);
    }
    for (const userId of anew) this.#refresh(userId);
    for (const seen of this.#seen.values()) this.#finish(seen);
  }

  /** Everybody who missed nothing sees exactly what there is to see. */
  compare(): void {
    const listed = [...this.#state.audience.values()];
    check(this.#seen.size === seatsOf(this.#state).length, 'everybody inside looks on');
    for (const { userId, view, lost } of this.#seen.values()) {
      if (lost.size > 0) continue;
      const seat = seatOf(this.#state, userId) as Seat;
      const expected = viewOf(this.#state, seat, listed, this.#sequences);
      // Of views that they do not see, nobody counts.
      const sequence = {
        ...expected.sequence,
        ...(onStage(seat.role) ? {} : { stage: view.sequence.stage }),
        ...(isStaff(seat.role) ? {} : { staff: view.sequence.staff }),
      };
      check(
        isDeepStrictEqual(view, { ...expected, sequence }),
        'the view is folded as it is',
        nameOf(userId),
        view,
        expected,
      );
      check(!staffMismatch(view), 'staff see what staff see');
      this.#discreet(view, seat);
    }
  }

  /** What nobody but those concerned may see. */
  #discreet(view: RoomView, seat: Seat): void {
    check((view.staff === null) === !isStaff(seat.role), 'hands are for staff alone', seat);
    const shows = this.#state.control.audienceListed && seesAudience(seat.role, this.#state.control.settings);
    check((view.audience.members !== null) === shows, 'the audience is hidden', seat);
    check(roomViewSchema.safeParse(view).success, 'a view is what the schema says', view);
    const { self, ...others } = view;
    check(!JSON.stringify(others).includes('reason for'), 'why somebody was muted is theirs', view);
    check(
      [undefined, null, 'reason for all', `reason for ${seat.displayName}`].includes(self.muted?.reason),
      'their own reason',
      self,
    );
    check(
      !/session|producer|address|device/.test(JSON.stringify(view)),
      'nothing of sessions, producers and traces',
      view,
    );
  }

  #deliver(seen: Seen, event: RoomViewEvent): void {
    const { view: name, sequence } = event.payload;
    // A fresh view that was asked for in the middle of a commit has all of it already.
    if (sequence <= seen.view.sequence[name]) {
      check(foldRoomView(seen.view, event).kind === 'old', 'what was seen is old');
      return;
    }
    if (this.#loses(seen.userId, event)) {
      seen.lost.add(name);
      return;
    }
    const folded = foldRoomView(seen.view, event);
    check(
      (folded.kind === 'gap') === seen.lost.has(name),
      'a gap is noticed, and only a gap',
      event,
      seen.view.sequence,
    );
    if (folded.kind === 'folded') {
      seen.view = folded.view;
      const again = foldRoomView(folded.view, event);
      check(again.kind === 'old' && again.view === folded.view, 'an event that comes twice changes nothing', event);
      return;
    }
    this.gaps += 1;
    this.#refresh(seen.userId);
  }

  /** What is told besides the views: the count where the audience is not listed, and a list that is to be seen again. */
  #finish(seen: Seen): void {
    if (lacksAudience(seen.view)) this.#refresh(seen.userId);
    else if (seen.view.audience.members === null) seen.view = withAudienceCount(seen.view, this.#state.audienceSize);
  }

  #refresh(userId: string): void {
    const seat = seatOf(this.#state, userId);
    if (!seat) return;
    const view = viewOf(this.#state, seat, [...this.#state.audience.values()], this.#sequences);
    const seen = this.#seen.get(userId);
    if (!seen) {
      this.#seen.set(userId, { userId, view, lost: new Set() });
      return;
    }
    seen.view = view;
    seen.lost.clear();
  }

  #numbered({ name, view, userId, data }: Projected): RoomViewEvent {
    const payload = { ...data, roomId: this.#state.control.roomId, view, sequence: this.#next(view, userId) };
    const parsed = roomViewEvents[name].safeParse(payload);
    check(
      parsed.success && isDeepStrictEqual(parsed.data, payload),
      'an event is what its schema says',
      name,
      payload,
      parsed.error?.issues,
    );
    this.#inItsView(name, view, payload);
    return { name, payload } as unknown as RoomViewEvent;
  }

  #next(view: ViewName, userId: string | null): number {
    if (view !== 'self') {
      this.#sequences[view] += 1;
      return this.#sequences[view];
    }
    const next = (this.#sequences.self.get(userId ?? '') ?? 0) + 1;
    this.#sequences.self.set(userId ?? '', next);
    return next;
  }

  /** No view tells what its people may not see. */
  #inItsView(name: Projected['name'], view: ViewName, payload: object): void {
    const everybodys = [
      'participant-joined',
      'participant-left',
      'participant-changed',
      'role-changed',
      'updated',
      'ending-soon',
    ];
    check(view !== 'room' || everybodys.some((one) => name === `room:${one}`), 'that is not for everybody', name);
    check(view !== 'stage' || /:participant-(joined|left)$/.test(name), 'that is not for the stage', name);
    const changed = name === 'room:participant-changed' && (payload as { participant: { role: Role } }).participant;
    check(!changed || onStage(changed.role), 'how somebody of the audience is doing is nobody’s business', payload);
    check(name !== 'room:muted' || view === 'self', 'a mute concerns one person');
    check(name !== 'room:moderated' || view === 'staff', 'moderation concerns staff');
    check(
      view === 'self' || view === 'staff' || !JSON.stringify(payload).includes('reason for'),
      'reasons are not for everybody',
      payload,
    );
  }
}

/** Whoever comes or changes role sees other views from now on, and is told all of it anew. */
const changesRole = (event: RoomEvent): string[] => {
  if (event.type === 'joined') return [event.seat.userId];
  return event.type === 'role-changed' ? [event.userId] : [];
};

const sees = (seat: Seat, view: ViewName, to: string | null): boolean => {
  if (view === 'self') return to === seat.userId;
  return view === 'room' || (view === 'stage' ? onStage(seat.role) : isStaff(seat.role));
};

const seatsOf = (state: RoomState): Seat[] => [...state.control.stage, ...state.audience.values()];
