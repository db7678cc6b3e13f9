import fc from 'fast-check';
import { expect, test } from 'vitest';
import { project } from '../../src/rules/room/project.ts';
import { seatOf } from '../../src/rules/room/state.ts';
import { type Loses, Onlookers } from './onlookers.ts';
import { type Step, steps } from './steps.ts';
import { type Beginning, beginning, check, type Outcome, play, World } from './world.ts';

const runs = { numRuns: 400 };

/** Plays a room before the eyes of everybody inside, whose views must be right all the time. */
const watch = (begun: Beginning, taken: readonly Step[], loses?: Loses): Onlookers => {
  const world = new World(begun);
  const onlookers = new Onlookers(world.state, loses);
  play(world, taken, (outcome) => {
    // The end is told outside the views.
    if (outcome.after.control.status === 'ended') return;
    onlookers.tell(outcome);
    onlookers.compare();
  });
  return onlookers;
};

test('RE-1 RM-6 HD-1 MO-1 what people fold from the events of their views is what there is for them to see', () => {
  fc.assert(
    fc.property(beginning, steps(100), (begun, taken) => {
      expect(watch(begun, taken).gaps).toBe(0);
    }),
    runs,
  );
});

test('RE-1 a lost event is noticed as a gap by the next one of its view, and a fresh view is right again', () => {
  let gaps = 0;
  fc.assert(
    fc.property(beginning, steps(100), fc.infiniteStream(fc.nat({ max: 9 })), (begun, taken, chances) => {
      gaps += watch(begun, taken, () => chances.next().value === 0).gaps;
    }),
    runs,
  );
  expect(gaps).toBeGreaterThan(100);
});

/** Whoever arrives or goes is told at most once, and those of the audience only to whom it is shown. */
const checkArrivals = ({ before, after, events }: Outcome): void => {
  const arrivals = events.filter((event) => event.type === 'joined' || event.type === 'left').length;
  const told = project(before, events).filter(({ name }) => /participant-(joined|left)$/.test(name));
  check(told.length <= arrivals, 'once each');
  const shownIn = after.control.settings.privacy.hideParticipants ? 'stage' : 'room';
  for (const { view, data } of told) {
    const role = 'role' in data ? data['role'] : (data['participant'] as { role: string }).role;
    if (role !== 'listener') continue;
    check(before.control.audienceListed, 'one by one only while the audience is listed', data);
    check(view === shownIn, 'hidden from the audience', data);
  }
};

/** What is told to one person of their mute is what a moderator did about it. */
const checkMutes = ({ before, after, events }: Outcome): void => {
  for (const { name, userId, data } of project(before, events)) {
    if (name !== 'room:muted') continue;
    const mutes = [before, after].map((state) => seatOf(state, userId ?? '')?.mute?.by);
    check(mutes.includes('moderator'), 'only what a moderator did is told', data);
  }
};

test('MO-1 nobody is told of a mute that was their own', () => {
  fc.assert(
    fc.property(beginning, steps(60), (begun, taken) => {
      play(new World(begun), taken, checkMutes);
    }),
    runs,
  );
});

test('RM-6 RM-10 who comes and goes in an audience that is hidden, or not listed, is not told to everybody', () => {
  fc.assert(
    fc.property(beginning, steps(60), (begun, taken) => {
      play(new World(begun), taken, checkArrivals);
    }),
    runs,
  );
});
