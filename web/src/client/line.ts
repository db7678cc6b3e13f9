import type { Ack } from '@rostrum/shared/protocol/common.ts';
import type {
  CommandInput,
  CommandName,
  CommandOutput,
  EventName,
  EventPayload,
} from '@rostrum/shared/protocol/index.ts';
import type { Handshake } from '@rostrum/shared/protocol/session.ts';
import { io, type Socket } from 'socket.io-client';
import { fromWire, unanswered, unreachable } from './errors.ts';

export type ServerEvents = { [Name in EventName]: EventPayload<Name> };

export type LineOptions = {
  readonly url: string | undefined;
  readonly handshake: Handshake;
  /** The room that a proxy may choose a node by. */
  readonly room: string | undefined;
  /** Its session lost its connection, and nobody told it to go elsewhere: a full node takes it back. */
  readonly isBack: boolean;
  /** Everything that the server sends, in order. */
  readonly heard: <Name extends EventName>(name: Name, payload: ServerEvents[Name]) => void;
  /** It stands: what `session:ready` says. */
  readonly ready: (session: ServerEvents['session:ready']) => void;
  /** The server is about to close it, and why. */
  readonly closing: (code: ServerEvents['session:closing']['code']) => void;
  /** It could not be opened, and is over: the server was not reached, or refused the handshake. */
  readonly refused: (error: Error) => void;
  /** It was open and broke, and is over. */
  readonly lost: () => void;
};

/** From opening a socket to `session:ready`. */
const handshakeMs = 10_000;
/** A line that was left is kept so long for the answers to what was asked on it. */
const retiredMs = 1000;

/** One socket, from opening it to its end. It does not come back: another line takes its place (see `SocketConnection`). */
export class Line {
  readonly #socket: Socket;
  /** For the handshake, and for what is left after it was retired. */
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Opens at once. */
  constructor({ url, handshake, room, isBack, heard, ready, closing, refused, lost }: LineOptions) {
    this.#socket = openSocket(url, handshake, {
      ...(room === undefined ? {} : { room }),
      ...(isBack ? { back: '1' } : {}),
    });
    // The server sends what the protocol says; nobody listens to any other name.
    this.#socket.onAny(heard);
    this.#socket.on('session:ready', (session: ServerEvents['session:ready']) => {
      clearTimeout(this.#timer);
      ready(session);
    });
    this.#socket.on('session:closing', ({ code }: ServerEvents['session:closing']) => closing(code));
    this.#socket.on('connect', () => {
      this.#timer = setTimeout(() => this.cut(), handshakeMs);
    });
    this.#socket.on('connect_error', (error) => {
      this.close();
      refused(error);
    });
    this.#socket.on('disconnect', () => {
      this.close();
      lost();
    });
    this.#socket.connect();
  }

  /** Sends a command and waits so many milliseconds for its answer. @throws RostrumError */
  send<Name extends CommandName>(name: Name, input: CommandInput<Name>, ms: number): Promise<CommandOutput<Name>> {
    return new Promise((resolve, reject) => {
      this.#socket.timeout(ms).emit(name, input, (error: Error | null, answer: Ack<CommandOutput<Name>>) => {
        // Socket.IO gives an error both when the time is over and when the socket went away.
        if (error !== null) reject(this.#socket.connected ? unanswered(error) : unreachable(error));
        else if (answer.ok) resolve(answer.data);
        else reject(fromWire(answer.error));
      });
    });
  }

  /** Breaks it, as if the network had. */
  cut(): void {
    this.#socket.io.engine.close();
  }

  /** Another one took its place: it says nothing any more, and ends when what was asked on it had time to be answered. */
  retire(): void {
    this.#mute();
    this.#timer = setTimeout(() => this.close(), retiredMs);
  }

  /** Ends it without a word of it to anybody here. */
  close(): void {
    this.#mute();
    this.#socket.disconnect();
  }

  #mute(): void {
    clearTimeout(this.#timer);
    this.#socket.offAny();
    this.#socket.off();
  }
}

/** WebSocket, or polling where it is blocked; no WebTransport (SE-7). Coming back is the connection's to do. */
const openSocket = (url: string | undefined, auth: Handshake, query: Readonly<Record<string, string>>): Socket => {
  const options = {
    auth,
    autoConnect: false,
    forceNew: true,
    reconnection: false,
    timeout: handshakeMs,
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    query,
  };
  return url === undefined ? io(options) : io(url, options);
};
