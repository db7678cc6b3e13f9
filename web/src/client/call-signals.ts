import { codeOf, isPassing, waitOf } from './errors.ts';
import type { LinkMessage } from './negotiation.ts';
import type { Timers } from './timers.ts';
import type { Connection } from './types.ts';

export type CallSignalsOptions = {
  readonly connection: Pick<Connection, 'request' | 'status'>;
  readonly sessionId: string;
  readonly timers: Timers;
  /** Something could not be said just now: it is to be said again. */
  readonly unsaid: () => void;
  /** The server does not know this call any more. */
  readonly stale: () => void;
};

/** Until it is said again, where the server does not ask to wait longer. */
const againMs = 1000;

/** What one's own link tells the other side, through the server (RD-2). */
export class CallSignals {
  readonly #options: CallSignalsOptions;
  #pending = false;

  constructor(options: CallSignalsOptions) {
    this.#options = options;
  }

  /** While the connection is away nothing is kept here: the link says it again when it is back. */
  send(message: LinkMessage): void {
    if (this.#options.connection.status === 'online')
      this.#request(message).catch((error: unknown) => this.#failed(error));
  }

  #request(message: LinkMessage): Promise<unknown> {
    const { connection, sessionId } = this.#options;
    if (message.kind === 'candidate') {
      const { kind: _, ...candidate } = message;
      return connection.request('random:ice_candidate', { sessionId, ...candidate });
    }
    const { kind, ...description } = message;
    return connection.request(kind === 'offer' ? 'random:offer' : 'random:answer', { sessionId, ...description });
  }

  #failed(error: unknown): void {
    const { timers, unsaid, stale } = this.#options;
    if (codeOf(error) === 'stale') stale();
    // Anything else that is refused stays refused; an address that may not be told, for example (RD-12).
    if (!isPassing(error) || this.#pending) return;
    this.#pending = true;
    timers.after(waitOf(error, againMs), () => {
      this.#pending = false;
      unsaid();
    });
  }
}
