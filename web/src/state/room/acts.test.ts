import type { Role } from '@rostrum/shared/protocol/room.ts';
import { mayAct, roomPermissions } from '@rostrum/shared/room/permissions.ts';
import { describe, expect, test } from 'vitest';
import { type ActContext, actsOn, mayDo, type PersonAct, permissionOf, roomMenu } from './acts.ts';
import { examplePerson } from './examples.ts';

const roles: readonly Role[] = ['host', 'moderator', 'speaker', 'listener'];
const pairs = roles.flatMap((by) => roles.map((to) => ({ by, to })));
const acts = Object.keys(permissionOf) as PersonAct[];

const context = (by: Role, to: Role, more: Partial<ActContext> = {}): ActContext => ({
  me: { userId: 'me', role: by },
  them: examplePerson('them', to),
  present: true,
  handRaised: false,
  invited: false,
  handWithdrawn: false,
  ...more,
});

/** Every moment that there is: what is offered in any of them is what the role may do. */
const moments = (by: Role, to: Role): ActContext[] =>
  [true, false].flatMap((handRaised) =>
    [true, false].flatMap((handWithdrawn) =>
      (['off', 'open', 'locked'] as const).map((microphone) =>
        context(by, to, { handRaised, handWithdrawn, them: examplePerson('them', to, { microphone }) }),
      ),
    ),
  );

describe('RO-2 hides controls that the role may not use', () => {
  test.each(pairs)('RO-2 offers a $by about a $to what the table allows, and nothing else', ({ by, to }) => {
    const offered = new Set(moments(by, to).flatMap((moment) => actsOn(moment)));
    const allowed = acts.filter((act) => {
      if (act === 'leave-stage') return false; // Upon oneself alone.
      const action = permissionOf[act];
      const upon = 'to' in roomPermissions[action];
      return upon ? mayAct(action, by, to) : mayAct(action, by) && to === 'listener';
    });
    // A right to raise a hand is worth withdrawing from those only who could use it.
    const useful = allowed.filter((act) => !act.endsWith('-hand') || to === 'listener');
    expect([...offered].sort()).toEqual([...useful].sort());
  });

  test.each(roles)('RO-2 offers a %s nothing about themselves but leaving the stage', (role) => {
    const own = { ...context(role, role), them: { ...examplePerson('me', role), userId: 'me' } };
    expect(actsOn(own)).toEqual(mayAct('step-down', role) ? ['leave-stage'] : []);
  });

  test.each(roles)('RO-2 the menu of the room of a %s follows the table', (role) => {
    expect(roomMenu(role)).toEqual({
      settings: mayAct('update', role),
      log: mayAct('see-moderation', role),
      muteAll: mayAct('mute-all', role),
      end: mayAct('end', role),
    });
  });
});

test('MO-3 nobody is offered to moderate the host, and no moderator to moderate another', () => {
  for (const by of roles) {
    expect(actsOn(context(by, 'host'))).toEqual([]);
    expect(acts.some((act) => mayDo(act, by, 'host', false))).toBe(false);
  }
  expect(actsOn(context('moderator', 'moderator'))).toEqual([]);
});

test('MO-5 somebody who has just left can be kept out, and nothing else', () => {
  expect(actsOn(context('host', 'speaker', { present: false }))).toEqual(['kick', 'ban']);
});

test('HD-2 offers to accept a hand that is raised, and to invite where none is', () => {
  expect(actsOn(context('moderator', 'listener', { handRaised: true }))).toContain('accept-hand');
  expect(actsOn(context('moderator', 'listener', { handRaised: true }))).not.toContain('invite-to-speak');
  expect(actsOn(context('moderator', 'listener'))).toContain('invite-to-speak');
  expect(actsOn(context('moderator', 'listener', { invited: true }))).not.toContain('invite-to-speak');
});

test('MO-1 offers to lift a lock where there is one', () => {
  const locked = context('host', 'speaker', { them: examplePerson('them', 'speaker', { microphone: 'locked' }) });
  expect(actsOn(locked)).toContain('unlock');
  expect(actsOn(locked)).not.toContain('mute-locked');
});
