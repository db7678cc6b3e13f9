import type { CommandInput, CommandName, EventName } from '@rostrum/shared/protocol/index.ts';
import type { Participant, Role, RoomView } from '@rostrum/shared/protocol/room.ts';
import { isStaff, onStage } from '@rostrum/shared/room/permissions.ts';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { pause, until } from '../media/harness.ts';
import { Chance } from '../property/matching-simulation-chance.ts';
import { ClusterPerson, everybodyLeaves, openRoom } from '../support/cluster-person.ts';
import { Refused } from '../support/cluster-socket.ts';
import { viewEventOf } from '../support/cluster-view.ts';
import { type Cluster, startCluster, stopClusters } from '../support/nodes.ts';

const commandsInAll = 10_000;
/** How many commands of one person are on their way at a time. */
const atOnce = 3;
/** Longest pause between two commands of one hand, in milliseconds: who sees nothing of what happened would only be refused. */
const thinkingMs = 50;
/** Who acts, spread over the nodes; besides there are a host and two who only look on, one of them on each node. */
const actors = 12;
const seed = Number(process.env['CLUSTER_SEED'] ?? Math.floor(Math.random() * 1_000_000));

type Asked = { [Name in CommandName]: { readonly name: Name; readonly input: CommandInput<Name> } }[CommandName];

const listening = { 'hand-raise': 30, 'hand-lower': 6, 'speak-answer': 20, leave: 3 };
const speaking = { 'mute-toggle': 20, 'step-down': 6, leave: 2 };
const staff = {
  ...{ 'hand-accept': 12, 'hand-decline': 3, 'hand-to-front': 5, 'hand-allow': 4, 'invite-to-speak': 12 },
  ...{ promote: 12, demote: 12, mute: 6, 'mute-all': 1, kick: 3, unban: 8 },
};
const hosting = { ...staff, update: 8 };
const anything = { ...listening, ...speaking, ...hosting };

const nothing = Object.fromEntries(Object.keys(anything).map((name) => [name, 0])) as typeof anything;

/** Mostly what their role allows, now and then what it does not. */
const weightsOf = (role: Role): Readonly<Partial<Record<keyof typeof anything, number>>> => {
  switch (role) {
    case 'listener':
      return listening;
    case 'speaker':
      return speaking;
    case 'moderator':
      return { ...staff, ...speaking };
    case 'host':
      return hosting;
  }
};

/** Something that this person might do. */
const commandOf = (person: ClusterPerson, everybody: readonly ClusterPerson[], chance: Chance): Asked => {
  const { roomId } = person;
  const isYes = chance.is(0.5);
  const { userId } = chance.pick(everybody as [ClusterPerson, ...ClusterPerson[]]);
  const { stage, staff: seenByStaff } = person.view;
  /** Somebody of these, if there are any, who may be gone or changed by the time when it is done. */
  const oneOf = (people: readonly { readonly userId: string }[]) => ({
    roomId,
    userId: chance.is(0.8) ? (chance.shuffled(people)[0]?.userId ?? userId) : userId,
  });
  const about = { roomId, userId };
  const below = stage.filter(({ role }) => role === 'speaker' || (person.role === 'host' && role === 'moderator'));
  const hands = seenByStaff?.hands ?? [];
  switch (
    chance.weighted<keyof typeof anything>(chance.is(0.1) ? anything : { ...nothing, ...weightsOf(person.role) })
  ) {
    case 'hand-raise':
      return { name: 'room:hand-raise', input: { roomId } };
    case 'hand-lower':
      return { name: 'room:hand-lower', input: { roomId } };
    case 'hand-accept':
      return { name: 'room:hand-accept', input: isYes ? { roomId } : oneOf(hands) };
    case 'hand-decline':
      return { name: 'room:hand-decline', input: oneOf(hands) };
    case 'hand-to-front':
      return { name: 'room:hand-to-front', input: oneOf(hands) };
    case 'hand-allow':
      return { name: 'room:hand-allow', input: { ...about, allowed: chance.is(0.7) } };
    case 'invite-to-speak':
      return { name: 'room:invite-to-speak', input: about };
    case 'speak-answer':
      return { name: 'room:speak-answer', input: { roomId, accept: isYes } };
    case 'step-down':
      return { name: 'room:demote', input: { roomId, userId: person.userId, role: 'listener' } };
    case 'mute-toggle':
      return { name: 'room:mute-toggle', input: { roomId, muted: isYes } };
    case 'promote':
      return {
        name: 'room:promote',
        input: { ...oneOf(hands), role: person.role === 'host' && isYes ? 'moderator' : 'speaker' },
      };
    case 'demote':
      return { name: 'room:demote', input: { ...oneOf(below), role: chance.is(0.3) ? 'speaker' : 'listener' } };
    case 'mute':
      return { name: 'room:mute', input: { ...oneOf(below), locked: isYes } };
    case 'mute-all':
      return { name: 'room:mute-all', input: { roomId, locked: false } };
    case 'kick':
      return { name: 'room:kick', input: about };
    case 'unban':
      return { name: 'room:unban', input: about };
    case 'update':
      return {
        name: 'room:update',
        input: {
          roomId,
          changes: chance.is(0.6)
            ? { title: `Title ${chance.between(1, 999)}`, maxSpeakers: chance.between(3, 8) }
            : { privacy: { hideParticipants: isYes }, permissions: { anyoneCanSpeak: chance.is(0.2) } },
        },
      };
    case 'leave':
      return { name: 'room:leave', input: { roomId } };
  }
};

/** What must be the same for all, whatever order they were listed in. */
const shared = ({ info, stage, sequence }: RoomView) => ({ info, stage: byUser(stage), sequence: sequence.room });

const byUser = (people: readonly Participant[]): Participant[] =>
  people.toSorted((one, other) => (one.userId < other.userId ? -1 : 1));

/** Sequences of views that one does not see are nobody's business. */
const whole = (view: RoomView): unknown => ({
  ...view,
  stage: byUser(view.stage),
  // Where the audience is not listed its size is a number without a place in any sequence, and may be of a moment ago.
  audience: view.audience.members && { count: view.audience.count, members: byUser(view.audience.members) },
  sequence: {
    room: view.sequence.room,
    self: view.sequence.self,
    ...(onStage(view.self.role) ? { stage: view.sequence.stage } : {}),
    ...(isStaff(view.self.role) ? { staff: view.sequence.staff } : {}),
  },
});

describe('one room, many nodes that act on it', { timeout: 240_000 }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster();
  }, 90_000);
  afterEach(everybodyLeaves);
  afterAll(stopClusters);

  it(`RE-1 10,000 commands of many people on three nodes come to one order, equal for all (seed ${seed})`, async () => {
    const chance = new Chance(seed);
    const host = await ClusterPerson.arrive(cluster, 'Hanna', { at: 0, still: true });
    const roomId = await openRoom(host, { maxSpeakers: 6 });
    const enter = async (name: string, at: number): Promise<ClusterPerson> => {
      const person = await ClusterPerson.arrive(cluster, name, { at, still: true });
      await person.enter(roomId);
      return person;
    };
    const lookingOn = [await enter('Looks on at 1', 1), await enter('Looks on at 2', 2)];
    const people = await Promise.all(
      Array.from({ length: actors }, (_, index) => enter(`Person ${index}`, index % cluster.nodes.length)),
    );
    // An arrival that another node told of early would count as heard before, and be missed below.
    await settled([host, ...lookingOn, ...people]);
    // Every event of the view that all have, as each of those who stay all the time is sent it.
    const heard = [host, ...lookingOn].map((person) => roomSequence(person));

    const outcomes = new Map<string, number>();
    const count = (code: string) => outcomes.set(code, (outcomes.get(code) ?? 0) + 1);
    let left = commandsInAll;
    const come = (person: ClusterPerson): Promise<string> =>
      person.enter(roomId).then(
        () => 'joined',
        (error: unknown) => (error instanceof Refused ? error.code : String(error)),
      );
    const comeBack = async (person: ClusterPerson, comesAndGoes: boolean): Promise<void> => {
      if (comesAndGoes) {
        left -= 1;
        count(await come(person));
      }
      await pause(20);
    };
    const doSomething = async (person: ClusterPerson, comesAndGoes: boolean): Promise<void> => {
      const asked = commandOf(person, people, chance);
      // The room lives as long as its host.
      if (asked.name === 'room:leave' && (!comesAndGoes || person === host)) return;
      left -= 1;
      const outcome = await person.socket.ask(asked.name, asked.input as never);
      count(outcome.ok ? 'ok' : outcome.error.code);
      if (outcome.ok && asked.name === 'room:leave') person.wentOut();
      await pause(chance.between(0, thinkingMs));
    };
    // A person comes and goes by one hand, and does everything else by all.
    const act = async (person: ClusterPerson, comesAndGoes: boolean): Promise<void> => {
      while (left > 0)
        await (person.outBecause === undefined ? doSomething(person, comesAndGoes) : comeBack(person, comesAndGoes));
    };
    const started = performance.now();
    await Promise.all(
      [host, ...people].flatMap((person) => Array.from({ length: atOnce }, (_, hand) => act(person, hand === 0))),
    );
    const seconds = (performance.now() - started) / 1000;

    const told = `${JSON.stringify(Object.fromEntries(outcomes))} in ${seconds.toFixed(1)} s`;
    expect(outcomes.get('ok') ?? 0, told).toBeGreaterThan(commandsInAll / 5);
    for (const code of ['unanswered', 'internal', 'room_ended']) expect(outcomes.get(code) ?? 0, told).toBe(0);

    const inside = () => [host, ...lookingOn, ...people].filter(({ outBecause }) => outBecause === undefined);
    await settled(inside());
    await agree(inside(), roomId);
    // Each event once, and none missing, on every node.
    for (const sequences of heard) expect(holesIn(sequences())).toEqual([]);
    // Who comes to whichever node is shown the same.
    const newcomers = await Promise.all([0, 1, 2].map((at) => enter(`Newcomer at ${at}`, at)));
    await settled([...inside(), ...newcomers]);
    await agree([...inside(), ...newcomers], roomId);
  });
});

/** Notes the numbers of the view `room` from now on; answers with them when asked. */
const roomSequence = (person: ClusterPerson): (() => number[]) => {
  const numbers = [person.view.sequence.room];
  person.onEvent = (name: EventName, payload: unknown) => {
    const event = viewEventOf(name, payload);
    if (event?.payload.view === 'room') numbers.push(event.payload.sequence);
  };
  return () => numbers;
};

/** Numbers that are missing, or came twice. */
const holesIn = (numbers: readonly number[]): string[] => {
  const sorted = numbers.toSorted((one, other) => one - other);
  return sorted.slice(1).flatMap((number, index) => {
    const before = sorted[index] ?? number;
    return number === before + 1 ? [] : [`${before} then ${number}`];
  });
};

/** Nothing is on its way any more, and all have come equally far. */
const settled = (people: readonly ClusterPerson[]): Promise<unknown> =>
  until(
    'all views have come equally far',
    () => people.every(({ seen }) => seen.isWhole) && new Set(people.map(({ view }) => view.sequence.room)).size === 1,
    20_000,
  ).catch((error: unknown) => {
    const far = people.map(
      ({ name, view, seen }) => `${name}: ${view.sequence.room}${seen.isWhole ? '' : ', not whole'}`,
    );
    throw new Error(far.join('\n'), { cause: error });
  });

/** How many listen has no number, and is told again after a second where one was overtaken (RM-10). */
const agree = (people: readonly ClusterPerson[], roomId: string): Promise<void> =>
  vi.waitFor(() => compare(people, roomId), { timeout: 10_000, interval: 200 });

const compare = async (people: readonly ClusterPerson[], roomId: string): Promise<void> => {
  const [first, ...rest] = people;
  if (first === undefined) throw new Error('nobody is left');
  for (const person of rest) expect(shared(person.view), person.name).toEqual(shared(first.view));
  const staff = people.filter(({ role }) => isStaff(role));
  for (const person of staff) expect(person.view.staff, person.name).toEqual(staff[0]?.view.staff);
  // What each folded is what their node says, from what is kept.
  for (const person of people) {
    const { state } = await person.socket.do('room:sync', { roomId });
    expect(whole(person.view), person.name).toEqual(whole(state));
  }
  expect(people.map(({ userId }) => userId).toSorted()).toEqual(await insideBy(first, roomId));
};

/** Who is inside, by the pages of the list. */
const insideBy = async (host: ClusterPerson, roomId: string): Promise<string[]> => {
  const { body } = await host.person.http('GET', `/api/rooms/${roomId}/participants?limit=100`);
  return (body as { participants: Participant[] }).participants.map(({ userId }) => userId).toSorted();
};
