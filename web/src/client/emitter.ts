import type { Subscribe } from './types.ts';

type Listeners<Events> = { [Name in keyof Events]?: Set<(payload: Events[Name]) => void> };

/** A listener that throws is reported like any uncaught error, and keeps no other listener from its event. */
const report = (error: unknown): void => {
  if (typeof reportError === 'function') reportError(error);
  else
    queueMicrotask(() => {
      throw error;
    });
};

/** Typed events. Listeners are called in the order in which they subscribed. */
export class Emitter<Events> {
  #listeners: Listeners<Events> = {};

  readonly on: Subscribe<Events> = (name, listener) => {
    const listeners = this.#listeners[name] ?? new Set();
    this.#listeners[name] = listeners;
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  };

  emit<Name extends keyof Events>(name: Name, payload: Events[Name]): void {
    for (const listener of [...(this.#listeners[name] ?? [])]) {
      try {
        listener(payload);
      } catch (error) {
        report(error);
      }
    }
  }

  /** Forgets every listener. */
  close(): void {
    this.#listeners = {};
  }
}
