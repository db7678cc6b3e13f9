import type { EventName } from '@rostrum/shared/protocol/index.ts';
import type { CallPublisher } from '../../calls/ports.ts';
import { channels, emitTo, type RostrumServer } from './types.ts';

/** Events of calls and of the queue, over the sockets of this node alone. */
export const createCallPublisher = (io: RostrumServer): CallPublisher => ({
  toSession: (session, name: EventName, payload) => emitTo(io, channels.session(session), name, payload),
  toWatchers: (name: EventName, payload) => emitTo(io, channels.randomWatchers, name, payload),
});
