import type { EventName, EventPayload } from '@rostrum/shared/protocol/index.ts';
import type { RoomViewEvent, RoomViewEventName } from '@rostrum/shared/protocol/room.ts';
import type { Connection } from './types.ts';

/**
 * The names of the events that carry a view on. The schemas have them too, but bring zod into the page; a test holds
 * the two lists together.
 */
export const viewEventNames = [
  'room:participant-joined',
  'room:participant-left',
  'room:participant-changed',
  'room:role-changed',
  'room:hand-raised',
  'room:hand-lowered',
  'room:hands-reordered',
  'room:hand-right-changed',
  'room:invited-to-speak',
  'room:invitation-closed',
  'room:muted',
  'room:promoted',
  'room:updated',
  'room:ending-soon',
  'room:moderated',
] as const satisfies readonly RoomViewEventName[];

/** The events of one room, by what is done with them. */
export type RoomListeners = LooseListeners & { readonly viewEvent: (event: RoomViewEvent) => void };

type LooseListeners = { readonly [Name in LooseName]: (payload: EventPayload<Name>) => void };

type LooseName =
  | 'room:state'
  | 'room:sequence'
  | 'room:speaking-changed'
  | 'room:audience'
  | 'room:hand-position'
  | 'room:kicked'
  | 'room:joined-elsewhere'
  | 'room:ended';

export const looseNames: readonly LooseName[] = [
  'room:state',
  'room:sequence',
  'room:speaking-changed',
  'room:audience',
  'room:hand-position',
  'room:kicked',
  'room:joined-elsewhere',
  'room:ended',
];

/** Listens to one room until the returned function is called. */
export const listenToRoom = (
  connection: Pick<Connection, 'onEvent'>,
  roomId: string,
  listeners: RoomListeners,
): (() => void) => {
  const listen = <Name extends EventName>(name: Name, heard: (payload: EventPayload<Name>) => void): (() => void) =>
    connection.onEvent(name, (payload) => {
      if ('roomId' in payload && payload.roomId === roomId) heard(payload);
    });
  const loose: LooseListeners = listeners;
  const listenLoose = <Name extends LooseName>(name: Name): (() => void) => listen(name, loose[name]);
  const stops = [
    // The compiler cannot see that name and payload belong together, though both come from the same `name`.
    ...viewEventNames.map((name) => listen(name, (payload) => listeners.viewEvent({ name, payload } as RoomViewEvent))),
    ...looseNames.map(listenLoose),
  ];
  return () => {
    for (const stop of stops) stop();
  };
};
