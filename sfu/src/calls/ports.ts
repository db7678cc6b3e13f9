import type { EventName, EventPayload } from '@rostrum/shared/protocol/index.ts';
import type { Role } from '@rostrum/shared/protocol/room.ts';
import type { Result } from '@rostrum/shared/result.ts';
import type { Caller } from '../rules/call/commands.ts';

/** How what happens in calls and in the queue reaches people. Nothing here waits or throws. */
export interface CallPublisher {
  /** Sends an event to one session of a person. */
  toSession<Name extends EventName>(session: Caller, name: Name, payload: EventPayload<Name>): void;
  /** Sends an event to everybody who has the page open (RQ-7). */
  toWatchers<Name extends EventName>(name: Name, payload: EventPayload<Name>): void;
}

/** Where people are connected. */
export interface Presence {
  /** Whether this session has a connection to this node now. Of one at another node, that one says when it is lost. */
  isConnected(caller: Caller): boolean;
  /** Rooms in which this person sits, on whatever device, at whatever node. @throws StateUnavailable */
  roomsOf(
    userId: string,
  ): Promise<readonly { readonly roomId: string; readonly sessionId: string; readonly role: Role }[]>;
  /** Gives up a seat. `tell`: its device, at whatever node, learns that the person is elsewhere now. */
  leaveRoom(seat: { readonly roomId: string } & Caller, tell: boolean): Promise<Result<unknown>>;
}
