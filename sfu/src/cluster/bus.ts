import type { EventName } from '@rostrum/shared/protocol/index.ts';
import type { Role } from '@rostrum/shared/protocol/room.ts';
import type { CallCopyMessage } from '../calls/call-copies.ts';
import type { RoomMediaState } from '../media/media-plane.ts';
import type { OutgoingViewEvent } from '../rooms/ports.ts';
import type { RoomCopyMessage } from '../rooms/room-copies.ts';

type Session = { readonly userId: string; readonly sessionId: string };
type Farewell = { readonly name: EventName; readonly payload: object };

/**
 * What one node tells the others. Each does with it what the node that tells it has done already for its own sockets and its own
 * media. Nothing here decides anything: a message that is lost shows by a sequence number, or is made good by the next state.
 */
export type BusMessage =
  | { readonly kind: 'room-views'; readonly roomId: string; readonly events: readonly OutgoingViewEvent[] }
  | { readonly kind: 'to-room'; readonly roomId: string; readonly name: EventName; readonly payload: object }
  | {
      readonly kind: 'to-seat';
      readonly roomId: string;
      readonly userId: string;
      readonly name: EventName;
      readonly payload: object;
    }
  | { readonly kind: 'to-session'; readonly session: Session; readonly name: EventName; readonly payload: object }
  | { readonly kind: 'to-watchers'; readonly name: EventName; readonly payload: object }
  | { readonly kind: 'enter'; readonly roomId: string; readonly seat: Session & { readonly role: Role } }
  | {
      readonly kind: 'expel';
      readonly roomId: string;
      readonly seat: { readonly userId: string; readonly sessionId?: string };
      readonly farewell?: Farewell;
    }
  | { readonly kind: 'close-room'; readonly roomId: string }
  /** A session was taken up at the node that tells: a connection that it has elsewhere is to be closed (`replaced`). */
  | { readonly kind: 'session-taken'; readonly session: Session; readonly nodeId: string }
  /** Media follows this state, of a room or of a call that the SFU carries. */
  | { readonly kind: 'media-state'; readonly state: RoomMediaState }
  | {
      readonly kind: 'media-release';
      readonly roomId: string;
      readonly userId: string;
      readonly exceptSessionId?: string;
      /** The person is at this node now: what they have at others plays on for `movedMediaMs` before it is released. */
      readonly movedTo?: string;
    }
  | { readonly kind: 'media-close'; readonly roomId: string }
  /** What a commit changed, for the copies of other nodes (restore.ts). Told before everything else of that commit. */
  | RoomCopyMessage
  | CallCopyMessage;

/** The way to the other nodes of a cluster. A single node has none. */
export interface Bus {
  /** Tells every other node. Neither waits nor throws; while Redis is away nothing is told. */
  tell(message: BusMessage): void;
  /** Hands on what other nodes tell, in the order in which each of them told it. */
  listen(take: (message: BusMessage, from: string) => void): void;
}
