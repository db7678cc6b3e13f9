import { afterEach, describe, expect, it } from 'vitest';
import { type Server, startServer } from '../e2e/support/server.ts';
import type { Connection } from '../src/client/index.ts';
import { Person } from './people.ts';
import { until } from './until.ts';

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const come = async (server: Server, name: string, hertz: number): Promise<Person> => {
  const person = await Person.signIn(server.url, name, hertz);
  cleanUps.push(() => person.close());
  return person;
};

/** The same connection, but that the server knows nothing of the media that was there before, as another node of a cluster does. */
const forgetful = (connection: Connection) => {
  const asked: string[] = [];
  const request: Connection['request'] = async (name, input) => {
    asked.push(name);
    const nothing = { transportIds: [], added: [], removed: [] };
    return name === 'media:sync' ? (nothing as never) : connection.request(name, input);
  };
  const there = new Proxy(connection, {
    get: (target, key) => {
      if (key === 'request') return request;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { there, count: (name: string): number => asked.filter((one) => one === name).length };
};

describe('media after a move to a node that knows nothing of it', { timeout: 60_000 }, () => {
  it('OP-2 RE-2 whoever listens hears on without a gap, and whoever speaks is heard again', async () => {
    const server = await startServer({ TRUSTED_PROXIES: '127.0.0.1' });
    cleanUps.push(() => server.stop());
    const ana = await come(server, 'Ana', 440);
    const bob = await come(server, 'Bob', 660);
    const { roomId } = await ana.api.createRoom({ title: 'Two people' });
    const speaking = forgetful(ana.connection);
    const listening = forgetful(bob.connection);
    const hosting = await ana.join(roomId, speaking.there);
    const room = await bob.join(roomId, listening.there);
    await hosting.openMicrophone();
    await until('Bob hears Ana', () => bob.hears(ana));
    expect(listening.count('media:listen')).toBe(0);

    let silent = 0;
    const watch = setInterval(() => {
      if (!bob.hears(ana)) silent += 1;
    }, 20);
    cleanUps.push(() => clearInterval(watch));
    bob.cable.cut();
    await until('Bob listens anew', () => listening.count('media:listen') === 1);
    await until('Bob is back', () => room.phase.phase === 'live');
    // The new transport takes its place within the time that it has to connect.
    await new Promise((resolve) => setTimeout(resolve, 3500));
    clearInterval(watch);
    expect(silent).toBe(0);
    expect(bob.hears(ana)).toBe(true);

    ana.cable.cut();
    await until('Ana sends anew', () => speaking.count('media:produce') === 2);
    await until('Bob hears Ana again', () => bob.hears(ana));
    expect(hosting.microphone).toMatchObject({ state: 'live', muted: false });
    await new Promise((resolve) => setTimeout(resolve, 3500));
    expect(bob.hears(ana)).toBe(true);
  });
});
