import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ack } from '@rostrum/shared/protocol/common.ts';
import {
  type ClientToServerEvents,
  type CommandInput,
  type CommandName,
  type CommandOutput,
  type EventName,
  type EventPayload,
  protocolVersion,
  type ServerToClientEvents,
} from '@rostrum/shared/protocol/index.ts';
import type { SignedIn } from '@rostrum/shared/protocol/rest.ts';
import type { CreateRoom, RoomInfo, RoomView } from '@rostrum/shared/protocol/room.ts';
import { io, type Socket } from 'socket.io-client';
import { type App, startApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { createPino } from '../../src/runtime/logger.ts';
import { until } from '../media/harness.ts';
import { freePort } from './free-port.ts';

export type TestServer = {
  readonly app: App;
  readonly url: string;
  readonly dataDir: string;
  /** Stops the server and keeps its data, for another one to start on. */
  stop(): Promise<void>;
};

type ServerOptions = {
  readonly env?: Record<string, string>;
  readonly dataDir?: string;
  readonly pages?: string;
  readonly clock?: Clock;
};

/** A clock that stands still until it is put forward: deadlines of minutes come due without a wait. */
export type TestClock = Clock & { forward(ms: number): void };

export const testClock = (): TestClock => {
  let ahead = 0;
  const start = Date.now();
  return {
    now: () => start + ahead,
    forward: (ms) => {
      ahead += ms;
    },
  };
};

const opened: (() => Promise<unknown>)[] = [];

/** Stops every server that the test started and closes every socket; for `afterEach`. */
export const cleanUp = async (): Promise<void> => {
  for (const close of opened.splice(0).reverse()) await close();
};

/** A real server on free ports, which believes the test's forwarded addresses. */
export const startServer = async ({ env = {}, dataDir, pages, clock }: ServerOptions = {}): Promise<TestServer> => {
  const folder = dataDir ?? (await mkdtemp(join(tmpdir(), 'rostrum-test-')));
  if (dataDir === undefined) opened.push(() => rm(folder, { recursive: true, force: true }));
  const loaded = loadConfig({
    PORT: String(await freePort(1)),
    HOST: '127.0.0.1',
    MEDIA_PORT: String(await freePort(2)),
    MEDIA_ADDRESS: '127.0.0.1',
    WORKERS: '1',
    DATA_DIR: folder,
    LOG_LEVEL: 'warn',
    TRUSTED_PROXIES: '127.0.0.1',
    ...env,
  });
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  const { config } = loaded;
  const app = await startApp({
    config,
    logger: createPino(config.logLevel),
    ...(pages ? { pages } : {}),
    ...(clock ? { clock } : {}),
  });
  opened.push(() => app.close());
  return {
    app,
    url: `${config.tls ? 'https' : 'http'}://127.0.0.1:${app.port}`,
    dataDir: folder,
    stop: () => app.close(),
  };
};

let addresses = 0;

/** An address that no other test person has, from the block for documentation (RFC 5737). */
const newAddress = (): string => {
  addresses += 1;
  return `198.51.${100 + (addresses >> 8)}.${addresses & 255}`;
};

type ClientSocket = Socket<ServerToClientEvents, ClientToServerEvents>;

/** What HTTP answered. */
export type Answered = { readonly status: number; readonly body: unknown; readonly headers: Headers };

/** Somebody who uses the server, over HTTP and by sockets. */
export class TestPerson {
  readonly server: TestServer;
  readonly address: string;
  readonly cookie: string | undefined;
  readonly signedIn: SignedIn;

  constructor(server: TestServer, signedIn: SignedIn, from: { address: string; cookie: string | undefined }) {
    this.server = server;
    this.signedIn = signedIn;
    this.address = from.address;
    this.cookie = from.cookie;
  }

  get userId(): string {
    return this.signedIn.user.userId;
  }

  get token(): string {
    return this.signedIn.token;
  }

  async http(method: string, path: string, body?: unknown): Promise<Answered> {
    return request(this.server, { method, path, body, address: this.address, cookie: this.cookie, token: this.token });
  }

  async createRoom(input: Partial<CreateRoom> = {}): Promise<string> {
    const { status, body } = await this.http('POST', '/api/rooms', { title: 'A room', ...input });
    if (status !== 201) throw new Error(`no room: ${JSON.stringify(body)}`);
    return (body as RoomInfo).roomId;
  }

  /** Opens a socket and waits until the server has it. */
  async connect(options: { sessionId?: string; token?: string } = {}): Promise<TestSocket> {
    const socket = await openSocket(this, options);
    await socket.next('session:ready');
    return socket;
  }

  /** A socket that sits in the room already. */
  async enter(roomId: string): Promise<TestSocket & { readonly state: RoomView }> {
    const socket = await this.connect();
    const { state } = await socket.do('room:join', { roomId });
    return Object.assign(socket, { state });
  }
}

type Request = {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly address?: string;
  readonly cookie?: string | undefined;
  readonly token?: string | undefined;
  readonly headers?: Record<string, string>;
};

/** One HTTP request, with the answer's JSON. */
export const request = async (server: TestServer, options: Request): Promise<Answered> => {
  const { method, path, body, address = newAddress(), cookie, token, headers = {} } = options;
  const response = await fetch(server.url + path, {
    method,
    headers: {
      'x-forwarded-for': address,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(cookie ? { cookie } : {}),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return { status: response.status, body: isJson ? JSON.parse(text) : text, headers: response.headers };
};

/** Signs a guest in, from an address and a device of their own unless told otherwise. */
export const guest = async (
  server: TestServer,
  displayName: string,
  from: { address?: string; cookie?: string } = {},
): Promise<TestPerson> => {
  const address = from.address ?? newAddress();
  const answer = await request(server, {
    method: 'POST',
    path: '/api/auth/guest',
    body: { displayName },
    address,
    cookie: from.cookie,
  });
  if (answer.status !== 200) throw new Error(`no sign-in: ${JSON.stringify(answer.body)}`);
  const cookie = from.cookie ?? answer.headers.getSetCookie()[0]?.split(';')[0];
  return new TestPerson(server, answer.body as SignedIn, { address, cookie });
};

/** A socket that keeps what it is sent. */
export class TestSocket {
  readonly raw: ClientSocket;
  readonly received: { name: EventName; payload: unknown }[] = [];

  constructor(raw: ClientSocket) {
    this.raw = raw;
    raw.onAny((name: EventName, payload: unknown) => this.received.push({ name, payload }));
  }

  /** Sends a command and answers with its acknowledgement, whatever it is. */
  async ask<Name extends CommandName>(name: Name, input: CommandInput<Name>): Promise<Ack<CommandOutput<Name>>> {
    return this.send(name, input) as Promise<Ack<CommandOutput<Name>>>;
  }

  /** The same for what the types would not allow. */
  async send(name: string, ...input: unknown[]): Promise<Ack<unknown>> {
    const untyped: { timeout(ms: number): { emitWithAck(name: string, ...input: unknown[]): Promise<unknown> } } =
      this.raw;
    return (await untyped.timeout(5000).emitWithAck(name, ...input)) as Ack<unknown>;
  }

  /** Sends a command that must succeed. */
  async do<Name extends CommandName>(name: Name, input: CommandInput<Name>): Promise<CommandOutput<Name>> {
    const ack = await this.ask(name, input);
    if (!ack.ok) throw new Error(`${name}: ${ack.error.code} ${ack.error.path ?? ''}`);
    return ack.data;
  }

  /** The code of a command's refusal; `ok` for none. */
  async codeOf<Name extends CommandName>(name: Name, input: CommandInput<Name>): Promise<string> {
    const ack = await this.ask(name, input);
    return ack.ok ? 'ok' : ack.error.code;
  }

  all<Name extends EventName>(name: Name): EventPayload<Name>[] {
    return this.received.filter((event) => event.name === name).map((event) => event.payload as EventPayload<Name>);
  }

  /** The first event of this name that fits, also if it came before. */
  async next<Name extends EventName>(
    name: Name,
    fits: (payload: EventPayload<Name>) => boolean = () => true,
    withinMs = 5000,
  ): Promise<EventPayload<Name>> {
    return until(`event ${name}`, () => this.all(name).find(fits), withinMs);
  }

  /** Forgets what came so far. */
  forget(): void {
    this.received.length = 0;
  }

  close(): void {
    this.raw.disconnect();
  }
}

/** Opens a socket as this person; the handshake may still be refused: see `refusal`. */
export const openSocket = async (
  person: Pick<TestPerson, 'server' | 'token' | 'address' | 'cookie'>,
  auth: Record<string, unknown> = {},
): Promise<TestSocket> => {
  const raw: ClientSocket = io(person.server.url, {
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
    auth: { token: person.token, protocol: protocolVersion, ...auth },
    extraHeaders: { 'x-forwarded-for': person.address, ...(person.cookie ? { cookie: person.cookie } : {}) },
  });
  opened.push(async () => raw.disconnect());
  return new TestSocket(raw);
};

/** The code with which the handshake is refused. */
export const refusal = (socket: TestSocket): Promise<string> =>
  new Promise((resolve) => {
    socket.raw.on('connect', () => resolve('connected'));
    socket.raw.on('connect_error', (error: Error & { data?: { code?: string } }) =>
      resolve(error.data?.code ?? error.message),
    );
  });

/** Why the server closed the socket, once it has. */
export const closed = (socket: TestSocket): Promise<string> =>
  new Promise((resolve) => {
    if (!socket.raw.connected) resolve('closed');
    socket.raw.on('disconnect', (reason) => resolve(reason));
  });
