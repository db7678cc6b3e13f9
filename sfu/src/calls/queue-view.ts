import type { Queued } from '@rostrum/shared/protocol/random.ts';
import type { Ticket } from '../rules/matching/ticket.ts';
import type { CallStore, QueuePosition } from '../state/call-store.ts';
import type { CallPublisher } from './ports.ts';

/** What the queue looks like for this ticket, which stands there. */
export const queuedView = (ticket: Ticket, { position, waiting }: QueuePosition): Queued => ({
  position,
  waiting,
  mode: ticket.search.mode,
  since: ticket.queuedAt,
  relaxed: [...ticket.relaxed],
  languageUntil: ticket.languageUntil > ticket.queuedAt ? ticket.languageUntil : null,
});

type Telling = { readonly store: Pick<CallStore, 'positionOf'>; readonly publisher: CallPublisher };

/** Tells somebody who waits what the queue looks like for them. */
export const tellOfQueue = async ({ store, publisher }: Telling, ticket: Ticket): Promise<void> => {
  const position = await store.positionOf(ticket);
  // Whoever was matched meanwhile knows better already.
  if (position) publisher.toSession(ticket.seeker, 'random:queued', queuedView(ticket, position));
};
