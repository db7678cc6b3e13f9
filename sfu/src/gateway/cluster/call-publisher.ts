import type { CallPublisher } from '../../calls/ports.ts';
import type { Bus } from '../../cluster/bus.ts';
import type { Here } from './room-publisher.ts';

/** Events of calls, for a session of this node at once, and for any other one over the bus. */
export const clusterCallPublisher = (
  local: CallPublisher,
  bus: Pick<Bus, 'tell'>,
  here: Pick<Here, 'session'>,
): CallPublisher => ({
  toSession: (session, name, payload) => {
    local.toSession(session, name, payload);
    const { userId, sessionId } = session;
    if (!here.session(session)) bus.tell({ kind: 'to-session', session: { userId, sessionId }, name, payload });
  },
  toWatchers: (name, payload) => {
    local.toWatchers(name, payload);
    bus.tell({ kind: 'to-watchers', name, payload });
  },
});
