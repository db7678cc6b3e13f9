import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../media/harness.ts';
import { freePort } from '../support/free-port.ts';
import { cleanUp, guest, type TestServer } from '../support/server.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  await cleanUp();
  for (const undo of cleanUps.splice(0).reverse()) await undo();
});

type Running = {
  readonly server: Pick<TestServer, 'url'> & TestServer;
  readonly child: ChildProcess;
  output(): string;
};

/** The server in a process of its own, as a signal finds it. */
const start = async (dataDir: string, { detached = false } = {}): Promise<Running> => {
  const port = await freePort(1);
  const child = spawn(process.execPath, [main], {
    env: {
      ...process.env,
      PORT: String(port),
      HOST: '127.0.0.1',
      MEDIA_PORT: String(await freePort(1)),
      MEDIA_ADDRESS: '127.0.0.1',
      WORKERS: '1',
      DATA_DIR: dataDir,
      LOG_LEVEL: 'warn',
      TRUSTED_PROXIES: '127.0.0.1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached,
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  cleanUps.push(() => child.exitCode === null && child.signalCode === null && child.kill('SIGKILL'));
  await until('the server is up', () => text.includes('Rostrum is at'));
  const server = { url: `http://127.0.0.1:${port}`, dataDir, stop: async () => undefined } as unknown as TestServer;
  return { server, child, output: () => text };
};

const folder = async (): Promise<string> => {
  const made = await mkdtemp(join(tmpdir(), 'rostrum-fault-'));
  cleanUps.push(() => rm(made, { recursive: true, force: true }));
  return made;
};

/** Processes that this one started, and that are still there. */
const childrenOf = async (pid: number | undefined): Promise<number[]> => {
  const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    all.map(async (name) => {
      const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
      // proc(5): the parent is the second field after the name, which stands in brackets.
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] === String(pid) ? Number(name) : undefined;
    }),
  );
  return found.filter((child) => child !== undefined);
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('the process of the server', { timeout: 60_000 }, () => {
  it('RM-3 a stop signal ends rooms in order, tells everybody why, and leaves no process behind', async () => {
    const { server, child, output } = await start(await folder());
    const host = await guest(server, 'Hanna');
    const roomId = await host.createRoom();
    const socket = await host.enter(roomId);
    await socket.do('media:listen', { roomId });
    const workers = await childrenOf(child.pid);
    expect(workers).toHaveLength(1);
    const exited = once(child, 'exit');
    // Twice, as one Ctrl-C under npm arrives.
    child.kill('SIGINT');
    child.kill('SIGINT');
    expect(await socket.next('room:ended')).toEqual({ roomId, reason: 'server-stopped' });
    expect(await socket.next('session:closing')).toEqual({ code: 'stopping' });
    expect(await exited).toEqual([0, null]);
    expect(workers.filter(isAlive)).toEqual([]);
    expect(output()).not.toMatch(/"level":(50|60)/);
  });

  it('OP-2 a stop signal to the whole process group reaches the server alone, which closes its workers itself', async () => {
    // Detached, so that it leads a process group of its own, as in a terminal or under a supervisor.
    const { server, child, output } = await start(await folder(), { detached: true });
    const host = await guest(server, 'Hanna');
    const roomId = await host.createRoom();
    const socket = await host.enter(roomId);
    await socket.do('media:listen', { roomId });
    const workers = await childrenOf(child.pid);
    expect(workers).toHaveLength(1);
    const exited = once(child, 'exit');
    process.kill(-(child.pid ?? 0), 'SIGTERM');
    expect(await socket.next('room:ended')).toEqual({ roomId, reason: 'server-stopped' });
    // A worker that the signal had reached would be gone by then, and its room would have been told.
    expect(socket.all('media:lost')).toEqual([]);
    expect(await exited).toEqual([0, null]);
    expect(workers.filter(isAlive)).toEqual([]);
    expect(output()).not.toMatch(/"level":(50|60)|died/);
  });

  it('MO-2 MO-4 kill -9: workers go with the server, and what was recorded holds at the next start', async () => {
    const dataDir = await folder();
    const first = await start(dataDir);
    const host = await guest(first.server, 'Hanna');
    const ana = await guest(first.server, 'Ana');
    const roomId = await host.createRoom();
    const hostSocket = await host.enter(roomId);
    await ana.enter(roomId);
    await hostSocket.do('media:listen', { roomId });
    await hostSocket.do('room:ban', { roomId, userId: ana.userId, reason: 'threats' });
    const workers = await childrenOf(first.child.pid);
    const exited = once(first.child, 'exit');
    first.child.kill('SIGKILL');
    await exited;
    await until('the workers noticed', () => workers.every((pid) => !isAlive(pid)));

    const second = await start(dataDir);
    const again = Object.assign(Object.create(host), { server: second.server }) as typeof host;
    const anaAgain = Object.assign(Object.create(ana), { server: second.server }) as typeof ana;
    expect(await (await again.connect()).codeOf('room:join', { roomId })).toBe('room_ended');
    expect((await again.http('GET', `/api/rooms/${roomId}/moderation`)).body).toMatchObject({
      entries: [{ act: 'ban', displayName: 'Ana', reason: 'threats' }],
    });
    const next = await again.createRoom({ title: 'The next one' });
    expect(await (await anaAgain.connect()).codeOf('room:join', { roomId: next })).toBe('banned');
  });

  it('says in words when a port is taken', async () => {
    const { server } = await start(await folder());
    const child = spawn(process.execPath, [main], {
      env: {
        ...process.env,
        PORT: new URL(server.url).port,
        HOST: '127.0.0.1',
        MEDIA_PORT: String(await freePort(1)),
        MEDIA_ADDRESS: '127.0.0.1',
        WORKERS: '1',
        DATA_DIR: await folder(),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
    expect(await once(child, 'exit')).toEqual([1, null]);
    expect(text).toContain('A port is taken');
  });
});
