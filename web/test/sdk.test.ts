import { afterEach, describe, expect, it } from 'vitest';
import { type Server, startServer } from '../e2e/support/server.ts';
import { createConnection, type RoomSession } from '../src/client/index.ts';
import { Person } from './people.ts';
import { until } from './until.ts';

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const serve = async (env: Record<string, string> = {}): Promise<Server> => {
  const server = await startServer({ TRUSTED_PROXIES: '127.0.0.1', ...env });
  cleanUps.push(() => server.stop());
  return server;
};

const come = async (server: Server, name: string, hertz: number): Promise<Person> => {
  const person = await Person.signIn(server.url, name, hertz);
  cleanUps.push(() => person.close());
  return person;
};

type Meeting = {
  server: Server;
  ana: Person;
  bob: Person;
  roomId: string;
  hosting: RoomSession;
  listening: RoomSession;
};

/** Ana hosts and speaks, Bob listens and hears her. */
const meet = async (env: Record<string, string> = {}): Promise<Meeting> => {
  const server = await serve(env);
  const ana = await come(server, 'Ana', 440);
  const bob = await come(server, 'Bob', 660);
  const { roomId } = await ana.api.createRoom({ title: 'Two people' });
  const hosting = await ana.join(roomId);
  const listening = await bob.join(roomId);
  await hosting.openMicrophone();
  await until('Bob hears Ana', () => bob.hears(ana));
  return { server, ana, bob, roomId, hosting, listening };
};

const stateOf = (session: RoomSession, person: Person) =>
  session.view.stage.find(({ userId }) => userId === person.userId)?.microphone;

describe('the SDK against a real server', { timeout: 90_000 }, () => {
  it('WB-8 joins a room and hears it; HD-2 MO-1 RO-5 raises a hand, speaks, is muted, and goes back', async () => {
    const { ana, bob, hosting, listening } = await meet();
    await until('Bob is told who speaks', () => listening.speaking.has(ana.userId));
    expect(await listening.raiseHand()).toEqual({ position: 1 });
    await until('Ana sees the hand', () => hosting.view.staff?.hands.length === 1);
    await hosting.acceptHand();
    await until('Bob is on the stage', () => listening.view.self.role === 'speaker');
    await listening.openMicrophone();
    await until('Ana hears Bob', () => ana.hears(bob));

    await hosting.mute(bob.userId, { locked: true, reason: 'noise' });
    await until('Bob knows', () => listening.view.self.muted?.reason === 'noise');
    await until('Ana hears nothing', () => !ana.hearsAnything(bob));
    await expect(listening.setMuted(false)).rejects.toMatchObject({ code: 'muted_locked' });
    await hosting.mute(bob.userId, { locked: false });
    await until('the lock is lifted', () => listening.view.self.muted?.locked === false);
    await listening.setMuted(false);
    await until('Ana hears Bob again', () => ana.hears(bob));

    await hosting.demote(bob.userId, 'listener');
    await until('Bob listens', () => listening.view.self.role === 'listener' && listening.microphone.state === 'off');
    await until('Ana hears nothing', () => !ana.hearsAnything(bob));
    expect(bob.hears(ana)).toBe(true);
  });

  it('MO-2 a person who is removed learns by whom and why, and cannot join again', async () => {
    const { ana, bob, roomId, hosting, listening } = await meet();
    await hosting.kick(bob.userId, 'rude');
    await until('Bob is out', () => listening.phase.phase === 'removed');
    expect(listening.phase).toEqual({ phase: 'removed', banned: false, byName: 'Ana', reason: 'rude' });
    await until('Bob hears nothing', () => !bob.hearsAnything(ana));
    await expect(bob.join(roomId)).rejects.toMatchObject({ code: 'kicked' });
  });

  it('RE-2 a connection that breaks comes back to its seat, and audio is not interrupted', async () => {
    const { ana, bob, listening } = await meet();
    let silent = 0;
    const watch = setInterval(() => {
      if (!bob.hears(ana)) silent += 1;
    }, 50);
    cleanUps.push(() => clearInterval(watch));
    bob.cable.cut();
    await until('Bob notices', () => listening.phase.phase === 'reconnecting');
    await until('Bob is back', () => listening.phase.phase === 'live');
    await new Promise((resolve) => setTimeout(resolve, 500));
    clearInterval(watch);
    expect(silent).toBe(0);
  });

  it('RE-2 a seat that lapsed is taken anew', async () => {
    const { ana, bob, hosting, listening } = await meet({ LIMIT_SEAT_GRACE_MS: '1500' });
    bob.cable.become('refusing');
    bob.cable.cut();
    await until('Ana sees Bob leave', () => hosting.view.audience.count === 0);
    bob.cable.become('whole');
    await until('Bob is back', () => listening.phase.phase === 'live', 30_000);
    await until('Bob hears Ana', () => bob.hears(ana));
  });

  it('RE-6 a connection that dies without a word is noticed within 15 s', async () => {
    const { bob, listening } = await meet();
    bob.cable.become('black hole');
    await until('Bob notices', () => listening.phase.phase === 'reconnecting', 16_000);
    bob.cable.become('whole');
    bob.cable.cut();
    await until('Bob is back', () => listening.phase.phase === 'live', 30_000);
  });

  it('RE-1 RE-2 what is asked while the connection is away is done when it is back', async () => {
    const { bob, listening } = await meet();
    bob.cable.become('refusing');
    bob.cable.cut();
    await until('Bob notices', () => listening.phase.phase === 'reconnecting');
    const raised = listening.raiseHand();
    await new Promise((resolve) => setTimeout(resolve, 500));
    bob.cable.become('whole');
    expect(await raised).toEqual({ position: 1 });
    await until('the view has it', () => listening.view.self.handPosition === 1);
  });

  it('ID-5 another device takes the seat over, and the first is told', async () => {
    const { bob, roomId, listening } = await meet();
    const second = createConnection({ url: bob.cable.url, token: bob.token });
    cleanUps.push(() => second.close());
    const there = await bob.join(roomId, second);
    await until('the first is told', () => listening.phase.phase === 'elsewhere');
    expect(there.phase.phase).toBe('live');
  });

  it('MO-2 somebody who is removed while away learns it when they come back', async () => {
    const { bob, hosting, listening } = await meet();
    bob.cable.become('refusing');
    bob.cable.cut();
    await until('Bob notices', () => listening.phase.phase === 'reconnecting');
    await hosting.kick(bob.userId);
    bob.cable.become('whole');
    await until('Bob is out', () => listening.phase.phase === 'removed', 30_000);
  });

  it('RM-3 RM-8 changes and the end of a room reach everybody', async () => {
    const { hosting, listening } = await meet();
    await hosting.update({ title: 'Another title' });
    await until('Bob sees it', () => listening.view.info.title === 'Another title');
    await hosting.muteAll();
    expect(stateOf(hosting, { userId: hosting.view.self.userId } as Person)).toBe('open');
    await hosting.end();
    await until('Bob is told', () => listening.phase.phase === 'ended');
    expect(listening.phase).toMatchObject({ reason: 'host-ended' });
  });

  it('ID-4 a token is renewed before it expires, on the same connection', async () => {
    const server = await serve({ LIMIT_TOKEN_LIFETIME_MS: '60000', LIMIT_TOKEN_WARNING_MS: '58000' });
    const ana = await come(server, 'Ana', 440);
    const { roomId } = await ana.api.createRoom({ title: 'A room' });
    const renewed: string[] = [];
    const connection = createConnection({ url: server.url, token: ana.token, onToken: (token) => renewed.push(token) });
    cleanUps.push(() => connection.close());
    const session = await ana.join(roomId, connection);
    await until('the token is renewed', () => renewed.length > 0);
    expect(connection.status).toBe('online');
    expect(session.phase.phase).toBe('live');
  });
});
