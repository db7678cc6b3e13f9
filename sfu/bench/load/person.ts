import type {
  CommandInput,
  CommandName,
  CommandOutput,
  EventName,
  EventPayload,
} from '@rostrum/shared/protocol/index.ts';
import { LightSocket } from '../lib/light-socket.ts';
import { type Account, signIn } from './api.ts';
import type { LoadContext } from './context.ts';
import { type Tries, tryAgain } from './patience.ts';

/** As long as the web client waits, in milliseconds. */
const answerMs = 10_000;
/** A seat is kept for 15 s (RE-2); whoever is not back after these tries stays away. */
const reconnecting: Tries = { most: 8, firstMs: 250, longestMs: 8000 };

type Handlers = { [name in EventName]?: (payload: EventPayload<name>) => void };

export type PersonEvents = {
  /** Back after the connection was lost, under the same session: what was told meanwhile is unknown. */
  readonly returned?: () => void;
  /** The connection is lost for good. */
  readonly gone?: () => void;
};

/** A guest who is signed in, with one socket that comes back by itself, as that of the web client does. */
export class Person {
  readonly #context: LoadContext;
  readonly #account: Account;
  readonly #handlers: Handlers = {};
  readonly #closing = new AbortController();
  #events: PersonEvents = {};
  #socket: LightSocket | undefined;
  #sessionId: string | undefined;
  #replaced = false;

  /** @throws Refused */
  static async signIn(context: LoadContext): Promise<Person> {
    const begun = performance.now();
    try {
      const account = await signIn(context.server, context.nextGuest());
      context.tally.times.signIn.record(performance.now() - begun);
      return new Person(context, account);
    } catch (error) {
      context.tally.failed('sign-in', error);
      throw error;
    }
  }

  private constructor(context: LoadContext, account: Account) {
    this.#context = context;
    this.#account = account;
    this.on('session:ready', ({ sessionId }) => {
      this.#sessionId = sessionId;
    });
    this.on('session:closing', ({ code }) => {
      // Another device has the seat now, or this one is not wanted any more: coming back would only be closed again.
      this.#replaced = code === 'replaced' || code === 'unauthorized' || code === 'stopping';
    });
  }

  get userId(): string {
    return this.#account.userId;
  }

  get pass(): Account['pass'] {
    return this.#account.pass;
  }

  /** Aborted when this person leaves: whatever is being waited for is over then. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** From now on this event is read; one that nobody asked for is not. */
  on<Name extends EventName>(name: Name, handler: (payload: EventPayload<Name>) => void): void {
    // Under each name there is a handler of that name, which TypeScript cannot follow.
    (this.#handlers as Record<string, unknown>)[name] = handler;
  }

  /** Opens the socket. @throws Refused, Error */
  async connect(events: PersonEvents = {}): Promise<void> {
    this.#events = events;
    const begun = performance.now();
    try {
      await this.#open();
      this.#context.tally.times.socket.record(performance.now() - begun);
    } catch (error) {
      this.#context.tally.failed('socket', error);
      throw error;
    }
  }

  /** Gives a command. @throws Refused */
  async do<Name extends CommandName>(name: Name, input: CommandInput<Name>): Promise<CommandOutput<Name>> {
    try {
      if (this.#socket === undefined) throw new Error('not_connected');
      return await this.#socket.ask(name, input);
    } catch (error) {
      if (!this.closing.aborted) this.#context.tally.failed(name, error);
      throw error;
    }
  }

  close(): void {
    this.#closing.abort();
    this.#socket?.close();
    this.#socket = undefined;
  }

  async #open(): Promise<void> {
    const { url } = this.#context.server;
    const socket = await LightSocket.open(url, this.#account.pass, (payload) => this.#heard(payload), {
      answerMs,
      ...(this.#sessionId === undefined ? {} : { sessionId: this.#sessionId }),
      lost: () => {
        if (this.#socket === socket) this.#lost();
      },
    });
    if (this.closing.aborted) {
      socket.close();
      throw new Error('left');
    }
    this.#socket = socket;
  }

  /** An answer that came before an event is dealt with before it, though whoever waits for it goes on a little later. */
  #heard(payload: Buffer): void {
    const name = nameOf(payload);
    const handler = (this.#handlers as Record<string, ((payload: unknown) => void) | undefined>)[name];
    if (handler === undefined) return;
    const [, body] = JSON.parse(payload.toString('utf8', packetTypeLength)) as [string, unknown];
    setImmediate(() => {
      if (!this.closing.aborted) handler(body);
    });
  }

  #lost(): void {
    const { tally } = this.#context;
    this.#socket = undefined;
    tally.count('connectionsLost');
    const back = async (): Promise<void> => {
      if (this.#replaced) throw new Error('replaced');
      await tryAgain(() => this.#open(), reconnecting, this.closing);
    };
    back().then(
      () => {
        tally.count('connectionsBack');
        this.#events.returned?.();
      },
      (error: unknown) => {
        if (this.closing.aborted) return;
        tally.count('connectionsGone');
        tally.failed('reconnecting', error);
        this.#events.gone?.();
      },
    );
  }
}

/** `42`, before the event as JSON: a message of Engine.IO that is an event of Socket.IO. */
const packetTypeLength = 2;

const nameOf = (payload: Buffer): string => {
  const from = packetTypeLength + '["'.length;
  return payload.toString('latin1', from, payload.indexOf('"', from));
};
