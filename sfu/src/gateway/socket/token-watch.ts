import type { Limits } from '@rostrum/shared/limits.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { RostrumSocket } from './types.ts';

/** Longest time that Node's timers take, in milliseconds: more wraps around to 1. */
const longestTimerMs = 2 ** 31 - 1;

/** Warns each socket before its token expires, and closes it when it has (ID-4). */
export class TokenWatch {
  readonly #clock: Clock;
  readonly #limits: Pick<Limits, 'tokenWarningMs'>;
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(clock: Clock, limits: Pick<Limits, 'tokenWarningMs'>) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Anew, where it was renewed. */
  watch(socket: RostrumSocket): void {
    clearTimeout(this.#timers.get(socket.id));
    const { expiresAt } = socket.data;
    const warnInMs = expiresAt - this.#limits.tokenWarningMs - this.#clock.now();
    this.#after(socket, Math.max(0, warnInMs), () => {
      socket.emit('session:expiring', { expiresAt });
      this.#after(socket, expiresAt - this.#clock.now(), () => {
        socket.emit('session:closing', { code: 'unauthorized' });
        socket.disconnect(true);
      });
    });
  }

  stop(socket: RostrumSocket): void {
    clearTimeout(this.#timers.get(socket.id));
    this.#timers.delete(socket.id);
  }

  #after(socket: RostrumSocket, ms: number, act: () => void): void {
    if (!socket.connected) return;
    const step = Math.min(ms, longestTimerMs);
    const timer = setTimeout(() => (step < ms ? this.#after(socket, ms - step, act) : act()), step);
    timer.unref();
    this.#timers.set(socket.id, timer);
  }
}
