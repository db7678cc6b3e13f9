import { isDeepStrictEqual } from 'node:util';
import type { Role } from '@rostrum/shared/protocol/room.ts';
import { isStaff, mayAct, onStage } from '@rostrum/shared/room/permissions.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deadlinesOf } from '../../src/rules/room/deadlines.ts';
import { decide } from '../../src/rules/room/decide.ts';
import type { RoomEvent } from '../../src/rules/room/events.ts';
import { evolve, openedRoom } from '../../src/rules/room/evolve.ts';
import {
  peopleCount,
  type RoomState,
  returningHost,
  roleOf,
  seatOf,
  speakerCount,
  standingKeys,
  userKey,
} from '../../src/rules/room/state.ts';
import { idOf, minute, nameOf, second } from '../rules/support.ts';
import { people, smallLimits } from './people.ts';
import { actionOf, steps } from './steps.ts';
import { beginning, check, type Outcome, play, World } from './world.ts';

const runs = { numRuns: 500 };

const rooms = (
  name: string,
  each: (outcome: Outcome) => void,
  after: (world: World) => void = () => undefined,
): void => {
  test(name, () => {
    fc.assert(
      fc.property(beginning, steps(120), (begun, taken) => {
        const world = new World(begun);
        play(world, taken, each);
        after(world);
      }),
      runs,
    );
  });
};

const stageOf = (state: RoomState, role: Role): string[] =>
  state.control.stage.filter((seat) => seat.role === role).map(({ userId }) => userId);

const inside = (state: RoomState): string[] => [
  ...state.control.stage.map(({ userId }) => userId),
  ...state.audience.keys(),
];

const distinct = (values: readonly string[]): boolean => new Set(values).size === values.length;

test('RE-1 what a command touches is enough to decide it, to write it, to tell people and to set deadlines', () => {
  fc.assert(
    fc.property(beginning, steps(120), fc.boolean(), (begun, taken, stops) => {
      const world = new World(begun, { thorough: true });
      play(world, taken, () => undefined);
      world.execute(stops ? { type: 'stop' } : { type: 'end', by: { userId: world.state.control.hostId } });
      check(world.ended, 'the room has ended');
    }),
    runs,
  );
});

rooms('RO-1 ID-5 seats: at most one host, who is the host, and one seat for everybody', ({ after }) => {
  const { control } = after;
  const hosts = stageOf(after, 'host');
  check(
    hosts.length <= 1 && hosts.every((userId) => userId === control.hostId),
    'the host is one',
    hosts,
    control.hostId,
  );
  check(hosts.length === 1 || !inside(after).includes(control.hostId), 'a host inside has the role');
  check(distinct(inside(after)), 'one seat each', inside(after));
  check(after.audienceSize === after.audience.size, 'the audience is counted', after.audienceSize);
  check(
    control.stage.every((seat) => onStage(seat.role)) &&
      [...after.audience.values()].every((seat) => seat.role === 'listener'),
    'stage and audience are apart',
  );
  check(
    [...after.audience].every(
      ([userId, seat]) =>
        seat.userId === userId && seat.producerId === null && seat.mute === null && seat.stageSince === null,
    ),
    'a listener has nothing of the stage',
  );
  for (const userId of inside(after)) {
    const role = seatOf(after, userId)?.role;
    const appointed = control.moderators.includes(userId);
    check(
      role === 'moderator' ? appointed : role === 'host' || !appointed,
      'who is appointed is a moderator',
      nameOf(userId),
      role,
    );
  }
  check(distinct(control.moderators), 'appointments are distinct');
});

rooms(
  'RM-1 no admission and no promotion goes past maxSpeakers, maxParticipants or the limits',
  ({ before, after, events }) => {
    const [was, is] = [speakerCount(before.control), speakerCount(after.control)];
    check(is <= Math.max(was, after.control.settings.maxSpeakers), 'speakers have places', was, is);
    const joined = events.find((event) => event.type === 'joined');
    if (joined && (joined.seat.role === 'speaker' || joined.seat.role === 'listener')) {
      check(peopleCount(after) <= after.control.settings.maxParticipants, 'the room is not overfull');
    }
    for (const list of [after.control.hands, after.control.invitations]) {
      const userIds = list.map(({ userId }) => userId);
      check(
        distinct(userIds) && userIds.every((userId) => after.audience.has(userId)),
        'hands and invitations are of listeners inside',
        list,
      );
    }
    check(after.control.hands.length <= smallLimits.handsPerRoom, 'hands are bounded');
    check(after.control.invitations.length <= smallLimits.invitationsPerRoom, 'invitations are bounded');
  },
);

rooms(
  'HD-1 the queue of hands changes its order only where somebody is moved to the front',
  ({ before, after, command }) => {
    if (command.type === 'move-hand-to-front') return;
    const earlier = before.control.hands.filter((hand) => after.control.hands.includes(hand));
    check(isDeepStrictEqual(earlier, after.control.hands.slice(0, earlier.length)), 'hands keep their order');
  },
);

/** Nobody comes in whose id, or whose address or device as a guest, is covered. Who was inside already stays. */
const checkAdmission = ({ events, command, after, now }: Outcome): void => {
  const admitted = events.some((event) => event.type === 'joined' && !isStaff(event.seat.role));
  if (command.type !== 'join' || !admitted) return;
  const covering = standingKeys(command.person)
    .map((key) => after.standings.get(key)?.excluded)
    .filter((by) => by && (by.until ?? Number.POSITIVE_INFINITY) > now);
  check(covering.length === 0, 'who is covered came in', nameOf(command.person.userId), covering);
};

test('MO-2 nobody who was kicked or banned is inside, or comes in, until that is undone', () => {
  fc.assert(
    fc.property(beginning, steps(120), (begun, taken) => {
      const world = new World(begun);
      const excluded = new Set<string>();
      play(world, taken, (outcome) => {
        for (const event of outcome.events) {
          if (event.type === 'excluded') excluded.add(event.subject.userId);
          if (event.type === 'readmitted') excluded.delete(event.subject.userId);
        }
        for (const userId of excluded) {
          check(!seatOf(outcome.after, userId), 'an excluded person is inside', nameOf(userId));
          check(outcome.after.standings.get(userKey(userId))?.excluded !== undefined, 'it is kept', nameOf(userId));
        }
        checkAdmission(outcome);
      });
    }),
    runs,
  );
});

/** Whether an event does something to a person, other than what they do themselves. */
const isDoneTo = (event: RoomEvent, userId: string): boolean => {
  switch (event.type) {
    case 'left':
    case 'role-changed':
    case 'mute-changed':
    case 'hand-right-changed':
    case 'moderator-dismissed':
    case 'returned-to-audience':
      return event.userId === userId;
    case 'excluded':
      return event.subject.userId === userId;
    default:
      return false;
  }
};

rooms(
  'MO-3 nobody moderates the host, and moderators do not moderate each other',
  ({ before, command, events, now }) => {
    // A ban that follows from another room was decided there, by those who run that one.
    if (!('by' in command) || command.type === 'follow-ban') return;
    const by = command.by.userId;
    const byRole = seatOf(before, by)?.role;
    const untouchable = [
      before.control.hostId,
      returningHost(before.control, now)?.userId,
      ...(byRole === 'moderator' ? before.control.moderators : []),
    ];
    for (const userId of untouchable) {
      if (userId === undefined || userId === by) continue;
      // Where a host leaves or hands over, whoever comes next is promoted, which is nothing against them.
      const against = events.filter(
        (event) => isDoneTo(event, userId) && !(event.type === 'role-changed' && event.to === 'host'),
      );
      check(against.length === 0, 'somebody who cannot be moderated was', nameOf(by), nameOf(userId), against);
    }
  },
);

rooms(
  'RO-2 what is refused changes nothing, and what happens is what the table allows',
  ({ before, after, command, decision }) => {
    if (!decision.ok) {
      check(before === after, 'a refusal changes nothing');
      return;
    }
    const action = actionOf(command);
    if (!('by' in command) || action === undefined) return;
    const role = roleOf(before, command.by.userId);
    check(
      role !== undefined &&
        (mayAct(action, role) ||
          ['host', 'moderator', 'speaker', 'listener'].some((to) => mayAct(action, role, to as Role))),
      'the table allows it',
      command,
    );
  },
);

rooms(
  'MO-1 a lock on a microphone is in the seat of whoever is on the stage, and outlasts everything but its being lifted',
  ({ before, after, events }) => {
    for (const seat of after.control.stage) {
      const locked = seat.mute?.by === 'moderator' && seat.mute.locked ? seat.mute : undefined;
      check(
        isDeepStrictEqual(after.standings.get(userKey(seat.userId))?.lockedMute, locked),
        'seat and standing agree',
        seat,
      );
    }
    for (const [key, standing] of before.standings) {
      if (!standing.lockedMute || after.standings.get(key)?.lockedMute) continue;
      check(
        events.some((event) => event.type === 'mute-changed' && userKey(event.userId) === key),
        'a lock was lost',
        key,
        events,
      );
    }
  },
);

rooms('RM-3 RM-7 RE-2 HD-2 whatever ends by itself has a deadline, and nothing else does', ({ after }) => {
  if (after.control.status === 'ended') return;
  const { control } = after;
  const deadlines = deadlinesOf(after, smallLimits);
  const host = seatOf(after, control.hostId);
  check(deadlines.has('end') && deadlines.has('end-warning') !== control.endAnnounced, 'the room ends');
  check(deadlines.has('empty') === (inside(after).length === 0), 'an empty room ends');
  const absent = host === undefined || host.awaySince !== null;
  check(deadlines.has('host-absence') === (absent && !deadlines.has('empty')), 'an absent host is missed');
  for (const userId of inside(after)) {
    const away = seatOf(after, userId)?.awaySince;
    check(
      deadlines.has(`seat:${userId}`) === (away !== null && userId !== control.hostId),
      'a seat is kept for a while',
      nameOf(userId),
    );
  }
  for (const { userId } of control.invitations) check(deadlines.has(`invitation:${userId}`), 'an invitation expires');
  const expected =
    1 + Number(!control.endAnnounced) + Number(deadlines.has('empty')) + Number(deadlines.has('host-absence'));
  const seats = inside(after).filter((userId) => deadlines.has(`seat:${userId}`)).length;
  check(deadlines.size === expected + seats + control.invitations.length, 'no other deadline', [...deadlines]);
});

rooms('RM-10 whether the audience is listed follows from how many listen', ({ after }) => {
  const { audienceListed } = after.control;
  check(
    audienceListed
      ? after.audienceSize <= smallLimits.audienceListedMax
      : after.audienceSize >= smallLimits.audienceListedAgain,
    'listed',
    after.audienceSize,
  );
});

rooms(
  'RM-3 when nothing more is asked of a room, its deadlines end it',
  () => undefined,
  (world) => {
    const { endsAt } = world.state.control;
    world.passTo(Math.max(world.now, endsAt));
    check(world.ended, 'the room has ended', world.state);
  },
);

rooms(
  'RM-3 RM-7 when every connection is lost, the room ends soon after',
  () => undefined,
  (world) => {
    for (const userId of inside(world.state)) {
      const { sessionId = '', node = '' } = seatOf(world.state, userId) ?? {};
      world.execute({ type: 'lose-connection', userId, sessionId, node });
    }
    world.passTo(world.now + 2 * minute + 15 * second);
    check(world.ended, 'the room has ended', world.state);
  },
);

/** Everybody's microphone, by user, with where it ends. */
const microphones = (state: RoomState): Map<string, string> =>
  new Map(
    state.control.stage.flatMap(({ userId, producerId, producerNode }) =>
      producerId === null ? [] : [[userId, `${producerId} ends at ${producerNode}`]],
    ),
  );

rooms(
  'RE-2 RE-3 a loss counts only from the node to which the session is connected',
  ({ before, command, decision, events }) => {
    if (command.type !== 'lose-connection' || !decision.ok) return;
    const seat = seatOf(before, command.userId);
    const isHeld = seat?.sessionId === command.sessionId && seat.node === command.node;
    check(isHeld || events.length === 0, 'a late loss took a seat away', seat);
    check(!isHeld || seat.awaySince !== null || events[0]?.type === 'seat-lost', 'a loss was not noted', seat);
  },
);

rooms('RE-2 who comes back is there, at the node that they came to, and is heard from where they were', (outcome) => {
  const { before, after, command, decision } = outcome;
  if (command.type !== 'join' || !decision.ok) return;
  const { userId } = command.person;
  const [was, is] = [seatOf(before, userId), seatOf(after, userId)];
  check(is?.sessionId === command.sessionId && is.node === command.node && is.awaySince === null, 'is there', is);
  if (was?.sessionId !== command.sessionId) return;
  check(is?.role === was.role && is.joinedAt === was.joinedAt, 'the seat is the same', was, is);
  check(microphones(after).get(userId) === microphones(before).get(userId), 'the microphone stays', was, is);
});

rooms(
  'RE-3 MD-8 MD-9 microphones end at one node each, and a node that loses its media takes no others with it',
  (outcome) => {
    const { before, after, command, events } = outcome;
    for (const seat of [...after.control.stage, ...after.audience.values()]) {
      check((seat.producerId === null) === (seat.producerNode === null), 'a microphone ends somewhere', seat);
    }
    for (const event of events) {
      if (event.type !== 'microphone-opened') continue;
      check(seatOf(before, event.userId)?.node === event.node, 'it is opened where its owner is connected', event);
      check(seatOf(before, event.userId)?.producerNode !== event.node, 'a second one is not opened there', event);
    }
    if (command.type !== 'lose-media') return;
    const kept = [...microphones(before)].filter(([, where]) => !where.endsWith(` at ${command.node}`));
    check(isDeepStrictEqual([...microphones(after)], kept), 'those of this node are gone, and no others', kept);
  },
);

rooms(
  'RE-1 replaying what happened gives the same room',
  () => undefined,
  (world) => {
    check(isDeepStrictEqual(world.history.reduce(evolve, openedRoom(world.opened)), world.state), 'replayed');
  },
);

rooms('RE-1 a deadline that comes again, or comes early, changes nothing', ({ before, after, command, now }) => {
  const context = { now, limits: smallLimits, entryId: idOf('again') };
  for (const state of [before, after]) {
    if (state.control.status === 'ended') continue;
    const due = deadlinesOf(state, smallLimits);
    for (const deadline of [
      ...due.keys(),
      ...people.map(({ userId }) => `seat:${userId}` as const),
      'empty',
      'host-absence',
    ] as const) {
      if ((due.get(deadline) ?? Number.POSITIVE_INFINITY) <= now) continue;
      check(
        isDeepStrictEqual(decide(state, { type: 'elapse', deadline }, context), { ok: true, value: [] }),
        'harmless',
        deadline,
      );
    }
  }
  if (
    command.type !== 'elapse' ||
    after.control.status === 'ended' ||
    deadlinesOf(after, smallLimits).has(command.deadline)
  )
    return;
  check(isDeepStrictEqual(decide(after, command, context), { ok: true, value: [] }), 'twice is harmless', command);
});

rooms('RE-1 nothing is said to have happened that changes nothing', ({ before, events, command }) => {
  // A line of the log is kept elsewhere; a host may save what is there already; and a ban may be lifted that is not of this room.
  const mayRepeat = new Set<RoomEvent['type']>(['moderated', 'updated', 'readmitted']);
  let state = before;
  for (const event of events) {
    const after = evolve(state, event);
    check(mayRepeat.has(event.type) || !isDeepStrictEqual(state, after), 'an event without effect', command, event);
    state = after;
  }
});

test('the random people reach every part of the rules', () => {
  const seen = new Set<string>();
  const note = ({ command, decision, events }: Outcome): void => {
    seen.add(`${command.type} ${decision.ok ? 'done' : decision.refusal.code}`);
    for (const event of events) seen.add(event.type);
    for (const event of events)
      if (event.type === 'ended' || event.type === 'left') seen.add(`${event.type} ${event.reason}`);
    for (const event of events) if (event.type === 'role-changed') seen.add(`${event.from} becomes ${event.to}`);
  };
  for (const [begun, taken] of fc.sample(fc.tuple(beginning, steps(120)), { numRuns: 500, seed: 1 }))
    play(new World(begun), taken, note);
  const everything = [
    ...[
      'joined',
      'left',
      'seat-moved',
      'seat-resumed',
      'seat-lost',
      'host-changed',
      'moderator-appointed',
      'moderator-dismissed',
    ],
    ...[
      'hand-raised',
      'hand-lowered',
      'hand-moved-to-front',
      'hand-right-changed',
      'invited',
      'invitation-closed',
      'mute-changed',
    ],
    ...[
      'microphone-opened',
      'microphone-closed',
      'excluded',
      'readmitted',
      'returned-to-audience',
      'moderated',
      'updated',
    ],
    ...[
      'audience-listing-changed',
      'ended empty',
      'ended host-left',
      'left left',
      'left lost',
      'left kicked',
      'left banned',
    ],
    ...[
      'join room_full',
      'join kicked',
      'join banned',
      'join not_found',
      'raise-hand hands_full',
      'raise-hand hands_closed',
    ],
    ...[
      'accept-hand stage_full',
      'answer-invitation stage_full',
      'answer-invitation conflict',
      'mute-self muted_locked',
    ],
    ...['promote stage_full', 'invite-to-speak conflict', 'hand-over done', 'hand-over conflict'],
    ...['host becomes moderator', 'host becomes speaker', 'moderator becomes host', 'speaker becomes host'],
    ...[
      'listener becomes moderator',
      'moderator becomes speaker',
      'moderator becomes listener',
      'speaker becomes listener',
    ],
  ];
  expect(everything.filter((one) => !seen.has(one))).toEqual([]);
});
