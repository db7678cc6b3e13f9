import type { Role, RoomChanges } from '@rostrum/shared/protocol/room.ts';
import { mayAct, type RoomAction } from '@rostrum/shared/room/permissions.ts';
import fc from 'fast-check';
import type { Actor, RoomCommand } from '../../src/rules/room/commands.ts';
import { type Person, type RoomState, seatOf } from '../../src/rules/room/state.ts';
import { people } from './people.ts';

type CommandType = Exclude<RoomCommand['type'], 'elapse'>;

/**
 * One thing that happens. It is plain data, so that a failing run can be shrunk and read: who and whom are numbers, which
 * `commandOf` turns into people when it sees the state.
 */
export type Step = {
  readonly type: CommandType;
  readonly who: number;
  readonly whom: number;
  /** Takes somebody who may do this, and somebody to whom it can be done, instead of anybody at all. */
  readonly sensible: boolean;
  readonly device: 0 | 1;
  /** The node to which that is connected, or that tells of a loss. */
  readonly node: 0 | 1;
  readonly yes: boolean;
  readonly other: boolean;
  /** How long before it happens, and whether the deadlines on the way are carried out in time. */
  readonly after: number;
  readonly punctual: boolean;
};

const weights: { readonly [type in CommandType]: number } = {
  join: 14,
  leave: 3,
  'lose-connection': 5,
  'raise-hand': 11,
  'lower-hand': 1,
  'accept-hand': 4,
  'decline-hand': 2,
  'move-hand-to-front': 2,
  'allow-hand': 2,
  'invite-to-speak': 6,
  'answer-invitation': 4,
  'mute-self': 3,
  promote: 6,
  demote: 5,
  mute: 4,
  'mute-all': 1,
  exclude: 2,
  'follow-ban': 1,
  unban: 2,
  update: 3,
  'hand-over': 1,
  'open-microphone': 3,
  'close-microphone': 1,
  'lose-media': 1,
  end: 0,
  stop: 0,
};

const types = Object.entries(weights).flatMap(([type, weight]) =>
  Array.from({ length: weight }, () => type as CommandType),
);
const second = 1000;
const minute = 60 * second;
const waits = [
  ...Array.from({ length: 12 }, () => 0),
  second,
  second,
  second,
  5 * second,
  5 * second,
  16 * second,
  31 * second,
  minute,
  40 * minute,
];

const step: fc.Arbitrary<Step> = fc.record({
  type: fc.constantFrom(...types),
  who: fc.nat({ max: people.length - 1 }),
  whom: fc.nat({ max: people.length - 1 }),
  sensible: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  device: fc.constantFrom(0, 0, 0, 1),
  node: fc.constantFrom(0, 0, 1),
  yes: fc.boolean(),
  other: fc.boolean(),
  after: fc.constantFrom(...waits),
  punctual: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
});

export const steps = (most: number): fc.Arbitrary<Step[]> => fc.array(step, { maxLength: most, size: 'max' });

/** The action of the permissions table that a command is an instance of. */
export const actionOf = (command: RoomCommand): RoomAction | undefined => {
  switch (command.type) {
    case 'accept-hand':
    case 'decline-hand':
    case 'move-hand-to-front':
      return 'manage-hands';
    case 'allow-hand':
      return 'withdraw-hand-right';
    case 'promote':
      return command.role === 'moderator' ? 'appoint-moderator' : 'manage-hands';
    case 'demote':
      return command.userId === command.by.userId ? 'step-down' : 'demote';
    case 'exclude':
      return command.ban ? 'ban' : 'kick';
    case 'raise-hand':
    case 'answer-invitation':
    case 'mute-self':
    case 'invite-to-speak':
    case 'mute':
    case 'mute-all':
    case 'unban':
    case 'update':
    case 'hand-over':
    case 'open-microphone':
    case 'end':
      return command.type;
    case 'join':
    case 'leave':
    case 'lose-connection':
    case 'lower-hand':
    case 'close-microphone':
    case 'elapse':
    case 'follow-ban':
    case 'lose-media':
    case 'stop':
      return undefined;
    default:
      return command satisfies never;
  }
};

export const sessionOf = (person: Person, device: 0 | 1): string => `session ${device} of ${person.displayName}`;

const pick = <Value>(from: readonly Value[], number: number): Value | undefined =>
  from[number % Math.max(1, from.length)];

/** The command that a step is in this state. */
export const commandOf = (step: Step, state: RoomState): RoomCommand => {
  const anybody = people[step.whom] as Person;
  const who = (step.sensible ? sensibleActor(step, state) : undefined) ?? (people[step.who] as Person);
  const whom = (step.sensible ? sensibleSubject(step, state, who) : undefined) ?? anybody;
  const seat = seatOf(state, who.userId);
  // A session that speaks is mostly the one that holds the seat, now and then an older one, or none (over HTTP).
  const spoken = step.sensible ? (seat?.sessionId ?? undefined) : sessionOf(who, step.device);
  // Mostly the node to which that session is connected tells of it, now and then one that it has left.
  const node = step.sensible && !step.other ? (seat?.node ?? nodeOf(step.node)) : nodeOf(step.node);
  return commandBy(step, { userId: who.userId, sessionId: spoken, node }, who, whom);
};

export const nodeOf = (node: 0 | 1): string => `node ${node}`;

const commandBy = (step: Step, by: Actor & { readonly node: string }, who: Person, whom: Person): RoomCommand => {
  const { type, yes, other } = step;
  const { node } = by;
  const { userId } = whom;
  const producerId = `producer ${step.whom}`;
  const reason = yes ? `reason for ${whom.displayName}` : null;
  const sessionId = by.sessionId ?? sessionOf(who, step.device);
  const commands: { readonly [name in CommandType]: Extract<RoomCommand, { type: name }> } = {
    join: {
      type: 'join',
      person: who,
      sessionId: sessionOf(who, step.device),
      node: nodeOf(step.node),
      bannedByHost: !step.sensible && yes && other,
    },
    leave: { type: 'leave', by },
    'lose-media': { type: 'lose-media', node: nodeOf(step.node) },
    'follow-ban': {
      type: 'follow-ban',
      subject: whom,
      by: { userId: who.userId, displayName: who.displayName },
      reason,
      lifted: other,
    },
    'lose-connection': { type: 'lose-connection', userId: who.userId, sessionId, node },
    'raise-hand': { type: 'raise-hand', by },
    'lower-hand': { type: 'lower-hand', by },
    'accept-hand': { type: 'accept-hand', by, userId: yes ? userId : undefined },
    'decline-hand': { type: 'decline-hand', by, userId: other || yes ? userId : undefined },
    'move-hand-to-front': { type: 'move-hand-to-front', by, userId },
    'allow-hand': { type: 'allow-hand', by, subject: whom, allowed: yes },
    'invite-to-speak': { type: 'invite-to-speak', by, userId },
    'answer-invitation': { type: 'answer-invitation', by, accept: yes || other },
    'mute-self': { type: 'mute-self', by, muted: yes },
    promote: { type: 'promote', by, userId, role: yes ? 'moderator' : 'speaker' },
    demote: { type: 'demote', by, userId: other && yes ? by.userId : userId, role: yes ? 'speaker' : 'listener' },
    mute: { type: 'mute', by, userId, locked: other, reason },
    'mute-all': { type: 'mute-all', by, locked: other, reason: yes ? 'reason for all' : null },
    exclude: { type: 'exclude', by, subject: whom, ban: other, reason },
    unban: { type: 'unban', by, subject: whom },
    update: { type: 'update', by, changes: changesOf(step) },
    'hand-over': { type: 'hand-over', by, userId },
    'open-microphone': { type: 'open-microphone', by, producerId: `${producerId} at ${node}`, node },
    'close-microphone': {
      type: 'close-microphone',
      userId: who.userId,
      producerId: yes ? undefined : `${producerId} at ${node}`,
    },
    end: { type: 'end', by },
    stop: { type: 'stop' },
  };
  return commands[type];
};

const changesOf = ({ whom, yes, other }: Step): RoomChanges => {
  if (whom < 3) return { maxSpeakers: 1 + whom };
  if (whom < 5) return { maxParticipants: 2 * whom };
  if (whom < 8) return { privacy: { hideParticipants: yes } };
  return { permissions: { anyoneCanSpeak: yes, allowHandRaise: other }, title: `Title ${whom}` };
};

const inRoles = (state: RoomState, roles: readonly Role[]): Person[] =>
  people.filter((person) => roles.includes(seatOf(state, person.userId)?.role as Role));

const everyRole: readonly Role[] = ['host', 'moderator', 'speaker', 'listener'];

/** Somebody whose role allows this. */
const sensibleActor = (step: Step, state: RoomState): Person | undefined => {
  if (step.type === 'join') {
    // Those who are outside or away; and now and then somebody who is there comes to another node.
    const isOff = ({ userId }: Person): boolean => (seatOf(state, userId)?.awaySince ?? 0) !== null;
    return step.node === 1 && step.other ? undefined : pick(people.filter(isOff), step.who);
  }
  const probe = commandBy(step, { userId: 'somebody', node: nodeOf(0) }, people[0] as Person, people[1] as Person);
  const action = actionOf(probe);
  if (step.type === 'answer-invitation') {
    return people.find((person) => person.userId === pick(state.control.invitations, step.who)?.userId);
  }
  const roles = everyRole.filter(
    (role) => action === undefined || everyRole.some((to) => mayAct(action, role, to)) || mayAct(action, role),
  );
  return pick(inRoles(state, roles), step.who);
};

/** Somebody to whom that can be done. */
const sensibleSubject = (step: Step, state: RoomState, who: Person): Person | undefined => {
  const { type, whom } = step;
  if (type === 'accept-hand' || type === 'decline-hand' || type === 'move-hand-to-front') {
    return people.find((person) => person.userId === pick(state.control.hands, whom)?.userId);
  }
  // Kicks and bans are mostly lifted again, and about anybody, here or not.
  if (type === 'unban')
    return people.find((person) => state.standings.get(`user:${person.userId}`)?.excluded !== undefined);
  if (type === 'exclude' || type === 'allow-hand') return undefined;
  const by = seatOf(state, who.userId)?.role;
  const action = actionOf(
    commandBy(step, { userId: 'somebody', node: nodeOf(0) }, people[0] as Person, people[1] as Person),
  );
  if (by === undefined || action === undefined) return undefined;
  return pick(
    inRoles(
      state,
      everyRole.filter((to) => mayAct(action, by, to)),
    ),
    whom,
  );
};
