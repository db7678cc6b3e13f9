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
import { io, type Socket } from 'socket.io-client';
import { pause, until } from '../media/harness.ts';
import type { ServerNode } from './nodes.ts';
import type { TestPerson } from './server.ts';

type ClientSocket = Socket<ServerToClientEvents, ClientToServerEvents>;

/** From opening a socket to `session:ready`, in milliseconds; then another node is tried. */
const handshakeMs = 3000;
/** The wait before the first attempt to come back and the longest one, in milliseconds; half of it is chance. As the web client has it. */
const backOff = { firstMs: 500, mostMs: 8000 };
/** How long a command waits for its answer, in milliseconds. */
const answerMs = 10_000;
/** Events that are kept for `next` and `all`. */
const eventsKept = 20_000;

export type SocketListeners = {
  /** Every event of the connection that speaks for the session. */
  readonly event?: (name: EventName, payload: unknown) => void;
  /** The session is connected, at the first time and each time that it came back. */
  readonly online?: () => void;
  /** The connection broke; it will come back by itself. */
  readonly lost?: () => void;
};

/** What a command came to, `unanswered` where the connection broke or nothing came in time. */
export type Outcome<Data> =
  | { readonly ok: true; readonly data: Data }
  | {
      readonly ok: false;
      readonly error: {
        readonly code: string;
        readonly path?: string | undefined;
        readonly retryAfterMs?: number | undefined;
      };
    };

/**
 * One session of a person who knows several nodes: when its connection breaks, or its node says that it takes its leave, it goes
 * to another one with the same session, as a web client does behind a balancer. On a farewell it keeps the old connection
 * until the new one stands.
 */
export class RoamingSocket {
  readonly person: TestPerson;
  readonly #nodes: readonly ServerNode[];
  readonly #listeners: SocketListeners;
  #received: { name: EventName; payload: unknown }[] = [];
  /** Where it is, or was last. */
  #at: number;
  #socket: ClientSocket | undefined;
  #sessionId: string | undefined;
  #connecting = false;
  #closed = false;

  /** `at`: the number of the node that it goes to first. */
  constructor(person: TestPerson, nodes: readonly ServerNode[], options: { at: number; listeners?: SocketListeners }) {
    this.person = person;
    this.#nodes = nodes;
    this.#at = options.at;
    this.#listeners = options.listeners ?? {};
  }

  /** The node that it is connected to, or was last. */
  get node(): ServerNode {
    const node = this.#nodes[this.#at];
    if (node === undefined) throw new Error('there is no such node');
    return node;
  }

  get isOnline(): boolean {
    return this.#socket?.connected ?? false;
  }

  get sessionId(): string | undefined {
    return this.#sessionId;
  }

  /** Connects, and waits until the session stands. */
  async open(): Promise<void> {
    void this.#connect(false);
    await until(`${this.person.signedIn.user.displayName} is connected`, () => this.isOnline, 30_000);
  }

  async ask<Name extends CommandName>(
    name: Name,
    input: CommandInput<Name>,
    withinMs = answerMs,
  ): Promise<Outcome<CommandOutput<Name>>> {
    const socket = this.#socket;
    if (!socket?.connected) return unanswered;
    const untyped: { timeout(ms: number): { emitWithAck(name: string, input: unknown): Promise<unknown> } } = socket;
    try {
      return (await untyped.timeout(withinMs).emitWithAck(name, input)) as Ack<CommandOutput<Name>>;
    } catch {
      return unanswered;
    }
  }

  /** Sends a command that must succeed. */
  async do<Name extends CommandName>(name: Name, input: CommandInput<Name>): Promise<CommandOutput<Name>> {
    const outcome = await this.ask(name, input);
    if (!outcome.ok) throw new Refused(name, outcome.error.code);
    return outcome.data;
  }

  /** The code of a command's refusal; `ok` for none. */
  async codeOf<Name extends CommandName>(name: Name, input: CommandInput<Name>): Promise<string> {
    const outcome = await this.ask(name, input);
    return outcome.ok ? 'ok' : outcome.error.code;
  }

  all<Name extends EventName>(name: Name): EventPayload<Name>[] {
    return this.#received.filter((event) => event.name === name).map((event) => event.payload as EventPayload<Name>);
  }

  /** The first event of this name that fits, also if it came before. */
  next<Name extends EventName>(
    name: Name,
    fits: (payload: EventPayload<Name>) => boolean = () => true,
    withinMs = 10_000,
  ): Promise<EventPayload<Name>> {
    return until(`event ${name}`, () => this.all(name).find(fits), withinMs);
  }

  /** Forgets what came so far. */
  forget(): void {
    this.#received = [];
  }

  /** The connection breaks, and comes back by itself. */
  breakOff(): void {
    this.#socket?.io.engine.close();
  }

  /** Gone for good: like a page that is closed. */
  close(): void {
    this.#closed = true;
    this.#socket?.disconnect();
  }

  /** Tries one node after the other until one takes it. */
  async #connect(elsewhere: boolean): Promise<void> {
    if (this.#connecting || this.#closed) return;
    this.#connecting = true;
    if (elsewhere) this.#goOn();
    for (let attempt = 0; !this.#closed && !(await this.#attempt()); attempt += 1) {
      const ceiling = Math.min(backOff.mostMs, backOff.firstMs * 2 ** attempt);
      await pause(ceiling / 2 + (Math.random() * ceiling) / 2);
      this.#goOn();
    }
    this.#connecting = false;
    // It broke again before anybody listened for that.
    if (this.#socket?.connected === false) this.#lost(this.#socket);
  }

  #goOn(): void {
    this.#at = (this.#at + 1) % this.#nodes.length;
  }

  async #attempt(): Promise<boolean> {
    const { person } = this;
    const socket: ClientSocket = io(this.node.url, {
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      timeout: handshakeMs,
      auth: {
        token: person.token,
        protocol: protocolVersion,
        ...(this.#sessionId === undefined ? {} : { sessionId: this.#sessionId }),
      },
      extraHeaders: { 'x-forwarded-for': person.address, ...(person.cookie ? { cookie: person.cookie } : {}) },
    });
    const ready = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), handshakeMs);
      const settle = (stands: boolean) => () => {
        clearTimeout(timer);
        resolve(stands);
      };
      socket.on('session:ready', ({ sessionId }) => {
        this.#sessionId = sessionId;
        // In the same turn: what comes right behind it belongs to this connection already.
        this.#take(socket);
        settle(true)();
      });
      socket.on('connect_error', settle(false));
      socket.on('disconnect', settle(false));
    });
    if (!ready || this.#closed) socket.disconnect();
    return ready;
  }

  #take(socket: ClientSocket): void {
    const before = this.#socket;
    this.#socket = socket;
    before?.disconnect();
    socket.onAny((name: EventName, payload: unknown) => this.#heard(socket, name, payload));
    socket.on('disconnect', () => this.#lost(socket));
    this.#listeners.online?.();
  }

  #heard(socket: ClientSocket, name: EventName, payload: unknown): void {
    if (socket !== this.#socket) return;
    this.#received.push({ name, payload });
    if (this.#received.length > eventsKept) this.#received.splice(0, eventsKept / 2);
    this.#listeners.event?.(name, payload);
    if (name === 'session:closing' && (payload as EventPayload<'session:closing'>).code === 'moving')
      void this.#connect(true);
  }

  #lost(socket: ClientSocket): void {
    if (socket !== this.#socket || this.#closed || this.#connecting) return;
    this.#listeners.lost?.();
    void this.#comeBack();
  }

  async #comeBack(): Promise<void> {
    await pause(backOff.firstMs / 2 + (Math.random() * backOff.firstMs) / 2);
    await this.#connect(true);
  }
}

const unanswered: Outcome<never> = { ok: false, error: { code: 'unanswered' } };

/** Thrown where a command that must succeed was refused. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: string;

  constructor(command: string, code: string) {
    super(`${command}: ${code}`);
    this.code = code;
  }
}
