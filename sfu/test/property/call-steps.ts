import { type CallMode, type CallRoute, callModes, callRoutes } from '@rostrum/shared/protocol/call.ts';
import fc from 'fast-check';
import type { CallCommand, Caller } from '../../src/rules/call/commands.ts';
import type { CallDeadlineKey, CallSide, CallState } from '../../src/rules/call/state.ts';
import { homeNode, idOf } from '../rules/support.ts';

type CallCommandType = CallCommand['type'];

/**
 * One thing that happens. It is plain data, so that a failing run can be shrunk and read: who speaks is a number, which
 * `callCommandOf` turns into somebody when it sees the state.
 */
export type CallStep = {
  readonly type: CallCommandType;
  /** The two sides, and somebody who is none. */
  readonly who: 0 | 1 | 2;
  /** Speaks from the device that holds the side, instead of from any. */
  readonly sensible: boolean;
  readonly device: 0 | 1;
  /** The node to which that is connected, or that tells of a loss. */
  readonly node: 0 | 1;
  readonly yes: boolean;
  readonly route: CallRoute;
  readonly deadline: CallDeadlineKey;
  /** How long before it happens, and whether the deadlines on the way are carried out in time. */
  readonly after: number;
  readonly punctual: boolean;
};

const weights: { readonly [type in CallCommandType]: number } = {
  connected: 60,
  'lose-media': 12,
  'lose-connection': 16,
  return: 40,
  'report-quality': 10,
  chat: 8,
  'still-here': 8,
  extend: 16,
  'use-sfu': 14,
  'open-microphone': 10,
  'close-microphone': 3,
  'lose-sfu-media': 3,
  next: 1,
  end: 1,
  block: 3,
  stop: 0,
  elapse: 6,
};

const types = Object.entries(weights).flatMap(([type, weight]) =>
  Array.from({ length: weight }, () => type as CallCommandType),
);

const second = 1000;
const minute = 60 * second;
const waits = [
  ...Array.from({ length: 48 }, () => 0),
  ...Array.from({ length: 8 }, () => second),
  2 * second,
  2 * second,
  4 * second,
  4 * second,
  9 * second,
  11 * second,
  40 * second,
  91 * second,
  9.5 * minute,
];

const everyDeadline: readonly CallDeadlineKey[] = [
  'connect',
  'resume',
  'idle',
  'idle-answer',
  'warning',
  'end',
  'max-duration',
];

const often = fc.constantFrom(true, true, true, true, false);

const step: fc.Arbitrary<CallStep> = fc.record({
  type: fc.constantFrom(...types),
  who: fc.constantFrom(0, 0, 0, 1, 1, 1, 2),
  sensible: often,
  device: fc.constantFrom(0, 0, 1),
  node: fc.constantFrom(0, 0, 1),
  yes: fc.boolean(),
  route: fc.constantFrom<CallRoute>(...callRoutes, 'p2p_udp', 'p2p_udp', 'turn_relay_udp'),
  deadline: fc.constantFrom(...everyDeadline),
  after: fc.constantFrom(...waits),
  punctual: often,
});

export const callSteps = (most: number): fc.Arbitrary<CallStep[]> =>
  fc.array(step, { minLength: most / 2, maxLength: most, size: 'max' });

export const mode: fc.Arbitrary<CallMode> = fc.constantFrom(...callModes, 'voice', 'video');

const names = ['ann', 'ben', 'cem'] as const;

export const sessionOf = (name: string, device: number): string => `${name}'s device ${device}`;

const isAway = ({ awaySince }: CallSide): boolean => awaySince !== null;
const isUnlinked = ({ linked }: CallSide): boolean => !linked;
const isThere = ({ awaySince }: CallSide): boolean => awaySince === null;

/** For whom a command does something, so that most of what happens is not idle. */
const concerned: { readonly [type in CallCommandType]?: (side: CallSide) => boolean } = {
  connected: isUnlinked,
  return: isAway,
  'lose-connection': isThere,
  extend: ({ asksExtension }) => !asksExtension,
};

const speaker = ({ type, who, sensible, device }: CallStep, call: CallState): Caller => {
  const userId = idOf(names[who]);
  const side = call.sides.find((other) => other.userId === userId);
  if (!sensible || !side) return { userId, sessionId: sessionOf(names[who], device) };
  const fits = concerned[type] ?? (() => true);
  const { userId: speaks, sessionId } = [side, ...call.sides].find(fits) ?? side;
  return { userId: speaks, sessionId };
};

const nodeOf = (node: 0 | 1): string => (node === 0 ? homeNode : 'another node');

/** Mostly the node to which the device is connected, now and then one that it has left, or comes to. */
const nodeFor = ({ sensible, yes, node }: CallStep, { userId }: Caller, call: CallState): string =>
  (sensible && yes && call.sides.find((side) => side.userId === userId)?.node) || nodeOf(node);

export const callCommandOf = (step: CallStep, call: CallState): CallCommand => {
  const by = speaker(step, call);
  const node = nodeFor(step, by, call);
  const open = step.sensible ? call.sides.find(({ userId }) => userId === by.userId)?.producerId : undefined;
  const { type, yes } = step;
  switch (type) {
    case 'connected':
      return { type, by, route: step.sensible && call.throughSfu ? 'sfu' : step.route };
    case 'report-quality':
      return { type, by, report: { lossPercent: 1, jitterMs: 2, roundTripMs: 3, spoke: yes } };
    case 'end':
      return { type, by, reason: yes ? 'hung-up' : 'left-for-room' };
    case 'block':
      return { type, userId: by.userId, blockedId: idOf(yes ? names[step.device] : 'somebody') };
    case 'stop':
      return { type, reason: yes ? 'operator' : 'server-stopped' };
    case 'elapse':
      return { type, deadline: step.deadline };
    case 'open-microphone':
      return { type, by, producerId: `microphone ${step.device} at ${node}`, node };
    case 'close-microphone':
      return { type, userId: by.userId, producerId: open ?? `microphone ${step.device} at ${node}` };
    case 'lose-sfu-media':
      return { type, node };
    case 'lose-connection':
    case 'return':
      return { type, by, node };
    case 'lose-media':
    case 'chat':
    case 'still-here':
    case 'extend':
    case 'use-sfu':
    case 'next':
      return { type, by };
    default:
      return type satisfies never;
  }
};

/** Every command there is, by both sides and by somebody who is none. */
export const everyCommand = (call: CallState): CallCommand[] => {
  const strangers = [0, 1].map((device) => ({ userId: idOf('cem'), sessionId: sessionOf('cem', device) }));
  const callers: Caller[] = [...call.sides, ...strangers];
  const nodes = ([0, 1] as const).map(nodeOf);
  return [
    ...callers.flatMap((by): CallCommand[] => [
      ...callRoutes.map((route) => ({ type: 'connected', by, route }) as const),
      { type: 'lose-media', by },
      ...nodes.flatMap((node): CallCommand[] => [
        { type: 'lose-connection', by, node },
        { type: 'return', by, node },
        { type: 'open-microphone', by, producerId: 'microphone', node },
      ]),
      { type: 'report-quality', by, report: { lossPercent: 0, jitterMs: 0, roundTripMs: 0, spoke: true } },
      { type: 'chat', by },
      { type: 'still-here', by },
      { type: 'extend', by },
      { type: 'use-sfu', by },
      { type: 'close-microphone', userId: by.userId, producerId: 'microphone' },
      { type: 'next', by },
      { type: 'end', by, reason: 'hung-up' },
      ...names.map((name) => ({ type: 'block', userId: by.userId, blockedId: idOf(name) }) as const),
    ]),
    ...everyDeadline.map((deadline) => ({ type: 'elapse', deadline }) as const),
    ...nodes.map((node) => ({ type: 'lose-sfu-media', node }) as const),
    { type: 'stop', reason: 'operator' },
  ];
};
