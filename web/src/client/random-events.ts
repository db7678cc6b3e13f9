import type { EventName, EventPayload } from '@rostrum/shared/protocol/index.ts';
import type { Connection } from './types.ts';

type RandomEventName = Extract<EventName, `random:${string}`>;

/** What is done with each event of random calls. */
export type RandomListeners = { readonly [Name in RandomEventName]: (payload: EventPayload<Name>) => void };

/** Listens until the returned function is called. */
export const listenToRandom = (connection: Pick<Connection, 'onEvent'>, listeners: RandomListeners): (() => void) => {
  const listen = <Name extends RandomEventName>(name: Name): (() => void) => connection.onEvent(name, listeners[name]);
  // The listeners are exactly the events, by their type.
  const stops = (Object.keys(listeners) as RandomEventName[]).map((name) => listen(name));
  return () => {
    for (const stop of stops) stop();
  };
};
