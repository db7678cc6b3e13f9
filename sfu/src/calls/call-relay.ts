import { hidesAddress } from '@rostrum/shared/call/sdp.ts';
import type { Limits } from '@rostrum/shared/limits.ts';
import type { EventPayload } from '@rostrum/shared/protocol/index.ts';
import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import type { Caller } from '../rules/call/commands.ts';
import { mustHideAddress, relayTo } from '../rules/call/relay.ts';
import type { CallStore } from '../state/call-store.ts';
import type { RoutePolicy } from './call-effects.ts';
import type { CallPublisher } from './ports.ts';

type Relayed = 'random:offer' | 'random:answer' | 'random:ice_candidate';

export type CallRelay = <Name extends Relayed>(
  caller: Caller,
  name: Name,
  payload: EventPayload<Name>,
) => Promise<Result<void>>;

export type CallRelayDependencies = {
  readonly store: Pick<CallStore, 'load'>;
  readonly publisher: CallPublisher;
  readonly routes: RoutePolicy;
  readonly limits: Limits;
};

/**
 * Passes offers, answers and candidates on between the two people of one call, and keeps nothing (SE-5). That they are what
 * they claim to be, the schema has found. Who hides their address is kept from telling it by a client that does not know (RD-12).
 */
export const createCallRelay =
  ({ store, publisher, routes, limits }: CallRelayDependencies): CallRelay =>
  async (caller, name, payload) => {
    const loaded = await store.load(payload.sessionId);
    if (!loaded) return refuse('stale');
    const partner = relayTo(loaded.call, caller);
    if (!partner.ok) return partner;
    const hides =
      routes.relayAvailable && mustHideAddress(loaded.call, caller.userId, { always: routes.relayAlways, limits });
    const told = 'sdp' in payload ? payload.sdp : payload.candidate;
    if (hides && !hidesAddress(told)) return refuse('invalid', { path: 'sdp' in payload ? 'sdp' : 'candidate' });
    publisher.toSession(partner.value, name, payload);
    return done(undefined);
  };
