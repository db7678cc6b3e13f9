import { isDeepStrictEqual } from 'node:util';
import { callEndReasons } from '@rostrum/shared/protocol/call.ts';
import { randomEvents, randomStateSchema } from '@rostrum/shared/protocol/random.ts';
import fc from 'fast-check';
import { test } from 'vitest';
import { callDeadlinesOf } from '../../src/rules/call/deadlines.ts';
import type { CallEvent } from '../../src/rules/call/events.ts';
import { evolve } from '../../src/rules/call/evolve.ts';
import { outcomeOf } from '../../src/rules/call/record.ts';
import { relayTo } from '../../src/rules/call/relay.ts';
import { type CallEnd, type CallState, isWhole, sideOf } from '../../src/rules/call/state.ts';
import { ticketDeadlinesOf } from '../../src/rules/matching/queue.ts';
import { foldCall, type Known, knownOf, synchronised } from './call-client.ts';
import { callSteps, everyCommand } from './call-steps.ts';
import { type CallOutcome, CallWorld, callBeginning, playCall } from './call-world.ts';
import { check } from './world.ts';

const runs = { numRuns: 200 };

const calls = (
  name: string,
  each: (outcome: CallOutcome) => void,
  after: (world: CallWorld) => void = () => undefined,
): void => {
  test(name, () => {
    fc.assert(
      fc.property(callBeginning, callSteps(60), (begun, steps) => {
        const world = new CallWorld(begun);
        playCall(world, steps, each);
        after(world);
      }),
      runs,
    );
  });
};

calls(
  'DC-8 RD-14 a call ends once, with a reason of the list, and what comes after that is stale',
  ({ before, after, refused, events, told, closing, now }) => {
    const ends = events.filter(({ type }) => type === 'ended');
    check(ends.length <= 1 && (ends.length === 0 || events.at(-1) === ends[0]), 'the end is the last event', events);
    check((after.phase === 'ended') === (after.ended !== null), 'it says how it ended', after);
    if (before.ended === null) {
      check(after.ended === null || callEndReasons.includes(after.ended.reason), 'its reason is in the list');
      check(after.ended === null || outcomeOf(after).endedAt === now, 'its end is now');
      return;
    }
    check(refused === 'stale' && after === before, 'the end is final', refused);
    check(told.length === 0 && closing.requeue.length === 0 && closing.histories.size === 0, 'and nothing follows');
  },
  (world) => {
    world.passTo(world.now + world.limits.callMaxMs);
    check(world.ended, 'no call lasts longer than any may');
    check(world.history.filter(({ type }) => type === 'ended').length === 1, 'it ends once');
    for (const command of everyCommand(world.state))
      check(world.execute(command).refused === 'stale', 'stale', command);
  },
);

calls('RD-14 whoever is no side, or not on the device that holds it, changes nothing', (outcome) => {
  const { command, before, after, refused, told } = outcome;
  if (!('by' in command) || command.type === 'return') return;
  const { by } = command;
  if (before.sides.some(({ userId, sessionId }) => userId === by.userId && sessionId === by.sessionId)) return;
  check(refused === 'stale' && after === before && told.length === 0, 'a stranger is stale', command, refused);
  check(!relayTo(before, by).ok, 'and nothing is relayed for them');
});

calls(
  'RE-1 folding the events again gives the same state',
  (_) => undefined,
  (world) => {
    check(isDeepStrictEqual(world.history.reduce(evolve, world.begun), world.state), 'replayed', world.history);
  },
);

/** How the parts of a state belong together. */
const checkState = (call: CallState): void => {
  if (call.phase === 'ended') return;
  const away = call.sides.some(({ awaySince }) => awaySince !== null);
  check((call.phase === 'connecting') === (call.connectedAt === null), 'connecting until connected', call);
  check((call.phase === 'connected') === isWhole(call), 'connected while both are there with media', call);
  check(
    (call.resumeUntil !== null) === (away || call.phase === 'reconnecting'),
    'the window is open while something is lost',
    call,
  );
  check(
    call.sides.every(({ route, linked }) => call.mode === 'text' || route !== null || !linked) &&
      call.sides.every(({ route }) => route === null || call.throughSfu === (route === 'sfu')),
    'routes are of the present way',
    call,
  );
  check(call.endsAt === null || call.connectedAt !== null, 'time runs out only of a call that was connected', call);
};

calls('RD-1 RD-5 phase, window and sides belong together', ({ after }) => checkState(after));

calls('RD-3 RD-5 RD-7 every phase has a deadline that ends it, so no call hangs', ({ after, limits, now }) => {
  const deadlines = callDeadlinesOf(after, limits);
  if (after.phase === 'ended') return check(deadlines.size === 0, 'nothing becomes due after the end');
  check(deadlines.get('max-duration') === after.matchedAt + limits.callMaxMs, '4 h at most', after);
  const endsBy = (...keys: Parameters<typeof deadlines.get>[0][]): boolean => keys.some((key) => deadlines.has(key));
  if (after.phase === 'connecting') check(endsBy('connect', 'resume'), 'connecting ends', after);
  if (after.phase === 'reconnecting') check(endsBy('resume'), 'reconnecting ends', after);
  if (after.phase === 'connected' && after.mode === 'voice')
    check(endsBy('idle', 'idle-answer'), 'silence ends', after);
  check((after.endsAt !== null) === endsBy('end'), 'the time of the plan ends', after);
  check((deadlines.get('resume') ?? now) <= now + limits.resumeMs, 'a window is no longer than 10 s', after, now);
  return undefined;
});

/** What an event sets is still to come. */
const checkEvent = (event: CallEvent, { before, now, limits }: CallOutcome): void => {
  if (event.type === 'window-opened') {
    check(event.until > now && event.until <= now + limits.resumeMs, 'a window is open', event, now);
    check(event.until > (before.resumeUntil ?? 0), 'and never shortened', event, before);
  }
  if (event.type === 'connected') {
    check(event.at === now, 'connected now', event);
    check(before.connectedAt === null || event.endsAt === before.endsAt, 'coming back gives no more time', event);
    check(before.connectedAt !== null || event.endsAt === null || event.endsAt > now, 'there is time to talk', event);
  }
  if (event.type === 'idle-asked') check(event.until > now, 'there is time to answer', event);
  if (event.type === 'sfu-chosen') check(event.connectBy > now, 'there is time to connect', event);
  if (event.type === 'extended') {
    check(event.endsAt - (before.endsAt ?? 0) === limits.callExtensionMs, '5 minutes more', event, before);
  }
};

calls('RD-5 RE-2 RE-3 a loss counts only from the node to which the device is connected', (outcome) => {
  const { command, before, after, events } = outcome;
  if (command.type === 'lose-connection') {
    const side = sideOf(before, command.by.userId);
    const isHeld = side?.sessionId === command.by.sessionId && side.node === command.node;
    check(isHeld || events.length === 0, 'a late loss changed the call', side, events);
  }
  if (command.type === 'return' && outcome.refused === null) {
    const side = sideOf(after, command.by.userId);
    check(side?.node === command.node && side.awaySince === null, 'who came back is there', side);
  }
  if (command.type !== 'lose-sfu-media') return;
  for (const { userId, producerNode, linked } of before.sides) {
    const isElsewhere = producerNode !== null && producerNode !== command.node;
    const is = sideOf(after, userId);
    check(!isElsewhere || is?.producerNode === producerNode, 'a microphone at another node stays', is);
    check(!isElsewhere || is?.linked === linked, 'and so does its media', is);
  }
});

calls('RE-3 MD-9 a microphone ends at one node, to which its owner was connected as it was opened', (outcome) => {
  const { before, after, events } = outcome;
  for (const side of after.sides) check((side.producerId === null) === (side.producerNode === null), 'it ends', side);
  for (const event of events) {
    if (event.type !== 'microphone-opened') continue;
    const side = sideOf(before, event.userId);
    check(side?.node === event.node && side.producerNode !== event.node, 'it is the only one there', side, event);
  }
});

calls('RD-5 RD-7 RD-8 no window, answer or end that is set lies in the past', (outcome) => {
  for (const event of outcome.events) checkEvent(event, outcome);
});

calls('RD-2 RD-14 only the two sides are told of a call, and what they are told is as the schema says', (outcome) => {
  const { told, before, after, events } = outcome;
  const moved = events.find((event) => event.type === 'moved');
  for (const { userId, sessionId, name, payload } of told) {
    const holder = name === 'random:joined_elsewhere' ? moved?.from : undefined;
    const side = after.sides.find((other) => other.userId === userId);
    check(side !== undefined && sessionId === (holder ?? side.sessionId), 'it goes to who holds a side', name, userId);
    check(payload.sessionId === before.callId, 'it names the call', payload);
    check(randomEvents[name].safeParse(payload).success, 'it is as the schema says', name, payload);
  }
  const kinds = told.map(({ userId, sessionId, name }) => `${userId} ${sessionId} ${name}`);
  check(new Set(kinds).size === kinds.length, 'nobody is told the same thing twice', kinds);
  check(events.length > 0 || told.length === 0, 'nothing is told where nothing happened');
});

test('RD-5 RD-7 RD-8 who folds what they are told, and asks after coming back, knows how the call stands', () => {
  fc.assert(
    fc.property(callBeginning, callSteps(60), (begun, steps) => {
      const world = new CallWorld(begun);
      const known = new Map<string, Known | null>();
      for (const { userId } of world.state.sides) known.set(userId, knownOf(synchronised(world.state, userId)));
      playCall(world, steps, ({ after, events, told }) => {
        for (const { userId, sessionId, awaySince } of after.sides) {
          const state = synchronised(after, userId);
          check(randomStateSchema.safeParse(state).success, 'it is as the schema says', state);
          const back = events.some(
            (event) =>
              (event.type === 'returned' || event.type === 'relocated' || event.type === 'moved') &&
              event.userId === userId,
          );
          const own = told.filter((event) => event.userId === userId && event.sessionId === sessionId);
          const folded = back ? knownOf(state) : own.reduce(foldCall, known.get(userId) ?? null);
          known.set(userId, folded);
          if (awaySince !== null) continue;
          check(
            isDeepStrictEqual(folded, knownOf(state)),
            'they know how it stands',
            userId,
            folded,
            state,
            events,
            own,
          );
        }
      });
    }),
    runs,
  );
});

type Requeued = CallOutcome['closing']['requeue'][number];

/** A side that waits again does so as it is: where, since when, and away or not. */
const checkTicket = ({ ticket, deadlines }: Requeued, { reason, by }: CallEnd, outcome: CallOutcome): void => {
  const { after, limits, now } = outcome;
  const { userId, sessionId } = ticket.seeker;
  const side = after.sides.find((other) => other.userId === userId);
  check(side?.sessionId === sessionId, 'on the device that held the call', ticket);
  check(ticket.awaySince === side?.awaySince && ticket.queuedAt === now, 'as they are, from now on', ticket);
  check(ticket.front === !(reason === 'next' && by === userId), 'at the front, but for who went on', ticket);
  check(isDeepStrictEqual(deadlines, ticketDeadlinesOf(ticket, limits)), 'with their deadlines', deadlines);
  check(
    [...deadlines.values()].every((at) => at > now),
    'which are still to come',
    deadlines,
    now,
  );
};

const checkClosing = (end: CallEnd, outcome: CallOutcome): void => {
  const { before, closing, told } = outcome;
  const waiting = closing.requeue.map(({ ticket }) => ticket.seeker.userId);
  const tickets = new Set(closing.requeue.map(({ ticket }) => ticket.ticketId));
  check(
    new Set(waiting).size === waiting.length && tickets.size === waiting.length,
    'once, with a ticket each',
    waiting,
  );
  check(closing.histories.size === 2, 'both remember it');
  if (end.reason !== 'next') check(end.by === null || !waiting.includes(end.by), 'who ended it does not wait', end);
  const never = before.connectedAt !== null || end.reason === 'operator' || end.reason === 'server-stopped';
  if (never)
    check(
      waiting.every((userId) => userId === end.by),
      'nobody after a stop, or who has met somebody',
      end,
    );
  for (const { userId, payload } of told) {
    check('requeued' in payload && payload.requeued === waiting.includes(userId), 'they are told so', payload);
  }
  check(told.length === 2, 'both are told once that it is over', told);
};

calls('RQ-5 RD-3 RD-6 who waits again, waits once, and nobody does who ended it', (outcome) => {
  const { before, after, closing } = outcome;
  if (after.ended === null || before.ended !== null) {
    check(closing.requeue.length === 0 && closing.histories.size === 0, 'a call that goes on leaves nothing');
    return;
  }
  checkClosing(after.ended, outcome);
  for (const requeued of closing.requeue) checkTicket(requeued, after.ended, outcome);
});

calls(
  'RQ-5 a call that is stopped leaves nobody waiting',
  () => undefined,
  (world) => {
    if (world.ended) return;
    const { closing, after } = world.execute({ type: 'stop', reason: 'server-stopped' });
    check(
      after.ended?.reason === 'server-stopped' && closing.requeue.length === 0,
      'nobody waits for a server that stops',
    );
  },
);

/** All that `decide` can make; the end is counted by its reasons. */
const everyEvent: { readonly [type in Exclude<CallEvent['type'], 'ended'>]: true } = {
  linked: true,
  connected: true,
  lost: true,
  'window-opened': true,
  returned: true,
  relocated: true,
  moved: true,
  measured: true,
  active: true,
  'idle-asked': true,
  'extension-asked': true,
  extended: true,
  warned: true,
  'sfu-chosen': true,
  'microphone-opened': true,
  'microphone-closed': true,
  avoided: true,
};

test('DC-8 the random calls of these tests come to everything that can happen in a call', () => {
  const happened = new Set<string>();
  for (const [begun, steps] of fc.sample(fc.tuple(callBeginning, callSteps(60)), { numRuns: 500, seed: 1 })) {
    playCall(new CallWorld(begun), steps, ({ events }) => {
      for (const event of events) happened.add(event.type === 'ended' ? event.end.reason : event.type);
    });
  }
  const ends = ['hung-up', 'next', 'blocked', 'connect-timeout', 'lost', 'idle', 'time-limit', 'left-for-room'];
  const expected = [...Object.keys(everyEvent), ...ends];
  check(
    expected.every((what) => happened.has(what)),
    'everything happens',
    expected.filter((what) => !happened.has(what)),
  );
});
