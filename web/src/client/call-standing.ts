import type { CallRoute } from '@rostrum/shared/protocol/call.ts';
import { keepTrying } from './retry.ts';
import type { Timers } from './timers.ts';
import type { Connection } from './types.ts';

type Standing = { readonly is: 'connected'; readonly route: CallRoute } | { readonly is: 'lost' };

export type CallStandingOptions = {
  readonly connection: Pick<Connection, 'request' | 'status'>;
  readonly sessionId: string;
  readonly timers: Timers;
  /** The server did not take it. */
  readonly refused: (error: unknown) => void;
};

/** Attempts to tell the server (RE-5), with a back-off up to 10 s between them; the window of a call is 10 s. */
const tellMax = 5;

/** Tells the server whether media flows, and by which route (RD-5, RD-13); the last word counts. */
export class CallStanding {
  readonly #options: CallStandingOptions;
  #standing: Standing | undefined;

  constructor(options: CallStandingOptions) {
    this.#options = options;
  }

  /** What was said last; undefined before anything was. */
  get now(): Standing['is'] | undefined {
    return this.#standing?.is;
  }

  connected(route: CallRoute): void {
    void this.#tell({ is: 'connected', route });
  }

  /** Media was lost. Said only once it had flowed: until then the time to connect runs. */
  lost(): void {
    if (this.#standing?.is === 'connected') void this.#tell({ is: 'lost' });
  }

  /** This page has no media of a call that goes on: it has just been loaded. */
  begunAnew(): void {
    void this.#tell({ is: 'lost' });
  }

  /** The call takes another way now, on which nothing has flowed yet. */
  reset(): void {
    this.#standing = undefined;
  }

  /** The connection is back: says it again, in case it was not heard. */
  again(): void {
    if (this.#standing !== undefined) void this.#tell({ ...this.#standing });
  }

  async #tell(standing: Standing): Promise<void> {
    const { connection, sessionId, timers, refused } = this.#options;
    this.#standing = standing;
    const outcome = await keepTrying({
      attempt: async () => {
        if (standing.is === 'lost') await connection.request('random:reconnecting', { sessionId });
        else await connection.request('random:connected', { sessionId, route: standing.route });
      },
      // While the connection is away nothing can be said; it is said again when it is back.
      wanted: () => this.#standing === standing && connection.status === 'online',
      most: tellMax,
      timers,
    });
    if (outcome.kind === 'failed') refused(outcome.error);
  }
}
