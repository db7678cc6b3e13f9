import { type Role, roles } from '@rostrum/shared/protocol/room.ts';
import { mayAct, type RoomAction } from '@rostrum/shared/room/permissions.ts';
import { describe, expect, test } from 'vitest';
import type { RoomCommand } from '../../src/rules/room/commands.ts';
import { type Person, roleOf } from '../../src/rules/room/state.ts';
import { homeNode, idOf, type Scenario, scenario } from './support.ts';

/** A room with two people of every role but the host's. The second listener has a hand raised. */
const peopled = (): Scenario =>
  scenario().moderators('mia', 'max').speakers('sam', 'sol').joinAll('ana', 'ben').raise('ben');
const names: Record<Role, readonly [string, string]> = {
  host: ['host', 'host'],
  moderator: ['mia', 'max'],
  speaker: ['sam', 'sol'],
  listener: ['ana', 'ben'],
};

type Case = { readonly action: RoomAction; readonly command: RoomCommand };
const actor = (name: string) => ({ userId: idOf(name) });
const person = (name: string): Person => ({ userId: idOf(name), displayName: name, kind: 'member' });

/** What one does alone or to the room: the command that the table's action stands for. */
const alone: { readonly [name: string]: (by: string) => Case } = {
  'raise-hand': (by) => ({ action: 'raise-hand', command: { type: 'raise-hand', by: actor(by) } }),
  'answer-invitation': (by) => ({
    action: 'answer-invitation',
    command: { type: 'answer-invitation', by: actor(by), accept: true },
  }),
  'mute-self': (by) => ({ action: 'mute-self', command: { type: 'mute-self', by: actor(by), muted: true } }),
  'open-microphone': (by) => ({
    action: 'open-microphone',
    command: { type: 'open-microphone', by: actor(by), producerId: 'p', node: homeNode },
  }),
  'step down': (by) => ({
    action: 'step-down',
    command: { type: 'demote', by: actor(by), userId: idOf(by), role: 'listener' },
  }),
  'accept-hand': (by) => ({ action: 'manage-hands', command: { type: 'accept-hand', by: actor(by) } }),
  'decline-hand': (by) => ({ action: 'manage-hands', command: { type: 'decline-hand', by: actor(by) } }),
  'move-hand-to-front': (by) => ({
    action: 'manage-hands',
    command: { type: 'move-hand-to-front', by: actor(by), userId: idOf('ben') },
  }),
  'promote who asked': (by) => ({
    action: 'manage-hands',
    command: { type: 'promote', by: actor(by), userId: idOf('ben'), role: 'speaker' },
  }),
  'mute-all': (by) => ({
    action: 'mute-all',
    command: { type: 'mute-all', by: actor(by), locked: false, reason: null },
  }),
  unban: (by) => ({ action: 'unban', command: { type: 'unban', by: actor(by), subject: person('eve') } }),
  update: (by) => ({ action: 'update', command: { type: 'update', by: actor(by), changes: { title: 'New' } } }),
  end: (by) => ({ action: 'end', command: { type: 'end', by: actor(by) } }),
};

/** What one does to somebody else. */
const upon: { readonly [name: string]: (by: string, to: string) => Case } = {
  'allow-hand': (by, to) => ({
    action: 'withdraw-hand-right',
    command: { type: 'allow-hand', by: actor(by), subject: person(to), allowed: false },
  }),
  'invite-to-speak': (by, to) => ({
    action: 'invite-to-speak',
    command: { type: 'invite-to-speak', by: actor(by), userId: idOf(to) },
  }),
  appoint: (by, to) => ({
    action: 'appoint-moderator',
    command: { type: 'promote', by: actor(by), userId: idOf(to), role: 'moderator' },
  }),
  'demote to listener': (by, to) => ({
    action: 'demote',
    command: { type: 'demote', by: actor(by), userId: idOf(to), role: 'listener' },
  }),
  'demote to speaker': (by, to) => ({
    action: 'demote',
    command: { type: 'demote', by: actor(by), userId: idOf(to), role: 'speaker' },
  }),
  mute: (by, to) => ({
    action: 'mute',
    command: { type: 'mute', by: actor(by), userId: idOf(to), locked: true, reason: null },
  }),
  kick: (by, to) => ({
    action: 'kick',
    command: { type: 'exclude', by: actor(by), subject: person(to), ban: false, reason: null },
  }),
  ban: (by, to) => ({
    action: 'ban',
    command: { type: 'exclude', by: actor(by), subject: person(to), ban: true, reason: null },
  }),
  'hand-over': (by, to) => ({ action: 'hand-over', command: { type: 'hand-over', by: actor(by), userId: idOf(to) } }),
};

/** Where somebody who may do such a thing is told more precisely why it does not work on this person. */
const toldBetter = (name: string, by: Role, to: Role): string | undefined => {
  if (name === 'mute' && mayAct('mute-all', by) && to === 'listener') return 'not_on_stage';
  if (name === 'appoint' && mayAct('dismiss-moderator', by, to)) return 'already';
  return undefined;
};

const refusal = (room: Scenario, command: RoomCommand) => room.refusal((r) => r.do(command));

describe('The table is the only authority', () => {
  test.each(Object.keys(alone))('RO-2 %s is forbidden exactly to whom the table does not allow it', (name) => {
    for (const by of roles) {
      const { action, command } = (alone[name] ?? expect.fail())(names[by][0]);
      expect(refusal(peopled(), command) === 'forbidden', `${name} by ${by}`).toBe(!mayAct(action, by));
    }
  });

  test.each(Object.keys(upon))('RO-2 MO-3 %s is forbidden exactly upon whom the table does not allow it', (name) => {
    for (const by of roles) {
      for (const to of roles) {
        const { action, command } = (upon[name] ?? expect.fail())(names[by][0], names[to][1]);
        const better = toldBetter(name, by, to);
        const code = refusal(peopled(), command);
        if (better !== undefined && names[by][0] !== names[to][1]) expect(code, `${name} ${to} by ${by}`).toBe(better);
        else
          expect(code === 'forbidden', `${name} ${to} by ${by}`).toBe(
            !mayAct(action, by, to) || names[by][0] === names[to][1],
          );
      }
    }
  });

  test.each(Object.keys(upon))(
    'RO-2 MO-5 %s upon somebody outside goes by their appointment, else as upon a listener',
    (name) => {
      for (const by of roles.filter((role) => role !== 'host')) {
        const room = peopled().leave('max').leave('sol').lose('host');
        for (const away of ['max', 'sol', 'nobody']) {
          const to = roleOf(room.state, idOf(away)) ?? 'listener';
          const { action, command } = (upon[name] ?? expect.fail())(names[by][0], away);
          // Upon somebody outside, `forbidden` also covers a listener who has no microphone to mute.
          if (!mayAct(action, by, to)) expect(refusal(room, command), `${name} ${away} by ${by}`).toBe('forbidden');
        }
      }
    },
  );

  test('RO-2 somebody outside does nothing, whatever they were', () => {
    const room = peopled().leave('mia');
    for (const make of Object.values(alone)) {
      if (make('mia').action === 'end') continue;
      expect(refusal(room, make('mia').command)).toBe('not_in_room');
      expect(refusal(room, make('nobody').command)).toBe('not_in_room');
    }
    for (const make of Object.values(upon)) expect(refusal(room, make('mia', 'ana').command)).toBe('not_in_room');
  });

  test('ID-5 RO-2 a session that lost the seat does nothing that needs one', () => {
    const room = peopled().join('mia', { session: "mia's laptop" });
    const stale = { userId: idOf('mia'), sessionId: "mia's phone" };
    for (const make of [...Object.values(alone), ...Object.values(upon)]) {
      const { action, command } = make('mia', 'ana');
      if (action === 'update' || action === 'end') continue;
      expect(refusal(room, { ...command, by: stale } as RoomCommand), command.type).toBe('not_in_room');
    }
  });
});
