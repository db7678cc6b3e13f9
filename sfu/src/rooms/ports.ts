import type { EventName, EventPayload } from '@rostrum/shared/protocol/index.ts';
import type { Role, RoomViewEventName, ViewName } from '@rostrum/shared/protocol/room.ts';
import type { Person } from '../rules/room/state.ts';

/** A view event on its way: `userId` is set for the view `self`. */
export type OutgoingViewEvent = {
  readonly name: RoomViewEventName;
  readonly view: ViewName;
  readonly userId: string | null;
  readonly payload: { readonly roomId: string; readonly view: ViewName; readonly sequence: number } & Readonly<
    Record<string, unknown>
  >;
};

/** How what happened reaches the people of a room. Nothing here waits or throws: a lost message is found by its sequence. */
export interface RoomPublisher {
  /** Sends view events, in order, to those who may see them. */
  publish(roomId: string, events: readonly OutgoingViewEvent[]): void;
  /** Sends an event to everybody inside. */
  toRoom<Name extends EventName>(roomId: string, name: Name, payload: EventPayload<Name>): void;
  /** Sends an event to the person's seat. */
  toSeat<Name extends EventName>(roomId: string, userId: string, name: Name, payload: EventPayload<Name>): void;
  /** Sends an event to one session of a person. */
  toSession<Name extends EventName>(
    seat: { userId: string; sessionId: string },
    name: Name,
    payload: EventPayload<Name>,
  ): void;
  /** Makes a session hear the views of its role in this room, and no other ones. */
  enter(roomId: string, seat: { userId: string; sessionId: string; role: Role }): void;
  /** Makes a session (or whichever holds the seat) hear nothing more of this room, after a farewell where there is one. */
  expel(roomId: string, seat: { userId: string; sessionId?: string }, farewell?: Farewell): void;
  /** Makes nobody hear anything more of this room. */
  close(roomId: string): void;
}

export type Farewell = {
  [Name in 'room:kicked' | 'room:joined-elsewhere']: { readonly name: Name; readonly payload: EventPayload<Name> };
}['room:kicked' | 'room:joined-elsewhere'];

/** Looks people up, present or gone. */
export interface Directory {
  /** The person with the traces of their last visit (MO-5); undefined for an id that is not known. */
  person(userId: string): Promise<Person | undefined>;
}
