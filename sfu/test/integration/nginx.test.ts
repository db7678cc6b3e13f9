import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as ask, createServer, type IncomingMessage } from 'node:http';
import { get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorTable } from '@rostrum/shared/errors.ts';
import { sizes } from '@rostrum/shared/limits.ts';
import { protocolVersion } from '@rostrum/shared/protocol/index.ts';
import { Server } from 'socket.io';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { afterEach, describe, expect, it } from 'vitest';
import { turnAway } from '../../src/gateway/turn-away.ts';
import { until } from '../media/harness.ts';
import { freePort } from '../support/free-port.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { cleanUp, guest, startServer, type TestServer } from '../support/server.ts';

const cleanUps: (() => unknown)[] = [];
const sockets: Socket[] = [];
let nginx: Nginx;

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.disconnect();
  for (const undo of cleanUps.splice(0).reverse()) await undo();
  await cleanUp();
});

/** Two real servers behind a real nginx; `more` are ports of other nodes. */
const serve = async (
  more: readonly number[] = [],
  env: Record<string, string> = {},
): Promise<[TestServer, TestServer]> => {
  const pages = await mkdtemp(join(tmpdir(), 'rostrum-pages-'));
  cleanUps.push(() => rm(pages, { recursive: true, force: true }));
  await writeFile(join(pages, 'index.html'), '<title>Rostrum</title>');
  const [first, second] = [await startServer({ pages, env }), await startServer({ pages, env })];
  const started = await startNginx([...more, first.app.port, second.app.port]);
  cleanUps.push(started.stop);
  nginx = started;
  return [first, second];
};

/** The nodes that sockets came to, in order, as nginx tells; a socket is told of when it ends. */
const nginxNodes = async (): Promise<(string | undefined)[]> => {
  const socketLine = /"GET \/socket\.io\/" 101 .* (\S+)$/gm;
  return [...(await nginx.accessLog()).matchAll(socketLine)].map(([, node]) => node);
};

type Asked = {
  readonly method?: string;
  readonly path: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
  /** The address that it comes from. */
  readonly from?: string;
};

/** One request to nginx, from an address of this machine's choice. */
const fetchFrom = async ({ method = 'GET', path, body, headers = {}, from = '127.0.0.1' }: Asked) => {
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const request = ask(nginx.url + path, { method, localAddress: from, headers: { ...type, ...headers } });
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode, text, headers: response.headers };
};

const signIn = (from: string, headers: Record<string, string> = {}) =>
  fetchFrom({ method: 'POST', path: '/api/auth/guest', body: JSON.stringify({ displayName: 'Ana' }), from, headers });

type Options = Partial<ManagerOptions & SocketOptions>;

/** A socket through nginx, once its session stands. */
const connect = async (server: TestServer, options: Options = {}, url = nginx.url): Promise<Socket> => {
  const person = await guest(server, 'Bob');
  const socket = io(url, {
    reconnection: false,
    forceNew: true,
    transports: ['websocket'],
    auth: { token: person.token, protocol: protocolVersion },
    ...options,
  });
  sockets.push(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('session:ready', () => resolve());
    socket.once('connect_error', reject);
    socket.once('disconnect', reject);
  });
  return socket;
};

const watch = async (socket: Socket): Promise<unknown> =>
  socket.timeout(5000).emitWithAck('random:watch', { watching: true });

const mostHints = 200;

/**
 * A socket that came to this server: the two know each other's people only in a cluster, so room after room is given as a hint
 * until one leads there, and `begin` and `fits` agree to the way that it took.
 */
const lead = async (
  server: TestServer,
  options: Options,
  { begin = () => undefined, fits = () => true }: { begin?: () => void; fits?: () => boolean } = {},
): Promise<Socket> => {
  for (let hint = 0; hint < mostHints; hint += 1) {
    begin();
    const query = { room: String(hint).padStart(22, 'R') };
    const socket = await connect(server, { ...options, query }).catch(() => undefined);
    if (socket !== undefined && fits()) return socket;
  }
  throw new Error('no hint leads there');
};

describe('OP-8 nginx in front, as it is given to operators', { timeout: 60_000 }, () => {
  it('serves the page and the API, over TLS too', async () => {
    await serve();
    expect((await fetchFrom({ path: '/', headers: { accept: 'text/html' } })).text).toContain('<title>Rostrum</title>');
    const signedIn = await signIn('127.0.0.1');
    expect(signedIn.status).toBe(200);
    expect(JSON.parse(signedIn.text)).toMatchObject({ user: { displayName: 'Ana' } });
    expect((await fetchFrom({ path: '/healthz' })).text).toBe('{"status":"ok"}');
    const secured = get(`${nginx.secureUrl}/healthz`, { rejectUnauthorized: false });
    const [secure] = (await once(secured, 'response')) as [IncomingMessage];
    expect([secure.statusCode, secure.headers['strict-transport-security']]).toEqual([200, 'max-age=31536000']);
    secure.resume();
  });

  it('lets WebSocket through, and polling where that is blocked, every request of it to one node', async () => {
    const [server] = await serve();
    for (const transport of ['websocket', 'polling']) {
      const socket = await lead(server, { transports: [transport], upgrade: false });
      expect(await watch(socket)).toMatchObject({ ok: true });
      expect(await watch(socket)).toMatchObject({ ok: true });
      expect(socket.io.engine.transport.name).toBe(transport);
    }
  });

  it('brings the sockets of one room to one node, and those of many rooms to all', async () => {
    const [server] = await serve();
    const rooms = ['Tea', 'Tea', 'Tea', ...Array.from({ length: 12 }, (_, index) => `Room${index}`)];
    for (const name of rooms) {
      const query = { room: name.padEnd(22, '-') };
      // That it was asked is what counts: only one of the two knows this person.
      await connect(server, { query }).catch(() => undefined);
    }
    for (const socket of sockets.splice(0)) socket.disconnect();
    await until('all are in the log', async () => (await nginxNodes()).length === rooms.length);
    const nodes = await nginxNodes();
    expect(new Set(nodes.slice(0, 3)).size).toBe(1);
    expect(new Set(nodes).size).toBe(2);
  });

  it('OP-2 goes on to the next node where one takes nobody, by WebSocket and by polling', async () => {
    // A node that drains: it is asked, and says no.
    const draining = createServer().listen(0, '127.0.0.1');
    await once(draining, 'listening');
    const engine = new Server(draining);
    cleanUps.push(() => engine.close());
    let asked: string[] = [];
    engine.engine.use((request: IncomingMessage, _: unknown, next: () => void) => {
      asked.push(request.url ?? '');
      next();
    });
    turnAway(engine, () => false);
    const { port } = draining.address() as AddressInfo;
    const [server] = await serve([port]);
    const way = {
      begin: () => {
        asked = [];
      },
      fits: () => asked.length > 0,
    };
    for (const transport of ['websocket', 'polling']) {
      const socket = await lead(server, { transports: [transport], upgrade: false }, way);
      expect(await watch(socket)).toMatchObject({ ok: true });
    }
    expect(asked.some((url) => url.includes('sid='))).toBe(true);
  });

  it('RE-3 goes on to the next node where one is gone, and sends nothing twice', async () => {
    const gone = await freePort();
    await serve([gone, gone]);
    const answers = await Promise.all(Array.from({ length: 12 }, () => signIn('127.0.0.1')));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));

    const asked: string[] = [];
    const broken = createServer((request) => {
      asked.push(`${request.method}`);
      request.socket.destroy();
    }).listen(gone, '127.0.0.1');
    await once(broken, 'listening');
    cleanUps.push(() => broken.close());
    const breaking = await startNginx([gone]);
    cleanUps.push(breaking.stop);
    nginx = breaking;
    expect((await signIn('127.0.0.1')).status).toBe(502);
    expect(asked).toEqual(['POST']);
  });

  it('SE-2 OP-8 tells the nodes who asks, and lets nobody say otherwise', async () => {
    await serve([], { LIMIT_GUESTS_PER_ADDRESS_HOUR: '1' });
    // Each of the two nodes counts for itself.
    const statuses: (number | undefined)[] = [];
    for (let count = 0; count < 3; count += 1) {
      const forged = { 'x-forwarded-for': `203.0.113.${count}`, forwarded: `for=203.0.113.${count}` };
      statuses.push((await signIn('127.0.0.2', forged)).status);
    }
    expect(statuses.at(-1)).toBe(429);
    expect((await signIn('127.0.0.3')).status).toBe(200);
  });

  it('SE-1 refuses what is too large before a node sees it, and no less than the nodes take', async () => {
    await serve();
    const post = (path: string, size: number) =>
      fetchFrom({ method: 'POST', path, body: JSON.stringify({ displayName: 'x'.repeat(size) }) });
    const refused = await post('/api/auth/guest', sizes.httpBody);
    expect(refused.status).toBe(413);
    const { message } = errorTable.too_large;
    expect(JSON.parse(refused.text)).toEqual({ error: { code: 'too_large', message } });
    expect((await post('/api/auth/guest', sizes.httpBody - 100)).status).toBe(400);
    expect((await post('/socket.io/?EIO=4&transport=polling&sid=x', sizes.message)).status).toBe(413);
    expect((await post('/socket.io/?EIO=4&transport=polling&sid=x', sizes.message - 100)).status).not.toBe(413);
  });

  it('OP-1 keeps figures and the state of a node to the operator', async () => {
    const [server] = await serve();
    expect((await fetch(`${server.url}/metrics`)).status).toBe(200);
    for (const path of ['/metrics', '/readyz', '/metrics?x', '//metrics', '/%6Detrics', '/./metrics'])
      expect([path, (await fetchFrom({ path })).status]).toEqual([path, 404]);
    const log = await nginx.accessLog();
    expect(log).toContain('"GET /metrics" 404');
    expect(log).not.toContain('?');
  });
});
