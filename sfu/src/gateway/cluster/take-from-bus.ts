import type { BusMessage } from '../../cluster/bus.ts';
import type { RoomPublisher } from '../../rooms/ports.ts';
import type { SessionRef } from '../../state/cluster-store.ts';
import { expelHere } from '../socket/room-publisher.ts';
import { channels, emitTo, isHeard, type RostrumServer } from '../socket/types.ts';
import type { SeatHere } from './view-resync.ts';

/** What another node's media followed, for this one's to follow too. */
export type MediaMessage = Extract<BusMessage, { kind: `media-${string}` }>;

/** What another node committed, for this one's copies. */
export type CopyMessage = Extract<BusMessage, { kind: `${string}-copy` | 'ticket-gone' }>;

export type TakeFromBusOptions = {
  readonly io: RostrumServer;
  /** The publisher to the sockets of this node alone. */
  readonly local: Pick<RoomPublisher, 'publish' | 'enter' | 'close'>;
  readonly sessionTaken: (session: SessionRef, nodeId: string) => Promise<void>;
  /**
   * What a session of this node hears of a room was changed. Another commit, of this node or a third one, may have changed it
   * since: what holds is in the store.
   */
  readonly moved: (seat: SeatHere) => void;
  readonly media: (message: MediaMessage, from: string) => void;
  readonly copies: (message: CopyMessage, from: string) => void;
};

/** Does for the sockets of this node what another one has done for its own. */
export const takeFromBus =
  ({ io, local, sessionTaken, moved, media, copies }: TakeFromBusOptions) =>
  (message: BusMessage, from: string): void => {
    switch (message.kind) {
      case 'enter':
        local.enter(message.roomId, message.seat);
        check({ io, moved }, message.roomId, message.seat);
        break;
      case 'expel':
        expelHere(io, message.roomId, message.seat, message.farewell);
        check({ io, moved }, message.roomId, message.seat);
        break;
      case 'close-room':
        local.close(message.roomId);
        break;
      case 'session-taken':
        void sessionTaken(message.session, message.nodeId);
        break;
      case 'media-state':
      case 'media-release':
      case 'media-close':
        media(message, from);
        break;
      case 'room-copy':
      case 'call-copy':
      case 'ticket-copy':
      case 'ticket-gone':
        copies(message, from);
        break;
      default:
        emitHere(io, local, message);
    }
  };

const check = (
  { io, moved }: Pick<TakeFromBusOptions, 'io' | 'moved'>,
  roomId: string,
  { userId, sessionId }: { readonly userId: string; readonly sessionId?: string },
): void => {
  if (sessionId !== undefined && isHeard(io, channels.session({ userId, sessionId })))
    moved({ roomId, userId, sessionId });
};

type EventMessage = Extract<BusMessage, { kind: 'room-views' | `to-${string}` }>;

const emitHere = (io: RostrumServer, local: TakeFromBusOptions['local'], message: EventMessage): void => {
  switch (message.kind) {
    case 'room-views':
      local.publish(message.roomId, message.events);
      break;
    case 'to-room':
      emitTo(io, channels.view(message.roomId, 'room'), message.name, message.payload);
      break;
    case 'to-seat':
      emitTo(io, channels.seat(message.roomId, message.userId), message.name, message.payload);
      break;
    case 'to-session':
      emitTo(io, channels.session(message.session), message.name, message.payload);
      break;
    case 'to-watchers':
      emitTo(io, channels.randomWatchers, message.name, message.payload);
      break;
    default:
      message satisfies never;
  }
};
