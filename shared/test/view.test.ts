import { describe, expect, test } from 'vitest';
import type { Participant, RoomView, RoomViewEvent, ViewName } from '../src/protocol/room.ts';
import { foldRoomView, lacksAudience, staffMismatch, withAudienceCount, withHandPosition } from '../src/room/view.ts';
import { someId } from './samples.ts';

const idOf = (name: string): string => name.padEnd(22, '_');
const participant = (name: string, role: Participant['role']): Participant => ({
  userId: idOf(name),
  displayName: name,
  role,
  joinedAt: 1,
  microphone: 'off',
  away: false,
});

const info: RoomView['info'] = {
  title: 'A room',
  description: '',
  type: 'public',
  category: 'other',
  language: 'en',
  tags: [],
  maxParticipants: 500,
  maxSpeakers: 10,
  audioQuality: 'medium',
  permissions: { anyoneCanSpeak: false, allowRecording: false, allowHandRaise: true },
  privacy: { requireApproval: false, hideParticipants: false, allowInvites: true },
  roomId: someId,
  status: 'active',
  hostId: idOf('host'),
  audienceListed: true,
  createdAt: 1,
  scheduledFor: null,
  startedAt: 1,
  endedAt: null,
};

/** What the first listener sees. */
const listenerView: RoomView = {
  info,
  stage: [participant('host', 'host'), participant('sam', 'speaker'), participant('sol', 'speaker')],
  audience: { count: 2, members: [participant('ana', 'listener'), participant('ben', 'listener')] },
  staff: null,
  self: {
    userId: idOf('ana'),
    role: 'listener',
    handPosition: null,
    mayRaiseHand: true,
    invitation: null,
    muted: null,
  },
  endsAt: null,
  sequence: { room: 4, stage: 0, staff: 0, self: 2 },
};
const hostView: RoomView = {
  ...listenerView,
  staff: { hands: [], invitations: [] },
  self: { ...listenerView.self, userId: idOf('host'), role: 'host' },
};

type Data<Name extends RoomViewEvent['name']> = Omit<
  Extract<RoomViewEvent, { name: Name }>['payload'],
  'roomId' | 'view' | 'sequence'
>;
const event = <Name extends RoomViewEvent['name']>(
  name: Name,
  view: ViewName,
  sequence: number,
  data: Data<Name>,
): RoomViewEvent => ({ name, payload: { ...data, roomId: someId, view, sequence } }) as unknown as RoomViewEvent;

const folded = (view: RoomView, ...events: RoomViewEvent[]): RoomView =>
  events.reduce((before, next) => {
    const result = foldRoomView(before, next);
    if (result.kind !== 'folded') throw new Error(`${next.name} is ${result.kind}`);
    return result.view;
  }, view);

const names = (list: readonly Participant[] | null | undefined): string[] | undefined =>
  list?.map(({ displayName }) => displayName);

describe('Folding', () => {
  test('RE-1 an event that was seen changes nothing, and one that does not follow on is a gap', () => {
    const arrival = (sequence: number) =>
      event('room:participant-joined', 'room', sequence, { participant: participant('cem', 'listener') });
    expect(foldRoomView(listenerView, arrival(4))).toEqual({ kind: 'old', view: listenerView });
    expect(foldRoomView(listenerView, arrival(1))).toEqual({ kind: 'old', view: listenerView });
    expect(foldRoomView(listenerView, arrival(6))).toEqual({ kind: 'gap' });
    expect(folded(listenerView, arrival(5)).sequence).toEqual({ ...listenerView.sequence, room: 5 });
  });

  test('RE-1 each view has a sequence of its own', () => {
    const lowered = event('room:hand-lowered', 'self', 3, { userId: idOf('ana') });
    expect(folded(listenerView, lowered).sequence).toEqual({ room: 4, stage: 0, staff: 0, self: 3 });
  });

  test('RE-1 folding leaves the view before as it was', () => {
    const before = structuredClone(listenerView);
    folded(
      listenerView,
      event('room:role-changed', 'room', 5, { participant: participant('ben', 'speaker'), previousRole: 'listener' }),
    );
    expect(listenerView).toEqual(before);
  });

  test('RM-6 people come, change and go, on the stage and in the audience', () => {
    const view = folded(
      listenerView,
      event('room:participant-joined', 'room', 5, { participant: participant('cem', 'listener') }),
      event('room:participant-joined', 'room', 6, { participant: participant('mia', 'moderator') }),
      event('room:participant-changed', 'room', 7, {
        participant: { ...participant('sam', 'speaker'), microphone: 'open' },
      }),
      event('room:participant-left', 'room', 8, { userId: idOf('ben'), role: 'listener', reason: 'left' }),
      event('room:participant-left', 'room', 9, { userId: idOf('sol'), role: 'speaker', reason: 'kicked' }),
    );
    expect(names(view.stage)).toEqual(['host', 'sam', 'mia']);
    expect(view.stage[1]?.microphone).toBe('open');
    expect([view.audience.count, names(view.audience.members)]).toEqual([2, ['ana', 'cem']]);
  });

  test('RO-3 a change of role within the stage keeps the place, one to and from the audience moves it', () => {
    const appointed = folded(
      listenerView,
      event('room:role-changed', 'room', 5, { participant: participant('sam', 'moderator'), previousRole: 'speaker' }),
    );
    expect(appointed.stage.map(({ displayName, role }) => `${displayName} ${role}`)).toEqual([
      'host host',
      'sam moderator',
      'sol speaker',
    ]);
    const returned = folded(
      appointed,
      event('room:role-changed', 'room', 6, { participant: participant('sam', 'listener'), previousRole: 'moderator' }),
    );
    expect([names(returned.stage), names(returned.audience.members), returned.audience.count]).toEqual([
      ['host', 'sol'],
      ['ana', 'ben', 'sam'],
      3,
    ]);
    const promoted = folded(
      returned,
      event('room:role-changed', 'room', 7, { participant: participant('ben', 'speaker'), previousRole: 'listener' }),
    );
    expect([names(promoted.stage), names(promoted.audience.members), promoted.audience.count]).toEqual([
      ['host', 'sol', 'ben'],
      ['ana', 'sam'],
      2,
    ]);
  });

  test('RM-10 where the audience is not listed, there is a count and the list is asked for again later', () => {
    const many = folded(listenerView, event('room:updated', 'room', 5, { info: { ...info, audienceListed: false } }));
    expect([many.audience.members, lacksAudience(many)]).toEqual([null, false]);
    expect(withAudienceCount(many, 150).audience).toEqual({ count: 150, members: null });
    // A count that was overtaken says less than the list.
    const listed = { ...many, audience: { count: 0, members: [] } };
    expect(withAudienceCount(listed, 150)).toBe(listed);
    const fewer = folded(many, event('room:updated', 'room', 6, { info }));
    expect(lacksAudience(fewer)).toBe(true);
    const gone = { ...many, audience: { count: 0, members: null } };
    expect(
      folded(gone, event('room:participant-left', 'room', 6, { userId: idOf('ben'), role: 'listener', reason: 'left' }))
        .audience.count,
    ).toBe(0);
  });

  test('RM-6 hiding the audience takes it from listeners and leaves it to the stage', () => {
    const hidden = event('room:updated', 'room', 5, {
      info: { ...info, privacy: { ...info.privacy, hideParticipants: true } },
    });
    expect(folded(listenerView, hidden).audience).toEqual({ count: 2, members: null });
    expect(lacksAudience(folded(listenerView, hidden))).toBe(false);
    expect(names(folded(hostView, hidden).audience.members)).toEqual(['ana', 'ben']);
  });

  test('HD-1 staff fold the queue, and everybody their own place', () => {
    const hand = (name: string) => ({ userId: idOf(name), displayName: name, raisedAt: 1 });
    const staff = folded(
      hostView,
      event('room:hand-raised', 'staff', 1, { hand: hand('ana'), position: 1 }),
      event('room:hand-raised', 'staff', 2, { hand: hand('ben'), position: 2 }),
      event('room:hand-raised', 'staff', 3, { hand: hand('cem'), position: 3 }),
      event('room:hands-reordered', 'staff', 4, { userIds: [idOf('cem'), idOf('ana'), idOf('ben')] }),
      event('room:hand-lowered', 'staff', 5, { userId: idOf('ana') }),
    );
    expect(staff.staff?.hands.map(({ displayName }) => displayName)).toEqual(['cem', 'ben']);
    const raised = folded(listenerView, event('room:hand-raised', 'self', 3, { hand: hand('ana'), position: 2 }));
    expect([raised.self.handPosition, raised.staff]).toEqual([2, null]);
    expect(withHandPosition(raised, 1).self.handPosition).toBe(1);
    const lowered = folded(raised, event('room:hand-lowered', 'self', 4, { userId: idOf('ana') }));
    expect([lowered.self.handPosition, withHandPosition(lowered, 1).self.handPosition]).toEqual([null, null]);
    expect(folded(lowered, event('room:hand-right-changed', 'self', 5, { allowed: false })).self.mayRaiseHand).toBe(
      false,
    );
  });

  test('HD-1 what only staff see finds no place in the view of somebody else', () => {
    const hand = { userId: idOf('ben'), displayName: 'ben', raisedAt: 1 };
    const raised = event('room:hand-raised', 'staff', 1, { hand, position: 1 });
    expect(folded(listenerView, raised)).toEqual({ ...listenerView, sequence: { ...listenerView.sequence, staff: 1 } });
  });

  test('HD-2 staff fold the open invitations, and everybody their own', () => {
    const invitation = { userId: idOf('ana'), displayName: 'ana', byName: 'host', until: 5 };
    const invited = folded(
      hostView,
      event('room:invited-to-speak', 'staff', 1, { invitation }),
      event('room:invited-to-speak', 'staff', 2, { invitation }),
    );
    expect(invited.staff?.invitations).toEqual([invitation]);
    expect(
      folded(invited, event('room:invitation-closed', 'staff', 3, { userId: idOf('ana'), outcome: 'declined' })).staff
        ?.invitations,
    ).toEqual([]);
    const own = folded(listenerView, event('room:invited-to-speak', 'self', 3, { invitation }));
    expect(own.self.invitation).toEqual({ byName: 'host', until: 5 });
    expect(
      folded(own, event('room:invitation-closed', 'self', 4, { userId: idOf('ana'), outcome: 'expired' })).self
        .invitation,
    ).toBeNull();
  });

  test('MO-1 RM-3 mutes, promotions and the end are folded; the moderation log is not part of the view', () => {
    const muted = { byName: 'host', reason: 'echo', locked: true };
    const view = folded(
      listenerView,
      event('room:muted', 'self', 3, { muted }),
      event('room:promoted', 'self', 4, { role: 'moderator', byName: 'host' }),
      event('room:ending-soon', 'room', 5, { endsAt: 99 }),
    );
    expect([view.self.muted, view.self.role, view.endsAt, staffMismatch(view)]).toEqual([muted, 'moderator', 99, true]);
    const entry = {
      entryId: someId,
      at: 1,
      act: 'kick',
      byId: someId,
      byName: 'host',
      userId: null,
      displayName: null,
      reason: null,
    } as const;
    const logged = folded(hostView, event('room:moderated', 'staff', 1, { entry }));
    expect({ ...logged, sequence: hostView.sequence }).toEqual(hostView);
    expect(staffMismatch(hostView)).toBe(false);
  });
});
