import type { Limits } from '@rostrum/shared/limits.ts';
import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import { isStaff } from '@rostrum/shared/room/permissions.ts';
import type { RoomCommand } from '../rules/room/commands.ts';
import { type DeadlineKey, deadlinesOf } from '../rules/room/deadlines.ts';
import { decide } from '../rules/room/decide.ts';
import type { RoomEvent } from '../rules/room/events.ts';
import { evolve } from '../rules/room/evolve.ts';
import { type Projected, project, type Sequences } from '../rules/room/project.ts';
import { peopleCount, type RoomState, seatOf } from '../rules/room/state.ts';
import { touches } from '../rules/room/touches.ts';
import type { Clock } from '../runtime/clock.ts';
import { type KeyedQueue, QueueFull } from '../runtime/keyed-queue.ts';
import type { CommitGuards, DeadlineChanges, RoomStore } from '../state/room-store.ts';
import { StateUnavailable } from '../state/room-store.ts';
import type { OutgoingViewEvent } from './ports.ts';

/** A command that was carried out. Without events nothing changed, and nothing was committed. */
export type Committed = {
  readonly roomId: string;
  readonly before: RoomState;
  readonly after: RoomState;
  /** Of the control record of `after`. */
  readonly version: number;
  readonly events: readonly RoomEvent[];
  readonly viewEvents: readonly OutgoingViewEvent[];
  /** The numbers of its views after the commit, `self` of those that moved on; none where nothing was committed. */
  readonly sequences?: Sequences;
};

export type EngineDependencies = {
  readonly store: RoomStore;
  readonly queue: KeyedQueue;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly newId: () => string;
  /** What follows a commit: events to people, media, records. Runs before the next command of the room. */
  readonly follow: (committed: Committed) => Promise<void>;
};

export type Turn<Value> = {
  /**
   * What speaks against the command beside the rules, in the room as it is when its turn has come. Asked only of what the rules allow:
   * whoever may not know of the room is not told more of it (SE-8). Costs nothing, and waits for nothing.
   */
  readonly unless?: (before: RoomState) => Result<void>;
  readonly task: (committed: Committed) => Promise<Result<Value>>;
};

export type RoomEngine = {
  /** Carries a command out: load, decide, commit, follow, one after the other for each room. */
  execute(roomId: string, command: RoomCommand): Promise<Result<Committed>>;
  /** The same, and then its `task` in the same turn, so that what it reads is what the command left. */
  executeThen<Value>(roomId: string, command: RoomCommand, turn: Turn<Value>): Promise<Result<Value>>;
  /** Runs `task` between the commands of a room. */
  between<Value>(roomId: string, task: () => Promise<Result<Value>>): Promise<Result<Value>>;
};

/** The one way in which anything in a room changes. */
export const createRoomEngine = (dependencies: EngineDependencies): RoomEngine => {
  const { queue } = dependencies;

  const between = async <Value>(roomId: string, task: () => Promise<Result<Value>>): Promise<Result<Value>> => {
    try {
      return await queue.run(roomId, task);
    } catch (error) {
      if (error instanceof QueueFull || error instanceof StateUnavailable) return refuse('unavailable');
      throw error;
    }
  };

  const carryOut = async (
    roomId: string,
    command: RoomCommand,
    unless: NonNullable<Turn<unknown>['unless']> = () => done(undefined),
  ): Promise<Result<Committed>> => {
    const result = await attempt(dependencies, roomId, { command, unless });
    if (result.ok && result.value.events.length > 0) await dependencies.follow(result.value);
    return result;
  };

  return {
    between,
    execute: (roomId, command) => between(roomId, () => carryOut(roomId, command)),
    executeThen: (roomId, command, { unless, task }) =>
      between(roomId, async () => {
        const result = await carryOut(roomId, command, unless);
        return result.ok ? task(result.value) : result;
      }),
  };
};

const attempt = async (
  dependencies: EngineDependencies,
  roomId: string,
  { command, unless }: { readonly command: RoomCommand } & Required<Pick<Turn<unknown>, 'unless'>>,
): Promise<Result<Committed>> => {
  const { store, clock, limits, newId } = dependencies;
  const expiresAt = clock.now() + limits.unavailableMs;
  const entryId = newId();
  for (let tries = 0; tries < limits.commitAttempts; tries += 1) {
    const loaded = await store.load(roomId, (control) => touches(command, control));
    if (!loaded) return refuse('not_found');
    const before = loaded.state;
    const decision = decide(before, command, { now: clock.now(), limits, entryId });
    if (!decision.ok) return decision;
    const allowed = unless(before);
    if (!allowed.ok) return allowed;
    const events = decision.value;
    const { version } = loaded;
    if (events.length === 0)
      return { ok: true, value: { roomId, before, after: before, version, events, viewEvents: [] } };
    const after = events.reduce(evolve, before);
    const projected = project(before, events);
    const advance = counts(projected);
    const result = await store.commit({
      roomId,
      version,
      before,
      after,
      guards: guardsOf(before, after, limits),
      advance,
      deadlines: deadlineChanges(deadlinesOf(before, limits), deadlinesOf(after, limits)),
      expiresAt,
    });
    if (result.outcome === 'committed') {
      const { audienceSize, sequences } = result;
      const viewEvents = sequenced(roomId, projected, sequences, advance);
      const committed = { roomId, before, after: { ...after, audienceSize }, version: result.version };
      return { ok: true, value: { ...committed, events, viewEvents, sequences } };
    }
    if (result.outcome === 'gone') return refuse('not_found');
    if (result.outcome === 'expired') break;
    // After a conflict or a guard that did not hold, the rule looks at the new state and says what it comes to.
  }
  return refuse('unavailable');
};

/**
 * What must still hold of the audience when the commit happens, where the decision rested on its size: the version of the
 * record does not cover it. People who always get in (RM-1) are not held to the room's limit.
 */
const guardsOf = (before: RoomState, after: RoomState, limits: Limits): CommitGuards => {
  const newcomer = after.control.stage.find(({ userId }) => !seatOf(before, userId));
  const came = peopleCount(after) > peopleCount(before) && !(newcomer && isStaff(newcomer.role));
  const emptinessDecides = before.control.stage.length === 0 || after.control.stage.length === 0;
  return {
    ...(came ? { audienceBelow: before.control.settings.maxParticipants - before.control.stage.length } : {}),
    ...(emptinessDecides ? { audienceExactly: before.audienceSize } : {}),
    ...(after.standings.size > before.standings.size ? { standingsBelow: limits.standingsPerRoom } : {}),
  };
};

const deadlineChanges = (before: Map<DeadlineKey, number>, after: Map<DeadlineKey, number>): DeadlineChanges => ({
  set: new Map([...after].filter(([key, at]) => before.get(key) !== at)),
  clear: [...before.keys()].filter((key) => !after.has(key)),
});

const counts = (projected: readonly Projected[]): Sequences => {
  const advance = { room: 0, stage: 0, staff: 0, self: new Map<string, number>() };
  for (const { view, userId } of projected) {
    if (view === 'self') {
      if (userId !== null) advance.self.set(userId, (advance.self.get(userId) ?? 0) + 1);
    } else advance[view] += 1;
  }
  return advance;
};

/** Numbers view events so that the last of each view has the number that the commit gave. */
const sequenced = (
  roomId: string,
  projected: readonly Projected[],
  last: Sequences,
  advance: Sequences,
): OutgoingViewEvent[] => {
  const next = {
    room: last.room - advance.room,
    stage: last.stage - advance.stage,
    staff: last.staff - advance.staff,
    self: new Map([...advance.self].map(([userId, by]) => [userId, (last.self.get(userId) ?? by) - by])),
  };
  const number = (view: Projected['view'], userId: string | null): number => {
    if (view !== 'self') {
      next[view] += 1;
      return next[view];
    }
    const sequence = (next.self.get(userId ?? '') ?? 0) + 1;
    next.self.set(userId ?? '', sequence);
    return sequence;
  };
  return projected.map(({ name, view, userId, data }) => ({
    name,
    view,
    userId,
    payload: { ...data, roomId, view, sequence: number(view, userId) },
  }));
};
