import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SessionNodes, startSessionNodes } from '../../sfu/test/support/session-nodes.ts';
import { type Connection, type ConnectionOptions, createConnection } from '../src/client/index.ts';
import { until } from './until.ts';

const sessionId = 'S'.repeat(22);
const roomId = 'R'.repeat(22);

let there: SessionNodes;
let connection: Connection | undefined;

beforeEach(async () => {
  there = await startSessionNodes();
});

afterEach(async () => {
  connection?.close();
  await there.close();
});

/** A connection that stands at the first node, and everything that is told of it. */
const connected = async (options: Partial<ConnectionOptions> = {}) => {
  const told: string[] = [];
  connection = createConnection({ url: there.url, token: 'a.b.c', ...options });
  connection.on('status', (status) => told.push(status));
  connection.on('online', ({ resumed, moved }) =>
    told.push(`${resumed ? 'resumed' : 'begun'}${moved ? ' moved' : ''}`),
  );
  await until('the connection stands', () => told.includes('begun'));
  told.length = 0;
  return { connection, told };
};

const move = (): void => {
  there.goTo(1);
  there.nodes[0].say('session:closing', { code: 'moving' });
};

const ask = (from: Connection) => from.request('room:leave', { roomId });

describe('OP-2 a node that takes its leave', { timeout: 30_000 }, () => {
  it('OP-2 is left for another one under the same session, and nobody has to know', async () => {
    const [first, second] = there.nodes;
    const { connection: mine, told } = await connected();
    move();
    await until('it moved', () => told.length > 0);
    expect(told).toEqual(['resumed moved']);
    expect(second.sessions).toEqual([sessionId]);
    await until('the old socket is gone', () => first.sessions.length === 0);
    await ask(mine);
    expect([first.commands, second.commands]).toEqual([[], ['room:leave']]);
    expect(told).toEqual(['resumed moved']);
    expect(mine.status).toBe('online');
  });

  it('OP-2 what was asked of the old one is still answered, and what is asked meanwhile goes to the new one', async () => {
    const [first, second] = there.nodes;
    const { connection: mine, told } = await connected();
    first.silent = true;
    second.silent = true;
    const before = ask(mine);
    await until('the old one has it', () => first.commands.length === 1);
    move();
    await until('the new one is asked for', () => second.sessions.length === 1);
    const meanwhile = ask(mine);
    second.silent = false;
    second.answer();
    await until('it moved', () => told.length > 0);
    first.answer();
    await Promise.all([before, meanwhile]);
    expect([first.commands.length, second.commands.length]).toEqual([1, 1]);
  });

  it('OP-2 stays where it is while no other node takes it, and tries again', async () => {
    const [first, second] = there.nodes;
    const { connection: mine, told } = await connected();
    second.refuses = 'unavailable';
    move();
    await until('the new one was asked', () => second.refused > 0);
    await ask(mine);
    expect(first.commands).toEqual(['room:leave']);
    second.refuses = undefined;
    await until('it moved', () => told.length > 0);
    expect(told).toEqual(['resumed moved']);
  });

  it('OP-2 that closes the old socket before the new one stands goes unnoticed too', async () => {
    const [first, second] = there.nodes;
    const { connection: mine, told } = await connected();
    second.silent = true;
    move();
    await until('the new one is asked for', () => second.sessions.length === 1);
    // As the old node does when it hears that the session is at another one.
    first.say('session:closing', { code: 'replaced' });
    first.cut();
    await until('the old socket is gone', () => first.sessions.length === 0);
    second.silent = false;
    second.answer();
    await until('it moved', () => told.length > 0);
    expect(told).toEqual(['resumed moved']);
    expect(mine.status).toBe('online');
  });

  it('OP-2 RE-2 whose other node does not answer is said to be away, and come back to', async () => {
    const [first, second] = there.nodes;
    const { told } = await connected();
    second.silent = true;
    move();
    await until('the new one is asked for', () => second.sessions.length === 1);
    first.cut();
    await until('it is said', () => told.includes('reconnecting'));
    second.silent = false;
    second.answer();
    await until('it is back', () => told.includes('online'));
    expect(told).toEqual(['reconnecting', 'online', 'resumed']);
  });

  it('OP-2 that asks twice is left once, and one that is left already by the one after it', async () => {
    const [first, second] = there.nodes;
    const { told } = await connected();
    first.say('session:closing', { code: 'moving' });
    move();
    await until('it moved', () => told.length > 0);
    await until('the old socket is gone', () => first.sessions.length === 0);
    expect(second.sessions).toEqual([sessionId]);
    there.goTo(0);
    second.say('session:closing', { code: 'moving' });
    await until('it moved back', () => told.length > 1);
    expect(first.sessions).toEqual([sessionId]);
    expect(told).toEqual(['resumed moved', 'resumed moved']);
  });

  it('OP-2 RE-2 while the other node does not answer, what is asked goes over the old socket', async () => {
    const [first, second] = there.nodes;
    const { connection: mine, told } = await connected();
    second.silent = true;
    move();
    await until('the new one is asked for', () => second.sessions.length === 1);
    await ask(mine);
    expect([first.commands, second.commands]).toEqual([['room:leave'], []]);
    expect(told).toEqual([]);
    second.silent = false;
    second.answer();
    await until('it moved', () => told.length > 0);
    expect(told).toEqual(['resumed moved']);
  });

  it('ID-3 OP-2 whose socket breaks while a token is asked for opens one line, and not two that throw each other out', async () => {
    const [first, second] = there.nodes;
    const asked: ((token: string) => void)[] = [];
    let slow = false;
    const getToken = (): string | Promise<string> => {
      if (!slow) return 'a.b.c';
      return new Promise((resolve) => asked.push(resolve));
    };
    const { connection: mine, told } = await connected({ getToken });
    slow = true;
    move();
    await until('a token is asked for', () => asked.length === 1);
    first.cut();
    await until('it is said', () => told.includes('reconnecting'));
    // Longer than the back-off after a first loss.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(asked).toHaveLength(1);
    for (const give of asked) give('a.b.c');
    await until('it is back', () => told.includes('resumed'));
    expect(second.sessions).toEqual([sessionId]);
    expect(mine.status).toBe('online');
  });

  it('ID-5 the page is still told when somebody else takes the session', async () => {
    const { connection: mine } = await connected();
    there.nodes[0].say('session:closing', { code: 'replaced' });
    await until('it is closed', () => mine.status === 'closed');
    expect(mine.closeReason).toBe('replaced');
  });

  it('MD-3 says that it comes back where its connection broke, and not where it was told to go', async () => {
    const [first, second] = there.nodes;
    const { told } = await connected();
    expect(first.back).toBeUndefined();
    first.cut();
    await until('it is back', () => told.includes('resumed'));
    expect(first.back).toBe('1');
    move();
    await until('it moved', () => told.includes('resumed moved'));
    expect(second.back).toBeUndefined();
  });

  it('gives the room as a hint with every socket', async () => {
    const [first, second] = there.nodes;
    let near: string | undefined = roomId;
    const { told } = await connected({ nearRoom: () => near });
    expect(first.room).toBe(roomId);
    near = undefined;
    second.room = 'none yet';
    move();
    await until('it moved', () => told.length > 0);
    expect(second.room).toBeUndefined();
  });
});
