import { setTimeout as pause } from 'node:timers/promises';
import type { EventPayload } from '@rostrum/shared/protocol/index.ts';
import type { ListeningOffer } from '@rostrum/shared/protocol/listening.ts';
import { LightSocket } from './light-socket.ts';
import type { Pass } from './rostrum-side.ts';
import type { Connect } from './side.ts';

export type AttendeeOptions = {
  readonly url: string;
  readonly pass: Pass;
  readonly roomId: string;
  readonly connect: Connect;
  /** They were to listen anew, and could not. */
  readonly failed: (error: unknown) => void;
  /** They are connected and about to join; and that was answered. */
  readonly reached?: (stage: 'connected' | 'answered') => void;
};

/** The events after which somebody listens anew. */
type Moving = { readonly [Name in 'media:relisten' | 'media:lost']: readonly [Name, EventPayload<Name>] };

/** What Socket.IO puts before an event, and how one of media begins. */
const prefix = '42';
const mediaEvent = `${prefix}["media:`;

/** Somebody who listens in a room of Rostrum over a light socket, and listens anew whenever the server says so. */
export class Attendee {
  readonly #options: AttendeeOptions;
  #socket: LightSocket | undefined;
  #moves: Promise<void> = Promise.resolve();

  constructor(options: AttendeeOptions) {
    this.#options = options;
  }

  /** Comes in, and listens. @throws Refused */
  async enter(): Promise<void> {
    const { url, pass, roomId, reached } = this.#options;
    const socket = await LightSocket.open(url, pass, (payload) => this.#heard(payload));
    this.#socket = socket;
    reached?.('connected');
    const { listening } = await socket.ask('room:join', { roomId, listen: true });
    reached?.('answered');
    const connected = this.#moves.then(async () => {
      await this.#connect(listening ?? (await socket.ask('media:listen', { roomId })));
    });
    // Told to listen anew meanwhile, they do so when they hear: the server lets go of what was never connected.
    this.#moves = connected.catch(() => undefined);
    await connected;
  }

  /** Resolves when nothing is on the way. */
  async settled(): Promise<void> {
    await this.#moves;
  }

  /** Gives the seat up. */
  async leave(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    await socket?.ask('room:leave', { roomId: this.#options.roomId });
    socket?.close();
  }

  async #connect(listening: ListeningOffer): Promise<void> {
    const { roomId, connect } = this.#options;
    const { transportId } = listening.transport;
    await connect(listening, async (dtlsParameters) => {
      await this.#socket?.ask('media:connect', { roomId, transportId, dtlsParameters });
    });
  }

  #heard(payload: Buffer): void {
    if (payload.toString('latin1', 0, mediaEvent.length) !== mediaEvent) return;
    // What our own server sends; voices that come and go are none of a sink's business.
    const [name, event] = JSON.parse(payload.toString('utf8', prefix.length)) as Moving[keyof Moving];
    if (name !== 'media:relisten' && !(name === 'media:lost' && event.receiving)) return;
    // Whoever waits for an answer that came before goes on first.
    setImmediate(() => this.#listenAnew(event.withinMs));
  }

  #listenAnew(withinMs: number): void {
    const moves = this.#moves.then(async () => {
      await pause(Math.random() * withinMs);
      const { roomId } = this.#options;
      const listening = await this.#socket?.ask('media:listen', { roomId });
      if (listening) await this.#connect(listening);
    });
    this.#moves = moves.catch((error: unknown) => this.#options.failed(error));
  }
}
