import type { types } from 'mediasoup-client';
import { codeOf } from './errors.ts';
import { Timers } from './timers.ts';

type State = types.ConnectionState;

export type IceRecoveryOptions = {
  readonly state: () => State;
  /** Restarts ICE on this transport. @throws RostrumError */
  readonly restart: () => Promise<void>;
  /** Restarts did not help, or the server does not know the transport any more: another is needed. Called once. */
  readonly replace: () => void;
};

/** Chrome says `disconnected` for a moment's loss too, and most of them heal in this time. */
export const patienceMs = 2000;
/** From an ICE restart to a connection; a check takes a few round trips, and TURN a little longer. */
export const settleMs = 5000;
/** Restarts that may fail in a row before the transport is replaced. */
const restartsMax = 2;

/** Brings one transport back after its path broke: ICE restarts, one at a time, then another transport (MD-7). */
export class IceRecovery {
  readonly #options: IceRecoveryOptions;
  readonly #timers = new Timers();
  #cancelPatience: (() => void) | undefined;
  #settled: (() => void) | undefined;
  #running = false;
  #failures = 0;
  #closed = false;

  constructor(options: IceRecoveryOptions) {
    this.#options = options;
  }

  /** To be called at every change of the transport's connection state. */
  changed(state: State): void {
    if (state === 'connected' || state === 'failed' || state === 'closed') {
      this.#cancelPatience?.();
      this.#cancelPatience = undefined;
      this.#settled?.();
    }
    if (state === 'connected') this.#failures = 0;
    else if (state === 'failed') void this.#run();
    else if (state === 'disconnected' && this.#cancelPatience === undefined) {
      this.#cancelPatience = this.#timers.after(patienceMs, () => {
        this.#cancelPatience = undefined;
        void this.#run();
      });
    }
  }

  /** Once the connection is back: restarts if the path is broken, or (`moved`) if this machine changed its network. */
  check(moved: boolean): void {
    const state = this.#options.state();
    if (state === 'failed' || state === 'disconnected' || (moved && state !== 'new' && state !== 'closed'))
      void this.#run();
  }

  close(): void {
    this.#closed = true;
    this.#timers.close();
    this.#settled?.();
  }

  async #run(): Promise<void> {
    if (this.#running || this.#closed) return;
    this.#running = true;
    while (await this.#restart()) {
      // Again, until it is connected, given up, or the server is out of reach.
    }
    this.#running = false;
  }

  /** One restart. Answers whether another is wanted. */
  async #restart(): Promise<boolean> {
    try {
      await this.#options.restart();
      await this.#settle();
    } catch (error) {
      const code = codeOf(error);
      // Without the server there is nothing to do but wait: `check` is called when it is back.
      if (code === 'network' || code === 'timeout') return false;
      this.#failures = restartsMax;
    }
    if (this.#closed || this.#options.state() === 'connected') return false;
    this.#failures += 1;
    if (this.#failures < restartsMax) return true;
    this.close();
    this.#options.replace();
    return false;
  }

  /** Waits for the restart to come to something, 5 s at most. */
  #settle(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#timers.after(settleMs, () => this.#settled?.());
      this.#settled = () => {
        cancel();
        this.#settled = undefined;
        resolve();
      };
      if (this.#closed) this.#settled();
    });
  }
}
