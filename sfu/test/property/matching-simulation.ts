import { setImmediate as turn } from 'node:timers/promises';
import type { Limits } from '@rostrum/shared/limits.ts';
import { callModes } from '@rostrum/shared/protocol/call.ts';
import { Person } from './matching-simulation-person.ts';
import { start, type UseCases, World } from './matching-simulation-world.ts';

export type Scenario = {
  readonly seed: number;
  readonly people: number;
  /** Milliseconds in which they arrive; a tenth of them in as long again, one by one. */
  readonly arriveWithinMs: number;
  readonly limits?: Partial<Limits>;
  /** The share of pairs who find a way to each other; 0.9 unless said otherwise. */
  readonly connectShare?: number;
  /** Nodes that share the store, and everything that is told. */
  readonly nodes?: number;
};

type Nodes = readonly [UseCases, ...UseCases[]];

/** How often each thing happened. */
export type Happened = ReadonlyMap<string, number>;

/** Looks at the deadlines until none is due (RE-5: at most so often). */
const mostLooks = 100;
/** By then everybody is gone and everything is over, in milliseconds after the last one came. */
const mostTimeMs = 20 * 60 * 1000;
/** Each so many steps, all that there is is compared. */
const thoroughEach = 50;

/**
 * Lets people come, search, talk, skip, end, block, leave and crash, as the seed says, and looks after every moment whether
 * everything is as it must be. Rejects with what is not. Answers with how often each thing happened.
 */
export const simulate = async (scenario: Scenario): Promise<Happened> => {
  const world = new World({ limits: {}, connectShare: 0.9, mostTurns: 5, ...scenario });
  const nodes: [UseCases, ...UseCases[]] = [await world.compose()];
  while (nodes.length < (scenario.nodes ?? 1)) nodes.push(await world.compose());
  const people = await populate(world, nodes, scenario);
  const closesAt = start + 2 * scenario.arriveWithinMs;
  try {
    for (let step = 0; ; step += 1) {
      world.clock.at += world.chance.between(20, 200);
      if (world.clock.at > closesAt) for (const person of people) person.tire();
      const isOver = await takeStep(world, nodes, people);
      await inspect(world, people, isOver || step % thoroughEach === 0);
      if (isOver) break;
      if (world.clock.at > closesAt + mostTimeMs) throw new Error('it does not come to an end');
    }
    await inspectEnd(world);
    return new Map([...world.noted, ...world.oracle.counted]);
  } finally {
    await world.records.close();
  }
};

const populate = async (world: World, nodes: Nodes, { people, arriveWithinMs }: Scenario): Promise<Person[]> => {
  const { chance, records, limits } = world;
  const all: Person[] = [];
  for (let index = 0; index < people; index += 1) {
    const arrivesAt = start + chance.between(0, arriveWithinMs) + (chance.is(0.1) ? arriveWithinMs : 0);
    const person = new Person(world, nodes, { name: `Person ${index}`, arrivesAt });
    all.push(person);
    const { userId, displayName } = person;
    void records.users.put({ userId, displayName, kind: 'guest', createdAt: start, lastSeenAt: start });
  }
  await Promise.all(
    all.map(({ userId }) => nodes[0].consents.give(userId, { houseRules: true, minimumAge: limits.minimumAge })),
  );
  return all;
};

/** What people do in one moment, and what is due in it, all at once. Answers whether it is all over. */
const takeStep = async (world: World, nodes: Nodes, people: readonly Person[]): Promise<boolean> => {
  const { chance, clock, store, oracle } = world;
  const acting = people.filter(({ state, nextAt }) => state !== 'gone' && nextAt <= clock.now());
  const look = () => nodes.map(({ deadlines }) => deadlines.run());
  const count = nodes.filter(() => chance.is(0.05)).map(({ ticker }) => ticker.tick());
  await Promise.all([...chance.shuffled(acting).map((person) => person.act()), ...look(), ...count]);
  for (let looks = 0; ; looks += 1) {
    const due = await store.due(clock.now(), 10);
    if (due.length === 0) break;
    oracle.check(looks < mostLooks, 'deadlines that are due do not go', () => [due, world.logged.slice(0, 3)]);
    if (looks === mostLooks) return false;
    await Promise.all(look());
  }
  // The records write in a turn of their own what was noted in this one.
  await turn();
  if (people.some(({ state }) => state !== 'gone')) return false;
  return (await store.due(Number.MAX_SAFE_INTEGER, 1)).length === 0;
};

/** What must hold whenever nothing runs. */
const inspect = async (world: World, people: readonly Person[], thorough: boolean): Promise<void> => {
  const { oracle, clock } = world;
  oracle.quiet();
  for (const person of people) if (person.state === 'here') inspectView(world, person);
  if (thorough) await inspectStore(world, people);
  for (const line of world.logged.splice(0))
    oracle.check(line.includes('"alert":"random-success"'), 'something was logged', () => line);
  const [broken] = oracle.broken;
  if (broken !== undefined) throw new Error(`${clock.now() - start} ms after the beginning: ${broken}`);
};

/** RQ-5: where somebody believes to be, by what they were told, is where they are. */
const inspectView = ({ oracle }: World, { userId, displayName, device }: Person): void => {
  const { view, sessionId } = device;
  const callId = oracle.callWith(userId);
  const side = callId === undefined ? undefined : oracle.calls.get(callId)?.sides.find((it) => it.userId === userId);
  const ticket = oracle.tickets.get(userId);
  const holds = {
    idle: !side && !ticket,
    queue: ticket?.seeker.sessionId === sessionId,
    call: view.at === 'call' && view.callId === callId && side?.sessionId === sessionId,
  };
  oracle.check(holds[view.at], 'RQ-5: somebody is not where they believe to be', () => ({
    displayName,
    userId,
    device,
    ticket,
    callId,
    side,
  }));
};

/** RQ-5: the store says of everybody what is true, and forgets nobody: whatever is there has a time at which it ends. */
const inspectStore = async ({ store, oracle }: World, people: readonly Person[]): Promise<void> => {
  for (const { userId, displayName } of people) {
    const place = await store.placeOf(userId);
    const callId = oracle.callWith(userId);
    const ticketId = oracle.tickets.get(userId)?.ticketId;
    const rights = {
      nowhere: callId === undefined && ticketId === undefined,
      queue: place.at === 'queue' && place.ticketId === ticketId,
      call: place.at === 'call' && place.callId === callId,
    };
    oracle.check(rights[place.at], 'RQ-5: the store has lost somebody', () => ({
      displayName,
      place,
      callId,
      ticketId,
    }));
  }
  const waiting = (await Promise.all(callModes.map((mode) => store.waiting(mode, { most: 10_000 })))).flat();
  const present = [...oracle.tickets.values()].filter(({ awaySince }) => awaySince === null);
  oracle.check(waiting.length === present.length, 'RQ-5: the queue has lost somebody', () => ({ waiting, present }));
  const due = await store.due(Number.MAX_SAFE_INTEGER, 100_000);
  const ending = new Set(due.map((it) => (it.of === 'ticket' ? it.ticketId : it.callId)));
  for (const { ticketId } of oracle.tickets.values())
    oracle.check(ending.has(ticketId), 'a place in the queue never ends', () => ticketId);
  for (const callId of oracle.calls.keys()) oracle.check(ending.has(callId), 'a call never ends', () => callId);
};

/** When everybody is gone: nothing is left, and each call is kept with its end. */
const inspectEnd = async ({ store, records, clock }: World): Promise<void> => {
  // The begin of a call, and its end after it.
  await turn();
  await turn();
  const counts = await store.counts();
  const due = await store.due(Number.MAX_SAFE_INTEGER, 10);
  const unended = await records.calls.endAll(clock.now(), 'operator');
  if (counts.waiting + counts.calls + due.length + unended > 0)
    throw new Error(`something is left: ${JSON.stringify({ counts, due, unended })}`);
};
