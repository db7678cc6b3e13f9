import type {
  CommandInput,
  CommandName,
  CommandOutput,
  EventName,
  EventPayload,
} from '@rostrum/shared/protocol/index.ts';
import { createApi } from './api.ts';
import { Attempts } from './attempts.ts';
import { Emitter } from './emitter.ts';
import { codeOf, unreachable, waitOf } from './errors.ts';
import { handshakeOf, refusalOf } from './handshake.ts';
import { Line, type ServerEvents } from './line.ts';
import { watchNetwork } from './network.ts';
import { SessionStore } from './session-store.ts';
import { Timers } from './timers.ts';
import { keepRenewing, TokenSource } from './token-source.ts';
import type { CloseReason, Connection, ConnectionOptions, ConnectionStatus, Online, Subscribe } from './types.ts';
import { Waiting } from './waiting.ts';

type Events = { status: ConnectionStatus; online: Online };

/** From sending a command (or wanting to) to its acknowledgement. */
const requestMs = 10_000;
/** Requests that wait for the connection to come back (RE-5); the server takes 32 of one socket at a time. */
const waitingMax = 24;
/** A node that takes its leave tells its people one after the other; this spreads those of one batch. */
const moveJitterMs = 200;
/** A move is nobody's concern for so long; after it requests go over the old line again, and its loss is told. */
const movingMs = 2000;

/**
 * Opens a connection and keeps it open (see `Connection`). It connects at once; commands sent meanwhile wait for it.
 * @throws TypeError without `token` and `getToken`
 */
export const createConnection = (options: ConnectionOptions): Connection => new SocketConnection(options);

class SocketConnection implements Connection {
  readonly #options: ConnectionOptions;
  readonly #tokens: TokenSource;
  readonly #store: SessionStore;
  readonly #server = new Emitter<ServerEvents>();
  readonly #events = new Emitter<Events>();
  readonly #timers = new Timers();
  readonly #waiting = new Waiting(waitingMax, this.#timers);
  readonly #attempts = new Attempts(this.#timers);
  readonly #unwatch: () => void;
  readonly on: Subscribe<Events> = this.#events.on;
  #status: ConnectionStatus = 'connecting';
  #closeReason: CloseReason | undefined;
  #userId: string | undefined;
  /** The line that stands. */
  #line: Line | undefined;
  /** The line that is being opened; beside the one that stands, where the server asked for a move. */
  #opening: Line | undefined;
  /** The line before, whose last answers may still come. */
  #retired: Line | undefined;
  /** The line that the server wants to be left. */
  #toLeave: Line | undefined;
  /** The line that is being opened takes long. */
  #late = false;
  /** A token is asked for, to open a line with. */
  #asking = false;
  /** Between two attempts: ends the wait for the next one. */
  #cancelRetry: (() => void) | undefined;
  #token = '';
  /** The token that the server refused last: the same one is not worth another attempt. */
  #refusedToken: string | undefined;
  /** The server said that it closes this socket because the token is not valid any more. */
  #expired = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#tokens = new TokenSource(options, createApi({ url: options.url }).refresh);
    this.#store = new SessionStore(options.storage);
    const renew = async (token: string): Promise<void> => {
      this.#token = token;
      await this.request('session:renew', { token });
    };
    this.onEvent('session:expiring', () => void keepRenewing(this.#tokens, renew, this.#timers));
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
    if (this.#line !== undefined && (this.#opening === undefined || this.#late))
      return this.#line.send(name, input, requestMs);
    if (this.#status === 'closed') return Promise.reject(unreachable());
    const start = performance.now();
    return this.#waiting.wait(requestMs).then(() => {
      if (this.#line === undefined) throw unreachable();
      return this.#line.send(name, input, Math.max(1, requestMs - (performance.now() - start)));
    });
  }

  onEvent<Name extends EventName>(name: Name, listener: (payload: EventPayload<Name>) => void): () => void {
    return this.#server.on(name, listener);
  }

  close(): void {
    this.#closeFor('by-client');
  }

  async #connect(): Promise<void> {
    this.#cancelRetry = undefined;
    this.#asking = true;
    try {
      this.#token = await this.#tokens.current().finally(() => {
        this.#asking = false;
      });
    } catch (error) {
      // Who gives the tokens says with this code that there is none any more.
      if (codeOf(error) === 'unauthorized') this.#closeFor('unauthorized');
      else this.#retry(waitOf(error, 0));
      return;
    }
    if (this.#status === 'closed') return;
    if (this.#token === this.#refusedToken) this.#closeFor('unauthorized');
    else this.#open();
  }

  #open(): void {
    const { url, nearRoom } = this.#options;
    const line: Line = new Line({
      url,
      handshake: handshakeOf(this.#token, this.#store.sessionId),
      room: nearRoom?.(),
      isBack: this.#store.sessionId !== undefined && this.#line === undefined,
      heard: (name, payload) => this.#server.emit(name, payload),
      ready: ({ sessionId, userId }) => this.#ready(line, sessionId, userId),
      closing: (code) => this.#closing(line, code),
      refused: (error) => this.#refused(error),
      lost: () => this.#lost(line),
    });
    this.#opening = line;
    this.#late = false;
    this.#timers.after(movingMs, () => {
      if (this.#opening !== line) return;
      this.#late = true;
      this.#stayOrWait();
    });
  }

  #ready(line: Line, sessionId: string, userId: string): void {
    const news = { resumed: sessionId === this.#store.sessionId, moved: this.#status === 'online' };
    this.#retired?.close();
    this.#retired = this.#line;
    this.#retired?.retire();
    this.#line = line;
    this.#opening = undefined;
    this.#store.keep(sessionId);
    this.#userId = userId;
    this.#refusedToken = undefined;
    this.#expired = false;
    this.#attempts.stands();
    this.#become('online');
    this.#events.emit('online', news);
    // After the listeners: a room takes its seat again before anything that waited asks something of it.
    this.#waiting.go();
    if (this.#toLeave === line) this.#move();
  }

  #closing(line: Line, code: ServerEvents['session:closing']['code']): void {
    if (code === 'moving') {
      this.#toLeave = line;
      if (line === this.#line) this.#move();
    } else if (code === 'unauthorized') this.#expired = true;
    // It is ourselves who replace it, where another line is being opened.
    else if (code === 'replaced' && line === this.#line && this.#opening !== undefined) return;
    else if (code !== 'stopping') this.#closeFor(code);
  }

  /** This node takes its leave: another line is opened, and the old one goes when that stands (OP-2). */
  #move(): void {
    if (this.#opening !== undefined || this.#isTrying) return;
    this.#cancelRetry = this.#timers.after(Math.random() * moveJitterMs, () => void this.#connect());
  }

  #refused(error: Error): void {
    this.#opening = undefined;
    const refusal = refusalOf(error);
    if (refusal?.code === 'unsupported_protocol') this.#closeFor('unsupported_protocol');
    else if (refusal?.code === 'unauthorized') this.#unauthorized();
    else {
      if (refusal?.code === 'invalid') this.#store.forget();
      this.#retry(Math.min(refusal?.retryAfterMs ?? 0, 5 * 60_000));
    }
    this.#stayOrWait();
  }

  /** What waited for another line goes over the old one, where that still stands. */
  #stayOrWait(): void {
    if (this.#line !== undefined) this.#waiting.go();
    else if (this.#status === 'online') this.#become('reconnecting');
  }

  /** Once more with another token, where there is somebody to ask for one. */
  #unauthorized(): void {
    this.#refusedToken = this.#token;
    if (this.#tokens.canAsk) this.#retry(0);
    else this.#closeFor('unauthorized');
  }

  #lost(line: Line): void {
    if (line === this.#opening) {
      this.#opening = undefined;
      this.#lostAll();
    } else if (line === this.#line) {
      this.#line = undefined;
      this.#attempts.broke();
      if (this.#opening === undefined) this.#lostAll();
      // In the middle of a move nobody has to know, unless it takes long.
      else if (this.#late) this.#stayOrWait();
    }
  }

  #lostAll(): void {
    if (this.#expired) {
      this.#expired = false;
      this.#unauthorized();
    } else this.#retry(0);
    this.#stayOrWait();
  }

  #retry(atLeastMs: number): void {
    if (this.#status === 'closed' || this.#isTrying) return;
    this.#cancelRetry = this.#timers.after(this.#attempts.waitMs(atLeastMs), () => void this.#connect());
  }

  /** Whether a line will be opened by what is under way: two at a time would throw each other out. */
  get #isTrying(): boolean {
    return this.#asking || this.#cancelRetry !== undefined;
  }

  /** The old path may be dead without either side noticing for 14 s (RE-6): a new socket is faster. */
  #networkChanged(): void {
    if (this.#line !== undefined) this.#line.cut();
    else if (this.#cancelRetry !== undefined) {
      this.#cancelRetry();
      void this.#connect();
    }
  }

  #become(status: ConnectionStatus): void {
    if (this.#status === status || this.#status === 'closed') return;
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
    this.#become('closed');
    this.#waiting.fail();
    for (const line of [this.#line, this.#opening, this.#retired]) line?.close();
    this.#events.close();
    this.#server.close();
  }
}
