import type { Limits } from '@rostrum/shared/limits.ts';
import { callRoutes } from '@rostrum/shared/protocol/call.ts';
import type { Match } from '@rostrum/shared/protocol/random.ts';
import { type OutgoingCallEvent, projectCall } from '../rules/call/project.ts';
import { type CallState, isPresent } from '../rules/call/state.ts';
import { matchOf } from '../rules/call/view.ts';
import type { CallMetrics } from '../runtime/call-metrics.ts';
import type { CallCommitted } from './call-engine.ts';
import type { CallLedger } from './call-ledger.ts';
import type { CallMediaFollower } from './call-media-follower.ts';
import type { IceServer } from './ice-servers.ts';
import type { CallPublisher } from './ports.ts';
import type { SuccessMonitor } from './success-monitor.ts';

/** What the operator decided about the ways that media takes. */
export type RoutePolicy = {
  readonly iceServersFor: (userId: string) => IceServer[];
  /** Whether a TURN server is configured. */
  readonly relayAvailable: boolean;
  /** RD-12: calls only through the relay. */
  readonly relayAlways: boolean;
  /** RD-4: the SFU may carry a call. */
  readonly sfuAllowed: boolean;
};

export type CallEffectsDependencies = {
  readonly publisher: CallPublisher;
  readonly ledger: CallLedger;
  readonly success: SuccessMonitor;
  readonly metrics: CallMetrics;
  readonly routes: RoutePolicy;
  /** Media of calls that the SFU carries. */
  readonly media: CallMediaFollower;
  readonly limits: Limits;
};

export type CallEffects = {
  /** Two people have found each other: both are told at once (RD-1). */
  matched(call: CallState): void;
  /** What follows a commit: the people are told, the records are written, the figures counted. Nothing here waits. */
  follow(committed: CallCommitted): void;
  /** The match as this side sees it. */
  matchFor(call: CallState, userId: string): Match;
};

export const createCallEffects = (dependencies: CallEffectsDependencies): CallEffects => {
  const { publisher, ledger, metrics, success, routes, media, limits } = dependencies;
  const matchFor = (call: CallState, userId: string): Match =>
    matchOf(call, userId, { ...routes, iceServers: routes.iceServersFor(userId), limits });

  const tell = (told: OutgoingCallEvent): void => {
    if (told.name === 'random:connection_timeout') {
      // Without a relay nobody connects through it, whatever their history (RD-3).
      const relayFromNow = told.payload.relayFromNow && routes.relayAvailable;
      publisher.toSession(told, told.name, { ...told.payload, relayFromNow });
    } else publisher.toSession(told, told.name, told.payload);
  };

  return {
    matchFor,
    matched: (call) => {
      for (const { userId, sessionId } of call.sides)
        publisher.toSession({ userId, sessionId }, 'random:match_instant', matchFor(call, userId));
      ledger.begun(call);
      for (const { queuedAt } of call.origin.tickets) metrics.matched(call.mode, call.matchedAt - queuedAt);
    },
    follow: (committed) => {
      const { before, after, events, requeued } = committed;
      const again = new Map(requeued.map(({ ticket }) => [ticket.seeker.userId, ticket]));
      for (const told of projectCall(before, after, events, again)) tell(told);
      media.follow(committed);
      if (before.connectedAt === null && after.connectedAt !== null) {
        success.noted(true);
        const route = routeOf(after);
        metrics.connected(after.mode, after.connectedAt - after.matchedAt, route);
        ledger.connected(after, { at: after.connectedAt, route: route ?? null });
      }
      if (after.ended === null) return;
      // Whoever went away in the middle says nothing about routes.
      if (after.ended.reason === 'connect-timeout' && isPresent(after)) success.noted(false);
      metrics.ended(after.mode, after.ended.reason);
      ledger.ended(after);
    },
  };
};

/** The less preferred of the routes of both sides: what the call takes as a whole (RD-13). */
const routeOf = ({ sides }: CallState) => callRoutes.findLast((route) => sides.some((side) => side.route === route));
