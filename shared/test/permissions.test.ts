import { describe, expect, test } from 'vitest';
import { type Role, roles } from '../src/protocol/room.ts';
import { isStaff, mayAct, onStage, type RoomAction, roomPermissions, seesAudience } from '../src/room/permissions.ts';

type Permission = { readonly by: readonly Role[]; readonly to?: Readonly<Partial<Record<Role, readonly Role[]>>> };
const permissions = Object.entries(roomPermissions) as [RoomAction, Permission][];
const upon = permissions.filter(([, { to }]) => to !== undefined);

describe('The table of permissions', () => {
  test.each(permissions)('RO-2 %s is allowed to somebody, and to each once', (_action, { by }) => {
    expect(by.length).toBeGreaterThan(0);
    expect(new Set(by).size).toBe(by.length);
  });

  test.each(upon)('RO-2 %s names the roles acted upon for just those who may act', (_action, { by, to }) => {
    expect(Object.keys(to ?? {}).sort()).toEqual([...by].sort());
    for (const targets of Object.values(to ?? {})) expect(targets.length).toBeGreaterThan(0);
  });

  test.each(upon)('MO-3 %s is never done to the host, nor by a moderator to a moderator', (action) => {
    for (const by of roles) expect(mayAct(action, by, 'host')).toBe(false);
    expect(mayAct(action, 'moderator', 'moderator')).toBe(false);
    for (const to of roles) expect(mayAct(action, 'listener', to) || mayAct(action, 'speaker', to)).toBe(false);
  });

  test.each(upon)('RO-1 %s may be done by the host wherever a moderator may do it', (action) => {
    for (const to of roles) expect(!mayAct(action, 'moderator', to) || mayAct(action, 'host', to)).toBe(true);
  });

  test('RO-2 an act upon somebody is not allowed upon nobody, and an act upon nobody not upon somebody', () => {
    for (const [action, { by, to }] of permissions) {
      for (const role of by) {
        expect(mayAct(action, role)).toBe(to === undefined);
        if (to === undefined) for (const target of roles) expect(mayAct(action, role, target)).toBe(true);
      }
    }
  });

  test('RO-1 appointing, changing, handing over and ending are the host’s alone', () => {
    for (const action of ['appoint-moderator', 'dismiss-moderator', 'update', 'hand-over', 'end'] as const) {
      expect(roomPermissions[action].by).toEqual(['host']);
    }
  });

  test('RO-1 the stage is host, moderators and speakers; staff are host and moderators', () => {
    expect(roles.filter(onStage)).toEqual(['host', 'moderator', 'speaker']);
    expect(roles.filter(isStaff)).toEqual(['host', 'moderator']);
    expect(roles.filter((role) => mayAct('open-microphone', role))).toEqual(roles.filter(onStage));
    expect(roles.filter((role) => mayAct('see-hands', role))).toEqual(roles.filter(isStaff));
    expect(roles.filter((role) => mayAct('raise-hand', role))).toEqual(['listener']);
  });

  test('RM-6 a hidden audience is seen by the stage alone', () => {
    const privacy = (hideParticipants: boolean) => ({
      privacy: { hideParticipants, requireApproval: false, allowInvites: true },
    });
    expect(roles.filter((role) => seesAudience(role, privacy(true)))).toEqual(['host', 'moderator', 'speaker']);
    expect(roles.filter((role) => seesAudience(role, privacy(false)))).toEqual([...roles]);
  });
});
