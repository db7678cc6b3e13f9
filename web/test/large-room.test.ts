import { afterEach, describe, expect, it } from 'vitest';
import { type Server, startServer } from '../e2e/support/server.ts';
import type { RoomSession } from '../src/client/index.ts';
import { Person } from './people.ts';
import { until } from './until.ts';
import { commandsOf, killWorker } from './workers.ts';

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const come = async (server: Server, name: string, hertz: number): Promise<Person> => {
  const person = await Person.signIn(server.url, name, hertz);
  cleanUps.push(() => person.close());
  return person;
};

type Meeting = {
  readonly server: Server;
  readonly ana: Person;
  readonly bob: Person;
  readonly chi: Person;
  readonly hosting: RoomSession;
  readonly listening: RoomSession;
};

/** Ana hosts and speaks; Bob and Chi listen, at a worker of their own: the room is split from the first listener on. */
const meet = async (): Promise<Meeting> => {
  const env = { TRUSTED_PROXIES: '127.0.0.1', WORKERS: '2', LIMIT_DIRECT_LISTENERS: '0' };
  const server = await startServer(env);
  cleanUps.push(() => server.stop());
  const ana = await come(server, 'Ana', 440);
  const bob = await come(server, 'Bob', 660);
  const chi = await come(server, 'Chi', 880);
  const { roomId } = await ana.api.createRoom({ title: 'Three people' });
  const hosting = await ana.join(roomId);
  await hosting.openMicrophone();
  const listening = await bob.join(roomId);
  await chi.join(roomId);
  for (const person of [bob, chi]) await until('Ana is heard', () => person.hears(ana));
  return { server, ana, bob, chi, hosting, listening };
};

/** How often one of these did not hear her, looked at every 20 ms from now on. */
const watchSilence = (people: readonly Person[], ana: Person): (() => number) => {
  let silent = 0;
  const watch = setInterval(() => {
    silent += people.filter((person) => !person.hears(ana)).length;
  }, 20);
  cleanUps.push(() => clearInterval(watch));
  return () => {
    clearInterval(watch);
    return silent;
  };
};

const countOf = async (server: Server, name: string): Promise<number> => (await commandsOf(server)).get(name) ?? 0;

describe('a room over two workers, in the SDK', { timeout: 90_000 }, () => {
  it('MD-1 WB-8 joins and hears with two requests', async () => {
    const { server, ana, hosting } = await meet();
    const dan = await come(server, 'Dan', 1000);
    await until('he is connected', () => dan.connection.status === 'online');
    const before = await commandsOf(server);
    await dan.join(hosting.roomId);
    await until('Dan hears Ana', () => dan.hears(ana));
    const asked = [...(await commandsOf(server))].filter(([name, count]) => count !== before.get(name));
    expect(asked).toEqual([
      ['room:join', (before.get('room:join') ?? 0) + 1],
      ['media:connect', (before.get('media:connect') ?? 0) + 1],
    ]);
  });

  it('RO-3 MD-2 a listener who is promoted hears on without a gap, and is heard', async () => {
    const { server, ana, bob, chi, hosting, listening } = await meet();
    const silence = watchSilence([bob], ana);
    const listened = await countOf(server, 'media:listen');
    await listening.raiseHand();
    await hosting.acceptHand(bob.userId);
    await until('Bob is on the stage', () => listening.view.self.role === 'speaker');
    await listening.openMicrophone();
    for (const person of [ana, chi]) await until('Bob is heard', () => person.hears(bob));
    await until('Bob listens at the stage', async () => (await countOf(server, 'media:listen')) === listened + 1);
    await listening.stepDown();
    await until('Bob listens in the audience', async () => (await countOf(server, 'media:listen')) === listened + 2);
    await until('Bob is heard no more', () => !ana.hearsAnything(bob));
    expect(silence()).toBe(0);
    expect(bob.hears(ana)).toBe(true);
  });

  it('MD-8 the worker of those who listen is killed: they hear again, and who speaks keeps the very microphone', async () => {
    const { server, ana, bob, chi, hosting } = await meet();
    const published = await countOf(server, 'media:produce');
    const listened = await countOf(server, 'media:listen');
    const told: string[] = [];
    hosting.on('microphone', ({ state }) => told.push(state));
    hosting.on('view', ({ stage }) => told.push(...stage.map(({ microphone }) => microphone)));
    await killWorker(server, 'most');
    await until('they listen anew', async () => (await countOf(server, 'media:listen')) === listened + 2);
    for (const person of [bob, chi]) await until('Ana is heard again', () => person.hears(ana));
    expect(hosting.microphone).toMatchObject({ state: 'live', muted: false });
    expect([told, await countOf(server, 'media:produce')]).toEqual([[], published]);
  });

  it('MD-8 the worker of the stage is killed: who spoke is heard again by themselves, and who listens keeps what they have', async () => {
    const { server, ana, bob, chi, hosting } = await meet();
    const published = await countOf(server, 'media:produce');
    const listened = await countOf(server, 'media:listen');
    await killWorker(server, 'fewest');
    await until('Ana sends anew', async () => (await countOf(server, 'media:produce')) === published + 1);
    for (const person of [bob, chi]) await until('Ana is heard again', () => person.hears(ana));
    await until('Ana is shown so', () => hosting.view.stage[0]?.microphone === 'open');
    expect(hosting.microphone).toMatchObject({ state: 'live', muted: false });
    // Ana alone listens anew.
    expect(await countOf(server, 'media:listen')).toBe(listened + 1);
  });
});
