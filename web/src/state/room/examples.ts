import type { Participant, Role, RoomInfo, RoomView } from '@rostrum/shared/protocol/room.ts';
import type { LocalMicrophone, RoomPhase, RoomSession, RoomSessionEvents } from '../../client/types.ts';
import { createNotices } from '../notices.ts';

/** Rooms and people for tests. */
const idOf = (name: string): string => name.padEnd(22, '-');

export const examplePerson = (name: string, role: Role, more: Partial<Participant> = {}): Participant => ({
  userId: idOf(name),
  displayName: name,
  role,
  joinedAt: 0,
  microphone: role === 'listener' ? 'off' : 'open',
  away: false,
  ...more,
});

export const exampleInfo = (more: Partial<RoomInfo> = {}): RoomInfo => ({
  roomId: idOf('room'),
  title: 'Evening jazz',
  description: '',
  type: 'public',
  category: 'music',
  language: 'en',
  tags: ['jazz'],
  maxParticipants: 500,
  maxSpeakers: 10,
  audioQuality: 'medium',
  permissions: { anyoneCanSpeak: false, allowRecording: false, allowHandRaise: true },
  privacy: { requireApproval: false, hideParticipants: false, allowInvites: true },
  status: 'active',
  hostId: idOf('Ana'),
  audienceListed: true,
  createdAt: 0,
  scheduledFor: null,
  startedAt: 0,
  endedAt: null,
  ...more,
});

type ViewParts = {
  readonly me?: string;
  readonly role?: Role;
  readonly stage?: Participant[];
  readonly members?: Participant[] | null;
  readonly self?: Partial<RoomView['self']>;
  readonly staff?: RoomView['staff'];
  readonly info?: Partial<RoomInfo>;
};

export const exampleView = (parts: ViewParts = {}): RoomView => {
  const { me = 'Me', role = 'listener', stage = [examplePerson('Ana', 'host')], members = [] } = parts;
  return {
    info: exampleInfo(parts.info),
    stage,
    audience: { count: members?.length ?? 1000, members },
    staff: parts.staff ?? null,
    self: {
      userId: idOf(me),
      role,
      handPosition: null,
      mayRaiseHand: true,
      invitation: null,
      muted: null,
      ...parts.self,
    },
    endsAt: null,
    sequence: { room: 0, stage: 0, staff: 0, self: 0 },
  };
};

type Listener = (payload: never) => void;

/** A session that does nothing but remember what it was asked, and tells what the test makes it tell. */
export const exampleSession = (view: RoomView, refuse?: () => Error | undefined) => {
  const listeners = new Map<keyof RoomSessionEvents, Set<Listener>>();
  const calls: unknown[][] = [];
  const answer =
    (name: string, value?: unknown) =>
    async (...args: unknown[]): Promise<unknown> => {
      calls.push([name, ...args]);
      const error = refuse?.();
      if (error !== undefined) throw error;
      return value;
    };
  const session = {
    roomId: view.info.roomId,
    view,
    phase: { phase: 'live' } as RoomPhase,
    speaking: new Set<string>(),
    microphone: { state: 'off' } as LocalMicrophone,
    quality: { grade: 'good', lossPercent: 0, jitterMs: 0, roundTripMs: 0 },
    audioBlocked: false,
    on: (name: keyof RoomSessionEvents, listener: Listener) => {
      const known = listeners.get(name) ?? new Set();
      listeners.set(name, known.add(listener));
      return () => known.delete(listener);
    },
    promote: answer('promote', 'invited'),
    levelOf: () => 0.5,
    dispose: () => calls.push(['dispose']),
  };
  const plain = [
    'leave',
    'unban',
    'kick',
    'ban',
    'mute',
    'muteAll',
    'acceptHand',
    'raiseHand',
    'lowerHand',
    'setMuted',
    'end',
  ];
  const methods = [...plain, 'openMicrophone', 'update', 'stepDown', 'demote', 'answerInvitation'];
  Object.assign(session, Object.fromEntries(methods.map((name) => [name, answer(name)])));
  return {
    session: session as unknown as RoomSession,
    calls,
    tell: <Name extends keyof RoomSessionEvents>(name: Name, payload: RoomSessionEvents[Name]) => {
      Object.assign(session, { [name]: payload });
      for (const listener of listeners.get(name) ?? []) listener(payload as never);
    },
  };
};

/** Notices whose sentences a test reads back. */
export const exampleNotices = () => {
  const notices = createNotices();
  return { notices, said: () => [...notices.polite.value, ...notices.assertive.value].map(({ text }) => text) };
};
