import { describe, expect, test } from 'vitest';
import { hour, idOf, minute, scenario, second } from './support.ts';

/** The state of somebody's microphone, as everybody sees it. */
const seen = (room: ReturnType<typeof scenario>, name: string) =>
  room.view(name).stage.find((one) => one.displayName === name)?.microphone;

describe('Mute', () => {
  test('MO-1 people mute and unmute themselves, and nobody is told that it was anybody else', () => {
    const room = scenario().openMicrophone('host').muteSelf('host');
    expect([seen(room, 'host'), room.view('host').self.muted]).toEqual(['muted', null]);
    const { state } = room;
    expect(room.muteSelf('host').state).toBe(state);
    room.muteSelf('host', false);
    expect([seen(room, 'host'), room.seat('host')?.mute]).toEqual(['open', null]);
    expect(room.all('moderated')).toEqual([]);
  });

  test('MO-1 a microphone that is opened after its mute is muted', () => {
    const room = scenario().muteSelf('host');
    expect(seen(room, 'host')).toBe('off');
    expect(seen(room.openMicrophone('host'), 'host')).toBe('muted');
  });

  test('MO-1 a muted speaker may unmute, and sees who muted them and why', () => {
    const room = scenario().speakers('sam').openMicrophone('sam').mute('host', 'sam', { reason: 'echo' });
    expect(room.view('sam').self.muted).toEqual({ byName: 'host', reason: 'echo', locked: false });
    expect(seen(room, 'sam')).toBe('muted-by-moderator');
    room.muteSelf('sam', false);
    expect(room.view('sam').self.muted).toBeNull();
    expect(seen(room, 'sam')).toBe('open');
  });

  test('MO-1 a locked mute is lifted by staff alone', () => {
    const room = scenario()
      .moderators('mia')
      .speakers('sam')
      .openMicrophone('sam')
      .mute('mia', 'sam', { locked: true });
    expect(room.refusal((r) => r.muteSelf('sam', false))).toBe('muted_locked');
    expect(seen(room, 'sam')).toBe('locked');
    room.mute('host', 'sam', { locked: false });
    expect(room.last('moderated')?.entry.act).toBe('unmute');
    expect(seen(room, 'sam')).toBe('muted-by-moderator');
    room.muteSelf('sam', false);
    expect(seen(room, 'sam')).toBe('open');
  });

  test('MO-1 a locked mute outlasts leaving and coming back', () => {
    const room = scenario({ permissions: { anyoneCanSpeak: true } })
      .join('ana')
      .mute('host', 'ana', { locked: true, reason: 'noise' });
    room.leave('ana').join('ana');
    expect(room.refusal((r) => r.muteSelf('ana', false))).toBe('muted_locked');
    expect(room.view('ana').self.muted).toEqual({ byName: 'host', reason: 'noise', locked: true });
    room.mute('host', 'ana', { locked: false }).muteSelf('ana', false).leave('ana').join('ana');
    expect(room.seat('ana')?.mute).toBeNull();
  });

  test('MO-1 a locked mute outlasts stepping down and coming back, a lost seat and another device', () => {
    const room = scenario()
      .speakers('sam')
      .mute('host', 'sam', { locked: true })
      .demote('sam', 'sam')
      .raise('sam')
      .accept('host');
    expect(room.refusal((r) => r.muteSelf('sam', false))).toBe('muted_locked');
    room.join('sam', { session: "sam's laptop" }).openMicrophone('sam');
    expect(seen(room, 'sam')).toBe('locked');
    room
      .lose('sam', "sam's laptop")
      .pass(15 * second)
      .join('sam')
      .raise('sam')
      .accept('host');
    expect(room.refusal((r) => r.muteSelf('sam', false))).toBe('muted_locked');
  });

  test('MO-1 muting oneself under a locked mute neither lifts nor changes it', () => {
    const room = scenario().speakers('sam').mute('host', 'sam', { locked: true }).muteSelf('sam');
    expect(seen(room, 'sam')).toBe('locked');
  });

  test('MO-1 an unlocked mute does not follow somebody who comes back', () => {
    const room = scenario({ permissions: { anyoneCanSpeak: true } })
      .join('ana')
      .mute('host', 'ana')
      .leave('ana')
      .join('ana');
    expect(room.seat('ana')?.mute).toBeNull();
  });

  test('MO-3 a lock does not bind somebody who becomes the host, and binds again when they stand down', () => {
    const room = scenario().speakers('sam').openMicrophone('sam').mute('host', 'sam', { locked: true }).leave('host');
    expect([room.host, seen(room, 'sam'), room.view('sam').self.muted?.locked]).toEqual([
      'sam',
      'muted-by-moderator',
      false,
    ]);
    room.join('host');
    expect(seen(room, 'sam')).toBe('locked');
    room.leave('host').muteSelf('sam', false);
    expect(seen(room, 'sam')).toBe('open');
    expect(room.join('host').refusal((r) => r.muteSelf('sam').muteSelf('sam', false))).toBeUndefined();
  });

  test('MO-1 muting again in the same way is already done, and a lock can be added', () => {
    const room = scenario().speakers('sam').mute('host', 'sam');
    expect(room.refusal((r) => r.mute('host', 'sam'))).toBe('already');
    room.mute('host', 'sam', { locked: true });
    expect(seen(room, 'sam')).toBe('locked');
  });

  test('MO-1 only people on the stage are muted', () => {
    const room = scenario().moderators('mia').speakers('sam').join('ana').leave('mia');
    expect(room.refusal((r) => r.mute('host', 'ana'))).toBe('not_on_stage');
    expect(room.refusal((r) => r.mute('host', 'mia'))).toBe('not_on_stage');
    expect(room.refusal((r) => r.mute('sam', 'ana'))).toBe('forbidden');
    expect(room.refusal((r) => r.mute('host', 'host'))).toBe('forbidden');
  });

  test('MO-1 mute all spares the host and the moderators, and takes no lock away', () => {
    const room = scenario()
      .moderators('mia')
      .speakers('sam', 'sol', 'sue')
      .muteSelf('sol')
      .mute('host', 'sue', { locked: true, reason: 'noise' });
    room.muteAll('mia', { reason: 'silence' });
    const mutes = ['host', 'mia', 'sam', 'sol', 'sue'].map((name) => room.view(name).self.muted);
    const silenced = { byName: 'mia', reason: 'silence', locked: false };
    expect(mutes).toEqual([null, null, silenced, silenced, { byName: 'host', reason: 'noise', locked: true }]);
    const muted = room.all('mute-changed').length;
    expect(room.muteAll('host', { reason: 'again' }).all('mute-changed')).toHaveLength(muted);
    room.muteAll('mia', { locked: true });
    expect(room.all('mute-changed')).toHaveLength(muted + 2);
    expect(room.view('sam').self.muted?.locked).toBe(true);
    expect(room.last('moderated')?.entry).toMatchObject({ act: 'mute-all', userId: null, displayName: null });
  });
});

describe('Kick and ban', () => {
  test('MO-2 a kick takes somebody out at once, and they do not come back', () => {
    const room = scenario().speakers('sam').kick('host', 'sam', 'rude');
    expect([room.role('sam'), room.last('left')?.reason]).toEqual([undefined, 'kicked']);
    expect(room.refusal((r) => r.join('sam'))).toBe('kicked');
    expect(room.refusal((r) => r.pass(11 * hour).join('sam', { session: 'another' }))).toBe('kicked');
  });

  test('MO-2 a ban does too, and one from another room of this host counts here', () => {
    const room = scenario().moderators('mia').joinAll('ana').ban('host', 'ana');
    expect([room.last('left')?.reason, room.last('excluded')?.banned]).toEqual(['banned', true]);
    expect(room.refusal((r) => r.join('ana'))).toBe('banned');
    expect(room.refusal((r) => r.join('ben', { bannedByHost: true }))).toBe('banned');
    room.leave('mia');
    expect(room.refusal((r) => r.join('mia', { bannedByHost: true }))).toBe('banned');
  });

  test('MO-2 a kicked guest does not come back under a new id from the same device or address for 24 h', () => {
    const guest = (device: string, address: string) => ({ kind: 'guest', device, address }) as const;
    const room = scenario({}, { roomLifetimeMs: 48 * hour })
      .join('gus', guest('d1', 'a1'))
      .kick('host', 'gus');
    expect(room.refusal((r) => r.join('gil', guest('d1', 'a2')))).toBe('kicked');
    expect(room.refusal((r) => r.join('gia', guest('d2', 'a1')))).toBe('kicked');
    expect(room.refusal((r) => r.join('gem', guest('d2', 'a2')))).toBeUndefined();
    expect(room.refusal((r) => r.join('mel', { kind: 'member', address: 'a1', device: 'd1' }))).toBeUndefined();
    room.pass(24 * hour);
    expect(room.refusal((r) => r.join('gil', guest('d1', 'a2')))).toBeUndefined();
    expect(room.refusal((r) => r.join('gus'))).toBe('kicked');
  });

  test('MO-2 of a member no address and no device is covered', () => {
    const room = scenario().join('mel', { kind: 'member', address: 'a1', device: 'd1' }).kick('host', 'mel');
    expect(room.refusal((r) => r.join('gus', { kind: 'guest', address: 'a1', device: 'd1' }))).toBeUndefined();
    expect([...room.state.standings.keys()]).toEqual([`user:${idOf('mel')}`]);
  });

  test('MO-2 kick and ban can be undone', () => {
    const room = scenario()
      .join('gus', { kind: 'guest', device: 'd1', address: 'a1' })
      .kick('host', 'gus')
      .unban('host', 'gus');
    expect(room.refusal((r) => r.join('gil', { kind: 'guest', device: 'd1', address: 'a1' }))).toBeUndefined();
    expect(room.refusal((r) => r.join('gus'))).toBeUndefined();
    expect(
      room
        .ban('host', 'gus')
        .unban('host', 'gus')
        .refusal((r) => r.join('gus')),
    ).toBeUndefined();
    expect([...room.state.standings.keys()]).toEqual([]);
  });

  test('MO-2 a guest whose kick was lifted comes back from where they were kicked, though they were elsewhere meanwhile', () => {
    const room = scenario().join('gus', { kind: 'guest', address: 'a1', device: 'd1' }).kick('host', 'gus');
    const elsewhere = { ...room.person('gus'), addressHash: 'a2', deviceId: 'd2' };
    room.do({ type: 'unban', by: { userId: idOf('host') }, subject: elsewhere });
    expect(room.refusal((r) => r.join('gus'))).toBeUndefined();
  });

  test('MO-2 lifting one guest’s kick does not lift another’s from the same address', () => {
    const room = scenario()
      .join('gus', { kind: 'guest', address: 'a1', device: 'd1' })
      .join('gil', { kind: 'guest', address: 'a1', device: 'd2' });
    room.kick('host', 'gus').kick('host', 'gil').unban('host', 'gus');
    expect(room.refusal((r) => r.join('gus'))).toBe('kicked');
    expect(room.refusal((r) => r.join('gem', { kind: 'guest', address: 'a2', device: 'd2' }))).toBe('kicked');
  });

  test('MO-2 a kick can become a ban, and a ban covers a kick', () => {
    const room = scenario().join('ana').kick('host', 'ana');
    expect(room.refusal((r) => r.kick('host', 'ana'))).toBe('already');
    room.ban('host', 'ana');
    expect(room.refusal((r) => r.kick('host', 'ana'))).toBe('already');
    expect(room.refusal((r) => r.join('ana'))).toBe('banned');
  });

  test('MO-2 a kicked moderator has lost the appointment as well', () => {
    const room = scenario().moderators('mia').kick('host', 'mia').unban('host', 'mia').join('mia');
    expect(room.role('mia')).toBe('listener');
  });

  test('MO-3 nobody moderates the host, inside or outside', () => {
    const room = scenario().moderators('mia');
    const attempts = [
      () => room.kick('mia', 'host'),
      () => room.ban('mia', 'host'),
      () => room.mute('mia', 'host'),
      () => room.demote('mia', 'host'),
      () => room.allowHand('mia', 'host', false),
    ];
    for (const attempt of attempts) expect(room.refusal(attempt)).toBe('forbidden');
    room.lose('host');
    for (const attempt of attempts) expect(room.refusal(attempt)).toBe('forbidden');
  });

  test('MO-3 nobody kicks the host whose room they only stand in for', () => {
    const room = scenario().moderators('mia').leave('host');
    expect(room.refusal((r) => r.kick('mia', 'host'))).toBe('forbidden');
    expect(room.refusal((r) => r.ban('mia', 'host'))).toBe('forbidden');
    expect(room.join('host', { bannedByHost: true }).host).toBe('host');
  });

  test('MO-5 a former host whose hour is over is kicked like anybody else', () => {
    const room = scenario().moderators('mia').leave('host').pass(hour).kick('mia', 'host');
    expect(room.refusal((r) => r.join('host'))).toBe('kicked');
  });

  test('MO-3 moderators do not moderate each other, inside or outside', () => {
    const room = scenario().moderators('mia', 'max');
    const attempts = [
      () => room.kick('mia', 'max'),
      () => room.ban('mia', 'max'),
      () => room.mute('mia', 'max'),
      () => room.demote('mia', 'max'),
      () => room.allowHand('mia', 'max', false),
      () => room.promote('mia', 'sam', 'moderator'),
    ];
    for (const attempt of attempts) expect(room.refusal(attempt)).toBe('forbidden');
    room.leave('max');
    for (const attempt of attempts) expect(room.refusal(attempt)).toBe('forbidden');
  });

  test('MO-4 every act of moderation leaves a line with who, whom, what, why and when', () => {
    const room = scenario().moderators('mia').speakers('sam', 'sol').join('ana').wait(minute);
    const earlier = room.all('moderated').length;
    room
      .mute('mia', 'sam', { reason: 'echo' })
      .muteAll('mia')
      .demote('mia', 'sol')
      .allowHand('mia', 'ana', false)
      .allowHand('mia', 'ana', true);
    room.kick('mia', 'ana', 'rude').unban('host', 'ana').ban('host', 'ana').handOver('host', 'mia');
    const entries = room.all('moderated').map(({ entry }) => entry);
    expect(entries.map(({ act }) => act).slice(earlier)).toEqual([
      'mute',
      'mute-all',
      'demote',
      'withdraw-hand-right',
      'restore-hand-right',
      'kick',
      'unban',
      'ban',
      'hand-over',
    ]);
    expect(entries[earlier + 5]).toMatchObject({
      at: room.now,
      byId: idOf('mia'),
      byName: 'mia',
      userId: idOf('ana'),
      displayName: 'ana',
      reason: 'rude',
    });
    expect(new Set(entries.map(({ entryId }) => entryId)).size).toBe(entries.length);
  });

  test('MO-4 promotions, appointments and dismissals leave a line too, and what one does to oneself none', () => {
    const room = scenario()
      .joinAll('ana', 'ben', 'cem')
      .raise('ana')
      .raise('ben')
      .accept('host')
      .promote('host', 'ben', 'speaker');
    room
      .promote('host', 'cem', 'moderator')
      .leave('cem')
      .demote('host', 'cem')
      .demote('ana', 'ana')
      .muteSelf('ben')
      .raise('ana');
    expect(room.all('moderated').map(({ entry }) => [entry.act, entry.userId])).toEqual([
      ['promote', idOf('ana')],
      ['promote', idOf('ben')],
      ['promote', idOf('cem')],
      ['demote', idOf('cem')],
    ]);
  });

  test('MO-5 a kick or ban holds for somebody who has just left', () => {
    const room = scenario().joinAll('ana', 'ben').leave('ana').leave('ben').kick('host', 'ana').ban('host', 'ben');
    expect([room.refusal((r) => r.join('ana')), room.refusal((r) => r.join('ben'))]).toEqual(['kicked', 'banned']);
    expect(room.all('left')).toHaveLength(2);
  });

  test('MO-5 a guest who left before the kick does not come back by another id', () => {
    const room = scenario()
      .join('gus', { kind: 'guest', device: 'd1', address: 'a1' })
      .leave('gus')
      .kick('host', 'gus');
    expect(room.refusal((r) => r.join('gil', { kind: 'guest', device: 'd1', address: 'a9' }))).toBe('kicked');
  });

  test('MO-5 somebody kicked while their connection is lost does not come back to the kept seat', () => {
    const room = scenario()
      .join('ana')
      .raise('ana')
      .lose('ana')
      .pass(5 * second)
      .kick('host', 'ana')
      .pass(second);
    expect(room.refusal((r) => r.join('ana'))).toBe('kicked');
    expect([room.listeners, room.hands, room.deadlines.has(`seat:${idOf('ana')}`)]).toEqual([[], [], false]);
  });

  test('MO-5 a moderator who has left is kicked by the host, appointment and all', () => {
    const room = scenario().moderators('mia').leave('mia').kick('host', 'mia');
    expect(room.refusal((r) => r.join('mia'))).toBe('kicked');
  });
});
