import { isDeepStrictEqual } from 'node:util';
import type { Limits } from '@rostrum/shared/limits.ts';
import type { RoomSettings } from '@rostrum/shared/protocol/room.ts';
import fc from 'fast-check';
import type { RoomCommand } from '../../src/rules/room/commands.ts';
import { type DeadlineKey, deadlinesOf } from '../../src/rules/room/deadlines.ts';
import type { Decision } from '../../src/rules/room/decide/draft.ts';
import { decide } from '../../src/rules/room/decide.ts';
import type { RoomEvent, RoomEventOf } from '../../src/rules/room/events.ts';
import { evolve, openedRoom } from '../../src/rules/room/evolve.ts';
import { project } from '../../src/rules/room/project.ts';
import type { RoomState } from '../../src/rules/room/state.ts';
import { touches } from '../../src/rules/room/touches.ts';
import { idOf, start } from '../rules/support.ts';
import { type Population, people, population, settings, smallLimits } from './people.ts';
import { commandOf, nodeOf, type Step, sessionOf } from './steps.ts';

/** How a random room begins. */
export type Beginning = { readonly settings: RoomSettings; readonly population: Population };

export const beginning: fc.Arbitrary<Beginning> = fc.record({ settings, population });

/** What one command came to. */
export type Outcome = {
  readonly command: RoomCommand;
  readonly now: number;
  readonly before: RoomState;
  readonly after: RoomState;
  readonly decision: Decision;
  readonly events: readonly RoomEvent[];
};

export const check = (holds: boolean, what: string, ...details: unknown[]): void => {
  if (holds) return;
  throw new Error([what, ...details.map((detail) => JSON.stringify(detail, replacer, 1))].join('\n'));
};

const replacer = (_key: string, value: unknown): unknown => (value instanceof Map ? Object.fromEntries(value) : value);

/**
 * A room as a store keeps it. Its deadlines are kept by what changed among the entries that a command touched. A thorough
 * world decides every command twice, with everything loaded and with only what it touches, and what the second wrote must
 * be what the first came to.
 */
export class World {
  readonly limits: Limits = smallLimits;
  readonly #thorough: boolean;
  readonly opened: RoomEventOf<'opened'>;
  readonly history: RoomEvent[] = [];
  now = start;
  state: RoomState;
  deadlines: Map<DeadlineKey, number>;
  #entries = 0;

  constructor({ settings, population }: Beginning, { thorough = false }: { thorough?: boolean } = {}) {
    this.#thorough = thorough;
    const { roomLifetimeMs } = this.limits;
    this.opened = {
      type: 'opened',
      at: start,
      roomId: idOf('room'),
      hostId: idOf('host'),
      settings,
      endsAt: start + roomLifetimeMs,
    };
    this.state = openedRoom(this.opened);
    this.deadlines = deadlinesOf(this.state, this.limits);
    const [host] = people;
    for (const person of population.present)
      this.execute({ type: 'join', person, sessionId: sessionOf(person, 0), node: nodeOf(0), bannedByHost: false });
    for (const { userId } of population.moderators) {
      this.execute({ type: 'promote', by: { userId: host?.userId ?? '' }, userId, role: 'moderator' });
    }
  }

  get ended(): boolean {
    return this.state.control.status === 'ended';
  }

  /** Lets time pass and then has the step happen. Answers with everything that happened, deadlines included. */
  take(step: Step): Outcome[] {
    const outcomes = step.punctual ? this.passTo(this.now + step.after) : [];
    this.now += step.punctual ? 0 : step.after;
    return [...outcomes, this.execute(commandOf(step, this.state))];
  }

  /** Carries out what is due on the way, each at its time or, if that is over, now. */
  passTo(until: number): Outcome[] {
    const outcomes: Outcome[] = [];
    for (let next = this.#earliest(); next && next.at <= until && !this.ended; next = this.#earliest()) {
      this.now = Math.max(this.now, next.at);
      outcomes.push(this.execute({ type: 'elapse', deadline: next.key }));
      check(this.deadlines.get(next.key) !== next.at, 'a deadline that was carried out is gone', next);
    }
    this.now = until;
    return outcomes;
  }

  #earliest(): { key: DeadlineKey; at: number } | undefined {
    return [...this.deadlines].map(([key, at]) => ({ key, at })).toSorted((one, other) => one.at - other.at)[0];
  }

  execute(command: RoomCommand): Outcome {
    const before = this.state;
    this.#entries += 1;
    const context = { now: this.now, limits: this.limits, entryId: idOf(`entry${this.#entries}`) };
    const frozen = this.#thorough ? structuredClone(before) : before;
    const decision = decide(before, command, context);
    const events = decision.ok ? decision.value : [];
    const after = events.reduce(evolve, before);
    if (this.#thorough) {
      check(isDeepStrictEqual(before, frozen), 'deciding and evolving change no state', command);
      check(
        isDeepStrictEqual(decide(before, command, context), decision),
        'the same command decides the same',
        command,
      );
    }
    this.#commit(before, after, { command, context, decision });
    this.state = after;
    this.history.push(...events);
    return { command, now: this.now, before, after, decision, events };
  }

  /** What a store does: loads what is touched, decides on that, and writes what differs. */
  #commit(
    before: RoomState,
    after: RoomState,
    { command, context, decision }: { command: RoomCommand; context: Parameters<typeof decide>[2]; decision: Decision },
  ): void {
    const touched = touches(command, before.control);
    const loaded: RoomState = {
      ...before,
      audience: only(before.audience, touched.users),
      standings: only(before.standings, touched.standings),
    };
    const partial = this.#thorough ? decide(loaded, command, context) : decision;
    check(isDeepStrictEqual(partial, decision), 'what is touched is enough to decide', command, partial, decision);
    const events = partial.ok ? partial.value : [];
    const changed = events.reduce(evolve, loaded);
    this.#moveDeadlines(loaded, changed);
    if (!this.#thorough) return;
    const merged: RoomState = {
      ...changed,
      audience: merge(before.audience, loaded.audience, changed.audience),
      standings: merge(before.standings, loaded.standings, changed.standings),
    };
    check(isDeepStrictEqual(merged, after), 'what is touched is all that is written', command, merged, after);
    const written = [
      ...differing(loaded.audience, changed.audience),
      ...differing(loaded.standings, changed.standings),
    ];
    const named = new Set([...touched.users, ...touched.standings]);
    // What is written without being loaded could not be compared with what another node wrote meanwhile.
    check(
      written.every((key) => named.has(key)),
      'only what is touched is written',
      command,
      written,
      touched,
    );
    const order = (state: RoomState): string[] => [...state.audience.keys()];
    check(isDeepStrictEqual(order(merged), order(after)), 'the audience stays in order', order(merged), order(after));
    check(
      isDeepStrictEqual(project(loaded, events), project(before, events)),
      'what is touched is enough to tell people',
      command,
    );
    if (after.control.status === 'ended') return;
    check(
      isDeepStrictEqual(this.deadlines, deadlinesOf(after, this.limits)),
      'deadlines follow from what changed',
      command,
      this.deadlines,
    );
  }

  #moveDeadlines(loaded: RoomState, changed: RoomState): void {
    const was = deadlinesOf(loaded, this.limits);
    const is = deadlinesOf(changed, this.limits);
    for (const key of was.keys()) if (!is.has(key)) this.deadlines.delete(key);
    for (const [key, at] of is) this.deadlines.set(key, at);
    if (changed.control.status === 'ended') this.deadlines.clear();
  }
}

/** Plays the steps until the room ends, and calls `each` after everything that happened. */
export const play = (world: World, taken: readonly Step[], each: (outcome: Outcome) => void): void => {
  for (const step of taken) {
    if (world.ended) return;
    for (const outcome of world.take(step)) each(outcome);
  }
};

const only = <Value>(map: ReadonlyMap<string, Value>, keys: readonly string[]): Map<string, Value> =>
  new Map([...map].filter(([key]) => keys.includes(key)));

const differing = <Value>(before: ReadonlyMap<string, Value>, after: ReadonlyMap<string, Value>): string[] =>
  [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key));

const merge = <Value>(
  stored: ReadonlyMap<string, Value>,
  before: ReadonlyMap<string, Value>,
  after: ReadonlyMap<string, Value>,
): Map<string, Value> => {
  const merged = new Map(stored);
  for (const key of differing(before, after)) {
    const value = after.get(key);
    if (value === undefined) merged.delete(key);
    else merged.set(key, value);
  }
  return merged;
};
