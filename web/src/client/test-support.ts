import type { Participant, Role, RoomView } from '@rostrum/shared/protocol/room.ts';

/** Things that several tests of the client build on. */

export const roomId = 'R'.repeat(22);
export const idOf = (name: string): string => name.padEnd(22, '_');
export const me = idOf('me');

export const participant = (userId: string, role: Role, more: Partial<Participant> = {}): Participant => ({
  userId,
  displayName: userId.slice(0, 4),
  role,
  joinedAt: 1,
  microphone: 'off',
  away: false,
  ...more,
});

/** What a host sees of a room with nobody else in it. */
export const roomView = (): RoomView => ({
  info: {
    roomId,
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
    status: 'active',
    hostId: me,
    audienceListed: true,
    createdAt: 1,
    scheduledFor: null,
    startedAt: 1,
    endedAt: null,
  },
  stage: [participant(me, 'host')],
  audience: { count: 0, members: [] },
  staff: { hands: [], invitations: [] },
  self: { userId: me, role: 'host', handPosition: null, mayRaiseHand: true, invitation: null, muted: null },
  endsAt: null,
  sequence: { room: 0, stage: 0, staff: 0, self: 0 },
});

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export const seeded = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
};
