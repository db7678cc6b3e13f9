import type { Ack } from '@rostrum/shared/protocol/common.ts';
import type {
  CommandInput,
  CommandName,
  CommandOutput,
  EventName,
  EventPayload,
} from '@rostrum/shared/protocol/index.ts';
import { io, type Socket } from 'socket.io-client';
import { createApi } from './api.ts';
import { backoffMs, connectionBackoff } from './backoff.ts';
import { Emitter } from './emitter.ts';
import { codeOf, fromWire, unanswered, unreachable, waitOf } from './errors.ts';
import { handshakeOf, refusalOf } from './handshake.ts';
import { watchNetwork } from './network.ts';
import { keepTrying } from './retry.ts';
import { type SessionStorage, SessionStore } from './session-store.ts';
import { Timers } from './timers.ts';
import { type TokenOptions, TokenSource } from './token-source.ts';
import type { CloseReason, Connection, ConnectionStatus, Subscribe } from './types.ts';

export type ConnectionOptions = TokenOptions & {
  /** Where the server is, such as `https://rooms.example`. By default where the page came from. */
  readonly url?: string;
  /** Where the session's id is kept, so that a refreshed page finds its seat again; `sessionStorage` in a page. */
  readonly storage?: SessionStorage;
};

type ServerEvents = { [Name in EventName]: EventPayload<Name> };
type Events = { status: ConnectionStatus; online: { resumed: boolean } };

/** From sending a command (or wanting to) to its acknowledgement. */
const requestMs = 10_000;
/** From opening a socket to `session:ready`. */
const handshakeMs = 10_000;
/** A connection that lasted this long was a good one: the next loss starts the back-off anew. */
const stableMs = 10_000;
/** Requests that wait for the connection to come back (RE-5); the server takes 32 of one socket at a time. */
const waitingMax = 24;
/** Attempts to renew a token, from the warning 60 s before it expires (ID-4). */
const renewals = 6;

/**
 * Opens a connection and keeps it open (see `Connection`). It connects at once; commands sent meanwhile wait for it.
 * @throws TypeError without `token` and `getToken`
 */
export const createConnection = (options: ConnectionOptions): Connection => new SocketConnection(options);

class SocketConnection implements Connection {
  readonly #socket: Socket;
  readonly #tokens: TokenSource;
  readonly #store: SessionStore;
  readonly #server = new Emitter<ServerEvents>();
  readonly #events = new Emitter<Events>();
  readonly #timers = new Timers();
  readonly #waiting = new Set<{ readonly go: () => void; readonly fail: (error: Error) => void }>();
  readonly #unwatch: () => void;
  readonly on: Subscribe<Events> = this.#events.on;
  #status: ConnectionStatus = 'connecting';
  #closeReason: CloseReason | undefined;
  #userId: string | undefined;
  #attempt = 0;
  /** Between two attempts: ends the wait for the next one. */
  #cancelRetry: (() => void) | undefined;
  #cancelStable: () => void = () => undefined;
  #cancelHandshake: () => void = () => undefined;
  #token = '';
  /** The token that the server refused last: the same one is not worth another attempt. */
  #refusedToken: string | undefined;
  /** The server said that it closes this socket because the token is not valid any more. */
  #expired = false;

  constructor(options: ConnectionOptions) {
    this.#tokens = new TokenSource(options, createApi({ url: options.url }).refresh);
    this.#store = new SessionStore(options.storage);
    this.#socket = openSocket(options.url);
    this.#listen();
    this.#unwatch = watchNetwork(() => this.#networkChanged());
    void this.#connect();
  }

  get status(): ConnectionStatus {
    return this.#status;
  }

  get userId(): string | undefined {
    return this.#userId;
  }

  get closeReason(): CloseReason | undefined {
    return this.#closeReason;
  }

  request<Name extends CommandName>(name: Name, input: CommandInput<Name>): Promise<CommandOutput<Name>> {
    // Without an `await` before it, so that what is asked first is also sent first.
    if (this.#status === 'online') return this.#send(name, input, requestMs);
    const start = performance.now();
    return this.#online().then(() => this.#send(name, input, Math.max(1, requestMs - (performance.now() - start))));
  }

  onEvent<Name extends EventName>(name: Name, listener: (payload: EventPayload<Name>) => void): () => void {
    return this.#server.on(name, listener);
  }

  close(): void {
    this.#closeFor('by-client');
  }

  #send<Name extends CommandName>(name: Name, input: CommandInput<Name>, ms: number): Promise<CommandOutput<Name>> {
    return new Promise((resolve, reject) => {
      this.#socket.timeout(ms).emit(name, input, (error: Error | null, answer: Ack<CommandOutput<Name>>) => {
        // Socket.IO gives an error both when the time is over and when the socket went away.
        if (error !== null) reject(this.#socket.connected ? unanswered(error) : unreachable(error));
        else if (answer.ok) resolve(answer.data);
        else reject(fromWire(answer.error));
      });
    });
  }

  /** Waits until the connection stands, as long as one request may take. */
  #online(): Promise<void> {
    if (this.#status === 'closed' || this.#waiting.size >= waitingMax) return Promise.reject(unreachable());
    return new Promise((resolve, reject) => {
      const waiter = { go: resolve, fail: reject };
      this.#waiting.add(waiter);
      this.#timers.after(requestMs, () => {
        if (this.#waiting.delete(waiter)) reject(unreachable());
      });
    });
  }

  #listen(): void {
    // The server sends what the protocol says; nobody listens to any other name.
    this.#socket.onAny((name: EventName, payload: ServerEvents[EventName]) => this.#server.emit(name, payload));
    this.#socket.on('connect', () => {
      this.#cancelHandshake = this.#timers.after(handshakeMs, () => this.#socket.io.engine.close());
    });
    this.#socket.on('connect_error', (error) => this.#refused(error));
    this.#socket.on('disconnect', () => this.#lost());
    this.onEvent('session:ready', ({ sessionId, userId }) => this.#ready(sessionId, userId));
    this.onEvent('session:expiring', () => void this.#renew());
    this.onEvent('session:closing', ({ code }) => {
      if (code === 'unauthorized') this.#expired = true;
      else if (code !== 'stopping') this.#closeFor(code);
    });
  }

  async #connect(): Promise<void> {
    this.#cancelRetry = undefined;
    try {
      this.#token = await this.#tokens.current();
    } catch (error) {
      // Who gives the tokens says with this code that there is none any more.
      if (codeOf(error) === 'unauthorized') this.#closeFor('unauthorized');
      else this.#retry(waitOf(error, 0));
      return;
    }
    if (this.#status === 'closed') return;
    if (this.#token === this.#refusedToken) {
      this.#closeFor('unauthorized');
      return;
    }
    this.#socket.auth = handshakeOf(this.#token, this.#store.sessionId);
    this.#socket.connect();
  }

  #ready(sessionId: string, userId: string): void {
    if (this.#status === 'closed') return;
    const resumed = sessionId === this.#store.sessionId;
    this.#cancelHandshake();
    this.#store.keep(sessionId);
    this.#userId = userId;
    this.#refusedToken = undefined;
    this.#expired = false;
    this.#cancelStable = this.#timers.after(stableMs, () => {
      this.#attempt = 0;
    });
    this.#become('online');
    this.#events.emit('online', { resumed });
    // After the listeners: a room takes its seat again before anything that waited asks something of it.
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { go } of waiting) go();
  }

  #refused(error: Error): void {
    if (this.#status === 'closed') return;
    const refusal = refusalOf(error);
    if (refusal?.code === 'unsupported_protocol') this.#closeFor('unsupported_protocol');
    else if (refusal?.code === 'unauthorized') this.#unauthorized();
    else {
      if (refusal?.code === 'invalid') this.#store.forget();
      this.#retry(Math.min(refusal?.retryAfterMs ?? 0, 5 * 60_000));
    }
  }

  /** Once more with another token, where there is somebody to ask for one. */
  #unauthorized(): void {
    this.#refusedToken = this.#token;
    if (this.#tokens.canAsk) this.#retry(0);
    else this.#closeFor('unauthorized');
  }

  #lost(): void {
    this.#cancelHandshake();
    this.#cancelStable();
    if (this.#status === 'closed') return;
    if (this.#status === 'online') this.#become('reconnecting');
    if (this.#expired) {
      this.#expired = false;
      this.#unauthorized();
    } else this.#retry(0);
  }

  #retry(atLeastMs: number): void {
    if (this.#status === 'closed' || this.#cancelRetry !== undefined) return;
    const wait = Math.max(atLeastMs, backoffMs(this.#attempt, connectionBackoff));
    this.#attempt += 1;
    this.#cancelRetry = this.#timers.after(wait, () => void this.#connect());
  }

  /** The old path may be dead without either side noticing for 14 s (RE-6): a new socket is faster. */
  #networkChanged(): void {
    if (this.#status === 'online') this.#socket.io.engine.close();
    else if (this.#cancelRetry !== undefined) {
      this.#cancelRetry();
      void this.#connect();
    }
  }

  async #renew(): Promise<void> {
    // Where it fails for good, the server closes this socket when the token expires, and says so.
    await keepTrying({
      attempt: async () => {
        this.#token = await this.#tokens.renewed();
        await this.request('session:renew', { token: this.#token });
      },
      wanted: () => this.#status !== 'closed',
      most: renewals,
      timers: this.#timers,
      backoff: connectionBackoff,
    });
  }

  #become(status: ConnectionStatus): void {
    if (this.#status === status) return;
    this.#status = status;
    this.#events.emit('status', status);
  }

  #closeFor(reason: CloseReason): void {
    if (this.#status === 'closed') return;
    this.#closeReason = reason;
    this.#unwatch();
    this.#timers.close();
    this.#store.forget();
    this.#store.close();
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    this.#become('closed');
    for (const { fail } of waiting) fail(unreachable());
    this.#socket.disconnect();
    this.#events.close();
    this.#server.close();
  }
}

/** WebSocket, or polling where it is blocked; no WebTransport (SE-7). Coming back is ours to do: see `#retry`. */
const openSocket = (url: string | undefined): Socket => {
  const options = {
    autoConnect: false,
    forceNew: true,
    reconnection: false,
    timeout: handshakeMs,
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
  };
  return url === undefined ? io(options) : io(url, options);
};
